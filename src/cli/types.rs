use std::{process::ExitCode, sync::Arc};

use serde_json::json;
use ssbuild::{
    disk::{Disk, RealDisk},
    pipeline::{self, Purpose, Warnings},
    session::Session,
    types::{self, Written},
};

use super::{
    APP_ERRORS,
    args::{AppArgs, Level, OutputArgs},
    screen,
};

/// Write `types/ss.d.ts`: the app's trees, for editors and `tsc`
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Types {
    #[command(flatten)]
    app: AppArgs,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild types                  write types/ss.d.ts, and a jsconfig.json or tsconfig.json when there is none
  ssbuild types && npx tsc -p .  check an app in TypeScript, as a test in CI does";

impl Types {
    pub(super) fn run(&self) -> ExitCode {
        let request = match self.app.request("production", Purpose::Check, Warnings::Allow) {
            Ok(request) => request,
            Err(error) => return screen::could_not_run(&error),
        };
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let outcome = match pipeline::build(&disk, &request, &Session::once()) {
            Ok(outcome) => outcome,
            Err(error) => return screen::failed(&error),
        };
        let Some(text) = &outcome.types else {
            let found = outcome.report.without_warnings();
            if self.output.json {
                screen::to_stdout(&found.to_json_lines());
            } else {
                screen::to_stderr(&found.to_text(screen::wants_color()));
            }
            return ExitCode::from(APP_ERRORS);
        };
        match types::write(&*disk, &request.root, text) {
            Ok(written) => self.report(&written),
            Err(error) => screen::failed(&error.into()),
        }
    }

    fn report(&self, written: &Written) -> ExitCode {
        if self.output.json {
            let line = json!({"file": types::FILE, "changed": written.declarations, "project": written.project});
            screen::to_stdout(&format!("{line}\n"));
        } else if self.output.level() >= Level::Info {
            let what = if written.declarations { "written" } else { "has not changed" };
            screen::to_stdout(&format!("  {} {what}\n", types::FILE));
            if let Some(project) = written.project {
                screen::to_stdout(&format!("  {project} written, since there was neither that nor its sibling\n"));
            }
        }
        ExitCode::SUCCESS
    }
}
