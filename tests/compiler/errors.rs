//! Each folder in `testdata/errors` is an app with something wrong; what is said of it is a snapshot.

use std::fs;

use ssbuild_diagnostic::Code;

use crate::app::{App, findings, snapshot, testdata};

/// Codes without a case here, and where they are tested instead.
const ELSEWHERE: &[(Code, &str)] = &[
    (Code::CompilerPanic, "a defect of a compiler: no source is known that shows one"),
    (Code::ActionsNotStatic, "the script crate does not read actions yet"),
    (Code::ActionNeverAnswers, "the script crate does not read actions yet"),
];

fn cases() -> Vec<String> {
    let folders = fs::read_dir(testdata("errors")).expect("testdata has errors");
    let mut names: Vec<String> =
        folders.map(|folder| folder.expect("a name").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[test]
fn every_case_has_its_findings() {
    for case in cases() {
        snapshot("errors", &case, &findings(&testdata("errors").join(&case)));
    }
}

#[test]
fn every_code_has_a_case() {
    let cases = cases();
    let is_shown = |code: &Code| {
        let shows = |case: &String| findings(&testdata("errors").join(case)).contains(&format!("[{}]", code.as_str()));
        cases.iter().any(shows)
    };
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !ELSEWHERE.iter().any(|(elsewhere, _)| elsewhere == *code) && !is_shown(code))
        .map(|code| code.as_str())
        .collect();
    assert_eq!(missing, [""; 0], "write an app for each in testdata/errors");
}

#[test]
fn names_that_are_not_utf_8_are_found() {
    use std::os::unix::ffi::OsStrExt;
    let app = App::new(&[]);
    let name = std::ffi::OsStr::from_bytes(b"b\xffd.js");
    fs::write(app.root().join("app/client").join(name), "").expect("a file of that name");
    let found = app.findings();
    assert!(found.contains("error[name-invalid]: the name of `app/client/b\u{fffd}d.js` is not UTF-8"), "{found}");
}

#[test]
fn links_are_followed_only_where_they_do_no_harm() {
    use std::os::unix::fs::symlink;
    let app = App::new(&[("../secret.js", "exports.key = 1;"), ("app/server/app.js", "exports.actions = {};")]);
    let at = |path: &str| app.root().join(path);
    symlink("../../../secret.js", at("app/client/out.js")).unwrap();
    symlink("../server/app.js", at("app/client/server.js")).unwrap();
    fs::create_dir_all(at("app/client/deep")).unwrap();
    symlink("..", at("app/client/deep/up")).unwrap();
    symlink("nowhere.js", at("app/client/broken.js")).unwrap();
    symlink("loop.js", at("app/client/loop.js")).unwrap();
    symlink("app.js", at("app/client/same.js")).unwrap();
    snapshot("errors", "+links", &app.findings());
}

#[test]
fn warnings_can_be_denied_and_then_nothing_is_selected() {
    let app = App::new(&[("app/client/app.js", "SS.server.nothing.here();")]);
    let out = app.root().join("dist");
    let run = |deny: &[&str]| {
        let mut command = std::process::Command::new(crate::app::PROGRAM);
        command.arg(app.root()).args(deny).env_remove("SS_ENV");
        command.status().expect("the program runs").code()
    };
    assert_eq!(run(&["--deny", "warnings"]), Some(1));
    assert!(!out.join("manifest.json").exists());
    assert_eq!(run(&[]), Some(0));
    assert!(out.join("manifest.json").exists());
    assert_eq!(run(&["--env", "../x"]), Some(2));
    assert_eq!(run(&["--out", "/proc/nowhere"]), Some(2));
}
