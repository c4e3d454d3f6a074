//! The cache on disk: what it holds, damaged or not, changes no byte of a build, and it stays as small as it is told to.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
};

use ssbuild::{
    cache::Mode,
    disk::Disk,
    pipeline::{self, Outcome, Purpose},
    session::{CACHE_FOLDER, Session},
};
use tempfile::TempDir;

use crate::{
    app::{App, Dist, PROGRAM, broken, request},
    faulty_disk::FaultyDisk,
};

fn app() -> App {
    App::new(&[
        ("app/client/part.ts", "import { sum } from '/shared/sum';\nexport const three: number = sum(1, 2);"),
        ("app/shared/sum.js", "exports.sum = function (first, second) { return first + second; };"),
        ("app/server/app.js", "exports.actions = { square(n, cb) { cb(n * n); } };"),
        ("app/css/app.scss", "@import 'colours';\na { color: $link; background: url(/dot.svg); }"),
        ("app/css/_colours.scss", "$link: #123456;"),
        ("public/dot.svg", &"<svg xmlns=\"http://www.w3.org/2000/svg\"><g/></svg>\n".repeat(20)),
    ])
}

/// Builds into the same folder each time, which is emptied before unless it is to be found as it is.
fn build(app: &Path, session: &Session) -> Dist {
    drop(fs::remove_dir_all(app.join("dist")));
    let disk: Arc<dyn Disk> = Arc::new(FaultyDisk::sound());
    built(pipeline::build(&disk, &request(app, "production", Purpose::Publish(app.join("dist"))), session));
    Dist::read(&app.join("dist"))
}

fn built(outcome: Result<Outcome, pipeline::Error>) {
    let outcome = outcome.expect("the machine does its part");
    assert!(outcome.manifest.is_some(), "the app has errors:\n{}", outcome.report.to_text(false));
}

fn cached(app: &Path) -> Dist {
    build(app, &Session::of_app(app, Mode::ReadWrite))
}

fn read(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(folder).expect("a cache").map(|entry| entry.expect("a name").path());
    files.map(|path| (path.clone(), fs::read(path).expect("a file"))).collect()
}

#[test]
fn no_damage_to_any_file_of_the_cache_changes_a_build() {
    let app = app();
    let root = app.root();
    let clean = build(&root, &Session::once());
    assert!(cached(&root).files == clean.files);
    let cache = root.join(CACHE_FOLDER);
    let whole = read(&cache);
    assert!(whole.len() >= 3, "a pack, the record of the build and that of the sheet: {:?}", whole.keys());
    let mut damages = 0;
    for (path, bytes) in &whole {
        let cuts = [0, 1, bytes.len() / 2, bytes.len().saturating_sub(1)].map(|length| bytes[..length].to_vec());
        let flips = (0..8).map(|n| n * bytes.len() / 8).chain((bytes.len().saturating_sub(40)..bytes.len()).step_by(4));
        let flips = flips.filter(|&at| at < bytes.len()).map(|at| {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            flipped
        });
        for damaged in cuts.into_iter().chain(flips).collect::<Vec<_>>() {
            fs::remove_dir_all(&cache).expect("the cache goes");
            fs::create_dir_all(&cache).expect("a folder");
            whole.iter().for_each(|(path, bytes)| fs::write(path, bytes).expect("a file"));
            fs::write(path, &damaged).expect("a file");
            assert!(cached(&root).files == clean.files, "damage to {} changes the build", path.display());
            damages += 1;
        }
    }
    assert!(damages > 50, "only {damages} damages were tried");
}

#[test]
fn a_build_of_which_nothing_changed_writes_nothing_and_one_that_was_damaged_is_made_whole() {
    let app = app();
    let root = app.root();
    let clean = cached(&root);
    let again = |changes: fn(usize) -> bool| {
        let faulty = Arc::new(FaultyDisk::sound());
        let disk: Arc<dyn Disk> = Arc::clone(&faulty) as _;
        let request = request(&root, "production", Purpose::Publish(root.join("dist")));
        built(pipeline::build(&disk, &request, &Session::of_app(&root, Mode::ReadWrite)));
        assert!(changes(faulty.changes()), "{} changes of the disk", faulty.changes());
        assert!(Dist::read(&root.join("dist")).files == clean.files);
    };
    again(|changes| changes == 0);
    let asset = clean.manifest().assets["app.js"].file.clone();
    fs::write(root.join("dist").join(&asset), "damaged").expect("a file");
    again(|changes| changes > 0);
    again(|changes| changes == 0);
    fs::remove_file(root.join("dist/index.html").with_file_name("public/index.html")).expect("the page");
    again(|changes| changes > 0);
    assert_eq!(broken(&root.join("dist")), None);
}

#[test]
fn builds_at_the_same_time_share_a_cache_and_it_stays_below_its_limit() {
    const LIMIT_MIB: u64 = 1;
    let app = app();
    let root = app.root();
    app.write("config/app.json", &format!("{{\"build\": {{\"cache_mib\": {LIMIT_MIB}, \"compress\": \"off\"}}}}"));
    for round in 0..6 {
        // Large enough that a few rounds fill the cache, and different each time.
        let names = (0..6000).map(|n| format!("exports.name_{round}_{n} = 'value {}';\n", n * 7919 + round));
        app.write("app/client/large.js", &names.collect::<String>());
        let clean = build(&root, &Session::once());
        let outs: Vec<TempDir> = (0..3).map(|_| TempDir::new().expect("a folder")).collect();
        thread::scope(|scope| {
            for out in &outs {
                let root = &root;
                scope.spawn(move || {
                    let disk: Arc<dyn Disk> = Arc::new(FaultyDisk::sound());
                    let request = request(root, "production", Purpose::Publish(out.path().to_owned()));
                    built(pipeline::build(&disk, &request, &Session::of_app(root, Mode::ReadWrite)));
                });
            }
        });
        for out in &outs {
            assert!(Dist::read(out.path()).files == clean.files, "round {round}");
        }
    }
    // Each of the builds at a time may have left what it wrote last; the next one tidies up.
    app.write("app/client/large.js", "exports.small = 1;");
    cached(&root);
    let bytes: u64 = read(&root.join(CACHE_FOLDER)).values().map(|bytes| bytes.len() as u64).sum();
    assert!(bytes <= LIMIT_MIB * 1024 * 1024, "the cache has {bytes} bytes");
    assert!(bytes > 0);
}

#[test]
fn a_check_and_a_build_without_a_cache_leave_none() {
    let app = app();
    let run = |args: &[&str]| {
        let output = Command::new(PROGRAM).args(args).arg(app.root()).output().expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["build", "--quiet", "--no-cache"]);
    run(&["check", "--quiet"]);
    assert!(!app.root().join(".ssbuild").exists());
    run(&["build", "--quiet"]);
    assert_eq!(fs::read_to_string(app.root().join(".ssbuild/.gitignore")).expect("a file"), "*\n");
}
