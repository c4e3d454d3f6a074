//! One JavaScript VM, on the thread that made it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rquickjs::context::EvalOptions;
use rquickjs::{Context, Ctx, Function, Object, Persistent, Runtime, Value};

use super::mailbox::{Job, Mailbox, Next};
use super::timers::Timers;
use super::watchdog::Watchdog;
use crate::engine::message::{self, Sent};
use crate::engine::{CallError, EngineError, ErrorCode, Host, HostCall, Program, prelude};
use crate::limits::Limits;

/// QuickJS takes a larger limit for none at all.
const STACK_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// Share of the memory limit, in percent, that may still be in use after a collection.
const MEMORY_AFTER_COLLECTION_PERCENT: usize = 80;

/// What the host functions of one VM share with its thread.
struct Local {
    mailbox: Arc<Mailbox>,
    host: Arc<dyn Host>,
    watchdog: Watchdog,
    timers: RefCell<Timers>,
    /// What a spare asked for while it was loaded; performed when it is put to work.
    asleep: RefCell<Vec<(HostCall, Option<u64>)>>,
    open: Cell<bool>,
    out_of_memory: Cell<bool>,
    answer_bytes: usize,
    queue_length: usize,
}

/// Why a VM's thread ended.
pub(super) enum End {
    /// It was told to.
    Stopped,
    /// It cannot go on; the reason is for the log.
    Unfit(&'static str),
}

/// A VM with the app loaded.
pub(super) struct Vm {
    receive: Persistent<Function<'static>>,
    owner: Persistent<Function<'static>>,
    local: Rc<Local>,
    context: Context,
    runtime: Runtime,
    limits: Limits,
}

impl Vm {
    /// Makes a VM and evaluates the prelude and the app in it.
    pub(super) fn load(
        program: &Program,
        limits: &Limits,
        host: Arc<dyn Host>,
        mailbox: Arc<Mailbox>,
    ) -> Result<Self, EngineError> {
        let local = Rc::new(Local {
            watchdog: Watchdog::new(mailbox.clone(), Duration::from_millis(limits.engine_grace_ms)),
            mailbox,
            host,
            timers: RefCell::default(),
            asleep: RefCell::default(),
            open: Cell::new(false),
            out_of_memory: Cell::new(false),
            answer_bytes: limits.answer_bytes,
            queue_length: limits.calls,
        });
        let runtime = Runtime::new().map_err(start_error)?;
        runtime.set_memory_limit(limits.engine_memory_bytes);
        runtime.set_max_stack_size(limits.engine_stack_bytes.min(STACK_LIMIT_BYTES));
        let watched = local.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || watched.watchdog.interrupts())));
        let context = Context::full(&runtime).map_err(start_error)?;

        local.watchdog.start(Duration::from_millis(limits.call_timeout_ms));
        let entry = context.with(|ctx| {
            let loaded = load_all(&ctx, program, limits, &local);
            let loaded = loaded.map_err(|error| load_error(&ctx, &error, &local));
            while loaded.is_ok() && !local.watchdog.overrun() && ctx.execute_pending_job() {}
            loaded
        });
        local.watchdog.stop();
        let (receive, owner) = entry?;
        if local.watchdog.has_interrupted() {
            return Err(too_long(limits));
        }
        Ok(Self { receive, owner, local, context, runtime, limits: limits.clone() })
    }

    /// Does what the mailbox says until it says stop, or until the VM is not fit to go on.
    pub(super) fn run(&self) -> End {
        loop {
            let timer = self.local.timers.borrow_mut().next_due();
            let end = match self.local.mailbox.next(timer) {
                Next::Stop => return End::Stopped,
                Next::Opened => {
                    self.local.wake_up();
                    None
                }
                Next::Message(call, text) => self.task(call, &text),
                Next::Timer => {
                    let due = self.local.timers.borrow_mut().take_due();
                    due.and_then(|id| self.task(None, &message::timer(id)))
                }
            };
            if let Some(reason) = end {
                return End::Unfit(reason);
            }
        }
    }

    /// Runs one message and the microtasks that follow from it.
    fn task(&self, call: Option<u64>, text: &str) -> Option<&'static str> {
        let local = &*self.local;
        let busy = Duration::from_millis(self.limits.call_busy_ms);
        let mut blamed = None;
        local.watchdog.start(busy);
        let unfit = self.context.with(|ctx| {
            let received: rquickjs::Result<()> =
                self.receive.clone().restore(&ctx).and_then(|receive| receive.call((text,)));
            if let Err(error) = received {
                let failure = self.failure(&ctx, &error);
                blamed = self.blame(&ctx, call, failure);
            }
            let mut second = false;
            if local.watchdog.has_interrupted() {
                second = true;
                local.watchdog.start(busy);
            }
            loop {
                let late = local.watchdog.overrun();
                if !ctx.execute_pending_job() {
                    return None;
                }
                if !late && !local.watchdog.has_interrupted() {
                    continue;
                }
                if second || local.mailbox.is_given_up() {
                    return Some("its microtasks did not end");
                }
                // What was too long is stopped; what else waits gets a time of its own.
                second = true;
                blamed = blamed.or_else(|| self.blame(&ctx, call, interrupted(self.limits.call_busy_ms)));
                local.watchdog.start(busy);
            }
        });
        local.watchdog.stop();
        if unfit.is_none() {
            if let Some(id) = blamed {
                drop(local.mailbox.push(Job::Message(message::end(id)), usize::MAX));
            }
        }
        unfit.or_else(|| self.memory_is_short().then_some("its memory stayed full"))
    }

    /// Fails the call that the task was about. Gives its number when a call was failed.
    fn blame(&self, ctx: &Ctx<'_>, call: Option<u64>, failure: CallError) -> Option<u64> {
        let owner = || self.owner.clone().restore(ctx).and_then(|owner| owner.call::<_, f64>(())).ok();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the prelude got it from us")]
        let id = call.or_else(|| owner().map(|id| id as u64)).filter(|id| *id != 0);
        let text = format!("{}: {}", failure.code.as_str(), failure.stack.as_deref().unwrap_or(&failure.message));
        if let Some(id) = id {
            if self.local.mailbox.answer(id, Err(failure)) {
                return Some(id);
            }
        }
        // Nobody waits for it: the log is the only place left.
        self.local.perform(HostCall::Log { level: 0, text }, None);
        id
    }

    /// What was thrown out of the prelude.
    fn failure(&self, ctx: &Ctx<'_>, error: &rquickjs::Error) -> CallError {
        let caught = error.is_exception().then(|| ctx.catch());
        if self.local.watchdog.has_interrupted() {
            return interrupted(self.limits.call_busy_ms);
        }
        let thrown = caught.as_ref().map(|value| Thrown::read(value));
        let message = thrown.as_ref().map_or_else(|| error.to_string(), |thrown| thrown.message.clone());
        let code = match message.as_str() {
            "out of memory" | "null" => ErrorCode::MemoryLimit,
            "Maximum call stack size exceeded" => ErrorCode::StackLimit,
            _ if matches!(error, rquickjs::Error::Allocation) => ErrorCode::MemoryLimit,
            _ => ErrorCode::ActionError,
        };
        if code == ErrorCode::MemoryLimit {
            self.local.out_of_memory.set(true);
        }
        CallError { code, message, stack: thrown.and_then(|thrown| thrown.stack) }
    }

    /// After a call ran out of memory: whether what is left after a collection is too little to go on.
    fn memory_is_short(&self) -> bool {
        if !self.local.out_of_memory.replace(false) {
            return false;
        }
        self.runtime.run_gc();
        let used = usize::try_from(self.runtime.memory_usage().malloc_size).unwrap_or(usize::MAX);
        used > self.limits.engine_memory_bytes / 100 * MEMORY_AFTER_COLLECTION_PERCENT
    }
}

