//! Flags that several commands have.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use ssbuild::{
    cache::Mode,
    config::PublicVariables,
    pipeline::{Purpose, Request, Warnings},
    session::Session,
    style::WorkerCommand,
};

/// Which app, and for which environment.
#[derive(Debug, Args)]
pub(super) struct AppArgs {
    /// The app's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Environment to work for [default: production; development for `watch` and `test`]
    #[arg(long, env = "SS_ENV", hide_env_values = true, value_name = "NAME", value_parser = parse_env)]
    env: Option<String>,
}

impl AppArgs {
    /// The app's folder. The compiler works with absolute paths; messages name the app's own.
    pub(super) fn root(&self) -> PathBuf {
        absolute(&self.dir)
    }

    /// The environment that was asked for, else `otherwise`.
    pub(super) fn env_or(&self, otherwise: &str) -> String {
        self.env.clone().unwrap_or_else(|| otherwise.to_owned())
    }
}

impl AppArgs {
    /// What the compiler is asked for; in the environment `otherwise` when none was named.
    pub(super) fn request(&self, otherwise: &str, purpose: Purpose, warnings: Warnings) -> Result<Request, String> {
        let style_worker =
            WorkerCommand::this_program().map_err(|error| format!("cannot find this program: {error}"))?;
        let (root, env, variables) = (self.root(), self.env_or(otherwise), PublicVariables::among(variables()));
        Ok(Request { root, env, purpose, warnings, style_worker, variables })
    }
}

/// What is an error.
#[derive(Debug, Args)]
pub(super) struct StrictArgs {
    /// Treat warnings as errors
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Deny {
    Warnings,
}

impl StrictArgs {
    /// What warnings do.
    pub(super) fn warnings(&self) -> Warnings {
        match self.deny {
            Some(Deny::Warnings) => Warnings::Deny,
            None => Warnings::Allow,
        }
    }
}

/// What is remembered from one build to the next.
#[derive(Debug, Args)]
pub(super) struct CacheArgs {
    /// Compile everything anew, and remember nothing (`.ssbuild/cache`)
    #[arg(long)]
    no_cache: bool,
}

impl CacheArgs {
    /// A session for one build of the app.
    pub(super) fn session(&self, root: &Path, mode: Mode) -> Session {
        if self.no_cache { Session::once() } else { Session::of_app(root, mode) }
    }
}

/// How much is said, and in which form.
#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// Print one JSON object a line on stdout
    #[arg(long)]
    pub(super) json: bool,
    /// Print errors and warnings only
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,
    /// Print notes too
    #[arg(long, short)]
    verbose: bool,
    /// How much to print: 0 errors, 1 warnings, 2 the report, 3 notes, 4 all [default: 2]
    #[arg(long, value_name = "LEVEL", value_parser = parse_level, conflicts_with_all = ["quiet", "verbose"])]
    log_level: Option<Level>,
}

/// How much is said. The numbers are those of `log.level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Errors.
    Error,
    /// Warnings too.
    Warn,
    /// The report too.
    Info,
    /// Notes too.
    Debug,
    /// Everything.
    Trace,
}

const LEVELS: [(&str, Level); 5] = [
    ("error", Level::Error),
    ("warn", Level::Warn),
    ("info", Level::Info),
    ("debug", Level::Debug),
    ("trace", Level::Trace),
];

impl OutputArgs {
    /// How much is to be said.
    pub(super) fn level(&self) -> Level {
        match (self.log_level, self.quiet, self.verbose) {
            (Some(level), ..) => level,
            (None, true, _) => Level::Warn,
            (None, _, true) => Level::Debug,
            (None, false, false) => Level::Info,
        }
    }

    /// The level as a server's log counts it, when it was said.
    pub(super) fn server_level(&self) -> Option<u8> {
        self.log_level.map(|level| level as u8)
    }
}

fn parse_level(text: &str) -> Result<Level, String> {
    LEVELS
        .iter()
        .enumerate()
        .find(|(number, (name, _))| *name == text || number.to_string() == text)
        .map(|(_, (_, level))| *level)
        .ok_or_else(|| format!("a level is one of {}, or 0 to 4", LEVELS.map(|(name, _)| name).join(", ")))
}

/// An environment is the name of a file in `config/environments`.
fn parse_env(name: &str) -> Result<String, String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.len() <= 64 && name.chars().all(sound) {
        Ok(name.to_owned())
    } else {
        Err("an environment's name has letters, digits, `-` and `_`".to_owned())
    }
}

/// A path as the file layer wants it.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// The process's variables that are text.
pub(super) fn variables() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}
