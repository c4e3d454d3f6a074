use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant, SystemTime},
};

use notify::{
    Config, EventKind, PollWatcher, RecommendedWatcher, RecursiveMode,
    event::{AccessKind, AccessMode},
};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};

use super::{Listening, WatchError, seen::Seen};

/// Folders of the app's layout, watched with all that is in them.
const WHOLE: &[&str] = &["app", "config", "lib", "public", "static", "vendor"];
/// How long one file must be left alone for its change to be over.
const SETTLE_MS: u64 = 15;
/// How long nothing may change for all changes to be over, and how long that is waited for.
const QUIET_MS: u64 = 15;
const QUIET_MOST_MS: u64 = 500;
/// How often a file system that tells nothing is looked at.
const POLL_MS: u64 = 400;
/// How often the lock of a version control system is looked at, and how long it is waited for.
const LOCK_POLL_MS: u64 = 20;
const LOCK_MOST_MS: u64 = 5_000;
/// How coarse a file system's clock may be.
const CLOCK_MS: u64 = 2_000;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// These have changed, below the app's folder, sorted.
    Changed(Vec<String>),
    /// Somebody asks for a build.
    Rebuild,
    /// It is over.
    Quit,
}

/// Sends signals to a watch.
#[derive(Debug, Clone)]
pub struct Signals(Sender<Heard>);

impl Signals {
    /// Asks for a build.
    pub fn rebuild(&self) {
        // A watch that has ended builds nothing.
        drop(self.0.send(Heard::Signal(Signal::Rebuild)));
    }

    /// Ends the watch.
    pub fn quit(&self) {
        drop(self.0.send(Heard::Signal(Signal::Quit)));
    }
}

enum Heard {
    Paths(BTreeSet<PathBuf>),
    Signal(Signal),
}

/// What has changed among the files that builds depend on.
pub(super) struct Changes {
    root: PathBuf,
    seen: Arc<Seen>,
    watcher: Watcher,
    watched: BTreeMap<PathBuf, Identity>,
    heard: Receiver<Heard>,
    signals: Sender<Heard>,
    /// When the build in hand began.
    began: SystemTime,
    /// What changed while nothing was listening there yet.
    missed: BTreeSet<PathBuf>,
}

enum Watcher {
    Events(Debouncer<RecommendedWatcher, NoCache>),
    Polling(Debouncer<PollWatcher, NoCache>),
}

/// Which folder it is that has a name: another one of that name has to be watched anew.
type Identity = (u64, u64);

impl Changes {
    pub(super) fn start(root: PathBuf, seen: Arc<Seen>, listening: Listening) -> Result<Self, WatchError> {
        let (signals, heard) = mpsc::channel();
        let failed = |source| WatchError::Notify { path: root.clone(), source };
        let watcher = Watcher::new(&listening, signals.clone()).map_err(failed)?;
        let (watched, missed) = Default::default();
        let mut changes = Self { root, seen, watcher, watched, heard, signals, began: SystemTime::now(), missed };
        changes.follow()?;
        Ok(changes)
    }

    pub(super) fn signals(&self) -> Signals {
        Signals(self.signals.clone())
    }

    /// A build begins.
    pub(super) fn begin(&mut self) {
        self.began = SystemTime::now();
    }

    /// Watches what the build before this depends on.
    pub(super) fn follow(&mut self) -> Result<(), WatchError> {
        let whole: Vec<PathBuf> = WHOLE.iter().map(|folder| self.root.join(folder)).collect();
        let mut wanted: BTreeMap<PathBuf, RecursiveMode> = BTreeMap::new();
        wanted.insert(self.root.clone(), RecursiveMode::NonRecursive);
        for folder in self.seen.folders() {
            // Above the app, only what a package was found in: the rest is the machine's.
            let near = folder.starts_with(&self.root) || self.is_used(&folder);
            if near && !whole.iter().any(|whole| folder.starts_with(whole)) {
                wanted.insert(folder, RecursiveMode::NonRecursive);
            }
        }
        wanted.extend(whole.into_iter().map(|folder| (folder, RecursiveMode::Recursive)));
        let gone: Vec<PathBuf> = self.watched.keys().filter(|path| !wanted.contains_key(*path)).cloned().collect();
        for path in gone {
            self.watcher.unwatch(&path);
            self.watched.remove(&path);
        }
        for (path, mode) in wanted {
            self.watch(path, mode)?;
        }
        Ok(())
    }

    /// Whether a folder outside of the app holds something that a build found.
    fn is_used(&self, folder: &Path) -> bool {
        self.seen.asked_below(folder).iter().any(|path| path.is_file())
    }

