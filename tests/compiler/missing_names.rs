//! Names that an ES module imports and another does not export.

use crate::app::App;
use crate::run::{log, run_client};

#[test]
fn a_name_that_a_package_does_not_export_is_an_error_of_the_app() {
    let app = App::new(&[
        ("app/client/app.js", "import { chunk, chunc } from 'tools'; log(chunk, chunc);"),
        ("node_modules/tools/package.json", r#"{"name":"tools","module":"index.js","sideEffects":false}"#),
        ("node_modules/tools/index.js", "export * from './array.js'; export const zip = 1;"),
        ("node_modules/tools/array.js", "export const chunk = 1, compact = 2;"),
    ]);
    let found = app.findings();
    let said = "error[export-missing]: `node_modules/tools/index.js` exports no `chunc`\n --> app/client/app.js:1:17\n";
    assert!(found.contains(said) && found.contains("1 error\n"), "{found}");
}

#[test]
fn between_packages_it_is_a_warning_and_the_value_undefined() {
    let app = App::new(&[
        ("app/client/app.js", "import { a } from 'one'; log(a);"),
        (
            "node_modules/one/index.mjs",
            "import { b, gone } from 'two'; import * as two from 'two'; import { unused } from 'two'; export const a = [b, typeof gone, two.other];",
        ),
        ("node_modules/one/package.json", r#"{"name":"one","module":"index.mjs"}"#),
        ("node_modules/two/index.mjs", "export const b = 1, c = 2;"),
        ("node_modules/two/package.json", r#"{"name":"two","module":"index.mjs"}"#),
    ]);
    let (dist, said) = app.built_saying("production");
    assert_eq!(said.matches("[export-missing]").count(), 1, "{said}");
    assert!(said.contains("warning[export-missing]: `node_modules/two/index.mjs` exports no `gone`"), "{said}");
    assert_eq!(log(&run_client(&dist)), ["1,undefined,"]);
}

#[test]
fn what_is_not_certain_is_left_alone() {
    let app = App::new(&[
        (
            "app/client/app.js",
            "import { unused } from './many'; import { a } from './stars'; import { b } from 'common'; import data, { n } from './data.json';
            import { one } from './round'; import { x } from 'made'; export { two } from './round'; log(typeof a, b, n, one, x, typeof data);",
        ),
        ("app/client/many.js", "export * from 'common'; export const unused = 1;"),
        ("app/client/stars.js", "export * from 'common'; export * from './round';"),
        ("app/client/round.js", "export * from './stars'; export const one = 1, two = 2;"),
        ("app/client/data.json", r#"{"n": 1}"#),
        ("node_modules/common/index.js", "exports['a'] = 1; exports[`b`] = 2;"),
        ("node_modules/made/package.json", r#"{"name":"made","module":"index.js","sideEffects":false}"#),
        ("node_modules/made/index.js", "export { x } from './x.js'; export { y } from './y.js';"),
        ("node_modules/made/x.js", "export const x = 1;"),
        ("node_modules/made/y.js", "export const y = 1;"),
    ]);
    let (dist, said) = app.built_saying("production");
    assert!(!said.contains("export-missing"), "{said}");
    assert_eq!(log(&run_client(&dist)), ["number 2 1 1 1 object"]);
}

#[test]
fn what_fails_where_it_is_caught_is_no_error() {
    let app = App::new(&[
        (
            "app/client/app.js",
            "let found = 'not'; try { found = require('optional'); } catch (error) { log(error.message); }
            try { require('fs'); } catch {}
            waited.push(import('also-optional').catch(() => log('nor there')).then(() => log(found)));",
        ),
        ("app/client/inner.js", "exports.f = () => { try { return () => require('needed'); } catch {} };"),
    ]);
    let found = app.findings();
    for said in [
        "warning[import-unresolved]: cannot find `optional`",
        "warning[import-unresolved]: cannot find `also-optional`",
        "warning[import-forbidden]: `fs` is part of Node.js",
        "error[import-unresolved]: cannot find `needed`",
    ] {
        assert!(found.contains(said), "{said} is missing in:\n{found}");
    }
    app.write("app/client/inner.js", "");
    assert_eq!(log(&run_client(&app.built())), ["not there", "nor there", "not"]);
}