impl Local {
    /// A message of the prelude.
    fn sent(&self, text: String) {
        if self.mailbox.is_given_up() {
            return;
        }
        match message::read(text, self.answer_bytes) {
            Sent::Answer { call, outcome } => {
                if matches!(&outcome, Err(error) if error.code == ErrorCode::MemoryLimit) {
                    self.out_of_memory.set(true);
                }
                self.mailbox.answer(call, outcome);
            }
            Sent::Effect(effect, question) => self.perform(effect, question),
            Sent::Refused(why, Some(question)) => self.reply(question).send(Err(why)),
            Sent::Refused(why, None) => self.perform(HostCall::Log { level: 0, text: why }, None),
        }
    }

    fn perform(&self, effect: HostCall, question: Option<u64>) {
        if !self.open.get() {
            return self.asleep.borrow_mut().push((effect, question));
        }
        let reply = question.map(|question| {
            let reply = self.reply(question);
            Box::new(move |answer| reply.send(answer)) as crate::engine::Reply
        });
        self.host.perform(effect, reply);
    }

    fn reply(&self, question: u64) -> Question {
        Question { mailbox: Some(self.mailbox.clone()), number: question, most: self.queue_length }
    }

    /// The VM is put to work: what it asked for while it was loaded is performed now.
    fn wake_up(&self) {
        self.open.set(true);
        for (effect, question) in self.asleep.take() {
            self.perform(effect, question);
        }
    }
}

/// A question of the script. Dropped without an answer, it answers with an error.
struct Question {
    mailbox: Option<Arc<Mailbox>>,
    number: u64,
    most: usize,
}

impl Question {
    fn send(mut self, answer: Result<serde_json::Value, String>) {
        self.answer(&answer);
    }

