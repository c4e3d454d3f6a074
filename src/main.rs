//! `ssbuild`: parse, run, report.

use std::{env, io, process::ExitCode};

use ssbuild::style::{self, WorkerCommand};

fn main() -> ExitCode {
    if env::args().nth(1).as_deref() == Some(WorkerCommand::SUBCOMMAND) {
        let worked = style::run_worker(io::stdin().lock(), io::stdout());
        return if worked.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    ExitCode::SUCCESS
}
