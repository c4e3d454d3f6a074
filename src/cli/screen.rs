//! Printing: data on stdout, what is for people on stderr. Nothing else of the program prints.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anstream::ColorChoice;
use ssbuild::pipeline;
use ssbuild_diagnostic::Report;

use super::{
    COULD_NOT_RUN,
    args::{Level, OutputArgs},
};

/// Says that the work could not be done.
pub(super) fn could_not_run(message: &str) -> ExitCode {
    let style = anstyle::Style::new().fg_color(Some(anstyle::AnsiColor::Red.into())).bold();
    to_stderr(&format!("{style}error{style:#}: {message}\n"));
    ExitCode::from(COULD_NOT_RUN)
}

/// The same for the compiler's errors.
pub(super) fn failed(error: &pipeline::Error) -> ExitCode {
    could_not_run(&error.to_string())
}

/// Whether there are errors among the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Findings {
    /// There are.
    Errors,
    /// There are none.
    Fine,
}

/// Prints what was found, as far as it is asked for.
pub(super) fn findings(output: &OutputArgs, report: Report) -> Findings {
    let found = match output.level() {
        Level::Error => report.without_warnings(),
        Level::Warn | Level::Info => report.without_notes(),
        Level::Debug | Level::Trace => report,
    };
    if output.json {
        to_stdout(&found.to_json_lines());
    } else {
        to_stderr(&found.to_text(wants_color()));
    }
    if found.has_errors() { Findings::Errors } else { Findings::Fine }
}

/// The stream takes colours away again that nobody can see; this spares the work of making them.
pub(super) fn wants_color() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Prints data. Whoever reads it may have gone: that is no failure of the build.
pub(super) fn to_stdout(text: &str) {
    drop(anstream::stdout().lock().write_all(text.as_bytes()));
    drop(io::stdout().flush());
}

/// Prints what is for people.
pub(super) fn to_stderr(text: &str) {
    drop(anstream::stderr().lock().write_all(text.as_bytes()));
}
