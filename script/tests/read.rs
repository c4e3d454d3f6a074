//! What is read from a module for others: imports, exports, references, evals.

use std::fmt::Write;

use ssbuild_script::{
    CompiledModule, ExportForm, ImportKind, ImportedNames, Language, Minify, Options, Shake, Source, Tree, TypeScript,
    Wrap, compile,
};

fn options(wrap: Wrap, minify: Minify) -> Options {
    Options {
        wrap,
        minify,
        source_map: false,
        read_actions: false,
        defines: Vec::new(),
        typescript: TypeScript::default(),
        shake: Shake::No,
        side: ssbuild_script::Side::Browser,
        depth_limit: 500,
    }
}

fn read_as(text: &str, language: Language, options: &Options) -> CompiledModule {
    compile(Source { path: "app/client/app.js", text, language }, options)
}

/// Reads a module; every way of making it small reads the same.
fn read(text: &str) -> CompiledModule {
    let module = read_as(text, Language::JavaScript, &options(Wrap::Module, Minify::Off));
    let errors: Vec<String> = module.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.to_text(false)).collect();
    assert!(errors.is_empty(), "{text}\n{}", errors.join("\n"));
    for minify in [Minify::Fast, Minify::Max] {
        let other = read_as(text, Language::JavaScript, &options(Wrap::Module, minify));
        assert_eq!(CompiledModule { code: module.code.clone(), ..other }, module, "{text}");
    }
    module
}

fn imports(text: &str) -> String {
    let module = read(text);
    let describe = |import: &ssbuild_script::Import| {
        let kind = match import.kind {
            ImportKind::Static => "static",
            ImportKind::Require => "require",
            ImportKind::Dynamic => "dynamic",
            ImportKind::Url => "url",
            ImportKind::Worker => "worker",
        };
        let names = match &import.names {
            ImportedNames::All => "*".to_owned(),
            ImportedNames::Some(names) => format!("[{}]", names.join(" ")),
        };
        format!("{kind} {} {names}", import.specifier)
    };
    module.imports.iter().map(describe).collect::<Vec<_>>().join("; ")
}

#[test]
fn imports_are_numbered_in_order_with_the_names_used() {
    let cases = [
        ("import './a'", "static ./a []"),
        ("import {a, b as c} from './a'; c(a)", "static ./a [b a]"),
        ("import {a, b} from './a'; a()", "static ./a [a]"),
        ("import d from './a'; d", "static ./a [default]"),
        ("import * as ns from './a'; ns.x(ns['y'])", "static ./a [x y]"),
        ("import * as ns from './a'; f(ns); ns.x", "static ./a *"),
        ("import * as ns from './a'; ns[name]", "static ./a *"),
        ("export {a, b as c} from './a'", "static ./a [a b]"),
        ("export * from './a'", "static ./a *"),
        ("export * as ns from './a'", "static ./a *"),
        ("import {a} from './a'; export {a}", "static ./a [a]"),
        ("import './b'; import './a'; import {x} from './b'; x", "static ./b [x]; static ./a []"),
        ("require('./a'); require('./b').x", "require ./a *; require ./b *"),
        ("const {a, b: c, 'd e': f} = require('./a')", "require ./a [a b d e]"),
        ("const {a, ...rest} = require('./a')", "require ./a *"),
        ("const {[a]: b} = require('./a')", "require ./a *"),
        ("require(`./a`); require(('./b'))", "require ./a *; require ./b *"),
        ("import('./a'); import(`./b`)", "dynamic ./a *; dynamic ./b *"),
        ("import './a'; require('./a'); import('./a'); require('./a')", "static ./a []; require ./a *; dynamic ./a *"),
        ("function f(require) { require('./a') }", ""),
        ("var require = f; require('./a')", ""),
        ("require.resolve('./a'); typeof require", ""),
        ("if (typeof require === 'function') require('fs')", "require fs *"),
        ("var s = \"require('./a')\"; // require('./b')", ""),
        ("import {a} from './a'; function f(a) { a() }", "static ./a []"),
        ("import {a} from './a'; ({a, b: {a}})", "static ./a [a]"),
    ];
    for (text, expected) in cases {
        assert_eq!(imports(text), expected, "{text}");
    }
}

