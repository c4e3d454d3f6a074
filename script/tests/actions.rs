//! The actions that are read from server files, and what is said of those that cannot be read.

use std::fmt::Write;

use ssbuild_script::{
    AnswerStyle, CompiledModule, Language, Minify, Options, Shake, Source, TypeScript, Wrap, compile,
};

fn read(text: &str, language: Language) -> CompiledModule {
    let options = Options {
        wrap: Wrap::Module,
        minify: Minify::Fast,
        source_map: false,
        read_actions: true,
        defines: Vec::new(),
        typescript: TypeScript::default(),
        shake: Shake::No,
        side: ssbuild_script::Side::Browser,
        depth_limit: 500,
    };
    compile(Source { path: "app/server/app.js", text, language }, &options)
}

fn describe(module: &CompiledModule) -> String {
    let mut text = String::new();
    for action in module.actions.iter().flatten() {
        let style = if action.style == AnswerStyle::Callback { "callback" } else { "value" };
        let rest = if action.rest { "..." } else { "" };
        let guard = if action.guard { ", guarded" } else { "" };
        let path = action.path.join(".");
        writeln!(text, "{path}({}{rest}) {style}{guard} @{}", action.params.join(", "), action.place.line).unwrap();
    }
    for found in &module.diagnostics {
        writeln!(text, "{}", found.to_text(false)).unwrap();
    }
    text
}

/// What a file of these lines has, without errors; what looks unclear is a warning, and has tests of its own.
fn actions(text: &str) -> String {
    let mut module = read(text, Language::JavaScript);
    module.diagnostics.retain(|found| found.is_error());
    assert!(module.diagnostics.is_empty(), "{text}\n{}", describe(&module));
    describe(&module).replace(" @1\n", "; ").trim_end_matches("; ").to_owned()
}

#[test]
fn style_follows_the_rule() {
    let cases = [
        ("square(n, cb) { cb(n * n) }", "square(n) callback"),
        ("square(n, callback) {callback()}", "square(n) callback"),
        ("a(done) {done()}, b(x, next) {next()}, c(fn) {fn()}", "a() callback; b(x) callback; c() callback"),
        ("a: function (n, answer) { answer(n) }", "a(n) callback"),
        ("a: (n, answer) => setTimeout(() => answer(n), 5)", "a(n) callback"),
        ("a(n, answer) { answer.call(null, n) }", "a(n) callback"),
        ("a(n, answer) { answer?.(n) }", "a(n) callback"),
        ("a(n, answer) { other(answer) }", "a(n, answer) value"),
        ("a(n, answer) { (function (answer) { answer() })() }", "a(n, answer) value"),
        ("async a(n, cb) { cb(n) }", "a(n, cb) value"),
        ("*a(cb) { cb() }", "a(cb) value"),
        ("a: async (n) => n", "a(n) value"),
        ("a(n) { return n }", "a(n) value"),
        ("a() {}", "a() value"),
        ("a({x, y}, [z], cb) {cb()}", "a(arg1, arg2) callback"),
        ("a(x = 1, {y} = {}) {}", "a(x, arg2) value"),
        ("a(first, ...others) {}", "a(first, others...) value"),
        ("a(cb, ...others) { cb() }", "a(cb, others...) value"),
        ("a(...cb) { cb[0]() }", "a(cb...) value"),
        ("a(x, cb = y) { cb() }", "a(x, cb) value"),
        ("a(cb, x) { cb(x) }", "a(cb, x) value"),
    ];
    for (source, expected) in cases {
        assert_eq!(actions(&format!("exports.actions = {{ {source} }}")), expected, "{source}");
    }
}

