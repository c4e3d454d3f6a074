//! What a watch shows: one JSON object a line for programs, lines for everything else.

use std::net::SocketAddr;

use serde_json::json;
use ssbuild::{
    pipeline::Outcome,
    report,
    watch::{Listening, Round},
};

use crate::cli::{
    args::{Level, OutputArgs},
    screen,
};

/// How many changed files a line names.
const NAMED_MAX: usize = 3;

/// Shows what happens.
pub(super) struct Board {
    json: bool,
    level: Level,
    polling: Option<String>,
    announced: bool,
}

impl Board {
    pub(super) fn new(output: &OutputArgs, listening: &Listening) -> Self {
        let polling = match listening {
            Listening::Events => None,
            Listening::Polling(reason) => Some(reason.clone()),
        };
        Self { json: output.json, level: output.level(), polling, announced: false }
    }

    /// A build is done; `shown` is where it is served, or why it is not, when it was to be.
    pub(super) fn round(&mut self, round: &Round, shown: Option<&Result<SocketAddr, String>>) {
        if self.json {
            screen::to_stdout(&json_lines(round, shown));
            return;
        }
        let mut lines = String::new();
        match &round.result {
            Ok(outcome) => {
                screen::to_stderr(&self.findings(outcome));
                lines.push_str(&self.outcome(round, outcome));
            }
            Err(error) => screen::to_stderr(&format!("error: {error}\n")),
        }
        match shown {
            Some(Err(message)) => screen::to_stderr(&format!("error: this build is not served: {message}\n")),
            Some(Ok(address)) if !self.announced => {
                self.announced = true;
                lines.push_str(&format!("  serving on {}\n", url(*address)));
                if let Some(reason) = &self.polling {
                    lines.push_str(&format!("  looking for changes again and again: {reason}\n"));
                }
            }
            _ => {}
        }
        if self.level >= Level::Info {
            screen::to_stdout(&lines);
        }
    }

    fn findings(&self, outcome: &Outcome) -> String {
        let found = outcome.report.clone();
        let found = match self.level {
            Level::Error => found.without_warnings(),
            Level::Warn | Level::Info => found.without_notes(),
            Level::Debug | Level::Trace => found,
        };
        found.to_text(screen::wants_color())
    }

    fn outcome(&self, round: &Round, outcome: &Outcome) -> String {
        let why = why(&round.changed);
        let took_ms = round.took.as_millis();
        match &outcome.manifest {
            Some(manifest) if round.number == 1 => report::text(manifest, &outcome.modules, round.took),
            Some(manifest) => format!("  built {} in {took_ms} ms{why}\n", manifest.build_id),
            None if self.announced => format!("  not built{why}: the last good build goes on\n"),
            None => format!("  not built{why}\n"),
        }
    }
}

/// Which files a build was made for.
fn why(changed: &[String]) -> String {
    let named = changed.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match changed.len() {
        0 => String::new(),
        1..=NAMED_MAX => format!(": {named}"),
        many => format!(": {named} and {} more", many - NAMED_MAX),
    }
}

/// What a person types to get there.
pub(super) fn url(address: SocketAddr) -> String {
    let ip = address.ip();
    if ip.is_loopback() || ip.is_unspecified() {
        return format!("http://localhost:{}", address.port());
    }
    format!("http://{address}")
}

fn json_lines(round: &Round, shown: Option<&Result<SocketAddr, String>>) -> String {
    let mut line = json!({"event": "build", "number": round.number, "changed": round.changed});
    let mut findings = String::new();
    match &round.result {
        Ok(outcome) => {
            findings = outcome.report.to_json_lines();
            line["built"] = json!(outcome.manifest.is_some());
            if let Some(manifest) = &outcome.manifest {
                line["report"] = report::json(manifest, &outcome.modules, round.took);
            }
        }
        Err(error) => {
            line["built"] = json!(false);
            line["error"] = json!(error.to_string());
        }
    }
    match shown {
        Some(Ok(address)) => line["url"] = json!(url(*address)),
        Some(Err(message)) => line["error"] = json!(message),
        None => {}
    }
    line["elapsed_ms"] = json!(u64::try_from(round.took.as_millis()).unwrap_or(u64::MAX));
    format!("{findings}{line}\n")
}
