//! `ssbuild test`: finds an app's tests, links each file as server code is linked, and runs them against the app as built.

mod junit;
mod report;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::channel,
    },
};

use ssbuild_diagnostic::Diagnostic;
use ssbuild_script::{Options, Wrap};
use ssbuild_server::{
    load::Build,
    testing::{self, Event, Outcome, TestFile},
};

pub use junit::junit;
pub use report::{json_line, summary, text};

use crate::{
    bundle::{Numbering, Start, Writer},
    disk::{Disk, DiskError, Kind},
    graph::{Compile, Graph, Loader},
    link::{Chunking, Roots, link},
    project::Format,
    resolve::{Resolver, Side},
};

/// The folder that tests lie in.
const FOLDER: &str = "test";

/// A test file that is ready to run.
#[derive(Debug)]
pub struct Linked {
    /// What is run.
    pub file: TestFile,
    map: Option<String>,
    /// The sources in the map, by name.
    sources: BTreeMap<String, String>,
}

/// What came of one file.
#[derive(Debug)]
pub struct FileResult {
    /// Which.
    pub name: String,
    /// What happened, in order.
    pub events: Vec<Event>,
}

impl FileResult {
    /// How many of its tests ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        let is = |event: &&Event| matches!(event, Event::Test(test) if test.outcome == outcome);
        self.events.iter().filter(is).count()
    }

    /// Whether something in it failed.
    pub fn has_failed(&self) -> bool {
        let broken = |event: &Event| matches!(event, Event::Broken(_) | Event::Stray(_));
        self.count(Outcome::Failed) > 0 || self.events.iter().any(broken)
    }
}

/// The app's test files, in order: `test/**/*.test.*`, without ignored names. With `filters`, those whose path holds one of them.
pub fn find(disk: &dyn Disk, root: &Path, filters: &[String]) -> Result<Vec<String>, DiskError> {
    let mut found = Vec::new();
    if disk.kind(&root.join(FOLDER))? == Some(Kind::Folder) {
        walk(disk, root, FOLDER, &mut found)?;
    }
    found.sort();
    found.retain(|name| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str())));
    Ok(found)
}

fn walk(disk: &dyn Disk, root: &Path, folder: &str, found: &mut Vec<String>) -> Result<(), DiskError> {
    for entry in disk.list(&root.join(folder))? {
        let name = entry.name.as_str();
        if name.starts_with(['_', '.']) || name.ends_with('~') || name == "node_modules" {
            continue;
        }
        let path = format!("{folder}/{name}");
        if entry.kind == Kind::Folder {
            walk(disk, root, &path, found)?;
        } else if is_test(name) {
            found.push(path);
        }
    }
    Ok(())
}

fn is_test(name: &str) -> bool {
    let script = matches!(Format::of(name), Format::Script(_) | Format::Coffee);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    script && (stem.ends_with(".test") || stem.ends_with(".spec"))
}

/// What linking needs to know.
pub(crate) struct Linker<'a> {
    /// Where files are read.
    pub(crate) disk: &'a std::sync::Arc<dyn Disk>,
    /// The app's folder.
    pub(crate) root: &'a Path,
    /// The environment.
    pub(crate) env: &'a str,
    /// Who compiles.
    pub(crate) compile: &'a Compile<'a>,
}

impl Linker<'_> {
    /// Compiles test files and what they import; those with errors among the findings are not there.
    pub(crate) fn link(&self, names: &[String]) -> Result<(Vec<Linked>, Vec<Diagnostic>), DiskError> {
        let (mut linked, mut found) = (Vec::new(), Vec::new());
        for name in names {
            let (file, more) = self.link_one(name)?;
            linked.extend(file);
            found.extend(more);
        }
        Ok((linked, found))
    }

    fn link_one(&self, name: &str) -> Result<(Option<Linked>, Vec<Diagnostic>), DiskError> {
        let resolver = Resolver::new(self.disk, self.root, self.env, &[]);
        let Some(path) = resolver.real(&self.root.join(name)) else { return Ok((None, Vec::new())) };
        let loader = Loader {
            disk: &**self.disk,
            root: self.root,
            resolver: &resolver,
            side: Side::Server,
            options: options(self.env),
            compile: self.compile,
            import_sheet: &|path, _| crate::sheets::Imported::refused(path),
        };
        let (graph, mut found) = loader.load(std::slice::from_ref(&path))?;
        if found.iter().any(Diagnostic::is_error) {
            return Ok((None, found));
        }
        let module = graph.find(&path).expect("the root is in the graph");
        let (linked, cycles) = link(&graph, &Roots { all: vec![module], ..Roots::default() }, Chunking::None);
        found.extend(cycles);
        let mut writer = Writer::new(true);
        writer.define(&graph, &linked.main, Numbering::Linked(&linked));
        let tree = BTreeMap::from([("file".to_owned(), i64::from(linked.ids[module]))]);
        writer.start(&Start { trees: vec![("test", tree)], order: Vec::new() });
        let script = writer.finish(name);
        let file = TestFile { name: name.to_owned(), bundle: script.code };
        Ok((Some(Linked { file, map: script.map, sources: sources(&graph) }), found))
    }
}

fn sources(graph: &Graph) -> BTreeMap<String, String> {
    graph.modules.iter().map(|module| (module.name.clone(), module.text.to_string())).collect()
}

fn options(env: &str) -> Options {
    let node_env = if env == "production" { "\"production\"" } else { "\"test\"" };
    Options {
        wrap: Wrap::Module,
        minify: ssbuild_script::Minify::Off,
        source_map: true,
        read_actions: false,
        defines: vec![("process.env.NODE_ENV".to_owned(), node_env.to_owned())],
        depth_limit: ssbuild_script::DEPTH_LIMIT,
        shake: ssbuild_script::Shake::No,
        typescript: ssbuild_script::TypeScript::default(),
        side: ssbuild_script::Side::Browser,
    }
}

/// Runs files, as many at a time as the machine has processors; `done` is told of each in the order of their names.
pub fn run(build: &Build, files: &[Linked], options: &testing::Options, mut done: impl FnMut(&Linked, FileResult)) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len().max(1));
    let next = AtomicUsize::new(0);
    let (results, waiting) = channel();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (results, next) = (results.clone(), &next);
            let work = move || {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)).map(|linked| &linked.file) {
                    let mut events = Vec::new();
                    testing::run_file(build, file, options, &mut |event| events.push(event));
                    let at = files.iter().position(|other| std::ptr::eq(&other.file, file)).unwrap_or_default();
                    // Nobody listens any more when the run was given up.
                    let _ = results.send((at, FileResult { name: file.name.clone(), events }));
                }
            };
            std::thread::Builder::new()
                .stack_size(testing::STACK_BYTES)
                .spawn_scoped(scope, work)
                .expect("a process can start a thread");
        }
        drop(results);
        let mut early = BTreeMap::new();
        let mut told = 0;
        for (at, result) in waiting {
            early.insert(at, result);
            while let Some(result) = early.remove(&told) {
                done(&files[told], result);
                told += 1;
            }
        }
    });
}
