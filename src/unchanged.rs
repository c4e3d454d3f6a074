//! The fastest build is none: when everything that a build saw is still so, and what it wrote is still there, the outcome is
//! the same.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use ssbuild_diagnostic::{Diagnostic, Report};
use ssbuild_server::manifest::{FILE_NAME, Manifest, PrivateFile};

use crate::{
    asset::{digest, from_hex},
    cache::{Key, Keyed, Record},
    check::against::Offered,
    disk::{Disk, Seen, Witness},
    output::Bytes,
    pipeline::{Outcome, Purpose, Request, Warnings},
    preprocess::NodePath,
    session::Session,
};

/// What came of a build without errors. Its manifest lies where it was written.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    found: Vec<Diagnostic>,
    modules: BTreeMap<String, usize>,
    offered: Option<Offered>,
    types: Option<String>,
}

/// What lies in the output folder for a build.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// By absolute path.
    pub(crate) files: BTreeMap<PathBuf, Bytes>,
    /// What is known of those that only the server reads.
    pub(crate) private: BTreeMap<String, PrivateFile>,
}

impl Written {
    /// The hash of each file; most were hashed to be named.
    fn digests(&self, request: &Request, manifest: Option<&Manifest>) -> Vec<(PathBuf, [u8; 32])> {
        let mut known: FxHashMap<&str, &str> = FxHashMap::default();
        for asset in manifest.iter().flat_map(|manifest| manifest.assets.values().chain(manifest.files.values())) {
            known.insert(&asset.file, &asset.sha256);
            known.extend(asset.encodings.values().map(|encoded| (encoded.file.as_str(), encoded.sha256.as_str())));
        }
        known.extend(self.private.values().map(|file| (file.file.as_str(), file.sha256.as_str())));
        let out = match &request.purpose {
            Purpose::Publish(out) => out.as_path(),
            Purpose::Check | Purpose::Measure => Path::new(""),
        };
        let known = |path: &Path| from_hex(known.get(path.strip_prefix(out).ok()?.to_str()?)?);
        let digest = |(path, bytes): (&PathBuf, &Bytes)| (path.clone(), known(path).unwrap_or_else(|| digest(bytes)));
        self.files.par_iter().map(digest).collect()
    }
}

/// The outcome of an earlier build that this one would be equal to.
pub(crate) fn find(disk: &Arc<dyn Disk>, request: &Request, session: &Session) -> Option<Outcome> {
    if !session.cache().remembers() {
        return None;
    }
    let known = session.cache().record::<Done>(key(request), &**disk)?;
    let manifest: Option<Manifest> = match &request.purpose {
        Purpose::Check => None,
        // What a build is made of is not remembered.
        Purpose::Measure => return None,
        Purpose::Publish(out) => Some(serde_json::from_slice(&disk.read(&out.join(FILE_NAME)).ok()?).ok()?),
    };
    let report: Report = known.value.found.iter().cloned().collect();
    let Done { modules, offered, types, .. } = &known.value;
    let (modules, offered, types) = (modules.clone(), offered.clone(), types.clone());
    Some(Outcome { report, manifest, modules, offered, types, ..Outcome::default() })
}

/// Remembers an outcome, with all that the build saw and all that it wrote.
pub(crate) fn remember(request: &Request, session: &Session, witness: &Witness, outcome: &Outcome, written: &Written) {
    if outcome.report.has_errors() || !session.cache().remembers() || request.purpose == Purpose::Measure {
        return;
    }
    let Some(inputs) = witness.seen() else { return };
    let outputs = written.digests(request, outcome.manifest.as_ref());
    // The outputs first: they are the largest, and looked at from the front.
    let seen = Seen::of_files(outputs, []).and(inputs);
    let found = outcome.report.sorted().into_iter().cloned().collect();
    let (modules, offered, types) = (outcome.modules.clone(), outcome.offered.clone(), outcome.types.clone());
    let done = Done { found, modules, offered, types };
    session.cache().put_record(key(request), Record::new(seen, done));
}

/// All that a build depends on beside the disk.
fn key(request: &Request) -> Key {
    let key = Keyed::new("build").with(request.root.as_os_str().as_encoded_bytes()).with(&request.env);
    let key = match &request.purpose {
        Purpose::Check => key.with("check"),
        Purpose::Measure => key.with("measure"),
        Purpose::Publish(out) => key.with("publish").with(out.as_os_str().as_encoded_bytes()),
    };
    let key = key.with(match request.warnings {
        Warnings::Allow => "allow",
        Warnings::Deny => "deny",
    });
    let variables: Vec<(&String, &String)> = request.variables.iter().collect();
    // The packages of the languages of 2011 run in Node.js.
    key.with_value(&variables).with_value(&NodePath::of_process().identity()).done()
}
