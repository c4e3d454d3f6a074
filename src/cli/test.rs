use std::{
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use ssbuild::{
    cache::Mode,
    disk::{Disk, RealDisk},
    pipeline::{self, Purpose, Warnings},
    testing,
};
use ssbuild_server::{load::Build, manifest::EngineKind, testing::Options};

use super::{
    APP_ERRORS,
    args::{AppArgs, CacheArgs, OutputArgs},
    screen::{self, Findings},
};

/// Run the app's own tests, each file against a private server of the app
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Test {
    #[command(flatten)]
    app: AppArgs,
    /// Run only files whose path holds one of these
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Run only tests whose name this regular expression finds
    #[arg(long, short = 't', value_name = "REGEX")]
    name: Option<String>,
    /// Engine for the app's server code [default: the build's own]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<EngineArg>,
    /// Milliseconds that a test has unless it says another time
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    timeout: u64,
    /// Write the results as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Run again after each change, until stopped
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    cache: CacheArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EngineArg {
    Embedded,
    Node,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild test                          run the tests of the app in this folder
  ssbuild test . chat                   those in files with `chat` in their path
  ssbuild test talk -t 'logs? in'       tests of the app in `talk` whose name matches
  ssbuild test --junit results.xml      for CI";

/// Pause after a change before the tests run again: an editor writes in several steps.
const SETTLE: Duration = Duration::from_millis(100);

impl Test {
    pub(super) fn run(&self) -> ExitCode {
        if !self.watch {
            return self.once();
        }
        let (changes, watcher) = match watch(&self.app.root()) {
            Ok(watching) => watching,
            Err(error) => return screen::could_not_run(&format!("cannot watch for changes: {error}")),
        };
        loop {
            self.once();
            screen::to_stderr("waiting for changes; stop with Ctrl-C\n");
            if changes.recv().is_err() {
                drop(watcher);
                return ExitCode::SUCCESS;
            }
            while changes.recv_timeout(SETTLE).is_ok() {}
        }
    }

    fn once(&self) -> ExitCode {
        let started = Instant::now();
        let folder = match tempfile::tempdir() {
            Ok(folder) => folder,
            Err(error) => return screen::could_not_run(&format!("cannot make a temporary folder: {error}")),
        };
        let dist = folder.path().join("dist");
        let request = match self.app.request("development", Purpose::Publish(dist.clone()), Warnings::Allow) {
            Ok(request) => request,
            Err(error) => return screen::could_not_run(&error),
        };
        let session = self.cache.session(&self.app.root(), Mode::ReadWrite);
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let built = pipeline::build(&disk, &request, &session);
        let outcome = match built {
            Ok(outcome) => outcome,
            Err(error) => return screen::failed(&error),
        };
        if screen::findings(&self.output, outcome.report) == Findings::Errors {
            return ExitCode::from(APP_ERRORS);
        }
        let linked = match pipeline::link_tests(&disk, &request, &session, &self.filters) {
            Ok(linked) => linked,
            Err(error) => return screen::failed(&error),
        };
        let (files, found) = linked;
        if screen::findings(&self.output, found) == Findings::Errors {
            return ExitCode::from(APP_ERRORS);
        }
        if files.is_empty() {
            return screen::could_not_run(&match self.filters.as_slice() {
                [] => "there are no tests: they are files as `test/chat.test.js`".to_owned(),
                filters => format!("no file of tests has `{}` in its path", filters.join("` or `")),
            });
        }
        let build = match Build::load(&dist, None) {
            Ok(build) => build,
            Err(error) => return screen::could_not_run(&error.to_string()),
        };
        self.run_files(&build, &files, started)
    }

    fn run_files(&self, build: &Build, files: &[testing::Linked], started: Instant) -> ExitCode {
        let engine = self.engine.map(|engine| match engine {
            EngineArg::Embedded => EngineKind::Embedded,
            EngineArg::Node => EngineKind::Node,
        });
        let options = Options { pattern: self.name.clone(), timeout_ms: self.timeout, engine };
        let mut results = Vec::new();
        testing::run(build, files, &options, |linked, result| {
            if self.output.json {
                result.events.iter().filter_map(|event| testing::json_line(linked, &result, event)).for_each(|line| {
                    screen::to_stdout(&line);
                });
            } else if result.has_failed() || self.output.level() >= super::args::Level::Info {
                screen::to_stdout(&testing::text(linked, &result));
            }
            results.push(result);
        });
        if !self.output.json {
            screen::to_stdout(&format!("\n{}", testing::summary(&results, started.elapsed())));
        }
        if let Some(path) = &self.junit {
            let written = testing::junit(&build.manifest.app, files, &results)
                .and_then(|text| std::fs::write(path, text).map_err(|error| error.to_string()));
            if let Err(error) = written {
                return screen::could_not_run(&format!("cannot write {}: {error}", path.display()));
            }
        }
        if results.iter().any(testing::FileResult::has_failed) { ExitCode::from(APP_ERRORS) } else { ExitCode::SUCCESS }
    }
}

type Changes = (std::sync::mpsc::Receiver<()>, notify::RecommendedWatcher);

/// Tells of changes of the app's own files.
fn watch(root: &std::path::Path) -> notify::Result<Changes> {
    use notify::Watcher as _;
    let (tell, changes) = std::sync::mpsc::channel();
    let own = root.to_owned();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let ours = |path: &PathBuf| {
            let first = path.strip_prefix(&own).ok().and_then(|path| path.components().next());
            let name = first.map(|first| first.as_os_str().to_string_lossy().into_owned());
            !matches!(name.as_deref(), Some("dist" | ".ssbuild" | ".git" | ".ssserve" | "types") | None)
        };
        if !event.kind.is_access() && event.paths.iter().any(ours) {
            // The run that would listen may be over.
            let _ = tell.send(());
        }
    })?;
    watcher.watch(root, notify::RecursiveMode::Recursive)?;
    Ok((changes, watcher))
}
