//! What is on its way to a worker process: which messages it was sent and has not begun with, and what it sends back.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::engine::message::{self, Sent};
use crate::engine::pool::{Mailbox, Question};
use crate::engine::{Host, HostCall, Reply};
use crate::wakes::Batch;

/// The worker counts messages up to here, then from 0 again.
const COUNT: u64 = 0x3fff_ffff;

/// How a process came to its end, as far as it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    /// Nothing.
    None,
    /// It ended in good order.
    Ended,
    /// It stood still for too long, in the call of this number; 0 is none.
    Stuck(u64),
}

/// Shared between the thread that writes to a worker process and the one that reads from it.
pub(super) struct Link {
    mailbox: Arc<Mailbox>,
    host: Arc<dyn Host>,
    answer_bytes: usize,
    /// A process that moves so little is stopped by something that it cannot tell itself.
    patience: Duration,
    /// Where its middleware listens when it says so.
    door: Option<(PathBuf, Arc<str>)>,
    state: Mutex<State>,
}

struct State {
    /// Messages that the worker has not said to have begun with: calls by number and text.
    ahead: VecDeque<Option<(u64, String)>>,
    /// Its count at the last time.
    begun: u64,
    farewell: Farewell,
}

impl Link {
    pub(super) fn new(
        mailbox: Arc<Mailbox>,
        host: Arc<dyn Host>,
        answer_bytes: usize,
        patience: Duration,
        door: Option<(PathBuf, Arc<str>)>,
    ) -> Self {
        let state = State { ahead: VecDeque::new(), begun: 0, farewell: Farewell::None };
        Self { mailbox, host, answer_bytes, patience, door, state: Mutex::new(state) }
    }

    /// These are about to be written.
    pub(super) fn sending(&self, messages: Vec<(Option<u64>, String)>) -> String {
        let mut text = String::with_capacity(messages.iter().map(|(_, text)| text.len() + 1).sum());
        let mut state = self.state.lock();
        for (call, message) in messages {
            text.push_str(&message);
            text.push('\n');
            state.ahead.push_back(call.map(|id| (id, message)));
        }
        self.mailbox.busy(self.patience);
        text
    }

    /// Reads what the worker sends until it sends no more.
    pub(super) fn read(&self, stream: UnixStream) {
        let mut stream = BufReader::with_capacity(64 * 1024, stream);
        let mut line = Vec::new();
        let mut batch = None;
        while matches!(stream.read_until(b'\n', &mut line), Ok(1..)) {
            // What has come together is told together.
            batch.get_or_insert_with(Batch::begin);
            if line.ends_with(b"\n") && !self.mailbox.is_given_up() {
                self.received(String::from_utf8_lossy(&line).trim_end());
            }
            line.clear();
            if !stream.buffer().contains(&b'\n') {
                batch = None;
            }
        }
        drop(batch);
        self.mailbox.break_off();
    }

    fn received(&self, line: &str) {
        if let Some(begun) = numbers(line, "ack") {
            self.begun(begun.0);
        } else if let Some(ended) = numbers(line, "ended") {
            self.begun(ended.0);
            self.state.lock().farewell = Farewell::Ended;
        } else if let Some((begun, call)) = numbers(line, "stuck") {
            self.begun(begun);
            self.state.lock().farewell = Farewell::Stuck(call);
        } else if line == r#"["listening"]"# {
            if let Some((path, secret)) = &self.door {
                self.mailbox.listens(path.clone(), secret.clone());
            }
        } else if !line.is_empty() {
            self.perform(line);
        }
    }

    /// The worker has begun with so many messages in all.
    fn begun(&self, count: u64) {
        let mut state = self.state.lock();
        let more = count.wrapping_sub(state.begun) & COUNT;
        let more = usize::try_from(more).unwrap_or(usize::MAX).min(state.ahead.len());
        state.begun = count;
        state.ahead.drain(..more);
        if state.ahead.is_empty() {
            self.mailbox.idle();
        } else {
            self.mailbox.busy(self.patience);
        }
        drop(state);
        self.mailbox.begun(more);
    }

    fn perform(&self, line: &str) {
        match message::read(line, self.answer_bytes) {
            Sent::Answer { call, outcome } => drop(self.mailbox.answer(call, outcome)),
            Sent::Effect(effect, question) => {
                let reply = question.map(|question| {
                    let mut question = Question::new(&self.mailbox, question);
                    Box::new(move |answer| question.answer(&answer)) as Reply
                });
                self.host.perform(effect, reply);
            }
            Sent::Refused(why, Some(question)) => Question::new(&self.mailbox, question).answer(&Err(why)),
            // The rest of a line that was cut when the process stood still.
            Sent::Refused(..) if self.state.lock().farewell != Farewell::None => {}
            Sent::Refused(why, None) => self.host.perform(HostCall::Log { level: 0, text: why }, None),
        }
    }

    /// How the process came to its end, and the calls that it was sent and has not begun with. Without a farewell any
    /// of those may have been begun.
    pub(super) fn end(&self) -> (Farewell, Vec<(u64, String)>) {
        let mut state = self.state.lock();
        let ahead = std::mem::take(&mut state.ahead);
        (state.farewell, ahead.into_iter().flatten().collect())
    }
}

/// The numbers of `["op",a]` or `["op",a,b]`.
fn numbers(line: &str, op: &str) -> Option<(u64, u64)> {
    let rest = line.strip_prefix("[\"")?.strip_prefix(op)?.strip_prefix("\",")?.strip_suffix(']')?;
    let (first, second) = rest.split_once(',').unwrap_or((rest, "0"));
    Some((first.parse().ok()?, second.parse().ok()?))
}
