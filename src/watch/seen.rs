use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ffi::OsString,
    fs::{self, OpenOptions},
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
    time::SystemTime,
};

use crate::disk::{Disk, DiskError, Entry, Kind, Lock, NameKind, RealDisk};

/// The disk, and what was asked of it: every path that a build depends on, be it there or not, and what it was like when
/// the build looked.
#[derive(Debug)]
pub(super) struct Seen {
    root: PathBuf,
    /// Folders that the build itself writes to.
    own: Vec<PathBuf>,
    paths: Mutex<Paths>,
}

#[derive(Debug, Default)]
struct Paths {
    round: u64,
    /// Asked for by their whole path.
    asked: HashMap<PathBuf, Look>,
    /// Folders whose names were listed.
    listed: HashMap<PathBuf, Look>,
    /// Folders above any of these, below the app's folder: one of them may come or go as a whole.
    above: HashSet<PathBuf>,
}

/// What something was like at the first look of a round.
#[derive(Debug, Clone, Copy)]
struct Look {
    round: u64,
    stamp: Stamp,
}

/// What makes a file, or a list of names, another one. Times are compared only within one watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stamp {
    Nothing,
    File { bytes: u64, modified: Option<SystemTime>, inode: u64, changed: (i64, i64) },
    Folder { inode: u64 },
    Names(u64),
}

impl Seen {
    pub(super) fn new(root: PathBuf, own: Vec<PathBuf>) -> Self {
        Self { root, own, paths: Mutex::default() }
    }

    /// A build begins: what it looks at is looked at anew.
    pub(super) fn begin(&self) {
        self.lock().round += 1;
    }

    /// Whether a build depends on what is at `path`.
    pub(super) fn depends_on(&self, path: &Path) -> bool {
        let paths = self.lock();
        paths.asked.contains_key(path)
            || paths.listed.contains_key(path)
            || paths.above.contains(path)
            || path.parent().is_some_and(|parent| paths.listed.contains_key(parent))
    }

    /// What is not any more as it was when a build looked.
    pub(super) fn changed(&self) -> BTreeSet<PathBuf> {
        let (asked, listed) = {
            let paths = self.lock();
            let all = |map: &HashMap<PathBuf, Look>| -> Vec<(PathBuf, Stamp)> {
                map.iter().map(|(path, look)| (path.clone(), look.stamp)).collect()
            };
            (all(&paths.asked), all(&paths.listed))
        };
        let asked = asked.into_iter().filter(|(path, stamp)| Stamp::of(path) != *stamp);
        let listed = listed.into_iter().filter(|(path, stamp)| Stamp::of_names(path) != *stamp);
        asked.chain(listed).map(|(path, _)| path).collect()
    }

    /// Folders to watch: where asked-for files are, or would be. Outside of the app, only those that something was found in.
    pub(super) fn folders(&self) -> BTreeSet<PathBuf> {
        let paths = self.lock();
        let is_near = |path: &Path, stamp: Stamp| path.starts_with(&self.root) || matches!(stamp, Stamp::File { .. });
        let asked = paths.asked.iter().filter(|(path, look)| is_near(path, look.stamp));
        let parents: HashSet<&Path> = asked.filter_map(|(path, _)| path.parent()).collect();
        let listed = paths.listed.keys().map(PathBuf::as_path);
        parents.into_iter().chain(listed).map(Path::to_path_buf).collect()
    }

    fn is_own(&self, path: &Path) -> bool {
        self.own.iter().any(|own| path.starts_with(own))
    }