#[test]
fn an_import_shows_its_specifier() {
    let module = read("'use client';\nimport {a} from \"./ünï\"; a;\nconst b = require('./b');\n");
    let places: Vec<_> = module.imports.iter().map(|i| (i.place.line, i.place.column, i.place.length)).collect();
    assert_eq!(places, [(2, 17, 7), (3, 19, 5)]);
    assert_eq!(module.imports[0].place.text, "import {a} from \"./ünï\"; a;");
}

#[test]
fn an_import_that_no_literal_names_is_noted() {
    let module = read("require(name); import('./' + name);");
    let codes: Vec<_> = module.diagnostics.iter().map(|found| (found.code.as_str(), found.is_error())).collect();
    assert_eq!(codes, [("import-dynamic", false); 2]);
    assert!(module.imports.is_empty());
    assert!(
        module.code.contains("require(name)") && module.code.contains("import(\"./\" + name)")
            || module.code.contains("import('./' + name)")
    );
}

fn exports(text: &str) -> String {
    let exports = read(text).exports;
    let form = match exports.form {
        ExportForm::None => "none",
        ExportForm::CommonJs => "cjs",
        ExportForm::Esm => "esm",
    };
    let names: Vec<&str> = exports.names.iter().map(|(name, _)| name.as_str()).collect();
    format!("{form} [{}]{}", names.join(" "), if exports.open { " open" } else { "" })
}

#[test]
fn exports_are_seen_in_every_form() {
    let cases = [
        ("", "none []"),
        ("f(1)", "none []"),
        ("exports.a = 1; exports['b'] = 2; exports.a = 3", "cjs [a b]"),
        ("module.exports.a = 1; module['exports'].b = 2", "cjs [a b]"),
        ("module.exports = { a: 1, b, 'c d': 2, e() {}, get f() {}, 1: 2 }", "cjs [a b c d e f 1]"),
        ("module.exports = { a, ...b }", "cjs [a] open"),
        ("module.exports = { [a]: 1 }", "cjs [] open"),
        ("module.exports = f()", "cjs [] open"),
        ("module.exports = function () {}; module.exports.x = 1", "cjs [x] open"),
        ("module.exports = {}; module.exports.x = 1", "cjs [x]"),
        ("exports = module.exports = { a: 1 }", "cjs [a]"),
        ("module.exports = exports = { a: 1 }; exports.b = 2", "cjs [a b]"),
        ("var e = exports; e.a = 1", "cjs [a]"),
        ("var e; e = exports; e.a = 1", "cjs [a]"),
        ("var e = module.exports = {}; e.a = 1", "cjs [a]"),
        ("var app = exports = module.exports = {}; app.a = 1", "cjs [a]"),
        ("this.a = 1; (function () { this.b = 2 })()", "cjs [a]"),
        ("exports[name] = 1", "cjs [] open"),
        ("f(exports)", "cjs [] open"),
        ("Object.assign(exports, x)", "cjs [] open"),
        (
            "Object.defineProperty(exports, 'a', { value: 1 }); Object.defineProperty(exports, '__esModule', { value: true })",
            "cjs [a]",
        ),
        ("exports.__esModule = true; exports.default = 1", "cjs [default]"),
        ("function f() { exports.late = 1 }", "cjs [late]"),
        ("if (exports.a) exports.a.b = 1; g(exports.a)", "none []"),
        ("(function (exports) { exports.hidden = 1 })({})", "none []"),
        ("var exports = {}; exports.x = 1", "none []"),
        ("var o = { exports: { a: 1 } }; o.exports.b = 2; x.exports = 3", "none []"),
        ("var s = 'exports.a = 1' // exports.b = 2", "none []"),
        ("typeof exports === 'object' && typeof module !== 'undefined' ? module.exports = f() : 1", "cjs [] open"),
        ("export const a = 1, {b, c: [d, ...e]} = f(); export function g() {} export class H {}", "esm [a b d e g H]"),
        ("export default 1", "esm [default]"),
        ("export default function f() {}", "esm [default]"),
        ("const a = 1; export { a, a as b, a as default, a as 'c d' }", "esm [a b default c d]"),
        ("export { a, b as c } from './x'; export * as d from './y'", "esm [a c d]"),
        ("export * from './x'; export const a = 1", "esm [a] open"),
        ("import './x'", "esm []"),
        ("export {}", "esm []"),
    ];
    for (text, expected) in cases {
        assert_eq!(exports(text), expected, "{text}");
    }
}

