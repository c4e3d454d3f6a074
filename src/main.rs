//! `ssbuild`: parse, run, report.

mod cli;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // What is caught becomes a diagnostic, which says it better.
        if !ssbuild_script::panics_are_caught() {
            print(panic);
        }
    }));
    cli::run()
}
