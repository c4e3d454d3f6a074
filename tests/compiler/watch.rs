//! Watching real folders: whatever is done to them, what comes out in the end is what a clean build makes.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Lines, Read, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use ssbuild::{
    pipeline::Purpose,
    watch::{Listening, Signal, Signals, Watch},
};
use ssbuild_server::manifest::Manifest;
use tempfile::TempDir;

use crate::app::{App, Dist, PROGRAM, build, request};

/// The longest that this machine may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// An app that is watched by a thread.
struct Watched {
    app: App,
    out: PathBuf,
    rounds: Receiver<Told>,
    signals: Signals,
    thread: Option<JoinHandle<()>>,
}

/// What came of a round: what had changed, and the build, or what is wrong.
struct Told {
    changed: Vec<String>,
    result: Result<String, String>,
}

impl Watched {
    fn start(app: App, listening: &Listening) -> Self {
        let out = app.root().join(".ssbuild/watch");
        let request = request(&app.root(), "development", Purpose::Publish(out.clone()));
        let mut watch = Watch::start(request, listening).expect("the folder can be watched");
        let signals = watch.signals();
        let (tell, rounds) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut changed = Vec::new();
            loop {
                let round = watch.build(changed).expect("it can still be watched");
                let result = match round.result {
                    Ok(outcome) => match outcome.manifest {
                        Some(manifest) => Ok(manifest.build_id),
                        None => Err(outcome.report.to_text(false)),
                    },
                    Err(error) => Err(error.to_string()),
                };
                // A test that has ended listens no more.
                drop(tell.send(Told { changed: round.changed, result }));
                changed = match watch.wait() {
                    Signal::Changed(paths) => paths,
                    Signal::Rebuild => Vec::new(),
                    Signal::Quit => return,
                };
            }
        });
        Self { app, out, rounds, signals, thread: Some(thread) }
    }

    /// Waits for a round that ends as `is` says.
    fn until(&self, what: &str, is: impl Fn(&Told) -> bool) -> Told {
        let started = Instant::now();
        let mut last = String::from("nothing was built");
        while let Some(left) = PATIENCE.checked_sub(started.elapsed()) {
            let Ok(told) = self.rounds.recv_timeout(left) else { break };
            if is(&told) {
                return told;
            }
            last = format!("{:?} after {:?}", told.result, told.changed);
        }
        panic!("waited for {what}; last: {last}")
    }

    /// Waits until what is built is what a clean build of the same files makes, byte for byte.
    fn settles(&self, what: &str) {
        let elsewhere = TempDir::new().expect("a folder");
        let clean = build(&self.app.root(), "development", elsewhere.path()).expect("the machine does its part");
        match clean.manifest {
            None => {
                let wanted = clean.report.to_text(false);
                self.until(what, |told| told.result.as_ref() == Err(&wanted));
            }
            Some(manifest) => {
                let id = manifest.build_id;
                let wanted = contents(elsewhere.path(), &id);
                let started = Instant::now();
                let files = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
                // The round that made it may have been told of already. One that saw a folder leave may have made a build of
                // this name that still speaks of it; the next round, which the change has caused, puts that right.
                let other = || {
                    if selected(&self.out).as_deref() != Some(&*id) {
                        return Some(format!("{id} was not built"));
                    }
                    let is = contents(&self.out, &id);
                    if files(&is) != files(&wanted) {
                        return Some(format!("it has the files {:?} and not {:?}", files(&is), files(&wanted)));
                    }
                    let differs = wanted.iter().find(|(path, bytes)| is[*path] != **bytes);
                    differs.map(|(path, _)| format!("{path} has other bytes than a clean build's"))
                };
                while let Some(other) = other() {
                    let left = PATIENCE.checked_sub(started.elapsed()).unwrap_or_default();
                    let told = self.rounds.recv_timeout(left);
                    assert!(told.is_ok(), "{what}: {other}");
                }
            }
        }
    }

    fn root(&self) -> PathBuf {
        self.app.root()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.signals.quit();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the watch panicked");
        }
    }
}

fn selected(out: &Path) -> Option<String> {
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(out.join("manifest.json")).ok()?).ok()?;
    manifest["build_id"].as_str().map(str::to_owned)
}

/// The files of one build: its folder, the assets that its manifest names, and the manifest. Another build may be written
/// at the same time, so nothing else is looked at.
fn contents(out: &Path, id: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = format!("builds/{id}");
    let mut files: BTreeMap<String, Vec<u8>> = Dist::read(&out.join(&folder))
        .files
        .into_iter()
        .map(|(path, bytes)| (format!("{folder}/{path}"), bytes))
        .collect();
    let manifest: Manifest = serde_json::from_slice(&files[&format!("{folder}/manifest.json")]).expect("a manifest");
    for asset in manifest.assets.into_values() {
        let bytes = fs::read(out.join(&asset.file)).expect("the manifest names files that are there");
        files.insert(asset.file, bytes);
    }
    files
}