#[test]
fn an_export_shows_its_place() {
    let exports = read("\nexports.first = 1;\n  exports['second'] = 2;\n").exports;
    let places: Vec<_> = exports.names.iter().map(|(_, place)| (place.line, place.column)).collect();
    assert_eq!(places, [(2, 1), (3, 3)]);
}

fn references(text: &str) -> String {
    let module = read(text);
    let describe = |reference: &ssbuild_script::Reference| {
        let tree = match reference.tree {
            Tree::Client => "client",
            Tree::Shared => "shared",
            Tree::Server => "server",
        };
        let path: String = reference.path.iter().map(|part| format!(".{part}")).collect();
        let dynamic = if reference.dynamic { "…" } else { "" };
        let called = if reference.called { "()" } else { "" };
        let top = if reference.top_level { "!" } else { "" };
        format!("{tree}{path}{dynamic}{called}{top}")
    };
    module.references.iter().map(describe).collect::<Vec<_>>().join(" ")
}

#[test]
fn references_into_the_trees_are_found() {
    let cases = [
        ("SS.server.app.square(25, cb)", "server.app.square()!"),
        ("function f() { return SS.client.geo.code }", "client.geo.code"),
        ("const f = () => SS.shared.calculate.sum(1)", "shared.calculate.sum()"),
        ("SS.server.app['square'](1)", "server.app.square()!"),
        ("SS.server.app[name](1)", "server.app…!"),
        ("SS.server[name].x.y", "server…!"),
        ("SS['server'].app", "server.app!"),
        ("window.SS.client.app; globalThis.SS.shared.x; self.SS.server.y()", "client.app! shared.x! server.y()!"),
        ("SS.server?.app?.square?.(1)", "server.app.square()!"),
        (
            "SS.server.a.b.call(this, 1); SS.server.a.b.apply(this, []); SS.server.a.b.bind(this)",
            "server.a.b()! server.a.b()! server.a.b!",
        ),
        ("SS.server.app.load().then(f)", "server.app.load()!"),
        ("SS.with({}, SS.server.a.b)(1)", "server.a.b!"),
        ("SS.events.on('x', f); SS.config.a; SS", ""),
        ("SS.server", "server!"),
        ("f(SS.server.a.b)", "server.a.b!"),
        ("new SS.client.Thing(SS.client.x)", "client.Thing! client.x!"),
        ("function f(SS) { SS.server.a.b() }", ""),
        ("var SS = {}; SS.server.a.b()", ""),
        ("(function () { SS.client.now() })(); (() => SS.client.too)()", "client.now()! client.too!"),
        ("(function () { SS.client.now() }).call(this)", "client.now()!"),
        ("setTimeout(function () { SS.client.later() })", "client.later()"),
        (
            "class A { m() { SS.client.m } static s = SS.client.s; p = SS.client.p; static { SS.client.b } [SS.client.k]() {} }",
            "client.m client.s! client.p client.b! client.k!",
        ),
        ("`${SS.client.t}`; SS.client.tag`x`", "client.t! client.tag!"),
        ("SS.server.a.b(SS.server.c.d(), x => SS.server.e.f(x))", "server.a.b()! server.c.d()! server.e.f()"),
        ("SS.client.a[SS.client.b].c", "client.a…! client.b!"),
    ];
    for (text, expected) in cases {
        assert_eq!(references(text), expected, "{text}");
    }
}

#[test]
fn evaluating_text_is_found() {
    let cases = [
        ("eval('1')", 1),
        ("(0, eval)('1')", 1),
        ("var e = eval; e('1')", 1),
        ("new Function('a', 'return a')", 1),
        ("Function('return that')()", 1),
        ("Function('return this')(); new Function('return this;')(); (Function('return this'))()", 0),
        ("var Function = f; Function('return this')()", 0),
        ("setTimeout('tick()', 5); setInterval(`x`); window.setTimeout('a' + b, 1)", 3),
        ("setTimeout(tick, 5); setTimeout(function () {}, 1); window.setTimeout(f)", 0),
        ("function f(eval, Function) { eval('1'); new Function('1') }", 0),
        ("typeof eval; typeof Function; x instanceof Function; Function.prototype.call", 0),
        ("o.eval('x'); o.Function('y'); o.setTimeout('z')", 0),
        ("var s = 'eval(1)'", 0),
    ];
    for (text, count) in cases {
        assert_eq!(read(text).evals.len(), count, "{text}");
    }
}

