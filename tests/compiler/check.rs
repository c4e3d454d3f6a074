//! `ssbuild check`: formats, and what a deploy would break for open pages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::app::{App, PROGRAM, testdata};

fn check(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("check").args(args).current_dir(folder).env_remove("SS_ENV").env_remove("CLICOLOR_FORCE");
    command.output().expect("the program runs")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("text")
}

/// The manifest of an app as it is now, kept outside of its folder.
fn deploy(app: &App) -> PathBuf {
    app.built();
    let kept = app.root().with_file_name("deployed.json");
    fs::copy(app.root().join("dist/manifest.json"), &kept).expect("a file");
    kept
}

/// Code, severity and message of each finding, less those about anything else.
fn broken(app: &App, deployed: &Path) -> Vec<String> {
    let output = check(&app.root(), &["--json", "-v", "--against", deployed.to_str().expect("UTF-8")]);
    let findings = stdout(&output).lines().map(|line| serde_json::from_str(line).expect("one object a line"));
    findings
        .filter(|found: &serde_json::Value| found["code"] == "breaks-open-tabs")
        .map(|found| {
            let place = &found["labels"][0]["place"];
            let at = format!("{}:{}", place["file"].as_str().expect("a file"), place["line"]);
            format!("{at} {} {}", found["severity"].as_str().expect("a word"), found["message"].as_str().expect("text"))
        })
        .collect()
}

#[test]
fn what_open_pages_would_miss_is_one_finding_each() {
    let app = App::new(&[
        (
            "app/server/app.js",
            "exports.actions = {\n  gone() {},\n  fewer(a, b) {},\n  more(a) {},\n  turned(a, b) {},\n  renamed(a, b) {},\n  \
             style(a) {},\n  any(...all) {},\n  same(a, cb) { cb(a); },\n};\n",
        ),
        ("app/server/old/deep.js", "exports.actions = { a() {} };\n"),
        ("app/server/open.js", "exports.actions = { enter() {} };\n"),
        ("app/views/admin.html", "<html><head><SocketStream></head></html>\n"),
        ("app/client/admin.js", "exports.init = () => 1;\n"),
        ("public/robots.txt", "User-agent: *\n"),
        ("config/app.json", "{\"name\": \"before\"}"),
    ]);
    let deployed = deploy(&app);
    assert_eq!(broken(&app, &deployed), [""; 0], "nothing has changed");

    app.write(
        "app/server/app.js",
        "exports.actions = {\n  gome() {},\n  fewer(a) {},\n  more(a, b) {},\n  turned(b, a) {},\n  renamed(x, y) {},\n  \
         style(a, cb) { cb(a); },\n  any(a) {},\n  same(a, cb) { cb(a); },\n  fresh() {},\n};\n",
    );
    app.write("app/server/open.js", "exports.authenticate = true;\nexports.actions = { enter() {} };\n");
    app.write("config/app.json", "{\"name\": \"after\"}");
    for file in ["app/server/old/deep.js", "app/views/admin.html", "public/robots.txt"] {
        fs::remove_file(app.root().join(file)).expect("a file");
    }
    let found = broken(&app, &deployed);
    assert_eq!(
        found,
        [
            "app/server:0 warning the action `SS.server.old.deep.a` is not there any more",
            "app/server/app.js:0 warning the action `SS.server.app.gone` is not there any more",
            "app/server/app.js:3 warning the action `SS.server.app.fewer` takes fewer parameters: it took (a, b), and takes (a) now",
            "app/server/app.js:4 warning the action `SS.server.app.more` takes more parameters: it took (a), and takes (a, b) now",
            "app/server/app.js:5 warning the action `SS.server.app.turned` takes its parameters in another order: it took (a, b), and takes (b, a) now",
            "app/server/app.js:6 warning the action `SS.server.app.renamed` has other names for its parameters: it took (a, b), and takes (x, y) now",
            "app/server/app.js:7 note the action `SS.server.app.style` answered by value and answers through a callback now",
            "app/server/app.js:8 warning the action `SS.server.app.any` does not take any number of parameters now: it took (...all), and takes (a) now",
            "app/server/open.js:2 warning the action `SS.server.open.enter` wants a login now",
            "app/views:0 warning the page `/admin` is not there any more",
            "config:0 warning the app's name was `before` and is `after` now: the session's cookie has another name",
            "public/robots.txt:0 warning `/robots.txt` is not served any more",
        ]
    );
    let strict = ["--deny", "warnings", "--against", deployed.to_str().expect("UTF-8")];
    assert_eq!(check(&app.root(), &strict).status.code(), Some(1));
}

