use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Disk, DiskError, Entry, Kind, Lock, NameKind};

/// A disk that remembers what it was asked and what it answered.
pub struct Witness {
    disk: Arc<dyn Disk>,
    watches: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: FxHashMap<Question, Answer>,
    /// The same question had two answers.
    torn: bool,
}

/// Questions to a disk with what stands for each answer: what a result depends on beside its key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen(Vec<(Question, Answer)>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Question {
    Read(PathBuf),
    Kind(PathBuf),
    List(PathBuf),
    Names(PathBuf),
    Canonical(PathBuf),
    Sum(PathBuf),
}

/// A file that another content was read from before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Which.
    pub path: PathBuf,
    /// What is in it now.
    pub bytes: Vec<u8>,
}

/// How a disk answers today what it answered before.
#[derive(Debug)]
pub enum Changes {
    /// The same.
    None,
    /// These few files have another content; and all answers of today.
    Files(Vec<Changed>, Seen),
    /// Otherwise.
    Other,
}

/// More files than this are many.
const FEW: usize = 8;

/// The hash of an answer.
type Answer = [u8; 16];

impl Witness {
    /// Watches over a disk.
    pub fn new(disk: &Arc<dyn Disk>) -> Self {
        Self { disk: Arc::clone(disk), watches: true, state: Mutex::default() }
    }

    /// Hands everything through and remembers nothing.
    pub fn blind(disk: &Arc<dyn Disk>) -> Self {
        Self { watches: false, ..Self::new(disk) }
    }

    /// Something was read elsewhere, of which nobody can say what it was.
    pub fn doubt(&self) {
        self.state().torn = true;
    }

