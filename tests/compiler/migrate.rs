//! `ssbuild migrate` on an app in the manner of 2011.

use std::process::{Command, Output};

use crate::app::{App, PROGRAM};

fn migrate(app: &App, args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("migrate").args(args).current_dir(app.root()).env_remove("SS_ENV").output().expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

fn of_2011() -> App {
    App::new(&[
        ("app/client/app.js", "window.app = {init: function () {}};\nSS.socket.on('connect', function () {});"),
        ("app/client/old.js", "var socket = new io.Socket();\n// io.connect in a comment\nexports.s = socket;"),
        (
            "app/server/app.js",
            "exports.authenticate = true;\nexports.actions = {\n  a: function (cb) { this.getSession(function (s) { R.hget('k', 'f', cb); }); },\n};",
        ),
        ("app/server/page.coffee", "exports.actions = {}"),
        ("app/client/util.js", "function shout(s) { return s; }\nvar inner = 1;"),
        ("app/client/late.coffee", "exports.f = -> shout('x')\nroot = exports ? this\n"),
        (
            "lib/server/places.js",
            "var http = require('http');\nexports.f = function () {\n  http.createClient(80);\n  return __dirname + SS.root + [1].unique();\n};",
        ),
        ("config/app.json", r#"{"pack_assets": true, "redis_pubsub": {}, "http": {"port": 80}}"#),
        ("config/environments/live.json", "{}"),
        ("lib/client/1.jquery.min.js", "var a;"),
        ("lib/client/2.jquery.tmpl.min.js", "var b;"),
        ("lib/client/10.late.js", "var c;"),
        ("public/index.html", "packed"),
        (".socketstream_state", "{}"),
    ])
}

#[test]
fn every_change_names_its_file_its_line_and_what_to_do() {
    let app = of_2011();
    let told = migrate(&app, &[]);
    assert_eq!(told.status.code(), Some(1), "{}", text(&told.stderr));
    let told = text(&told.stdout);
    for (file, said, todo) in [
        ("app/client/app.js", "know    line 1: `window.app.init`", "Write `exports.init"),
        ("app/client/old.js", "must    line 1: Socket.IO", "Use `SS.socket.on"),
        ("app/server/app.js", "know    line 3: `getSession` calls back at once", "use `this.session`"),
        ("app/server/app.js", "should  line 3: Redis is used when", "Set `redis.host`"),
        ("app/server/app.js", "know    line 1: `exports.authenticate = true` now guards", "before the login"),
        (
            "app/client/late.coffee",
            "must    line 1: `shout` is declared in `app/client/util.js`",
            "SS.client.util.shout",
        ),
        ("app/client/late.coffee", "should  line 2: `exports` is there in every file", "Write `window`"),
        ("lib/server/places.js", "must    line 3: Node.js has no `http.createClient`", "`http.request("),
        ("lib/server/places.js", "know    line 4: `__dirname` is a folder of the build", "process.cwd()"),
        ("lib/server/places.js", "must    line 4: `SS.root` and `SS.libs`", "process.cwd()"),
        ("lib/server/places.js", "should  line 4: the helpers of 2011", "require('helpers')"),
        ("config/app.json", "`pack_assets`: this key of 2011", ""),
        ("config/app.json", "`redis_pubsub`: this key of 2011", ""),
        ("config/environments/live.json", "exactly `live`", "--env live"),
        (
            "lib/client",
            "1.jquery.min.js, 2.jquery.tmpl.min.js, 10.late.js; in 2011 it was 1.jquery.min.js, 10.late.js",
            "Number the files",
        ),
        ("lib/client/2.jquery.tmpl.min.js", "evaluate text as code", "Nothing"),
        ("package.json", "must    CoffeeScript, Stylus and Jade", "npm install --save-dev coffeescript@2`"),
        ("public/index.html", "must    the packer of 2011", "Delete it"),
        (".socketstream_state", "should  the framework's own note", "Delete it"),
        (".gitignore", "should  builds, caches", "/dist"),
    ] {
        let part = told.split("\n\n").find(|part| part.starts_with(&format!("{file}\n")));
        let part = part.unwrap_or_else(|| panic!("nothing is said of {file}:\n{told}"));
        assert!(part.contains(said) && part.contains(todo), "{file}: {said}\n{part}");
    }
    assert!(told.contains("socketstream start     ssbuild serve"));
    assert!(!app.root().join("dist").exists() && !app.root().join(".ssbuild").exists(), "nothing is written");
}

#[test]
fn an_app_of_today_has_nothing_to_change() {
    let app = App::new(&[(".gitignore", "/dist\n")]);
    let told = migrate(&app, &["--json"]);
    assert_eq!((told.status.code(), text(&told.stdout)), (Some(0), ""));
    let told = migrate(&of_2011(), &["--json"]);
    for line in text(&told.stdout).lines() {
        let one: serde_json::Value = serde_json::from_str(line).expect("one object a line");
        assert!(
            one["file"].is_string()
                && one["line"].is_number()
                && one["what"].as_str().is_some_and(|what| !what.is_empty())
        );
    }
}
