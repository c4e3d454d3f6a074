//! Each folder in `testdata/errors` is an app with something wrong; what is said of it is a snapshot.

use std::{collections::BTreeMap, fs, path::Path, sync::LazyLock};

use ssbuild_diagnostic::Code;

use crate::app::{App, findings, snapshot, testdata};

/// Codes without a case here, and where they are tested instead.
const ELSEWHERE: &[(Code, &str)] = &[
    (Code::CompilerPanic, "a defect of a compiler: no source is known that shows one"),
    (Code::BreaksOpenTabs, "in the tests of `ssbuild check`, since it needs a build before"),
    (Code::EngineChanged, "there is a build before it: tests/compiler/engine_choice.rs"),
];

/// Each case and what is found in it.
static CASES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let folders = fs::read_dir(testdata("errors")).expect("testdata has errors");
    let names = folders.map(|folder| folder.expect("a name").file_name().into_string().expect("UTF-8"));
    names.map(|name| (name.clone(), findings(&testdata("errors").join(name)))).collect()
});

#[test]
fn every_case_has_its_findings() {
    CASES.iter().for_each(|(case, found)| snapshot("errors", case, found));
}

#[test]
fn every_code_has_a_case() {
    let is_shown = |code: &Code| CASES.values().any(|found| found.contains(&format!("[{}]", code.as_str())));
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !ELSEWHERE.iter().any(|(elsewhere, _)| elsewhere == *code) && !is_shown(code))
        .map(|code| code.as_str())
        .collect();
    assert_eq!(missing, [""; 0], "write an app for each in testdata/errors");
}

#[test]
fn every_snapshot_has_its_case() {
    for folder in ["errors", "apps"] {
        let cases: Vec<String> = fs::read_dir(testdata(folder))
            .expect("testdata has it")
            .map(|case| case.expect("a name").file_name().into_string().expect("UTF-8"))
            .collect();
        let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(folder);
        for snapshot in fs::read_dir(snapshots).expect("there are snapshots") {
            let name = snapshot.expect("a name").file_name().into_string().expect("UTF-8");
            let case = name.trim_end_matches(".snap").trim_end_matches("-development").trim_end_matches("-production");
            assert!(case.starts_with('+') || cases.iter().any(|known| known == case), "{folder}/{name} has no app");
        }
    }
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
