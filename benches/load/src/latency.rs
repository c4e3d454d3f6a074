use std::time::Duration;

use serde_json::{Value, json};

/// Steps between a power of two and the next: a figure is right within one of them, 0.4 %.
const STEPS_BITS: u32 = 8;

/// Times between when something was to happen and when it had, counted in steps that grow with them.
pub(crate) struct Latency {
    counts: Vec<u64>,
    count: u64,
    longest: Duration,
}

impl Latency {
    pub(crate) fn new() -> Self {
        let steps = ((64 - STEPS_BITS + 1) << STEPS_BITS) as usize;
        Self { counts: vec![0; steps], count: 0, longest: Duration::ZERO }
    }

    pub(crate) fn record(&mut self, took: Duration) {
        self.counts[step(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX))] += 1;
        self.count += 1;
        self.longest = self.longest.max(took);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// In microseconds.
    pub(crate) fn figures(&self) -> Value {
        #[expect(clippy::cast_precision_loss, reason = "these are times of seconds at most")]
        let us = |nanoseconds: u64| nanoseconds as f64 / 1000.0;
        let at = |per_mille: u64| us(self.at(per_mille));
        let longest = u64::try_from(self.longest.as_nanos()).unwrap_or(u64::MAX);
        json!({"p50": at(500), "p90": at(900), "p99": at(990), "p999": at(999), "max": us(longest)})
    }

    /// The time that so many of a thousand did not exceed, in nanoseconds.
    fn at(&self, per_mille: u64) -> u64 {
        let mut left = (self.count * per_mille).div_ceil(1000);
        let step = self.counts.iter().position(|count| {
            left = left.saturating_sub(*count);
            left == 0
        });
        step.filter(|_| self.count > 0).map_or(0, lowest)
    }
}

/// The step that a number of nanoseconds falls into.
fn step(nanoseconds: u64) -> usize {
    let power = (u64::BITS - nanoseconds.leading_zeros()).saturating_sub(STEPS_BITS + 1);
    let within = nanoseconds >> power;
    usize::try_from((u64::from(power) << STEPS_BITS) + within).expect("there are some thousands")
}

/// The smallest number that falls into a step.
fn lowest(step: usize) -> u64 {
    let step = step as u64;
    let power = (step >> STEPS_BITS).saturating_sub(1);
    (step - (power << STEPS_BITS)) << power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_again_within_a_step() {
        for number in (0..2000).chain((11..62).flat_map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 12345])) {
            let found = lowest(step(number));
            assert!(found <= number && number - found <= number >> STEPS_BITS, "{number} was found as {found}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_times() {
        let mut latency = Latency::new();
        for ms in 1..=1000 {
            latency.record(Duration::from_millis(ms));
        }
        for (per_mille, ms) in [(500, 500.0), (990, 990.0), (999, 999.0)] {
            let found = Duration::from_nanos(latency.at(per_mille)).as_secs_f64() * 1000.0;
            assert!((found - ms).abs() <= ms / 256.0, "{per_mille}: {found}");
        }
        assert_eq!(latency.figures()["max"], 1_000_000.0);
    }
}
