use std::{process::ExitCode, sync::Arc};

use serde_json::json;
use ssbuild::{
    disk::{Disk, RealDisk},
    pipeline::{self, Purpose, Warnings},
    session::Session,
    verify::{Different, verify},
};

use super::{
    APP_ERRORS,
    args::{AppArgs, Level, OutputArgs},
    screen,
};

/// Build again under other circumstances and compare every byte
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Verify {
    #[command(flatten)]
    app: AppArgs,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild verify                     other folder, locale, time zone, umask, threads, order, cache
  ssbuild verify talk --env staging  the same for another app and environment";

/// Files that are named of each difference.
const FILES_MAX: usize = 8;

impl Verify {
    pub(super) fn run(&self) -> ExitCode {
        let program = match std::env::current_exe() {
            Ok(program) => program,
            Err(error) => return screen::could_not_run(&format!("cannot find this program: {error}")),
        };
        let request = match self.app.request("production", Purpose::Check, Warnings::Allow) {
            Ok(request) => request,
            Err(error) => return screen::could_not_run(&error),
        };
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let checked = match pipeline::build(&disk, &request, &Session::once()) {
            Ok(outcome) => outcome.report,
            Err(error) => return screen::failed(&error),
        };
        if checked.has_errors() {
            screen::findings(&self.output, checked);
            return ExitCode::from(APP_ERRORS);
        }
        match verify(&disk, &request, &program) {
            Ok(different) => self.report(&different),
            Err(error) => screen::could_not_run(&error.to_string()),
        }
    }

    fn report(&self, different: &[Different]) -> ExitCode {
        for one in different {
            let about: Vec<&str> = one.circumstances.iter().map(|one| one.about()).collect();
            if self.output.json {
                let line = json!({"different": about, "files": one.files});
                screen::to_stdout(&format!("{line}\n"));
            } else {
                screen::to_stderr(&format!("the build differs {}:\n", about.join(", ")));
                one.files.iter().take(FILES_MAX).for_each(|file| screen::to_stderr(&format!("  {file}\n")));
                let more = one.files.len().saturating_sub(FILES_MAX);
                if more > 0 {
                    screen::to_stderr(&format!("  and {more} more files\n"));
                }
            }
        }
        if !different.is_empty() {
            return ExitCode::from(APP_ERRORS);
        }
        if self.output.json {
            screen::to_stdout("{\"different\":[]}\n");
        } else if self.output.level() >= Level::Info {
            screen::to_stdout(
                "  every byte is the same: other folder, locale, time zone, umask, threads, order of folders, with and without a cache\n",
            );
        }
        ExitCode::SUCCESS
    }
}
