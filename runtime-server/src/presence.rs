//! Who is online: users whose tabs gave a sign of life lately.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;

use crate::config::Online;

/// The users online, with the time of their last sign of life.
#[derive(Debug)]
pub(crate) struct Presence {
    config: Online,
    /// Whether there are other servers to be told.
    shared: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    seen_ms: BTreeMap<String, u64>,
    purged_ms: u64,
    /// Those who gave a sign of life since other servers were told, when there are others.
    untold: BTreeSet<String>,
}

impl Presence {
    pub(crate) fn new(config: Online, shared: bool) -> Self {
        Self { config, shared, state: Mutex::default() }
    }

    /// A tab of this user connected, logged in or pinged; whether that is news.
    pub(crate) fn seen(&self, user: &str, now_ms: u64) -> bool {
        if !self.config.enabled {
            return false;
        }
        let mut state = self.state.lock();
        let news = match state.seen_ms.get_mut(user) {
            Some(seen) => {
                *seen = now_ms;
                false
            }
            None => {
                state.seen_ms.insert(user.to_owned(), now_ms);
                true
            }
        };
        if self.shared && !news {
            state.untold.insert(user.to_owned());
        }
        news
    }

    /// Those who gave a sign of life since the last time.
    pub(crate) fn take_seen(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().untold).into_iter().collect()
    }

    /// Silence after which a user is no longer online, in milliseconds.
    pub(crate) fn silence_ms(&self) -> u64 {
        u64::from(self.config.mins_until_offline) * 60_000
    }

    /// This user logged out everywhere.
    pub(crate) fn left(&self, user: &str) {
        self.state.lock().seen_ms.remove(user);
    }

    /// Their ids, in order.
    pub(crate) fn now(&self) -> Vec<String> {
        self.state.lock().seen_ms.keys().cloned().collect()
    }

    /// Removes those who gave no sign of life for too long, as often as configured.
    pub(crate) fn sweep(&self, now_ms: u64) {
        let mut state = self.state.lock();
        if now_ms < state.purged_ms + u64::from(self.config.update_interval) * 1000 {
            return;
        }
        state.purged_ms = now_ms;
        let silence_ms = self.silence_ms();
        state.seen_ms.retain(|_, seen| now_ms < *seen + silence_ms);
    }
}
