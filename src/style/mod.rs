//! Stylesheets: SCSS, Sass and CSS in; one CSS text out, for the browsers asked for, with every `url()` rewritten.
//!
//! [`Styles::compile`] hands a sheet to a child process, because the libraries that do the work can abort or never
//! end on hostile sheets. It goes in two rounds: the child says which files the sheet names, the caller (who has
//! fingerprinted them) says what to write instead, and only then is CSS printed. So no placeholder is ever hashed.

mod blank;
mod child;
mod composes;
mod css;
mod depth;
mod exports;
mod files;
mod indented;
mod map;
mod mark;
mod message;
mod origin;
mod package;
mod pool;
mod queries;
mod refs;
mod rules;
mod sass;
mod targets;
mod urls;
mod worker;

pub use child::run_worker;
pub use exports::{ClassExport, ClassName, module_text};
pub use map::{MapSource, StyleMap};
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

/// Folders whose sheets may be imported: those, and the browser's own code, where CSS Modules stand.
const READ_ROOTS: [&str; 5] = ["app/client", "app/css", "app/shared", "lib/css", "node_modules"];

/// One stylesheet. Its language is that of its name: `.css`, `.scss` or `.sass`, or the one that made CSS of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Path below the app folder, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What another compiler made of it.
    pub made: Option<MadeCss>,
}

/// CSS that another compiler made: Stylus, Dart Sass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeCss {
    /// The CSS.
    pub css: String,
    /// Files that its source map names; paths below the app.
    pub sources: Vec<String>,
    /// The source map's mappings; empty when there is none.
    pub mappings: String,
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
    /// Whose the names in the sheet are.
    pub names: StyleNames,
    /// Whether a source map is made.
    pub maps: StyleMaps,
}

/// Whose the names of classes, ids and animations are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StyleNames {
    /// The page's.
    #[default]
    Global,
    /// The sheet's own: a CSS Module.
    Local,
}

impl StyleNames {
    /// By a sheet's name: `x.module.css` is a CSS Module.
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        if stem.ends_with(".module") { Self::Local } else { Self::Global }
    }
}

/// Whether a source map is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StyleMaps {
    /// It is.
    On,
    /// It is not.
    #[default]
    Off,
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

    /// The same file as a `data:` URL, when it is so small that it should be one.
    fn inlined(&self, _file: &str) -> Option<String> {
        None
    }
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
    /// What a CSS Module's names became, in the order of the names.
    pub exports: Vec<ClassExport>,
    /// Where the CSS behind the lead is from; counted from there.
    pub map: Option<StyleMap>,
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

/// Several sheets as one: the CSS, and the source map for a file of that name. What must stand first in a sheet comes first,
/// of all of them.
pub fn join<'a>(sheets: impl IntoIterator<Item = &'a StyleOutput>, file: &str) -> (String, Option<String>) {
    let sheets: Vec<&StyleOutput> = sheets.into_iter().collect();
    let mut joined = map::Joined::default();
    if let [only] = sheets[..] {
        let (lead, rest) = only.css.split_at(only.lead_bytes);
        joined.push(lead, None);
        joined.push(rest, only.map.as_ref());
    } else {
        let (leads, rests): (Vec<_>, Vec<_>) = sheets.iter().map(|sheet| sheet.css.split_at(sheet.lead_bytes)).unzip();
        let leads = leads.into_iter().map(|lead| (lead, None));
        let rests = rests.into_iter().zip(&sheets).map(|(rest, sheet)| (rest, sheet.map.as_ref()));
        for (part, map) in leads.chain(rests).filter(|(part, _)| !part.trim_end().is_empty()) {
            joined.push(part.trim_end(), map);
            joined.push("\n", None);
        }
    }
    let map = joined.map(file);
    (joined.text, map)
}
