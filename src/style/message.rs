//! What the compiler and its style worker say to each other: one JSON object a line.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use ssbuild_diagnostic::{Diagnostic, Place};

use super::{ClassExport, Sheet, StyleMap, StyleOptions};

/// From the compiler to the worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToWorker {
    /// Said once, first; it is not answered.
    Start {
        /// How much memory it may take beyond what it has.
        memory_bytes: u64,
    },
    /// Compile this sheet.
    Compile {
        /// The sheet.
        sheet: Sheet,
        /// How.
        options: StyleOptions,
    },
    /// The answer to [`FromWorker::Urls`]: what to write for each, or `None` to leave it as it is.
    Urls(Vec<Option<String>>),
}

/// From the worker to the compiler.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromWorker {
    /// The sheet names these; what is to be written for them?
    Urls(Vec<FoundUrl>),
    /// The sheet is done.
    Done(Compiled),
}

/// A `url()` as a sheet has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FoundUrl {
    /// What stands between the brackets, without quotes and escapes.
    pub(super) written: String,
    /// The files that it may be relative to, likeliest first.
    pub(super) bases: Vec<String>,
    /// Where it says so.
    pub(super) place: Place,
}

/// What the worker made of a sheet.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Compiled {
    pub(super) css: String,
    pub(super) lead_bytes: usize,
    pub(super) origins: BTreeMap<String, BTreeSet<String>>,
    pub(super) exports: Vec<ClassExport>,
    pub(super) map: Option<StyleMap>,
    pub(super) files_read: Vec<String>,
    pub(super) files_missed: Vec<String>,
    pub(super) files_hashed: Vec<(String, String)>,
    pub(super) diagnostics: Vec<Diagnostic>,
}
