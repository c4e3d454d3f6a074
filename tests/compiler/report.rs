//! `ssbuild report`: what the bundles are made of adds up, in every form.

use std::process::{Command, Output};

use serde_json::Value;

use crate::app::{App, PROGRAM};

fn ssbuild(app: &App, args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(app.root()).env_remove("SS_ENV");
    command.output().expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

fn app() -> App {
    App::new(&[
        (
            "app/client/app.js",
            "const big = require('big'); exports.init = function () { return big.words + SS.shared.a.b(); };",
        ),
        ("app/client/later.js", "exports.load = () => import('@scope/late');"),
        ("app/shared/a.js", "exports.b = function () { return 'shared between both sides'; };"),
        ("app/css/app.scss", "body { color: red }"),
        ("lib/client/1.first.min.js", "var first = 1;"),
        ("node_modules/big/index.js", &format!("exports.words = '{}';", "many words ".repeat(400))),
        ("node_modules/@scope/late/index.js", "exports.late = 'loaded when it is asked for';"),
    ])
}

#[test]
fn the_shares_of_modules_add_up_to_their_bundles() {
    let app = app();
    let said = ssbuild(&app, &["report", "--json"]);
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    let metafile: Value = serde_json::from_slice(&said.stdout).expect("JSON");
    let manifest = app.built().manifest();
    let outputs = metafile["outputs"].as_object().expect("outputs");
    for (name, output) in outputs {
        let asset = &manifest.assets[name];
        assert_eq!(output["bytes"], asset.bytes, "{name}");
        let smallest = asset.encodings.values().map(|encoded| encoded.bytes).min().unwrap_or(asset.bytes);
        assert_eq!(output["bytesSent"], smallest, "{name}");
        let sum = |key: &str| -> u64 {
            let shares = output["inputs"].as_object().expect("inputs").values();
            shares.map(|share| share[key].as_u64().expect("a number")).sum()
        };
        assert!(sum("bytesInOutput") <= asset.bytes && sum("bytesSentInOutput") <= smallest, "{name}");
        assert!(sum("bytesInOutput") * 10 > asset.bytes * 6, "{name}");
    }
    let inputs = &metafile["inputs"];
    assert_eq!(inputs["node_modules/big/index.js"]["bytes"], 4419);
    let imports = &inputs["app/client/app.js"]["imports"];
    assert_eq!(imports, &serde_json::json!([{"path": "node_modules/big/index.js", "kind": "require-call"}]));
    assert_eq!(inputs["app/client/later.js"]["imports"][0]["kind"], "dynamic-import");
    assert!(outputs["lib.js"]["inputs"]["lib/client/1.first.min.js"].is_object());
    let chunk = outputs.keys().find(|name| name.starts_with("chunks/")).expect("a chunk");
    assert!(outputs[chunk]["inputs"]["node_modules/@scope/late/index.js"].is_object());
}

#[test]
fn the_table_names_packages_or_modules_the_largest_first() {
    let app = app();
    let table = ssbuild(&app, &["report"]);
    let rows: Vec<&str> = text(&table.stdout).lines().map(str::trim_start).collect();
    let at = |start: &str| {
        rows.iter().position(|row| row.starts_with(start)).unwrap_or_else(|| panic!("{start}: {rows:#?}"))
    };
    assert!(
        at("app.js ") < at("big ") && at("big ") < at("app/client (2) ") && at("app/client (2) ") < at("app/shared ")
    );
    assert!(at("chunks/") < at("@scope/late "));
    assert!(!app.root().join("dist").exists(), "nothing is written");
    let modules = ssbuild(&app, &["report", "--modules"]);
    assert!(text(&modules.stdout).contains("    node_modules/big/index.js "));
}

#[test]
fn what_has_changed_is_told() {
    let app = app();
    let before = ssbuild(&app, &["report", "--json"]);
    app.write("../before.json", text(&before.stdout));
    assert_eq!(text(&ssbuild(&app, &["report", "--diff", "../before.json"]).stdout), "  nothing has changed\n");
    app.write("node_modules/big/index.js", "exports.words = 'few';");
    let lines = ssbuild(&app, &["report", "--diff", "../before.json", "--json"]);
    let changes: Vec<Value> =
        text(&lines.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let find = |package: Value| {
        let found = changes.iter().find(|change| change["output"] == "app.js" && change["package"] == package);
        found.expect("it has changed")
    };
    let (whole, package) = (find(Value::Null), find("big".into()));
    let lost = |change: &Value| {
        change["bytes"][0].as_u64().expect("a number") - change["bytes"][1].as_u64().expect("a number")
    };
    assert_eq!(lost(whole), lost(package));
    assert!(text(&ssbuild(&app, &["report", "--diff", "../before.json"]).stdout).contains("-4."));
    assert_eq!(ssbuild(&app, &["report", "--diff", "package.json"]).status.code(), Some(2));
}

#[test]
fn the_treemap_is_one_file_that_nothing_can_break_out_of() {
    let app = app();
    app.write("app/client/</script><b>.js", "exports.x = function () { return 1; };");
    let said = ssbuild(&app, &["report", "--html", "../map.html", "-q"]);
    // A slash is no part of a name: the file is `b>.js` in the folder `<`.
    assert_eq!((said.status.code(), text(&said.stdout)), (Some(0), ""));
    let html = std::fs::read_to_string(app.root().join("../map.html")).expect("the treemap");
    assert_eq!(html.matches("</script").count(), 1);
    assert!(html.contains("node_modules/big/index.js") && !html.contains("src=") && !html.contains("href="));
}

#[test]
fn a_budget_stops_a_build_and_not_its_report() {
    let app = app();
    app.write(
        "config/app.json",
        "{\"build\": {\"budget_bytes\": {\"/\": 100, \"app.js\": 100000, \"lib.js\": 100000}}}",
    );
    for command in ["build", "check", "report"] {
        let said = ssbuild(&app, &[command]);
        assert_eq!(said.status.code(), Some(1), "{command}");
        assert!(text(&said.stderr).starts_with("error[budget-exceeded]: `/` has "), "{}", text(&said.stderr));
        assert_eq!(text(&said.stdout).is_empty(), command != "report");
    }
    assert!(!app.root().join("dist").exists());
    app.write("config/app.json", "{\"build\": {\"budget_bytes\": {\"/\": 100000}}}");
    assert_eq!(ssbuild(&app, &["build"]).status.code(), Some(0));
}
