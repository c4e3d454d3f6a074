//! When clients come back that all have to go: one after the other, so that the server that takes them is not asked by all
//! at once.

use crate::random;

/// Time between two of them, in milliseconds, while there is time enough.
const STEP_MS: u64 = 2;

/// The turns of so many clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    clients: u64,
    all_ms: u64,
}

impl Spread {
    /// The turns of `clients` clients, over `longest_ms` at most.
    pub(crate) fn of(clients: usize, longest_ms: u64) -> Self {
        let clients = clients as u64;
        Self { clients, all_ms: clients.saturating_mul(STEP_MS).min(longest_ms) }
    }

    /// When the client of that turn comes, in milliseconds from now: at random within its own step.
    pub(crate) fn delay_ms(self, turn: usize) -> u64 {
        let step = |turn: u64| self.all_ms * turn / self.clients.max(1);
        let (from, to) = (step(turn as u64), step(turn as u64 + 1));
        from + random::below((to - from).max(1))
    }

    /// When all have come.
    pub(crate) fn all_ms(self) -> u64 {
        self.all_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many clients come in the fullest of all spans of that length.
    fn peak(delays: &[u64], span_ms: u64) -> usize {
        let mut sorted = delays.to_vec();
        sorted.sort_unstable();
        let within = |from: usize| sorted[from..].iter().take_while(|at| **at < sorted[from] + span_ms).count();
        (0..sorted.len()).map(within).max().unwrap_or_default()
    }

    #[test]
    fn five_thousand_clients_come_back_at_less_than_a_fifth_of_all_at_once() {
        let spread = Spread::of(5_000, 10_000);
        let delays: Vec<u64> = (0..5_000).map(|turn| spread.delay_ms(turn)).collect();
        assert!(delays.iter().all(|delay| *delay < 10_000));
        assert!(peak(&delays, 1_000) <= 505, "{}", peak(&delays, 1_000));
        // Also when there is less time than they want, and when they are more.
        let short = Spread::of(5_000, 5_500);
        let delays: Vec<u64> = (0..5_000).map(|turn| short.delay_ms(turn)).collect();
        assert!(peak(&delays, 1_000) < 1_000, "{}", peak(&delays, 1_000));
    }

    #[test]
    fn a_few_clients_are_back_at_once() {
        assert_eq!(Spread::of(0, 10_000).all_ms(), 0);
        let few = Spread::of(10, 10_000);
        assert_eq!(few.all_ms(), 20);
        assert!((0..10).all(|turn| few.delay_ms(turn) < 20));
        let none = Spread::of(10, 0);
        assert!((0..10).all(|turn| none.delay_ms(turn) == 0));
    }
}
