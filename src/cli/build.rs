use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Instant};

use ssbuild::{
    cache::Mode,
    config::is_unread,
    disk::{Disk, RealDisk},
    pipeline::{self, Outcome, Purpose},
    report,
    session::Session,
    timings::Timings,
};

use super::{
    APP_ERRORS,
    args::{AppArgs, CacheArgs, Level, OutputArgs, StrictArgs, absolute, variables},
    screen::{self, Findings},
};

/// Compile an app (also without the word)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Build {
    #[command(flatten)]
    pub(super) app: AppArgs,
    /// Folder to write to [default: dist in the app's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) strict: StrictArgs,
    #[command(flatten)]
    pub(super) cache: CacheArgs,
    /// Show where the time went
    #[arg(long)]
    timings: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild build                          compile the app in this folder into dist
  ssbuild build talk --out /srv/talk     compile the app in `talk` into another folder
  ssbuild build --env staging --json     findings and sizes as JSON, one object a line";

impl Build {
    pub(super) fn run(&self) -> ExitCode {
        let started = Instant::now();
        let timings = if self.timings { Timings::since(started) } else { Timings::default() };
        let session = self.cache.session(&self.app.root(), Mode::ReadWrite).timed(timings);
        let done = match compile(&self.app, &self.strict, &session, Purpose::Publish(self.out())) {
            Ok(outcome) => finish(&self.output, outcome, started),
            Err(error) => screen::could_not_run(&error),
        };
        if let Some(table) = session.timings().table() {
            screen::to_stderr(&table);
        }
        done
    }

    /// Where the build goes.
    pub(super) fn out(&self) -> PathBuf {
        self.out.as_deref().map_or_else(|| self.app.root().join("dist"), absolute)
    }
}

/// Compiles, and adds to the findings what only the command line knows. The error is a sentence.
pub(super) fn compile(
    app: &AppArgs,
    strict: &StrictArgs,
    session: &Session,
    purpose: Purpose,
) -> Result<Outcome, String> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let request = app.request("production", purpose, strict.warnings())?;
    let mut outcome = pipeline::build(&disk, &request, session).map_err(|error| error.to_string())?;
    let unread = variables().into_iter().filter(|(name, _)| is_unread(name));
    outcome.report.extend(unread.map(|(name, _)| ssbuild::config::unread(&name)));
    Ok(outcome)
}

fn finish(output: &OutputArgs, mut outcome: Outcome, started: Instant) -> ExitCode {
    // What the pages are made of is large and not asked for here. The process may end before all of it is given back.
    let browser = outcome.browser.take();
    std::thread::spawn(move || drop(browser));
    if screen::findings(output, outcome.report) == Findings::Errors {
        return ExitCode::from(APP_ERRORS);
    }
    if let Some(manifest) = &outcome.manifest {
        if output.json {
            screen::to_stdout(&format!("{}\n", report::json(manifest, &outcome.modules, started.elapsed())));
        } else if output.level() >= Level::Info {
            screen::to_stdout(&report::text(manifest, &outcome.modules, started.elapsed()));
        }
    }
    ExitCode::SUCCESS
}
