//! An app whose server code needs Node.js: compiled, and served with Node.js.

use ssbuild_server::manifest::EngineKind;

use crate::{app::App, served::Served};

fn app() -> App {
    App::new(&[
        (
            "app/server/app.js",
            "const fs = require('fs');
            exports.actions = {
                exists: (path, cb) => fs.access(path, (error) => cb(!error)),
                version: () => process.versions.node !== undefined,
            };",
        ),
        (
            "app/server/digest.ts",
            "import { createHash } from 'node:crypto';
            import path from 'node:path';
            export const actions = {
                sha1: (text: string) => createHash('sha1').update(text).digest('hex'),
                join: (a: string, b: string) => path.join(a, '..', b),
            };",
        ),
    ])
}

#[test]
fn an_app_that_imports_what_only_node_has_is_served_by_node() {
    let app = app();
    let server = app.built().manifest().server;
    assert_eq!(server.engine, EngineKind::Node);
    assert_eq!(server.engine_reason, "app/server/app.js:1 requires `fs`");
    let served = Served::start(&app.root());
    assert_eq!(served.call("app/exists?/dev/null"), "true");
    assert_eq!(served.call("app/exists?/nowhere"), "false");
    assert_eq!(served.call("app/version"), "true");
    assert_eq!(served.call("digest/sha1?abc"), "\"a9993e364706816aba3e25717850c26c9cd0d89d\"");
    let joined = served.ask("POST", "/api/digest/join", r#"["x", "y"]"#);
    assert!(joined.ends_with("\r\n\r\n\"y\""), "{joined}");
}

#[test]
fn without_node_it_says_what_is_missing() {
    let app = app();
    let said =
        Served::start_with(&app.root(), &[("SS__SERVER__NODE", "/nowhere/node")]).err().expect("it does not start");
    assert!(said.contains("there is no program `/nowhere/node`"), "{said}");
    assert!(said.contains("needs Node.js 20.19 or newer"), "{said}");
}
