//! Diagnostics as data: what is wrong with an app, where, and what to do about it.
//!
//! Compiler stages return [`Diagnostic`]s and never print. A [`Report`] collects, sorts and renders them,
//! as text with carets, as one JSON object a line, as a SARIF log or as commands of GitHub Actions. Everything here is plain data, so a diagnostic can be
//! cached, sent by a child process and shown in a browser.

mod code;
mod github;
mod place;
mod plain;
mod render;
mod report;
mod sarif;

pub use code::{Code, Severity};
pub use place::{Place, Span};
pub use report::Report;

use serde::Deserialize;

/// One finding about the app: a code from a closed list, what is wrong, the places, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Diagnostic {
    /// Which kind of finding this is.
    pub code: Code,
    /// Whether it stops the build.
    pub severity: Severity,
    /// What is wrong, in one sentence, without a full stop.
    pub message: String,
    /// Where: the first is the place to look at, the rest are places that explain it.
    pub labels: Vec<Label>,
    /// What to do, one sentence each.
    #[serde(default)]
    pub help: Vec<String>,
}

/// A place and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Label {
    /// Where in which file.
    pub place: Place,
    /// What is said beside the carets; may be empty.
    #[serde(default)]
    pub text: String,
}

impl Diagnostic {
    /// A finding of `code` with that code's own severity.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, severity: code.severity(), message: message.into(), labels: Vec::new(), help: Vec::new() }
    }

    /// Adds a place; the first one added is where the finding is shown.
    #[must_use]
    pub fn at(mut self, place: Place, text: impl Into<String>) -> Self {
        self.labels.push(Label { place, text: text.into() });
        self
    }

    /// Adds a sentence that says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Whether this finding stops the build.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
