//! Linked bundles, run: order of evaluation, chunks, packages and what each side resolves.

use std::{fs, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, Dist};

/// What a bundle logs, and the trees it starts with. Chunks lie beside it.
pub(crate) fn run(main: &str, chunks: &[(String, String)]) -> Value {
    let folder = TempDir::new().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    };
    let mut command = Command::new("node");
    command.arg(write("loader.cjs", include_str!("loader.js"))).arg(write("main.js", main));
    for (id, text) in chunks {
        command.arg(write(&format!("{id}.js"), text));
    }
    let output = command.output().expect("these tests run bundles with `node`, which must be installed");
    assert!(output.status.success(), "{}\n{main}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the loader prints JSON")
}

pub(crate) fn run_client(dist: &Dist) -> Value {
    let manifest = dist.manifest();
    let chunks = manifest.chunks.iter().map(|(id, logical)| (id.clone(), dist.asset(logical)));
    run(&dist.asset("app.js"), &chunks.collect::<Vec<_>>())
}

pub(crate) fn log(result: &Value) -> Vec<&str> {
    result["log"].as_array().expect("a log").iter().map(|line| line.as_str().expect("text")).collect()
}

#[test]
fn shared_runs_before_client_app_first_and_what_is_needed_before_what_needs_it() {
    let app = App::new(&[
        ("app/client/app.js", "const nav = require('./navbar'); log('client app', nav.name);"),
        ("app/client/navbar.js", "log('navbar'); exports.name = 'nav';"),
        ("app/client/10.js", "log('10');"),
        ("app/client/2.js", "log('2');"),
        ("app/client/geo/code.ts", "import { square } from '/shared/math'; log('geo', square(3) as number);"),
        ("app/shared/math.js", "log('math'); export const square = (n) => n * n;"),
        ("app/shared/app.js", "log('shared app');"),
    ]);
    let result = run_client(&app.built());
    assert_eq!(log(&result), ["shared app", "math", "navbar", "client app nav", "2", "10", "geo 9"]);
    let paths: Vec<&String> = result["trees"]["client"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["2", "10", "app", "geo/code", "navbar"]);
}

#[test]
fn what_is_only_imported_dynamically_is_a_chunk_and_what_two_chunks_need_is_not() {
    let app = App::new(&[
        (
            "app/client/app.js",
            "log('app'); waited.push(import('./map').then((m) => import('./chart').then((c) => log(m.name, c.name))));",
        ),
        (
            "app/client/map.js",
            "import { both } from './both'; import { only } from './only-map'; export const name = 'map' + both + only;",
        ),
        ("app/client/chart.js", "import { both } from './both'; export const name = 'chart' + both;"),
        ("app/client/only-map.js", "log('only'); export const only = '!';"),
        ("node_modules/heavy/index.js", "log('heavy'); module.exports = 1;"),
        ("app/client/both.js", "log('both'); export const both = '?';"),
    ]);
    let dist = app.built();
    let result = run_client(&dist);
    let ids: Vec<String> = dist.manifest().chunks.keys().cloned().collect();
    assert_eq!(ids.len(), 2, "map and chart; both and only-map are files of the tree and therefore roots");
    let log = log(&result);
    // The first import runs while `app` does; the files of the tree that chunks need are in the main bundle.
    assert_eq!([log[0], log[2], log[3], log[5]], ["app", "both", "only", "map?! chart?"]);
    assert!(log[1].starts_with("load c") && log[4].starts_with("load c") && log[1] != log[4]);
    assert!(result["trees"]["client"]["map"].is_number());
}

#[test]
fn a_ring_of_dynamic_imports_that_nobody_enters_is_not_lost() {
    let app = App::new(&[
        ("app/client/a.js", "log('a'); exports.load = () => import('./b');"),
        ("app/client/b.js", "log('b'); exports.load = () => import('./a');"),
    ]);
    assert_eq!(log(&run_client(&app.built())), ["a"]);
}

#[test]
fn packages_give_browsers_and_servers_different_files() {
    let app = App::new(&[
        (
            "app/client/app.js",
            "import x from 'pack'; import deep from 'pack/deep'; import old from 'old'; import fs from 'old/fs'; log(x, deep, old, Object.keys(fs).length);",
        ),
        (
            "app/server/app.js",
            "const x = require('pack'); log(x, require('old'), require('auth'), require('tool')); exports.actions = {};",
        ),
        (
            "node_modules/pack/package.json",
            r#"{"name":"pack","exports":{".":{"browser":{"import":"./b.mjs"},"node":{"require":"./n.cjs"}},"./deep":"./d.js"}}"#,
        ),
        ("node_modules/pack/b.mjs", "export default 'browser';"),
        ("node_modules/pack/n.cjs", "module.exports = 'node';"),
        ("node_modules/pack/d.js", "exports.__esModule = true; exports.default = 'deep';"),
        (
            "node_modules/old/package.json",
            r#"{"main":"./main.js","module":"./module.js","browser":{"./module.js":"./shim.js","fs":false}}"#,
        ),
        ("node_modules/old/main.js", "module.exports = 'main';"),
        ("node_modules/old/module.js", "export default 'module';"),
        ("node_modules/old/shim.js", "export default 'shim';"),
        ("node_modules/old/fs.js", "module.exports = require('fs');"),
        ("lib/server/auth.js", "module.exports = 'own auth';"),
        ("vendor/tools/lib/tool.js", "module.exports = 'own tool';"),
    ]);
    let dist = app.built();
    assert_eq!(log(&run_client(&dist)), ["browser deep shim 0"]);
    let server = run(&dist.server(), &[]);
    assert_eq!(log(&server), ["node main own auth own tool"]);
    let named: Vec<&String> = server["trees"]["named"].as_object().unwrap().keys().collect();
    assert_eq!(named, ["auth", "tool"]);
    assert_eq!(dist.manifest().server.engine_reason, "no server code needs Node.js");
}

