//! Calls that came together, on their way through a mailbox.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use crate::engine::stacks::Stacks;
use crate::engine::{Answered, CallError, CallGroup};

/// A group with the numbers of its calls.
pub(in crate::engine) struct Queued {
    group: CallGroup,
    /// The number of its first call.
    pub(super) first: u64,
    /// When nobody waits for them any longer.
    pub(super) until: Instant,
    stacks: Arc<Stacks>,
}

/// Some of the calls of a group, in order.
pub(in crate::engine) struct Part {
    pub(super) queued: Arc<Queued>,
    pub(super) which: Range<usize>,
}

impl Queued {
    pub(super) fn new(group: CallGroup, first: u64, until: Instant, stacks: Arc<Stacks>) -> Arc<Self> {
        Arc::new(Self { group, first, until, stacks })
    }

    /// The number that would be the next call's.
    pub(super) fn end(&self) -> u64 {
        self.first + self.group.len() as u64
    }

    /// The place in the group of the call of that number, or of its end.
    pub(super) fn place(&self, id: u64) -> usize {
        usize::try_from(id - self.first).expect("it is one of the group")
    }

    /// Fails some of its calls, by their places.
    pub(super) fn fail(&self, places: impl Iterator<Item = usize>, error: &CallError) {
        self.answer(&mut places.map(|place| (place, Err(error.clone()))));
    }

    /// Answers some of its calls, by their places.
    pub(super) fn answer(&self, answers: &mut dyn Iterator<Item = (usize, Answered<'_>)>) {
        self.group.waits.answered(
            &mut answers
                .map(|(place, answered)| (self.group.call(place), answered.map_err(|error| self.stacks.error(error)))),
        );
    }
}

impl Part {
    /// All calls of a group.
    pub(super) fn all(queued: Arc<Queued>) -> Self {
        let which = 0..queued.group.len();
        Self { queued, which }
    }

    pub(in crate::engine) fn len(&self) -> usize {
        self.which.len()
    }

    /// Takes the first call, and gives its number.
    pub(super) fn next(&mut self) -> Option<u64> {
        self.which.next().map(|place| self.queued.first + place as u64)
    }

    /// Forgets so many of the first calls, or all.
    pub(in crate::engine) fn skip(&mut self, count: usize) {
        self.which.start = self.which.end.min(self.which.start + count);
    }

    /// Appends the message for the prelude.
    pub(in crate::engine) fn write(&self, out: &mut String) {
        self.queued.group.write(out, self.queued.first, self.which.clone());
    }

    /// The message for the prelude.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }
}
