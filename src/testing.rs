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
use ssbuild_server::{
    load::Build,
    testing::{self, Event, Outcome, TestFile},
};

pub use junit::junit;
pub use report::{json_line, summary, text};

use crate::{
    disk::{Disk, DiskError, Kind},
    graph::Graph,
    project::{Format, is_ignored},
    standalone::Standalone,
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
        if is_ignored(name) || name == "node_modules" {
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

/// Compiles test files and what they import; those with errors among the findings are not there.
pub(crate) fn link(alone: &Standalone<'_>, names: &[String]) -> Result<(Vec<Linked>, Vec<Diagnostic>), DiskError> {
    let (mut linked, mut found) = (Vec::new(), Vec::new());
    for name in names {
        let Some((loaded, more)) = alone.load(name)? else { continue };
        let sound = !more.iter().any(Diagnostic::is_error);
        found.extend(more);
        if sound {
            let (script, cycles) = loaded.bundle(name, "test", "file");
            found.extend(cycles);
            let file = TestFile { name: name.to_owned(), bundle: script.code };
            linked.push(Linked { file, map: script.map, sources: sources(&loaded.graph) });
        }
    }
    Ok((linked, found))
}

/// What `process.env.NODE_ENV` is in tests.
pub(crate) fn node_env(env: &str) -> &'static str {
    if env == "production" { "production" } else { "test" }
}

fn sources(graph: &Graph) -> BTreeMap<String, String> {
    graph.modules.iter().map(|module| (module.name.clone(), module.text.to_string())).collect()
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
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(Linked { file, .. }) = files.get(at) else { return };
                    let mut events = Vec::new();
                    testing::run_file(build, file, options, &mut |event| events.push(event));
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
