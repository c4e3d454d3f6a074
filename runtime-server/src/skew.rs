//! Pages of another build than the one that is served: an action that takes the same arguments as before answers them,
//! one that is gone or takes others tells them that they are stale.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use parking_lot::Mutex;
use serde::Deserialize;

use crate::engine::{CallError, ErrorCode};
use crate::generation::Generation;
use crate::load::Build;
use crate::manifest::{self, Action};

/// How many builds are remembered, those longest known given up first.
const KNOWN_BUILDS: usize = 64;

/// What a page depends on of an action: the names of its data parameters, and their order. Two parameters that changed
/// their places still have the same number, so counting them would not do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Signature {
    /// Names of its data parameters, without the callback.
    pub params: Vec<String>,
    /// Whether the last of them takes all further arguments.
    #[serde(default)]
    pub rest: bool,
}

/// What became of an action that a page knows, in another build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It answers that page.
    Same,
    /// It takes other parameters: the page is stale.
    Other,
    /// There is none under that name: the page is stale.
    Gone,
}

impl From<&Action> for Signature {
    fn from(action: &Action) -> Self {
        Self { params: action.params.clone(), rest: action.rest }
    }
}

impl Signature {
    /// The one rule that the server and `ssbuild check --against` follow.
    pub fn fate(&self, now: Option<&Action>) -> Fate {
        match now {
            None => Fate::Gone,
            Some(now) if self.params == now.params && self.rest == now.rest => Fate::Same,
            Some(_) => Fate::Other,
        }
    }
}

/// The actions of one build, as far as its pages depend on them.
#[derive(Debug)]
pub(crate) struct Signatures {
    build_id: String,
    actions: BTreeMap<String, Signature>,
}

/// The build that a page came from.
#[derive(Debug, Clone)]
pub(crate) enum PageBuild {
    /// Its actions are known.
    Known(Arc<Signatures>),
    /// It is named, and nothing is known of it.
    Unknown,
    /// It is not named: the client is not a page of a build.
    Unnamed,
}

/// The builds whose actions are known: those that were served, and those that lie beside them.
#[derive(Debug, Default)]
pub(crate) struct KnownBuilds {
    by_id: Mutex<IndexMap<String, Arc<Signatures>>>,
}

impl KnownBuilds {
    /// Learns the actions of `build` and of the builds that are kept beside it.
    pub(crate) fn learn(&self, build: &Build) {
        for kept in kept(&build.dist) {
            self.add(kept);
        }
        let actions = build.manifest.api.server.iter().map(|(path, action)| (path.clone(), action.into())).collect();
        self.add(Signatures { build_id: build.manifest.build_id.clone(), actions });
    }

    fn add(&self, signatures: Signatures) {
        let mut by_id = self.by_id.lock();
        // Now the one that was learnt last.
        by_id.shift_remove(&signatures.build_id);
        by_id.insert(signatures.build_id.clone(), Arc::new(signatures));
        if by_id.len() > KNOWN_BUILDS {
            by_id.shift_remove_index(0);
        }
    }

    /// What is known of the build that a page names.
    pub(crate) fn of_page(&self, build_id: &str) -> PageBuild {
        match self.by_id.lock().get(build_id) {
            Some(known) => PageBuild::Known(Arc::clone(known)),
            None if build_id.is_empty() => PageBuild::Unnamed,
            None => PageBuild::Unknown,
        }
    }
}

impl PageBuild {
    /// The action that a page of this build means by that path, with its number, or why it is not called.
    pub(crate) fn find<'a>(&self, generation: &'a Generation, path: &str) -> Result<(usize, &'a Action), CallError> {
        let stale =
            || CallError::new(ErrorCode::StaleClient, format!("`{path}` is not what it was for this page: reload it"));
        let found = generation.find(path);
        match self {
            // Its page knows the same.
            Self::Known(page) if page.build_id == generation.build_id => found,
            Self::Known(page) => {
                match page.actions.get(path).map(|before| before.fate(found.as_ref().ok().map(|found| found.1))) {
                    Some(Fate::Other | Fate::Gone) => Err(stale()),
                    Some(Fate::Same) | None => found,
                }
            }
            Self::Unknown if found.is_err() => Err(stale()),
            Self::Unknown | Self::Unnamed => found,
        }
    }
}

/// The part of a manifest that is read here; what else is in it may be of another version.
#[derive(Deserialize)]
struct KeptManifest {
    build_id: String,
    api: KeptApi,
}

#[derive(Deserialize)]
struct KeptApi {
    server: BTreeMap<String, Signature>,
}

/// The builds in `dist`. What cannot be read is not known, which costs its pages nothing but the check.
fn kept(dist: &Path) -> impl Iterator<Item = Signatures> {
    let builds = std::fs::read_dir(dist.join("builds")).into_iter().flatten().flatten();
    builds.filter_map(|folder| {
        let text = std::fs::read(folder.path().join(manifest::FILE_NAME)).ok()?;
        let KeptManifest { build_id, api } = serde_json::from_slice(&text).ok()?;
        Some(Signatures { build_id, actions: api.server })
    })
}
