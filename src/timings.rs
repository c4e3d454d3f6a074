//! Where the time of a build goes.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A stopwatch for one build: off, it costs nothing.
#[derive(Debug, Default)]
pub struct Timings(Option<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// When the last phase ended.
    lap: Instant,
    phases: Vec<(&'static str, Duration)>,
    works: BTreeMap<&'static str, Work>,
}

/// What is done many times, on any thread, while a phase lasts.
#[derive(Debug, Default)]
struct Work {
    count: usize,
    sum: Duration,
}

impl Timings {
    /// A stopwatch that was started at this moment.
    pub fn since(start: Instant) -> Self {
        Self(Some(Mutex::new(State { lap: start, phases: Vec::new(), works: BTreeMap::new() })))
    }

    /// Forgets what it has measured, and starts anew.
    pub fn restart(&self) {
        if let Some(mut state) = self.state() {
            *state = State { lap: Instant::now(), phases: Vec::new(), works: BTreeMap::new() };
        }
    }

    /// The phase of this name ends now; it began where the one before it ended.
    pub fn phase(&self, name: &'static str) {
        let Some(mut state) = self.state() else { return };
        let now = Instant::now();
        let took = now - state.lap;
        state.lap = now;
        match state.phases.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += took,
            None => state.phases.push((name, took)),
        }
    }

    /// Does a piece of work, and adds its time to that of others of this name.
    pub fn work<T>(&self, name: &'static str, run: impl FnOnce() -> T) -> T {
        if self.0.is_none() {
            return run();
        }
        let from = Instant::now();
        let done = run();
        let took = from.elapsed();
        if let Some(mut state) = self.state() {
            let work = state.works.entry(name).or_default();
            work.count += 1;
            work.sum += took;
        }
        done
    }

    /// Both as a table; nothing when it is off.
    pub fn table(&self) -> Option<String> {
        let state = self.state()?;
        let whole: Duration = state.phases.iter().map(|(_, took)| *took).sum();
        let share = |took: Duration| 100.0 * took.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
        let mut text = String::new();
        let mut row = |name: &str, took: Duration, more: &str| {
            let ms = took.as_secs_f64() * 1000.0;
            writeln!(text, "{name:<36}{ms:>9.1} ms{:>7.1}%{more}", share(took)).expect("writing to a string works");
        };
        for (name, took) in &state.phases {
            row(name, *took, "");
        }
        row("all", whole, "");
        for (name, work) in &state.works {
            row(&format!("  {name}, all threads"), work.sum, &format!("  {} times", work.count));
        }
        Some(text)
    }

    fn state(&self) -> Option<MutexGuard<'_, State>> {
        // Every change of it is a few numbers: it is whole even if a holder panicked.
        Some(self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::Timings;

    #[test]
    fn each_name_has_one_row() {
        let timings = Timings::since(Instant::now());
        timings.phase("scan");
        timings.phase("pages");
        timings.phase("scan");
        assert_eq!(timings.work("compile", || 1) + timings.work("compile", || 2), 3);
        let table = timings.table().expect("it is on");
        let names: Vec<&str> = table.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names, ["scan", "pages", "all", "compile,"]);
        assert!(table.lines().last().is_some_and(|line| line.ends_with("2 times")), "{table}");
    }

    #[test]
    fn off_it_only_does_the_work() {
        let timings = Timings::default();
        timings.phase("scan");
        assert_eq!(timings.work("compile", || 1), 1);
        assert_eq!(timings.table(), None);
    }
}
