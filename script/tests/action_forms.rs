//! The actions of server files, by every form in which they can be written.

use ssbuild_script::{
    AnswerStyle, CompiledModule, Language, Minify, Options, Shake, Source, TypeScript, Wrap, compile,
};

fn read(language: Language, text: &str) -> CompiledModule {
    let options = Options {
        wrap: Wrap::Module,
        minify: Minify::Off,
        source_map: false,
        read_actions: true,
        defines: Vec::new(),
        typescript: TypeScript::default(),
        shake: Shake::No,
        side: ssbuild_script::Side::Browser,
        depth_limit: ssbuild_script::DEPTH_LIMIT,
    };
    compile(Source { path: "app/server/app.js", text, language }, &options)
}

/// Each action as `path(params) style guard`.
fn shown(language: Language, text: &str) -> Vec<String> {
    let module = read(language, text);
    // What looks unclear is a warning, and has tests of its own.
    assert!(!module.diagnostics.iter().any(|found| found.is_error()), "{text}: {:?}", module.diagnostics);
    let actions = module.actions.expect("actions were to be read");
    let show = |action: &ssbuild_script::ActionMeta| {
        let style = match action.style {
            AnswerStyle::Callback => "callback",
            AnswerStyle::Value => "value",
        };
        let (rest, guard) = (if action.rest { "..." } else { "" }, if action.guard { " guard" } else { "" });
        format!("{}({}{rest}) {style}{guard}", action.path.join("."), action.params.join(","))
    };
    actions.iter().map(show).collect()
}

fn js(text: &str) -> Vec<String> {
    shown(Language::JavaScript, text)
}

fn codes(text: &str) -> Vec<String> {
    read(Language::JavaScript, text).diagnostics.iter().map(|found| found.code.as_str().to_owned()).collect()
}

#[test]
fn the_forms_in_which_actions_are_written() {
    let square = ["square(number) callback"];
    assert_eq!(js("exports.actions = {square: function(number, cb){ cb(number * number) }}"), square);
    assert_eq!(js("exports['actions'] = {square(number, cb){ cb(number * number) }}"), square);
    assert_eq!(js("module.exports = {actions: {square: (number, cb) => cb(number * number)}}"), square);
    assert_eq!(js("module.exports.actions = {'square': (number, cb) => cb(number * number)}"), square);
    assert_eq!(js("var e = exports; e.actions = {square: (number, cb) => cb(number)}"), square);
    assert_eq!(js("export const actions = {square: (number, cb) => cb(number)}"), square);
    assert_eq!(js("const a = {square: (number, cb) => cb(number)}; export { a as actions }"), square);
    assert_eq!(js("function square(number, cb){ cb(number) } exports.actions = {square}"), square);
    assert_eq!(js("const f = (number, cb) => cb(1), g = f; exports.actions = {square: g}"), square);
    assert_eq!(
        js("const a = {square(number, cb){ cb(1) }}; exports.actions = {...a, other(){ return 1 }}")[0],
        square[0]
    );
    assert_eq!(js("exports = module.exports = {actions: {square: (number, cb) => cb(number)}}"), square);
    let typed = "export const actions = {square(number: number, cb: (n: number) => void): void { cb(number) }}";
    assert_eq!(shown(Language::TypeScript, typed), square);
    let typed = "export const actions = {square(this: Ctx, number: number) { return number }} satisfies Actions";
    assert_eq!(shown(Language::TypeScript, typed), ["square(number) value"]);
}

#[test]
fn nested_and_repeated_names() {
    assert_eq!(
        js("exports.actions = {admin: {reset(){ return 1 }, users: {list(cb){ cb([]) }}}}"),
        ["admin.reset() value", "admin.users.list() callback"]
    );
    assert_eq!(js("exports.actions = {a: {b(){}}, a(x){ return x }}"), ["a(x) value"]);
    assert_eq!(js("const a = {x(n){ return n }}; exports.actions = {...a, x(cb){ cb() }}"), ["x() callback"]);
}

#[test]
fn the_style_follows_the_rule() {
    assert_eq!(js("exports.actions = {a: async function(n, cb){ return n }}"), ["a(n,cb) value"]);
    assert_eq!(js("exports.actions = {a(n, respond){ setTimeout(() => respond(n), 1) }}"), ["a(n) callback"]);
    assert_eq!(js("exports.actions = {a(n, respond){ return respond }}"), ["a(n,respond) value"]);
    assert_eq!(js("exports.actions = {a(n, done){ get(n, done) }}"), ["a(n) callback"]);
    assert_eq!(js("exports.actions = {a({x}, [y], z = 1, ...more){ return 1 }}"), ["a(arg1,arg2,z,more...) value"]);
    assert_eq!(js("exports.style = 'value'; exports.actions = {a(n, cb){ return n }}"), ["a(n,cb) value"]);
    assert_eq!(js("exports.style = 'callback'; exports.actions = {a(n, reply){ return reply }}"), ["a(n) callback"]);
    assert_eq!(js("exports.authenticate = true; exports.actions = {a(){ return 1 }}"), ["a() value guard"]);
}

#[test]
fn what_cannot_be_read_is_said() {
    for text in [
        "exports.actions = make()",
        "exports.actions = {a: wrap(function(){})}",
        "exports.actions = {[name]: function(){}}",
        "exports.actions = {get a(){ return f }}",
        "exports.actions = {...require('./other')}",
        "exports.actions = {}; exports.actions.late = function(){}",
        "const a = {}; exports.actions = a; a.late = function(){}",
        "if (x) { exports.actions = {a(){}} }",
        "exports.actions = {a: 1}",
        "exports.authenticate = isOn; exports.actions = {a(){}}",
        "exports.style = kind; exports.actions = {a(){}}",
        "const a = b, b = a; exports.actions = a",
        "export { actions } from './other'",
    ] {
        assert_eq!(codes(text), ["actions-not-static"], "{text}");
    }
    assert_eq!(codes("exports.actions = {session(){ return 1 }}"), ["name-reserved"]);
    assert_eq!(codes("exports.actions = {'__proto__': function(){ return 1 }}"), ["name-reserved"]);
    assert_eq!(codes("exports.actions = {'a/b'(){ return 1 }}"), ["name-invalid"]);
    assert_eq!(codes("exports.actions = {a(n, cb){ return n }}"), ["answer-unclear"]);
}

#[test]
fn a_file_without_actions_has_none() {
    assert_eq!(js("exports.helper = 1; const actions = {a(){}}"), Vec::<String>::new());
    assert_eq!(js("function f(exports){ exports.other = {a(){}} }"), Vec::<String>::new());
}
