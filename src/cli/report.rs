use std::{fs, path::PathBuf, process::ExitCode, sync::Arc};

use ssbuild::{
    disk::{Disk, RealDisk},
    pipeline::{self, Purpose},
    report::{self, Composition, Detail},
    session::Session,
};

use super::{
    APP_ERRORS,
    args::{AppArgs, Level, OutputArgs, StrictArgs},
    screen::{self, Findings},
};

/// Show what is in the bundles, by package and module, raw and as it is sent
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Report {
    #[command(flatten)]
    app: AppArgs,
    /// List every module
    #[arg(long)]
    modules: bool,
    /// Write a treemap, one HTML file that needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Show what has changed since an earlier `ssbuild report --json`
    #[arg(long, value_name = "OLD")]
    diff: Option<PathBuf>,
    #[command(flatten)]
    strict: StrictArgs,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild report                          packages and folders in each bundle, the largest first
  ssbuild report --html bundles.html      the same as a treemap, for a browser
  ssbuild report --json > before.json     in the shape of esbuild's metafile
  ssbuild report --diff before.json       what has changed since";

impl Report {
    pub(super) fn run(&self) -> ExitCode {
        let before = match self.diff.as_ref().map(read).transpose() {
            Ok(before) => before,
            Err(error) => return screen::could_not_run(&error),
        };
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let measured = self
            .app
            .request("production", Purpose::Measure, self.strict.warnings())
            .and_then(|request| pipeline::build(&disk, &request, &Session::once()).map_err(|error| error.to_string()));
        let outcome = match measured {
            Ok(outcome) => outcome,
            Err(error) => return screen::could_not_run(&error),
        };
        let errors = outcome.report.has_errors();
        if self.output.json {
            // What stands on stdout is the composition, whole: a file for other tools.
            screen::to_stderr(&outcome.report.without_notes().to_text(screen::wants_color()));
        } else if screen::findings(&self.output, outcome.report) == Findings::Errors && outcome.composition.is_none() {
            return ExitCode::from(APP_ERRORS);
        }
        let Some(composition) = outcome.composition else { return ExitCode::from(APP_ERRORS) };
        if let Some(file) = &self.html {
            let root = self.app.root();
            let app = root.file_name().map_or("app".into(), |name| name.to_string_lossy());
            if let Err(error) = fs::write(file, report::treemap(&app, &composition)) {
                return screen::could_not_run(&format!("cannot write `{}`: {error}", file.display()));
            }
        }
        self.print(&composition, before.as_ref());
        if errors { ExitCode::from(APP_ERRORS) } else { ExitCode::SUCCESS }
    }

    fn print(&self, composition: &Composition, before: Option<&Composition>) {
        let json = |value| screen::to_stdout(&format!("{value}\n"));
        match (before.map(|before| report::diff(before, composition)), self.output.json) {
            (Some(changes), true) => changes.iter().for_each(|change| json(serde_json::json!(change))),
            (None, true) => json(serde_json::json!(composition)),
            (Some(changes), false) => screen::to_stdout(&report::diff_text(&changes)),
            (None, false) if self.output.level() >= Level::Info => {
                let detail = if self.modules { Detail::Modules } else { Detail::Packages };
                screen::to_stdout(&report::table(composition, detail));
            }
            (None, false) => {}
        }
    }
}

fn read(file: &PathBuf) -> Result<Composition, String> {
    let text = fs::read(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
    serde_json::from_slice(&text)
        .map_err(|error| format!("`{}` is not what `ssbuild report --json` printed: {error}", file.display()))
}
