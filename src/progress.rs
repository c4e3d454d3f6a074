//! How far a build is, for somebody who waits for it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts modules. More may turn up while the first ones are compiled.
#[derive(Debug, Default)]
pub struct Progress {
    expected: AtomicUsize,
    done: AtomicUsize,
}

impl Progress {
    /// So many more are to be compiled.
    pub fn expect(&self, modules: usize) {
        self.expected.fetch_add(modules, Ordering::Relaxed);
    }

    /// One of them is.
    pub fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// How many are compiled, and of how many.
    pub fn counts(&self) -> (usize, usize) {
        (self.done.load(Ordering::Relaxed), self.expected.load(Ordering::Relaxed))
    }
}