    fn watch(&mut self, path: PathBuf, mode: RecursiveMode) -> Result<(), WatchError> {
        let identity = identity(&path);
        if self.watched.get(&path).copied() == identity {
            return Ok(());
        }
        if self.watched.remove(&path).is_some() {
            self.watcher.unwatch(&path);
        }
        let Some(identity) = identity else { return Ok(()) };
        match self.watcher.watch(&path, mode) {
            Ok(()) => {}
            // It went away between the two looks: whoever removed it has changed the folder above, too.
            Err(_) if !path.exists() => return Ok(()),
            Err(source) => return Err(WatchError::Notify { path, source }),
        }
        // What was written since the build began may have been missed: by the build, and by us.
        let since = self.began - Duration::from_millis(CLOCK_MS);
        let is_new = |path: &PathBuf| {
            fs::symlink_metadata(path).and_then(|meta| meta.modified()).is_ok_and(|modified| modified >= since)
        };
        self.missed.extend(self.seen.asked_below(&path).into_iter().filter(is_new));
        self.watched.insert(path, identity);
        Ok(())
    }

    /// Waits until something is to be done.
    pub(super) fn wait(&mut self) -> Signal {
        let mut changed = std::mem::take(&mut self.missed);
        while changed.is_empty() {
            match self.heard.recv() {
                Ok(Heard::Paths(paths)) => changed = self.of_interest(paths),
                Ok(Heard::Signal(signal)) => return signal,
                Err(mpsc::RecvError) => return Signal::Quit,
            }
        }
        let until = Instant::now() + Duration::from_millis(QUIET_MOST_MS);
        while Instant::now() < until {
            match self.heard.recv_timeout(Duration::from_millis(QUIET_MS)) {
                Ok(Heard::Paths(paths)) => changed.extend(self.of_interest(paths)),
                Ok(Heard::Signal(Signal::Quit)) => return Signal::Quit,
                // Comes with the build that the changes make.
                Ok(Heard::Signal(_)) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        self.let_git_finish();
        let below = |path: PathBuf| path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().into_owned();
        Signal::Changed(changed.into_iter().map(below).collect())
    }

    fn of_interest(&self, paths: BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        let depends = |path: &PathBuf| {
            // A folder that was reached through a link is known by both names.
            let real = || Some(fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?));
            self.seen.depends_on(path) || real().is_some_and(|real| real != *path && self.seen.depends_on(&real))
        };
        paths.into_iter().filter(depends).collect()
    }

    /// A change of branches writes many files over some time, and holds this lock.
    fn let_git_finish(&self) {
        let lock = self.root.join(".git/index.lock");
        let until = Instant::now() + Duration::from_millis(LOCK_MOST_MS);
        while lock.exists() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(LOCK_POLL_MS));
        }
    }
}

impl Watcher {
    fn new(listening: &Listening, signals: Sender<Heard>) -> notify::Result<Self> {
        // Links are followed by the build, which asks for what they lead to by its own name.
        let config = Config::default().with_follow_symlinks(false);
        let settle = Duration::from_millis(SETTLE_MS);
        let tick = Some(Duration::from_millis(SETTLE_MS / 3));
        let handler = move |result: DebounceEventResult| hear(result, &signals);
        Ok(match listening {
            Listening::Events => Self::Events(new_debouncer_opt(settle, tick, handler, NoCache, config)?),
            Listening::Polling(_) => {
                let config = config.with_poll_interval(Duration::from_millis(POLL_MS));
                Self::Polling(new_debouncer_opt(settle, tick, handler, NoCache, config)?)
            }
        })
    }

    fn watch(&mut self, path: &Path, mode: RecursiveMode) -> notify::Result<()> {
        match self {
            Self::Events(watcher) => watcher.watch(path, mode),
            Self::Polling(watcher) => watcher.watch(path, mode),
        }
    }

    /// One that is gone is not watched either.
    fn unwatch(&mut self, path: &Path) {
        drop(match self {
            Self::Events(watcher) => watcher.unwatch(path),
            Self::Polling(watcher) => watcher.unwatch(path),
        });
    }
}

fn hear(result: DebounceEventResult, signals: &Sender<Heard>) {
    let paths = match result {
        Ok(events) => {
            let changes = events.into_iter().filter(|event| is_change(&event.event.kind));
            changes.flat_map(|event| event.event.paths).collect()
        }
        // The queue overflowed, or a folder went away while it was looked at: something changed, and nobody knows what.
        Err(_) => {
            drop(signals.send(Heard::Signal(Signal::Rebuild)));
            return;
        }
    };
    drop(signals.send(Heard::Paths(paths)));
}

/// Reading is no change; closing after writing is the end of one.
fn is_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(access) => matches!(access, AccessKind::Close(AccessMode::Write)),
        _ => true,
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(path).ok().filter(fs::Metadata::is_dir)?;
    Some((meta.dev(), meta.ino()))
}
