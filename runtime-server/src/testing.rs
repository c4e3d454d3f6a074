//! An app's own tests: one file of them in an engine of its own, against a private server of the app, over the real
//! protocol, with as many browsers without a screen as the tests ask for.

mod clock;
mod host;
mod net;
mod private;
mod timers;
mod vm;

use std::time::Duration;

use serde::Deserialize;

use crate::load::Build;
use crate::manifest::EngineKind;

/// A test file, linked: its start names the module `file` of the tree `test`.
#[derive(Debug, Clone)]
pub struct TestFile {
    /// Path from the app's folder.
    pub name: String,
    /// The code.
    pub bundle: String,
}

/// How tests are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Only tests whose whole name this regular expression (of JavaScript, without regard to case) finds.
    pub pattern: Option<String>,
    /// Time that a test has unless it says another, in milliseconds.
    pub timeout_ms: u64,
    /// The engine for the app's server code, when it is not to be the build's own.
    pub engine: Option<EngineKind>,
}

/// What happened, in the order in which it did.
#[derive(Debug)]
pub enum Event {
    /// A test is done, or was not run.
    Test(TestResult),
    /// The file could not be run to its end.
    Broken(Failure),
    /// Something failed that belongs to no test.
    Stray(Failure),
    /// A test, or client code, wrote to the console: level and text.
    Printed(u8, String),
    /// The server's log, when there is something in it that a failure may be about.
    ServerLog(String),
}

/// One test.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TestResult {
    /// Names of its suites, and its own.
    pub path: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// How many expectations it checked.
    pub assertions: u64,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// It was not asked for.
    Skipped,
    /// It is still to be written.
    Todo,
}

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Failure {
    /// What was thrown.
    pub message: String,
    /// Frames, with places in the file's bundle.
    pub stack: String,
    /// What was expected, when that is known.
    pub assertion: Option<Assertion>,
}

/// Both sides of an expectation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Assertion {
    /// What it was.
    pub actual: String,
    /// What it should have been.
    pub expected: Option<String>,
}

impl Failure {
    fn of(message: impl Into<String>) -> Self {
        Self { message: message.into(), stack: String::new(), assertion: None }
    }
}

/// How long a file may keep its engine busy without a pause.
const BUSY: Duration = Duration::from_secs(20);

/// Runs a file of tests on the calling thread, which should have a stack of [`STACK_BYTES`]. The server, its sessions and
/// everything that code remembers are this file's alone.
pub fn run_file(build: &Build, file: &TestFile, options: &Options, on_event: &mut dyn FnMut(Event)) {
    if let Err(message) = private::run(build, file, options, on_event) {
        on_event(Event::Broken(Failure::of(message)));
    }
}

/// Stack that [`run_file`] wants.
pub const STACK_BYTES: usize = 16 * 1024 * 1024;
