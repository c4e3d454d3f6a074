use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::ValueEnum;
use ssbuild::{
    cache::Mode,
    check::against::Deployed,
    pipeline::{Purpose, Warnings},
    zone::relative,
};
use ssbuild_diagnostic::Report;

use super::{
    APP_ERRORS,
    args::{AppArgs, CacheArgs, Level, OutputArgs, StrictArgs, absolute},
    build, screen,
};

/// Find what is wrong with an app; nothing is written
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    #[command(flatten)]
    app: AppArgs,
    /// Find what a deploy would break for pages of this build that are open now
    #[arg(long, value_name = "MANIFEST")]
    against: Option<PathBuf>,
    /// How findings are printed; all but `text` go to stdout [default: text]
    #[arg(long, value_name = "FORMAT", conflicts_with = "json")]
    format: Option<Format>,
    #[command(flatten)]
    strict: StrictArgs,
    #[command(flatten)]
    cache: CacheArgs,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild check                                   find what is wrong with the app in this folder
  ssbuild check talk --deny warnings              for a test in CI: warnings fail, too
  ssbuild check --against /srv/talk/manifest.json what open pages would miss after a deploy
  ssbuild check --format github                   annotations in GitHub Actions
  ssbuild check --json                            one finding a line, for an editor";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object a line (as `--json`)
    Json,
    /// Commands of GitHub Actions
    Github,
    /// A SARIF 2.1.0 log
    Sarif,
}

impl Check {
    pub(super) fn run(&self) -> ExitCode {
        let deployed = match self.against.as_deref().map(read).transpose() {
            Ok(deployed) => deployed,
            Err(message) => return screen::could_not_run(&message),
        };
        // A check writes nothing at all.
        let session = self.cache.session(&self.app.root(), Mode::Read);
        let outcome = match build::compile(&self.app, &self.strict, &session, Purpose::Check) {
            Ok(outcome) => outcome,
            Err(error) => return screen::could_not_run(&error),
        };
        let mut report = outcome.report;
        if let (Some(deployed), Some(offered)) = (deployed, outcome.offered) {
            report.extend(deployed.compare(&offered));
        }
        if self.strict.warnings() == Warnings::Deny {
            report.deny_warnings();
        }
        let report = match self.output.level() {
            Level::Error => report.without_warnings(),
            Level::Warn | Level::Info => report.without_notes(),
            Level::Debug | Level::Trace => report,
        };
        let failed = report.has_errors();
        self.print(report, &self.app.root());
        if failed { ExitCode::from(APP_ERRORS) } else { ExitCode::SUCCESS }
    }

    fn print(&self, report: Report, root: &Path) {
        let format = if self.output.json { Format::Json } else { self.format.unwrap_or(Format::Text) };
        match format {
            Format::Text => screen::to_stderr(&report.to_text(screen::wants_color())),
            Format::Json => screen::to_stdout(&report.to_json_lines()),
            Format::Github => screen::to_stdout(&report.seen_from(&below_here(root)).to_github()),
            Format::Sarif => {
                let log = report.seen_from(&below_here(root)).to_sarif(env!("CARGO_PKG_VERSION"));
                screen::to_stdout(&format!("{log:#}\n"));
            }
        }
    }
}

/// The way to the app from the folder that the command runs in, which in CI is the repository; nothing when it is elsewhere.
fn below_here(root: &Path) -> String {
    let here = std::env::current_dir().and_then(fs::canonicalize);
    let way = here.and_then(|here| Ok::<_, io::Error>(relative(&here, &fs::canonicalize(root)?)));
    way.ok().filter(|way| !way.starts_with("..")).unwrap_or_default()
}

fn read(path: &Path) -> Result<Deployed, String> {
    let file = Deployed::file(&absolute(path));
    let bytes = fs::read(&file).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    Deployed::parse(&bytes).map_err(|message| format!("cannot compare with `{}`: {message}", path.display()))
}
