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
    Config, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind},
};

use super::{Listening, WatchError, seen::Seen};

/// Folders of the app's layout, watched with all that is in them.
const WHOLE: &[&str] = &["app", "config", "lib", "public", "static", "vendor"];
/// How long nothing may change for all changes to be over: when every file that was written to is closed, and when the system
/// has not told so, which some never do. And how long that is waited for.
const QUIET_MS: u64 = 8;
const UNCLOSED_MS: u64 = if cfg!(target_os = "linux") { 100 } else { 30 };
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
    Paths(Vec<PathBuf>, State),
    /// Something has, and nobody knows what.
    Something,
    Signal(Signal),
}

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Whoever changes it may not be done: it may be empty until the text comes.
    Open,
    Done,
    /// What it was before: something about it has changed.
    Same,
}

/// What has changed among the files that builds depend on.
pub(super) struct Changes {
    root: PathBuf,
    seen: Arc<Seen>,
    /// None where there is nothing to be heard.
    watcher: Option<RecommendedWatcher>,
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
        let mut open = BTreeSet::new();
        loop {
            let changed = match self.hear() {
                Ok(Heard::Paths(paths, state)) => self.of_interest(paths, state, &mut open),
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
                return self.settle(changed, open);
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
    fn settle(&self, mut changed: BTreeSet<PathBuf>, mut open: BTreeSet<PathBuf>) -> Signal {
        let until = Instant::now() + Duration::from_millis(QUIET_MOST_MS);
        while Instant::now() < until {
            let wait_ms = if open.is_empty() { QUIET_MS } else { UNCLOSED_MS };
            match self.heard.recv_timeout(Duration::from_millis(wait_ms)) {
                Ok(Heard::Paths(paths, state)) => changed.extend(self.of_interest(paths, state, &mut open)),
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

    /// Those that builds depend on; `open` are those of them that somebody writes to.
    fn of_interest(&self, mut paths: Vec<PathBuf>, state: State, open: &mut BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        paths.retain(|path| self.seen.depends_on(path));
        for path in &paths {
            match state {
                State::Open => open.insert(path.clone()),
                State::Done => open.remove(path),
                State::Same => false,
            };
        }
        paths.into_iter().collect()
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

fn watcher(signals: Sender<Heard>) -> notify::Result<RecommendedWatcher> {
    // Links are followed by the build, which asks for what they lead to by its own name.
    let config = Config::default().with_follow_symlinks(false);
    let handler = move |result: notify::Result<notify::Event>| {
        if let Some(heard) = heard(result) {
            // A watch that has ended hears nothing.
            drop(signals.send(heard));
        }
    };
    RecommendedWatcher::new(handler, config)
}

/// What an event tells; nothing when somebody has only read.
fn heard(result: notify::Result<notify::Event>) -> Option<Heard> {
    match result {
        // The system's queue overflowed.
        Ok(event) if event.need_rescan() => Some(Heard::Something),
        Ok(event) => Some(Heard::Paths(event.paths, state(event.kind)?)),
        // A folder went away while it was looked at, or the like.
        Err(_) => Some(Heard::Something),
    }
}

fn state(kind: EventKind) -> Option<State> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(State::Done),
        EventKind::Access(_) => None,
        // What follows is that something is written to it, and that it is closed.
        EventKind::Create(CreateKind::File) | EventKind::Modify(ModifyKind::Data(_)) => Some(State::Open),
        EventKind::Modify(ModifyKind::Metadata(_)) => Some(State::Same),
        _ => Some(State::Done),
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(path).ok().filter(fs::Metadata::is_dir)?;
    Some((meta.dev(), meta.ino()))
}
