//! The languages of 2011 through the packages in `tests/preprocess`, which `scripts/setup-tests.sh` installs.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use rayon::prelude::*;
use serde_json::json;
use ssbuild::preprocess::{Limits, NodePath, Preprocess, Processed};
use ssbuild_diagnostic::{Code, Diagnostic, Report};
use tempfile::TempDir;

use crate::{
    app::{App, Dist, PROGRAM, build, snapshot, testdata},
    run::run,
    served::Served,
};

/// Short enough for a test, long enough for a machine that is busy.
const SHORT: Limits = Limits { start_deadline_ms: 20_000, deadline_ms: 3_000, memory_mib: 64 };

fn packages() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/preprocess/node_modules");
    assert!(folder.is_dir(), "the packages of tests/preprocess are not installed: run scripts/setup-tests.sh");
    folder
}

/// An app that has these packages.
fn app(names: &[&str], files: &[(&str, &str)]) -> App {
    let app = App::new(files);
    fs::create_dir(app.root().join("node_modules")).expect("a folder");
    for name in names {
        symlink(packages().join(name), app.root().join("node_modules").join(name)).expect("a link");
    }
    app
}

fn languages(app: &App, limits: Limits) -> Preprocess {
    Preprocess::new(&app.root(), NodePath::of_process(), limits)
}

fn page(languages: &Preprocess, text: &str) -> Processed {
    let client = json!({"title": "T"});
    languages.page("app/views/app.pug", text, "production", client.as_object().expect("an object"))
}

fn text(processed: &Processed) -> String {
    said(&processed.diagnostics)
}

fn said(found: &[Diagnostic]) -> String {
    found.iter().cloned().collect::<Report>().to_text(false)
}

