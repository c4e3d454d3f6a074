use std::{fmt::Write, process::ExitCode, sync::Arc};

use serde_json::{Value, json};
use ssbuild::{
    config::{Provenance, is_unread},
    disk::{Disk, RealDisk},
    pipeline::{self, Purpose, Warnings},
    session::Session,
};
use ssbuild_server::config::{Layers, schema};

use super::{
    APP_ERRORS,
    args::{AppArgs, OutputArgs, variables},
    screen::{self, Findings},
};

/// Print the resolved configuration and where each value came from
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Config {
    #[command(flatten)]
    app: AppArgs,
    /// Print this key, or the keys below it, only
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Print the JSON Schema of the configuration instead
    #[arg(long, conflicts_with_all = ["key", "json"])]
    schema: bool,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild config                                every key, its value, and the layer that set it
  ssbuild config --env staging --key http       what `staging` says of `http`
  SS__HTTP__PORT=80 ssbuild config --json       one key a line as JSON, variables included
  ssbuild config --schema > config.schema.json  for editors";

impl Config {
    pub(super) fn run(&self) -> ExitCode {
        if self.schema {
            screen::to_stdout(&format!("{:#}\n", schema()));
            return ExitCode::SUCCESS;
        }
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        // The variables are those that a server started from here would read.
        let (unread, read): (Vec<_>, Vec<_>) = variables().into_iter().partition(|(name, _)| is_unread(name));
        let above = Layers::variables(read);
        let read = self.app.request("production", Purpose::Check, Warnings::Allow).and_then(|request| {
            pipeline::configuration(&disk, &request, &Session::once(), above).map_err(|error| error.to_string())
        });
        let (settings, mut report) = match read {
            Ok(read) => read,
            Err(error) => return screen::could_not_run(&error),
        };
        let values: Vec<&Provenance> = settings.origins.iter().filter(|value| self.wants(&value.origin.key)).collect();
        if let (Some(key), true) = (&self.key, values.is_empty()) {
            return screen::could_not_run(&format!("there is no key `{key}` in the configuration"));
        }
        report.extend(unread.iter().map(|(name, _)| ssbuild::config::unread(name)));
        let findings = screen::findings(&self.output, report);
        screen::to_stdout(&if self.output.json { lines(&values) } else { table(&values) });
        if findings == Findings::Errors { ExitCode::from(APP_ERRORS) } else { ExitCode::SUCCESS }
    }

    fn wants(&self, key: &str) -> bool {
        self.key
            .as_deref()
            .is_none_or(|wanted| key.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    }
}

fn table(values: &[&Provenance]) -> String {
    let rows: Vec<[String; 3]> = values
        .iter()
        .map(|value| {
            let Provenance { origin, place } = value;
            let from = match place {
                Some(place) if place.line > 0 => format!("{}:{}", place.file, place.line),
                _ => origin.origin.clone(),
            };
            [origin.key.clone(), shown(&origin.value), from]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default().min(48);
    let (key_width, value_width) = (width(0), width(1));
    rows.iter().fold(String::new(), |mut text, [key, value, from]| {
        writeln!(text, "{key:<key_width$}  {value:<value_width$}  {from}").expect("writing to a string works");
        text
    })
}

fn shown(value: &Value) -> String {
    if value.is_null() { "none".to_owned() } else { value.to_string() }
}

fn lines(values: &[&Provenance]) -> String {
    values.iter().fold(String::new(), |mut text, value| {
        let Provenance { origin, place } = value;
        let mut line = json!({"key": origin.key, "value": origin.value, "origin": origin.origin});
        if let Some(place) = place.as_ref().filter(|place| place.line > 0) {
            line["line"] = json!(place.line);
            line["column"] = json!(place.column);
        }
        writeln!(text, "{line}").expect("writing to a string works");
        text
    })
}
