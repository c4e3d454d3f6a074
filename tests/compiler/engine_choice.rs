//! Which engine a build asks for, and why; and packages that are copied because they need a folder of their own.

use std::os::unix::fs::PermissionsExt as _;

use ssbuild_server::manifest::{EngineKind, Server};

use crate::{app::App, served::Served};

fn chosen(files: &[(&str, &str)]) -> (EngineKind, String) {
    let Server { engine, engine_reason, .. } = App::new(files).built().manifest().server;
    (engine, engine_reason)
}

fn node(reason: &str) -> (EngineKind, String) {
    (EngineKind::Node, reason.to_owned())
}

#[test]
fn what_only_node_has_decides_at_its_first_place() {
    let actions = "exports.actions = { f: () => 1 };\n";
    let none = "no server code needs Node.js".to_owned();
    assert_eq!(chosen(&[("app/server/app.js", actions)]), (EngineKind::Embedded, none.clone()));
    let uses = |text: &str| chosen(&[("app/server/app.js", &format!("{actions}{text}"))]);
    assert_eq!(uses("const at = () => process.uptime();"), node("app/server/app.js:2 uses `process`"));
    assert_eq!(uses("exports.b = () => Buffer.from('x');"), node("app/server/app.js:2 uses `Buffer`"));
    assert_eq!(uses("exports.b = { Buffer };"), node("app/server/app.js:2 uses `Buffer`"));
    assert_eq!(uses("exports.d = __dirname;"), node("app/server/app.js:2 uses `__dirname`"));
    assert_eq!(uses("\nconst os = require('os');"), node("app/server/app.js:3 requires `os`"));
    assert_eq!(uses("exports.s = new WebSocket('ws://x');"), node("app/server/app.js:2 uses `WebSocket`"));
    assert_eq!(uses("exports.s = () => new Intl.NumberFormat('de');"), node("app/server/app.js:2 uses `Intl`"));
    assert_eq!(uses("exports.s = (n) => n.toLocaleString('de');"), node("app/server/app.js:2 uses `toLocaleString`"));
    assert_eq!(
        uses("exports.s = (d) => d?.toLocaleDateString();"),
        node("app/server/app.js:2 uses `toLocaleDateString`")
    );
    // The name of something else, a question, a value known at build, and what the embedded engine has.
    for text in [
        "const process = { x: 1 }; exports.x = process.x;",
        "exports.x = typeof process !== 'undefined' ? process.pid : 0;",
        "exports.x = process.env.NODE_ENV;",
        "exports.x = () => setImmediate(() => structuredClone(new URL('http://a/')));",
        "exports.x = ({ Buffer: 1 }).Buffer;",
        "exports.x = global.setTimeout;",
        "exports.x = { toLocaleString: 1 }.toLocaleString;",
    ] {
        assert_eq!(uses(text), (EngineKind::Embedded, none.clone()), "{text}");
    }
    let shared = [("app/server/app.js", actions), ("app/shared/x.js", "exports.f = () => process.memoryUsage();")];
    assert_eq!(chosen(&shared), node("app/shared/x.js:1 uses `process`"));
    let shared = [("app/server/app.js", actions), ("app/shared/x.js", "exports.f = (n) => n.toLocaleString();")];
    assert_eq!(chosen(&shared), (EngineKind::Embedded, none), "mostly called in browsers");
    let lib = [("app/server/app.js", actions), ("lib/server/x.js", "exports.f = () => process.memoryUsage();")];
    assert_eq!(chosen(&lib), node("lib/server/x.js:1 uses `process`"));
}

#[test]
fn the_configuration_may_insist() {
    let app = |engine: &str, text: &str| {
        let config = format!("{{\"build\": {{\"engine\": \"{engine}\"}}}}");
        App::new(&[("app/server/app.js", text), ("config/app.json", &config)])
    };
    let plain = "exports.actions = { f: () => 1 };";
    let server = app("node", plain).built().manifest().server;
    assert_eq!((server.engine, server.engine_reason.as_str()), (EngineKind::Node, "the configuration says so"));
    let uses = "exports.actions = { f: () => process.pid };";
    let app = app("embedded", uses);
    assert_eq!(app.built().manifest().server.engine, EngineKind::Embedded);
    let found = app.findings();
    assert!(found.contains("warning[import-unresolved]: the embedded engine has no `process`"), "{found}");
}

