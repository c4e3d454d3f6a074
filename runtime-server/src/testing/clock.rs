//! A clock that goes like the machine's, and can be moved on.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::clock::{Clock, SystemClock};

/// The machine's clock, and how far it was moved on.
#[derive(Debug, Clone)]
pub(super) struct ShiftedClock {
    system: Arc<SystemClock>,
    ahead_ms: Arc<watch::Sender<u64>>,
}

impl ShiftedClock {
    pub(super) fn new() -> Self {
        Self { system: Arc::new(SystemClock::new()), ahead_ms: Arc::new(watch::Sender::new(0)) }
    }

    /// Moves it on, and wakes those whose time has come.
    pub(super) fn advance(&self, by_ms: u64) {
        self.ahead_ms.send_modify(|ahead| *ahead = ahead.saturating_add(by_ms));
    }
}

impl Clock for ShiftedClock {
    fn now_ms(&self) -> u64 {
        self.system.now_ms().saturating_add(*self.ahead_ms.borrow())
    }

    fn sleep_until(&self, at_ms: u64) -> BoxFuture<'static, ()> {
        let (clock, mut moved) = (self.clone(), self.ahead_ms.subscribe());
        Box::pin(async move {
            loop {
                let now_ms = clock.now_ms();
                if now_ms >= at_ms {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(at_ms - now_ms)) => {}
                    changed = moved.changed() => if changed.is_err() { return std::future::pending().await },
                }
            }
        })
    }
}
