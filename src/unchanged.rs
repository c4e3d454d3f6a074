//! The fastest build is none: when everything that a build saw is still so, and what it wrote is still there, the outcome is
//! the same.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use ssbuild_diagnostic::{Diagnostic, Report};
use ssbuild_server::manifest::{FILE_NAME, Manifest};

use crate::{
    asset::digest,
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
pub(crate) fn remember(
    request: &Request,
    session: &Session,
    witness: &Witness,
    outcome: &Outcome,
    written: &BTreeMap<PathBuf, Bytes>,
) {
    if outcome.report.has_errors() || !session.cache().remembers() || request.purpose == Purpose::Measure {
        return;
    }
    let Some(inputs) = witness.seen() else { return };
    let outputs = written.iter().map(|(path, bytes)| (path.clone(), digest(bytes)));
    let seen = inputs.and(Seen::of_files(outputs, []));
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