#[test]
fn plain_scripts_keep_their_names() {
    let text = "var lib = lib || {};\nfunction helper(first, second) { var local = first + second; return local * 2; }\n(function (root) { root.made = helper(1, 2); })(this);\nmodule = require('x')\n";
    for minify in [Minify::Off, Minify::Fast, Minify::Max] {
        let module = read_as(text, Language::JavaScript, &options(Wrap::Plain, minify));
        assert!(module.diagnostics.is_empty());
        assert!(module.imports.is_empty() && module.exports == ssbuild_script::Exports::default());
        assert!(module.code.contains("lib") && module.code.contains("function helper("), "{}", module.code);
        assert!(module.code.contains("require(\"x\")") || module.code.contains("require('x')"), "{}", module.code);
        assert!(module.code.ends_with(';'), "another script may follow: {}", module.code);
        assert_eq!(module.code.contains("local"), minify == Minify::Off, "{}", module.code);
    }
    let typed = read_as("let x: number = 1; interface A {}", Language::TypeScript, &options(Wrap::Plain, Minify::Off));
    assert_eq!(typed.code, "let x = 1;");
}

#[test]
fn what_was_minified_before_is_left_at_that() {
    let text = "var longName=1;function another(argument){return argument+longName}".repeat(20);
    let module = read_as(&text, Language::JavaScript, &options(Wrap::Plain, Minify::Max));
    assert_eq!(module.code.trim_end_matches(';'), text);
}

#[test]
fn json_is_a_module() {
    let module =
        read_as("{\n  \"a\": [1, 2.50],\n  \"b c\": null\n}\n", Language::Json, &options(Wrap::Module, Minify::Off));
    assert_eq!(module.code, "function(module,exports,require){module.exports={\"a\":[1,2.50],\"b c\":null}}");
    let names: Vec<_> = module.exports.names.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names, module.exports.open), (vec!["a", "b c"], false));
}

