//! What a watch shows: a screen on a terminal, one JSON object a line for programs, lines for everything else.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::json;
use ssbuild::{
    pipeline::Outcome,
    progress::Progress as Counts,
    report,
    watch::{Listening, Round, Signals},
};

use super::{
    Shown, browser,
    keys::{Key, Keys, Raw},
    progress::Bar,
    screen_text::ScreenText,
};
use crate::cli::{
    args::{Level, OutputArgs},
    screen,
};

/// How many changed files a line names.
const NAMED_MAX: usize = 3;
/// Width of a terminal that does not say.
const COLUMNS: usize = 80;
/// Clears the screen, and what was scrolled out of it stays.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Shows what happens.
pub(super) struct Board {
    form: Form,
    level: Level,
    polling: Option<String>,
    announced: bool,
}

enum Form {
    Json,
    Lines,
    Screen { text: Arc<Mutex<ScreenText>>, _keys: Keys },
}

impl Board {
    pub(super) fn new(output: &OutputArgs, in_lines: bool, listening: &Listening, signals: &Signals) -> Self {
        let polling = match listening {
            Listening::Events => None,
            Listening::Polling(reason) => Some(reason.clone()),
        };
        let terminal = io::stdout().is_terminal() && io::stdin().is_terminal();
        let form = match output.json {
            true => Form::Json,
            false if terminal && !in_lines && output.level() == Level::Info => {
                on_screen(polling.clone(), signals.clone())
            }
            false => Form::Lines,
        };
        Self { form, level: output.level(), polling, announced: false }
    }

    /// Where the server's log goes.
    pub(super) fn log(&self) -> Box<dyn Write + Send> {
        match self.form {
            Form::Screen { .. } => Box::new(Raw(io::stderr())),
            Form::Json | Form::Lines => Box::new(io::stderr()),
        }
    }

    /// A first build begins: shows that something is done, when it takes long.
    pub(super) fn begin(&self, counts: Arc<Counts>) -> Option<Bar> {
        let wanted = matches!(self.form, Form::Screen { .. }) && io::stderr().is_terminal();
        wanted.then(|| Bar::start(counts))
    }

    /// A build is done, and this is what browsers see now.
    pub(super) fn round(&mut self, round: &Round, shown: &Shown) {
        match &self.form {
            Form::Json => screen::to_stdout(&json_lines(round, shown)),
            Form::Lines => self.lines(round, shown),
            Form::Screen { text, .. } => {
                let mut text = lock(text);
                text.round(round);
                if let Some(place) = shown.place() {
                    text.url = Some(place.url.clone());
                }
                text.unserved = match shown {
                    Shown::App(_) => {
                        text.served = true;
                        None
                    }
                    Shown::Not { why, .. } => why.clone(),
                };
                draw(&text);
            }
        }
    }

    fn lines(&mut self, round: &Round, shown: &Shown) {
        let mut lines = String::new();
        match &round.result {
            Ok(outcome) => {
                screen::to_stderr(&self.findings(outcome));
                lines.push_str(&self.outcome(round, outcome));
            }
            Err(error) => screen::to_stderr(&format!("error: {error}\n")),
        }
        match shown {
            Shown::App(served) if !self.announced => {
                self.announced = true;
                lines.push_str(&format!("  serving on {}\n", served.url));
                if let Some(reason) = &self.polling {
                    lines.push_str(&format!("  looking for changes again and again: {reason}\n"));
                }
            }
            Shown::App(_) => {}
            Shown::Not { why, waiting } => {
                if let Some(message) = why {
                    screen::to_stderr(&format!("error: this build is not served: {message}\n"));
                }
                if let Some(served) = waiting {
                    lines.push_str(&format!("  {} shows what is wrong until there is a good build\n", served.url));
                }
            }
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
        let why = match why(&round.changed) {
            why if why.is_empty() => why,
            why => format!(": {why}"),
        };
        let took_ms = round.took.as_millis();
        match &outcome.manifest {
            Some(manifest) if round.number == 1 => report::text(manifest, &outcome.modules, round.took),
            Some(manifest) => format!("  built {} in {took_ms} ms{why}\n", manifest.build_id),
            None if self.announced => format!("  not built{why}: the last good build goes on\n"),
            None => format!("  not built{why}\n"),
        }
    }
}

/// A screen with keys; lines where the terminal gives none.
fn on_screen(polling: Option<String>, signals: Signals) -> Form {
    let text = Arc::new(Mutex::new(ScreenText::new(polling)));
    let shown = Arc::clone(&text);
    let keys = Keys::listen(move |key| match key {
        Key::Rebuild => signals.rebuild(),
        Key::Quit => signals.quit(),
        Key::Clear | Key::Resized => draw(&lock(&shown)),
        Key::Open => lock(&shown).url.iter().for_each(|url| browser::open(url)),
    });
    match keys {
        Some(keys) => Form::Screen { text, _keys: keys },
        None => Form::Lines,
    }
}

fn draw(text: &ScreenText) {
    let columns = crossterm::terminal::size().map_or(COLUMNS, |(columns, _)| usize::from(columns));
    let mut raw = Raw(Vec::new());
    // A vector takes all.
    drop(raw.write_all(format!("{CLEAR}{}", text.draw(columns)).as_bytes()));
    screen::to_stdout(&String::from_utf8_lossy(&raw.0));
}

fn lock(text: &Mutex<ScreenText>) -> MutexGuard<'_, ScreenText> {
    text.lock().expect("no holder of this lock panics")
}

/// Which files a build was made for.
pub(super) fn why(changed: &[String]) -> String {
    let named = changed.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match changed.len() {
        0..=NAMED_MAX => named,
        many => format!("{named} and {} more", many - NAMED_MAX),
    }
}

fn json_lines(round: &Round, shown: &Shown) -> String {
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
    if let Some(place) = shown.place() {
        line["url"] = json!(place.url);
    }
    if let Shown::Not { why: Some(message), .. } = shown {
        line["error"] = json!(message);
    }
    line["elapsed_ms"] = json!(u64::try_from(round.took.as_millis()).unwrap_or(u64::MAX));
    format!("{findings}{line}\n")
}
