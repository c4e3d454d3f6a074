use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

use notify::{
    Config, EventKind, RecommendedWatcher, RecursiveMode,
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
/// When, after a build, all that it depends on is looked at once more. Systems lose events: of folders that are made and
/// filled at once, or that change names quickly.
const VERIFY_MS: u64 = 200;
/// How often a file system that tells nothing is looked at.
const POLL_MS: u64 = 400;
/// How often the lock of a version control system is looked at, and how long it is waited for.
const LOCK_POLL_MS: u64 = 20;
const LOCK_MOST_MS: u64 = 5_000;

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
    /// These may have changed.
    Paths(BTreeSet<PathBuf>),
    /// Something has, and nobody knows what.
    Something,
    Signal(Signal),
}

/// What has changed among the files that builds depend on.
pub(super) struct Changes {
    root: PathBuf,
    seen: Arc<Seen>,
    /// None where there is nothing to be heard.
    watcher: Option<Debouncer<RecommendedWatcher, NoCache>>,
    watched: BTreeMap<PathBuf, Identity>,
    heard: Receiver<Heard>,
    signals: Sender<Heard>,
    /// When to look at everything next.
    verify_at: Option<Instant>,
}

/// Which folder it is that has a name: another one of that name has to be watched anew.
type Identity = (u64, u64);

impl Changes {
    pub(super) fn start(root: PathBuf, seen: Arc<Seen>, listening: &Listening) -> Result<Self, WatchError> {
        let (signals, heard) = mpsc::channel();
        let watcher = match listening {
            Listening::Events => {
                let failed = |source| WatchError::Notify { path: root.clone(), source };
                Some(watcher(signals.clone()).map_err(failed)?)
            }
            Listening::Polling(_) => None,
        };
        let mut changes = Self { root, seen, watcher, watched: BTreeMap::new(), heard, signals, verify_at: None };
        changes.follow()?;
        Ok(changes)
    }

    pub(super) fn signals(&self) -> Signals {
        Signals(self.signals.clone())
    }

    /// Watches what the build before this depends on.
    pub(super) fn follow(&mut self) -> Result<(), WatchError> {
        let wait_ms = if self.watcher.is_some() { VERIFY_MS } else { POLL_MS };
        self.verify_at = Some(Instant::now() + Duration::from_millis(wait_ms));
        if self.watcher.is_none() {
            return Ok(());
        }
        let whole: Vec<PathBuf> = WHOLE.iter().map(|folder| self.root.join(folder)).collect();
        let in_whole = |folder: &PathBuf| whole.iter().any(|whole| folder.starts_with(whole));
        let mut wanted: BTreeMap<PathBuf, RecursiveMode> = self
            .seen
            .folders()
            .into_iter()
            .filter(|folder| !in_whole(folder))
            .map(|f| (f, RecursiveMode::NonRecursive))
            .collect();
        wanted.insert(self.root.clone(), RecursiveMode::NonRecursive);
        wanted.extend(whole.iter().map(|folder| (folder.clone(), RecursiveMode::Recursive)));
        let gone: Vec<PathBuf> = self.watched.keys().filter(|path| !wanted.contains_key(*path)).cloned().collect();
        for path in gone {
            self.unwatch(&path);
        }
        wanted.into_iter().try_for_each(|(path, mode)| self.watch(path, mode))
    }

    fn watch(&mut self, path: PathBuf, mode: RecursiveMode) -> Result<(), WatchError> {
        let identity = identity(&path);
        if self.watched.get(&path).copied() == identity {
            return Ok(());
        }
        self.unwatch(&path);
        let (Some(identity), Some(watcher)) = (identity, &mut self.watcher) else { return Ok(()) };
        match watcher.watch(&path, mode) {
            Ok(()) => {
                self.watched.insert(path, identity);
                Ok(())
            }
            // It went away between the two looks: whoever removed it has changed the folder above, too.
            Err(_) if !path.exists() => Ok(()),
            Err(source) => Err(WatchError::Notify { path, source }),
        }
    }

    /// One that is gone is not watched either, whatever the library says.
    fn unwatch(&mut self, path: &Path) {
        if let (Some(_), Some(watcher)) = (self.watched.remove(path), &mut self.watcher) {
            drop(watcher.unwatch(path));
        }
    }

    /// Waits until something is to be done.
    pub(super) fn wait(&mut self) -> Signal {
        loop {
            let changed = match self.hear() {
                Ok(Heard::Paths(paths)) => self.of_interest(paths),
                Ok(Heard::Something) => self.seen.changed(),
                Ok(Heard::Signal(signal)) => return signal,
                Err(RecvTimeoutError::Timeout) => {
                    let again = self.watcher.is_none().then(|| Instant::now() + Duration::from_millis(POLL_MS));
                    self.verify_at = again;
                    self.seen.changed()
                }
                Err(RecvTimeoutError::Disconnected) => return Signal::Quit,
            };
            if !changed.is_empty() {
                return self.settle(changed);
            }
        }
    }

    fn hear(&self) -> Result<Heard, RecvTimeoutError> {
        match self.verify_at {
            Some(at) => self.heard.recv_timeout(at.saturating_duration_since(Instant::now())),
            None => self.heard.recv().map_err(|mpsc::RecvError| RecvTimeoutError::Disconnected),
        }
    }

    /// Waits until nothing more changes.
    fn settle(&self, mut changed: BTreeSet<PathBuf>) -> Signal {
        let until = Instant::now() + Duration::from_millis(QUIET_MOST_MS);
        while Instant::now() < until {
            match self.heard.recv_timeout(Duration::from_millis(QUIET_MS)) {
                Ok(Heard::Paths(paths)) => changed.extend(self.of_interest(paths)),
                Ok(Heard::Something) => changed.extend(self.seen.changed()),
                Ok(Heard::Signal(Signal::Quit)) => return Signal::Quit,
                // Comes with the build that the changes make.
                Ok(Heard::Signal(_)) => {}
                Err(RecvTimeoutError::Timeout) if self.watcher.is_none() => {
                    let now = self.seen.changed();
                    if now.is_subset(&changed) {
                        break;
                    }
                    changed.extend(now);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        self.let_git_finish();
        let below = |path: PathBuf| path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().into_owned();
        Signal::Changed(changed.into_iter().map(below).collect())
    }

    fn of_interest(&self, paths: BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        paths.into_iter().filter(|path| self.seen.depends_on(path)).collect()
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

fn watcher(signals: Sender<Heard>) -> notify::Result<Debouncer<RecommendedWatcher, NoCache>> {
    // Links are followed by the build, which asks for what they lead to by its own name.
    let config = Config::default().with_follow_symlinks(false);
    let settle = Duration::from_millis(SETTLE_MS);
    let tick = Some(Duration::from_millis(SETTLE_MS / 3));
    // A watch that has ended hears nothing.
    let handler = move |result: DebounceEventResult| drop(signals.send(heard(result)));
    new_debouncer_opt(settle, tick, handler, NoCache, config)
}

fn heard(result: DebounceEventResult) -> Heard {
    match result {
        // The system's queue overflowed.
        Ok(events) if events.iter().any(|event| event.need_rescan()) => Heard::Something,
        Ok(events) => {
            let changes = events.into_iter().filter(|event| is_change(&event.event.kind));
            Heard::Paths(changes.flat_map(|event| event.event.paths).collect())
        }
        // A folder went away while it was looked at, or the like.
        Err(_) => Heard::Something,
    }
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
