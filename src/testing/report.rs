use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::json;
use ssbuild_diagnostic::Place;
use ssbuild_server::testing::{Assertion, Event, Failure, Outcome, TestResult};

use super::{FileResult, Linked};
use crate::mappings;

const GREEN: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const RED: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const DIM: Style = Style::new().dimmed();

/// Lines of the server's log that are shown with a failure.
const LOG_LINES: usize = 20;

/// What is printed of one file: its tests, and for each failure the place with its line.
pub fn text(linked: &Linked, result: &FileResult) -> String {
    let mut out = String::new();
    let (mark, style) = if result.has_failed() { ("✗", RED) } else { ("✓", GREEN) };
    writeln!(out, "{style}{mark}{style:#} {}", result.name).expect("a string takes all text");
    // What a test wrote stands below its name.
    let mut printed = String::new();
    for event in &result.events {
        match event {
            Event::Test(test) => {
                line(&mut out, test);
                out.push_str(&std::mem::take(&mut printed));
            }
            Event::Printed(_, text) => indented(&mut printed, text, "      │ "),
            Event::Broken(_) | Event::Stray(_) | Event::ServerLog(_) => {}
        }
    }
    out.push_str(&printed);
    for event in &result.events {
        let (title, failure) = match event {
            Event::Test(TestResult { path, failure: Some(failure), .. }) => (path.join(" › "), failure),
            Event::Broken(failure) => ("the file could not be run".to_owned(), failure),
            Event::Stray(failure) => ("an error that belongs to no test".to_owned(), failure),
            _ => continue,
        };
        out.push('\n');
        out.push_str(&frame(linked, &title, failure));
    }
    for event in &result.events {
        if let Event::ServerLog(log) = event {
            writeln!(out, "  {DIM}the server's log:{DIM:#}").expect("a string takes all text");
            let lines: Vec<&str> = log.trim_end().lines().collect();
            indented(&mut out, &lines[lines.len().saturating_sub(LOG_LINES)..].join("\n"), "      │ ");
        }
    }
    out
}

fn line(out: &mut String, test: &TestResult) {
    let (mark, style) = match test.outcome {
        Outcome::Passed => ("✓", GREEN),
        Outcome::Failed => ("✗", RED),
        Outcome::Skipped => ("–", DIM),
        Outcome::Todo => ("○", DIM),
    };
    let name = test.path.join(" › ");
    let took = if test.took_ms >= 100.0 { format!(" {DIM}{:.0} ms{DIM:#}", test.took_ms) } else { String::new() };
    let todo = if test.outcome == Outcome::Todo { " (to do)" } else { "" };
    writeln!(out, "    {style}{mark}{style:#} {name}{todo}{took}").expect("a string takes all text");
}

fn indented(out: &mut String, text: &str, margin: &str) {
    for line in text.trim_end().lines() {
        writeln!(out, "{margin}{line}").expect("a string takes all text");
    }
}

/// A failure with the line of the test, or of the app, that it came from.
pub(super) fn frame(linked: &Linked, title: &str, failure: &Failure) -> String {
    let mut out = format!("  {RED}●{RED:#} {title}\n");
    indented(&mut out, &failure.message, "      ");
    if let Some(Assertion { actual, expected: Some(expected) }) = &failure.assertion {
        write!(out, "        expected: {GREEN}{expected}{GREEN:#}\n          actual: {RED}{actual}{RED:#}\n")
            .expect("a string takes all text");
    }
    if let Some(place) = place(linked, &failure.stack) {
        let Place { file, line, column, text, .. } = &place;
        let number = line.to_string();
        let (margin, blank) = (" ".repeat(number.len()), " ".repeat(*column as usize - 1));
        write!(
            out,
            "      {DIM}{file}:{line}:{column}{DIM:#}\n      {DIM}{number} |{DIM:#} {text}\n      {DIM}{margin} |{DIM:#} {blank}{RED}^{RED:#}\n"
        )
        .expect("a string takes all text");
    }
    out
}

/// The first frame that is in a source of the app.
fn place(linked: &Linked, stack: &str) -> Option<Place> {
    let map = linked.map.as_deref()?;
    stack.lines().find_map(|line| {
        let (_, at) = line.split_once(&format!("{}:", linked.file.name))?;
        let (line, column) = at.trim_end_matches(')').split_once(':')?;
        mappings::place(map, (line.parse().ok()?, column.parse().ok()?), |source| {
            linked.sources.get(source).filter(|_| !source.contains("node_modules/")).map(String::as_str)
        })
    })
}

/// The last line: how many tests there were and how they ended.
pub fn summary(results: &[FileResult], took: std::time::Duration) -> String {
    let count = |outcome| results.iter().map(|result| result.count(outcome)).sum::<usize>();
    let broken = results.iter().filter(|result| result.count(Outcome::Failed) == 0 && result.has_failed()).count();
    let mut parts = vec![format!("{} passed", count(Outcome::Passed))];
    for (number, what) in [
        (count(Outcome::Failed), "failed"),
        (broken, "files broken"),
        (count(Outcome::Skipped), "skipped"),
        (count(Outcome::Todo), "to do"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    }
    let files = if results.len() == 1 { "1 file".to_owned() } else { format!("{} files", results.len()) };
    format!("{} in {files} ({:.2} s)\n", parts.join(", "), took.as_secs_f64())
}

/// One object a test, for machines.
pub fn json_line(linked: &Linked, result: &FileResult, event: &Event) -> Option<String> {
    let at = |failure: &Failure| {
        place(linked, &failure.stack)
            .map(|place| json!({"file": place.file, "line": place.line, "column": place.column}))
    };
    let shown = |failure: &Failure| {
        json!({"message": failure.message, "at": at(failure), "expected": failure.assertion.as_ref().and_then(|a| a.expected.clone()),
            "actual": failure.assertion.as_ref().map(|a| a.actual.clone())})
    };
    let value = match event {
        Event::Test(test) => json!({
            "kind": "test", "file": result.name, "path": test.path, "outcome": format!("{:?}", test.outcome).to_lowercase(),
            "took_ms": test.took_ms, "assertions": test.assertions, "failure": test.failure.as_ref().map(shown),
        }),
        Event::Broken(failure) | Event::Stray(failure) => {
            json!({"kind": "broken", "file": result.name, "failure": shown(failure)})
        }
        Event::Printed(level, text) => json!({"kind": "printed", "file": result.name, "level": level, "text": text}),
        Event::ServerLog(_) => return None,
    };
    Some(format!("{value}\n"))
}
