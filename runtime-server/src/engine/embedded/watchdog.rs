//! How long the task at hand may take: asked by the interpreter itself every few thousand steps.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::pool::Mailbox;
use crate::wakes;

/// The clock of one VM's thread.
pub(super) struct Watchdog {
    mailbox: Arc<Mailbox>,
    deadline: Cell<Instant>,
    barked: Cell<bool>,
    grace: Duration,
}

impl Watchdog {
    pub(super) fn new(mailbox: Arc<Mailbox>, grace: Duration) -> Self {
        Self { mailbox, deadline: Cell::new(Instant::now()), barked: Cell::new(false), grace }
    }

    /// A task begins that may take so long.
    pub(super) fn start(&self, longest: Duration) {
        self.barked.set(false);
        let deadline = Instant::now() + longest;
        self.deadline.set(deadline);
        self.mailbox.busy_until(deadline + self.grace);
    }

    /// The task is done.
    pub(super) fn stop(&self) {
        self.mailbox.idle();
    }

    /// Asked by the interpreter: whether to throw what no script can catch.
    pub(super) fn interrupts(&self) -> bool {
        // A long task keeps nobody waiting for the answer of the one before it.
        self.mailbox.give_answers();
        wakes::pause();
        if self.overrun() {
            self.barked.set(true);
        }
        self.barked.get()
    }

    /// Whether the interpreter was told to stop.
    pub(super) fn has_interrupted(&self) -> bool {
        self.barked.get()
    }

    /// Whether time is up; for use between microtasks, which may each be too short to be asked.
    pub(super) fn overrun(&self) -> bool {
        Instant::now() >= self.deadline.get() || self.mailbox.is_given_up()
    }
}