    /// All that was asked so far; nothing when an answer changed meanwhile: then nobody can say what a result was made of.
    pub fn seen(&self) -> Option<Seen> {
        let state = self.state();
        (self.watches && !state.torn).then(|| {
            let mut answers: Vec<(Question, Answer)> = state.answers.iter().map(|(q, a)| (q.clone(), *a)).collect();
            answers.sort();
            Seen(answers)
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of it is a single insertion: it is whole even if a holder panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note<T>(
        &self,
        question: fn(PathBuf) -> Question,
        path: &Path,
        given: Result<T, DiskError>,
        hash: impl Fn(&T) -> Answer,
    ) -> Result<T, DiskError> {
        if self.watches {
            let answer = answer(&given, hash);
            let mut state = self.state();
            let before = *state.answers.entry(question(path.to_owned())).or_insert(answer);
            state.torn |= before != answer;
        }
        given
    }
}

impl Seen {
    /// These files with the hash of each, and these that were not there.
    pub fn of_files(
        read: impl IntoIterator<Item = (PathBuf, [u8; 32])>,
        missed: impl IntoIterator<Item = PathBuf>,
    ) -> Self {
        let read = read.into_iter().map(|(path, sha256)| (Question::Read(path), shortened(&sha256)));
        let missed = missed.into_iter().map(|path| (Question::Kind(path), of_kind(&None)));
        Self(read.chain(missed).collect())
    }

    /// What two results depend on together.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// Files with the checksum of each.
    pub fn of_sums(sums: impl IntoIterator<Item = (PathBuf, u128)>) -> Self {
        Self(sums.into_iter().map(|(path, sum)| (Question::Sum(path), sum.to_le_bytes())).collect())
    }

    /// A hash of it.
    pub fn stamp(&self) -> [u8; 16] {
        of_bytes(&postcard::to_stdvec(self).expect("questions and answers are plain data"))
    }

    /// Whether the disk would answer the same today.
    pub fn holds(&self, disk: &dyn Disk) -> bool {
        self.0.par_iter().with_min_len(16).all(|(question, before)| question.ask(disk).0 == *before)
    }

    /// What the disk would answer differently today.
    pub fn changes(&self, disk: &dyn Disk) -> Changes {
        let others = AtomicUsize::new(0);
        let differs = |(at, (question, before)): (usize, &(Question, Answer))| {
            if others.load(Ordering::Relaxed) > FEW {
                return None;
            }
            let (now, bytes) = question.ask(disk);
            if now == *before {
                return None;
            }
            others.fetch_add(if bytes.is_some() { 1 } else { FEW + 1 }, Ordering::Relaxed);
            Some((at, now, bytes?))
        };
        let changed: Vec<(usize, Answer, Vec<u8>)> =
            self.0.par_iter().enumerate().with_min_len(16).filter_map(differs).collect();
        if others.into_inner() > FEW {
            return Changes::Other;
        }
        if changed.is_empty() {
            return Changes::None;
        }
        let mut now = self.clone();
        let files = changed.into_iter().map(|(at, answer, bytes)| {
            now.0[at].1 = answer;
            Changed { path: now.0[at].0.path().to_owned(), bytes }
        });
        Changes::Files(files.collect(), now)
    }

    /// Whether this, whose questions are sorted, also says what `part` says.
    pub fn has(&self, part: &Self) -> bool {
        let known = |question: &Question| {
            let at = self.0.binary_search_by(|(known, _)| known.cmp(question)).ok()?;
            Some(self.0[at].1)
        };
        part.0.iter().all(|(question, answer)| match (known(question), question) {
            (Some(known), _) => known == *answer,
            // What was read as a whole was not asked for its length.
            (None, Question::Kind(path)) => known(&Question::Read(path.clone())).is_some(),
            (None, _) => false,
        })
    }
}

impl Question {
    fn path(&self) -> &Path {
        match self {
            Self::Read(path)
            | Self::Kind(path)
            | Self::List(path)
            | Self::Names(path)
            | Self::Canonical(path)
            | Self::Sum(path) => path,
        }
    }

    /// What stands for the disk's answer, and the bytes if it was asked for some and has them.
    fn ask(&self, disk: &dyn Disk) -> (Answer, Option<Vec<u8>>) {
        let answer = match self {
            Self::Read(path) => {
                let bytes = disk.read(path);
                return (answer(&bytes, |bytes| of_bytes(bytes)), bytes.ok());
            }
            Self::Kind(path) => answer(&disk.kind(path), of_kind),
            Self::List(path) => answer(&disk.list(path), |entries| of_entries(entries)),
            Self::Names(path) => answer(&disk.names(path), |names| of_names(names)),
            Self::Canonical(path) => answer(&disk.canonical(path), |real| of_path(real.as_deref())),
            Self::Sum(path) => answer(&disk.sum(path), |sum| sum.to_le_bytes()),
        };
        (answer, None)
    }
}

/// What stands for an answer. A refusal is one: a resolver may ask for a file to see whether it is there.
fn answer<T>(given: &Result<T, DiskError>, hash: impl Fn(&T) -> Answer) -> Answer {
    match given {
        Ok(given) => hash(given),
        Err(error) => of_bytes(format!("error {:?}", error.source.kind()).as_bytes()),
    }
}

fn shortened(hash: &[u8]) -> Answer {
    hash[..16].try_into().expect("a hash is longer")
}

fn of_bytes(bytes: &[u8]) -> Answer {
    shortened(&Sha256::digest(bytes))
}

fn of_kind(kind: &Option<Kind>) -> Answer {
    let mut answer = [0; 16];
    answer[0] = match kind {
        None => 0,
        Some(Kind::File(_)) => 1,
        Some(Kind::Folder) => 2,
        Some(Kind::Other) => 3,
    };
    if let Some(Kind::File(bytes)) = kind {
        answer[8..].copy_from_slice(&bytes.to_le_bytes());
    }
    answer
}

/// Nobody who lists a folder asks how long a file is but to see whether it is too long, and no limit is below this.
pub(crate) const NO_LIMIT_BYTES: u64 = 256 * 1024;

fn of_entries(entries: &[Entry]) -> Answer {
    let mut hash = Sha256::new();
    for entry in entries {
        hash.update((entry.name.len() as u64).to_le_bytes());
        hash.update(&entry.name);
        hash.update([u8::from(entry.utf8), u8::from(entry.link)]);
        let kind = match entry.kind {
            Kind::File(bytes) => Kind::File(bytes.max(NO_LIMIT_BYTES)),
            kind => kind,
        };
        hash.update(of_kind(&Some(kind)));
    }
    shortened(&hash.finalize())
}

fn of_names(names: &[(OsString, NameKind)]) -> Answer {
    let mut names: Vec<&(OsString, NameKind)> = names.iter().collect();
    names.sort();
    let mut hash = Sha256::new();
    for (name, kind) in names {
        let name = name.as_encoded_bytes();
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update([*kind as u8]);
    }
    shortened(&hash.finalize())
}

fn of_path(path: Option<&Path>) -> Answer {
    let bytes = path.map(|path| path.as_os_str().as_encoded_bytes());
    bytes.map_or([0; 16], of_bytes)
}

impl Disk for Witness {
    fn read(&self, path: &Path) -> Result<Vec<u8>, DiskError> {
        let given = self.note(Question::Read, path, self.disk.read(path), |bytes| of_bytes(bytes))?;
        if self.watches {
            // A path with these bytes is a file of that length, which need not be asked again.
            let mut state = self.state();
            let kind = state.answers.remove(&Question::Kind(path.to_owned()));
            state.torn |= kind.is_some_and(|kind| kind != of_kind(&Some(Kind::File(given.len() as u64))));
        }
        Ok(given)
    }

    fn kind(&self, path: &Path) -> Result<Option<Kind>, DiskError> {
        self.note(Question::Kind, path, self.disk.kind(path), of_kind)
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError> {
        self.note(Question::List, path, self.disk.list(path), |entries| of_entries(entries))
    }

    fn names(&self, path: &Path) -> Result<Vec<(OsString, NameKind)>, DiskError> {
        self.note(Question::Names, path, self.disk.names(path), |names| of_names(names))
    }

    fn canonical(&self, path: &Path) -> Result<Option<PathBuf>, DiskError> {
        self.note(Question::Canonical, path, self.disk.canonical(path), |path| of_path(path.as_deref()))
    }

    fn create_folder(&self, path: &Path) -> Result<(), DiskError> {
        self.disk.create_folder(path)
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
        self.disk.write_new(path, bytes)
    }

    fn is_executable(&self, path: &Path) -> Result<bool, DiskError> {
        self.disk.is_executable(path)
    }

    fn make_executable(&self, path: &Path) -> Result<(), DiskError> {
        self.disk.make_executable(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.disk.rename(from, to)
    }

    fn sync_folder(&self, path: &Path) -> Result<(), DiskError> {
        self.disk.sync_folder(path)
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        self.disk.remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> Result<(), DiskError> {
        self.disk.remove_folder(path)
    }

    fn lock(&self, path: &Path) -> Result<Lock, DiskError> {
        self.disk.lock(path)
    }
}
