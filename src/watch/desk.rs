use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::{Mutex, MutexGuard, OnceLock},
};

use serde::Serialize;
use ssbuild_diagnostic::{Diagnostic, Report};
use ssbuild_server::{dev::Author, engine::CallError, log::Log, manifest::Manifest};

use super::{
    notice,
    positions::Positions,
    version::{Update, Version},
};
use crate::pipeline::Browser;

/// How many builds back a page may be.
const VERSIONS: usize = 8;
/// How many scripts of updates are kept for pages that have not asked for them yet.
const SCRIPTS: usize = 32;
/// Lines of code before and behind the one that failed.
const FRAME_LINES: usize = 2;

/// The author's desk: what the server tells pages while the app is worked on.
pub(super) struct Desk {
    root: PathBuf,
    dist: PathBuf,
    /// Address that opens a file, with `{file}`, `{line}` and `{column}` in it.
    editor_url: Mutex<String>,
    /// Where what pages say goes, once the server has one.
    log: OnceLock<Log>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The newest last.
    versions: VecDeque<Version>,
    /// What changed to make the newest, and how long it took.
    changed: Vec<String>,
    took_ms: u64,
    /// Path below `/_ss/dev/` to text.
    scripts: VecDeque<(String, String)>,
    problems: Vec<Problem>,
    /// Of the newest version's server code.
    positions: Option<Positions>,
}

/// What the overlay shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) places: Vec<Spot>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Spot {
    pub(super) name: String,
    pub(super) url: String,
}

impl Desk {
    pub(super) fn new(root: PathBuf, dist: PathBuf) -> Self {
        Self { root, dist, editor_url: Mutex::default(), log: OnceLock::new(), state: Mutex::default() }
    }

    /// The server is there.
    pub(super) fn set_log(&self, log: Log) {
        // There is one server.
        let _ = self.log.set(log);
    }

    /// The build that came last is not served after all.
    pub(super) fn take_back(&self) {
        self.state().versions.pop_back();
    }

    /// How an editor opens files.
    pub(super) fn set_editor(&self, url: &str) {
        url.clone_into(&mut self.editor_url.lock().expect("no holder of this lock panics"));
    }

    /// A new build; tells whether what was wrong has changed.
    pub(super) fn built(&self, manifest: Manifest, browser: Browser, changed: &[String], took_ms: u64) {
        let positions = manifest.server.map.as_ref().and_then(|map| {
            let text = std::fs::read_to_string(self.dist.join(&map.file)).ok()?;
            Positions::read(&text)
        });
        let mut state = self.state();
        state.versions.retain(|version| version.build_id() != manifest.build_id);
        state.versions.push_back(Version::new(manifest, browser));
        while state.versions.len() > VERSIONS {
            state.versions.pop_front();
        }
        changed.clone_into(&mut state.changed);
        (state.took_ms, state.positions) = (took_ms, positions);
    }

    /// What is wrong with the sources now. Tells whether that is something else than before.
    pub(super) fn found(&self, report: &Report) -> bool {
        let errors = report.sorted().into_iter().filter(|found| found.is_error());
        self.set_problems(errors.map(|found| self.problem(found)).collect())
    }

    /// The same for what no place can be named for.
    pub(super) fn failed_to_build(&self, message: &str) -> bool {
        let title = "The app could not be built".to_owned();
        self.set_problems(vec![Problem { title, text: message.to_owned(), places: Vec::new() }])
    }

    /// What is wrong, for people.
    pub(super) fn notice(&self, number: u64) -> String {
        notice::html(&self.state().problems, number)
    }

    fn set_problems(&self, problems: Vec<Problem>) -> bool {
        let mut state = self.state();
        let changed = state.problems != problems;
        state.problems = problems;
        changed
    }

    fn problem(&self, found: &Diagnostic) -> Problem {
        let places = found.labels.iter().map(|label| &label.place);
        let places = places.map(|place| self.spot(&place.file, place.line, place.column));
        Problem { title: found.message.clone(), text: found.to_text(false), places: places.collect() }
    }

    fn spot(&self, file: &str, line: u32, column: u32) -> Spot {
        let template = self.editor_url.lock().expect("no holder of this lock panics").clone();
        let path = self.root.join(file);
        let url = template
            .replace("{file}", &path.to_string_lossy())
            .replace("{line}", &line.max(1).to_string())
            .replace("{column}", &column.max(1).to_string());
        let name = if line == 0 { file.to_owned() } else { format!("{file}:{line}:{column}") };
        Spot { name, url }
    }

