//! Results of earlier processes: a folder of packs. Nothing in it is trusted, and nothing that fails in it fails a build.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Key,
    pack::{ENDING, Pack, PackWriter, Slot, UNFINISHED},
    records,
};

/// With more packs than this the small ones are joined.
const PACKS_MAX: usize = 16;
/// After this long a pack in the making belongs to a process that died.
const ABANDONED: Duration = Duration::from_secs(60 * 60);
/// Held by the one process at a time that removes packs.
const LOCK: &str = "lock";

/// A folder of packs.
#[derive(Debug)]
pub(super) struct Packs {
    folder: PathBuf,
    mode: Mode,
    known: OnceLock<Known>,
    state: Mutex<State>,
}

/// What may be done to the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Results are read from it.
    Read,
    /// New ones are written to it.
    ReadWrite,
}

/// What was there at the start.
#[derive(Debug, Default)]
struct Known {
    packs: Vec<Pack>,
    results: FxHashMap<Key, (usize, Slot)>,
    /// Files that are no packs, or none any more.
    broken: Vec<PathBuf>,
}

#[derive(Debug, Default)]
struct State {
    new: Option<PackWriter>,
    used: FxHashSet<Key>,
    /// The folder cannot be written to; it is not tried again.
    failed: bool,
}

impl Packs {
    pub(super) fn new(folder: PathBuf, mode: Mode) -> Self {
        Self { folder, mode, known: OnceLock::new(), state: Mutex::default() }
    }

    pub(super) fn is_written(&self) -> bool {
        self.mode == Mode::ReadWrite
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Has something written to the folder, if it may be.
    pub(super) fn write(&self, write: impl FnOnce(&Path) -> io::Result<()>) {
        if self.mode == Mode::ReadWrite {
            // Without it the next build takes longer, and no more.
            drop(make_folder(&self.folder).and_then(|()| write(&self.folder)));
        }
    }

    pub(super) fn get(&self, key: Key) -> Option<Vec<u8>> {
        let known = self.known.get_or_init(|| Known::read(&self.folder));
        let (pack, slot) = known.results.get(&key)?;
        let bytes = known.packs[*pack].read(slot)?;
        self.state().used.insert(key);
        Some(bytes)
    }

    pub(super) fn put(&self, key: Key, bytes: &[u8]) {
        if self.mode == Mode::Read {
            return;
        }
        let mut state = self.state();
        if state.failed {
            return;
        }
        if state.new.is_none() {
            state.new = make_folder(&self.folder).and_then(|()| PackWriter::create(&self.folder)).ok();
        }
        let added = state.new.as_mut().map(|new| new.add(key, bytes));
        if !matches!(added, Some(Ok(()))) {
            (state.new, state.failed) = (None, true);
        }
    }

    /// Names what was written, and keeps the folder below `limit_bytes`: what was used longest ago goes.
    pub(super) fn end_build(&self, limit_bytes: u64) {
        let (new, used) = {
            let mut state = self.state();
            (state.new.take(), std::mem::take(&mut state.used))
        };
        if self.mode == Mode::Read {
            return;
        }
        let new_bytes = new.as_ref().map_or(0, PackWriter::bytes);
        let grew = new.is_some_and(|new| new.finish(&self.folder).is_ok());
        let Some(known) = self.known.get() else { return };
        let (packs_bytes, records_bytes) = (limit_bytes / 4 * 3, limit_bytes / 4);
        let total = known.packs.iter().map(|pack| pack.bytes).sum::<u64>() + new_bytes;
        records::tidy(&self.folder, records_bytes);
        if grew && (total > packs_bytes || known.packs.len() >= PACKS_MAX) || !known.broken.is_empty() {
            // A cache that cannot be tidied is tidied by another build.
            drop(tidy(&self.folder, &used, packs_bytes));
        } else {
            known.touch(&used);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in the middle can leave half a result in the new pack, of which its list knows nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn read(folder: &Path) -> Self {
        let mut known = Self::default();
        for path in files(folder, ENDING) {
            let Some((pack, slots)) = Pack::open(&path) else {
                known.broken.push(path);
                continue;
            };
            let at = known.packs.len();
            for slot in slots {
                // The newest comes first.
                known.results.entry(slot.key).or_insert((at, slot));
            }
            known.packs.push(pack);
        }
        known
    }

    /// Sets the times of packs that gave something: the oldest are the first to go.
    fn touch(&self, used: &FxHashSet<Key>) {
        let packs: FxHashSet<usize> = used.iter().filter_map(|key| Some(self.results.get(key)?.0)).collect();
        for pack in packs {
            let opened = File::options().append(true).open(&self.packs[pack].path);
            drop(opened.and_then(|file| file.set_modified(SystemTime::now())));
        }
    }
}

/// The files with that ending, newest first.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(SystemTime, PathBuf)> = entries
        .filter(|entry| entry.path().extension().is_some_and(|there| there == ending))
        .map(|entry| (age(&entry.path()), entry.path()))
        .collect();
    files.sort_by(|a, b| b.cmp(a));
    files.into_iter().map(|(_, path)| path).collect()
}

pub(super) fn age(path: &Path) -> SystemTime {
    path.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // Nobody wants it among their sources.
    let ignore = folder.parent().unwrap_or(folder).join(".gitignore");
    if !ignore.exists() {
        fs::write(ignore, "*\n")?;
    }
    Ok(())
}

/// Joins small packs and leaves out what is too much. Processes that have an old pack open can go on reading it.
fn tidy(folder: &Path, used: &FxHashSet<Key>, limit_bytes: u64) -> io::Result<()> {
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
    if lock.try_lock().is_err() {
        // Another process is at it.
        return Ok(());
    }
    let known = Known::read(folder);
    known.broken.iter().try_for_each(fs::remove_file)?;
    for unfinished in files(folder, UNFINISHED) {
        if age(&unfinished).elapsed().is_ok_and(|age| age > ABANDONED) {
            fs::remove_file(unfinished)?;
        }
    }
    let total: u64 = known.packs.iter().map(|pack| pack.bytes).sum();
    let largest = known.packs.iter().map(|pack| pack.bytes).max().unwrap_or(0);
    let too_large = total > limit_bytes;
    // A large pack is not written again only to add something small to it.
    let joined = |pack: &Pack| too_large || pack.bytes < largest || largest < total / 2;
    if known.packs.len() <= PACKS_MAX && !too_large {
        return Ok(());
    }
    // Some room is left, so that the next build does not have to do this again.
    let room = if too_large { limit_bytes / 4 * 3 } else { u64::MAX };
    let mut writer = PackWriter::create(folder)?;
    let mut results: Vec<(&Key, &(usize, Slot))> =
        known.results.iter().filter(|(_, (pack, _))| joined(&known.packs[*pack])).collect();
    // Packs are sorted by time, so what was used last comes first.
    results.sort_by_key(|(key, (pack, _))| (!used.contains(*key), *pack, **key));
    for (key, (pack, slot)) in results {
        if writer.bytes() + u64::from(slot.length) > room {
            break;
        }
        if let Some(bytes) = known.packs[*pack].read(slot) {
            writer.add(*key, &bytes)?;
        }
    }
    let new = writer.finish(folder)?;
    let old = known.packs.iter().filter(|pack| joined(pack) && Some(&pack.path) != new.as_ref());
    old.map(|pack| &pack.path).try_for_each(fs::remove_file)
}
