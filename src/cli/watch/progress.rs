use std::{
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use ssbuild::progress::Progress;

/// What takes no longer than this needs no word.
const PATIENCE: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(80);
const TEMPLATE: &str = "  {spinner:.cyan} compiling {bar:30.cyan/dim} {pos}/{len} modules  {elapsed}";

/// A bar that moves while modules are compiled; gone when this is dropped.
#[derive(Debug)]
pub(super) struct Bar {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bar {
    /// Begins to wait.
    pub(super) fn start(counts: Arc<Progress>) -> Self {
        let (done, ended) = mpsc::channel::<()>();
        // Sent by nobody: it ends when the other end is dropped.
        let goes_on = move |time| ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
        let thread = thread::spawn(move || {
            if !goes_on(PATIENCE) {
                return;
            }
            let style = ProgressStyle::with_template(TEMPLATE).expect("a sound template").progress_chars("━╸─");
            let bar = ProgressBar::new(0).with_style(style);
            loop {
                let (compiled, expected) = counts.counts();
                bar.set_length(expected as u64);
                bar.set_position(compiled as u64);
                bar.tick();
                if !goes_on(TICK) {
                    break;
                }
            }
            bar.finish_and_clear();
        });
        Self { done: Some(done), thread: Some(thread) }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            // A line that could not be drawn is no reason to stop.
            drop(thread.join());
        }
    }
}
