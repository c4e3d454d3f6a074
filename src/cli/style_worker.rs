use std::{
    io::{self, BufReader},
    process::ExitCode,
};

use ssbuild::style;

use super::screen;

/// Compile stylesheets for a parent process
#[derive(Debug, clap::Args)]
pub(super) struct StyleWorker {}

impl StyleWorker {
    pub(super) fn run(&self) -> ExitCode {
        match style::run_worker(BufReader::new(io::stdin()), io::stdout()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => screen::could_not_run(&format!("the style worker cannot speak to its parent: {error}")),
        }
    }
}