    /// Notes what a path is like before it is looked at: a change in between then counts as one.
    fn note(&self, path: &Path, into: fn(&mut Paths) -> &mut HashMap<PathBuf, Look>, stamp: fn(&Path) -> Stamp) {
        if self.is_own(path) {
            return;
        }
        let mut paths = self.lock();
        let round = paths.round;
        let known = into(&mut paths).get(path).map(|look| look.round);
        if known == Some(round) {
            return;
        }
        drop(paths);
        let look = Look { round, stamp: stamp(path) };
        let mut paths = self.lock();
        into(&mut paths)
            .entry(path.to_path_buf())
            .and_modify(|at| *at = if at.round < round { look } else { *at })
            .or_insert(look);
        if known.is_none() {
            let above = path.ancestors().skip(1);
            let above = above.take_while(|above| above.starts_with(&self.root) && *above != self.root);
            paths.above.extend(above.map(Path::to_path_buf));
        }
    }

    fn note_asked(&self, path: &Path) {
        self.note(path, |paths| &mut paths.asked, Stamp::of);
    }

    fn note_listed(&self, path: &Path) {
        self.note(path, |paths| &mut paths.listed, Stamp::of_names);
    }

    fn note_names(&self, path: &Path) {
        self.note_listed(path);
        // Changes are told by the name that a folder has without links.
        if let Ok(Some(real)) = RealDisk.canonical(path)
            && real != path
        {
            self.note_listed(&real);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Paths> {
        self.paths.lock().expect("no holder of this lock panics")
    }
}

impl Stamp {
    fn of(path: &Path) -> Self {
        let Ok(meta) = fs::metadata(path) else { return Self::Nothing };
        let (inode, changed) = system_stamp(&meta);
        if meta.is_dir() {
            return Self::Folder { inode };
        }
        Self::File { bytes: meta.len(), modified: meta.modified().ok(), inode, changed }
    }

    fn of_names(path: &Path) -> Self {
        let Ok(names) = fs::read_dir(path) else { return Self::Nothing };
        let mut names: Vec<_> = names.flatten().map(|name| (name.file_name(), name.file_type().ok())).collect();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        let mut hasher = DefaultHasher::new();
        names.hash(&mut hasher);
        Self::Names(hasher.finish())
    }
}

/// Which file it is, and when anything of it last changed, its time of modification included.
#[cfg(unix)]
fn system_stamp(meta: &fs::Metadata) -> (u64, (i64, i64)) {
    use std::os::unix::fs::MetadataExt;
    (meta.ino(), (meta.ctime(), meta.ctime_nsec()))
}

impl Disk for Seen {
    fn read(&self, path: &Path) -> Result<Vec<u8>, DiskError> {
        self.note_asked(path);
        RealDisk.read(path)
    }

    fn kind(&self, path: &Path) -> Result<Option<Kind>, DiskError> {
        self.note_asked(path);
        RealDisk.kind(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError> {
        self.note_names(path);
        RealDisk.list(path)
    }

    fn names(&self, path: &Path) -> Result<Vec<(OsString, NameKind)>, DiskError> {
        self.note_names(path);
        RealDisk.names(path)
    }

    fn canonical(&self, path: &Path) -> Result<Option<PathBuf>, DiskError> {
        self.note_asked(path);
        let real = RealDisk.canonical(path)?;
        if let Some(real) = real.as_deref().filter(|real| *real != path) {
            self.note_asked(real);
        }
        Ok(real)
    }

    fn create_folder(&self, path: &Path) -> Result<(), DiskError> {
        RealDisk.create_folder(path)
    }

    /// Not flushed: what a power failure takes, the next build compares with its own bytes and writes again, and somebody
    /// waits for this one.
    fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let written = file.and_then(|mut file| file.write_all(bytes));
        written.map_err(|source| DiskError { doing: "write", path: path.to_owned(), source })
    }

    fn is_executable(&self, path: &Path) -> Result<bool, DiskError> {
        RealDisk.is_executable(path)
    }

    fn make_executable(&self, path: &Path) -> Result<(), DiskError> {
        RealDisk.make_executable(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        RealDisk.rename(from, to)
    }

    fn sync_folder(&self, _path: &Path) -> Result<(), DiskError> {
        Ok(())
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