#[test]
fn objects_are_followed() {
    let cases = [
        (
            "exports.actions = { a() {}, 'b c'() {}, 3() {}, ['d']: () => 1 }",
            "a() value; b c() value; 3() value; d() value",
        ),
        (
            "exports.actions = { admin: { reset(cb) {cb()}, deep: { er() {} } } }",
            "admin.reset() callback; admin.deep.er() value",
        ),
        ("const a = { x() {} }; exports.actions = { ...a, y() {} }", "x() value; y() value"),
        ("const a = { x() {} }, b = { ...a }; exports.actions = b", "x() value"),
        ("function f(n) {} const g = (m) => m; exports.actions = { f, g, h: f }", "f(n) value; g(m) value; h(n) value"),
        ("const sub = { x() {} }; exports.actions = { sub, again: sub }", "sub.x() value; again.x() value"),
        ("exports.actions = { a(x) {}, ...{ a(y) {} } }", "a(y) value"),
        ("const a = { a: { x() {} } }; exports.actions = { ...a, a: { y() {} } }", "a.y() value"),
        ("module.exports = { actions: { a() {} }, authenticate: true }", "a() value, guarded"),
        ("const actions = { a() {} }; module.exports = { actions }", "a() value"),
        ("module.exports.actions = { a() {} }", "a() value"),
        ("exports['actions'] = { a() {} }", "a() value"),
        ("var e = exports; e.actions = { a() {} }", "a() value"),
        ("exports = module.exports = {}; exports.actions = { a() {} }", "a() value"),
        ("export const actions = { a() {} }", "a() value"),
        ("const list = { a() {} }; export { list as actions }; export const authenticate = true", "a() value, guarded"),
        ("export let actions = { a() {} }; export const style = 'callback'", "a() callback"),
        ("exports.authenticate = true; exports.actions = { a() {} }", "a() value, guarded"),
        ("exports.authenticate = false; exports.actions = { a() {} }", "a() value"),
        ("exports.style = 'value'; exports.actions = { a(cb) { cb() } }", "a(cb) value"),
        ("exports.style = 'callback'; exports.actions = { a(x, then) { f(then) } }", "a(x) callback"),
        (
            "(function() { var f; f = function(n, cb) { return cb(n); }; exports.actions = { f: f }; }).call(this);",
            "f(n) callback",
        ),
        ("const actions = exports.actions = { a() {} }", "a() value"),
        ("function f() { const exports = {}; exports.actions = 1 } exports.other = 2", ""),
        ("", ""),
    ];
    for (source, expected) in cases {
        assert_eq!(actions(source), expected, "{source}");
    }
}

#[test]
fn typescript_is_read_without_its_types() {
    let source = "interface Api { a(n: number): void }\n\
        export const actions = {\n  a(n: number, cb?: (x: number) => void) { cb!(n) },\n  b: (async function (this: Ctx, x: string) { return x }) as any,\n} satisfies Api;\n\
        export const authenticate: boolean = true;\n";
    insta::assert_snapshot!(describe(&read(source, Language::TypeScript)), @r"
    a(n) callback, guarded @3
    b(x) value, guarded @4
    ");
}

#[test]
fn what_cannot_be_read_is_told() {
    let cases = [
        "exports.actions = make();",
        "exports.actions = require('./other').actions;",
        "exports.actions = {...make()};",
        "exports.actions = { a: require('./a') };",
        "import { a } from './a';\nexport const actions = { a };",
        "exports.actions = { [name]() {} };",
        "exports.actions = { get a() { return f; } };",
        "exports.actions = { a: 5 };",
        "let f = () => 1;\nf = () => 2;\nexports.actions = { f };",
        "let f = () => 1;\nfunction later() { f = null; }\nexports.actions = { f };",
        "exports.actions = {};\nexports.actions.late = function () {};",
        "const a = { x() {} };\na.y = () => 1;\nexports.actions = a;",
        "exports.actions = { a() {} };\nObject.assign(exports.actions, more);",
        "exports.actions = { a() {} };\nexports.actions = { b() {} };",
        "if (x) { exports.actions = { a() {} }; }",
        "export { actions } from './other';",
        "exports.authenticate = needed();\nexports.actions = {};",
        "exports.style = 'promise';\nexports.actions = {};",
        "exports.actions = { session() {}, user() {}, request() {}, then() {}, constructor() {} };",
        "exports.actions = { 'a/b'() {}, ''() {} };",
        "exports.actions = { admin: { user() {} } };",
        "exports.actions = { forgotten(n, cb) { console.log(n); } };",
        "const a = { b: a };\nexports.actions = a;",
    ];
    let mut text = String::new();
    for source in cases {
        writeln!(text, "{source}\n{}\n", describe(&read(source, Language::JavaScript))).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_callback_that_may_still_be_used_is_not_warned_about() {
    let bodies = ["throw new Error('no')", "return arguments[1]()", "other(cb)", "return () => cb", "eval('cb()')"];
    for body in bodies {
        actions(&format!("exports.actions = {{ a(n, cb) {{ {body} }} }}"));
    }
}
