//! Stylesheets: SCSS, Sass and CSS in; one CSS text out, for the browsers asked for, with every `url()` rewritten.
//!
//! [`Styles::compile`] hands a sheet to a child process, because the libraries that do the work can abort or never
//! end on hostile sheets. It goes in two rounds: the child says which files the sheet names, the caller (who has
//! fingerprinted them) says what to write instead, and only then is CSS printed. So no placeholder is ever hashed.

mod child;
mod css;
mod depth;
mod files;
mod mark;
mod message;
mod pool;
mod refs;
mod sass;
mod targets;
mod urls;
mod worker;

pub use child::run_worker;
pub use pool::{StyleError, StyleLimits, Styles, WorkerCommand};
pub use targets::{TargetError, Targets};
pub(crate) use urls::origin;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use ssbuild_diagnostic::Diagnostic;

/// Folders that `@import` and `@use` are resolved in, beside the folder of the sheet itself; paths below the app.
pub const IMPORT_ROOTS: [&str; 3] = ["app/css", "lib/css", "node_modules"];

/// One stylesheet. Its language is that of its name: `.css`, `.scss` or `.sass`. A `.styl` comes as the CSS that Stylus made
/// of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Path below the app folder, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// How sheets are compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StyleOptions {
    /// The app's folder, absolute.
    pub root: PathBuf,
    /// In which form CSS is written.
    pub form: StyleForm,
    /// Browsers to prefix and lower for.
    pub targets: Targets,
}

/// In which form CSS is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StyleForm {
    /// Lowered for the targets, one declaration a line.
    Readable,
    /// Lowered for the targets, as small as it goes.
    Minified,
    /// As small as its author made it: nothing is lowered or merged. For files named `.min.`.
    Kept,
}

/// Knows which files there are to be named by `url()`, and under which URL each is served.
pub trait UrlResolver: Send + Sync {
    /// What to write for the file of that path below the app folder (`public/images/logo.png`); `None` when there is no such file.
    fn url_of(&self, file: &str) -> Option<String>;
}

/// What became of a sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StyleOutput {
    /// The CSS; empty when a diagnostic is an error.
    pub css: String,
    /// How many bytes at its beginning hold what must stand first in a sheet: the `@import`s of other hosts' sheets.
    pub lead_bytes: usize,
    /// Every other file that was read, sorted; paths below the app.
    pub files_read: Vec<String>,
    /// Every file that was looked for and not there, sorted. If one appears, the result may differ.
    pub files_missed: Vec<String>,
    /// Each file that was read, with the SHA-256 of the bytes that it had then, in hex.
    pub files_hashed: Vec<(String, String)>,
    /// Every question put to the [`UrlResolver`] and its answer, sorted. If an answer changes, the result does.
    pub urls: Vec<StyleUrl>,
    /// Other hosts that it loads from, by the directive of a Content-Security-Policy that has to allow them.
    pub origins: BTreeMap<String, BTreeSet<String>>,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
}

/// One question to the [`UrlResolver`] and its answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StyleUrl {
    /// Path below the app folder.
    pub file: String,
    /// What was answered.
    pub url: Option<String>,
}

/// Several sheets as one. What must stand first in a sheet comes first, of all of them.
pub fn join(sheets: &[StyleOutput]) -> String {
    let (leads, rests): (Vec<&str>, Vec<&str>) =
        sheets.iter().map(|sheet| sheet.css.split_at(sheet.lead_bytes)).unzip();
    let parts = leads.into_iter().chain(rests).map(str::trim_end).filter(|part| !part.is_empty());
    parts.flat_map(|part| [part, "\n"]).collect()
}
