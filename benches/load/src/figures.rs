use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::latency::Latency;

/// What so many operations cost a server that had `cpu_ns` of processor time in the time that was measured.
pub(crate) fn figures(operations: u64, cpu_ns: u64, measured: Duration, latency: &Latency) -> Map<String, Value> {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let [operations_f, cpu_ns, measured_ns] = [operations as f64, cpu_ns as f64, measured.as_nanos() as f64];
    let figures = [
        ("operations", json!(operations)),
        ("per_second", json!(operations_f / measured.as_secs_f64())),
        ("cpu_us", json!(cpu_ns / 1000.0 / operations_f.max(1.0))),
        ("cores", json!(cpu_ns / measured_ns)),
        ("latency_us", latency.figures()),
        ("measured", json!(latency.count())),
    ];
    figures.into_iter().map(|(name, figure)| (name.to_owned(), figure)).collect()
}
