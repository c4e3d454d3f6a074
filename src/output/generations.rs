use std::{collections::BTreeSet, path::Path};

use serde::{Deserialize, Serialize};
use ssbuild_server::manifest::{FILE_NAME, Manifest};

use super::ASSETS;
use crate::disk::{Disk, DiskError, Kind};

/// Version of the file's layout.
const SCHEMA: u32 = 1;

/// `dist/generations.json`: which builds are kept, oldest first, and what is on its way out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Generations {
    schema: u32,
    builds: Vec<Generation>,
    /// Files that may be there without a kept build that needs them.
    #[serde(default)]
    leaving: BTreeSet<String>,
}

/// One build that is kept. Paths are below the output folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Generation {
    pub(super) build_id: String,
    pub(super) assets: BTreeSet<String>,
    pub(super) public: BTreeSet<String>,
}

impl Generations {
    /// What is known. When the file is lost, the selected build at least is not forgotten.
    pub(super) fn read(disk: &dyn Disk, out: &Path) -> Result<Self, DiskError> {
        let read = |name: &str| -> Result<Option<Vec<u8>>, DiskError> {
            match disk.kind(&out.join(name))? {
                Some(Kind::File(_)) => disk.read(&out.join(name)).map(Some),
                _ => Ok(None),
            }
        };
        let known = read("generations.json")?.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        let mut generations = known
            .filter(|known| known.schema == SCHEMA && known.is_sound())
            .unwrap_or_else(|| Self { schema: SCHEMA, builds: Vec::new(), leaving: BTreeSet::new() });
        let selected = read(FILE_NAME)?.and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok());
        if let Some(selected) = selected
            && !generations.keeps(&selected.build_id)
        {
            generations.builds.push(Generation::of(&selected));
        }
        Ok(generations)
    }

    /// Whether a kept build needs the file.
    pub(super) fn needs(&self, path: &str) -> bool {
        self.builds.iter().any(|build| build.assets.contains(path))
    }

    pub(super) fn keeps(&self, build_id: &str) -> bool {
        self.builds.iter().any(|build| build.build_id == build_id)
    }

    /// Notes that the files of a build are coming, before it is selected.
    pub(super) fn announce(&mut self, new: &Generation) {
        self.leaving.extend(new.assets.iter().chain(&new.public).cloned());
    }

    /// Ids of the builds, oldest first.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.builds.iter().map(|build| build.build_id.as_str())
    }

    /// Forgets builds; returns the assets that nobody needs any more. Copies for static hosts wait for the next build, which
    /// knows its own: those of a selected build that was found again are not known.
    pub(super) fn drop_builds(&mut self, ids: &BTreeSet<String>) -> BTreeSet<String> {
        let (dropped, kept) = self.builds.drain(..).partition(|build: &Generation| ids.contains(&build.build_id));
        self.builds = kept;
        let dropped: Vec<Generation> = dropped;
        let mut leaving = std::mem::take(&mut self.leaving);
        leaving.extend(dropped.into_iter().flat_map(|build| build.assets.into_iter().chain(build.public)));
        leaving.retain(|path| !self.is_needed(path));
        self.leaving = leaving;
        let is_asset = |path: &&String| path.strip_prefix(ASSETS).is_some_and(|rest| rest.starts_with('/'));
        self.leaving.iter().filter(is_asset).cloned().collect()
    }

    /// Remembers files that are on their way out until the next change, in case this one dies while it removes them.
    pub(super) fn leave(&mut self, gone: &BTreeSet<String>) {
        self.leaving.extend(gone.iter().cloned());
    }

    fn is_needed(&self, path: &str) -> bool {
        self.builds.iter().any(|build| build.assets.contains(path) || build.public.contains(path))
    }

    /// Notes that a build is selected; returns the files that nobody needs any more.
    pub(super) fn select(&mut self, new: Generation) -> BTreeSet<String> {
        // The copies for static hosts are those of the selected build only.
        let mut gone = std::mem::take(&mut self.leaving);
        for build in &mut self.builds {
            gone.append(&mut std::mem::take(&mut build.public));
        }
        self.builds.retain(|build| build.build_id != new.build_id);
        self.builds.push(new);
        gone.retain(|path| !self.is_needed(path));
        gone
    }

    pub(super) fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a list of builds is plain data");
        text.push('\n');
        text
    }

    /// Whether every path is one that a build may have written: what is read here is later removed.
    fn is_sound(&self) -> bool {
        let mut paths =
            self.leaving.iter().chain(self.builds.iter().flat_map(|build| build.assets.iter().chain(&build.public)));
        paths.all(|path| path.starts_with("public/") && path.split('/').all(|part| !matches!(part, "" | "." | "..")))
    }
}

impl Generation {
    fn of(manifest: &Manifest) -> Self {
        let assets = manifest.assets.values().flat_map(|asset| {
            std::iter::once(asset.file.clone()).chain(asset.encodings.values().map(|encoded| encoded.file.clone()))
        });
        Self { build_id: manifest.build_id.clone(), assets: assets.collect(), public: BTreeSet::new() }
    }
}