#[test]
fn mistakes_are_shown_with_a_remedy() {
    let cases = [
        (Language::JavaScript, "exports.a = ;\nexports.b = 1;"),
        (Language::JavaScript, "function f() {\n  return {\n"),
        (Language::JavaScript, "var a = 'not closed;\nvar b = 2;"),
        (Language::JavaScript, "const a = 1; const a = 2;"),
        (Language::JavaScript, "import { a } from './a';\nfunction a() {}"),
        (Language::JavaScript, "f({ a = 1 });"),
        (Language::JavaScript, "class A { constructor() { super(); } }"),
        (Language::JavaScript, "x = /(a/;\ny = /[z-a]/g;"),
        (Language::JavaScript, "export {};\nlet interface = 1;\narguments = 2;"),
        (Language::JavaScript, "class A { #x; m(o) { return o ** #x; } }"),
        (Language::JavaScript, "function f(x) { let x = 1; }"),
        (Language::JavaScript, "class A { m() { return this.#gone; } }"),
        (Language::JavaScript, "import { a } from './a';\nif (x) { import './b'; }"),
        (Language::JavaScript, "import { a, b } from './a';\na = 1; b++; [a] = [2]; ({ b } = {}); for (a of []) ;"),
        (Language::JavaScript, "export const a = 1;\nexport { a };"),
        (Language::JavaScript, "export { nowhere };"),
        (Language::JavaScript, "function f() { await g(); }"),
        (Language::JavaScript, "const <b>bold</i>;"),
        (Language::TypeScript, "let x: = 1;\nenum { A }"),
        (Language::Json, "{\n  // comment\n  \"a\": 1\n}"),
        (Language::Json, "{\"a\": 1,}"),
        (Language::Json, "{'a': 1}"),
        (Language::Json, ""),
        (Language::JavaScript, &format!("x = {}1{}", "(".repeat(600), ")".repeat(600))),
        (Language::JavaScript, &format!("x = {}1", "1 + ".repeat(20_000))),
    ];
    let mut text = String::new();
    for (language, source) in cases {
        let module = read_as(source, language, &options(Wrap::Module, Minify::Fast));
        assert!(module.code.is_empty() && module.diagnostics.iter().any(|found| found.is_error()), "{source}");
        for found in &module.diagnostics {
            writeln!(text, "{}\n", found.to_text(false)).unwrap();
        }
        text.push_str("--------\n");
    }
    let plain = read_as(
        "import x from 'y';\nexport default import.meta;",
        Language::JavaScript,
        &options(Wrap::Plain, Minify::Off),
    );
    for found in &plain.diagnostics {
        writeln!(text, "{}\n", found.to_text(false)).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn one_file_does_not_fill_the_screen() {
    let module = read_as(&"const a = 1;\n".repeat(1_000), Language::JavaScript, &options(Wrap::Module, Minify::Off));
    assert_eq!(module.diagnostics.len(), 20);
}

#[test]
fn emitted_code() {
    let cases = [
        (
            "module",
            Language::JavaScript,
            "import def, { a as b } from './ui/navbar.js';\nimport * as all from 'lib';\nimport './side';\nexport * from './more';\nexport { x as default } from './x';\nexport let count = 0;\nexport function up(by = 1) { count += by; b(count, { b, def }); return all.join(`${def}`); }\nexport const { p, q: [r] } = all.parts;\n",
        ),
        ("default", Language::JavaScript, "export default function () { return this; }\n"),
        (
            "commonjs",
            Language::JavaScript,
            "'use strict';\nvar path = require('path'), self = exports;\nself.name = function (first, second) {\n  if (!first) {\n    return null;\n  } else if (second) {\n    return path.join(first, second);\n  }\n  return import('./late').then(function (late) { return late.default; });\n};\n",
        ),
        (
            "typescript",
            Language::TypeScript,
            "import type { T } from './t';\nexport enum Level { Low = 1, High }\nexport class Store<X extends T> { private items: X[] = []; constructor(readonly name: string) {} add(item: X): this { this.items.push(item); return this; } }\n",
        ),
        ("jsx", Language::Jsx, "export const Item = ({ name, ...rest }) => <li {...rest}>{name}<br/></li>;\n"),
    ];
    let mut text = String::new();
    for (name, language, source) in cases {
        for minify in [Minify::Off, Minify::Fast, Minify::Max] {
            let module = read_as(source, language, &options(Wrap::Module, minify));
            assert!(module.diagnostics.is_empty(), "{:?}", module.diagnostics);
            writeln!(text, "// {name} {minify:?}\n{}\n", module.code).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn odd_texts_are_sound() {
    let cases = [
        "",
        "\u{feff}exports.a = 1",
        "#!/usr/bin/env node\nexports.a = 1",
        "// only a comment",
        ";;;",
        "\0",
        "\u{2028}exports.a = 1",
        "'use strict'",
    ];
    for text in cases {
        for minify in [Minify::Off, Minify::Fast, Minify::Max] {
            let module = read_as(text, Language::JavaScript, &options(Wrap::Module, minify));
            let fine = module.diagnostics.is_empty() && (module.code.contains('{') && module.code.ends_with('}'));
            assert!(fine || text == "\0", "{text:?} {minify:?}: {} {:?}", module.code, module.diagnostics);
        }
    }
}

#[test]
fn names_that_a_require_takes_apart_are_no_unknown_module() {
    assert_eq!(read("const {a, b: c} = require('./a'); a(c);").diagnostics, []);
}

#[test]
fn names_may_end_with_letters_of_several_bytes() {
    let maps = Options { source_map: true, ..options(Wrap::Module, Minify::Fast) };
    for text in [
        "export const π = Math.PI; export const deg = (d) => { return d * π }",
        "const é = () => { é }; é()",
        "({ π: { π } })",
    ] {
        let compiled = read_as(text, Language::JavaScript, &maps);
        assert_eq!(compiled.diagnostics, [], "{text}");
    }
}
