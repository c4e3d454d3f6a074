//! Files that are imported for what they are, and not for what they export.

use std::{path::Path, sync::Arc};

use ssbuild_diagnostic::Diagnostic;

use crate::{disk::DiskError, form::Form, resolve::Side, workers::Worker};

/// A file that is imported like that.
#[derive(Debug, Clone, Copy)]
pub struct FileAsked<'a> {
    /// Path from the app's folder.
    pub name: &'a str,
    /// Where it is, every link resolved.
    pub path: &'a Path,
    /// What the importing module gets.
    pub form: Form,
    /// On which side that is.
    pub side: Side,
}

/// The module that stands for it.
#[derive(Debug, Clone, Default)]
pub struct FileModule {
    /// Its source.
    pub source: String,
    /// A file of the app that has to be served for that.
    pub served: Option<String>,
    /// A program that has to be served for that.
    pub worker: Option<Arc<Worker>>,
    /// What was found.
    pub found: Vec<Diagnostic>,
}

/// Makes such modules.
pub type ImportFile<'a> = dyn Fn(FileAsked<'_>) -> Result<FileModule, DiskError> + Sync + 'a;
