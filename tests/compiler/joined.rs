//! Modules of packages that share a function do what each would do in its own.

use std::process::Command;

use crate::app::{App, Dist, PROGRAM};
use crate::run::{log, run_client};

/// What an app logs whose packages are joined; it must be what it logs when each of their modules is a function of its own.
fn logged(files: &[(&str, &str)]) -> Vec<String> {
    let ways = [r#"{"build":{"minify":"fast"}}"#, r#"{"build":{"minify":"off"}}"#];
    let [joined, wrapped] = ways.map(|config| {
        let app = App::new(files);
        app.write("config/app.json", config);
        let result = run_client(&app.built());
        log(&result).into_iter().map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(joined, wrapped, "joined and wrapped differ");
    joined
}

/// How many functions the app bundle has for modules of packages and the app's own.
fn functions(files: &[(&str, &str)]) -> usize {
    let code = App::new(files).built().asset("app.js");
    code.lines().filter(|line| line.split(':').next().is_some_and(|id| id.parse::<u32>().is_ok())).count()
}

#[test]
fn bindings_are_live_on_both_sides_of_the_border() {
    let files = [
        (
            "app/client/app.js",
            "import { count, add, box, later } from 'p'; import * as all from 'p'; add(); log(count, all.count, box.count); add(); log(count, all['co' + 'unt'], box.count, later());",
        ),
        (
            "node_modules/p/index.js",
            "export { count, add } from './count.js'; import * as box from './count.js'; export { box }; import { count as c } from './count.js'; export const later = () => c; export default c;",
        ),
        ("node_modules/p/package.json", r#"{"module":"index.js"}"#),
        ("node_modules/p/count.js", "export let count = 0; export function add() { count += 1; }"),
    ];
    assert_eq!(logged(&files), ["1 1 1", "2 2 2 2"]);
    assert_eq!(functions(&files), 2);
}

#[test]
fn names_of_modules_are_their_own() {
    let files = [
        (
            "app/client/app.js",
            "import { a, list } from 'p'; import { b, make } from 'q'; log(a(), b(), list.join(), make().size, typeof name, top);",
        ),
        ("node_modules/p/package.json", r#"{"module":"index.js"}"#),
        (
            "node_modules/p/index.js",
            "import { value as v, name } from './one.js'; import { value, Map } from './two.js'; const top = 'p'; globalThis.top = 'global';
            export const a = () => { let C = 1, D = 2, E = 3; return [v, value, name, Map, top, C, D, E].join('-'); }; export const list = [1, 2].map((n) => n + value);",
        ),
        ("node_modules/p/one.js", "const value = 1, name = 'n', status = 's'; export { value, name }; export const length = status;"),
        ("node_modules/p/two.js", "export const value = 2; export class Map { static { this.text = String(value); } static toString() { return this.text; } }"),
        ("node_modules/q/package.json", r#"{"module":"index.js"}"#),
        (
            "node_modules/q/index.js",
            "import { value } from './one.js'; export { make } from './make.js'; export const b = () => value + top; globalThis.S = globalThis.C = 'global';",
        ),
        ("node_modules/q/one.js", "export const value = 'q'; const self = this; log(typeof self, typeof S, typeof C, typeof module, typeof e);"),
        ("node_modules/q/make.js", "export const make = () => new Map([[1, 2], [3, 4]]);"),
    ];
    assert_eq!(
        logged(&files),
        ["undefined undefined undefined object undefined", "1-2-n-2-p-1-2-3 qglobal 3,4 2 undefined global"]
    );
}

#[test]
fn circles_run_in_their_order() {
    let files = [
        ("app/client/app.js", "import { isEven, Node } from 'p'; log(isEven(10), isEven(7), new Node(2).text());"),
        ("node_modules/p/package.json", r#"{"module":"index.js"}"#),
        (
            "node_modules/p/index.js",
            "log('index'); export { isEven } from './even.js'; export { Node } from './node.js';",
        ),
        (
            "node_modules/p/even.js",
            "import { isOdd } from './odd.js'; log('even'); export function isEven(n) { return n === 0 || isOdd(n - 1); }",
        ),
        (
            "node_modules/p/odd.js",
            "import { isEven } from './even.js'; log('odd'); export const isOdd = (n) => n !== 0 && isEven(n - 1);",
        ),
        (
            "node_modules/p/node.js",
            "import { Leaf } from './leaf.js'; log('node'); export class Node { constructor(n) { this.n = n; } text() { return this.n ? 'node ' + new Leaf(this.n - 1).text() : '.'; } }",
        ),
        (
            "node_modules/p/leaf.js",
            "import { Node } from './node.js'; log('leaf'); export class Leaf { constructor(n) { this.n = n; } text() { return 'leaf ' + new Node(this.n && this.n - 1).text(); } }",
        ),
    ];
    assert_eq!(logged(&files), ["odd", "even", "leaf", "node", "index", "true false node leaf ."]);
    assert_eq!(functions(&files), 2);
}

#[test]
fn a_circle_through_commonjs_or_with_two_ways_in_stays_apart() {
    let common = [
        ("app/client/app.js", "import { a } from 'p'; log(a());"),
        ("node_modules/p/package.json", r#"{"module":"index.js"}"#),
        (
            "node_modules/p/index.js",
            "import c from './c.cjs'; log('index'); export const a = () => c.b() + late(); export function late() { return 'late'; }",
        ),
        (
            "node_modules/p/c.cjs",
            "const index = require('./index.js'); log('c', typeof index.late); exports.b = () => index.late();",
        ),
    ];
    assert_eq!(logged(&common).last().map(String::as_str), Some("latelate"));
    let two = [
        ("app/client/app.js", "import { a } from 'p/a.js'; import { b } from 'p/b.js'; log(a(), b());"),
        ("node_modules/p/package.json", r#"{"name":"p"}"#),
        (
            "node_modules/p/a.js",
            "import { b, deep } from './b.js'; log('a', typeof b); export function a() { return 'a' + deep; }",
        ),
        (
            "node_modules/p/b.js",
            "import { a } from './a.js'; import { deep } from './deep.js'; log('b'); export { deep }; export const b = () => 'b' + a();",
        ),
        ("node_modules/p/deep.js", "log('deep'); export const deep = '!';"),
    ];
    assert_eq!(logged(&two), ["deep", "b", "a function", "a! ba!"]);
}

#[test]
fn what_is_not_joined_runs_where_it_would() {
    let files = [
        ("app/client/app.js", "import './first'; import { x } from 'p'; import { y } from 'q'; log('app', x, y, common);"),
        ("app/client/first.js", "import { one } from 'p/one.js'; log('first', one);"),
        ("node_modules/p/package.json", r#"{"name":"p","module":"index.js"}"#),
        (
            "node_modules/p/index.js",
            "import { two } from './two.js'; import common, { named } from './common.cjs'; import './quiet.cjs'; import './loud.js'; import * as whole from './common.cjs'; import { one } from './one.js'; log('p', named, whole.named === named, typeof whole.default); export const x = one + two + common.named;
            globalThis.common = (0, common.self)() + common.self() + whole.self();",
        ),
        ("node_modules/p/one.js", "log('one'); export const one = 1;"),
        ("node_modules/p/two.js", "import { one } from './one.js'; import { three } from './three.js'; log('two'); export const two = one + three;"),
        ("node_modules/p/three.js", "import './common.cjs'; log('three'); export const three = 3;"),
        ("node_modules/p/common.cjs", "log('common'); exports.named = 'n'; exports.self = function () { return this === exports ? 'e' : 'o'; };"),
        ("node_modules/p/quiet.cjs", "log('quiet');"),
        ("node_modules/p/loud.js", "import './alone.js'; log('loud');"),
        ("node_modules/p/alone.js", "log('alone', typeof exports);"),
        ("node_modules/q/package.json", r#"{"name":"q","module":"index.js"}"#),
        ("node_modules/q/index.js", "import { three } from 'p/three.js'; log('q'); export const y = three;"),
    ];
    assert_eq!(
        logged(&files),
        [
            "one",
            "first 1",
            "common",
            "three",
            "two",
            "quiet",
            "alone object",
            "loud",
            "p n true object",
            "q",
            "app 5n 3 oeo"
        ]
    );
}

#[test]
fn every_form_of_export_arrives() {
    let files = [
        (
            "app/client/app.js",
            "import fun, * as all from 'p'; import { Klass, arrow, value, renamed, 'a b' as spaced, inner, other, both, default as again } from 'p';
            log(Object.keys(all).join(), fun(), again === fun, new Klass().name(), arrow()(), value, renamed, spaced, inner.x, Object.keys(inner).join(), other, typeof both, all.none);",
        ),
        ("node_modules/p/package.json", r#"{"module":"index.js"}"#),
        (
            "node_modules/p/index.js",
            "export default function () { return 'fun'; } export { default as Klass } from './klass.js'; import arrow from './arrow.js'; export { arrow }; export * from './star.js'; export * from './more.js';
            export { value as renamed, value as 'a b' } from './star.js'; export * as inner from './inner.js'; import * as inner from './inner.js'; export const other = pick(inner, 'y'); function pick(from, name) { return from[name]; }",
        ),
        ("node_modules/p/klass.js", "export default class { name() { return 'klass'; } }"),
        ("node_modules/p/arrow.js", "export default () => () => 'arrow';"),
        ("node_modules/p/star.js", "export const value = 'v'; export const both = 1; export default 'not by star';"),
        ("node_modules/p/more.js", "export { value } from './star.js'; export const both = 2; export * from './index.js';"),
        ("node_modules/p/inner.js", "export const x = 'x', y = 'y'; export { x as __proto__ } from './star2.js'; "),
        ("node_modules/p/star2.js", "export const x = 'proto';"),
    ];
    assert_eq!(
        logged(&files),
        ["Klass,a b,arrow,default,inner,other,renamed,value fun true klass arrow v v v x __proto__,x,y y undefined "]
    );
}

#[test]
fn a_module_that_has_itself_as_a_whole_has_all_its_names() {
    let files = [
        (
            "app/client/app.js",
            "import { count, self } from 'p'; import { inner } from 'q'; log(count('a'), count('unasked'), Object.keys(self).join(), inner());",
        ),
        ("node_modules/p/package.json", r#"{"module":"index.js"}"#),
        (
            "node_modules/p/index.js",
            "import { count } from './count.js'; export const a = 1, unasked = 2; export { count }; export * as self from './index.js';",
        ),
        ("node_modules/p/count.js", "import * as all from './index.js'; export const count = (name) => all[name];"),
        ("node_modules/q/package.json", r#"{"module":"index.js"}"#),
        (
            "node_modules/q/index.js",
            "import * as tools from './tools.js'; export const inner = () => tools.twice(2) + tools.own() + tools.bound();",
        ),
        (
            "node_modules/q/tools.js",
            "export const twice = (n) => n * 2; export function own() { return Object.keys(this).join(); } export const bound = twice.bind(null, 4);",
        ),
    ];
    assert_eq!(logged(&files), ["1 2 a,count,self,unasked 4bound,own,twice8"]);
}

#[test]
fn what_is_handed_on_from_commonjs_is_known_when_it_has_run() {
    let files = [
        (
            "app/client/app.js",
            "import * as all from 'p'; import { made, own } from 'p'; log(Object.keys(all).sort().join(), made, own);",
        ),
        ("node_modules/p/package.json", r#"{"module":"index.js"}"#),
        ("node_modules/p/index.js", "export * from './mid.js'; export const own = 'own';"),
        ("node_modules/p/mid.js", "export * from './common.cjs'; export { quiet } from './quiet.js';"),
        ("node_modules/p/common.cjs", "for (const name of ['made', 'own']) exports[name] = name + '!';"),
        ("node_modules/p/quiet.js", "export const quiet = 'q';"),
    ];
    assert_eq!(logged(&files), ["made,own,quiet made! own"]);
}

#[test]
fn calls_and_writes_mean_what_they_meant() {
    let files = [
        ("app/client/app.js", "import { said } from 'p'; said.forEach((line) => log(line));"),
        ("node_modules/p/package.json", r#"{"module":"index.js"}"#),
        (
            "node_modules/p/index.js",
            "import { self, tag, Made, maybe } from './self.js'; import * as ns from './self.js'; import { self as outer, none } from './common.cjs'; import missing from './nothing.cjs';
            const attempt = (fn) => { try { return fn(); } catch (error) { return error.name; } };
            export const said = [self() === undefined, self?.() === undefined, tag`x` === undefined, new Made().ok, new Made instanceof Made, typeof maybe, maybe?.(), { self }.self === self,
            outer() === undefined, outer`x` === undefined, attempt(() => { ns.self = 1; }), attempt(() => { delete ns.self; }), attempt(() => { ns.maybe++; }), ns.list.map((n) => n + 1).join(), typeof ns.gone, typeof none, typeof missing, ns?.list.length];",
        ),
        (
            "node_modules/p/self.js",
            "export function self() { return this; } export function tag() { return this; } export class Made { ok = 'made'; } export const maybe = null; export const list = [1, 2];",
        ),
        ("node_modules/p/common.cjs", "exports.self = function () { 'use strict'; return this; };"),
        ("node_modules/p/nothing.cjs", ""),
    ];
    let said = logged(&files);
    assert_eq!(
        said,
        [
            "true",
            "true",
            "true",
            "made",
            "true",
            "object",
            "",
            "true",
            "true",
            "true",
            "TypeError",
            "TypeError",
            "TypeError",
            "2,3",
            "undefined",
            "undefined",
            "object",
            "2"
        ]
    );
}

#[test]
fn chunks_have_groups_of_their_own() {
    let files = [
        (
            "app/client/app.js",
            "import { base } from 'p/base.js'; log('app', base); waited.push(import('p').then((p) => { log(p.a, p.b, Object.keys(p).join()); return p.more().then((m) => log(m.deep, m.default)); }));",
        ),
        ("node_modules/p/package.json", r#"{"name":"p","module":"index.js"}"#),
        (
            "node_modules/p/index.js",
            "export { a } from './a.js'; export { b } from './b.js'; export const more = () => import('./more.js'); log('index');",
        ),
        ("node_modules/p/a.js", "import { base } from './base.js'; log('a'); export const a = base + 'a';"),
        ("node_modules/p/b.js", "import { a } from './a.js'; log('b'); export const b = a + 'b';"),
        ("node_modules/p/base.js", "import { root } from './root.js'; export const base = 'base' + root;"),
        ("node_modules/p/root.js", "log('root'); export const root = '/';"),
        (
            "node_modules/p/more.js",
            "import { a } from './a.js'; import { deep } from './deep.js'; export { deep }; export default a + '!';",
        ),
        ("node_modules/p/deep.js", "log('deep'); export const deep = 'd';"),
    ];
    let said: Vec<String> = logged(&files).into_iter().filter(|line| !line.starts_with("load ")).collect();
    assert_eq!(said, ["root", "app base/", "a", "b", "index", "base/a base/ab a,b,more", "deep", "d base/a!"]);
}

#[test]
fn what_throws_stops_what_needs_it() {
    let files = [
        (
            "app/client/app.js",
            "const attempt = (fn) => { try { return fn(); } catch (error) { return error.message; } }; log(attempt(() => require('p').b), attempt(() => require('p').b), attempt(() => require('q').c));",
        ),
        ("node_modules/p/package.json", r#"{"module":"index.js"}"#),
        (
            "node_modules/p/index.js",
            "import './a.js'; import './throws.js'; import './never.js'; log('never'); export const b = 1;",
        ),
        ("node_modules/p/a.js", "log('a');"),
        ("node_modules/p/throws.js", "throw new Error('thrown');"),
        ("node_modules/p/never.js", "log('never');"),
        ("node_modules/q/package.json", r#"{"module":"index.js"}"#),
        ("node_modules/q/index.js", "export { c } from './c.js';"),
        ("node_modules/q/c.js", "export const c = 'c';"),
    ];
    assert_eq!(logged(&files), ["a", "thrown thrown c"]);
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).expect("less than it was made of")
    }
}

/// A package of modules that import each other at random, circles and CommonJS among them, and log what they see.
fn random_package(dice: &mut Dice) -> Vec<(String, String)> {
    let count = 3 + dice.roll(9);
    let common: Vec<bool> = (0..count).map(|_| dice.roll(6) == 0).collect();
    let name = |n: usize| format!("m{n}.{}", if common[n] { "cjs" } else { "js" });
    let mut files = Vec::new();
    for (n, &is_common) in common.iter().enumerate() {
        let mut text = String::new();
        let mut seen = Vec::new();
        for import in 0..dice.roll(4) {
            // Mostly forwards, so that there are not only circles.
            let to = if dice.roll(5) == 0 { dice.roll(count) } else { (n + 1 + dice.roll(count)).min(count - 1) };
            if to == n {
                continue;
            }
            let (from, i) = (name(to), format!("{n}_{import}"));
            if is_common {
                text += &format!("const r{i} = require('./{from}'); ");
                seen.push(format!("r{i}.value"));
                continue;
            }
            match dice.roll(7) {
                0 => text += &format!("import './{from}'; "),
                1 => {
                    text += &format!("import * as n{i} from './{from}'; ");
                    seen.push(format!("n{i}.value"));
                }
                2 => {
                    text += &format!("import * as n{i} from './{from}'; ");
                    seen.push(format!("Object.keys(n{i}).length && n{i}['value']"));
                }
                3 => text += &format!("export * from './{from}'; "),
                4 => text += &format!("export {{ value as v{i} }} from './{from}'; "),
                5 => {
                    text += &format!("import d{i} from './{from}'; ");
                    seen.push(format!("typeof d{i}"));
                }
                _ => {
                    text += &format!("import {{ value as v{i}, bump as b{i} }} from './{from}'; ");
                    seen.push(format!("v{i}"));
                    seen.push(format!("later.push(() => {{ b{i}(); return v{i}; }})"));
                }
            }
        }
        let see: String = seen.iter().map(|expr| format!("see(() => {expr}); ")).collect();
        // What a circle sees too early is an error in one form, and not there yet in the other.
        text += &format!(
            "const see = (read) => {{ let seen; try {{ seen = read(); }} catch {{}} log('m{n}', typeof seen === 'function' ? 'function' : String(seen)); }}; "
        );
        text += &if is_common {
            format!(
                "exports.value = {n}; exports.bump = () => {{ exports.value += 10; }}; {see} exports.only{n} = 'o{n}';"
            )
        } else {
            format!(
                "export let value = {n}; export const bump = () => {{ value += 10; }}; {see} export const only{n} = 'o{n}'; export default class {{}}"
            )
        };
        files.push((format!("node_modules/p/{}", name(n)), text));
    }
    let mut app = "globalThis.later = []; ".to_owned();
    for import in 0..=dice.roll(3) {
        let to = name(dice.roll(count));
        app += &match dice.roll(3) {
            0 => format!(
                "const c{import} = require('p/{to}'); log(Object.keys(c{import}).sort().join(), c{import}.value); "
            ),
            1 => format!("const c{import} = require('./use{import}'); log('use', c{import}.default); "),
            _ => {
                format!("waited.push(import('p/{to}').then((all) => log(Object.keys(all).sort().join(), all.value))); ")
            }
        };
        let using = format!(
            "import * as all from 'p/{to}'; import {{ value, bump }} from 'p/{to}'; bump(); export default String([value, all.value, Object.keys(all).filter((key) => key !== 'default').sort()]);"
        );
        files.push((format!("app/client/use{import}.js"), using));
    }
    app += "log(later.map((fn) => { try { return fn(); } catch { return 'unset'; } }).join());";
    files.push(("app/client/app.js".to_owned(), app));
    files.push(("node_modules/p/package.json".to_owned(), r#"{"name":"p"}"#.to_owned()));
    files
}

#[test]
fn packages_at_random_do_the_same_joined_and_apart() {
    let count = if std::env::var_os("SSBUILD_SOAK").is_some() { 2000 } else { 20 };
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for n in 0..count {
        let files = random_package(&mut dice);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let said = std::panic::catch_unwind(|| logged(&files));
        assert!(
            said.is_ok(),
            "package {n}:\n{}",
            files.iter().map(|(path, text)| format!("{path}: {text}\n")).collect::<String>()
        );
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let mut dice = Dice(7);
    let files: Vec<(String, String)> = (0..6)
        .flat_map(|n| {
            let package = random_package(&mut dice).into_iter();
            package
                .filter(|(path, _)| path.contains("/m"))
                .map(move |(path, text)| (path.replace("modules/p/", &format!("modules/p{n}/")), text))
        })
        .collect();
    let app = App::new(&[]);
    files.iter().for_each(|(path, text)| app.write(path, text));
    let imports: String = (0..6)
        .map(|n| {
            format!(
                "import * as all{n} from 'p{n}/{}'; ",
                if files.iter().any(|(path, _)| path.ends_with(&format!("p{n}/m0.js"))) { "m0.js" } else { "m0.cjs" }
            )
        })
        .collect();
    app.write("app/client/app.js", &imports);
    let built = ["1", "2", "3"].map(|threads| {
        let out = app.root().join("dist");
        let mut command = Command::new(PROGRAM);
        command.args(["build", "--quiet", "--no-cache", "--env", "staging"]).arg(app.root()).arg("--out").arg(&out);
        let output = command.env("RAYON_NUM_THREADS", threads).output().expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let dist = Dist::read(&out);
        (dist.asset("app.js"), dist.asset("app.js.map"))
    });
    assert_eq!(built[0], built[1]);
    assert_eq!(built[0], built[2]);
}

#[test]
fn modules_that_node_takes_for_es_modules_get_module_exports_as_the_default() {
    let files = [
        (
            "app/client/app.js",
            "import { seen as strict } from 'strict'; import { seen as loose } from 'loose'; import marked, { name } from 'marked'; log(strict, loose, marked, name);",
        ),
        ("node_modules/strict/package.json", r#"{"type":"module","main":"index.js"}"#),
        (
            "node_modules/strict/index.js",
            "import all, { name } from 'marked'; import * as ns from 'marked'; export const seen = [typeof all, all.default, name, ns.default === all].join();",
        ),
        ("node_modules/loose/package.json", r#"{"module":"index.js"}"#),
        ("node_modules/loose/index.js", "import all from 'marked'; export const seen = all;"),
        (
            "node_modules/marked/index.js",
            "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = 'inner'; exports.name = 'marked';",
        ),
    ];
    assert_eq!(logged(&files), ["object,inner,marked,true inner inner marked"]);
}