#[test]
fn imports_may_leave_the_app_and_js_may_mean_ts() {
    let app = App::new(&[
        (
            "app/client/app.ts",
            "import { x } from '../../../vendor-src/lib/index.js'; import data from './data.json'; log(x, data.n);",
        ),
        ("app/client/data.json", r#"{"n": 3}"#),
        ("../vendor-src/lib/index.ts", "export { x } from './x.js'; export type { T } from './types.js';"),
        ("../vendor-src/lib/x.ts", "export const x: string = 'outside';"),
        ("../vendor-src/lib/types.ts", "export type T = string;"),
    ]);
    fs::remove_file(app.root().join("app/client/app.js")).expect("the other entry goes");
    let dist = app.built();
    assert_eq!(log(&run_client(&dist)), ["outside 3"]);
    assert_eq!(dist.manifest().api.client.keys().collect::<Vec<_>>(), ["app"], "JSON is no node");
}

#[test]
fn a_built_in_of_node_on_the_server_takes_the_node_engine() {
    let app = App::new(&[
        (
            "app/server/app.js",
            "\nconst { readFileSync } = require('node:fs');\nrequire('uses'); exports.actions = { read(cb) { cb(typeof readFileSync); } };",
        ),
        ("node_modules/optional/index.js", "try { require('not-installed'); } catch (e) { log(e.message); }"),
        ("lib/server/uses.js", "require('optional');"),
    ]);
    let dist = app.built();
    let manifest = dist.manifest();
    assert_eq!(json!(manifest.server.engine), json!("node"));
    assert_eq!(manifest.server.engine_reason, "app/server/app.js:2 requires `node:fs`");
    let result = run(&dist.server(), &[]);
    assert_eq!(log(&result), ["not there"]);
}

#[test]
fn the_entry_of_a_further_page_is_in_that_page_only() {
    let app = App::new(&[
        (
            "app/client/app.js",
            "log('app'); if (globalThis.late) waited.push(import('./admin').then((m) => log(m.name)));",
        ),
        ("app/client/admin.js", "import { own } from '../../own'; log('admin', own); export const name = 'admin';"),
        ("own.js", "log('own'); export const own = 'its own';"),
        ("app/views/admin.html", "<head><SocketStream></head>"),
    ]);
    let dist = app.built();
    assert_eq!(log(&run_client(&dist)), ["app"]);
    let both = format!("{}{}", dist.asset("app.js"), dist.asset("admin.js"));
    assert_eq!(log(&run(&both, &[])), ["app", "own", "admin its own"]);
    let manifest = dist.manifest();
    assert_eq!(manifest.pages.keys().collect::<Vec<_>>(), ["/", "/admin"]);
    // The page's script is the chunk that the import asks for.
    let (id, logical) = manifest.chunks.first_key_value().expect("the import makes a chunk");
    assert_eq!(logical, "admin.js");
    let late = format!("globalThis.late = true;{}", dist.asset("app.js"));
    let loaded = format!("load {id}");
    let expected = ["app", loaded.as_str(), "own", "admin its own", "admin"];
    assert_eq!(log(&run(&late, &[(id.clone(), dist.asset("admin.js"))])), expected);
}

#[test]
fn require_gets_what_is_written_for_it_and_a_package_is_there_once() {
    let twin = r#"{"name":"twin","main":"main.js","module":"module.js"}"#;
    let files = [
        ("node_modules/twin/package.json", twin),
        ("node_modules/twin/main.js", "log('main'); module.exports = function twin() { return 'common'; };"),
        ("node_modules/twin/module.js", "log('module'); export default function twin() { return 'es'; }"),
        ("node_modules/user/index.js", "exports.used = require('twin')();"),
    ];
    let app = App::new(&files);
    let log_of = |text: &str| {
        app.write("app/client/app.js", text);
        let result = run_client(&app.built());
        log(&result).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(log_of("const twin = require('twin'); log(twin());"), ["main", "common"]);
    assert_eq!(log_of("import twin from 'twin'; log(twin());"), ["module", "es"]);
    assert_eq!(
        log_of("import twin from 'twin'; import { used } from 'user'; log(twin(), used);"),
        ["main", "common common"]
    );
}

#[test]
fn packages_do_not_need_an_environment_or_text_as_code_for_the_global_object() {
    let app = App::new(&[
        (
            "app/client/app.js",
            "const old = require('old'); log(old.level, old.env, old.global === globalThis, old.made === globalThis);",
        ),
        (
            "node_modules/old/index.js",
            "exports.level = process.env.OLD_LEVEL || 'none'; exports.env = process.env.NODE_ENV;
            exports.global = Function('return this')(); exports.made = (new Function(\"return this;\"))();",
        ),
    ]);
    let (dist, said) = app.built_saying("production");
    assert!(!said.contains("csp-eval"), "{said}");
    assert_eq!(log(&run_client(&dist)), ["none production true true"]);
}
