//! The configuration: every format, every layer, and what `ssbuild config` says of it.

use std::process::{Command, Output};

use crate::{
    app::{App, PROGRAM, testdata},
    served::Served,
};

fn ssbuild(app: &App, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(app.root()).env_remove("SS_ENV").envs(variables.iter().copied());
    command.output().expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// The line of a key.
fn line(app: &App, key: &str, variables: &[(&str, &str)]) -> String {
    let said = ssbuild(app, &["config", "--key", key], variables);
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    text(&said.stdout).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_format_says_the_same() {
    let formats = [
        ("app.json", "{\n// a port\n\"http\": {\"port\": 81,},\n}"),
        ("app.jsonc", "{\"http\": {\"port\": 81}}"),
        ("app.toml", "[http]\nport = 81\n"),
        ("app.js", "exports.config = {\nhttp: {port: 81}};"),
        ("app.mjs", "export default {http: {port: 81}};"),
        ("app.ts", "const port: number = 81;\nexport const config = {http: {port: port}};"),
        ("app.cjs", "module.exports = {http: {port: 81}};"),
    ];
    for (name, source) in formats {
        let app = App::new(&[(&format!("config/{name}"), source)]);
        let said = line(&app, "http.port", &[]);
        assert!(said.starts_with(&format!("http.port 81 config/{name}:")), "{said}");
        let built = app.built();
        let kept =
            if name.ends_with("json") || name.ends_with("jsonc") || name.ends_with("toml") { "json" } else { "js" };
        let config = built.manifest().server.config;
        assert!(config[0].file.ends_with(&format!("/server/config/app.{kept}")), "{name}");
    }
}

#[test]
fn layers_win_in_their_order_and_say_who_they_are() {
    let app = App::new(&[
        ("config/app.js", "exports.config = {http: {hostname: '::1', port: 1}, client: {a: {b: 1, l: [1, 2]}}};"),
        ("config/environments/staging.toml", "[client.a]\nc = 2\nl = [3]\n[http]\nport = 2\n"),
    ]);
    assert_eq!(line(&app, "http.port", &[]), "http.port 1 config/app.js:1");
    let staging = ("SS_ENV", "staging");
    assert_eq!(line(&app, "http.port", &[staging]), "http.port 2 config/environments/staging.toml:5");
    assert_eq!(line(&app, "http.port", &[staging, ("SS__HTTP__PORT", "3")]), "http.port 3 SS__HTTP__PORT");
    assert_eq!(line(&app, "http.hostname", &[staging]), "http.hostname \"::1\" config/app.js:1");
    assert_eq!(
        line(&app, "client.a", &[staging]),
        "client.a.b 1 config/app.js:1 client.a.l [3] config/environments/staging.toml:3 client.a.c 2 config/environments/staging.toml:2"
    );
    assert_eq!(line(&app, "log.level", &[]), "log.level 0 the preset of production");
    assert_eq!(line(&app, "session.expires_days", &[]), "session.expires_days 30 default");
    assert_eq!(ssbuild(&app, &["config", "--key", "htp"], &[]).status.code(), Some(2));

    let lines = ssbuild(&app, &["config", "--json", "--key", "http.port"], &[]);
    let value: serde_json::Value = serde_json::from_slice(&lines.stdout).expect("one object");
    let wanted =
        serde_json::json!({"key": "http.port", "value": 1, "origin": "config/app.js", "line": 1, "column": 43});
    assert_eq!(value, wanted);
}

#[test]
fn the_schema_is_printed_and_may_be_named_in_a_file() {
    let app = App::new(&[("config/app.json", "{\"$schema\": \"./x.json\"}")]);
    let schema: serde_json::Value =
        serde_json::from_slice(&ssbuild(&app, &["config", "--schema"], &[]).stdout).expect("JSON");
    assert_eq!(schema["$defs"]["Http"]["properties"]["port"]["type"], "integer");
    assert_eq!(text(&ssbuild(&app, &["check", "--deny", "warnings"], &[]).stderr), "");
}

#[test]
fn only_public_variables_reach_a_build() {
    let app = App::new(&[
        (
            "config/app.js",
            "exports.config = {client: {open: process.env.SS_PUBLIC_OPEN, secret: process.env.SECRET || 'unset'}};",
        ),
        (
            "app/client/app.js",
            "exports.init = function () { return process.env.SS_PUBLIC_OPEN + import.meta.env.SS_PUBLIC_OPEN; };",
        ),
    ]);
    let variables = [("SS_PUBLIC_OPEN", "o\"pen"), ("SECRET", "kept-dark"), ("SS__CLIENT__SECRET", "kept-dark")];
    let built = ssbuild(&app, &["build"], &variables);
    assert!(
        text(&built.stderr).starts_with("warning[config-unknown]: the variable `SS__CLIENT__SECRET` has no effect")
    );
    let dist = crate::app::Dist::read(&app.root().join("dist"));
    let client = serde_json::Value::Object(dist.manifest().client_config);
    assert_eq!((&client["open"], &client["secret"]), (&"o\"pen".into(), &"unset".into()));
    assert!(dist.asset("app.js").contains(r#"o"pen"#), "{}", dist.asset("app.js"));
    assert!(!dist.files.values().any(|bytes| bytes.windows(9).any(|part| part == b"kept-dark")));
    assert_eq!(line(&app, "client.secret", &variables[1..2]), "client.secret \"unset\" config/app.js:1");
}

#[test]
fn a_server_evaluates_its_keys_when_it_starts() {
    let app = App::new(&[
        ("config/app.ts", "export default {app: {owner: process.env.OWNER as string, port: 1}, api: {enabled: true}};"),
        ("config/environments/production.js", "exports.config = {app: {port: 2}};"),
        ("app/server/app.js", "exports.actions = {owner: function (cb) { cb(SS.config.app); }};"),
    ]);
    let served =
        Served::start_with(&app.root(), &[("OWNER", "Ada"), ("SS__APP__FROM", "variable")]).expect("it serves");
    let answer = served.ask("GET", "/api/app/owner", "");
    assert!(answer.ends_with(r#"{"owner":"Ada","port":2,"from":"variable"}"#), "{answer}");
}

#[test]
fn coffeescript_is_evaluated_by_the_apps_own_compiler() {
    let root = testdata("apps").join("configured");
    let mut command = Command::new(PROGRAM);
    let said = command.arg("config").arg(root).args(["--key", "client.features"]).env_remove("SS_ENV").output();
    let said = said.expect("the program runs");
    let lines: Vec<&str> = text(&said.stdout).lines().collect();
    assert!(lines[0].ends_with("config/app.coffee:7"), "{lines:?}");
    assert!(lines[1].ends_with("config/environments/production.ts:4"), "{lines:?}");
}
