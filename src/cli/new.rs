use std::{path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use serde_json::json;
use ssbuild::new::{self, Language, Template};

use super::{
    args::{Level, OutputArgs},
    screen,
};

/// Make a new app from a template
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct New {
    /// Folder of the app, new or empty; its last part is the app's name
    name: PathBuf,
    /// What the app begins as
    #[arg(long, value_name = "TEMPLATE", default_value = "chat")]
    template: Kind,
    /// Write it in TypeScript
    #[arg(long)]
    ts: bool,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild new talk                         a chat, in the folder `talk`
  ssbuild new board --template react --ts  React and TypeScript
  ssbuild new old --template coffee        CoffeeScript, Stylus, Jade and jQuery, as in 2011";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// People, a room, messages for everybody
    Chat,
    /// One action and a page
    Minimal,
    /// React, and a number that all browsers share
    React,
    /// CoffeeScript, Stylus, Jade and jQuery
    Coffee,
}

impl New {
    pub(super) fn run(&self) -> ExitCode {
        let template = match self.template {
            Kind::Chat => Template::Chat,
            Kind::Minimal => Template::Minimal,
            Kind::React => Template::React,
            Kind::Coffee => Template::Coffee,
        };
        let language = if self.ts { Language::TypeScript } else { Language::Own };
        let files = match new::create(&self.name, template, language) {
            Ok(files) => files,
            Err(error) => return screen::could_not_run(&error.to_string()),
        };
        let folder = self.name.display();
        if self.output.json {
            let line = json!({"folder": folder.to_string(), "template": template.name(), "files": files});
            screen::to_stdout(&format!("{line}\n"));
        } else if self.output.level() >= Level::Info {
            let install = if template.needs_packages() { "  npm install\n" } else { "" };
            let count = files.len();
            screen::to_stdout(&format!(
                "  {folder}: {count} files from the template `{}`. Next:\n\n  cd {folder}\n{install}  ssbuild serve\n",
                template.name()
            ));
        }
        ExitCode::SUCCESS
    }
}
