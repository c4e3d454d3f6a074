//! What is counted, in the text format of OpenMetrics.

mod times;

use std::collections::HashSet;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::app::App;
use crate::engine::{CallError, ErrorCode};
use times::Times;

/// Everything that is counted. Names of actions are no labels: an app has many.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<StatusLabel, Counter>,
    request_seconds: Histogram,
    calls: Family<OutcomeLabel, Counter>,
    /// Of these, the one that is looked for most.
    good_calls: OnceLock<Counter>,
    call_times: Times,
    pub(crate) events: Counter,
    pub(crate) handshakes: Counter,
    pub(crate) swaps: Counter,
    build: Family<BuildLabel, Gauge>,
    now: Now,
}

/// What is looked up when it is asked for.
#[derive(Default)]
struct Now {
    connections: Gauge,
    calls: Gauge,
    sessions: Gauge,
    users: Gauge,
    draining: Gauge,
    log_lines_lost: Counter<u64, AtomicU64>,
    redis_up: Gauge,
    redis_failures: Counter<u64, AtomicU64>,
    memory_bytes: Gauge,
    open_files: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    /// `ok`, or the code of the error.
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabel {
    build_id: String,
}

/// Whether there is a Redis to tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redis {
    Used,
    None,
}

/// How metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// OpenMetrics 1.0.
    Open,
    /// The older text format of Prometheus, for readers that ask for nothing else.
    Prometheus,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    pub(crate) fn new(redis: Redis) -> Self {
        // A millisecond to half a minute.
        let request_seconds = Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let call_times = Times::default();
        let (requests, calls, build) = (Family::default(), Family::default(), Family::default());
        let (events, handshakes, swaps) = (Counter::default(), Counter::default(), Counter::default());
        let now = Now::default();
        let mut registry = Registry::default();
        let ss = registry.sub_registry_with_prefix("ss");
        ss.register("http_requests", "HTTP requests answered", Family::clone(&requests));
        let help = "Time from an HTTP request to the head of its answer";
        ss.register_with_unit("http_request", help, Unit::Seconds, request_seconds.clone());
        ss.register("calls", "Calls of actions answered", Family::clone(&calls));
        ss.register_with_unit("call", "Time that actions took", Unit::Seconds, call_times.clone());
        ss.register("events_published", "Events that server code has published", events.clone());
        ss.register("sockets_opened", "Sockets opened", handshakes.clone());
        ss.register("builds_served", "Builds served after the first", swaps.clone());
        ss.register("build_selected", "The build that is served", Family::clone(&build));
        ss.register("sockets_open", "Sockets that are open", now.connections.clone());
        ss.register("calls_running", "Calls that are not answered yet", now.calls.clone());
        ss.register("sessions_in_memory", "Sessions in memory", now.sessions.clone());
        ss.register("users_online", "Users online", now.users.clone());
        ss.register("draining", "1 while the server stops", now.draining.clone());
        if redis == Redis::Used {
            ss.register("redis_up", "1 while Redis answers", now.redis_up.clone());
            ss.register("redis_failures", "What Redis did not do", now.redis_failures.clone());
        }
        ss.register("log_lines_lost", "Lines of the log that nobody read in time", now.log_lines_lost.clone());
        let process = registry.sub_registry_with_prefix("process");
        process.register_with_unit("resident_memory", "Resident memory", Unit::Bytes, now.memory_bytes.clone());
        process.register("open_fds", "Open file descriptors", now.open_files.clone());
        let good_calls = OnceLock::new();
        Self {
            registry,
            requests,
            request_seconds,
            calls,
            good_calls,
            call_times,
            events,
            handshakes,
            swaps,
            build,
            now,
        }
    }

    /// An HTTP request was answered.
    pub(crate) fn request(&self, status: u16, seconds: f64) {
        self.requests.get_or_create(&StatusLabel { status }).inc();
        self.request_seconds.observe(seconds);
    }

    /// A call was answered.
    pub(crate) fn call<V>(&self, outcome: &Result<V, CallError>, took_ms: u64) {
        match outcome {
            Ok(_) => self.good_calls(1, took_ms),
            Err(error) => self.failure(error.code, took_ms),
        }
    }

    /// So many calls were answered well, each after so long.
    pub(crate) fn good_calls(&self, count: usize, took_ms: u64) {
        if count == 0 {
            return;
        }
        let of = || self.calls.get_or_create(&OutcomeLabel { outcome: "ok" }).clone();
        self.good_calls.get_or_init(of).inc_by(count as u64);
        self.call_times.observe(count, took_ms);
    }

    /// A call failed.
    pub(crate) fn failure(&self, code: ErrorCode, took_ms: u64) {
        self.calls.get_or_create(&OutcomeLabel { outcome: code.as_str() }).inc();
        self.call_times.observe(1, took_ms);
    }

    /// All of it as text.
    pub(crate) fn text(&self, app: &App, form: Form) -> String {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let now = &self.now;
        now.connections.set(count(app.hub.open_connections()));
        now.calls.set(count(app.calls.count()));
        now.sessions.set(count(app.hub.sessions.in_memory_count()));
        now.users.set(count(app.hub.presence.now().len()));
        now.draining.set(i64::from(!app.is_ready()));
        let (lost, told) = (app.hub.log.lines_lost(), now.log_lines_lost.get());
        now.log_lines_lost.inc_by(lost.saturating_sub(told));
        if let Some(backplane) = &app.hub.backplane {
            now.redis_up.set(i64::from(backplane.is_up()));
            now.redis_failures.inc_by(backplane.failures().saturating_sub(now.redis_failures.get()));
        }
        if let Some(bytes) = resident_bytes() {
            now.memory_bytes.set(bytes);
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            now.open_files.set(count(files.count()));
        }
        self.build.clear();
        self.build.get_or_create(&BuildLabel { build_id: app.current().build_id.clone() }).set(1);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes all text");
        match form {
            Form::Open => text,
            Form::Prometheus => in_older_form(&text),
        }
    }
}

/// There a counter is described under the name that its sample has, and there are no units and no end.
fn in_older_form(text: &str) -> String {
    let counters: HashSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ").and_then(|about| about.strip_suffix(" counter")))
        .collect();
    let mut older = String::with_capacity(text.len() + 256);
    for line in text.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(kind), Some(name), Some(rest)) if counters.contains(name) => {
                older.extend(["# ", kind, " ", name, "_total ", rest]);
            }
            _ => older.push_str(line),
        }
        older.push('\n');
    }
    older
}

/// What the process holds in memory, where the system says so.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[expect(clippy::cast_precision_loss, reason = "calls do not take thousands of years")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}
