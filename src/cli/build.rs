use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Instant};

use ssbuild::{
    cache::Mode,
    config::is_unread,
    disk::{Disk, RealDisk},
    pipeline::{self, Outcome, Purpose},
    report,
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
        match compile(&self.app, &self.strict, &self.cache, Purpose::Publish(self.out())) {
            Ok(outcome) => finish(&self.output, outcome, started),
            Err(error) => screen::could_not_run(&error),
        }
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
    cache: &CacheArgs,
    purpose: Purpose,
) -> Result<Outcome, String> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    // A check writes nothing at all.
    let mode = if purpose == Purpose::Check { Mode::Read } else { Mode::ReadWrite };
    let session = cache.session(&app.root(), mode);
    let request = app.request("production", purpose, strict.warnings())?;
    let mut outcome = pipeline::build(&disk, &request, &session).map_err(|error| error.to_string())?;
    let unread = variables().into_iter().filter(|(name, _)| is_unread(name));
    outcome.report.extend(unread.map(|(name, _)| ssbuild::config::unread(&name)));
    Ok(outcome)
}

fn finish(output: &OutputArgs, outcome: Outcome, started: Instant) -> ExitCode {
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
