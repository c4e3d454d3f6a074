//! What nobody uses of packages is left out, and nothing else.

use crate::app::{App, Dist};
use crate::run::{log, run_client};

fn built(client: &str, files: &[(&str, &str)]) -> Dist {
    let app = App::new(files);
    app.write("app/client/app.js", client);
    app.built()
}

fn assert_texts(dist: &Dist, there: &[&str], gone: &[&str]) {
    let code = dist.asset("app.js");
    for text in there {
        assert!(code.contains(text), "`{text}` is missing in:\n{code}");
    }
    for text in gone {
        assert!(!code.contains(text), "`{text}` should not be in:\n{code}");
    }
}

const FREE: &str = r#"{"name":"free","sideEffects":false,"module":"index.js"}"#;

#[test]
fn unused_exports_do_not_reach_the_bundle() {
    let dist = built(
        "import { used, Kept } from 'free'; log(used(1), new Kept().name);",
        &[
            ("node_modules/free/package.json", FREE),
            (
                "node_modules/free/index.js",
                "export * from './more.js'; export { never } from './never.js'; import { deep } from './deep.js';
                export const unused = () => 'un-used'; export function used(n) { return inner(n) + deep; }
                function inner(n) { return n + 1; } function lonely() { return 'lone-ly'; }
                export class Gone { name = 'go-ne' } const table = /* @__PURE__ */ make('tab-le'); Gone.extra = 'ex-tra';
                function make(x) { return { x }; }",
            ),
            (
                "node_modules/free/more.js",
                "export class Kept { name = 'ke-pt' } Kept.prototype.more = 'mo-re'; export const other = 'oth-er';",
            ),
            ("node_modules/free/never.js", "log('nev-er'); export const never = 1;"),
            ("node_modules/free/deep.js", "export const deep = 'de-ep'; export const shallow = 'shal-low';"),
        ],
    );
    assert_eq!(log(&run_client(&dist)), ["2de-ep ke-pt"]);
    assert_texts(
        &dist,
        &["de-ep", "ke-pt", "mo-re"],
        &["un-used", "lone-ly", "go-ne", "tab-le", "ex-tra", "oth-er", "nev-er", "shal-low"],
    );
}

#[test]
fn what_has_effects_stays() {
    let dist = built(
        "import { a } from 'free'; import 'free/listed.js'; import 'free/quiet.js'; import { b } from 'plain'; log(a, b);",
        &[
            ("node_modules/free/package.json", r#"{"name":"free","sideEffects":["./listed.js"],"module":"index.js"}"#),
            ("node_modules/free/index.js", "import './quiet.js'; import './listed.js'; log('free runs'); export const a = 1;"),
            ("node_modules/free/listed.js", "log('listed'); export const x = 'un-used';"),
            ("node_modules/free/quiet.js", "log('qui-et');"),
            ("node_modules/plain/package.json", r#"{"name":"plain","module":"index.js"}"#),
            (
                "node_modules/plain/index.js",
                "import './effect.js'; export { c } from './effect.js'; export const b = 2; export const d = 'dee'; let n = 0;
                export const bump = () => ++n; globalThis.plain = true; const { e } = globalThis; Object.assign({}, {});",
            ),
            ("node_modules/plain/effect.js", "log('effect'); export const c = 'cee';"),
        ],
    );
    assert_eq!(log(&run_client(&dist)), ["listed", "free runs", "effect", "1 2"]);
    assert_texts(&dist, &[".plain=!0"], &["qui-et", "un-used", "dee", "cee"]);
}

#[test]
fn whoever_may_use_everything_gets_everything() {
    let files = [
        ("node_modules/free/package.json", FREE),
        ("node_modules/free/index.js", "export const a = 'a-a'; export * from './b.js'; export default 'de-fault';"),
        ("node_modules/free/b.js", "export const b = 'b-b'; export let n = 0; export const more = () => { n += 1; };"),
    ];
    for client in [
        "import * as all from 'free'; log(Object.keys(all).sort().join());",
        "const all = require('free'); log(Object.keys(all).sort().join());",
        "import * as all from 'free'; const pick = (name) => all[name]; pick('more')(); log(pick('n') && Object.keys(all).sort().join());",
        "waited.push(import('free').then((all) => log(Object.keys(all).sort().join())));",
        "import * as some from 'free'; import { a } from 'free'; log(a && Object.keys({ ...some }).sort().join());",
    ] {
        let dist = built(client, &files);
        let result = run_client(&dist);
        assert_eq!(log(&result).last(), Some(&"a,b,default,more,n"), "{client}");
    }
    let dist = built("import * as some from 'free'; some.more(); log(some.n, some.a);", &files);
    assert_eq!(log(&run_client(&dist)), ["1 a-a"]);
    assert_texts(&dist, &[], &["b-b", "de-fault"]);
}

#[test]
fn names_are_followed_through_many_files() {
    let dist = built(
        "import { z, second } from 'free'; import * as ns from 'free'; log(z.first, second, ns.third.leaf);",
        &[
            ("node_modules/free/package.json", FREE),
            (
                "node_modules/free/index.js",
                "import * as inner from './inner.js'; export { inner as z }; import { second as other } from './second.js';
                export { other as second }; export * as third from './third.js'; export { default as fourth } from './fourth.js';",
            ),
            ("node_modules/free/inner.js", "export const first = 1; export { default as x } from './fourth.js';"),
            ("node_modules/free/second.js", "export const second = 2; export const gone = 'go-ne'; import './circle.js';"),
            ("node_modules/free/third.js", "export * from './circle.js'; export const leaf = 3;"),
            ("node_modules/free/circle.js", "export * from './third.js'; export const round = 'rou-nd';"),
            ("node_modules/free/fourth.js", "export default 'fo-urth';"),
        ],
    );
    assert_eq!(log(&run_client(&dist)), ["1 2 3"]);
    assert_texts(&dist, &["fo-urth", "rou-nd"], &["go-ne"]);
}
