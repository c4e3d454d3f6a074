use std::{
    io,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::Mutex,
    time::Duration,
};

use ssbuild_diagnostic::{Code, Diagnostic, Place};

use super::{
    Sheet, StyleOptions, StyleOutput, UrlResolver, depth,
    message::{Compiled, FromWorker, ToWorker},
    urls::Urls,
    worker::{Fate, Worker},
};

/// How to start a style worker: this program, with the hidden subcommand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

impl WorkerCommand {
    /// The name of the hidden subcommand that runs a worker.
    pub const SUBCOMMAND: &str = "__style-worker";

    /// `program`, asked to be a worker.
    pub fn of(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: vec![Self::SUBCOMMAND.to_owned()] }
    }

    /// The program that is running, asked to be a worker.
    pub fn this_program() -> io::Result<Self> {
        // Linux: names the running file even after it was replaced by a newer one on disk.
        let link = Path::new("/proc/self/exe");
        if link.exists() { Ok(Self::of(link)) } else { std::env::current_exe().map(Self::of) }
    }
}

/// What one sheet is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StyleLimits {
    /// How long the worker may take for it.
    pub deadline_ms: u64,
    /// How much memory the worker may take for it, beyond what it needs to run at all.
    pub memory_bytes: u64,
}

impl Default for StyleLimits {
    fn default() -> Self {
        Self { deadline_ms: 5_000, memory_bytes: 1024 * 1024 * 1024 }
    }
}

/// The machine's fault: the style worker cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum StyleError {
    /// It cannot be started.
    #[error("cannot start the style worker `{}`: {source}", program.display())]
    Start {
        /// What was to be started.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It ended by itself, or said something that is no message.
    #[error("the style worker does not work ({status}): {said}")]
    Broken {
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote to stderr, or the line that is no message.
        said: String,
    },
}

/// Compiles sheets in child processes, which are kept for the next sheet. Can be used from several threads; there are as
/// many children as sheets being compiled at a time.
#[derive(Debug)]
pub struct Styles {
    command: WorkerCommand,
    limits: StyleLimits,
    idle: Mutex<Vec<Worker>>,
}

impl Styles {
    /// A pool without children: the first is started for the first sheet.
    pub fn new(command: WorkerCommand, limits: StyleLimits) -> Self {
        Self { command, limits, idle: Mutex::default() }
    }

    /// Compiles one sheet. Whatever is wrong with it, or happens to the child because of it, is a diagnostic.
    pub fn compile(
        &self,
        sheet: &Sheet,
        options: &StyleOptions,
        resolver: &dyn UrlResolver,
    ) -> Result<StyleOutput, StyleError> {
        let made = sheet.made.as_ref().and_then(|made| depth::check("made.css", &made.css));
        if let Some(diagnostic) = depth::check(&sheet.path, &sheet.text).or_else(|| {
            let message = made?.message;
            Some(Diagnostic::new(Code::NestedTooDeep, message).at(Place::file(&sheet.path), ""))
        }) {
            return Ok(failed(diagnostic));
        }
        let kept = self.idle().pop();
        let reused = kept.is_some();
        let mut outcome = self.try_compile(kept, sheet, options, resolver);
        // What a sheet before it left behind must not be blamed on this one: only a fresh child's death counts.
        if reused && matches!(outcome, Err(Fate::Died { .. } | Fate::Broken { .. })) {
            outcome = self.try_compile(None, sheet, options, resolver);
        }
        match outcome {
            Ok(output) => Ok(output),
            Err(Fate::NotStarted(source)) => Err(StyleError::Start { program: self.command.program.clone(), source }),
            Err(Fate::Broken { status, said }) => Err(StyleError::Broken { status, said }),
            Err(Fate::Died { said }) => Ok(died(&sheet.path, &said, self.limits)),
            Err(Fate::TimedOut) => Ok(limit(
                &sheet.path,
                format!("the stylesheet was not compiled within {} ms", self.limits.deadline_ms),
                "Look for a loop or a function that never ends, and for brackets that are not closed.",
            )),
            Err(Fate::TooLong) => Ok(limit(
                &sheet.path,
                "the stylesheet comes to more than 64 MiB of CSS, names and messages".to_owned(),
                MULTIPLIES,
            )),
        }
    }

    fn try_compile(
        &self,
        kept: Option<Worker>,
        sheet: &Sheet,
        options: &StyleOptions,
        resolver: &dyn UrlResolver,
    ) -> Result<StyleOutput, Fate> {
        let mut worker = match kept {
            Some(worker) => worker,
            None => Worker::start(&self.command, self.limits.memory_bytes)?,
        };
        let mut left = Duration::from_millis(self.limits.deadline_ms);
        let mut urls = Urls::new(resolver);
        let mut question = ToWorker::Compile { sheet: sheet.clone(), options: options.clone() };
        loop {
            match worker.ask(&question, &mut left)? {
                FromWorker::Urls(found) => question = ToWorker::Urls(urls.answer(&found)),
                FromWorker::Done(compiled) => {
                    self.idle().push(worker);
                    return Ok(output(compiled, urls));
                }
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        // A panic while it is held can only come between a push and a pop, which leave it whole.
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn output(compiled: Compiled, urls: Urls<'_>) -> StyleOutput {
    let (asked, found) = urls.finish();
    let mut diagnostics = compiled.diagnostics;
    diagnostics.extend(found);
    let (css, lead_bytes, map) = match diagnostics.iter().any(Diagnostic::is_error) {
        true => (String::new(), 0, None),
        false => (compiled.css, compiled.lead_bytes, compiled.map),
    };
    StyleOutput {
        css,
        lead_bytes,
        files_read: compiled.files_read,
        files_missed: compiled.files_missed,
        files_hashed: compiled.files_hashed,
        urls: asked,
        origins: compiled.origins,
        exports: compiled.exports,
        map,
        diagnostics,
    }
}

/// What makes small sheets large.
const MULTIPLIES: &str = "Look for a loop that never ends, and for selectors that multiply when they are nested.";

/// A child that was ended by a signal: by Rust when memory or stack ran out, by the system when it was short of memory.
fn died(file: &str, said: &str, limits: StyleLimits) -> StyleOutput {
    if said.contains("overflowed its stack") {
        let help = "Look for a function, mixin or import that calls itself without end, and for very deep nesting.";
        limit(file, "the stylesheet took more stack than it is given".to_owned(), help)
    } else if said.contains("memory allocation") || said.is_empty() {
        let mib = limits.memory_bytes / (1024 * 1024);
        limit(file, format!("the stylesheet took more memory than it is given ({mib} MiB)"), MULTIPLIES)
    } else {
        // The system's words may name addresses and paths of this machine.
        failed(
            Diagnostic::new(Code::CompilerPanic, "the style compiler ended while it compiled the stylesheet")
                .at(Place::file(file), "")
                .help("Make the sheet smaller until it passes, to see what the compiler trips over."),
        )
    }
}

fn limit(file: &str, message: String, help: &str) -> StyleOutput {
    failed(Diagnostic::new(Code::StyleLimit, message).at(Place::file(file), "").help(help))
}

fn failed(diagnostic: Diagnostic) -> StyleOutput {
    StyleOutput { diagnostics: vec![diagnostic], ..StyleOutput::default() }
}
