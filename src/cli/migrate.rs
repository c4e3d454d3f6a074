use std::{fmt::Write, process::ExitCode, sync::Arc};

use serde_json::json;
use ssbuild::{
    disk::{Disk, RealDisk},
    migrate::{Advice, Weight, advice},
    pipeline::{self, Purpose, Warnings},
    project::Project,
    session::Session,
};

use super::{
    APP_ERRORS,
    args::{AppArgs, OutputArgs},
    screen,
};

/// Tell what to change in an app of 2011, file by file
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Migrate {
    #[command(flatten)]
    app: AppArgs,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild migrate          what changed since 2011 for the app in this folder; nothing is written
  ssbuild migrate --json   one change a line";

const COMMANDS: &str = "
  In place of            now
  socketstream new       ssbuild new --template coffee
  socketstream start     ssbuild serve, while working on it: ssbuild watch
  SS_ENV=production      ssbuild build, then ssserve
  socketstream console   ssbuild console
";

impl Migrate {
    pub(super) fn run(&self) -> ExitCode {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let request = match self.app.request("production", Purpose::Check, Warnings::Allow) {
            Ok(request) => request,
            Err(error) => return screen::could_not_run(&error),
        };
        let checked = match pipeline::build(&disk, &request, &Session::once()) {
            Ok(outcome) => outcome.report,
            Err(error) => return screen::failed(&error),
        };
        let found = Project::scan(&*disk, &request.root).and_then(|(project, _)| advice(&*disk, &project, &checked));
        let found = match found {
            Ok(found) => found,
            Err(error) => return screen::failed(&error.into()),
        };
        screen::to_stdout(&if self.output.json { lines(&found) } else { text(&found) });
        if found.iter().any(|one| one.weight == Weight::Must) { ExitCode::from(APP_ERRORS) } else { ExitCode::SUCCESS }
    }
}

fn lines(found: &[Advice]) -> String {
    found.iter().fold(String::new(), |mut text, one| {
        let line = json!({"file": one.file, "line": one.line, "weight": one.weight.name(), "what": one.what, "todo": one.todo});
        writeln!(text, "{line}").expect("writing to a string works");
        text
    })
}

fn text(found: &[Advice]) -> String {
    let mut text = String::new();
    let mut file = None;
    for one in found {
        if file != Some(&one.file) {
            writeln!(text, "{}{}", if file.is_some() { "\n" } else { "" }, one.file).expect("a string");
            file = Some(&one.file);
        }
        let line = if one.line > 0 { format!("line {}: ", one.line) } else { String::new() };
        writeln!(text, "  {:<6}  {line}{}", one.weight.name(), one.what).expect("a string");
        if !one.todo.is_empty() {
            writeln!(text, "          {}", one.todo).expect("a string");
        }
    }
    let count = |weight| found.iter().filter(|one| one.weight == weight).count();
    let (must, should, know) = (count(Weight::Must), count(Weight::Should), count(Weight::Know));
    writeln!(text, "\n{must} that must be done, {should} that should, {know} to know").expect("a string");
    text.push_str(COMMANDS);
    text
}
