//! What a build is asked to do.

use std::path::PathBuf;

use crate::{config::PublicVariables, style::WorkerCommand};

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Request {
    /// The app's folder.
    pub root: PathBuf,
    /// The environment's name.
    pub env: String,
    /// What the result is for.
    pub purpose: Purpose,
    /// Whether warnings stop the build.
    pub warnings: Warnings,
    /// How stylesheets are compiled out of harm's way.
    pub style_worker: WorkerCommand,
    /// The variables that the output may depend on.
    pub variables: PublicVariables,
}

/// What warnings do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warnings {
    /// They are shown.
    Allow,
    /// They are errors.
    Deny,
}

/// What a build is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To be written to this folder and selected.
    Publish(PathBuf),
    /// To find what is wrong; nothing is written.
    Check,
    /// To see what it is made of; nothing is written.
    Measure,
}
