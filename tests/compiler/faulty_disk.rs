//! The machine's disk, failing on purpose: after so many changes it stops for good, fails once, or writes half a file.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use ssbuild::disk::{Disk, DiskError, Entry, Kind, Lock, NameKind, RealDisk};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing that changes the disk works any more, from then on: the process was killed there, or the disk is full.
    Stop,
    /// One change fails, and later ones work again.
    FailOnce,
    /// A write leaves half of its bytes and then everything stops.
    Shorten,
}

/// A disk whose n-th change goes wrong. Reading always works. Nothing is flushed: no power fails here, and it takes long.
pub(crate) struct FaultyDisk {
    fault: Fault,
    at: usize,
    changes: AtomicUsize,
}

impl FaultyDisk {
    pub(crate) fn new(fault: Fault, at: usize) -> Self {
        Self { fault, at, changes: AtomicUsize::new(0) }
    }

    /// A disk without faults.
    pub(crate) fn sound() -> Self {
        Self::new(Fault::FailOnce, usize::MAX)
    }

    /// How many changes were asked for.
    pub(crate) fn changes(&self) -> usize {
        self.changes.load(Ordering::SeqCst)
    }

    fn change(&self, path: &Path, work: impl FnOnce() -> Result<(), DiskError>) -> Result<(), DiskError> {
        let n = self.changes.fetch_add(1, Ordering::SeqCst);
        let fails = match self.fault {
            Fault::FailOnce => n == self.at,
            Fault::Stop | Fault::Shorten => n >= self.at,
        };
        if fails { Err(full(path)) } else { work() }
    }
}

fn full(path: &Path) -> DiskError {
    DiskError { doing: "change", path: path.to_owned(), source: io::ErrorKind::StorageFull.into() }
}

impl Disk for FaultyDisk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, DiskError> {
        RealDisk.read(path)
    }

    fn kind(&self, path: &Path) -> Result<Option<Kind>, DiskError> {
        RealDisk.kind(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError> {
        RealDisk.list(path)
    }

    fn names(&self, path: &Path) -> Result<Vec<(OsString, NameKind)>, DiskError> {
        RealDisk.names(path)
    }

    fn canonical(&self, path: &Path) -> Result<Option<PathBuf>, DiskError> {
        RealDisk.canonical(path)
    }

    fn create_folder(&self, path: &Path) -> Result<(), DiskError> {
        self.change(path, || RealDisk.create_folder(path))
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
        if self.fault == Fault::Shorten && self.changes() == self.at {
            self.changes.fetch_add(1, Ordering::SeqCst);
            fs::write(path, &bytes[..bytes.len() / 2]).expect("half a file");
            return Err(full(path));
        }
        self.change(path, || {
            let write = || fs::File::create_new(path)?.write_all(bytes);
            write().map_err(|source| DiskError { doing: "write", path: path.to_owned(), source })
        })
    }

    fn is_executable(&self, path: &Path) -> Result<bool, DiskError> {
        RealDisk.is_executable(path)
    }

    fn make_executable(&self, path: &Path) -> Result<(), DiskError> {
        RealDisk.make_executable(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.change(to, || RealDisk.rename(from, to))
    }

    fn sync_folder(&self, path: &Path) -> Result<(), DiskError> {
        self.change(path, || Ok(()))
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        self.change(path, || RealDisk.remove_file(path))
    }

    fn remove_folder(&self, path: &Path) -> Result<(), DiskError> {
        self.change(path, || RealDisk.remove_folder(path))
    }

    fn lock(&self, path: &Path) -> Result<Lock, DiskError> {
        RealDisk.lock(path)
    }
}
