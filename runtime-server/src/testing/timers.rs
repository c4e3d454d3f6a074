//! Timers of all realms: by the clock that tests move, or by the machine's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Which of a realm's timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimerId {
    pub(super) realm: u64,
    pub(super) kind: TimerKind,
    pub(super) id: u64,
}

/// By which clock it falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TimerKind {
    /// The one that tests move: `setTimeout`.
    Moved,
    /// The machine's: deadlines of tests.
    Real,
}

/// Those that are armed.
#[derive(Debug)]
pub(super) struct Timers {
    started: Instant,
    ahead: Duration,
    due: BTreeMap<(Duration, u64), TimerId>,
    armed: BTreeMap<TimerId, (Duration, u64)>,
    last: u64,
}

impl Timers {
    pub(super) fn new() -> Self {
        let (due, armed) = (BTreeMap::new(), BTreeMap::new());
        Self { started: Instant::now(), ahead: Duration::ZERO, due, armed, last: 0 }
    }

    /// Milliseconds of the clock that tests move.
    pub(super) fn now_ms(&self) -> f64 {
        (self.started.elapsed() + self.ahead).as_secs_f64() * 1000.0
    }

    /// Milliseconds of the machine's clock.
    pub(super) fn real_ms(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1000.0
    }

    /// Arms a timer; a negative delay disarms it.
    pub(super) fn set(&mut self, timer: TimerId, delay_ms: f64) {
        if let Some(at) = self.armed.remove(&timer) {
            self.due.remove(&at);
        }
        if delay_ms < 0.0 {
            return;
        }
        self.last += 1;
        let at = (self.started.elapsed() + Duration::from_secs_f64(delay_ms.min(1e10) / 1000.0), self.last);
        self.armed.insert(timer, at);
        self.due.insert(at, timer);
    }

    /// Moves the clock of [`TimerKind::Moved`] on.
    pub(super) fn advance(&mut self, by: Duration) {
        self.ahead += by;
        let mut moved: Vec<_> =
            self.armed.iter().filter(|(timer, _)| timer.kind == TimerKind::Moved).map(|(t, at)| (*at, *t)).collect();
        // Those that are due at once keep the order in which they would have fallen due.
        moved.sort_unstable();
        for (at, timer) in moved {
            self.due.remove(&at);
            self.last += 1;
            let sooner = (at.0.saturating_sub(by), self.last);
            self.armed.insert(timer, sooner);
            self.due.insert(sooner, timer);
        }
    }

    /// Time until the next one.
    pub(super) fn wait(&self) -> Option<Duration> {
        let ((at, _), _) = self.due.first_key_value()?;
        Some(at.saturating_sub(self.started.elapsed()))
    }

    /// Takes one that is due.
    pub(super) fn take_due(&mut self) -> Option<TimerId> {
        let entry = self.due.first_entry()?;
        if entry.key().0 > self.started.elapsed() {
            return None;
        }
        let timer = entry.remove();
        self.armed.remove(&timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{TimerId, TimerKind, Timers};

    #[test]
    fn a_moved_clock_brings_its_own_timers_in_order() {
        let mut timers = Timers::new();
        let timer = |kind, id| TimerId { realm: 0, kind, id };
        timers.set(timer(TimerKind::Moved, 2), 60_000.0);
        timers.set(timer(TimerKind::Moved, 1), 30_000.0);
        timers.set(timer(TimerKind::Real, 3), 30_000.0);
        timers.set(timer(TimerKind::Moved, 4), 10_000.0);
        timers.set(timer(TimerKind::Moved, 4), -1.0);
        assert_eq!(timers.take_due(), None);
        timers.advance(Duration::from_secs(120));
        assert_eq!(timers.take_due(), Some(timer(TimerKind::Moved, 1)));
        assert_eq!(timers.take_due(), Some(timer(TimerKind::Moved, 2)));
        assert_eq!(timers.take_due(), None);
        assert!(timers.wait().is_some());
    }
}