#[test]
fn a_page_knows_its_tag_its_assets_and_what_it_was_built_for() {
    let app = app(&["pug"], &[("public/a b&c.png", "x")]);
    app.write("app/views/_layout.pug", "doctype html\nhtml\n  head\n    block head\n  body\n    block body\n");
    fs::remove_file(app.root().join("app/views/app.html")).expect("a file");
    app.write(
        "app/views/app.pug",
        "extends _layout\nblock head\n  != SocketStream\nblock body\n  img(src=asset('/a b&c.png'))\n  p= env + config.client.title\n  != '<i>'\n",
    );
    app.write("config/app.json", r#"{"client": {"title": "Ta & Tü"}}"#);
    let page = String::from_utf8(app.built().files["public/index.html"].clone()).expect("text");
    let (head, body) = page.split_once("</head>").expect("a head");
    assert!(head.contains("<script type=\"application/json\" id=\"ss-data\">"), "{head}");
    assert!(body.starts_with("<body><img src=\"/assets/a%20b&amp;c-"), "{body}");
    assert!(body.ends_with(".png\"><p>productionTa &amp; Tü</p><i></body></html>"), "{body}");
}

#[test]
fn included_files_are_told() {
    let app = app(&["pug", "stylus"], &[("app/views/a/_b.pug", "include _c\n"), ("app/views/a/_c.pug", "p c\n")]);
    app.write("app/css/parts/x.styl", "@import 'y'\n");
    app.write("app/css/parts/y.styl", "p\n  top 0\n");
    let languages = languages(&app, Limits::default());
    let template = languages.template("app/views/a/t.pug", "include _b.pug\n");
    assert_eq!(template.text, "<p>c</p>", "{}", text(&template));
    assert_eq!(template.files_read, ["app/views/a/_b.pug", "app/views/a/_c.pug"]);
    let sheet = languages.sheet("app/css/app.styl", "@import 'parts/*'\n");
    assert_eq!(sheet.css.css, "p {\n  top: 0;\n}\np {\n  top: 0;\n}\n", "{}", said(&sheet.diagnostics));
    assert!(sheet.files_read.starts_with(&["app/css/parts/x.styl".into(), "app/css/parts/y.styl".into()]));
}

#[test]
fn jade_is_compiled_by_jade_and_without_it_by_pug() {
    let files: &[(&str, &str)] = &[("app/views/a/_b.jade", "p b\n")];
    let source = "a(href='#{1 + 1}')\ninclude _b\n";
    let compile = |names: &[&str]| {
        let app = app(names, files);
        let template = languages(&app, Limits::default()).template("app/views/a/t.jade", source);
        (template.text.clone(), template.diagnostics.len())
    };
    assert_eq!(compile(&["jade", "pug"]), ("<a href=\"2\"></a><p>b</p>".to_owned(), 0));
    assert_eq!(compile(&["pug"]), ("<a href=\"#{1 + 1}\"></a><p>b</p>".to_owned(), 1));
}

#[test]
fn nib_is_there_when_the_app_has_it() {
    let app = app(&["stylus", "nib"], &[]);
    let sheet =
        languages(&app, Limits::default()).sheet("app/css/app.styl", "@import 'nib'\np\n  absolute top right\n");
    assert_eq!(
        sheet.css.css,
        "p {\n  position: absolute;\n  top: 0;\n  right: 0;\n}\n",
        "{}",
        said(&sheet.diagnostics)
    );
}

#[test]
fn coffeescript_1_keeps_its_own_rules() {
    let bird = "class Animal\n  constructor: (@name) ->\n  say: -> @name\nclass Bird extends Animal\n  constructor: (name) ->\n    @wings = 2\n    super\n  say: -> super + @wings\nlog new Bird('wren').say()\n";
    let old = app(&["coffee-script"], &[("app/client/bird.coffee", bird)]);
    assert_eq!(run(&old.built().asset("app.js"), &[])["log"], json!(["wren2"]));
    let new = app(&["coffee-script", "coffeescript"], &[("app/client/bird.coffee", bird)]);
    assert!(new.findings().contains("CoffeeScript 2 has no bare `super`"), "{}", new.findings());
}

#[test]
fn coffeescript_is_a_module_like_any_other() {
    let app = app(&["coffeescript"], &[]);
    app.write("app/client/app.js", "log('app ' + require('./a/top-bar').describe(4)); exports.n = 1;\n");
    app.write(
        "app/client/a/top-bar.coffee",
        "{double} = require '/shared/calculate'\nsecret = 1\nexports.describe = (n, m = 2, rest...) -> \"#{double n} #{m} #{typeof secret} #{@?}\"\n",
    );
    app.write("app/client/modern.coffee", "import {double} from '/shared/calculate.coffee'\nexport twice = (n) -> double double n\nlog \"modern #{twice 1}\"\n");
    app.write("app/shared/calculate.coffee", "exports.double = (n) -> n * 2\nlog \"shared #{global?} #{require?}\"\n");
    app.write("lib/client/1.first.coffee", "first = 1\nwindow.first = first\n");
    app.write("lib/server/places.coffee", "exports.known = London: [51.5, -0.1]\n");
    app.write(
        "app/server/geo.coffee",
        "places = require 'places'\nlog name + at for name, at of places.known\nexports.actions =\n  a: (cb) -> cb 1\n",
    );
    let built = app.built();
    let client = run(&built.asset("app.js"), &[]);
    assert_eq!(client["log"], json!(["shared true true", "app 8 2 number true", "modern 4"]));
    assert_eq!(built.manifest().api.client["a/top-bar"], ["describe"]);
    assert_eq!(built.manifest().api.client["modern"], ["twice"]);
    let server = run(&built.server(), &[]);
    assert_eq!(server["log"], json!(["shared true true", "London51.5,-0.1"]));
    assert!(built.asset("lib.js").contains("window.first="));
}

#[test]
fn maps_lead_to_the_lines_that_people_wrote() {
    let out = TempDir::new().expect("a folder");
    build(&testdata("apps/coffee-2011"), "production", out.path()).expect("the machine does its part");
    let manifest = Dist::read(out.path()).manifest();
    let maps = format!("builds/{}/maps", manifest.build_id);
    let trace = |code: &str, map: &str, words: &[&str]| {
        let mut command = Command::new("node");
        command.arg("-e").arg(include_str!("map.js")).arg("map.js");
        command.arg(out.path().join(code)).arg(out.path().join(&maps).join(map)).args(words);
        let output = command.output().expect("these tests need `node`");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let client = ["Contact Us", "determineLocation", "squared is", "textContent", "top: ", "960"];
    let server = ["Math.round", "2 * estimatePi", "Good day", "authenticate", "Math.hypot", "51.5"];
    let app = trace(&manifest.assets["app.js"].file, "app.js.map", &client);
    snapshot("preprocess", "maps", &format!("{app}{}", trace(&manifest.server.bundle.file, "server.js.map", &server)));
}

#[test]
fn the_same_bytes_come_of_it_everywhere() {
    let elsewhere = TempDir::new().expect("a folder");
    symlink(packages(), elsewhere.path().join("node_modules")).expect("a link");
    let copy = elsewhere.path().join("a b/c");
    fs::create_dir_all(copy.parent().expect("it has one")).expect("a folder");
    let app = testdata("apps/coffee-2011");
    assert!(Command::new("cp").arg("-r").arg(&app).arg(&copy).status().expect("cp").success());
    for env in ["development", "production"] {
        let built = |root: &Path, threads: &str| {
            let out = TempDir::new().expect("a folder");
            let mut command = Command::new(PROGRAM);
            command
                .args(["--quiet", "--env", env, "--out"])
                .arg(out.path())
                .arg(root)
                .env("RAYON_NUM_THREADS", threads);
            let output = command.env("TZ", format!("X{threads}")).output().expect("the program runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Dist::read(out.path()).files
        };
        let (here, there) = (built(&app, "1"), built(&copy, "4"));
        assert!(
            here == there,
            "{env}: {:?}",
            here.iter().find(|(path, bytes)| there.get(*path) != Some(*bytes)).map(|d| d.0)
        );
    }
}

#[test]
fn without_packages_or_node_it_is_said_what_to_install() {
    let files = [
        ("app/client/a.coffee", "x = 1"),
        ("app/client/b.coffee", "x = 1"),
        ("app/css/app.styl", "a\n  b c"),
        ("app/views/a/t.pug", "p"),
        ("app/views/a/u.jade", "p"),
    ];
    let app = App::new(&files);
    let mut shown = app.findings();
    let node = |script: &str| {
        let folder = TempDir::new().expect("a folder");
        let node = folder.path().join("node");
        fs::write(&node, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&node, fs::Permissions::from_mode(0o755)).expect("permissions");
        folder
    };
    let old = node(r#"printf '\036ssbuild {"version":"18.20.4"}\n'; read -r x"#);
    let odd = node("echo 'this is no Node.js' >&2");
    for (what, path) in [("no node", Path::new("")), ("old node", old.path()), ("odd node", odd.path())] {
        let languages = Preprocess::new(&app.root(), NodePath::new(path), SHORT);
        shown += &format!("--- {what}\n{}", said(&languages.sheet("app/css/app.styl", "a\n  b c").diagnostics));
    }
    snapshot("preprocess", "missing", &shown);

    let mut command = Command::new(PROGRAM);
    let output = command.arg("check").arg(app.root()).env("PATH", "").output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("and there is no `node` on the `PATH`") && said.contains("app/client/b.coffee"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_file_that_never_ends_costs_itself_alone() {
    let app = app(&["pug", "stylus"], &[]);
    let languages = languages(&app, SHORT);
    for (kind, endless) in [
        ("a loop", languages.template("app/views/a/loop.pug", "- while (true) {}\n").diagnostics),
        (
            "a loop of Stylus",
            languages.sheet("app/css/app.styl", "for a in 1..40000\n  for b in 1..40000\n    c = a * b\n").diagnostics,
        ),
        (
            "memory",
            languages
                .template("app/views/a/memory.pug", "- var all = []; while (true) all.push({a: [all.length]})\n")
                .diagnostics,
        ),
        ("output", languages.template("app/views/a/long.pug", "- var x = 'x'.repeat(1 << 26)\n!= x + x\n").diagnostics),
    ] {
        let [found] = endless.as_slice() else { panic!("{kind}: {endless:?}") };
        assert!(matches!(found.code, Code::ViewError | Code::StyleLimit), "{kind}: {found:?}");
        let limits = ["was not compiled within 3000 ms", "took more memory", "comes to more than 64 MiB"];
        assert!(limits.iter().any(|limit| found.message.contains(limit)), "{kind}: {}", found.message);
        let next = languages.template("app/views/a/next.pug", "p= 1\n");
        assert_eq!(next.text, "<p>1</p>", "{kind}: {}", text(&next));
    }
}

#[test]
fn memory_beside_the_values_of_javascript_is_limited_too() {
    let app = app(&["pug"], &[]);
    let languages = languages(&app, SHORT);
    let hungry = "- var all = []; while (true) all.push(Buffer.alloc(1 << 24, 1))\n";
    let found = languages.template("app/views/a/buffers.pug", hungry).diagnostics;
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(found.code, Code::ViewError);
    let limits = ["allocation failed", "took more memory"];
    assert!(limits.iter().any(|limit| found.message.contains(limit)), "{found:?}");
}

#[test]
fn a_helper_that_ends_is_told_with_the_file_and_replaced() {
    let app = app(&["pug"], &[]);
    let languages = languages(&app, SHORT);
    for source in [
        "- process.exit(3)\n",
        "- process.kill(process.pid, 'SIGKILL')\n",
        "- process.stderr.write('last words'); process.abort()\n",
    ] {
        let ended = languages.template("app/views/a/end.pug", source);
        let [found] = ended.diagnostics.as_slice() else { panic!("{source}: {ended:?}") };
        assert_eq!(found.labels[0].place.file, "app/views/a/end.pug");
        assert!(found.message.contains("ended") || found.message.contains("memory"), "{source}: {}", found.message);
    }
    assert_eq!(languages.template("app/views/a/next.pug", "p= 1\n").text, "<p>1</p>");
}

#[test]
fn what_is_printed_is_no_answer() {
    let app = app(&["pug"], &[]);
    let languages = languages(&app, SHORT);
    let source = r#"- console.log('a'); process.stdout.write('\u001essbuild {"done":{"text":"forged"},"files_read":[],"warnings":[]}\n'); require_ = 1
p b"#;
    assert_eq!(languages.template("app/views/a/t.pug", source).text, "<p>b</p>");
}

#[test]
fn the_environment_of_the_build_is_not_seen() {
    let app = app(&["pug"], &[]);
    let shown = page(&languages(&app, SHORT), "!= Object.keys(process.env).sort().join() + process.env.TZ\n").text;
    assert_eq!(shown.replace("HOME,", ""), "LC_ALL,PATH,TZUTC");
}

#[test]
fn files_outside_of_their_folders_are_not_read() {
    let app = app(&["pug", "jade", "stylus"], &[("../secret.pug", "p secret"), ("../secret.styl", "p\n  secret 1")]);
    app.write("app/server/secret.pug", "p secret");
    app.write("app/server/secret.styl", "p\n  secret 1");
    app.write("app/css/app.styl", "p\n  top 0\n");
    app.write("app/server/secret.json", "{\"secret\": \"secret\"}");
    symlink("../server/secret.pug", app.root().join("app/views/_link.pug")).expect("a link");
    symlink("../../../secret.pug", app.root().join("app/views/_out.pug")).expect("a link");
    symlink("../server", app.root().join("app/css/_folder")).expect("a link");
    symlink("_loop.pug", app.root().join("app/views/_loop.pug")).expect("a link");
    let outside = app.root().parent().expect("it has one").join("secret").display().to_string();
    let languages = languages(&app, SHORT);
    for named in [
        "../server/secret.pug",
        "../../../secret.pug",
        "../../../../../../etc/passwd",
        "_link",
        "_out",
        "_loop",
        &outside,
    ] {
        for file in ["app/views/t.pug", "app/views/t.jade"] {
            let made = languages.template(file, &format!("include {named}\n"));
            assert!(!made.diagnostics.is_empty() && !made.text.contains("secret"), "{file} {named}: {made:?}");
        }
    }
    for statement in [
        "@import '../server/secret'",
        "@require '../../../secret'",
        "@import '_folder/secret'",
        &format!("@import '{outside}'"),
        "json('../server/secret.json')\np\n  a secret",
        "json('/etc/hostname', {leave-strings: true})",
    ] {
        let made = languages.sheet("app/css/app.styl", &format!("{statement}\n"));
        assert!(made.diagnostics.iter().any(|found| found.is_error()), "{statement}: {made:?}");
    }
}

#[test]
fn many_files_are_compiled_at_a_time() {
    let app = app(&["pug"], &[]);
    let languages = languages(&app, Limits::default());
    let texts: Vec<String> = (0..200_u32)
        .into_par_iter()
        .map(|n| languages.template(&format!("app/views/a/{n}.pug"), &format!("p= {n} * 2\n")).text)
        .collect();
    let expected: Vec<String> = (0..200).map(|n| format!("<p>{}</p>", n * 2)).collect();
    assert_eq!(texts, expected);
}

#[test]
fn nesting_that_a_compiler_cannot_follow_is_told() {
    let app = app(&["coffeescript", "pug", "stylus"], &[]);
    let languages = languages(&app, Limits::default());
    let deep = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    let coffee = |n: usize| {
        app.write("app/client/deep.coffee", &format!("x = {}", deep(n)));
        app.findings()
    };
    assert_eq!(coffee(100), "");
    assert!(coffee(20_000).contains("error[nested-too-deep]: the file is nested more than 1000 brackets deep"));
    let tags = |n: usize| (0..n).map(|n| format!("{}p\n", " ".repeat(n))).collect::<String>();
    assert_eq!(page(&languages, &tags(100)).text.len(), 100 * "<p></p>".len());
    assert_eq!(page(&languages, &tags(3_000)).diagnostics[0].code, Code::NestedTooDeep);
    let sheet = |n: usize| languages.sheet("app/css/app.styl", &format!("a\n  b {}\n", deep(n)));
    assert_eq!(sheet(100).css.css, "a {\n  b: 1;\n}\n");
    assert_eq!(sheet(100_000).diagnostics[0].code, Code::NestedTooDeep);
    let nested =
        |n: usize| (0..n).map(|n| format!("{}a\n", " ".repeat(n))).collect::<String>() + &" ".repeat(n) + "b c\n";
    assert!(languages.sheet("app/css/app.styl", &nested(50)).css.css.contains("b: c;"));
}

#[test]
fn actions_are_called_where_the_app_is_served() {
    let app = testdata("apps/coffee-2011");
    let copy = TempDir::new().expect("a folder");
    symlink(packages(), copy.path().join("node_modules")).expect("a link");
    assert!(Command::new("cp").arg("-r").arg(&app).arg(copy.path().join("app")).status().expect("cp").success());
    let served = Served::start(&copy.path().join("app"));
    let ask = |method: &str, path: &str, body: &str| {
        let answer = served.ask(method, path, body);
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        format!("{method} {path} => {} {body}\n", head.split(' ').nth(1).expect("a status"))
    };
    let answers = [
        ask("GET", "/api/app/square?25", ""),
        ask("POST", "/api/app/square", "[12]"),
        ask("POST", "/api/app/circle", "[2]"),
        ask("POST", "/api/app/greet", "[\"Ada\", {\"formal\": true}]"),
        ask("GET", "/api/app/greet?Bob", ""),
        ask("POST", "/api/geocode/lookup", "[{\"latitude\": 48, \"longitude\": 2}]"),
        ask("GET", "/api/users/online/yesterday", ""),
        ask("GET", "/api/app/init", ""),
    ];
    snapshot("preprocess", "served", &answers.concat());
}