    fn answer(&mut self, answer: &Result<serde_json::Value, String>) {
        if let Some(mailbox) = self.mailbox.take() {
            drop(mailbox.push(Job::Message(message::reply(self.number, answer)), self.most));
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.answer(&Err("the server could not do it".to_owned()));
    }
}

type Entry = (Persistent<Function<'static>>, Persistent<Function<'static>>);

fn load_all(ctx: &Ctx<'_>, program: &Program, limits: &Limits, local: &Rc<Local>) -> rquickjs::Result<Entry> {
    let shared = Object::new(ctx.clone())?;
    shared.set_prototype(None)?;
    shared.set("host", host_functions(ctx, local)?)?;
    shared.set("program", ctx.json_parse(message::program(program, limits))?)?;
    for (name, source) in prelude::FILES {
        let part: Function<'_> = ctx.eval_with_options(*source, script(name, true))?;
        part.call::<_, ()>((shared.clone(),))?;
    }
    let entry: Object<'_> = shared.get("entry")?;
    let globals = ctx.globals();
    globals.set("__ss", entry.get::<_, Object<'_>>("bundle")?)?;
    ctx.eval_with_options::<Value<'_>, _>(program.bundle.as_bytes(), script(&program.bundle_name, false))?;
    globals.remove("__ss")?;
    entry.get::<_, Function<'_>>("load")?.call::<_, ()>(())?;
    let receive: Function<'_> = entry.get("receive")?;
    let owner: Function<'_> = entry.get("owner")?;
    Ok((Persistent::save(ctx, receive), Persistent::save(ctx, owner)))
}

fn script(name: &str, strict: bool) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.strict = strict;
    options.filename = Some(name.replace('\0', ""));
    options
}

/// All that the prelude gets of the host.
fn host_functions<'js>(ctx: &Ctx<'js>, local: &Rc<Local>) -> rquickjs::Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    host.set_prototype(None)?;
    let to = local.clone();
    host.set("send", Function::new(ctx.clone(), move |text: String| to.sent(text))?)?;
    let born = Instant::now();
    host.set("now", Function::new(ctx.clone(), move || born.elapsed().as_secs_f64() * 1000.0)?)?;
    host.set("random", Function::new(ctx.clone(), random_hex)?)?;
    let of = local.clone();
    let timer = move |id: f64, delay_ms: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter of the prelude")]
        let id = id as u64;
        let mut timers = of.timers.borrow_mut();
        if delay_ms < 0.0 {
            timers.clear(id);
        } else {
            timers.set(id, Duration::from_secs_f64(delay_ms / 1000.0));
        }
    };
    host.set("timer", Function::new(ctx.clone(), timer)?)?;
    Ok(host)
}

/// So many random bytes, in hex.
fn random_hex(ctx: Ctx<'_>, bytes: usize) -> rquickjs::Result<String> {
    let mut random = vec![0; bytes.min(65_536)];
    if getrandom::fill(&mut random).is_err() {
        return Err(rquickjs::Exception::throw_internal(&ctx, "the machine gives no random bytes"));
    }
    Ok(random.iter().fold(String::with_capacity(random.len() * 2), |mut text, byte| {
        text.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
        text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        text
    }))
}

/// What a script threw.
struct Thrown {
    message: String,
    stack: Option<String>,
}

impl Thrown {
    fn read(value: &Value<'_>) -> Self {
        let Some(object) = value.as_object() else {
            let text = value.as_string().and_then(|text| text.to_string().ok());
            return Self { message: text.unwrap_or_else(|| value.type_name().to_owned()), stack: None };
        };
        let text = |name: &str| object.get::<_, Option<String>>(name).ok().flatten();
        let message = text("message").unwrap_or_else(|| "an object was thrown".to_owned());
        let name = text("name").unwrap_or_else(|| "Error".to_owned());
        let stack = text("stack").map(|stack| message::app_frames(&format!("{name}: {message}\n{stack}")));
        Self { message, stack }
    }
}

fn interrupted(busy_ms: u64) -> CallError {
    let message = format!("The action kept its engine busy for more than {busy_ms} ms without a pause");
    CallError::new(ErrorCode::Interrupted, message)
}

fn start_error(error: rquickjs::Error) -> EngineError {
    EngineError::Start(error.to_string())
}

fn too_long(limits: &Limits) -> EngineError {
    let message = format!("it took longer than limits.call_timeout_ms ({})", limits.call_timeout_ms);
    EngineError::Load { message, stack: None }
}

fn load_error(ctx: &Ctx<'_>, error: &rquickjs::Error, local: &Local) -> EngineError {
    if !error.is_exception() {
        return EngineError::Load { message: error.to_string(), stack: None };
    }
    let thrown = Thrown::read(&ctx.catch());
    let interrupted = local.watchdog.has_interrupted();
    let message = if interrupted { "it did not end in time".to_owned() } else { thrown.message };
    EngineError::Load { message, stack: thrown.stack }
}