/// A small app in which everything depends on something.
fn small() -> App {
    App::new(&[
        ("app/client/app.js", "import './side';\nexports.init = function () { return SS.shared.sum.of(1, 2); };\n"),
        ("app/client/side.js", "import tiny from 'tiny';\nexport const side = tiny();\n"),
        ("app/client/geo/code.ts", "export const code: number = 7;\n"),
        ("app/shared/sum.js", "exports.of = function (a, b) { return a + b; };\n"),
        ("app/server/app.js", "exports.actions = { square: function (n, cb) { cb(n * n); } };\n"),
        ("app/css/app.scss", "@import 'parts/colors';\nbody { color: $ink; background: url(/images/dot.svg); }\n"),
        ("app/css/parts/_colors.scss", "$ink: #123;\n"),
        ("app/views/people/info.html", "<p>hello</p>\n"),
        ("lib/client/1.first.js", "window.first = 1;\n"),
        ("lib/css/1.reset.css", "* { margin: 0 }\n"),
        ("public/images/dot.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n"),
        // Else the first build would write one, and the second would be for that.
        ("tsconfig.json", "{}\n"),
        ("config/app.json", "{ \"client\": { \"color\": \"red\" } }\n"),
        ("node_modules/tiny/package.json", "{ \"name\": \"tiny\", \"main\": \"index.js\" }\n"),
        ("node_modules/tiny/index.js", "module.exports = function () { return 'tiny'; };\n"),
    ])
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

#[test]
fn each_kind_of_change_makes_a_build() {
    let watched = Watched::start(small(), &Listening::Events);
    let root = watched.root();
    watched.settles("the first build");

    write(&root.join("app/client/side.js"), "export const side = 2;\n");
    watched.settles("a file written in place");

    write(&root.join("app/client/.side.js.swp"), "export const side = 3;\n");
    fs::rename(root.join("app/client/.side.js.swp"), root.join("app/client/side.js")).expect("a rename");
    watched.settles("a file written beside and renamed");

    write(&root.join("app/client/new/deep/file.js"), "exports.there = 1;\n");
    watched.settles("a new file in new folders");

    fs::rename(root.join("app/client/new"), root.join("app/client/moved")).expect("a rename");
    watched.settles("a folder that moved");
    write(&root.join("app/client/moved/deep/file.js"), "exports.there = 2;\n");
    watched.settles("a file in a folder that had moved");

    fs::remove_dir_all(root.join("app/client/moved")).expect("a folder less");
    watched.settles("a folder that is gone");

    write(&root.join("app/css/parts/_colors.scss"), "$ink: #456;\n");
    watched.settles("a partial");

    write(&root.join("config/app.json"), "{ \"client\": { \"color\": \"blue\" } }\n");
    watched.settles("the configuration");
    write(&root.join("config/environments/development.json"), "{ \"client\": { \"color\": \"green\" } }\n");
    watched.settles("a configuration in a new folder");

    write(&root.join("app/client/side.js"), "import tiny from 'tiny';\nexport const side = tiny();\n");
    watched.settles("an import of a package");
    write(&root.join("node_modules/tiny/index.js"), "module.exports = function () { return 'changed'; };\n");
    watched.settles("a file of a package");
    fs::rename(root.join("node_modules/tiny"), root.join("node_modules/.tiny-old")).expect("a rename");
    watched.settles("a package that is gone");
    fs::rename(root.join("node_modules/.tiny-old"), root.join("node_modules/tiny")).expect("a rename");
    watched.settles("a package that is back");

    write(&root.join("elsewhere/linked.js"), "exports.linked = 1;\n");
    symlink("../../elsewhere/linked.js", root.join("app/client/linked.js")).expect("a link");
    watched.settles("a new link");
    write(&root.join("elsewhere/linked.js"), "exports.linked = 2;\n");
    watched.settles("what a link leads to");
    write(&root.join("elsewhere/folder/one.js"), "exports.one = 1;\n");
    symlink("../../elsewhere/folder", root.join("app/client/folder")).expect("a link");
    watched.settles("a link to a folder");
    write(&root.join("elsewhere/folder/two.js"), "exports.two = 2;\n");
    watched.settles("a new file where a link leads");

    fs::rename(root.join("app"), root.join("app-aside")).expect("a rename");
    watched.settles("an app without a folder `app`");
    fs::rename(root.join("app-aside"), root.join("app")).expect("a rename");
    watched.settles("the folder is back");
    write(&root.join("app/client/side.js"), "export const side = 4;\n");
    watched.settles("a file in it");
}

#[test]
fn a_broken_build_keeps_the_last_good_one() {
    let watched = Watched::start(small(), &Listening::Events);
    let root = watched.root();
    watched.settles("the first build");
    let good = selected(&watched.out);
    write(&root.join("app/client/side.js"), "export const = ;\n");
    watched.settles("a mistake");
    assert_eq!(selected(&watched.out), good);
    write(&root.join("app/client/side.js"), "export const side = 5;\n");
    watched.settles("a mended mistake");
    assert_ne!(selected(&watched.out), good);
}

#[test]
fn what_no_build_looked_at_is_of_no_interest() {
    let watched = Watched::start(small(), &Listening::Events);
    let root = watched.root();
    watched.settles("the first build");
    for path in [
        "README.md",
        ".git/HEAD",
        "dist/manifest.json",
        ".ssbuild/other",
        // The names in `node_modules` were looked at: which packages there are is of interest.
        "types/ss.d.ts",
    ] {
        write(&root.join(path), "not looked at\n");
    }
    write(&root.join("app/client/side.js"), "export const side = 6;\n");
    let told = watched.until("the one change that counts", |told| !told.changed.is_empty());
    assert_eq!(told.changed, ["app/client/side.js"]);
}

#[test]
fn many_files_at_once_are_one_change() {
    let watched = Watched::start(small(), &Listening::Events);
    let root = watched.root();
    watched.settles("the first build");
    // As `git checkout` does it.
    write(&root.join(".git/index.lock"), "");
    for n in 0..200 {
        write(&root.join(format!("app/client/many/m{n}.js")), &format!("exports.n = {n};\n"));
    }
    fs::remove_file(root.join(".git/index.lock")).expect("the lock is there");
    watched.settles("200 files");
}

#[test]
fn a_folder_that_tells_nothing_is_polled() {
    let watched = Watched::start(small(), &Listening::Polling("for this test".to_owned()));
    let root = watched.root();
    watched.settles("the first build");
    write(&root.join("app/client/side.js"), "export const side = 'another length';\n");
    watched.settles("a file");
    write(&root.join("app/client/fresh.js"), "exports.fresh = 1;\n");
    watched.settles("a new file");
    fs::remove_file(root.join("app/client/fresh.js")).expect("it is there");
    watched.settles("a file that is gone");
}

/// Numbers that look random and are the same on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        // Knuth's multiplier for a linear congruential generator; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % most
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

const FILES: &[&str] = &[
    "app/client/app.js",
    "app/client/side.js",
    "app/client/geo/code.ts",
    "app/client/geo/more/deep.js",
    "app/client/late.js",
    "app/shared/sum.js",
    "app/server/app.js",
    "app/server/rooms/list.js",
    "app/css/app.scss",
    "app/css/parts/_colors.scss",
    "app/views/app.html",
    "app/views/people/info.html",
    "app/views/people/row.html",
    "lib/client/1.first.js",
    "lib/client/2.second.js",
    "lib/css/1.reset.css",
    "public/images/dot.svg",
    "public/robots.txt",
    "config/app.json",
    "config/environments/development.json",
    "node_modules/tiny/index.js",
    "node_modules/tiny/package.json",
];

/// A text that fits a file, sometimes one with a mistake.
fn text(chance: &mut Chance, path: &str) -> String {
    let n = chance.below(1000);
    if chance.below(12) == 0 {
        return "}{ broken <%".to_owned();
    }
    match path {
        "app/client/app.js" => {
            let import = *chance.of(&["import './side';", "import 'tiny';", "import './geo/code';", ""]);
            let lazy = *chance.of(&["", "import('./late');"]);
            format!("{import}\nexports.init = function () {{ {lazy} return {n}; }};\n")
        }
        "app/client/side.js" => {
            format!(
                "{}\nexport const side = {n};\n",
                chance.of(&["import tiny from 'tiny';", "import './geo/more/deep';", ""])
            )
        }
        "app/css/app.scss" => format!("{}\nbody {{ margin: {n}px; }}\n", chance.of(&["@import 'parts/colors';", ""])),
        "app/css/parts/_colors.scss" => format!("$ink: #{n:03};\n"),
        "app/views/app.html" => {
            format!("<html><head><SocketStream></head><body>{n}<img src=\"/images/dot.svg\"></body></html>\n")
        }
        "node_modules/tiny/package.json" => {
            format!("{{ \"name\": \"tiny\", \"main\": \"{}.js\" }}\n", chance.of(&["index", "other"]))
        }
        _ => match path.rsplit('.').next().expect("an ending") {
            "js" if path.starts_with("app/server") => {
                format!("exports.actions = {{ a{n}: function (cb) {{ cb({n}); }} }};\n")
            }
            "js" | "ts" => format!("exports.n = {n};\n"),
            "css" => format!("p {{ margin: {n}px }}\n"),
            "json" => format!("{{ \"client\": {{ \"n\": {n} }} }}\n"),
            _ => format!("<p>{n}</p>\n"),
        },
    }
}

/// One thing that somebody does to a folder.
fn edit(chance: &mut Chance, root: &Path) -> String {
    let path = *chance.of(FILES);
    let file = root.join(path);
    match chance.below(10) {
        0 | 1 => {
            let beside = file.with_file_name(format!(".{}.tmp", chance.below(100)));
            let text = text(chance, path);
            write(&beside, &text);
            fs::rename(&beside, &file).expect("a rename");
            format!("replace {path}")
        }
        2 => {
            drop(fs::remove_file(&file));
            format!("remove {path}")
        }
        3 => {
            let folder = *chance.of(&[
                "app/client/geo",
                "app/views/people",
                "public/images",
                "config/environments",
                "node_modules/tiny",
            ]);
            let aside = root.join("aside").join(folder.replace('/', "-"));
            fs::create_dir_all(root.join("aside")).expect("a folder");
            let (from, to) = if aside.exists() { (aside, root.join(folder)) } else { (root.join(folder), aside) };
            fs::create_dir_all(to.parent().expect("a folder above")).expect("a folder");
            drop(fs::remove_dir_all(&to));
            drop(fs::rename(from, to));
            format!("move {folder} away or back")
        }
        4 => {
            drop(fs::remove_dir_all(file.parent().filter(|folder| *folder != root).expect("a folder of the app")));
            format!("remove the folder of {path}")
        }
        _ => {
            let text = text(chance, path);
            write(&file, &text);
            format!("write {path}")
        }
    }
}

/// As many scripts as the soak asks for, spread over apps that are watched one after the other.
#[test]
fn after_any_sequence_of_edits_the_output_is_a_clean_builds() {
    let scripts = if std::env::var_os("SSBUILD_SOAK").is_some() { 1_000 } else { 50 };
    let mut seed = 0;
    while seed < scripts {
        // A watch lives through several scripts: what one leaves behind is where the next begins.
        let watched = Watched::start(small(), &Listening::Events);
        for _ in 0..10 {
            seed += 1;
            let mut chance = Chance(seed * 7919);
            let steps = 1 + chance.below(8);
            let done: Vec<String> = (0..steps).map(|_| edit(&mut chance, &watched.root())).collect();
            watched.settles(&format!("script {seed}: {}", done.join(", ")));
        }
    }
}

/// The program itself, until its last line of output is read and it has ended.
pub(crate) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    pub(crate) fn start(root: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.arg("watch").arg(root).args(["--port", "0"]).args(args).env_remove("SS_ENV");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        Self { child, lines }
    }

    /// Reads on to a line with these words.
    pub(crate) fn says(&mut self, words: &str) -> String {
        let lines = self.lines.by_ref().map_while(Result::ok);
        lines
            .into_iter()
            .find(|line| line.contains(words))
            .unwrap_or_else(|| panic!("it ended before it said {words:?}"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn the_program_serves_what_it_builds() {
    let app = small();
    let mut program = Program::start(&app.root(), &["--json"]);
    let first: serde_json::Value = serde_json::from_str(&program.says("\"event\":\"build\"")).expect("JSON");
    let url = first["url"].as_str().expect("it says where").to_owned();
    let page = |words: &str| {
        let page = ask(&url);
        assert!(page.contains(words), "{words} in {page}");
    };
    page("\"env\":\"development\"");
    app.write("app/views/app.html", "<html><head><SocketStream></head><body>changed</body></html>\n");
    let second: serde_json::Value = serde_json::from_str(&program.says("\"event\":\"build\"")).expect("JSON");
    assert_eq!(second["changed"], serde_json::json!(["app/views/app.html"]));
    page("<body>changed</body>");
    app.write("app/client/app.js", "}{");
    let broken: serde_json::Value = serde_json::from_str(&program.says("\"event\":\"build\"")).expect("JSON");
    assert_eq!(broken["built"], serde_json::json!(false));
    page("<body>changed</body>");
    assert!(!app.root().join("dist").exists(), "what will be deployed is not touched");
}

/// The text of the page at an address.
fn ask(url: &str) -> String {
    let host = url.strip_prefix("http://").expect("an address");
    let mut stream = std::net::TcpStream::connect(host).expect("it listens there");
    write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn lines_are_for_people() {
    let app = small();
    let mut program = Program::start(&app.root(), &[]);
    assert!(program.says("serving on ").contains("http://localhost:"));
    app.write("app/client/side.js", "export const side = 9;\n");
    assert!(program.says("  built ").contains(": app/client/side.js"));
}
