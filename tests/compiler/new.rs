//! `ssbuild new`: every template builds, passes its own check and is served.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::{app::PROGRAM, served::Served, types};

fn ssbuild(folder: &Path, args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).current_dir(folder).env_remove("SS_ENV").output().expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// A new app in a folder of its own; what it depends on is linked from the packages of a test.
fn made(flags: &[&str], packages: Option<&str>) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let done = ssbuild(folder.path(), &[&["new", "My Talk"], flags].concat());
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("cd My Talk\n"), "{}", text(&done.stdout));
    let root = folder.path().join("My Talk");
    if let Some(packages) = packages {
        let there = Path::new(env!("CARGO_MANIFEST_DIR")).join(packages).join("node_modules");
        assert!(there.is_dir(), "`{packages}` is not installed: run scripts/setup-tests.sh");
        symlink(there, root.join("node_modules")).expect("a link");
    }
    (folder, root)
}

/// What is found in an app by its own check; the app must have no errors.
fn checked(root: &Path) -> String {
    let check = ssbuild(root, &["check"]);
    assert_eq!(check.status.code(), Some(0), "{}", text(&check.stderr));
    text(&check.stderr).to_owned()
}

/// The app's own tests hold.
fn tested(root: &Path) {
    let run = ssbuild(root, &["test"]);
    assert_eq!(run.status.code(), Some(0), "{}{}", text(&run.stdout), text(&run.stderr));
    assert!(text(&run.stdout).contains(" passed in 1 file"), "{}", text(&run.stdout));
}

#[test]
fn a_chat_is_built_checked_and_served() {
    for flags in [&["--template", "chat"] as &[&str], &["--ts"]] {
        let (_folder, root) = made(flags, None);
        assert_eq!(checked(&root), "");
        tested(&root);
        let served = Served::start(&root);
        assert!(served.ask("GET", "/", "").contains("<title>my-talk</title>"));
        assert!(
            served
                .ask("POST", "/api/door/enter.json", "[\"\"]")
                .ends_with(r#"{"problem":"Please tell us your name."}"#)
        );
        assert!(served.ask("POST", "/api/room/say.json", "[\"hello\"]").starts_with("HTTP/1.1 401 "));
        let (dot, package) = (root.join(".gitignore"), fs::read_to_string(root.join("package.json")).expect("a file"));
        assert!(fs::read_to_string(dot).expect("a file").contains("/dist/\n"));
        assert!(package.contains("\"name\": \"my-talk\""));
        let schema = fs::read(root.join("config/../types/config.schema.json")).expect("the `$schema` of the config");
        assert!(serde_json::from_slice::<serde_json::Value>(&schema).expect("JSON")["$defs"].is_object());
    }
}

#[test]
fn the_minimal_app_is_built_checked_and_served() {
    for flags in [&["--template", "minimal"] as &[&str], &["--template", "minimal", "--ts"]] {
        let (_folder, root) = made(flags, None);
        assert_eq!(checked(&root), "");
        tested(&root);
        let answer = Served::start(&root).ask("POST", "/api/app/greet.json", "[\"here\"]");
        assert!(answer.ends_with("\"Hello from the server of here.\""), "{answer}");
    }
}

#[test]
fn a_react_app_is_built_checked_and_served() {
    for flags in [&["--template", "react"] as &[&str], &["--template", "react", "--ts"]] {
        let (_folder, root) = made(flags, Some("tests/npm"));
        assert_eq!(checked(&root), "");
        tested(&root);
        let served = Served::start(&root);
        assert!(served.ask("POST", "/api/app/add.json", "[2]").ends_with("\r\n\r\n2"));
        assert!(served.ask("GET", "/", "").contains("<div id=\"root\"></div>"));
    }
}

#[test]
fn an_app_in_the_languages_of_2011_is_built_checked_and_served() {
    let (_folder, root) = made(&["--template", "coffee"], Some("tests/new"));
    checked(&root);
    tested(&root);
    let served = Served::start(&root);
    assert!(served.ask("GET", "/", "").contains("id=\"messages-line\""));
    assert!(served.ask("POST", "/api/app/say.json", "[\"\"]").ends_with("{\"problem\":\"Write something first.\"}"));
}

#[test]
fn templates_in_typescript_pass_its_own_compiler() {
    for template in ["chat", "minimal"] {
        let (_folder, root) = made(&["--template", template, "--ts"], None);
        assert_eq!(ssbuild(&root, &["types"]).status.code(), Some(0));
        assert_eq!(types::said("tests/types", &root), "", "{template}");
    }
}

#[test]
fn nothing_is_written_over_and_what_cannot_be_is_refused() {
    let folder = TempDir::new().expect("a folder");
    fs::create_dir(folder.path().join("empty")).expect("a folder");
    fs::create_dir(folder.path().join("full")).expect("a folder");
    fs::write(folder.path().join("full/.hidden"), "mine").expect("a file");
    let refused = |args: &[&str], why: &str| {
        let done = ssbuild(folder.path(), args);
        assert_eq!(done.status.code(), Some(2));
        assert!(text(&done.stderr).contains(why), "{}", text(&done.stderr));
    };
    refused(&["new", "full"], "`full` is not empty");
    assert_eq!(fs::read_dir(folder.path().join("full")).expect("a folder").count(), 1);
    refused(&["new", "full/.hidden"], "cannot write `full/.hidden`");
    refused(&["new", "..."], "cannot name an app");
    refused(&["new", "x", "--template", "coffee", "--ts"], "is written in CoffeeScript");
    refused(&["new", "x", "--template", "angular"], "possible values: chat, minimal, react, coffee");
    assert_eq!(ssbuild(folder.path(), &["new", "empty", "-q"]).status.code(), Some(0));
    assert!(folder.path().join("empty/app/client/app.js").is_file());
}
