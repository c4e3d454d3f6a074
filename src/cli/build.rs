use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Instant};

use ssbuild::{
    disk::{Disk, RealDisk},
    pipeline::{self, Outcome, Purpose, Request},
    report,
    session::Session,
    style::WorkerCommand,
};

use super::{
    APP_ERRORS,
    args::{AppArgs, Level, OutputArgs, StrictArgs, absolute},
    screen,
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
    pub(super) output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild build                          compile the app in this folder into dist
  ssbuild build talk --out /srv/talk     compile the app in `talk` into another folder
  ssbuild build --env staging --json     findings and sizes as JSON, one object a line";

impl Build {
    pub(super) fn run(&self) -> ExitCode {
        compile(&self.app, &self.strict, &self.output, Purpose::Publish(self.out()))
    }

    /// Where the build goes.
    pub(super) fn out(&self) -> PathBuf {
        self.out.as_deref().map_or_else(|| self.app.root().join("dist"), absolute)
    }
}

/// Compiles, and prints what came of it.
pub(super) fn compile(app: &AppArgs, strict: &StrictArgs, output: &OutputArgs, purpose: Purpose) -> ExitCode {
    let started = Instant::now();
    let style_worker = match WorkerCommand::this_program() {
        Ok(command) => command,
        Err(error) => return screen::could_not_run(&format!("cannot find this program: {error}")),
    };
    let (root, env, warnings) = (app.root(), app.env_or("production"), strict.warnings());
    let request = Request { root, env, purpose, warnings, style_worker };
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    match pipeline::build(&disk, &request, &Session::once()) {
        Ok(outcome) => finish(output, outcome, started),
        Err(error) => screen::failed(&error),
    }
}

fn finish(output: &OutputArgs, outcome: Outcome, started: Instant) -> ExitCode {
    let level = output.level();
    let found = match level {
        Level::Error => outcome.report.without_warnings(),
        Level::Warn | Level::Info => outcome.report.without_notes(),
        Level::Debug | Level::Trace => outcome.report,
    };
    if output.json {
        screen::to_stdout(&found.to_json_lines());
    } else {
        screen::to_stderr(&found.to_text(screen::wants_color()));
    }
    if found.has_errors() {
        return ExitCode::from(APP_ERRORS);
    }
    if let Some(manifest) = &outcome.manifest {
        if output.json {
            screen::to_stdout(&format!("{}\n", report::json(manifest, &outcome.modules, started.elapsed())));
        } else if level >= Level::Info {
            screen::to_stdout(&report::text(manifest, &outcome.modules, started.elapsed()));
        }
    }
    ExitCode::SUCCESS
}
