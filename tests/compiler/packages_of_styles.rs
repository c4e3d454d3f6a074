//! Stylesheets of npm packages come to what Dart Sass and esbuild make of them, and scripts and sheets of packages are libraries.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use serde_json::json;

use crate::{app::App, run::run};

/// The packages of `tests/styles`, which `scripts/setup-tests.sh` installs.
fn packages() -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/styles/node_modules");
    assert!(folder.is_dir(), "{} is not there: run scripts/setup-tests.sh", folder.display());
    folder
}

/// An app that has some of them.
fn app(names: &[&str], files: &[(&str, &str)]) -> App {
    let app = App::new(files);
    fs::create_dir_all(app.root().join("node_modules")).expect("a folder");
    for name in names {
        symlink(packages().join(name), app.root().join("node_modules").join(name)).expect("a link");
    }
    app
}

/// What differs from the reference beyond what the script explains.
fn differences(package: &str, css: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = folder.path().join("ours.css");
    fs::write(&ours, css).expect("a file");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/styles/compare.mjs");
    let output = Command::new("node").arg(script).arg(package).arg(&ours).output().expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { String::new() } else { said }
}

#[test]
fn bootstrap_is_what_dart_sass_and_esbuild_make_of_it() {
    let app = app(&["bootstrap"], &[("app/css/app.scss", "@import \"bootstrap/scss/bootstrap\";")]);
    assert_eq!(differences("bootstrap", &app.built().asset("app.css")), "");
}

#[test]
fn a_large_sheet_of_css_is_what_esbuild_makes_of_it() {
    let app = app(&["tailwindcss"], &[("app/css/app.css", "@import \"tailwindcss/dist/tailwind.css\";")]);
    assert_eq!(differences("tailwind", &app.built().asset("app.css")), "");
}

