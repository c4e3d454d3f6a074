//! Results that depend on more than their key says: one small file each, with what was seen when they were made.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Key, Stored};
use crate::disk::{Disk, Seen};

/// A result and what was seen when it was made.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record<T> {
    seen: Seen,
    /// The result.
    pub value: T,
}

const ENDING: &str = "record";
const CHECK_BYTES: usize = 16;

impl<T> Record<T> {
    /// A result of what was seen.
    pub fn new(seen: Seen, value: T) -> Self {
        Self { seen, value }
    }

    /// What was seen.
    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Whether it would be the same today.
    pub(super) fn holds(&self, disk: &dyn Disk) -> bool {
        self.seen.holds(disk)
    }
}

/// Reads what is kept under a key; nothing when it is not there or not whole.
pub(super) fn read<T: Stored>(folder: &Path, key: Key) -> Option<T> {
    let bytes = fs::read(place(folder, key)).ok()?;
    let (payload, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
    (Sha256::digest(payload)[..CHECK_BYTES] == *check).then_some(())?;
    postcard::from_bytes(payload).ok()
}

/// Writes something over what is kept under a key. What fails here costs time, and no more.
pub(super) fn write<T: Stored>(folder: &Path, key: Key, record: &T) -> std::io::Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut bytes = postcard::to_stdvec(record).map_err(std::io::Error::other)?;
    let check = Sha256::digest(&bytes);
    bytes.extend_from_slice(&check[..CHECK_BYTES]);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let unfinished = folder.join(format!("{}-record-{count}.{}", process::id(), super::pack::UNFINISHED));
    fs::write(&unfinished, bytes)?;
    let renamed = fs::rename(&unfinished, place(folder, key));
    if renamed.is_err() {
        fs::remove_file(&unfinished)?;
    }
    renamed
}

/// Removes the oldest when they have more than so many bytes.
pub(super) fn tidy(folder: &Path, limit_bytes: u64) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut records: Vec<(SystemTime, PathBuf)> = entries
        .filter(|path| path.extension().is_some_and(|ending| ending == ENDING))
        .map(|path| (super::packs::age(&path), path))
        .collect();
    records.sort_by(|a, b| b.cmp(a));
    let mut bytes = 0;
    for (_, path) in records {
        bytes += path.metadata().map_or(0, |metadata| metadata.len());
        if bytes > limit_bytes {
            // Another build may have removed it.
            drop(fs::remove_file(path));
        }
    }
}

fn place(folder: &Path, key: Key) -> PathBuf {
    let name: String = key.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    folder.join(format!("{name}.{ENDING}"))
}
