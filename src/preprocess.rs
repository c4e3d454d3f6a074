//! The languages of 2011 (CoffeeScript, Stylus, Pug and Jade), compiled by the app's own npm packages.
//!
//! [`Preprocess`] turns such a file into JavaScript, CSS or HTML, which then goes the way of files that were written so. The
//! packages run in a Node.js process that is started with the first file that needs it, and that serves all of them.

mod complaint;
mod helper;
mod message;
mod node;
mod outdated;
mod packages;
mod pool;
mod trace;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use ssbuild_diagnostic::{Code, Diagnostic, Place, Severity};
use ssbuild_script::{CompiledModule, Language as ScriptLanguage, Options, Source};

pub use complaint::merged;
pub use node::NodePath;
pub use packages::Packages;

use crate::{
    project::Format,
    style::{MadeCss, StyleOutput},
};
use message::{Answer, Done, Job, Language, Outcome};
use pool::Pool;
use trace::Trace;

/// What one file is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long the helper may take to start.
    pub start_deadline_ms: u64,
    /// How long it may run for one file.
    pub deadline_ms: u64,
    /// How much memory it may take for JavaScript's values.
    pub memory_mib: u32,
}

impl Limits {
    /// How long it may run for a file of a language: Dart Sass in JavaScript takes seconds for a whole framework.
    fn deadline_ms_of(self, language: Language) -> u64 {
        match language {
            Language::Sass => self.deadline_ms * 4,
            Language::Coffee | Language::Stylus | Language::Pug => self.deadline_ms,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { start_deadline_ms: 20_000, deadline_ms: 5_000, memory_mib: 512 }
    }
}

/// What became of a sheet, a page or a template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processed {
    /// CSS or HTML; empty when a diagnostic is an error.
    pub text: String,
    /// Every other file that was read, sorted; paths below the app.
    pub files_read: Vec<String>,
    /// Every file that was looked for and not there, sorted.
    pub files_missed: Vec<String>,
    /// Each file that was read, by its absolute path, with the SHA-256 of the bytes that it had then, in hex; an empty hash where
    /// it is not known.
    pub files_hashed: Vec<(String, String)>,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
}

/// What became of a stylesheet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessedSheet {
    /// CSS, and where it is from; empty when a diagnostic is an error.
    pub css: MadeCss,
    /// Every other file that was read, sorted; paths below the app.
    pub files_read: Vec<String>,
    /// Every file that was looked for and not there, sorted.
    pub files_missed: Vec<String>,
    /// As in [`Processed`].
    pub files_hashed: Vec<(String, String)>,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles an app's files in the languages of 2011. Can be used from several threads.
#[derive(Debug)]
pub struct Preprocess {
    pool: Pool,
    /// Shared code is compiled for both sides: by path, the source and what became of it.
    scripts: Mutex<HashMap<String, (Arc<str>, Script)>>,
}

type Script = Result<Arc<Done>, Box<Diagnostic>>;

impl Preprocess {
    /// For the app in `root`; nothing is started yet.
    pub fn new(root: &Path, path: NodePath, limits: Limits) -> Self {
        Self { pool: Pool::new(root.to_path_buf(), path, limits), scripts: Mutex::default() }
    }

    /// Compiles a script of any language. What is said of CoffeeScript is said of its own lines.
    pub fn script(&self, source: Source<'_>, options: &Options) -> CompiledModule {
        if !is_preprocessed(source.path) {
            return ssbuild_script::compile(source, options);
        }
        match self.coffee(source.path, source.text) {
            Ok(made) => {
                let javascript = Source { text: &made.text, language: ScriptLanguage::JavaScript, ..source };
                let mut compiled = ssbuild_script::compile(javascript, options);
                let mappings = made.mappings.as_deref().unwrap_or_default();
                Trace::new(source.path, source.text, &made.text, mappings).apply(&mut compiled);
                compiled
            }
            Err(diagnostic) => CompiledModule { diagnostics: vec![*diagnostic], ..CompiledModule::default() },
        }
    }