#[test]
fn a_manifest_may_be_named_by_its_folder_and_must_be_one() {
    let app = App::new(&[]);
    app.built();
    let code = |manifest: &str| check(&app.root(), &["--against", manifest]).status.code();
    assert_eq!(code("dist"), Some(0));
    assert_eq!(code("nowhere.json"), Some(2));
    assert_eq!(code("app/client/app.js"), Some(2));
    let newer = fs::read_to_string(app.root().join("dist/manifest.json")).expect("it is there");
    app.write("newer.json", &newer.replacen("\"schema\": 1", "\"schema\": 1000", 1));
    assert_eq!(code("newer.json"), Some(2));
    app.write("unknown-keys.json", &newer.replacen("{", "{\"of_a_later_version\": true,", 1));
    assert_eq!(code("unknown-keys.json"), Some(0));
}

#[test]
fn every_format_says_the_same_and_files_are_named_from_the_repository() {
    let app = App::new(&[
        ("app/client/app.js", "// 100% 漢字: a, b\n\tSS.server.nothing.here();\n"),
        ("app/client/a,b.js", "("),
    ]);
    let above = app.root().parent().expect("a folder").to_owned();

    let github = check(&above, &["app", "--format", "github"]);
    assert_eq!(github.status.code(), Some(1));
    let lines: Vec<&str> = stdout(&github).lines().collect();
    assert!(lines[0].starts_with("::error file=app/app/client/a%2Cb.js,line=1,"), "{lines:?}");
    assert!(
        lines[1].starts_with(
            "::warning file=app/app/client/app.js,line=2,endLine=2,col=2,endColumn=24,title=ssbuild unknown-path::"
        ),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2);

    let sarif = check(&above, &["app", "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_slice(&sarif.stdout).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let place = |n: usize| &results[n]["locations"][0]["physicalLocation"];
    assert_eq!(place(0)["artifactLocation"]["uri"], "app/app/client/a,b.js");
    assert_eq!(place(1)["region"]["startColumn"], 2);

    let json = check(&app.root(), &["--format", "json"]);
    assert_eq!(stdout(&json), stdout(&check(&app.root(), &["--json"])));
    assert_eq!(stdout(&json).lines().count(), 2);
    assert_eq!(check(&app.root(), &["--json", "--format", "text"]).status.code(), Some(2), "one of the two");
}

/// The types of SARIF 2.1.0 are made from its schema: what has a wrong name or a wrong value is an error.
#[test]
fn sarif_logs_are_of_the_form_that_the_standard_defines() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/types/node_modules");
    assert!(tests.join("@types/sarif").is_dir(), "`@types/sarif` is not installed: run scripts/setup-tests.sh");
    let folder = tempfile::TempDir::new().expect("a folder");
    let mut text = "import type { Log } from \"sarif\";\n".to_owned();
    for case in ["name-conflict", "import-cycle", "unknown-path", "config-unknown"] {
        let sarif = check(&testdata("errors"), &[case, "--format", "sarif", "-v"]);
        text.push_str(&format!("export const {}: Log = {};\n", case.replace('-', "_"), stdout(&sarif)));
    }
    fs::write(folder.path().join("logs.ts"), text).expect("a file");
    std::os::unix::fs::symlink(&tests, folder.path().join("node_modules")).expect("a link");
    let mut tsc = Command::new("node");
    tsc.arg(tests.join("typescript/bin/tsc")).args([
        "--noEmit",
        "--strict",
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
        "logs.ts",
    ]);
    let said = tsc.current_dir(folder.path()).output().expect("`node` runs");
    assert_eq!(stdout(&said), "");
}
