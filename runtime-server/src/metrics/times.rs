//! Times that are counted by the dozen: a histogram into which many equal ones go at once, without a lock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// How many buckets have a bound: a millisecond to half a minute, each twice the one before.
const BOUNDED: usize = 16;

/// Times in whole milliseconds. Clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Times(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// The last one has no bound.
    buckets: [AtomicU64; BOUNDED + 1],
    sum_ms: AtomicU64,
}

impl Times {
    /// So many took so long.
    pub(super) fn observe(&self, count: usize, took_ms: u64) {
        let count = count as u64;
        // The first whose bound is not less: 1, 2, 4 …
        let doublings = (u64::BITS - took_ms.saturating_sub(1).leading_zeros()) as usize;
        self.0.buckets[doublings.min(BOUNDED)].fetch_add(count, Ordering::Relaxed);
        self.0.sum_ms.fetch_add(count * took_ms, Ordering::Relaxed);
    }
}

impl EncodeMetric for Times {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let mut total = 0;
        let buckets = self.0.buckets.iter().enumerate().map(|(doublings, bucket)| {
            let count = bucket.load(Ordering::Relaxed);
            total += count;
            (if doublings == BOUNDED { f64::MAX } else { super::seconds(1 << doublings) }, count)
        });
        let buckets: Vec<_> = buckets.collect();
        let sum = super::seconds(self.0.sum_ms.load(Ordering::Relaxed));
        encoder.encode_histogram::<NoLabelSet>(sum, total, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn it_says_what_a_histogram_of_the_library_says() {
        let (times, other) = (Times::default(), Histogram::new(exponential_buckets(0.001, 2.0, BOUNDED as u16)));
        for (count, took_ms) in [(3, 0), (1, 1), (2, 2), (1, 3), (1, 4), (1, 5), (4, 1_000), (1, 32_768), (2, 32_769)] {
            times.observe(count, took_ms);
            (0..count).for_each(|_| other.observe(super::super::seconds(took_ms)));
        }
        let [ours, theirs] = [text(times), text(other)];
        assert!(ours.lines().count() > BOUNDED);
        for (line, other) in ours.lines().zip(theirs.lines()) {
            match (line.strip_prefix("call_sum "), other.strip_prefix("call_sum ")) {
                (Some(sum), Some(other)) => {
                    let [sum, other] = [sum, other].map(|sum| sum.parse::<f64>().expect("a number"));
                    assert!((sum - other).abs() < 1e-6, "{sum} {other}");
                }
                _ => assert_eq!(line, other),
            }
        }
    }

    fn text(metric: impl prometheus_client::registry::Metric) -> String {
        let mut registry = Registry::default();
        registry.register("call", "Time", metric);
        let mut text = String::new();
        encode(&mut text, &registry).expect("a string takes all text");
        text
    }
}
