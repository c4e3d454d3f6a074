//! `ssserve`: serves a build.

mod command;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match command::run(&command::Arguments::read()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => command::refuse(error.as_ref()),
    }
}
