use std::{fs, path::PathBuf, process::ExitCode};

use clap::CommandFactory;

use super::{Cli, screen};

/// Write man pages, one a command
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Man {
    /// Folder to write to; made when it is not there
    dir: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild man ~/.local/share/man/man1    then `man ssbuild-build`";

impl Man {
    pub(super) fn run(&self) -> ExitCode {
        let written = fs::create_dir_all(&self.dir).and_then(|()| clap_mangen::generate_to(Cli::command(), &self.dir));
        match written {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => screen::could_not_run(&format!("cannot write to `{}`: {error}", self.dir.display())),
        }
    }
}
