//! What an app's `tsconfig.json` says is done.

use crate::app::App;
use crate::run::{log, run_client};

const ENTRY: &str = "app/client/app.js";

#[test]
fn paths_name_files() {
    let app = App::new(&[
        (
            "tsconfig.base.json",
            r#"{"compilerOptions": {"paths": {"@/*": ["./app/client/*"], "~lib": ["./own/lib.ts"]}}}"#,
        ),
        ("tsconfig.json", "{\n  // comments are allowed\n  \"extends\": \"./tsconfig.base.json\",\n}\n"),
        (ENTRY, "import { a } from '@/deep/a'; import lib from '~lib'; import x from 'pack'; log(a, lib, x);"),
        ("app/client/deep/a.ts", "export const a: number = 1;"),
        ("own/lib.ts", "import { a } from '@/deep/a'; export default a + 1;"),
        ("node_modules/pack/index.js", "module.exports = require('~lib');"),
        ("node_modules/~lib/index.js", "module.exports = 'a package of that name';"),
    ]);
    assert_eq!(log(&run_client(&app.built())), ["1 2 a package of that name"]);
}

#[test]
fn decorators_and_fields_are_those_that_it_names() {
    let text = "const seen: unknown[] = [];
        const mark = (target: any, name: string, index?: any) => { seen.push(name + ':' + typeof index); };
        declare const Reflect: any;
        class Base { set late(v: number) { log('set', v); } }
        class A extends Base { @mark x = 1; late = 2; @mark m(@mark p: string) {} }
        new A(); log(seen.join());";
    let config = |options: &str| {
        let app = App::new(&[
            ("tsconfig.json", &format!("{{\"compilerOptions\": {{{options}}}}}")),
            ("app/client/app.ts", text),
        ]);
        std::fs::remove_file(app.root().join(ENTRY)).expect("the other entry goes");
        let result = run_client(&app.built());
        log(&result).join("; ")
    };
    assert_eq!(config(r#""experimentalDecorators": true, "target": "ES2020""#), "set 2; x:undefined,m:number,m:object");
    assert_eq!(
        config(r#""experimentalDecorators": true, "useDefineForClassFields": true"#),
        "x:undefined,m:number,m:object"
    );
    let app = App::new(&[("app/client/other.ts", text)]);
    assert!(app.findings().contains("syntax-error"), "standard decorators have no parameters");
}

#[test]
fn metadata_is_emitted_when_asked_for() {
    let app = App::new(&[
        ("tsconfig.json", r#"{"compilerOptions": {"experimentalDecorators": true, "emitDecoratorMetadata": true}}"#),
        (
            "app/client/meta.ts",
            "(Reflect as any).metadata = (key: string, value: any) => () => { log(key, typeof value === 'function' ? value.name : String(value.map((t: any) => t.name))); };
            const mark = (...args: any[]): any => {};
            class Dep {}
            export class A { constructor(d: Dep) {} @mark go(n: number, d: Dep): string { return ''; } }",
        ),
    ]);
    let result = run_client(&app.built_for("development"));
    assert_eq!(log(&result), ["design:returntype String", "design:paramtypes Number,Dep", "design:type Function"]);
}

#[test]
fn elements_become_what_it_says() {
    let page = |options: &str, text: &str| {
        let app = App::new(&[
            ("tsconfig.json", &format!("{{\"compilerOptions\": {{{options}}}}}")),
            ("app/client/app.tsx", text),
            ("node_modules/own/jsx-runtime.js", "exports.jsx = (type, props) => 'own ' + type + props.id;"),
            ("node_modules/react/jsx-runtime.js", "exports.jsx = (type, props) => 'react ' + type + props.id;"),
        ]);
        std::fs::remove_file(app.root().join(ENTRY)).expect("the other entry goes");
        log(&run_client(&app.built())).join("; ")
    };
    assert_eq!(page("", "log(<b id='1'/>)"), "react b1");
    assert_eq!(page(r#""jsx": "react-jsx", "jsxImportSource": "own""#, "log(<b id='1'/>)"), "own b1");
    assert_eq!(page(r#""jsxImportSource": "own""#, "/** @jsxImportSource react */ log(<b id='1'/>)"), "react b1");
    let own = "const h = (type: any, props: any, ...rest: any[]) => type + JSON.stringify(props) + rest; const F = 'frag'; log(<><b id='1'/></>)";
    assert_eq!(page(r#""jsx": "react", "jsxFactory": "h", "jsxFragmentFactory": "F""#, own), "fragnullb{\"id\":\"1\"}");
}

#[test]
fn one_that_cannot_be_read_is_told_and_does_not_stop_the_build() {
    let app = App::new(&[("tsconfig.json", r#"{"extends": "@tsconfig/nowhere"}"#)]);
    let found = app.findings();
    assert!(found.contains("config-invalid") && found.contains("`tsconfig.json` cannot be read"), "{found}");
    app.built();
}
