//! Another build in the place of the one that is served, under open sockets: the new engine loads first, the old one
//! finishes its calls and stays until it has been told of the ends that it asked for.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::clock::Clock;
use crate::generation::{Entered, Generation};
use crate::log::Log;

/// How long an engine that is no longer needed stays for what its code still does by itself, such as saving at the end
/// of a connection, in milliseconds.
const LINGER_MS: u64 = 2_000;

/// The build that is selected, and those before it that are still needed.
pub(crate) struct Generations {
    current: RwLock<Arc<Generation>>,
    retiring: Mutex<Vec<Arc<Generation>>>,
    /// Held while a build is loaded, so that the last one asked for is the one that stays.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Generations {
    pub(crate) fn new(first: Generation) -> Self {
        let current = RwLock::new(Arc::new(first));
        Self { current, retiring: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// The selected one.
    pub(crate) fn current(&self) -> Arc<Generation> {
        Arc::clone(&self.current.read())
    }

    /// The selected one, which stays as long as what is returned.
    pub(crate) fn enter(&self) -> Entered {
        loop {
            // It refuses only when another one has been selected in between.
            if let Some(entered) = self.current().enter() {
                return entered;
            }
        }
    }

    /// The one of that number, when its engine still runs.
    pub(crate) fn numbered(&self, number: u64) -> Option<Arc<Generation>> {
        let current = self.current();
        if current.number == number {
            return Some(current);
        }
        self.retiring.lock().iter().find(|old| old.number == number).cloned()
    }

    /// Selects another one; returns the one before, which has to be [retired](Self::retire).
    pub(crate) fn select(&self, next: Generation) -> Arc<Generation> {
        let mut current = self.current.write();
        let before = std::mem::replace(&mut *current, Arc::new(next));
        self.retiring.lock().push(Arc::clone(&before));
        drop(current);
        before.calls.stop();
        before
    }

    /// Puts one in the place of the selected one that has the same engine and the same calls.
    pub(crate) fn replace(&self, same: Generation) {
        *self.current.write() = Arc::new(same);
    }

    /// Waits until nobody needs an old generation any more, at most so long, and ends its engine.
    pub(crate) async fn retire(&self, old: &Arc<Generation>, clock: &dyn Clock, log: &Log, drain_ms: u64) {
        let deadline_ms = clock.now_ms() + drain_ms;
        let free = async {
            old.calls.ended().await;
            old.watches.ended().await;
        };
        tokio::select! {
            () = free => clock.sleep_until(clock.now_ms() + LINGER_MS.min(drain_ms)).await,
            () = clock.sleep_until(deadline_ms) => log.warn(format_args!(
                "build {} is given up {drain_ms} ms after the next one came (limits.drain_ms)",
                old.build_id
            )),
        }
        self.retiring.lock().retain(|kept| kept.number != old.number);
        old.actions.close().await;
        log.say(crate::log::CALLS, format_args!("build {} has ended", old.build_id));
    }

    /// Ends every engine.
    pub(crate) async fn close(&self) {
        let old = std::mem::take(&mut *self.retiring.lock());
        for generation in old.iter().chain(std::iter::once(&self.current())) {
            generation.actions.close().await;
        }
    }
}
