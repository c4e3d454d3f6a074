use std::process::ExitCode;

use ssbuild::pipeline::Purpose;

use super::{
    args::{AppArgs, CacheArgs, OutputArgs, StrictArgs},
    build,
};

/// Find what is wrong with an app; nothing is written
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    #[command(flatten)]
    app: AppArgs,
    #[command(flatten)]
    strict: StrictArgs,
    #[command(flatten)]
    cache: CacheArgs,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild check                       find what is wrong with the app in this folder
  ssbuild check talk --deny warnings  for a test in CI: warnings fail, too
  ssbuild check --json                one finding a line, for an editor";

impl Check {
    pub(super) fn run(&self) -> ExitCode {
        build::compile(&self.app, &self.strict, &self.cache, &self.output, Purpose::Check)
    }
}
