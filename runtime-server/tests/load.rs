//! Which builds and configurations are refused before a port is opened.

use std::path::Path;

use serde_json::{Value, json};
use ssbuild_server::load::Build;
use ssbuild_server::settings::{self, Flags};

use crate::support::dist::Dist;

fn load(dist: &Dist, env: Option<&str>) -> Result<Build, String> {
    let folder = tempfile::tempdir().expect("a folder for the test");
    dist.write(folder.path());
    let loaded = Build::load(folder.path(), env).map_err(|error| error.to_string());
    loaded.map_err(|error| error.replace(&folder.path().display().to_string(), "dist"))
}

#[test]
fn a_build_that_is_not_whole_is_refused() {
    let changed = |change: fn(&mut Value)| Dist::new().change(change);
    let cases = [
        ("another version", changed(|m| m["schema"] = json!(2))),
        ("no version", changed(|m| *m = json!({}))),
        ("an unknown field", changed(|m| m["surprise"] = json!(1))),
        ("a missing field", changed(|m| drop(m.as_object_mut().expect("an object").remove("api")))),
        ("not an object", changed(|m| *m = json!([1]))),
        ("another environment", Dist::new()),
        ("a missing asset", Dist::new().without("public/assets/app-0123456789abcdef.js")),
        ("a missing packed copy", Dist::new().without("public/assets/app-0123456789abcdef.js.br")),
        ("a file of another length", Dist::new().file("public/assets/app-0123456789abcdef.js", b"short")),
        (
            "a file of other bytes",
            Dist::new().file("public/assets/app-0123456789abcdef.js", b"console.log(\"hallo\");\n"),
        ),
        ("changed server code", Dist::new().file("builds/5f3c9a1be2d40718/server/server.js", &[b' '; 43])),
        ("a path that leads out", changed(|m| m["files"]["/robots.txt"]["file"] = json!("../../etc/passwd"))),
        ("an absolute path", changed(|m| m["files"]["/robots.txt"]["file"] = json!("/etc/passwd"))),
        ("a folder", changed(|m| m["files"]["/robots.txt"]["file"] = json!("public/assets"))),
    ];
    let mut messages = String::new();
    for (name, dist) in cases {
        let env = (name == "another environment").then_some("staging");
        let error = load(&dist, env).expect_err(name);
        let error = error.split(" at line ").next().unwrap_or_default();
        messages.push_str(&format!("{name}: {error}\n"));
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn a_folder_without_a_build_says_so() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let error = Build::load(folder.path(), None).expect_err("there is none").to_string();
    assert!(error.contains("there is no build in") && error.contains("`ssbuild build`"), "{error}");
    std::fs::write(folder.path().join("manifest.json"), "{").expect("it is written");
    let error = Build::load(folder.path(), None).expect_err("it is not JSON").to_string();
    assert!(error.contains("is not a manifest"), "{error}");
}

#[test]
fn the_right_environment_is_accepted() {
    assert!(load(&Dist::new(), Some("test")).is_ok());
    assert!(load(&Dist::new(), None).is_ok());
}

fn resolve(dist: &Dist, variables: &[(&str, &str)], flags: &Flags) -> Result<(u16, String, Vec<String>), String> {
    let folder = tempfile::tempdir().expect("a folder for the test");
    dist.write(folder.path());
    let build = Build::load(folder.path(), None).expect("the build is whole");
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let (config, warnings) = settings::resolve(&build, variables, flags).map_err(|error| error.to_string())?;
    assert_eq!(Value::Object(config.client), json!({"a": 1}), "the build decided what browsers get");
    Ok((config.http.port, config.http.hostname, warnings.iter().map(ToString::to_string).collect()))
}

#[test]
fn flags_win_over_variables_over_files() {
    let json = Dist::new()
        .config("app.json", "{\"http\": {\"port\": 1, /* here */ \"hostname\": \"::1\"}, \"client\": {\"b\": 2}}");
    let toml = Dist::new().config("app.toml", "[http]\nport = 1\nhostname = \"::1\"\n");
    for dist in [json, toml] {
        let none = Flags::default();
        assert_eq!(resolve(&dist, &[], &none), Ok((1, "::1".to_owned(), vec![])));
        let variables = [("SS__HTTP__PORT", "2"), ("SS__HTTP__HOSTNAME", "::2"), ("SS_OTHER", "x")];
        assert_eq!(resolve(&dist, &variables, &none), Ok((2, "::2".to_owned(), vec![])));
        let flags = Flags { port: Some(3), ..none };
        assert_eq!(resolve(&dist, &variables, &flags), Ok((3, "::2".to_owned(), vec![])));
    }
}

#[test]
fn what_does_not_fit_is_named_with_its_origin() {
    let none = Flags::default();
    let error = resolve(&Dist::new(), &[("SS__HTTP__PORT", "many")], &none).expect_err("it does not fit");
    assert!(error.starts_with("SS__HTTP__PORT: `http.port`: "), "{error}");
    let (_, _, warnings) = resolve(&Dist::new(), &[("SS__HTTP__PROT", "1")], &none).expect("it is only a warning");
    assert_eq!(warnings, ["SS__HTTP__PROT: `http.prot`: there is no such key; did you mean `port`?"]);
    for (file, text) in [("app.json", "{"), ("app.json", "[]"), ("app.toml", "x"), ("app.yaml", "a: 1")] {
        let error = resolve(&Dist::new().config(file, text), &[], &none).expect_err("it is not a config file");
        assert!(Path::new(error.split(": ").next().unwrap_or_default()).ends_with(file), "{error}");
    }
}