    /// Compiles a sheet of Stylus, or of Sass by the app's own Dart Sass, to CSS.
    pub fn sheet(&self, path: &str, text: &str) -> ProcessedSheet {
        let language = if path.ends_with(".styl") { Language::Stylus } else { Language::Sass };
        let job = Job { language, file: path, text, locals: None };
        let mut sheet = ProcessedSheet::default();
        match self.ask(&job) {
            Ok(Answer { files_read, files_missed, files_hashed, warnings, result }) => {
                (sheet.files_read, sheet.files_missed, sheet.files_hashed) = (files_read, files_missed, files_hashed);
                match result {
                    Outcome::Done(Done { text: css, mappings, sources }) => {
                        sheet.diagnostics = warnings.iter().map(|said| warning(path, said)).collect();
                        sheet.css = MadeCss { css, sources, mappings: mappings.unwrap_or_default() };
                    }
                    Outcome::Failed(problem) => sheet.diagnostics.push(complaint::failed(&job, problem)),
                }
            }
            Err(diagnostic) => sheet.diagnostics.push(*diagnostic),
        }
        sheet
    }

    /// Renders a page. In its HTML, marks stand for the head and for files of `public`.
    pub fn page(&self, path: &str, text: &str, env: &str, client: &Map<String, Value>) -> Processed {
        let locals = Some(json!({"env": env, "config": {"client": client}}));
        self.process(&Job { language: Language::Pug, file: path, text, locals })
    }

    /// Renders a template, which knows nothing.
    pub fn template(&self, path: &str, text: &str) -> Processed {
        self.process(&Job { language: Language::Pug, file: path, text, locals: None })
    }

    fn coffee(&self, path: &str, text: &str) -> Script {
        let lock = || self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, made)) = lock().get(path)
            && **known == *text
        {
            return made.clone();
        }
        let job = Job { language: Language::Coffee, file: path, text, locals: None };
        let made = self.ask(&job).and_then(|answer| match answer.result {
            Outcome::Done(done) => Ok(Arc::new(done)),
            Outcome::Failed(failed) => Err(Box::new(complaint::failed(&job, failed))),
        });
        lock().insert(path.to_owned(), (text.into(), made.clone()));
        made
    }

    fn ask(&self, job: &Job<'_>) -> Result<Answer, Box<Diagnostic>> {
        match complaint::depth(job) {
            Some(diagnostic) => Err(Box::new(diagnostic)),
            None => self.pool.ask(job).map_err(|fate| Box::new(complaint::fate(job, fate, self.pool.limits))),
        }
    }

    fn process(&self, job: &Job<'_>) -> Processed {
        let answer = match self.ask(job) {
            Ok(answer) => answer,
            Err(diagnostic) => return Processed { diagnostics: vec![*diagnostic], ..Processed::default() },
        };
        let Answer { files_read, files_missed, files_hashed, result, .. } = answer;
        // Pug warns of `.jade`, which is not to be changed.
        let (text, diagnostics) = match result {
            Outcome::Done(done) => {
                let found = outdated::silent(job.file, job.text, &done.text);
                (done.text, found)
            }
            Outcome::Failed(problem) => (String::new(), vec![complaint::failed(job, problem)]),
        };
        Processed { text, files_read, files_missed, files_hashed, diagnostics }
    }
}

/// Whether scripts of that name are compiled by the app's packages.
pub fn is_preprocessed(script: &str) -> bool {
    Format::of(script) == Format::Coffee
}

fn warning(file: &str, said: &str) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(Code::StyleWarning, said.trim().to_owned()).at(Place::file(file), "");
    diagnostic.severity = Severity::Warning;
    diagnostic
}

impl ProcessedSheet {
    /// Adds what was read and found to what the CSS became.
    pub fn put_into(self, output: &mut StyleOutput) {
        output.diagnostics.splice(0..0, self.diagnostics);
        for (all, more) in [(&mut output.files_read, self.files_read), (&mut output.files_missed, self.files_missed)] {
            all.extend(more);
            all.sort();
            all.dedup();
        }
    }
}
