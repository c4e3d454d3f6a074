use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, SystemTime},
};

use ssbuild_server::manifest::{FILE_NAME, Manifest};

use super::{ASSETS, GENERATIONS, LOCK, Publisher, STAGING, generations::Generations, remove_dead};
use crate::disk::{Disk, DiskError, Kind};

/// Which builds stay. The selected one always does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// So many, the newest.
    pub builds: usize,
    /// And those that are younger than so many days.
    pub days: Option<u32>,
}

impl From<usize> for Retention {
    fn from(builds: usize) -> Self {
        Self { builds, days: None }
    }
}

/// What was removed, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Ids of builds, oldest first.
    pub builds: Vec<String>,
    /// Ids of builds that stay, oldest first.
    pub kept: Vec<String>,
    /// Files of `public` that no kept build needs.
    pub files: Vec<String>,
}

/// Whether pruning changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rehearsal {
    /// It is only told what would be removed.
    Only,
    /// It is removed.
    No,
}

impl Retention {
    /// Ids of the builds that have to go, oldest first.
    pub(super) fn leaving(
        self,
        disk: &dyn Disk,
        out: &Path,
        generations: &Generations,
        selected: Option<&str>,
    ) -> Result<BTreeSet<String>, DiskError> {
        let ids: Vec<&str> = generations.ids().collect();
        let enough = ids.len().saturating_sub(self.builds);
        let mut leaving = BTreeSet::new();
        for &id in &ids[..enough] {
            let young = match self.days {
                Some(days) => is_younger(disk, &out.join("builds").join(id).join(FILE_NAME), days)?,
                None => false,
            };
            if !young && Some(id) != selected {
                leaving.insert(id.to_owned());
            }
        }
        Ok(leaving)
    }
}

/// Whether a file was written in the last days. When the disk does not say, it was not.
fn is_younger(disk: &dyn Disk, file: &Path, days: u32) -> Result<bool, DiskError> {
    let longest = Duration::from_secs(u64::from(days) * 24 * 60 * 60);
    let written = disk.modified(file)?;
    // A file of the future is young.
    Ok(written.is_some_and(|written| {
        SystemTime::now().duration_since(written).is_ok_and(|age| age < longest) || written > SystemTime::now()
    }))
}

/// Removes builds that need not stay, and files of `public/assets` that no kept build names. The selected build and those
/// that stay are whole at every moment.
pub fn prune(disk: &dyn Disk, out: &Path, retention: Retention, rehearsal: Rehearsal) -> Result<Pruned, DiskError> {
    if disk.kind(&out.join(FILE_NAME))?.is_none() {
        return Ok(Pruned::default());
    }
    let _lock = disk.lock(&out.join(LOCK))?;
    let mut generations = Generations::read(disk, out)?;
    let selected = match disk.kind(&out.join(FILE_NAME))? {
        Some(Kind::File(_)) => serde_json::from_slice::<Manifest>(&disk.read(&out.join(FILE_NAME))?).ok(),
        _ => None,
    };
    let selected = selected.map(|manifest| manifest.build_id);
    let leaving = retention.leaving(disk, out, &generations, selected.as_deref())?;
    let builds: Vec<String> = generations.ids().filter(|id| leaving.contains(*id)).map(str::to_owned).collect();
    let mut gone = generations.drop_builds(&leaving);
    for file in fingerprinted(disk, out, ASSETS)? {
        if !generations.needs(&file) {
            gone.insert(file);
        }
    }
    generations.leave(&gone);
    let kept = generations.ids().map(str::to_owned).collect();
    if rehearsal == Rehearsal::No {
        remove_dead(disk, out)?;
        let publisher = Publisher { disk, out, staging: format!("{STAGING}prune") };
        // What goes is noted first: should this end half way, the next build goes on.
        publisher.stage(
            &Default::default(),
            &Default::default(),
            &[(GENERATIONS, generations.to_json().as_bytes())],
            "",
        )?;
        publisher.replace(GENERATIONS, GENERATIONS)?;
        disk.sync_folder(out)?;
        disk.remove_folder(&out.join(&publisher.staging))?;
        publisher.remove(&gone, &generations)?;
    }
    Ok(Pruned { builds, kept, files: gone.into_iter().collect() })
}

/// Files below a folder whose names hold a fingerprint, as this program writes them.
fn fingerprinted(disk: &dyn Disk, out: &Path, folder: &str) -> Result<Vec<String>, DiskError> {
    let mut found = Vec::new();
    for entry in disk.list(&out.join(folder))? {
        let path = format!("{folder}/{}", entry.name);
        match entry.kind {
            Kind::Folder if !entry.link => found.extend(fingerprinted(disk, out, &path)?),
            Kind::File(_) if entry.utf8 && has_fingerprint(&entry.name) => found.push(path),
            _ => {}
        }
    }
    Ok(found)
}

fn has_fingerprint(name: &str) -> bool {
    name.split('-').skip(1).any(|part| {
        let hash = part.split('.').next().unwrap_or_default();
        hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}
