//! One file of results: the results one after the other, then the list of them, then where the list is and its checksum.
//! It is written beside its place, named when it is whole, and never changed.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Key;

/// What packs and packs in the making are called.
pub(super) const ENDING: &str = "pack";
pub(super) const UNFINISHED: &str = "unfinished";

/// Ends every pack; another layout has another.
const MAGIC: [u8; 8] = *b"sspack01";
/// Length of the list, its checksum, and [`MAGIC`].
const FOOTER_BYTES: u64 = 8 + 16 + 8;
const BUFFER_BYTES: usize = 1 << 20;

/// A pack that can be read.
#[derive(Debug)]
pub(super) struct Pack {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    file: File,
}

/// Where a result lies in its pack.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Slot {
    pub(super) key: Key,
    offset: u64,
    pub(super) length: u32,
    check: Check,
}

type Check = [u8; 16];

fn check(bytes: &[u8]) -> Check {
    let hash = Sha256::digest(bytes);
    hash[..16].try_into().expect("a hash is longer")
}

impl Pack {
    /// Opens a pack and reads its list; nothing when it is not whole.
    pub(super) fn open(path: &Path) -> Option<(Self, Vec<Slot>)> {
        let file = File::open(path).ok()?;
        let bytes = file.metadata().ok()?.len();
        let mut footer = [0; FOOTER_BYTES as usize];
        file.read_exact_at(&mut footer, bytes.checked_sub(FOOTER_BYTES)?).ok()?;
        let (length, rest) = footer.split_at(8);
        let (list_check, magic) = rest.split_at(16);
        let length = u64::from_le_bytes(length.try_into().expect("8 bytes"));
        let start = (bytes - FOOTER_BYTES).checked_sub(length)?;
        if magic != MAGIC {
            return None;
        }
        let mut list = vec![0; usize::try_from(length).ok()?];
        file.read_exact_at(&mut list, start).ok()?;
        if check(&list) != list_check {
            return None;
        }
        let slots: Vec<Slot> = postcard::from_bytes(&list).ok()?;
        let pack = Self { path: path.to_owned(), bytes, file };
        Some((pack, slots))
    }

    /// The bytes of a result; nothing when they are not those that were written.
    pub(super) fn read(&self, slot: &Slot) -> Option<Vec<u8>> {
        let mut bytes = vec![0; slot.length as usize];
        self.file.read_exact_at(&mut bytes, slot.offset).ok()?;
        (check(&bytes) == slot.check).then_some(bytes)
    }
}

/// A pack in the making. Dropped before it is finished, it leaves nothing.
#[derive(Debug)]
pub(super) struct PackWriter {
    file: BufWriter<File>,
    path: PathBuf,
    written: u64,
    slots: Vec<Slot>,
    keys: FxHashSet<Key>,
}

impl PackWriter {
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{}-{}.{UNFINISHED}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = folder.join(name);
        let file = BufWriter::with_capacity(BUFFER_BYTES, File::create(&path)?);
        Ok(Self { file, path, written: 0, slots: Vec::new(), keys: FxHashSet::default() })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.written
    }

    /// Adds a result, unless it is there.
    pub(super) fn add(&mut self, key: Key, bytes: &[u8]) -> io::Result<()> {
        // Lengths are counted in 32 bits; nothing near that is worth remembering.
        let Ok(length) = u32::try_from(bytes.len()) else { return Ok(()) };
        if self.keys.insert(key) {
            self.file.write_all(bytes)?;
            self.slots.push(Slot { key, offset: self.written, length, check: check(bytes) });
            self.written += u64::from(length);
        }
        Ok(())
    }

    /// Writes the list and gives the pack its name; an empty one gets none.
    pub(super) fn finish(mut self, folder: &Path) -> io::Result<Option<PathBuf>> {
        if self.slots.is_empty() {
            return Ok(None);
        }
        let list = postcard::to_stdvec(&self.slots).expect("a list of slots is plain data");
        let sum = check(&list);
        self.file.write_all(&list)?;
        self.file.write_all(&(list.len() as u64).to_le_bytes())?;
        self.file.write_all(&sum)?;
        self.file.write_all(&MAGIC)?;
        self.file.flush()?;
        // Nothing is flushed to the device: what a crash damages is found by its checksum.
        let name: String = sum[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let named = folder.join(format!("{name}.{ENDING}"));
        fs::rename(&self.path, &named)?;
        Ok(Some(named))
    }
}

impl Drop for PackWriter {
    fn drop(&mut self) {
        // After it was renamed there is nothing of that name.
        drop(fs::remove_file(&self.path));
    }
}
