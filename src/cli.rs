//! The command line: what was typed becomes library calls. One file a command; all printing is in [`screen`].

mod args;
mod build;
mod check;
mod completions;
mod config;
mod console;
mod man;
mod migrate;
mod new;
mod prune;
mod report;
mod screen;
mod serve;
mod style_worker;
mod test;
mod types;
mod verify;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ssbuild::style::WorkerCommand;

/// The app has errors.
const APP_ERRORS: u8 = 1;
/// The work could not be done.
const COULD_NOT_RUN: u8 = 2;

/// Compiles a realtime single-page app: its folder in, one build out.
#[derive(Debug, Parser)]
#[command(name = "ssbuild", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    build: build::Build,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild                          compile the app in this folder into dist
  ssbuild talk --env staging       compile the app in `talk` for staging
  ssbuild check --deny warnings    find what is wrong, write nothing
  ssbuild watch                    compile, serve, and bring each change to the browsers
  ssbuild serve talk --port 8080   compile the app in `talk` and serve it";

// In the order in which they are met: each is a file of its own with a `run`.
#[derive(Debug, Subcommand)]
enum Command {
    Build(build::Build),
    Check(check::Check),
    Serve(serve::Serve),
    Test(test::Test),
    Types(types::Types),
    Config(config::Config),
    Console(console::Console),
    New(new::New),
    Watch(watch::Watch),
    Report(report::Report),
    Verify(verify::Verify),
    Migrate(migrate::Migrate),
    Prune(prune::Prune),
    Completions(completions::Completions),
    #[command(hide = true)]
    Man(man::Man),
    #[command(name = WorkerCommand::SUBCOMMAND, hide = true)]
    StyleWorker(style_worker::StyleWorker),
}

/// Does what the command line says; the result is the process's exit code.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { COULD_NOT_RUN } else { 0 };
            // Nothing is left to be done when the terminal is gone.
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    match cli.command {
        None => cli.build.run(),
        Some(Command::Build(args)) => args.run(),
        Some(Command::Check(args)) => args.run(),
        Some(Command::Serve(args)) => args.run(),
        Some(Command::Test(args)) => args.run(),
        Some(Command::Types(args)) => args.run(),
        Some(Command::Config(args)) => args.run(),
        Some(Command::Console(args)) => args.run(),
        Some(Command::New(args)) => args.run(),
        Some(Command::Watch(args)) => args.run(),
        Some(Command::Report(args)) => args.run(),
        Some(Command::Verify(args)) => args.run(),
        Some(Command::Migrate(args)) => args.run(),
        Some(Command::Prune(args)) => args.run(),
        Some(Command::Completions(args)) => args.run(),
        Some(Command::Man(args)) => args.run(),
        Some(Command::StyleWorker(args)) => args.run(),
    }
}
