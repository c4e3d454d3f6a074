use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::disk::{Disk, DiskError, Entry, Kind, Lock, NameKind};

/// A disk whose folders list their names backwards.
pub(super) struct Backwards(pub(super) Arc<dyn Disk>);

impl Disk for Backwards {
    fn read(&self, path: &Path) -> Result<Vec<u8>, DiskError> {
        self.0.read(path)
    }

    fn kind(&self, path: &Path) -> Result<Option<Kind>, DiskError> {
        self.0.kind(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError> {
        let mut entries = self.0.list(path)?;
        entries.reverse();
        Ok(entries)
    }

    fn names(&self, path: &Path) -> Result<Vec<(OsString, NameKind)>, DiskError> {
        let mut names = self.0.names(path)?;
        names.reverse();
        Ok(names)
    }

    fn canonical(&self, path: &Path) -> Result<Option<PathBuf>, DiskError> {
        self.0.canonical(path)
    }

    fn create_folder(&self, path: &Path) -> Result<(), DiskError> {
        self.0.create_folder(path)
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
        self.0.write_new(path, bytes)
    }

    fn is_executable(&self, path: &Path) -> Result<bool, DiskError> {
        self.0.is_executable(path)
    }

    fn make_executable(&self, path: &Path) -> Result<(), DiskError> {
        self.0.make_executable(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.0.rename(from, to)
    }

    fn sync_folder(&self, path: &Path) -> Result<(), DiskError> {
        self.0.sync_folder(path)
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        self.0.remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> Result<(), DiskError> {
        self.0.remove_folder(path)
    }

    fn lock(&self, path: &Path) -> Result<Lock, DiskError> {
        self.0.lock(path)
    }
}
