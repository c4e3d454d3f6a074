use std::process::ExitCode;

use ssbuild::pipeline::Purpose;

use super::{
    args::{AppArgs, OutputArgs, StrictArgs},
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
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild check                       find what is wrong with the app in this folder
  ssbuild check talk --deny warnings  for a test in CI: warnings fail, too
  ssbuild check --json                one finding a line, for an editor";

impl Check {
    pub(super) fn run(&self) -> ExitCode {
        build::compile(&self.app, &self.strict, &self.output, Purpose::Check)
    }
}
