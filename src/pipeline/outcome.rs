//! What a build comes to.

use std::{collections::BTreeMap, path::PathBuf};

use ssbuild_diagnostic::Report;
use ssbuild_server::manifest::Manifest;

use crate::{
    bundle::Start, check::against::Offered, disk::DiskError, half::Half, pages::OwnViews, report::Composition,
    style::StyleError,
};

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was found in the app.
    pub report: Report,
    /// The build, when there were no errors and it was to be published.
    pub manifest: Option<Manifest>,
    /// What it is made of, when it was to be measured and there were no errors.
    pub composition: Option<Composition>,
    /// How many modules went into each bundle.
    pub modules: BTreeMap<String, usize>,
    /// What open pages may ask for, when that was to be checked and every script could be compiled.
    pub offered: Option<Offered>,
    /// The declarations for editors ([`crate::types::write`]), when every script could be compiled.
    pub types: Option<String>,
    /// What its pages are made of, when there is a build that was not just found to be there already.
    pub browser: Option<Browser>,
}

/// What the pages of a build are made of, for who wants to turn one build's page into another's.
#[derive(Debug)]
pub struct Browser {
    /// Client and shared modules, linked.
    pub client: Half,
    /// What the app bundle's start is told.
    pub start: Start,
    /// The views' own part.
    pub views: OwnViews,
}

/// The machine's fault: nothing that a change of the app's sources would mend.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder is not there.
    #[error("there is no folder `{}`", .0.display())]
    NoFolder(PathBuf),
    /// The output would lie among the sources.
    #[error("`{}` is part of the app's sources; give another folder with `--out`", .0.display())]
    OutAmongSources(PathBuf),
    /// The file layer.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The style worker.
    #[error(transparent)]
    Style(#[from] StyleError),
    /// A compressor gave up.
    #[error("cannot compress the assets: {0}")]
    Compress(std::io::Error),
    /// No threads to compile on.
    #[error("cannot start the compiler's threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}
