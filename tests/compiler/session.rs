//! What a session remembers changes no byte: after any edit a build gives what a build from nothing gives.

use std::{fs, path::Path, sync::Arc};

use ssbuild::{
    cache::Mode,
    disk::{Disk, RealDisk},
    pipeline::{self, Purpose},
    session::Session,
};
use tempfile::TempDir;

use crate::app::{App, Dist, request};

fn built(root: &Path, env: &str, session: &Session) -> Dist {
    let out = TempDir::new().expect("a folder");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let request = request(root, env, Purpose::Publish(out.path().to_owned()));
    let outcome = pipeline::build(&disk, &request, session).expect("the machine does its part");
    assert!(outcome.manifest.is_some(), "the app has errors:\n{}", outcome.report.to_text(false));
    Dist::read(out.path())
}

#[test]
fn a_lasting_session_builds_what_a_new_one_builds() {
    let app = App::new(&[
        ("app/client/app.js", "exports.init = function () { return require('./part').value; };"),
        ("app/client/part.js", "exports.value = require('/shared/sum').sum(1, 2);"),
        ("app/shared/sum.ts", "export const sum = (a: number, b: number): number => a + b;"),
        ("app/server/app.js", "exports.actions = { square(n, cb) { cb(n * n); } };"),
        ("app/css/app.scss", "@import 'colours';\na { color: $link; background: url(/dot.svg); }"),
        ("app/css/_colours.scss", "$link: #123456;"),
        ("public/dot.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        ("node_modules/colour/index.js", "module.exports = 'blue';"),
    ]);
    let edits: &[(&str, Option<&str>)] = &[
        ("app/client/part.js", Some("exports.value = require('colour') + require('/shared/sum').sum(1, 2);")),
        ("app/css/_colours.scss", Some("$link: #654321;")),
        ("app/css/colours.scss", Some("$link: #aaaaaa;")),
        ("app/css/_colours.scss", None),
        ("public/dot.svg", Some("<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"dot\"/>")),
        ("app/shared/sum.js", Some("exports.sum = function (a, b) { return b + a; };")),
        ("app/shared/sum.ts", None),
        ("node_modules/colour/package.json", Some("{\"browser\": \"browser.js\"}")),
        ("node_modules/colour/browser.js", Some("module.exports = 'green';")),
        ("app/client/part.js", Some("exports.value = require('/shared/sum').sum(1, 2);")),
        ("config/app.json", Some("{\"build\": {\"minify\": \"off\"}}")),
    ];
    let session = Session::lasting();
    for env in ["production", "development"] {
        let edits = if env == "production" { edits } else { &edits[..2] };
        for (path, text) in edits {
            match text {
                Some(text) => app.write(path, text),
                None => drop(fs::remove_file(app.root().join(path))),
            }
            if *path == "app/css/colours.scss" || *path == "app/shared/sum.js" {
                // Two files of one name until the next edit.
                continue;
            }
            let clean = built(&app.root(), env, &Session::once()).files;
            for (what, session) in [("session", &session), ("cache", &Session::of_app(&app.root(), Mode::ReadWrite))] {
                let files = built(&app.root(), env, session).files;
                assert!(files == clean, "{env}: the {what} gives another build after the edit of {path}");
            }
        }
        app.write("app/css/_colours.scss", "$link: #123456;");
        drop(fs::remove_file(app.root().join("app/css/colours.scss")));
        app.write("app/shared/sum.ts", "export const sum = (a: number, b: number): number => a + b;");
        drop(fs::remove_file(app.root().join("app/shared/sum.js")));
    }
}
