//! `types/ss.d.ts`, as TypeScript reads it: apps that are right pass, and each mistake of a table is found.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use ssbuild::{
    disk::{Disk, RealDisk},
    pipeline::{self, Purpose},
    session::Session,
    types::{self, Written},
};
use tempfile::TempDir;

use crate::app::{App, request, snapshot, testdata};

/// Folders of the TypeScript that is installed today, and of the last one written in JavaScript, which many apps have.
const COMPILERS: [&str; 2] = ["tests/types", "runtime-client"];

/// A copy of an app that may be written to.
fn copy(app: &Path) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path().join("app");
    copy_folder(app, &root);
    (folder, root)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("a name").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_folder(&path, &to);
        } else {
            fs::copy(&path, &to).expect("a file");
        }
    }
}

/// Writes the declarations of an app.
fn declare(root: &Path) -> Written {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let outcome = pipeline::build(&disk, &request(root, "production", Purpose::Check), &Session::once())
        .expect("the machine does its part");
    let text = outcome.types.unwrap_or_else(|| panic!("the app has errors:\n{}", outcome.report.to_text(false)));
    types::write(&*disk, root, &text).expect("the disk is there")
}

/// What a compiler says of an app, the declarations themselves included.
pub(crate) fn said(compiler: &str, root: &Path) -> String {
    let tsc = Path::new(env!("CARGO_MANIFEST_DIR")).join(compiler).join("node_modules/typescript/bin/tsc");
    assert!(tsc.is_file(), "`{}` is not installed: run scripts/setup-tests.sh", tsc.display());
    let project = ["tsconfig.json", "jsconfig.json"].map(|name| root.join(name)).into_iter().find(|file| file.exists());
    let project = project.expect("the app has one of the two");
    let mut command = Command::new("node");
    command.arg(tsc).args(["--noEmit", "--pretty", "false", "--skipLibCheck", "false", "-p"]).arg(&project);
    let output = command.current_dir(root).output().expect("`node` runs");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn apps_that_are_right_pass() {
    for name in ["chat", "minimal", "pages", "trees", "typed"] {
        let (_folder, root) = copy(&testdata("apps").join(name));
        declare(&root);
        assert_eq!(said(COMPILERS[0], &root), "", "{name}");
    }
}

/// A line of an app's client and what is wrong with it, as TypeScript's number.
const CLIENT_MISTAKES: &[(&str, &str)] = &[
    ("SS.server.map.put(7, { x: 1, y: 2 });", "TS2345"),
    ("SS.server.map.put('home');", "TS2554"),
    ("SS.server.map.put('home', { x: 1, y: 2 }, 'more', 'and more');", "TS2559"),
    ("SS.server.map.puts('home', { x: 1, y: 2 });", "TS2551"),
    ("SS.server.maps.put('home', { x: 1, y: 2 });", "TS2551"),
    ("SS.server.map.put('home', { x: 1, y: 2 }, (answer: number) => answer);", "TS2769"),
    ("SS.server.map.put('home', { x: 1, y: 2 }, (answer) => answer.nam);", "TS2551"),
    ("SS.server.map.near({ x: 1, y: 2 }, (names: number[]) => names);", "TS2769"),
    ("SS.server.map.near({ x: 1 });", "TS2769"),
    ("SS.server.map.near({ x: 1, y: 2 }, 5, { timeout: 5 });", "TS2769"),
    ("const names: string = await SS.server.map.near({ x: 1, y: 2 }); names;", "TS2322"),
    ("SS.server.map.near({ x: 1, y: 2 }).length;", "TS2339"),
    ("const far: string = await SS.server.map.moved('home'); far;", "TS2322"),
    ("SS.server.map.layers.show('three');", "TS2345"),
    ("SS.server.map.layers.hide(3);", "TS2339"),
    ("SS.server.map.layers();", "TS2349"),
    ("SS.server.admin.users.name('seven');", "TS2345"),
    ("SS.with({ volatil: true }, SS.server.map.moved)('home');", "TS2561"),
    ("SS.shared.geometry.distance({ x: 1, y: 2 });", "TS2554"),
    ("SS.shared.geometri.distance({ x: 1, y: 2 }, { x: 1, y: 2 });", "TS2551"),
    ("SS.client.sideBar.shows(1, true);", "TS2551"),
    ("SS.client.sideBar.hot({});", "TS2339"),
    ("SS.client.map.marker;", "TS18048"),
    ("SS.config.titel;", "TS2551"),
    ("SS.config.zoom.max.length;", "TS2339"),
    ("SS.config.zoom.trial.valueOf();", "TS18048"),
    ("SS.config.title = 'x';", "TS2540"),
    ("SS.templates['people-cards'];", "TS2551"),
    ("SS.templates['people-card'].at.x;", "TS2339"),
    ("SS.events.on('marker:put', (marker) => marker.where);", "TS2339"),
    ("SS.events.on('error', (error: number) => error);", "TS2345"),
    ("SS.events.emit('marker:put', { name: 1 });", "TS2322"),
    ("SS.socket.on('conect', () => {});", "TS2345"),
    ("SS.nothing;", "TS2339"),
];

/// A file of an app's server and what is wrong with it.
const SERVER_MISTAKES: &[(&str, &str)] = &[
    ("export const actions = { a() { return this.sesion; } } satisfies SS.Actions;", "TS2551"),
    ("export const actions = { a() { return this.session.userid; } } satisfies SS.Actions;", "TS2551"),
    ("export const actions = { deep: { a() { return this.sesion; } } } satisfies SS.Actions;", "TS2551"),
    ("export const actions = { a() { return this.find('x'); } } satisfies SS.Actions;", "TS2339"),
    ("export const actions = { a() { return this.fnd('x'); } } satisfies SS.Actions<'map'>;", "TS2551"),
    ("export const actions = { a() { this.session.user_id = 'x'; } } satisfies SS.Actions;", "TS2540"),
    ("export const actions = { a() { this.session.setUserId({}); } } satisfies SS.Actions;", "TS2345"),
    ("export const actions = { a() { this.session.on('connect', () => {}); } } satisfies SS.Actions;", "TS2345"),
    ("export const actions = { a: 7 } satisfies SS.Actions;", "TS2322"),
    ("export const a = () => SS.publish.brodcast('x');", "TS2551"),
    ("export const a = () => SS.publish.channel('map', 'marker:put', { name: 1, at: { x: 1, y: 2 } });", "TS2322"),
    ("export const a = () => SS.config.app.histry;", "TS2551"),
    ("export const a = async () => (await SS.users.online.now()).size;", "TS2339"),
];

#[test]
fn each_mistake_is_found() {
    let (_folder, root) = copy(&testdata("apps/typed"));
    declare(&root);
    let client = CLIENT_MISTAKES.iter().enumerate().map(|(n, (line, code))| {
        (
            format!("app/client/mistake{n}.ts"),
            format!("export async function mistake() {{\n  {line}\n}}\n"),
            *line,
            *code,
        )
    });
    let server = SERVER_MISTAKES
        .iter()
        .enumerate()
        .map(|(n, (text, code))| (format!("app/server/mistake{n}.ts"), format!("{text}\n"), *text, *code));
    let mistakes: Vec<(String, String, &str, &str)> = client.chain(server).collect();
    for (file, text, ..) in &mistakes {
        fs::write(root.join(file), text).expect("a file");
    }
    for said in COMPILERS.map(|compiler| said(compiler, &root)) {
        let unexpected = said.lines().filter(|line| line.contains("error TS"));
        let unexpected =
            unexpected.filter(|line| !mistakes.iter().any(|(file, ..)| line.starts_with(&format!("{file}("))));
        assert_eq!(unexpected.collect::<Vec<_>>(), [""; 0]);
        let missed = mistakes.iter().filter_map(|(file, _, line, code)| {
            let found: Vec<&str> = said.lines().filter(|line| line.starts_with(&format!("{file}("))).collect();
            let as_expected = found.len() == 1 && found[0].contains(&format!("error {code}:"));
            (!as_expected).then(|| format!("{line}\n    wanted {code}, got {found:?}"))
        });
        assert_eq!(missed.collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn files_are_written_when_they_change_and_never_over_the_apps_own() {
    let app = App::new(&[]);
    assert_eq!(declare(&app.root()), Written { declarations: true, project: Some("jsconfig.json") });
    let file = app.root().join(types::FILE);
    let before = fs::metadata(&file).expect("it was written").modified().expect("a time");
    assert_eq!(declare(&app.root()), Written::default());
    assert_eq!(fs::metadata(&file).expect("it is there").modified().expect("a time"), before);

    app.write("app/client/more.js", "exports.a = 1;");
    assert_eq!(declare(&app.root()), Written { declarations: true, project: None });

    let own = App::new(&[("tsconfig.json", "{}\n")]);
    assert_eq!(declare(&own.root()), Written { declarations: true, project: None });
    assert_eq!(fs::read_to_string(own.root().join("tsconfig.json")).expect("it is there"), "{}\n");
    let names: Vec<_> = fs::read_dir(own.root().join("types")).expect("a folder").collect();
    assert_eq!(names.len(), 1, "nothing is left beside it");
}

#[test]
fn the_declarations_are_a_snapshot() {
    let (_folder, root) = copy(&testdata("apps/typed"));
    declare(&root);
    let text = fs::read_to_string(root.join(types::FILE)).expect("it was written");
    let own = text.rfind("\ndeclare namespace SS {").expect("the part of the app");
    snapshot("types", "typed", &text[own..]);
}
