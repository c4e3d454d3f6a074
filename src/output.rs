//! Publishing: a build becomes the selected one at a single instant, or not at all.
//!
//! Everything is written beside its place and flushed, then renamed; `manifest.json` comes last. One publisher at a time
//! holds the lock of the output folder, so whatever lies in a staging folder when the lock is taken belongs to a build
//! that died.

mod adopt;
mod generations;
mod prune;

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rayon::prelude::*;
use ssbuild_server::manifest::{FILE_NAME, Manifest};

use crate::{
    asset::sum,
    disk::{Disk, DiskError, Kind, Lock},
};
use generations::{Generation, Generations};
pub use prune::{Pruned, Rehearsal, Retention, prune};

/// Bytes that may be written to several places.
pub type Bytes = Arc<Vec<u8>>;

/// A file that was written and flushed before the rest of its build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFile {
    /// Where it is.
    pub at: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Their checksum.
    pub sum: u128,
}

/// All files of a build, each by its path below a folder.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// Below `public/assets`: their names hold the hash of their bytes.
    pub assets: BTreeMap<String, Bytes>,
    /// Below `builds/<id>`.
    pub build: BTreeMap<String, Bytes>,
    /// Below `public`: what static hosts serve under its own name.
    pub public: BTreeMap<String, Bytes>,
    /// Those below `builds/<id>` that are programs.
    pub programs: BTreeSet<String>,
    /// By path below the output folder: what is there already and only has to be moved, be it among the others or not.
    pub staged: BTreeMap<String, StagedFile>,
}

/// Holds the output folder for one publisher.
pub struct Held<'a> {
    disk: &'a dyn Disk,
    out: &'a Path,
    _lock: Lock,
}

/// A build that is selected.
#[derive(Debug)]
pub struct Published {
    /// Its manifest, as it was written.
    pub manifest: Manifest,
    /// All files that it has in the output folder, by their absolute paths, with the checksum of each.
    pub written: Vec<(PathBuf, u128)>,
}

/// Names in the output folder.
const ASSETS: &str = "public/assets";
const STAGING: &str = ".staging-";
const EARLY: &str = ".staging-early";
const LOCK: &str = ".lock";
const GENERATIONS: &str = "generations.json";
/// Staged beside the manifest: the list before and after the build is selected.
const ANNOUNCED: &str = "announced.json";
const SELECTED: &str = "selected.json";

/// Files that are written and flushed at a time.
const FLUSHES_MAX: usize = 16;

/// Writes a build into `out` and selects it. `keep` builds stay, this one included.
pub fn publish(
    disk: &dyn Disk,
    out: &Path,
    manifest: &Manifest,
    files: &Files,
    keep: impl Into<Retention>,
) -> Result<Published, DiskError> {
    Held::take(disk, out)?.publish(manifest, files, keep)
}

impl<'a> Held<'a> {
    /// Waits for other publishers, and removes what those have left that died.
    pub fn take(disk: &'a dyn Disk, out: &'a Path) -> Result<Self, DiskError> {
        disk.create_folder(out)?;
        let held = Self { disk, out, _lock: disk.lock(&out.join(LOCK))? };
        remove_dead(disk, out)?;
        Ok(held)
    }

    /// A folder for files that are written before the build has a name.
    pub fn early(&self) -> Result<PathBuf, DiskError> {
        let folder = self.out.join(EARLY);
        self.disk.create_folder(&folder)?;
        Ok(folder)
    }

    /// As [`publish`].
    pub fn publish(
        self,
        manifest: &Manifest,
        files: &Files,
        keep: impl Into<Retention>,
    ) -> Result<Published, DiskError> {
        let Self { disk, out, .. } = self;
        let publisher = Publisher { disk, out, staging: format!("{STAGING}{}", manifest.build_id) };
        let published = publisher.publish(manifest.clone(), files.clone(), keep.into());
        if published.is_err() {
            // Best effort: what is left is removed by the next build.
            drop(disk.remove_folder(&out.join(&publisher.staging)));
            self.leave();
        }
        published
    }

    /// Nothing is published after all.
    pub fn leave(self) {
        // Best effort, too.
        drop(self.disk.remove_folder(&self.out.join(EARLY)));
    }
}

/// The manifest of the build that is selected, when there is one that can be read.
pub fn selected(disk: &dyn Disk, out: &Path) -> Result<Option<Manifest>, DiskError> {
    let file = out.join(FILE_NAME);
    match disk.kind(&file)? {
        Some(Kind::File(_)) => Ok(serde_json::from_slice(&disk.read(&file)?).ok()),
        _ => Ok(None),
    }
}

/// Removes what builds that died have left.
fn remove_dead(disk: &dyn Disk, out: &Path) -> Result<(), DiskError> {
    let names = disk.list(out)?;
    names
        .iter()
        .filter(|name| name.name.starts_with(STAGING))
        .try_for_each(|name| disk.remove_folder(&out.join(&name.name)))
}

