use std::{
    num::NonZero,
    path::PathBuf,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::{
    Limits,
    helper::{Fate, Helper},
    message::{Answer, Job},
    node::NodePath,
};

/// A further helper is started for every so many files: one costs as much as many files do.
const FILES_PER_HELPER: usize = 24;
/// Most helpers at a time.
const HELPERS: usize = 4;

/// The helpers of one app: none until the first file, a few for many files.
#[derive(Debug)]
pub(super) struct Pool {
    root: PathBuf,
    path: NodePath,
    pub(super) limits: Limits,
    most: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Helper>,
    /// Those that are idle, and those that work.
    helpers: usize,
    /// Files that were asked for.
    files: usize,
    /// The version of a Node.js that is too old: it is not started again.
    too_old: Option<String>,
}

impl Pool {
    pub(super) fn new(root: PathBuf, path: NodePath, limits: Limits) -> Self {
        let most = thread::available_parallelism().map_or(1, NonZero::get).min(HELPERS);
        Self { root, path, limits, most, state: Mutex::default(), freed: Condvar::new() }
    }

    /// Has a file compiled, by a helper that is free.
    pub(super) fn ask(&self, job: &Job<'_>) -> Result<Answer, Fate> {
        if let Some(version) = &self.lock().too_old {
            return Err(Fate::TooOld(version.clone()));
        }
        let kept = self.take();
        let reused = kept.is_some();
        let (mut helper, mut answer) = self.ask_one(kept, job);
        // What a file before it left behind must not be blamed on this one: only a fresh helper's end counts.
        if reused && matches!(answer, Err(Fate::Died(_) | Fate::OutOfMemory)) {
            (helper, answer) = self.ask_one(None, job);
        }
        if let Err(Fate::TooOld(version)) = &answer {
            self.lock().too_old = Some(version.clone());
        }
        self.give_back(helper);
        answer
    }

    fn ask_one(&self, kept: Option<Helper>, job: &Job<'_>) -> (Option<Helper>, Result<Answer, Fate>) {
        let started = kept.map_or_else(|| Helper::start(&self.root, &self.path, self.limits), Ok);
        match started.and_then(|mut helper| helper.ask(job).map(|answer| (helper, answer))) {
            Ok((helper, answer)) => (Some(helper), Ok(answer)),
            Err(fate) => (None, Err(fate)),
        }
    }

    /// A helper that is idle, or leave to start one.
    fn take(&self) -> Option<Helper> {
        let mut state = self.lock();
        state.files += 1;
        loop {
            if let Some(helper) = state.idle.pop() {
                return Some(helper);
            }
            if state.helpers < (1 + state.files / FILES_PER_HELPER).min(self.most) {
                state.helpers += 1;
                return None;
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, helper: Option<Helper>) {
        let mut state = self.lock();
        match helper {
            Some(helper) => state.idle.push(helper),
            None => state.helpers -= 1,
        }
        self.freed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in between its changes can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
