//! What is on its way to a worker process: which messages it was sent and has not begun with, and what it sends back.

use std::collections::VecDeque;
use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::engine::message::{self, Sent};
use crate::engine::pool::{Mailbox, Message, Question};
use crate::engine::{Host, HostCall, Reply};
use crate::wakes::Batch;

/// The worker counts messages up to here, then from 0 again.
const COUNT: u64 = 0x3fff_ffff;

/// What is read at once.
const READ_BYTES: usize = 64 * 1024;

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
    /// Messages that the worker has not said to have begun with.
    ahead: VecDeque<Message>,
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
    pub(super) fn sending(&self, messages: Vec<Message>) -> String {
        let mut text = String::new();
        let mut state = self.state.lock();
        for message in messages {
            match &message {
                Message::Plain(message) | Message::Call(_, message) => text.push_str(message),
                Message::Calls(part) => part.write(&mut text),
            }
            text.push('\n');
            // What concerns no call is lost with the worker.
            state.ahead.push_back(if let Message::Plain(_) = message {
                Message::Plain(String::new())
            } else {
                message
            });
        }
        self.mailbox.busy(self.patience);
        text
    }

    /// Reads what the worker sends until it sends no more.
    pub(super) fn read(&self, mut stream: UnixStream) {
        let mut buffer = vec![0; READ_BYTES];
        let mut rest = Vec::new();
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            // What has come together is told together.
            let _batch = Batch::begin();
            let mut new = &buffer[..count];
            if !rest.is_empty() {
                let Some(end) = memchr::memchr(b'\n', new) else {
                    rest.extend_from_slice(new);
                    continue;
                };
                rest.extend_from_slice(&new[..end]);
                self.lines(&std::mem::take(&mut rest));
                new = &new[end + 1..];
            }
            match memchr::memrchr(b'\n', new) {
                Some(end) => {
                    self.lines(&new[..end]);
                    rest.extend_from_slice(&new[end + 1..]);
                }
                None => rest.extend_from_slice(new),
            }
        }
        self.mailbox.break_off();
    }

    /// Lines that have come together.
    fn lines(&self, lines: &[u8]) {
        if self.mailbox.is_given_up() {
            return;
        }
        let mut answers = Vec::new();
        for line in String::from_utf8_lossy(lines).split('\n') {
            let line = line.trim_end();
            match message::read_answer(line, self.answer_bytes) {
                Some(answer) => answers.push(answer),
                None => {
                    // What was sent before comes before.
                    self.mailbox.answer_all(&mut answers);
                    self.received(line);
                }
            }
        }
        self.mailbox.answer_all(&mut answers);
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
        let more = usize::try_from(more).unwrap_or(usize::MAX);
        state.begun = count;
        let mut left = more;
        while left > 0
            && let Some(first) = state.ahead.front_mut()
        {
            if let Message::Calls(part) = first
                && part.len() > left
            {
                part.skip(left);
                break;
            }
            left -= first.count().min(left);
            state.ahead.pop_front();
        }
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
    pub(super) fn end(&self) -> (Farewell, Vec<Message>) {
        let mut state = self.state.lock();
        let ahead = std::mem::take(&mut state.ahead);
        (state.farewell, ahead.into())
    }
}

/// The numbers of `["op",a]` or `["op",a,b]`.
fn numbers(line: &str, op: &str) -> Option<(u64, u64)> {
    let rest = line.strip_prefix("[\"")?.strip_prefix(op)?.strip_prefix("\",")?.strip_suffix(']')?;
    let (first, second) = rest.split_once(',').unwrap_or((rest, "0"));
    Some((first.parse().ok()?, second.parse().ok()?))
}
