use std::{path::PathBuf, process::ExitCode, sync::Arc};

use serde_json::json;
use ssbuild::{
    disk::{Disk, RealDisk},
    output::{self, Pruned, Rehearsal, Retention},
    pipeline::{self, Purpose, Warnings},
    session::Session,
};

use super::{
    APP_ERRORS,
    args::{AppArgs, Level, OutputArgs, absolute},
    screen,
};

/// Remove old builds, by count or by age
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Prune {
    #[command(flatten)]
    app: AppArgs,
    /// Folder of the builds [default: dist in the app's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep so many builds, the newest [default: `build.keep`; 1 with --older-than]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Keep builds that are not older than so many days [default: `build.keep_days`]
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u32>,
    /// Tell what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild prune                        what `build.keep` and `build.keep_days` allow
  ssbuild prune --keep 1               the selected build only
  ssbuild prune --older-than 14        builds of the last two weeks stay
  ssbuild prune --out /srv/talk -v     a folder of builds without its app";

impl Prune {
    pub(super) fn run(&self) -> ExitCode {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let out = self.out.as_deref().map_or_else(|| self.app.root().join("dist"), absolute);
        let retention = match (self.keep, self.older_than) {
            (None, None) => match self.configured(&disk) {
                Ok(retention) => retention,
                Err(code) => return code,
            },
            (keep, days) => Retention { builds: keep.unwrap_or(1) as usize, days },
        };
        if !out.join("manifest.json").is_file() {
            return screen::could_not_run(&format!("there is no build in `{}`", out.display()));
        }
        let rehearsal = if self.dry_run { Rehearsal::Only } else { Rehearsal::No };
        match output::prune(&*disk, &out, retention, rehearsal) {
            Ok(pruned) => self.report(&pruned),
            Err(error) => screen::could_not_run(&error.to_string()),
        }
    }

    fn configured(&self, disk: &Arc<dyn Disk>) -> Result<Retention, ExitCode> {
        let request = self.app.request("production", Purpose::Check, Warnings::Allow);
        let request = request.map_err(|error| screen::could_not_run(&error))?;
        let read = pipeline::configuration(disk, &request, &Session::once(), Vec::new());
        let (settings, report) = read.map_err(|error| screen::failed(&error))?;
        if report.has_errors() {
            screen::findings(&self.output, report);
            return Err(ExitCode::from(APP_ERRORS));
        }
        let build = settings.config.build;
        Ok(Retention { builds: build.keep, days: build.keep_days })
    }

    fn report(&self, pruned: &Pruned) -> ExitCode {
        let Pruned { builds, kept, files } = pruned;
        if self.output.json {
            let line = json!({"removed": builds, "kept": kept, "files": files, "dry_run": self.dry_run});
            screen::to_stdout(&format!("{line}\n"));
        } else if self.output.level() >= Level::Info {
            let done = if self.dry_run { "would be removed" } else { "removed" };
            let number = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
            let (gone, left) = (number(builds.len(), "build"), number(kept.len(), "build"));
            let assets = number(files.len(), "file");
            screen::to_stdout(&format!("  {gone} and {assets} {done}, {left} kept\n"));
            let named = builds.iter().chain(if self.output.level() >= Level::Debug { files.iter() } else { [].iter() });
            named.for_each(|name| screen::to_stdout(&format!("  {name}\n")));
        }
        ExitCode::SUCCESS
    }
}
