//! Each folder in `testdata/apps` is an app that builds; the whole output is a snapshot.

use std::fs;

use tempfile::TempDir;

use crate::app::{Dist, broken, build, snapshot, testdata};

/// Apps whose output is not a snapshot: too large to be read by a person.
const NOT_SHOWN: &[&str] = &["chat"];

#[test]
fn every_app_has_its_output() {
    for app in fs::read_dir(testdata("apps")).expect("testdata has apps") {
        let app = app.expect("a name").path();
        let name = app.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
        if NOT_SHOWN.contains(&name.as_str()) {
            continue;
        }
        for env in ["development", "production"] {
            let out = TempDir::new().expect("a folder");
            let outcome = build(&app, env, out.path()).expect("the machine does its part");
            let found = outcome.report.to_text(false);
            assert!(outcome.manifest.is_some(), "{name} has errors:\n{found}");
            let shown = format!("{found}{}", Dist::read(out.path()).shown());
            snapshot("apps", &format!("{name}-{env}"), &shown);
        }
    }
}

#[test]
fn the_chat_builds_without_a_word() {
    for env in ["development", "production"] {
        let out = TempDir::new().expect("a folder");
        let outcome = build(&testdata("apps/chat"), env, out.path()).expect("the machine does its part");
        assert_eq!(outcome.report.to_text(false), "");
        assert_eq!(broken(out.path()), None);
    }
}
