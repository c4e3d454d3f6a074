//! One tree of bytes gives one output, wherever it lies and however many threads compile it; and names are the hashes of bytes.

use std::{fs, path::Path, process::Command};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::app::{Dist, PROGRAM, testdata};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("a name").path();
        let target = to.join(entry.file_name().expect("a name"));
        if entry.is_dir() {
            if entry.file_name().is_some_and(|name| name != "dist") {
                copy(&entry, &target);
            }
        } else {
            fs::copy(&entry, &target).expect("a file");
        }
    }
}

fn build(app: &Path, env: &str, threads: &str) -> Dist {
    let out = TempDir::new().expect("a folder");
    let mut command = Command::new(PROGRAM);
    command.args(["build", "--quiet", "--env", env]).arg(app).arg("--out").arg(out.path());
    let output = command.env("RAYON_NUM_THREADS", threads).output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Dist::read(out.path())
}

#[test]
fn another_folder_and_another_number_of_threads_change_nothing() {
    for name in ["chat", "trees", "assets"] {
        for env in ["development", "production", "staging"] {
            let elsewhere = TempDir::new().expect("a folder");
            let deep = elsewhere.path().join("some/other place");
            copy(&testdata("apps").join(name), &deep);
            let (here, there) = (build(&testdata("apps").join(name), env, "3"), build(&deep, env, "1"));
            let paths: Vec<&String> = here.files.keys().collect();
            assert_eq!(paths, there.files.keys().collect::<Vec<_>>());
            for path in paths {
                assert_eq!(here.files[path], there.files[path], "{name} for {env}: {path}");
            }
            for (path, bytes) in &here.files {
                let folder = env!("CARGO_MANIFEST_DIR").as_bytes();
                assert!(
                    !bytes.windows(folder.len()).any(|part| part == folder),
                    "{path} names a folder of this machine"
                );
            }
        }
    }
}

#[test]
fn the_fingerprint_in_a_name_is_that_of_the_bytes() {
    for env in ["development", "production"] {
        let dist = build(&testdata("apps/chat"), env, "0");
        let mut checked = 0;
        for (path, bytes) in dist.files.iter().filter(|(path, _)| path.starts_with("public/assets/")) {
            let plain = ["br", "gz", "zst"].iter().any(|ending| path.ends_with(&format!(".{ending}")));
            let bytes = if plain { &dist.files[path.rsplit_once('.').expect("an ending").0] } else { bytes };
            let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(path.contains(&format!("-{}", &digest[..16])), "{path} is not named by its bytes, {digest}");
            checked += 1;
        }
        assert!(checked > 5);
    }
}

#[test]
fn every_app_verifies_its_own_build() {
    for app in fs::read_dir(testdata("apps")).expect("there are apps") {
        let app = app.expect("a name").path();
        let mut command = Command::new(PROGRAM);
        let done = command.arg("verify").arg(&app).env_remove("SS_ENV").output().expect("the program runs");
        assert!(done.status.success(), "{}:\n{}", app.display(), String::from_utf8_lossy(&done.stderr));
        assert!(String::from_utf8_lossy(&done.stdout).starts_with("  every byte is the same: "));
    }
}

#[test]
fn verify_names_what_makes_a_difference() {
    let app = crate::app::App::new(&[(
        "node_modules/coffeescript/package.json",
        r#"{"name": "coffeescript", "version": "2.0.0"}"#,
    )]);
    // A compiler that looks at its surroundings.
    app.write(
        "node_modules/coffeescript/index.js",
        "exports.compile = () => ({js: `exports.at = ${JSON.stringify(process.cwd())};`, v3SourceMap: '{\"version\":3,\"sources\":[\"\"],\"names\":[],\"mappings\":\"\"}', sourceMap: null});",
    );
    app.write("app/client/where.coffee", "exports.at = 1");
    let done =
        Command::new(PROGRAM).arg("verify").arg(app.root()).env_remove("SS_ENV").output().expect("the program runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("the build differs in another folder:\n") && said.contains("app-"), "{said}");
}
