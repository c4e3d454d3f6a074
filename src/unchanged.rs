//! The fastest build is none: when everything that a build saw is still so, and what it wrote is still there, the outcome is
//! the same.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use ssbuild_diagnostic::{Diagnostic, Report};
use ssbuild_server::manifest::{FILE_NAME, Manifest};

use crate::{
    cache::{Key, Keyed, Record},
    check::against::Offered,
    disk::{Changed, Changes, Disk, Seen, Witness},
    kept::Kept,
    pipeline::{Outcome, Purpose, Request, Warnings},
    preprocess::NodePath,
    session::Session,
};

/// What came of a build without errors. Its manifest lies where it was written.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    /// Of all that it saw.
    stamp: [u8; 16],
    /// What it wrote.
    outputs: Seen,
    found: Vec<Diagnostic>,
    modules: BTreeMap<String, usize>,
    offered: Option<Offered>,
    types: Option<String>,
}

/// How a build compares with the one before it.
pub(crate) enum Before {
    /// It would be equal, and comes to this.
    Equal(Box<Outcome>),
    /// A few files are not what they were.
    Near(Box<Near>),
    /// Nothing is known that helps.
    Unlike,
}

/// An earlier build that differs in a few files.
pub(crate) struct Near {
    pub(crate) changed: Vec<Changed>,
    /// What its scripts came to.
    pub(crate) kept: Kept,
    /// All that it saw, as it is now.
    pub(crate) seen: Seen,
}

/// Compares with the earlier build.
pub(crate) fn find(disk: &Arc<dyn Disk>, request: &Request, session: &Session) -> Before {
    // What a build is made of is not remembered.
    if !session.cache().remembers() || request.purpose == Purpose::Measure {
        return Before::Unlike;
    }
    let mut before = Before::Unlike;
    for known in session.cache().records::<Done>(key("build", request)) {
        match known.seen().changes(&**disk) {
            Changes::None => {
                if let Some(outcome) = equal(&**disk, request, &known.value) {
                    return Before::Equal(Box::new(outcome));
                }
            }
            Changes::Files(changed, seen) if matches!(request.purpose, Purpose::Publish(_)) => {
                let kept = session.cache().get_far::<Kept>(key("scripts", request));
                if let Some(kept) = kept.filter(|kept| kept.stamp == known.value.stamp) {
                    before = Before::Near(Box::new(Near { changed, kept, seen }));
                }
            }
            Changes::Files(..) | Changes::Other => {}
        }
    }
    before
}

/// The outcome of an earlier build whose sources are unchanged, if what it wrote is, too.
fn equal(disk: &dyn Disk, request: &Request, known: &Done) -> Option<Outcome> {
    known.outputs.holds(disk).then_some(())?;
    let manifest: Option<Manifest> = match &request.purpose {
        Purpose::Check | Purpose::Measure => None,
        Purpose::Publish(out) => Some(serde_json::from_slice(&disk.read(&out.join(FILE_NAME)).ok()?).ok()?),
    };
    let report: Report = known.found.iter().cloned().collect();
    let Done { modules, offered, types, .. } = known;
    let (modules, offered, types) = (modules.clone(), offered.clone(), types.clone());
    Some(Outcome { report, manifest, modules, offered, types, ..Outcome::default() })
}

/// Remembers an outcome, with all that the build saw and all that it wrote. `near` is what the build before saw, as it was when
/// this one began, if a part of this one was not asked for again.
pub(crate) fn remember(
    request: &Request,
    session: &Session,
    (witness, near): (&Witness, Option<Seen>),
    outcome: &Outcome,
    (written, kept): (Vec<(PathBuf, u128)>, Option<Kept>),
) {
    if outcome.report.has_errors() || !session.cache().remembers() || request.purpose == Purpose::Measure {
        return;
    }
    let Some(inputs) = witness.seen() else { return };
    let inputs = match near {
        Some(near) if near.has(&inputs) => near,
        Some(_) => return,
        None => inputs,
    };
    let found = outcome.report.sorted().into_iter().cloned().collect();
    let (modules, offered, types) = (outcome.modules.clone(), outcome.offered.clone(), outcome.types.clone());
    let (stamp, outputs) = (inputs.stamp(), Seen::of_sums(written));
    let done = Done { stamp, outputs, found, modules, offered, types };
    let remember_scripts = || {
        if let Some(kept) = kept {
            session.cache().put_far(key("scripts", request), &kept.stamped(stamp));
        }
    };
    rayon::join(|| session.cache().put_record(key("build", request), Record::new(inputs, done)), remember_scripts);
}

/// All that a build depends on beside the disk.
fn key(kind: &str, request: &Request) -> Key {
    let key = Keyed::new(kind).with(request.root.as_os_str().as_encoded_bytes()).with(&request.env);
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
