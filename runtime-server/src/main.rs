//! `ssserve`: serves a build.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::SUCCESS
}
