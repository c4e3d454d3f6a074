//! `ssbuild`: parse, run, report.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::SUCCESS
}
