//! The text of the screen: where the app is, what was built when, what is wrong, and the keys.

use std::{collections::BTreeMap, fmt::Write};

use anstyle::{AnsiColor, Style};
use ssbuild::{pipeline::Outcome, watch::Round};
use ssbuild_diagnostic::Severity;

use super::board::why;

/// Rebuilds that are listed.
const LISTED: usize = 8;
/// Columns of a line of the list beside what was rebuilt.
const AROUND: usize = 22;
/// Column of the counts.
const COUNTS_AT: usize = 5;
/// Nothing is made shorter than this.
const SHORTEST: usize = 12;
/// Places that a group of warnings names.
const PLACES_MAX: usize = 3;

/// What the screen shows.
#[derive(Debug, Default)]
pub(super) struct ScreenText {
    name: String,
    pub(super) url: Option<String>,
    /// Whether that is the app, and not only what is wrong with it.
    pub(super) served: bool,
    polling: Option<String>,
    /// Why the newest build is not served.
    pub(super) unserved: Option<String>,
    counts: String,
    build: String,
    rounds: Vec<Line>,
    errors: String,
    warnings: String,
}

#[derive(Debug)]
struct Line {
    number: u64,
    what: String,
    took_ms: u128,
    good: bool,
}

fn paint(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(color.into()))
}

impl ScreenText {
    /// Nothing built yet.
    pub(super) fn new(polling: Option<String>) -> Self {
        Self { polling, ..Self::default() }
    }

    /// Takes a build in.
    pub(super) fn round(&mut self, round: &Round) {
        let what = match (round.number, why(&round.changed)) {
            (1, _) => "first build".to_owned(),
            (_, why) if why.is_empty() => "asked for".to_owned(),
            (_, why) => why,
        };
        let built = round.result.as_ref().ok().and_then(|outcome| outcome.manifest.as_ref());
        self.rounds.push(Line { number: round.number, what, took_ms: round.took.as_millis(), good: built.is_some() });
        let extra = self.rounds.len().saturating_sub(LISTED);
        self.rounds.drain(..extra);
        if let Some(manifest) = built {
            self.counts = ssbuild::report::counts(manifest);
            (self.name, self.build) = (manifest.app.clone(), manifest.build_id.clone());
        }
        (self.errors, self.warnings) = match &round.result {
            Ok(outcome) => (errors(outcome), warnings(outcome)),
            Err(error) => (format!("error: {error}\n"), String::new()),
        };
    }

    /// The whole of it, with colours, for a terminal of that width.
    pub(super) fn draw(&self, columns: usize) -> String {
        let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
        let (green, red, yellow, blue) =
            (paint(AnsiColor::Green), paint(AnsiColor::Red), paint(AnsiColor::Yellow), paint(AnsiColor::Cyan));
        let mut text = String::new();
        let name = if self.name.is_empty() { "ssbuild" } else { &self.name };
        let mut line = |line: String| writeln!(text, "{line}").expect("a string takes all text");
        line(String::new());
        line(format!("  {bold}{name}{bold:#}  {dim}development  {}{dim:#}", self.build));
        match &self.url {
            Some(url) if self.served => line(format!("  {green}➜{green:#}  {blue}{url}{blue:#}")),
            Some(url) => line(format!(
                "  {yellow}➜{yellow:#}  {blue}{url}{blue:#}  {yellow}shows what is wrong until there is a good build{yellow:#}"
            )),
            None => line(format!("  {yellow}not served yet: there has been no good build{yellow:#}")),
        }
        if !self.counts.is_empty() {
            line(format!("     {dim}{}{dim:#}", shortened(&self.counts, columns.saturating_sub(COUNTS_AT))));
        }
        if let Some(reason) = &self.polling {
            line(format!("     {yellow}looking for changes again and again: {reason}{yellow:#}"));
        }
        line(String::new());
        let room = columns.saturating_sub(AROUND);
        let rounds = self.rounds.iter().map(|round| (round, shortened(&round.what, room)));
        let rounds: Vec<(&Line, String)> = rounds.collect();
        let width = rounds.iter().map(|(_, what)| what.chars().count()).max().unwrap_or_default();
        for (Line { number, took_ms, good, .. }, what) in rounds {
            let (mark, style) = if *good { ("✓", green) } else { ("✗", red) };
            line(format!(
                "  {style}{mark}{style:#} {dim}{number:>4}{dim:#}  {what:<width$}  {dim}{took_ms:>6} ms{dim:#}"
            ));
        }
        for part in [&self.errors, &self.warnings] {
            if !part.is_empty() {
                line(format!("\n{}", part.trim_end()));
            }
        }
        if let Some(message) = &self.unserved {
            line(format!("\n{red}error{red:#}: this build is not served: {message}"));
        }
        let key = |key: &str, does: &str| format!("{bold}{key}{bold:#} {dim}{does}{dim:#}");
        let keys = [key("r", "rebuild"), key("o", "open"), key("c", "clear"), key("q", "quit")];
        line(format!("\n  {}\n", keys.join("   ")));
        text
    }
}

/// A text with its middle left out when it is too long: where it begins and the name at its end say most.
fn shortened(text: &str, room: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= room || room < SHORTEST {
        return text.to_owned();
    }
    let (before, behind) = ((room - 1) / 2, room / 2);
    letters[..before].iter().chain(&['…']).chain(&letters[letters.len() - behind..]).collect()
}

fn errors(outcome: &Outcome) -> String {
    if outcome.report.has_errors() { outcome.report.clone().without_warnings().to_text(true) } else { String::new() }
}

/// One line a kind of warning, with the places.
fn warnings(outcome: &Outcome) -> String {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let sorted = outcome.report.sorted();
    for found in sorted.into_iter().filter(|found| found.severity == Severity::Warning) {
        let place = found.labels.first().map(|label| &label.place);
        let place = place.map_or_else(
            || found.message.clone(),
            |place| match place.line {
                0 => place.file.clone(),
                line => format!("{}:{line}:{}", place.file, place.column),
            },
        );
        groups.entry(found.code.as_str()).or_default().push(place);
    }
    let yellow = paint(AnsiColor::Yellow);
    let lines = groups.into_iter().map(|(code, places)| {
        let named = places.iter().take(PLACES_MAX).cloned().collect::<Vec<_>>().join(", ");
        let more = places.len().saturating_sub(PLACES_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("  {yellow}{} × {code}{yellow:#}  {named}{more}\n", places.len())
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn long_names_keep_their_ends() {
        assert_eq!(shortened("app/client/app.js", 17), "app/client/app.js");
        assert_eq!(shortened("app/client/very/deep/file.js", 17), "app/clie…/file.js");
        assert_eq!(shortened("app/client/app.js", 3), "app/client/app.js");
    }
}
