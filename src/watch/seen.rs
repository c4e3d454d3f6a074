use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use crate::disk::{Disk, DiskError, Entry, Kind, Lock, RealDisk};

/// The disk, and what was asked of it: every path that a build depends on, be it there or not.
#[derive(Debug)]
pub(super) struct Seen {
    root: PathBuf,
    /// Folders that the build itself writes to.
    own: Vec<PathBuf>,
    paths: Mutex<Paths>,
}

#[derive(Debug, Default)]
struct Paths {
    /// Asked for by their whole path.
    asked: HashSet<PathBuf>,
    /// Folders whose names were listed.
    listed: HashSet<PathBuf>,
    /// Folders above any of these, below the app's folder: one of them may come or go as a whole.
    above: HashSet<PathBuf>,
}

impl Seen {
    pub(super) fn new(root: PathBuf, own: Vec<PathBuf>) -> Self {
        Self { root, own, paths: Mutex::default() }
    }

    /// Whether a build depends on what is at `path`.
    pub(super) fn depends_on(&self, path: &Path) -> bool {
        let paths = self.lock();
        let knows = |path: &Path| {
            paths.asked.contains(path)
                || paths.listed.contains(path)
                || paths.above.contains(path)
                || path.parent().is_some_and(|parent| paths.listed.contains(parent))
        };
        knows(path)
    }

    /// Folders to watch, beside those of the app's layout: where asked-for files are, or would be.
    pub(super) fn folders(&self) -> BTreeSet<PathBuf> {
        let paths = self.lock();
        let parents = paths.asked.iter().filter_map(|path| path.parent());
        let folders: HashSet<&Path> = parents.chain(paths.listed.iter().map(PathBuf::as_path)).collect();
        folders.into_iter().map(Path::to_path_buf).collect()
    }

    /// Whether `path` was asked for and is there, outside of the app's folder: a package that is linked into it.
    pub(super) fn asked_below(&self, folder: &Path) -> Vec<PathBuf> {
        let paths = self.lock();
        paths.asked.iter().filter(|path| path.parent() == Some(folder)).cloned().collect()
    }

    fn is_own(&self, path: &Path) -> bool {
        self.own.iter().any(|own| path.starts_with(own))
    }

    fn note(&self, path: &Path, into: impl Fn(&mut Paths) -> &mut HashSet<PathBuf>) {
        if self.is_own(path) {
            return;
        }
        let mut paths = self.lock();
        if into(&mut paths).insert(path.to_path_buf()) {
            let above = path.ancestors().skip(1).take_while(|above| above.starts_with(&self.root) && *above != self.root);
            let above: Vec<PathBuf> = above.map(Path::to_path_buf).collect();
            paths.above.extend(above);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Paths> {
        self.paths.lock().expect("no holder of this lock panics")
    }
}

impl Disk for Seen {
    fn read(&self, path: &Path) -> Result<Vec<u8>, DiskError> {
        self.note(path, |paths| &mut paths.asked);
        RealDisk.read(path)
    }

    fn kind(&self, path: &Path) -> Result<Option<Kind>, DiskError> {
        self.note(path, |paths| &mut paths.asked);
        RealDisk.kind(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError> {
        self.note(path, |paths| &mut paths.listed);
        if let Ok(Some(real)) = RealDisk.canonical(path)
            && real != path
        {
            self.note(&real, |paths| &mut paths.listed);
        }
        RealDisk.list(path)
    }

    fn canonical(&self, path: &Path) -> Result<Option<PathBuf>, DiskError> {
        self.note(path, |paths| &mut paths.asked);
        let real = RealDisk.canonical(path)?;
        if let Some(real) = real.as_deref().filter(|real| *real != path) {
            self.note(real, |paths| &mut paths.asked);
        }
        Ok(real)
    }

    fn create_folder(&self, path: &Path) -> Result<(), DiskError> {
        RealDisk.create_folder(path)
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
        RealDisk.write_new(path, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        RealDisk.rename(from, to)
    }

    fn sync_folder(&self, path: &Path) -> Result<(), DiskError> {
        RealDisk.sync_folder(path)
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        RealDisk.remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> Result<(), DiskError> {
        RealDisk.remove_folder(path)
    }

    fn lock(&self, path: &Path) -> Result<Lock, DiskError> {
        RealDisk.lock(path)
    }
}