#[test]
fn what_grass_is_too_old_for_compiles_with_dart_sass() {
    let bulma = ("app/css/app.scss", "@use \"bulma/sass\";");
    let by_grass = app(&["bulma"], &[bulma]).findings();
    assert!(by_grass.contains("grass has no function `color.channel`"), "{by_grass}");
    assert!(by_grass.contains("node_modules/bulma/sass/utilities/functions.scss:"), "{by_grass}");
    assert!(by_grass.contains("set `css.sass = \"dart\"`"), "{by_grass}");
    let dart = ("config/app.json", r#"{"css": {"sass": "dart"}}"#);
    let missing = app(&["bulma"], &[bulma, dart]).findings();
    assert!(missing.contains("Sass needs the package `sass-embedded`"), "{missing}");
    for compiler in ["sass", "sass-embedded"] {
        let app = app(&["bulma", compiler], &[bulma, dart]);
        assert_eq!(app.findings(), "", "{compiler}");
        assert_eq!(differences("bulma", &app.built().asset("app.css")), "", "{compiler}");
    }
}

#[test]
fn dart_sass_finds_what_grass_finds_and_tells_where_it_is_from() {
    let files = [
        ("config/app.json", r#"{"css": {"sass": "dart"}}"#),
        (
            "app/css/app.scss",
            "@use \"parts/box\";\n@use \"pkg:theme\";\n@use \"~theme/dark\" as d;\n.own { color: d.$dark; }\n",
        ),
        ("app/css/parts/_box.scss", ".box {\n  background: url(\"dot.svg\");\n}\n@warn \"careful\";\n"),
        ("app/css/parts/dot.svg", "<svg/>"),
        (
            "node_modules/theme/package.json",
            r#"{"name": "theme", "exports": {".": {"sass": "./main.scss"}, "./*": "./src/_*.scss"}}"#,
        ),
        ("node_modules/theme/main.scss", ".theme { margin: 0 }"),
        ("node_modules/theme/src/_dark.scss", "$dark: #123456;"),
    ];
    for compiler in ["dart", "grass"] {
        let app = app(&["sass"], &files);
        app.write("config/app.json", &format!(r#"{{"css": {{"sass": "{compiler}"}}}}"#));
        let dist = app.built_for("development");
        let css = dist.asset("app.css");
        for part in [".box {\n  background: url(\"app/css/parts/dot-", ".theme {", "color: #123456"] {
            assert!(css.contains(part), "{compiler}: {css}");
        }
        let map: serde_json::Value = serde_json::from_str(&dist.asset("app.css.map")).expect("JSON");
        let sources = json!(["app/css/parts/_box.scss", "node_modules/theme/main.scss", "app/css/app.scss"]);
        assert_eq!(map["sources"], sources, "{compiler}");
        let found = app.findings();
        assert!(found.contains("warning[style-warning]: careful"), "{compiler}: {found}");
        app.write("app/css/app.scss", "@use \"parts/box\";\n.a { b: }\n");
        let found = app.findings();
        assert!(found.contains("app/css/app.scss:2:"), "{compiler}: {found}");
        app.write("app/css/app.scss", "@use \"../../config/secret\";\n");
        app.write("config/_secret.scss", ".secret { color: red }");
        let found = app.findings();
        assert!(found.contains("error[") && found.contains("app/css/app.scss:1:"), "{compiler}: {found}");
    }
}

#[test]
fn libraries_come_from_packages_by_name() {
    let names = r#"{"client": {"title": "T", "libs": ["jquery/dist/jquery.min.js", "plain", "bootstrap/dist/css/bootstrap-reboot.min.css"]}}"#;
    let files = [
        ("config/app.json", names),
        ("node_modules/plain/package.json", r#"{"main": "node.js", "unpkg": "browser.js"}"#),
        ("node_modules/plain/browser.js", "window.order = ['lib-plain'];"),
        ("lib/client/10.last.js", "window.order.push('lib-last');"),
        ("lib/client/2.first.coffee", "window.order.push 'lib-first'"),
        ("lib/css/1.own.css", ".own { background: url(img/dot.svg) }"),
        ("lib/css/img/dot.svg", "<svg/>"),
        ("app/client/app.js", "exports.init = function () { log(window.order.join()); };"),
    ];
    let app = app(&["jquery", "bootstrap"], &files);
    symlink(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/node_modules/coffeescript"),
        app.root().join("node_modules/coffeescript"),
    )
    .expect("a link");
    let dist = app.built();
    let lib = dist.asset("lib.js");
    let at = |part: &str| lib.find(part).unwrap_or_else(|| panic!("{part} is in the bundle"));
    assert!(
        at("jQuery") < at("\"lib-plain\"")
            && at("\"lib-plain\"") < at("\"lib-first\"")
            && at("\"lib-first\"") < at("\"lib-last\"")
    );
    let minified = fs::read_to_string(packages().join("jquery/dist/jquery.min.js")).expect("it is there");
    assert!(lib.contains(minified.trim_end()), "what is minified stays as it is");
    let css = dist.asset("lib.css");
    assert!(css.find("box-sizing").expect("reboot") < css.find(".own").expect("own"), "{css}");
    assert!(css.contains("url(lib/css/img/dot-"), "{css}");
    assert_eq!(
        serde_json::to_value(dist.manifest().client_config).expect("JSON"),
        json!({"title": "T", "log": {"level": 0}})
    );
}

#[test]
fn libraries_that_are_not_there_are_told() {
    let names = r#"{"client": {"libs": ["nothing/x.js", "../secret.js", "text/readme.txt"]}}"#;
    let app = App::new(&[("config/app.json", names), ("node_modules/text/readme.txt", "x"), ("../secret.js", "x")]);
    let found = app.findings();
    assert!(
        found.contains("error[import-unresolved]: `client.libs` has `nothing/x.js`, which is not there"),
        "{found}"
    );
    assert!(found.contains("`npm install nothing`"), "{found}");
    assert!(found.contains("`client.libs` has `../secret.js`, which is no file of a package"), "{found}");
    assert!(found.contains("`text/readme.txt`, which is neither a script nor a stylesheet"), "{found}");
}

#[test]
fn css_modules_reach_the_script_and_the_page() {
    let files = [
        (
            "app/client/app.js",
            "import styles, { base } from '/client/a.module.css';\nimport './plain.css';\nlog(JSON.stringify([styles, base, styles.nothing]));\n",
        ),
        (
            "app/client/a.module.css",
            ".base { color: red } .it-is { composes: base; animation: spin 1s } @keyframes spin { to { top: 0 } } #id { top: 1px }",
        ),
        ("app/client/plain.css", ".plain { top: 2px }"),
    ];
    let here = App::new(&files).built();
    let elsewhere = App::new(&files).built();
    assert_eq!(here.asset("app.css"), elsewhere.asset("app.css"), "names do not depend on where the app lies");
    let css = here.asset("app.css");
    let log = run(&here.asset("app.js"), &[])["log"].clone();
    let [names, base, nothing]: [serde_json::Value; 3] =
        serde_json::from_str(log[0].as_str().expect("text")).expect("JSON");
    assert_eq!(names["base"], base);
    assert_eq!(nothing, serde_json::Value::Null);
    let both = names["it-is"].as_str().expect("text");
    let (own, composed) = both.split_once(' ').expect("two classes");
    assert_eq!(composed, base.as_str().expect("text"));
    for class in [own, composed] {
        assert!(css.contains(&format!(".{class}{{")), "{class} in {css}");
    }
    let spin = names["spin"].as_str().expect("text");
    assert!(css.contains(&format!("@keyframes {spin}{{")) && css.contains(&format!("1s {spin}")), "{css}");
    assert!(css.contains(&format!("#{}{{", names["id"].as_str().expect("text"))), "{css}");
    assert!(css.ends_with(".plain{top:2px}\n"), "in the order of the imports: {css}");
}

#[test]
fn small_files_are_written_into_the_sheet() {
    let css = ".a { background: url(dot.svg) } .b { background: url(dot.svg#part) } .c { background: url(large.svg) }";
    let large = format!("<svg>{}</svg>", " ".repeat(200));
    let app = App::new(&[
        ("app/css/app.css", css),
        ("app/css/dot.svg", "<svg/>"),
        ("app/css/large.svg", &large),
        ("config/app.json", r#"{"css": {"inline_bytes": 100}}"#),
    ]);
    let css = app.built().asset("app.css");
    assert!(css.contains(".a{background:url(data:image/svg+xml;base64,PHN2Zy8+)}"), "{css}");
    assert!(css.contains(".b{background:url(app/css/dot-") && css.contains("#part)}"), "{css}");
    assert!(css.contains(".c{background:url(app/css/large-"), "{css}");
}

#[test]
fn browsers_are_asked_for_where_people_write_it() {
    let css = |files: &[(&str, &str)]| {
        let app = App::new(&[("app/css/app.css", "a { b: c; inset: 0; user-select: none }")]);
        files.iter().for_each(|(path, text)| app.write(path, text));
        app.built().asset("app.css")
    };
    let rc = (".browserslistrc", "[production]\nchrome 50\n[development]\nlast 1 chrome version\n");
    let package = ("package.json", r#"{"browserslist": ["last 1 chrome version"]}"#);
    let config = ("config/app.json", r#"{"build": {"targets": ["last 2 chrome versions"]}}"#);
    assert!(css(&[rc, package]).contains("top:0"), "the file wins over the package");
    assert!(css(&[package]).contains("inset:0"));
    assert!(!css(&[package]).contains("-webkit-user-select"));
    assert!(css(&[]).contains("-webkit-user-select"), "the default asks for Safari");
    assert!(!css(&[rc, config]).contains("top:0"), "the configuration wins over both");
    let app = App::new(&[(".browserslistrc", "chrome 80\nlast 2 years\n"), ("app/css/app.css", "a{b:c}")]);
    let found = app.findings();
    assert!(found.contains("`last 2 years` depends on the day") && found.contains(".browserslistrc:2:1"), "{found}");
}

#[test]
fn files_of_packages_above_the_app_are_served() {
    let large = format!("<svg>{}</svg>", "x".repeat(20_000));
    let app = App::new(&[
        ("app/client/app.js", "import 'map/dist/map.css'; exports.init = () => {};"),
        (
            "../node_modules/map/dist/map.css",
            ".map { background: url(images/layers.svg) } .icon { background: url(../icon.svg) }",
        ),
        ("../node_modules/map/dist/images/layers.svg", &large),
        ("../node_modules/map/icon.svg", &large),
    ]);
    let css = app.built().asset("app.css");
    assert!(css.contains(".map{background:url(_/node_modules/map/dist/images/layers-"), "{css}");
    assert!(css.contains(".icon{background:url(_/node_modules/map/icon-"), "{css}");
    app.write("../node_modules/map/dist/map.css", "a { background: url(../../../secret.svg) }");
    app.write("../secret.svg", &large);
    assert!(app.findings().contains("error[url-"), "{}", app.findings());
}