struct Publisher<'a> {
    disk: &'a dyn Disk,
    out: &'a Path,
    staging: String,
}

impl Publisher<'_> {
    fn publish(&self, mut manifest: Manifest, mut files: Files, keep: Retention) -> Result<Published, DiskError> {
        let mut generations = Generations::read(self.disk, self.out)?;
        adopt::adopt(self.disk, self.out, &generations, &mut files, &mut manifest)?;
        let build_id = manifest.build_id.as_str();
        let json = serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data");
        let new = Generation {
            build_id: build_id.to_owned(),
            assets: files.assets.keys().map(|name| format!("{ASSETS}/{name}")).collect(),
            public: files.public.keys().map(|name| format!("public/{name}")).collect(),
        };

        let build_folder = format!("builds/{build_id}");
        let mut wanted: BTreeMap<String, Bytes> = BTreeMap::new();
        wanted.extend(files.assets.iter().map(|(name, bytes)| (format!("{ASSETS}/{name}"), Arc::clone(bytes))));
        wanted.extend(files.build.iter().map(|(name, bytes)| (format!("{build_folder}/{name}"), Arc::clone(bytes))));
        wanted.insert(format!("{build_folder}/{FILE_NAME}"), Arc::new(json.clone()));
        wanted.extend(files.public.iter().map(|(name, bytes)| (format!("public/{name}"), Arc::clone(bytes))));
        wanted.retain(|path, _| !files.staged.contains_key(path));
        let mut written: Vec<(PathBuf, u128)> =
            wanted.par_iter().map(|(name, bytes)| (self.out.join(name), sum(bytes))).collect();
        written.extend(files.staged.iter().map(|(name, file)| (self.out.join(name), file.sum)));
        written.push((self.out.join(FILE_NAME), sum(&json)));
        let missing = self.missing(wanted)?;
        let moved: BTreeSet<&String> = missing.keys().chain(files.staged.keys()).collect();

        // Everything is written and flushed at once; what follows only renames.
        generations.announce(&new);
        let announced = generations.to_json();
        let mut gone = generations.select(new);
        let keep = Retention { builds: keep.builds.max(1), ..keep };
        let leaving = keep.leaving(self.disk, self.out, &generations, Some(build_id))?;
        gone.extend(generations.drop_builds(&leaving));
        generations.leave(&gone);
        let selected = generations.to_json();
        let lists = [(ANNOUNCED, announced.as_bytes()), (FILE_NAME, &json), (SELECTED, selected.as_bytes())];
        self.stage(&missing, &files.staged, &lists, &build_folder)?;
        for path in files.programs.iter().map(|name| format!("{build_folder}/{name}")) {
            if missing.contains_key(&path) {
                self.disk.make_executable(&self.out.join(&self.staging).join(&path))?;
            }
        }

        // Said before the first file comes, so that a build that dies half way leaves nothing that nobody knows of.
        self.replace(ANNOUNCED, GENERATIONS)?;
        self.place(moved.iter().copied(), &build_folder)?;
        self.replace(FILE_NAME, FILE_NAME)?;
        self.disk.sync_folder(self.out)?;
        // If the power fails now, the list before it is found, which says the same with other words.
        self.replace(SELECTED, GENERATIONS)?;
        self.disk.remove_folder(&self.out.join(&self.staging))?;
        if !files.staged.is_empty() {
            self.disk.remove_folder(&self.out.join(EARLY))?;
        }
        self.remove(&gone, &generations)?;
        Ok(Published { manifest, written })
    }

    /// The files that are not there yet with these very bytes. A damaged one counts as not there.
    fn missing(&self, wanted: BTreeMap<String, Bytes>) -> Result<BTreeMap<String, Bytes>, DiskError> {
        let checked: Vec<Option<(String, Bytes)>> = wanted
            .into_par_iter()
            .map(|(path, bytes)| {
                let there = match self.disk.kind(&self.out.join(&path))? {
                    Some(Kind::File(length)) if length == bytes.len() as u64 => {
                        self.disk.read(&self.out.join(&path))? == *bytes
                    }
                    _ => false,
                };
                Ok((!there).then_some((path, bytes)))
            })
            .collect::<Result<_, DiskError>>()?;
        Ok(checked.into_iter().flatten().collect())
    }

    /// Writes and flushes files below the staging folder: those of the build at their paths, and `lists` at its top.
    fn stage(
        &self,
        files: &BTreeMap<String, Bytes>,
        staged: &BTreeMap<String, StagedFile>,
        lists: &[(&str, &[u8])],
        build_folder: &str,
    ) -> Result<(), DiskError> {
        let staging = self.out.join(&self.staging);
        self.disk.create_folder(&staging)?;
        let paths = files.keys().chain(staged.keys());
        let folders: BTreeSet<&Path> = paths.filter_map(|path| Path::new(path).parent()).collect();
        folders.iter().try_for_each(|folder| self.disk.create_folder(&staging.join(folder)))?;
        staged.iter().try_for_each(|(path, file)| self.disk.rename(&file.at, &staging.join(path)))?;
        let files = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
        let mut queue: Vec<(&str, &[u8])> = lists.iter().copied().chain(files).collect();
        // The largest first: it takes longest.
        queue.sort_by_key(|(path, bytes)| (std::cmp::Reverse(bytes.len()), *path));
        self.write_all(&staging, &queue)?;
        // The build's folder is moved as a whole; files of other folders are moved one by one, and flushed where they go.
        let below: BTreeSet<&Path> = folders
            .iter()
            .flat_map(|folder| folder.ancestors())
            .filter(|path| path.starts_with(build_folder))
            .collect();
        // Innermost first: a folder's names are flushed before the name of the folder itself.
        below.iter().rev().try_for_each(|folder| self.disk.sync_folder(&staging.join(folder)))
    }

    /// Writes files, several at a time: a device takes no longer to flush many than to flush one.
    fn write_all(&self, staging: &Path, queue: &[(&str, &[u8])]) -> Result<(), DiskError> {
        let next = AtomicUsize::new(0);
        let work = || -> Result<(), DiskError> {
            while let Some((path, bytes)) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.disk.write_new(&staging.join(path), bytes)?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (1..queue.len().min(FLUSHES_MAX)).map(|_| scope.spawn(work)).collect();
            let own = work();
            let others = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            others.fold(own, Result::and)
        })
    }

    /// Renames one staged file to the top of the output folder.
    fn replace(&self, staged: &str, name: &str) -> Result<(), DiskError> {
        self.disk.rename(&self.out.join(&self.staging).join(staged), &self.out.join(name))
    }

    /// Renames staged files to their places: assets, then the build's folder, then the copies for static hosts.
    fn place<'p>(&self, paths: impl Iterator<Item = &'p String>, build_folder: &str) -> Result<(), DiskError> {
        let (copies, mut rest): (Vec<&String>, Vec<&String>) =
            paths.partition(|path| path.starts_with("public/") && !path.starts_with("public/assets/"));
        let mut touched: BTreeSet<&Path> = BTreeSet::new();
        let in_build = |path: &str| path.strip_prefix(build_folder).is_some_and(|rest| rest.starts_with('/'));
        let new_build = self.disk.kind(&self.out.join(build_folder))?.is_none();
        if new_build {
            rest.retain(|path| !in_build(path));
        }
        for path in &rest {
            self.move_in(path, &mut touched)?;
        }
        if new_build {
            self.disk.create_folder(&self.out.join("builds"))?;
            self.disk.rename(&self.out.join(&self.staging).join(build_folder), &self.out.join(build_folder))?;
            touched.insert(Path::new("builds"));
            touched.insert(Path::new(""));
        }
        // Pages last: until then the old pages name old assets, which are still there.
        let (pages, others): (Vec<&String>, Vec<&String>) =
            copies.into_iter().partition(|path| path.ends_with(".html"));
        for path in others.into_iter().chain(pages) {
            self.clear_way(path)?;
            self.move_in(path, &mut touched)?;
        }
        // The lists at the top, too.
        touched.insert(Path::new(""));
        touched.iter().rev().try_for_each(|folder| self.disk.sync_folder(&self.out.join(folder)))
    }

    fn move_in<'p>(&self, path: &'p str, touched: &mut BTreeSet<&'p Path>) -> Result<(), DiskError> {
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        if touched.insert(folder) {
            self.disk.create_folder(&self.out.join(folder))?;
            touched.extend(folder.ancestors());
        }
        self.disk.rename(&self.out.join(&self.staging).join(path), &self.out.join(path))
    }

    /// Where an earlier build had a file there may now be a folder, and the other way round.
    fn clear_way(&self, path: &str) -> Result<(), DiskError> {
        let path = Path::new(path);
        if self.disk.kind(&self.out.join(path))? == Some(Kind::Folder) {
            self.disk.remove_folder(&self.out.join(path))?;
        }
        let above = path.ancestors().skip(1).filter(|above| *above != Path::new("") && *above != Path::new("public"));
        for folder in above {
            if matches!(self.disk.kind(&self.out.join(folder))?, Some(Kind::File(_) | Kind::Other)) {
                self.disk.remove_file(&self.out.join(folder))?;
            }
        }
        Ok(())
    }

    /// Removes what no kept build needs any more.
    fn remove(&self, gone: &BTreeSet<String>, generations: &Generations) -> Result<(), DiskError> {
        for path in gone {
            if matches!(self.disk.kind(&self.out.join(path))?, Some(Kind::File(_))) {
                self.disk.remove_file(&self.out.join(path))?;
            }
        }
        for build in self.disk.list(&self.out.join("builds"))? {
            if !generations.keeps(&build.name) {
                self.disk.remove_folder(&self.out.join("builds").join(&build.name))?;
            }
        }
        Ok(())
    }
}
