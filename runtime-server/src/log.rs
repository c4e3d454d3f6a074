//! The log: levels 0 to 4, lines with marks for a person or JSON for a machine, written by a thread of its own.

use std::fmt::Display;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::config::LogFormat;

/// Lines waiting for a slow terminal or pipe; beyond it they are counted instead of kept.
const QUEUE_LINES: usize = 8_192;
/// Longest piece of parameters or answer shown in a line.
const SHOWN_CHARS: usize = 300;

/// Errors, which are always written.
pub const ERRORS: u8 = 0;
/// Warnings.
pub const WARNINGS: u8 = 1;
/// Calls and events.
pub const CALLS: u8 = 2;
/// Their parameters as well.
pub const PARAMS: u8 = 3;
/// Everything.
pub const ALL: u8 = 4;

/// Where the server says what it does. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    level: u8,
    format: LogFormat,
    clock: Arc<dyn Clock>,
    lines: SyncSender<String>,
    dropped: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
}

impl Log {
    /// A log that writes to `out` what is of `level` or more important.
    pub fn new(level: u8, format: LogFormat, clock: Arc<dyn Clock>, out: Box<dyn Write + Send>) -> Self {
        let (lines, waiting) = sync_channel(QUEUE_LINES);
        let dropped = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&dropped);
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_lines(&waiting, out, &counted))
            .expect("a process can start a thread");
        Self { level, format, clock, lines, dropped, lost: Arc::default() }
    }

    /// Whether lines of that level are written.
    pub fn shows(&self, level: u8) -> bool {
        level <= self.level
    }

    /// How many lines were lost because their reader is too slow.
    pub fn lines_lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Something failed.
    pub fn error(&self, text: impl Display) {
        self.write(ERRORS, "!!", "error", text, Map::new());
    }

    /// Something looks wrong.
    pub fn warn(&self, text: impl Display) {
        self.write(WARNINGS, " !", "warning", text, Map::new());
    }

    /// Something in the configuration looks wrong: said once, at the start, and therefore at every level.
    pub fn misconfigured(&self, text: impl Display) {
        self.write(ERRORS, " !", "warning", text, Map::new());
    }

    /// A line at `level` that is not about a call or an event.
    pub fn say(&self, level: u8, text: impl Display) {
        self.write(level, "  ", "log", text, Map::new());
    }

    /// A call came in.
    pub fn call(&self, request: &str, action: &str, args: &str) {
        if self.shows(CALLS) {
            let fields = self.fields([("request", json!(request)), ("action", json!(action))], ("args", args));
            self.write(CALLS, "->", "call", format_args!("{action}{}", self.shown(args)), fields);
        }
    }

    /// An answer went out.
    pub fn answer(&self, request: &str, action: &str, answer: &str, took_ms: u64) {
        if self.shows(CALLS) {
            let known = [("request", json!(request)), ("action", json!(action)), ("ms", json!(took_ms))];
            let fields = self.fields(known, ("answer", answer));
            let text = format_args!("{action}{} ({took_ms} ms)", self.shown(answer));
            self.write(CALLS, "<-", "answer", text, fields);
        }
    }

    /// A call failed in a way that the app's author should see.
    pub fn failure(&self, request: &str, action: &str, code: &str, message: &str, stack: Option<&str>) {
        let known = [("request", json!(request)), ("action", json!(action)), ("code", json!(code))];
        let mut fields: Map<_, _> = known.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        if let Some(stack) = stack {
            fields.insert("stack".to_owned(), json!(stack));
        }
        let stack = match (self.format, stack) {
            (LogFormat::Text, Some(stack)) => format!("\n{stack}"),
            _ => String::new(),
        };
        self.write(ERRORS, "!!", "failure", format_args!("{action}: {code}: {message}{stack}"), fields);
    }

    /// An event was published.
    pub fn event(&self, to: impl Display, event: &str, params: &str) {
        if self.shows(CALLS) {
            let fields = self.fields([("to", json!(to.to_string())), ("event", json!(event))], ("params", params));
            self.write(CALLS, "=>", "event", format_args!("{event} to {to}{}", self.shown(params)), fields);
        }
    }

    fn fields<const N: usize>(&self, known: [(&str, Value); N], detail: (&str, &str)) -> Map<String, Value> {
        if self.format == LogFormat::Text {
            return Map::new();
        }
        let mut fields: Map<_, _> = known.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        if self.shows(PARAMS) {
            fields.insert(detail.0.to_owned(), json!(cut(detail.1)));
        }
        fields
    }

    fn shown(&self, detail: &str) -> String {
        if self.shows(PARAMS) && !detail.is_empty() { format!(" {}", cut(detail)) } else { String::new() }
    }

    fn write(&self, level: u8, mark: &str, kind: &str, text: impl Display, fields: Map<String, Value>) {
        if !self.shows(level) {
            return;
        }
        let line = match self.format {
            LogFormat::Text => format!("{mark} {text}\n"),
            LogFormat::Json => {
                let mut line = Map::new();
                line.insert("time_ms".to_owned(), json!(self.clock.now_ms()));
                line.insert("level".to_owned(), json!(level));
                line.insert("kind".to_owned(), json!(kind));
                line.insert("text".to_owned(), json!(text.to_string()));
                line.extend(fields);
                format!("{}\n", Value::Object(line))
            }
        };
        if let Err(TrySendError::Full(_)) = self.lines.try_send(line) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The writing half: ends when the last [`Log`] is gone.
fn write_lines(waiting: &Receiver<String>, mut out: Box<dyn Write + Send>, dropped: &AtomicU64) {
    while let Ok(line) = waiting.recv() {
        // A log that cannot be written must not stop the server: there is nowhere to say so.
        let _ = out.write_all(line.as_bytes());
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let _ = writeln!(out, " ! {lost} lines of the log were lost: its reader is too slow");
        }
        let _ = out.flush();
    }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(SHOWN_CHARS).map_or(text, |(end, _)| &text[..end])
}
