//! One JavaScript VM, on the thread that made it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rquickjs::{Context, Ctx, FromJs, Function, Persistent, Runtime, function::IntoArgs};

use super::bridge::Bridge;
use super::heap::Counting;
use super::load::{self, Entry, Thrown};
use crate::engine::pool::{End, Machine, Mailbox, Next};
use crate::engine::{CallError, EngineError, ErrorCode, Host, HostCall, Program, message};
use crate::limits::Limits;
use crate::wakes::{self, Batch};

/// QuickJS takes a larger limit for none at all.
const STACK_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// Share of the memory limit, in percent, that may still be in use after a collection.
const MEMORY_AFTER_COLLECTION_PERCENT: usize = 80;

/// After so many tasks the clock is asked whether others have waited long enough for what these have for them.
const SHORT_TASKS: u32 = 8;

/// What the VM does at a time.
#[derive(Clone, Copy)]
enum Task<'a> {
    /// Gives the prelude a message.
    Message(&'a str),
    /// Gives it one about several calls, which come next.
    Calls(&'a str),
    /// Lets it run the next of those.
    Call,
}

/// A VM with the app loaded.
pub(in crate::engine) struct Vm {
    entry: Entry,
    bridge: Rc<Bridge>,
    context: Context,
    runtime: Runtime,
    limits: Limits,
}

impl Drop for Vm {
    fn drop(&mut self) {
        // QuickJS frees its heap only when nothing of it is held outside.
        self.bridge.rejections.borrow_mut().clear();
    }
}

impl Machine for Vm {
    fn run(&self) -> End {
        self.work()
    }
}

impl Vm {
    /// Makes a VM and evaluates the prelude and the app in it.
    pub(in crate::engine) fn load(
        program: &Program,
        limits: &Limits,
        host: Arc<dyn Host>,
        mailbox: Arc<Mailbox>,
    ) -> Result<Self, EngineError> {
        let bridge = Rc::new(Bridge::new(mailbox, host, limits));
        let runtime = Runtime::new_with_alloc(Counting(Rc::clone(&bridge.heap))).map_err(start_error)?;
        runtime.set_memory_limit(limits.engine_memory_bytes);
        runtime.set_max_stack_size(limits.engine_stack_bytes.min(STACK_LIMIT_BYTES));
        let watched = bridge.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || watched.watchdog.interrupts())));
        let rejecting = bridge.clone();
        runtime.set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, reason, handled| {
            rejecting.rejected(Persistent::save(&ctx, promise), Persistent::save(&ctx, reason), handled);
        })));
        let context = Context::full(&runtime).map_err(start_error)?;

        bridge.watchdog.start(Duration::from_millis(limits.call_timeout_ms));
        let entry = context.with(|ctx| load::load(&ctx, program, limits, &bridge));
        bridge.watchdog.stop();
        if entry.is_err() {
            bridge.rejections.borrow_mut().clear();
        }
        Ok(Self { entry: entry?, bridge, context, runtime, limits: limits.clone() })
    }

    /// Does what the mailbox says until it says stop, or until the VM is not fit to go on.
    fn work(&self) -> End {
        let _batch = Batch::begin();
        let mut turns = 0_u32;
        loop {
            // A long task looks up by itself.
            turns = turns.wrapping_add(1);
            if turns.is_multiple_of(SHORT_TASKS) {
                wakes::pause();
            }
            let timer = self.bridge.timers.borrow_mut().next_due();
            let end = match self.bridge.mailbox.next(timer) {
                Next::Stop => return End::Stopped,
                Next::Opened => {
                    self.bridge.wake_up();
                    None
                }
                Next::Message(call, text) => self.task(call, Task::Message(&text)),
                Next::Calls(text) => self.task(None, Task::Calls(&text)),
                Next::Call(call) => self.task(Some(call), Task::Call),
                Next::Timer => {
                    let due = self.bridge.timers.borrow_mut().take_due();
                    due.and_then(|id| self.task(None, Task::Message(&message::timer(id))))
                }
            };
            if let Some(reason) = end {
                return End::Unfit(reason);
            }
        }
    }

    /// Runs one task and the microtasks that follow from it. Gives the reason when the VM cannot go on.
    fn task(&self, call: Option<u64>, task: Task<'_>) -> Option<&'static str> {
        let busy = Duration::from_millis(self.limits.call_busy_ms);
        let watchdog = &self.bridge.watchdog;
        let mut blamed = None;
        watchdog.start(busy);
        self.bridge.heap.start();
        let unfit = self.context.with(|ctx| {
            // What was too long is stopped; what else waits in the VM gets a time of its own, once.
            let mut stopped = false;
            let entered = match task {
                Task::Message(text) => enter::<_, ()>(&ctx, &self.entry.receive, (text,)),
                Task::Calls(text) => enter::<_, ()>(&ctx, &self.entry.take, (text,)),
                Task::Call => enter::<_, ()>(&ctx, &self.entry.next, ()),
            };
            if let Err(error) = entered {
                let failure = self.failure(&ctx, &error);
                if let Task::Calls(_) = task {
                    // Not one of them can be begun with.
                    self.bridge.mailbox.fail_rest(&failure);
                } else {
                    blamed = self.blame(&ctx, call, failure);
                }
                if watchdog.has_interrupted() {
                    stopped = true;
                    watchdog.start(busy);
                }
            }
            blamed = blamed.or_else(|| self.blame_silence(&ctx, call));
            let mut late = false;
            while ctx.execute_pending_job() {
                blamed = blamed.or_else(|| self.blame_silence(&ctx, call));
                let was_late = std::mem::replace(&mut late, watchdog.overrun());
                if !was_late && !watchdog.has_interrupted() {
                    continue;
                }
                if stopped || self.bridge.mailbox.is_given_up() {
                    return Some("its microtasks did not end");
                }
                stopped = true;
                blamed = blamed.or_else(|| self.blame(&ctx, call, CallError::interrupted(self.limits.call_busy_ms)));
                watchdog.start(busy);
                late = false;
            }
            self.log_rejections(&ctx);
            None
        });
        watchdog.stop();
        if let Some(id) = blamed {
            self.bridge.mailbox.tell(message::end(id));
        }
        if self.memory_is_short() {
            // Nobody can tell whose memory it is.
            let message = "The engine that ran the call had no memory left";
            self.bridge.mailbox.fail_started(&CallError::new(ErrorCode::MemoryLimit, message));
            return Some("its memory stayed full");
        }
        unfit
    }

    /// Fails the call that the task was about. Gives its number.
    fn blame(&self, ctx: &Ctx<'_>, call: Option<u64>, failure: CallError) -> Option<u64> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the prelude got it from us")]
        let owner = || enter::<_, f64>(ctx, &self.entry.owner, ()).ok().map(|id| id as u64);
        let id = call.or_else(owner).filter(|id| *id != 0);
        let text = format!("{}: {}", failure.code.as_str(), failure.stack.as_deref().unwrap_or(&failure.message));
        if !id.is_some_and(|id| self.bridge.mailbox.fail(id, failure)) {
            // Nobody waits for it: the log is the only place left.
            self.bridge.perform(HostCall::Log { level: 0, text }, None);
        }
        id
    }

    /// A promise that is settled without the memory to tell who waits for it is silent: nobody would ever answer. It
    /// leaves its exception behind.
    fn blame_silence(&self, ctx: &Ctx<'_>, call: Option<u64>) -> Option<u64> {
        if !ctx.has_exception() {
            return None;
        }
        let failure = self.failure(ctx, &rquickjs::Error::Exception);
        if failure.code == ErrorCode::MemoryLimit { self.blame(ctx, call, failure) } else { None }
    }

    /// What was thrown out of the prelude.
    fn failure(&self, ctx: &Ctx<'_>, error: &rquickjs::Error) -> CallError {
        let caught = error.is_exception().then(|| ctx.catch());
        if self.bridge.watchdog.has_interrupted() {
            return CallError::interrupted(self.limits.call_busy_ms);
        }
        let thrown = caught.as_ref().map(Thrown::read);
        let message = thrown.as_ref().map_or_else(|| error.to_string(), |thrown| thrown.message.clone());
        let code = match message.as_str() {
            "out of memory" => ErrorCode::MemoryLimit,
            // QuickJS throws it when there is not even the memory for an error.
            "null" if self.bridge.heap.was_full() => ErrorCode::MemoryLimit,
            "Maximum call stack size exceeded" => ErrorCode::StackLimit,
            _ if matches!(error, rquickjs::Error::Allocation) => ErrorCode::MemoryLimit,
            _ => ErrorCode::ActionError,
        };
        if code == ErrorCode::MemoryLimit {
            self.bridge.out_of_memory.set(true);
        }
        CallError { code, message, stack: thrown.and_then(|thrown| thrown.stack) }
    }

    fn log_rejections(&self, ctx: &Ctx<'_>) {
        for (_, reason) in self.bridge.rejections.take() {
            // A reason that cannot be told is not worth a second failure.
            let told = reason.restore(ctx).and_then(|reason| enter::<_, ()>(ctx, &self.entry.unhandled, (reason,)));
            if told.is_err() {
                drop(ctx.catch());
            }
        }
    }

    /// After a call ran out of memory: whether what is left after a collection is too little to go on.
    fn memory_is_short(&self) -> bool {
        if !self.bridge.out_of_memory.replace(false) {
            return false;
        }
        self.runtime.run_gc();
        let used = usize::try_from(self.runtime.memory_usage().malloc_size).unwrap_or(usize::MAX);
        used > self.limits.engine_memory_bytes / 100 * MEMORY_AFTER_COLLECTION_PERCENT
    }
}

/// Calls one of the prelude's functions.
fn enter<'js, A: IntoArgs<'js>, R: FromJs<'js>>(
    ctx: &Ctx<'js>,
    function: &Persistent<Function<'static>>,
    args: A,
) -> rquickjs::Result<R> {
    function.clone().restore(ctx)?.call(args)
}

fn start_error(error: rquickjs::Error) -> EngineError {
    EngineError::Start(error.to_string())
}