    /// The lines around a place of a source.
    fn frame(&self, file: &str, line: u32, column: u32) -> String {
        let Ok(text) = std::fs::read_to_string(self.root.join(file)) else { return String::new() };
        let at = line as usize;
        let mut frame = format!(" --> {file}:{line}:{column}\n");
        for (n, text) in text.lines().enumerate().map(|(n, text)| (n + 1, text)) {
            if n + FRAME_LINES < at || n > at + FRAME_LINES {
                continue;
            }
            frame.push_str(&format!("{n:>5} | {text}\n"));
            if n == at {
                let indent = " ".repeat(column.saturating_sub(1) as usize);
                frame.push_str(&format!("      | {indent}^\n"));
            }
        }
        frame
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl Author for Desk {
    fn update(&self, from: &str) -> Option<String> {
        let mut state = self.state();
        let newest = state.versions.back()?;
        if newest.build_id() == from {
            return None;
        }
        let (mut update, script) = match state.versions.iter().find(|version| version.build_id() == from) {
            Some(version) => version.update_to(newest),
            None => {
                let reload = Some("its build is not known any more".to_owned());
                let (from, to) = (from.to_owned(), newest.build_id().to_owned());
                (Update { from, to, reload, ..Update::default() }, None)
            }
        };
        (update.changed, update.took_ms) = (state.changed.clone(), state.took_ms);
        if let Some(script) = script {
            let name = format!("{}-{}.js", update.from, update.to);
            update.script = Some(format!("/_ss/dev/{name}"));
            if !state.scripts.iter().any(|(known, _)| *known == name) {
                let map = script.map.map(|map| (format!("{name}.map"), map));
                state.scripts.push_back((name.clone(), format!("{}//# sourceMappingURL={name}.map\n", script.code)));
                state.scripts.extend(map);
                while state.scripts.len() > SCRIPTS {
                    state.scripts.pop_front();
                }
            }
        }
        Some(serde_json::to_string(&update).expect("an update is plain data"))
    }

    fn problems(&self) -> String {
        serde_json::to_string(&self.state().problems).expect("problems are plain data")
    }

    fn script(&self, path: &str) -> Option<String> {
        self.state().scripts.iter().find(|(name, _)| name == path).map(|(_, text)| text.clone())
    }

    fn failed(&self, action: &str, error: &CallError) -> Option<String> {
        // What has no stack is no fault of the action's code: a limit, a missing login.
        let stack = error.stack.as_ref()?;
        let frames: Vec<(String, u32, u32)> = {
            let state = self.state();
            let mapped = |line: &str| state.positions.as_ref().and_then(|positions| positions.of_frame(line));
            stack.lines().filter_map(|line| self.source_in(line).or_else(|| mapped(line))).collect()
        };
        let own = |(file, ..): &&(String, u32, u32)| !file.contains("node_modules/");
        let first = frames.iter().find(own).map(|(file, line, column)| self.frame(file, *line, *column));
        let places: Vec<Spot> =
            frames.iter().filter(own).map(|(file, line, column)| self.spot(file, *line, *column)).collect();
        let title = format!("{action} failed: {}", error.code.as_str());
        let text = format!("{}\n{}", error.message, first.unwrap_or_else(|| stack.clone()));
        Some(serde_json::to_string(&Problem { title, text, places }).expect("a problem is plain data"))
    }

    fn page_said(&self, level: u8, text: &str) {
        let Some(log) = self.log.get() else { return };
        let shown = self.in_sources(text);
        match level {
            0 => log.error(format_args!("in a page: {shown}")),
            _ => log.warn(format_args!("in a page: {shown}")),
        }
    }
}

impl Desk {
    /// The place of a line of a stack that names a source already.
    fn source_in(&self, frame: &str) -> Option<(String, u32, u32)> {
        let place = frame.trim().strip_prefix("at ")?;
        let place = place.rsplit_once('(').map_or(place, |(_, place)| place).trim_end_matches(')');
        let (rest, column) = place.rsplit_once(':')?;
        let (file, line) = rest.rsplit_once(':')?;
        let place = (file.to_owned(), line.parse().ok()?, column.parse().ok()?);
        self.root.join(file).is_file().then_some(place)
    }

    /// A stack of the browser with the places of the sources in it.
    fn in_sources(&self, text: &str) -> String {
        let maps: BTreeMap<String, PathBuf> = {
            let state = self.state();
            let manifests = state.versions.iter().map(Version::manifest);
            let mapped = manifests.flat_map(|manifest| {
                manifest.assets.values().filter_map(|asset| {
                    let map = manifest.assets.get(asset.map.as_ref()?)?;
                    Some((asset.file.rsplit('/').next()?.to_owned(), self.dist.join(&map.file)))
                })
            });
            mapped.collect()
        };
        let mut known: BTreeMap<&str, Option<Positions>> = BTreeMap::new();
        let lines = text.lines().map(|line| {
            let Some((script, map)) = maps.iter().find(|(script, _)| line.contains(script.as_str())) else {
                return line.to_owned();
            };
            let positions = known
                .entry(script)
                .or_insert_with(|| std::fs::read_to_string(map).ok().and_then(|text| Positions::read(&text)));
            match positions.as_ref().and_then(|positions| positions.of_frame(line)) {
                Some((file, row, column)) => {
                    let before = line.split(" (").next().filter(|before| *before != line).unwrap_or("    at");
                    format!("{before} ({file}:{row}:{column})")
                }
                None => line.to_owned(),
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}
