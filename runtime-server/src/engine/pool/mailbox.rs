//! The way into one VM and back: jobs that wait, calls that have started, and what the supervisor looks at.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::watch;

use super::collected::Collected;
use super::group::Part;
use super::job::{Batch, Job, Message, Next};
use super::started::Started;
use crate::engine::{Answered, CallError, ErrorCode};
use crate::wakes;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Loaded ahead of need: it may do nothing yet that is seen outside.
    Spare,
    /// Put to work, which its thread has not seen yet.
    Opening,
    /// At work.
    Open,
    /// No more jobs; the thread ends when it is idle.
    Closed,
}

struct State {
    phase: Phase,
    queue: VecDeque<Job>,
    /// How many of the queue are calls: messages do not count, or a script's own questions would keep calls out.
    calls: usize,
    started: Started,
    /// The calls that the VM has been given together and has not begun with.
    rest: Option<Part>,
    /// Messages sent to a worker process that it has not begun with, and how many of them were sent last.
    ahead: usize,
    last_sent: usize,
    sleeper: Sleeper,
}

/// Who waits for something to do.
enum Sleeper {
    Nobody,
    /// The thread of a VM.
    Thread,
    /// The task that carries messages to a worker process.
    Carrier(Waker),
}

impl Sleeper {
    /// Gives the task to be woken, once.
    fn take_carrier(&mut self) -> Option<Waker> {
        match std::mem::replace(self, Self::Nobody) {
            Self::Carrier(waker) => Some(waker),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl State {
    /// Takes jobs for a worker process, of so many messages or a few more.
    fn take(&mut self, most: usize) -> Vec<Message> {
        let mut messages = Vec::new();
        let mut count = 0;
        while count < most
            && let Some(job) = self.queue.pop_front()
        {
            self.calls -= job.calls();
            count += job.calls().max(1);
            messages.push(match job {
                Job::Call { id, text, answer, until } => {
                    self.started.add(id, answer, until);
                    Message::Call(id, text)
                }
                Job::Calls(part) => {
                    self.started.add_part(&part);
                    Message::Calls(part)
                }
                Job::Message(text) => Message::Plain(text),
            });
        }
        self.ahead += count;
        self.last_sent = count;
        messages
    }

    /// What a VM of this process does next.
    fn next(&mut self, mailbox: &Mailbox) -> Option<Next> {
        if let Some(rest) = &mut self.rest {
            if let Some(id) = rest.next() {
                self.calls -= 1;
                self.started.add_grouped(&rest.queued, id);
                mailbox.at_hand.store(id, Ordering::Relaxed);
                return Some(Next::Call(id));
            }
            self.rest = None;
        }
        Some(match self.queue.pop_front()? {
            Job::Call { id, text, answer, until } => {
                self.calls -= 1;
                self.started.add(id, answer, until);
                mailbox.at_hand.store(id, Ordering::Relaxed);
                Next::Message(Some(id), text)
            }
            Job::Calls(part) => {
                let text = part.text();
                self.rest = Some(part);
                Next::Calls(text)
            }
            Job::Message(text) => Next::Message(None, text),
        })
    }

    /// Whether a worker process is to be sent what waits. While it has two deliveries before it, what comes is collected:
    /// it keeps nobody waiting, and a busy worker gets few large ones.
    fn may_send(&self, most_ahead: usize) -> bool {
        !self.queue.is_empty() && self.ahead < most_ahead && self.ahead <= self.last_sent
    }

    /// Whether who sleeps should not any more.
    fn is_to_wake(&self) -> bool {
        !matches!(self.sleeper, Sleeper::Nobody) && (self.phase != Phase::Open || self.may_send(usize::MAX))
    }
}

/// Shared between a VM's thread, its callers and the supervisor.
pub(in crate::engine) struct Mailbox {
    state: Mutex<State>,
    collected: Mutex<Collected>,
    wake: Condvar,
    /// The VM was replaced: whatever it still does must not be seen.
    given_up: AtomicBool,
    /// When the supervisor gives up the task at hand, in milliseconds since `born`; `u64::MAX` when idle.
    give_up_at_ms: AtomicU64,
    /// The call whose message is the task at hand; 0 for none.
    at_hand: AtomicU64,
    born: Instant,
    ended: watch::Sender<bool>,
    /// Where its middleware listens.
    listening: watch::Sender<Listening>,
}

/// Whether the middleware of a VM can be reached.
#[derive(Debug, Clone)]
enum Listening {
    NotYet,
    At(PathBuf, Arc<str>),
    NoMore,
}

impl Mailbox {
    pub(in crate::engine) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                phase: Phase::Spare,
                queue: VecDeque::new(),
                calls: 0,
                started: Started::default(),
                rest: None,
                ahead: 0,
                last_sent: 0,
                sleeper: Sleeper::Nobody,
            }),
            collected: Mutex::default(),
            wake: Condvar::new(),
            given_up: AtomicBool::new(false),
            give_up_at_ms: AtomicU64::new(u64::MAX),
            at_hand: AtomicU64::new(0),
            born: Instant::now(),
            ended: watch::Sender::new(false),
            listening: watch::Sender::new(Listening::NotYet),
        }
    }

    /// Its middleware listens at a socket.
    pub(in crate::engine) fn listens(&self, path: PathBuf, secret: Arc<str>) {
        self.listening.send_if_modified(|listening| {
            let first = matches!(listening, Listening::NotYet);
            if first {
                *listening = Listening::At(path, secret);
            }
            first
        });
    }

    /// Waits until its middleware listens; nothing when it never will.
    pub(in crate::engine) async fn listening(&self) -> Option<(PathBuf, Arc<str>)> {
        let mut listening = self.listening.subscribe();
        let state = listening.wait_for(|listening| !matches!(listening, Listening::NotYet)).await;
        match state.ok().as_deref() {
            Some(Listening::At(path, secret)) => Some((path.clone(), secret.clone())),
            _ => None,
        }
    }

    /// Puts a spare to work.
    pub(in crate::engine) fn open(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Spare {
            state.phase = Phase::Opening;
        }
        drop(state);
        self.rouse();
    }

    /// Adds a job, a call only while fewer than `most` wait; gives it back when this VM takes none.
    pub(in crate::engine) fn push(self: &Arc<Self>, job: Job, most: usize) -> Result<(), Refused> {
        let mut state = self.state.lock();
        if state.phase == Phase::Closed {
            return Err(Refused::Closed(job));
        }
        let calls = job.calls();
        if calls > most.saturating_sub(state.calls) {
            return Err(Refused::Full(job));
        }
        state.calls += calls;
        state.queue.push_back(job);
        if state.is_to_wake() {
            let carrier = state.sleeper.take_carrier();
            drop(state);
            match carrier {
                // Before it carries anything it looks by itself what else there is.
                Some(waker) => waker.wake(),
                None => wakes::wake(Waker::from(Arc::clone(self))),
            }
        }
        Ok(())
    }

    /// Wakes who sleeps, whatever for.
    fn rouse(&self) {
        let carrier = self.state.lock().sleeper.take_carrier();
        match carrier {
            Some(waker) => waker.wake(),
            None => drop(self.wake.notify_one()),
        }
    }

    /// Adds a message for this VM; nothing happens when it takes none.
    pub(in crate::engine) fn tell(self: &Arc<Self>, text: String) {
        drop(self.push(Job::Message(text), usize::MAX));
    }

    /// Waits for the next thing to do.
    pub(in crate::engine) fn next(&self, timer: Option<Instant>) -> Next {
        let mut state = self.state.lock();
        self.at_hand.store(0, Ordering::Relaxed);
        if state.rest.as_ref().is_none_or(|rest| rest.len() == 0) {
            // No call is left that answers could wait for.
            MutexGuard::unlocked(&mut state, || self.give_answers());
        }
        let mut told = false;
        loop {
            match state.phase {
                Phase::Closed => return Next::Stop,
                Phase::Opening => {
                    state.phase = Phase::Open;
                    return Next::Opened;
                }
                Phase::Spare => {
                    self.wake.wait(&mut state);
                    continue;
                }
                Phase::Open => {}
            }
            // Timers first: each is due only once, while jobs may come without end.
            if timer.is_some_and(|due| due <= Instant::now()) {
                return Next::Timer;
            }
            if let Some(next) = state.next(self) {
                return next;
            }
            if !told {
                // What this thread has for others must not wait as long as it does.
                told = true;
                MutexGuard::unlocked(&mut state, wakes::release);
                continue;
            }
            state.sleeper = Sleeper::Thread;
            match timer {
                Some(due) => drop(self.wake.wait_until(&mut state, due)),
                None => self.wake.wait(&mut state),
            }
            state.sleeper = Sleeper::Nobody;
        }
    }

    /// What a worker process shall be sent, at most so many messages ahead of those that it has begun with. When that is nothing,
    /// `waker` is woken when it may be something.
    pub(in crate::engine) fn batch(&self, most_ahead: usize, waker: &Waker) -> Option<Batch> {
        let mut state = self.state.lock();
        let batch = match state.phase {
            Phase::Closed => Some(Batch::Stop),
            Phase::Opening => {
                state.phase = Phase::Open;
                Some(Batch::Opened)
            }
            Phase::Open if state.may_send(most_ahead) => {
                let most = most_ahead - state.ahead;
                Some(Batch::Messages(state.take(most)))
            }
            Phase::Open | Phase::Spare => None,
        };
        state.sleeper = if batch.is_none() { Sleeper::Carrier(waker.clone()) } else { Sleeper::Nobody };
        batch
    }

    /// Whether [`batch`](Self::batch) would give messages.
    pub(in crate::engine) fn has_batch(&self, most_ahead: usize) -> bool {
        let state = self.state.lock();
        state.phase == Phase::Open && state.may_send(most_ahead)
    }

    /// The worker process has begun with so many more of the messages that it was sent. Whoever says so asks for the next
    /// [`batch`](Self::batch) by itself.
    pub(in crate::engine) fn begun(&self, count: usize) {
        let mut state = self.state.lock();
        state.ahead = state.ahead.saturating_sub(count);
    }

    /// These calls were sent and have not started after all: they wait again, before all others.
    pub(in crate::engine) fn put_back(&self, messages: Vec<Message>) {
        let mut state = self.state.lock();
        for message in messages.into_iter().rev() {
            let job = match message {
                Message::Call(id, text) => {
                    let known = state.started.take(id);
                    known.map(|(answer, until)| Job::Call { id, text, answer, until })
                }
                Message::Calls(part) => state.started.take_part(&part).then_some(Job::Calls(part)),
                Message::Plain(_) => None,
            };
            if let Some(job) = job {
                state.calls += job.calls();
                state.queue.push_front(job);
            }
        }
    }

    /// Fails the calls that the VM was given together and has not begun with.
    pub(in crate::engine) fn fail_rest(&self, error: &CallError) {
        let mut state = self.state.lock();
        let Some(rest) = state.rest.take() else { return };
        state.calls -= rest.len();
        drop(state);
        Job::Calls(rest).fail(error);
    }

    /// Collects the answer of a call that has started: JSON, or nothing for `undefined`. It goes to its caller with others, by
    /// [`give_answers`](Self::give_answers).
    pub(in crate::engine) fn collect(&self, id: u64, value: &str) {
        if !self.collected.lock().push(id, value) {
            self.give_answers();
            self.collected.lock().push(id, value);
        }
    }

    /// Gives the answers that were collected to their callers.
    pub(in crate::engine) fn give_answers(&self) {
        let collected = self.collected.lock().take();
        if let Some(collected) = collected {
            self.answer(collected.first, collected.count, &mut collected.answers());
        }
    }

    /// Fails every call that has started.
    pub(in crate::engine) fn fail_started(&self, error: &CallError) {
        self.give_answers();
        let started = self.state.lock().started.end_all();
        started.into_iter().for_each(|ended| ended.fail(error));
    }

    /// Fails a call that has started; nothing happens when it was answered.
    pub(in crate::engine) fn fail(&self, id: u64, error: CallError) -> bool {
        self.give_answers();
        let (ended, _) = self.state.lock().started.end(id..id + 1);
        match ended.filter(|ended| !ended.is_empty()) {
            Some(ended) => {
                ended.fail(&error);
                true
            }
            None => false,
        }
    }

    /// Answers `count` calls that have started and follow each other; those that were answered are passed over.
    pub(in crate::engine) fn answer(
        &self,
        mut first: u64,
        count: usize,
        answers: &mut dyn Iterator<Item = Answered<'_>>,
    ) {
        let last = first + count as u64;
        while first < last {
            let (ended, numbers) = self.state.lock().started.end(first..last);
            let mut run = answers.take(numbers);
            match ended {
                Some(ended) => ended.answer_run(first, &mut run),
                None => run.for_each(drop),
            }
            first += numbers as u64;
        }
    }

    /// Forgets a call whose caller has gone or has been told that time is up.
    pub(in crate::engine) fn cancel(&self, id: u64, end: impl FnOnce() -> String) {
        let mut state = self.state.lock();
        if state.started.take(id).is_some() {
            state.queue.push_back(Job::Message(end()));
            drop(state);
            self.rouse();
        } else {
            let before = state.queue.len();
            state.queue.retain(|job| !matches!(job, Job::Call { id: queued, .. } if *queued == id));
            state.calls -= before - state.queue.len();
        }
    }

    /// Answers the calls whose time is up. `end` is what the VM is told of one that it has started.
    pub(in crate::engine) fn expire(self: &Arc<Self>, late: &CallError, end: impl Fn(u64) -> String) {
        self.give_answers();
        let mut state = self.state.lock();
        let now = Instant::now();
        let is_over = |until: Option<Instant>| until.is_some_and(|until| until <= now);
        let started = state.started.end_late(now);
        let mut over: Vec<Job> = Vec::new();
        for job in std::mem::take(&mut state.queue) {
            if is_over(job.until()) { over.push(job) } else { state.queue.push_back(job) }
        }
        over.extend(state.rest.take_if(|rest| is_over(Some(rest.queued.until))).map(Job::Calls));
        state.calls -= over.iter().map(Job::calls).sum::<usize>();
        drop(state);
        for ended in started {
            ended.ids().into_iter().for_each(|id| self.tell(end(id)));
            ended.fail(late);
        }
        over.into_iter().for_each(|job| job.fail(late));
    }

    /// Takes no more jobs and gives back the calls that have not started; those that have fail with `error`.
    pub(in crate::engine) fn close(&self, error: &CallError) -> Vec<Job> {
        self.give_answers();
        let mut state = self.state.lock();
        state.phase = Phase::Closed;
        self.listening.send_replace(Listening::NoMore);
        let queue = std::mem::take(&mut state.queue);
        let rest = state.rest.take().filter(|rest| rest.len() > 0).map(Job::Calls);
        state.calls = 0;
        let started = state.started.end_all();
        drop(state);
        self.rouse();
        started.into_iter().for_each(|ended| ended.fail(error));
        rest.into_iter().chain(queue).filter(|job| job.calls() > 0).collect()
    }

    /// As [`close`](Self::close), for a VM that is replaced: what it still does is not seen.
    pub(in crate::engine) fn give_up(&self) -> Vec<Job> {
        self.given_up.store(true, Ordering::Release);
        self.close(&CallError::new(ErrorCode::EngineLost, "The engine that ran the call was replaced"))
    }

    /// Fails the call whose message is the task at hand.
    pub(in crate::engine) fn fail_at_hand(&self, error: CallError) {
        self.fail(self.at_hand.load(Ordering::Relaxed), error);
    }

    pub(in crate::engine) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }

    /// A task begins that the supervisor shall give up after `longest`.
    pub(in crate::engine) fn busy(&self, longest: Duration) {
        self.busy_until(Instant::now() + longest);
    }

    /// A task begins that the supervisor shall give up at that time.
    pub(in crate::engine) fn busy_until(&self, at: Instant) {
        let at = at.saturating_duration_since(self.born);
        self.give_up_at_ms.store(u64::try_from(at.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The task is done.
    pub(in crate::engine) fn idle(&self) {
        self.give_up_at_ms.store(u64::MAX, Ordering::Relaxed);
    }

    /// Whether the task at hand has taken too long.
    pub(in crate::engine) fn is_stuck(&self) -> bool {
        self.born.elapsed().as_millis() > u128::from(self.give_up_at_ms.load(Ordering::Relaxed))
    }

    /// The thread is at its end.
    pub(in crate::engine) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Waits for the thread's end, at most so long.
    pub(in crate::engine) async fn wait_for_end(&self, longest: Duration) {
        let mut ended = self.ended.subscribe();
        drop(tokio::time::timeout(longest, ended.wait_for(|ended| *ended)).await);
    }
}

impl Wake for Mailbox {
    fn wake(self: Arc<Self>) {
        self.rouse();
    }
}

/// Why a job was not taken.
pub(in crate::engine) enum Refused {
    /// The VM takes no more; here is the job.
    Closed(Job),
    /// Too many wait; here is the job.
    Full(Job),
}
