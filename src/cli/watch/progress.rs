use std::{
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// What takes no longer than this needs no word.
const PATIENCE_MS: u64 = 500;
const TICK_MS: u64 = 80;

/// A line that moves while something takes its time; gone when this is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to wait.
    pub(super) fn start(message: &'static str) -> Self {
        let (done, ended) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            if ended.recv_timeout(Duration::from_millis(PATIENCE_MS)) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let style = ProgressStyle::with_template("  {spinner:.cyan} {msg} {elapsed}").expect("a sound template");
            let bar = ProgressBar::new_spinner().with_style(style).with_message(message);
            bar.enable_steady_tick(Duration::from_millis(TICK_MS));
            // Sent by nobody: it ends when the other end is dropped.
            let _ = ended.recv();
            bar.finish_and_clear();
        });
        Self { done: Some(done), thread: Some(thread) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            // A line that could not be drawn is no reason to stop.
            drop(thread.join());
        }
    }
}