#[test]
fn another_engine_than_before_is_told() {
    let app = App::new(&[("app/server/app.js", "exports.actions = { f: () => 1 };")]);
    assert_eq!(app.built().manifest().server.engine, EngineKind::Embedded);
    app.write("app/server/app.js", "exports.actions = { f: () => process.pid };");
    let (built, said) = app.built_saying("production");
    assert_eq!(built.manifest().server.engine, EngineKind::Node);
    assert!(said.contains("warning[engine-changed]: server code runs in Node.js now"), "{said}");
    assert!(said.contains("app/server/app.js:1"), "{said}");
    let (_, said) = app.built_saying("production");
    assert!(!said.contains("engine-changed"), "{said}");
}

#[test]
fn packages_that_need_their_own_folder_are_copied_with_what_they_depend_on() {
    let package = |name: &str, version: &str, needs: &str| {
        format!("{{\"name\": \"{name}\", \"version\": \"{version}\", \"dependencies\": {{{needs}}}}}")
    };
    let app = App::new(&[
        (
            "app/server/app.js",
            "const data = require('data'), plain = require('plain');
            const fs = require('fs');
            exports.actions = {
                text: () => data.text(),
                same: () => data.shared === require('shared') && plain.name,
                versions: () => data.versions(),
                beside: () => fs.readFileSync(__dirname + '/words.txt', 'utf8'),
                lazy: () => data.lazy('late'),
                run: () => data.run(),
            };",
        ),
        ("app/server/words.txt", "some words"),
        ("node_modules/data/package.json", &package("data", "1.2.3", "\"shared\": \"1\", \"twice\": \"2\"")),
        (
            "node_modules/data/index.js",
            "const fs = require('fs'), path = require('path');
            exports.text = () => fs.readFileSync(path.join(__dirname, 'data', 'text.txt'), 'utf8');
            exports.shared = require('shared');
            exports.versions = () => [require('twice'), require('shared').twice];
            exports.run = () => require('child_process').execFileSync(path.join(__dirname, 'bin/tool')).toString();
            exports.lazy = (name) => require('./' + name).name;",
        ),
        ("node_modules/data/late.js", "exports.name = 'late';"),
        ("node_modules/data/data/text.txt", "text of a package"),
        ("node_modules/data/bin/tool", "#!/bin/sh\nprintf 'a program of a package'\n"),
        ("node_modules/data/node_modules/twice/package.json", &package("twice", "2.0.0", "")),
        ("node_modules/data/node_modules/twice/index.js", "module.exports = 2;"),
        ("node_modules/shared/package.json", &package("shared", "1.0.0", "\"twice\": \"1\"")),
        ("node_modules/shared/index.js", "exports.twice = require('twice');"),
        ("node_modules/twice/package.json", &package("twice", "1.0.0", "")),
        ("node_modules/twice/index.js", "module.exports = 1;"),
        ("node_modules/plain/package.json", &package("plain", "1.0.0", "")),
        ("node_modules/plain/index.js", "exports.name = 'plain';"),
    ]);
    let tool = app.root().join("node_modules/data/bin/tool");
    std::fs::set_permissions(tool, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let server = app.built().manifest().server;
    let copied: Vec<String> = server.packages.iter().map(|p| format!("{} {}", p.name, p.version)).collect();
    assert_eq!(copied, ["data 1.2.3", "shared 1.0.0", "twice 1.0.0", "twice 2.0.0"]);
    assert_eq!(server.packages[0].reason, "node_modules/data/index.js:2 uses `__dirname`");
    // Nothing of the app is needed any more.
    let served = Served::start(&app.root());
    std::fs::remove_dir_all(app.root().join("node_modules")).expect("it is there");
    assert_eq!(served.call("app/text"), "\"text of a package\"");
    assert_eq!(served.call("app/same"), "\"plain\"");
    assert_eq!(served.call("app/versions"), "[2,1]");
    assert_eq!(served.call("app/beside"), "\"some words\"");
    assert_eq!(served.call("app/lazy"), "\"late\"");
    assert_eq!(served.call("app/run"), "\"a program of a package\"");
    drop(served);

    let dist = app.root().join("dist");
    let file = dist.join(&server.packages[0].folder).join("data/text.txt");
    assert_eq!(std::fs::read_to_string(&file).expect("it is copied"), "text of a package");
    std::fs::write(&file, "other text").expect("it can be written");
    let refused = ssbuild_server::load::Build::load(&dist, None).expect_err("it is damaged").to_string();
    assert!(refused.contains("a file in it was changed, added or removed"), "{refused}");
}
