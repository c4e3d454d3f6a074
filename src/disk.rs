//! The file layer: every byte the compiler reads or writes goes through [`Disk`].
//!
//! It is small on purpose, so that a test can stand in for it: stop after the n-th operation, fill the disk,
//! shorten a write. Paths are absolute here; everywhere above they are relative to the app.

use std::{
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

mod edited;
mod real;
mod witness;

pub use edited::{Edit, Passed};

pub use real::RealDisk;
pub(crate) use witness::NO_LIMIT_BYTES;
pub use witness::{Changed, Changes, Seen, Witness};

use crate::asset::sum;

/// What a name in a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file of so many bytes (links to files followed).
    File(u64),
    /// A folder (links to folders followed).
    Folder,
    /// A pipe, a socket, a device or a broken link.
    Other,
}

/// What a name in a folder is, as far as the folder itself tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link, or anything else.
    Other,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, if it is UTF-8; else the lossy form, with `utf8` false.
    pub name: String,
    /// Whether `name` is exact.
    pub utf8: bool,
    /// What it is, links followed.
    pub kind: Kind,
    /// Whether the name itself is a symbolic link.
    pub link: bool,
}

/// Held as long as it lives; ends with the process, however that ends.
pub type Lock = Box<dyn std::any::Any + Send>;

/// The disk, as much of it as the compiler needs.
pub trait Disk: Send + Sync {
    /// The whole of a file.
    fn read(&self, path: &Path) -> Result<Vec<u8>, DiskError>;
    /// What is at `path`; `None` when nothing is.
    fn kind(&self, path: &Path) -> Result<Option<Kind>, DiskError>;
    /// The names in a folder, sorted by name; an empty list when there is no such folder.
    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError>;
    /// The names in a folder and what they are, in no order; an empty list when there is no such folder. Cheaper than
    /// [`Self::list`]: nothing but the folder is looked at.
    fn names(&self, path: &Path) -> Result<Vec<(OsString, NameKind)>, DiskError>;
    /// `path` with every link resolved; `None` when it does not exist.
    fn canonical(&self, path: &Path) -> Result<Option<PathBuf>, DiskError>;
    /// Makes a folder and those above it.
    fn create_folder(&self, path: &Path) -> Result<(), DiskError>;
    /// Writes a file that does not exist yet and flushes it to the device.
    fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), DiskError>;
    /// So many bytes of a file from a place on, fewer where it ends.
    fn read_part(&self, path: &Path, from: usize, bytes: usize) -> Result<Vec<u8>, DiskError> {
        let mut part = self.read(path)?;
        part.drain(..from.min(part.len()));
        part.truncate(bytes);
        Ok(part)
    }
    /// The checksum of a file ([`crate::asset::sum`]).
    fn sum(&self, path: &Path) -> Result<u128, DiskError> {
        Ok(sum(&self.read(path)?))
    }
    /// Writes a copy of a file, with other bytes in some places, to one that does not exist yet, and flushes it. `tell` is told of
    /// every byte of both in their order.
    fn write_edited(
        &self,
        from: &Path,
        edits: &[Edit],
        to: &Path,
        tell: &mut dyn FnMut(Passed<'_>),
    ) -> Result<(), DiskError> {
        let (old, mut new) = (self.read(from)?, Vec::new());
        edited::pass(&mut old.as_slice(), edits, &mut |passed| {
            new.extend_from_slice(passed.written());
            tell(passed);
            Ok(())
        })
        .map_err(|source| DiskError { doing: "read", path: from.to_owned(), source })?;
        self.write_new(to, &new)
    }
    /// Whether a file is a program that its owner may run.
    fn is_executable(&self, _path: &Path) -> Result<bool, DiskError> {
        Ok(false)
    }
    /// Makes a file a program for whoever may read it.
    fn make_executable(&self, _path: &Path) -> Result<(), DiskError> {
        Ok(())
    }
    /// Renames a file or folder, over a file that is there.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError>;
    /// Flushes a folder's names to the device.
    fn sync_folder(&self, path: &Path) -> Result<(), DiskError>;
    /// Removes a file; no error when there is none.
    fn remove_file(&self, path: &Path) -> Result<(), DiskError>;
    /// Removes a folder and all in it; no error when there is none.
    fn remove_folder(&self, path: &Path) -> Result<(), DiskError>;
    /// When a file was last written, as far as this disk knows.
    fn modified(&self, _path: &Path) -> Result<Option<SystemTime>, DiskError> {
        Ok(None)
    }
    /// Waits until no other process or thread holds the lock named by this file, and takes it.
    fn lock(&self, path: &Path) -> Result<Lock, DiskError>;
}

/// The machine's fault: what was being done to which path, and what the system said.
#[derive(Debug)]
pub struct DiskError {
    /// What was being done, as in "cannot … `path`".
    pub doing: &'static str,
    /// To which path.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl DiskError {
    /// What the system said, for interfaces that know nothing else.
    pub fn into_io(self) -> io::Error {
        self.source
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} `{}`: {}", self.doing, self.path.display(), self.source)
    }
}

impl std::error::Error for DiskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
