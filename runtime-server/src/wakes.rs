//! Wakes that wait for each other: what one thread finds to do for others while it works through a batch is told at the
//! batch's end, so that whoever is woken finds all of it.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Wakes wait no longer than this while their thread looks up from its work.
const LONGEST: Duration = Duration::from_micros(500);

struct Held {
    wakers: RefCell<Vec<Waker>>,
    /// How many batches this thread is in.
    depth: Cell<usize>,
    since: Cell<Option<Instant>>,
    /// Whether this thread says when it has nothing to do.
    parks: Cell<bool>,
}

thread_local! {
    static HELD: Held = const {
        Held { wakers: RefCell::new(Vec::new()), depth: Cell::new(0), since: Cell::new(None), parks: Cell::new(false) }
    };
}

/// A batch of this thread.
#[derive(Debug)]
pub(crate) struct Batch(PhantomData<*const ()>);

impl Batch {
    /// Begins one; wakes wait until it ends, or until the thread parks when it is one that says so.
    pub(crate) fn begin() -> Self {
        HELD.with(|held| held.depth.set(held.depth.get() + 1));
        Self(PhantomData)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        HELD.with(|held| {
            held.depth.set(held.depth.get() - 1);
            if held.parks.get() {
                held.release_late();
            } else if held.depth.get() == 0 {
                held.release();
            }
        });
    }
}

/// Wakes now, or with the rest of the batch.
pub(crate) fn wake(waker: Waker) {
    let waker = HELD.with(|held| {
        if held.depth.get() == 0 {
            return Some(waker);
        }
        let mut wakers = held.wakers.borrow_mut();
        if wakers.last().is_some_and(|last| last.will_wake(&waker)) {
            // One after the other for the same one: it finds all of it.
            return None;
        }
        if wakers.is_empty() {
            held.since.set(Some(Instant::now()));
        }
        wakers.push(waker);
        None
    });
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// This thread looks up from its work: wakes those that have waited long enough.
pub(crate) fn pause() {
    HELD.with(Held::release_late);
}

/// This thread has nothing more to do for now.
pub(crate) fn release() {
    HELD.with(Held::release);
}

/// This thread calls [`release`] whenever it has nothing to do: its batches last until then.
pub(crate) fn until_parked() {
    HELD.with(|held| held.parks.set(true));
}

impl Held {
    fn release_late(&self) {
        if self.since.get().is_some_and(|since| since.elapsed() >= LONGEST) {
            self.release();
        }
    }

    fn release(&self) {
        if self.since.take().is_none() {
            return;
        }
        let mut wakers = self.wakers.take();
        wakers.drain(..).for_each(Waker::wake);
        // What waking may have added comes behind; the room is kept.
        let mut added = self.wakers.borrow_mut();
        wakers.append(&mut added);
        *added = wakers;
        if !added.is_empty() {
            self.since.set(Some(Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn wakes_come_at_the_end_of_the_outermost_batch() {
        let woken = Arc::new(Woken::default());
        let count = || woken.0.load(Ordering::Relaxed);
        wake(Waker::from(Arc::clone(&woken)));
        assert_eq!(count(), 1);
        let outer = Batch::begin();
        let inner = Batch::begin();
        wake(Waker::from(Arc::clone(&woken)));
        drop(inner);
        wake(Waker::from(Arc::new(Woken::default())));
        wake(Waker::from(Arc::clone(&woken)));
        wake(Waker::from(Arc::clone(&woken)));
        assert_eq!(count(), 1);
        drop(outer);
        assert_eq!(count(), 3, "two that follow each other are one");
        wake(Waker::from(Arc::clone(&woken)));
        assert_eq!(count(), 4);
    }

    #[test]
    fn what_has_waited_long_enough_waits_no_longer() {
        let woken = Arc::new(Woken::default());
        let batch = Batch::begin();
        wake(Waker::from(Arc::clone(&woken)));
        while woken.0.load(Ordering::Relaxed) == 0 {
            pause();
        }
        drop(batch);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_thread_that_says_when_it_parks_wakes_then() {
        std::thread::spawn(|| {
            until_parked();
            let woken = Arc::new(Woken::default());
            let batch = Batch::begin();
            wake(Waker::from(Arc::clone(&woken)));
            // It may have been long enough already, on a machine that gives this thread little time.
            let before = woken.0.load(Ordering::Relaxed);
            drop(batch);
            assert!(before == 0 && woken.0.load(Ordering::Relaxed) <= 1);
            release();
            assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        })
        .join()
        .expect("nothing was wrong");
    }
}
