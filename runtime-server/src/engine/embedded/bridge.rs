//! The host's side of one VM: what its scripts send is performed, and answers find their way back.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rquickjs::{Persistent, Value};

use super::fetch::Fetcher;
use super::heap::Heap;
use super::timers::Timers;
use super::watchdog::Watchdog;
use crate::engine::message::{self, Sent};
use crate::engine::pool::{Mailbox, Question};
use crate::engine::{ErrorCode, Host, HostCall, Reply};
use crate::limits::Limits;

/// Rejections of one task that are remembered; more say nothing new.
const MOST_REJECTIONS: usize = 16;

/// Effects that an app may ask for while it is loaded; more are dropped.
const MOST_ASLEEP: usize = 10_000;

/// Shared by the host functions of one VM and its thread.
pub(super) struct Bridge {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) watchdog: Watchdog,
    pub(super) timers: RefCell<Timers>,
    pub(super) heap: Rc<Heap>,
    /// A call of this task ran out of memory.
    pub(super) out_of_memory: Cell<bool>,
    /// Promises of this task that were rejected while nobody listened, and why.
    pub(super) rejections: RefCell<Vec<(Persistent<Value<'static>>, Persistent<Value<'static>>)>>,
    host: Arc<dyn Host>,
    fetcher: Arc<Fetcher>,
    /// What a spare asked for while it was loaded; performed when it is put to work.
    asleep: RefCell<Vec<(HostCall, Option<u64>)>>,
    open: Cell<bool>,
    answer_bytes: usize,
}

impl Bridge {
    pub(super) fn new(mailbox: Arc<Mailbox>, host: Arc<dyn Host>, limits: &Limits) -> Self {
        Self {
            watchdog: Watchdog::new(mailbox.clone(), Duration::from_millis(limits.engine_grace_ms)),
            mailbox,
            timers: RefCell::default(),
            heap: Heap::new(limits.engine_memory_bytes),
            out_of_memory: Cell::new(false),
            rejections: RefCell::default(),
            host,
            fetcher: Arc::new(Fetcher::new(limits)),
            asleep: RefCell::default(),
            open: Cell::new(false),
            answer_bytes: limits.answer_bytes,
        }
    }

    /// A message of the prelude.
    pub(super) fn sent(&self, text: &str) {
        if self.mailbox.is_given_up() {
            return;
        }
        // What was answered before comes before.
        self.mailbox.give_answers();
        match message::read(text) {
            Sent::Failure { call, error } => {
                if error.code == ErrorCode::MemoryLimit {
                    self.out_of_memory.set(true);
                }
                self.mailbox.fail(call, error);
            }
            Sent::Effect(effect, question) => self.perform(effect, question),
            Sent::Refused(why, Some(question)) => Question::new(&self.mailbox, question).answer(&Err(why)),
            Sent::Refused(why, None) => self.perform(HostCall::Log { level: 0, text: why }, None),
        }
    }

    /// The answer of a call, as JSON; an empty one is `undefined`.
    pub(super) fn answered(&self, call: u64, value: &str) {
        if self.mailbox.is_given_up() {
            return;
        }
        match message::answer(value, self.answer_bytes) {
            Ok(_) => self.mailbox.collect(call, value),
            Err(error) => drop(self.mailbox.fail(call, error)),
        }
    }

    pub(super) fn perform(&self, effect: HostCall, question: Option<u64>) {
        // A client may be there before the thread of the VM has seen that it is at work.
        if !self.open.get() && !matches!(effect, HostCall::WatchEvents { .. }) {
            let mut asleep = self.asleep.borrow_mut();
            if asleep.len() < MOST_ASLEEP {
                asleep.push((effect, question));
            }
            return;
        }
        let reply = question.map(|question| {
            let mut question = Question::new(&self.mailbox, question);
            Box::new(move |answer| question.answer(&answer)) as Reply
        });
        match (effect, reply) {
            (HostCall::Fetch { request }, Some(reply)) => self.fetcher.fetch(request, reply),
            (effect, reply) => self.host.perform(effect, reply),
        }
    }

    /// The VM is put to work: what it asked for while it was loaded is performed now.
    pub(super) fn wake_up(&self) {
        self.open.set(true);
        for (effect, question) in self.asleep.take() {
            self.perform(effect, question);
        }
    }

    /// A promise was rejected while nobody listened, or somebody has begun to listen.
    pub(super) fn rejected(
        &self,
        promise: Persistent<Value<'static>>,
        reason: Persistent<Value<'static>>,
        handled: bool,
    ) {
        let mut rejections = self.rejections.borrow_mut();
        if handled {
            rejections.retain(|(other, _)| *other != promise);
        } else if rejections.len() < MOST_REJECTIONS {
            rejections.push((promise, reason));
        }
    }
}
