//! The timers of one VM.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

/// Timers by due time; those due at one time in the order in which they were set.
#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, u64, u64)>>,
    /// Timer to the turn at which it was last set; what the heap holds of earlier turns is void.
    live: FxHashMap<u64, u64>,
    turn: u64,
}

impl Timers {
    /// Sets or resets a timer.
    pub(super) fn set(&mut self, id: u64, delay: Duration) {
        self.turn += 1;
        self.live.insert(id, self.turn);
        self.heap.push(Reverse((Instant::now() + delay, self.turn, id)));
        // Cancelled ones stay in the heap until due: a loop that sets and clears must not grow it without end.
        if self.heap.len() > 2 * self.live.len() + 64 {
            let live = &self.live;
            self.heap.retain(|Reverse((_, turn, id))| live.get(id) == Some(turn));
        }
    }

    /// Removes a timer.
    pub(super) fn clear(&mut self, id: u64) {
        self.live.remove(&id);
    }

    /// When the next is due.
    pub(super) fn next_due(&mut self) -> Option<Instant> {
        while let Some(Reverse((due, turn, id))) = self.heap.peek() {
            if self.live.get(id) == Some(turn) {
                return Some(*due);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes the next when it is due.
    pub(super) fn take_due(&mut self) -> Option<u64> {
        if self.next_due()? > Instant::now() {
            return None;
        }
        let Reverse((_, _, id)) = self.heap.pop()?;
        self.live.remove(&id);
        Some(id)
    }
}
