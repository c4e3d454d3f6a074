use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, screen};

/// Print a script that completes `ssbuild`'s commands and flags in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Completions {
    /// Which shell
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild completions bash > ~/.local/share/bash-completion/completions/ssbuild
  ssbuild completions zsh > ~/.zfunc/_ssbuild
  ssbuild completions fish > ~/.config/fish/completions/ssbuild.fish";

impl Completions {
    pub(super) fn run(&self) -> ExitCode {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "ssbuild", &mut script);
        screen::to_stdout(&String::from_utf8_lossy(&script));
        ExitCode::SUCCESS
    }
}
