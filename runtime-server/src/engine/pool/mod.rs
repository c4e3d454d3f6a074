//! The VMs of one program: those at work, the warm spare, and which call goes where. The same for every carrier: a VM
//! is a thread that takes jobs of its mailbox, whatever is behind it.

mod collected;
mod group;
mod job;
mod mailbox;
mod question;
mod started;
mod supervisor;

pub(super) use group::Part;
pub(super) use job::{Answer, Batch, Message, Next};
pub(super) use mailbox::Mailbox;
pub(super) use question::Question;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak, mpsc};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use group::Queued;
use job::Job;
use mailbox::Refused;

use crate::engine::stacks::{MappedHost, Stacks};
use crate::engine::{
    CallContext, CallError, CallGroup, Carrier, ClientEvent, Door, EngineError, ErrorCode, Host, HostCall, Outcome,
    Program, SessionView,
};
use crate::engine::{embedded, message, node};
use crate::limits::Limits;

/// What a thread has beyond the JavaScript stack, in bytes: for the host functions that scripts call at any depth.
const THREAD_MARGIN_BYTES: usize = 2 * 1024 * 1024;

/// Time between two attempts to start a VM in a place where loading failed.
const REVIVE_PAUSE: Duration = Duration::from_secs(1);

/// A loaded VM, on the thread that loaded it.
pub(super) trait Machine {
    /// Does what its mailbox says until it says stop, or until the VM is not fit to go on.
    fn run(&self) -> End;
}

/// Whether a VM is among the first, which the server's start waits for, or is a spare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is put to work as soon as it is loaded.
    First,
    /// It may sleep for long before it is put to work.
    Later,
}

/// Why a VM's thread ended.
pub(super) enum End {
    /// It was told to.
    Stopped,
    /// It cannot go on; the reason is for the log.
    Unfit(&'static str),
}

/// All VMs of one program.
struct Pool {
    program: Program,
    limits: Limits,
    host: Arc<dyn Host>,
    stacks: Arc<Stacks>,
    workers: Vec<Mutex<Arc<Mailbox>>>,
    spare: Mutex<Option<Arc<Mailbox>>>,
    ids: AtomicU64,
    closed: AtomicBool,
    revived: Mutex<Instant>,
    replaced: Mutex<Option<Instant>>,
    /// Where messages to worker processes are carried.
    runtime: Option<Handle>,
    me: Weak<Self>,
}

/// The VMs of one program; the last clone to go stops them.
#[derive(Clone)]
pub(super) struct Vms {
    pool: Arc<Closer>,
}

/// Closes the pool when the last user is gone.
struct Closer(Arc<Pool>);

impl Drop for Closer {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Vms {
    pub(super) fn start(
        program: Program,
        limits: &Limits,
        host: Arc<dyn Host>,
        workers: usize,
    ) -> Result<Self, EngineError> {
        let count = workers.max(1);
        let stacks = Arc::new(Stacks::new(&program.bundle_name, program.map.clone()));
        let host: Arc<dyn Host> = Arc::new(MappedHost { host, stacks: Arc::clone(&stacks) });
        let pool = Arc::new_cyclic(|me| Pool {
            program,
            limits: limits.clone(),
            host,
            stacks,
            workers: (0..count).map(|_| Mutex::new(Arc::new(Mailbox::new()))).collect(),
            spare: Mutex::new(None),
            ids: AtomicU64::new(1),
            closed: AtomicBool::new(false),
            revived: Mutex::new(Instant::now()),
            replaced: Mutex::new(None),
            runtime: Handle::try_current().ok(),
            me: me.clone(),
        });
        let handle = Closer(pool.clone());
        let mut loading = Vec::new();
        for worker in &pool.workers {
            let (loaded, result) = mpsc::channel();
            pool.start_vm(worker.lock().clone(), Some(loaded), Duration::ZERO)?;
            loading.push(result);
        }
        for result in loading {
            let loaded = result.recv().unwrap_or_else(|_| Err(EngineError::Start("its thread ended".to_owned())));
            loaded.map_err(|error| match error {
                EngineError::Load { message, stack } => {
                    EngineError::Load { message, stack: stack.map(|stack| pool.stacks.text(&stack).into_owned()) }
                }
                other => other,
            })?;
        }
        for worker in &pool.workers {
            worker.lock().open();
        }
        let grace = Duration::from_millis(limits.engine_grace_ms);
        supervisor::start(pool.me.clone(), grace).map_err(|error| EngineError::Start(error.to_string()))?;
        Ok(Self { pool: Arc::new(handle) })
    }

    pub(super) async fn run(
        &self,
        context: &CallContext,
        timeout_ms: u64,
        text: impl FnOnce(u64) -> String,
    ) -> Outcome {
        let pool = &self.pool.0;
        let id = pool.ids.fetch_add(1, Ordering::Relaxed);
        let worker = pool.worker_of(context.session.as_ref().map(|session| session.key));
        let (told, answered) = oneshot::channel();
        // A caller that has gone does not want it any more.
        let answer: Answer = Box::new(move |outcome| drop(told.send(outcome)));
        pool.push(worker, Job::Call { id, text: text(id), answer, until: None }).map_err(|(error, _)| error)?;
        // Dropped when the caller goes away or time is up: then the call is forgotten too.
        let mut waiting = Waiting { pool, worker, id, over: false };
        match tokio::time::timeout(Duration::from_millis(timeout_ms), answered).await {
            Ok(Ok(outcome)) => {
                waiting.over = true;
                outcome.map_err(|error| pool.stacks.error(error))
            }
            Ok(Err(_)) => Err(lost()),
            Err(_) => Err(too_late(timeout_ms)),
        }
    }

    /// As [`run`](Self::run) for the calls of a group, which is told what came of each, perhaps at once.
    pub(super) fn start_calls(&self, group: CallGroup) {
        let pool = &self.pool.0;
        let first = pool.ids.fetch_add(group.len() as u64, Ordering::Relaxed);
        let worker = pool.worker_of(group.session);
        let until = Instant::now() + Duration::from_millis(group.timeout_ms);
        let queued = Queued::new(group, first, until, Arc::clone(&pool.stacks));
        if let Err((error, job)) = pool.push(worker, Job::Calls(Part::all(queued))) {
            job.fail(&error);
        }
    }

    pub(super) fn call_timeout_ms(&self) -> u64 {
        self.pool.0.limits.call_timeout_ms
    }

    pub(super) fn disconnected(&self, connection: u64, session: &SessionView) {
        let pool = &self.pool.0;
        let mailbox = pool.workers[pool.worker_of(Some(session.key))].lock().clone();
        mailbox.tell(message::disconnected(connection, session));
    }

    pub(super) fn event(&self, event: ClientEvent, connection: u64, session: &SessionView) {
        let pool = &self.pool.0;
        let mailbox = pool.workers[pool.worker_of(Some(session.key))].lock().clone();
        mailbox.tell(message::event(event, connection, session));
    }

    pub(super) fn has_middleware(&self) -> bool {
        self.pool.0.program.middleware
    }

    /// How the middleware of the next worker in turn is reached; waits while it is being replaced.
    pub(super) async fn door(&self) -> Option<Door> {
        let pool = &self.pool.0;
        if !pool.program.middleware {
            return None;
        }
        if pool.program.carrier == Carrier::Embedded {
            return Some(Door::Messages);
        }
        let turn = pool.ids.fetch_add(1, Ordering::Relaxed) % pool.workers.len() as u64;
        let worker = usize::try_from(turn).expect("less than the number of workers");
        let longest = Duration::from_millis(pool.limits.call_timeout_ms);
        let open = async {
            loop {
                let mailbox = pool.workers[worker].lock().clone();
                match mailbox.listening().await {
                    Some((path, secret)) => return Some(Door::Socket { path, secret }),
                    None if pool.is_closed() => return None,
                    // It was replaced, or could not be.
                    None if Arc::ptr_eq(&mailbox, &pool.workers[worker].lock()) && !pool.revive(worker) => return None,
                    None => {}
                }
            }
        };
        tokio::time::timeout(longest, open).await.ok().flatten()
    }

    pub(super) async fn close(&self) {
        let longest = self.pool.0.limits.call_busy_ms + self.pool.0.limits.engine_grace_ms;
        for mailbox in self.pool.0.close() {
            mailbox.wait_for_end(Duration::from_millis(longest)).await;
        }
    }
}

/// A call whose caller waits.
struct Waiting<'a> {
    pool: &'a Pool,
    worker: usize,
    id: u64,
    over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let mailbox = self.pool.workers[self.worker].lock().clone();
        mailbox.cancel(self.id, || message::end(self.id));
    }
}

impl Pool {
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// One session's calls always go to the same VM; calls without a session to the first.
    fn worker_of(&self, session: Option<u64>) -> usize {
        let count = self.workers.len() as u64;
        session.map_or(0, |key| usize::try_from(key % count).expect("less than the number of workers"))
    }

    /// Gives a call to a VM; gives it back with the reason when none takes it.
    fn push(&self, worker: usize, mut job: Job) -> Result<(), (CallError, Job)> {
        loop {
            if self.is_closed() {
                return Err((shutting_down(), job));
            }
            let mailbox = self.workers[worker].lock().clone();
            match mailbox.push(job, self.limits.calls) {
                Ok(()) => return Ok(()),
                Err(Refused::Full(same)) => {
                    return Err((CallError::new(ErrorCode::Overloaded, "Too many calls wait for the engine"), same));
                }
                // It was replaced in between.
                Err(Refused::Closed(same)) => job = same,
            }
            if Arc::ptr_eq(&mailbox, &self.workers[worker].lock()) && !self.revive(worker) {
                return Err((lost(), job));
            }
        }
    }

    /// Answers the calls whose time is up and that nobody else looks after.
    fn expire(&self) {
        let late = too_late(self.limits.call_timeout_ms);
        for worker in &self.workers {
            let mailbox = worker.lock().clone();
            mailbox.expire(&late, message::end);
        }
    }

    /// Puts a new VM where one could not be loaded any more. Not at once again: it may not load either.
    fn revive(&self, worker: usize) -> bool {
        if self.is_closed() {
            return true;
        }
        let mut revived = self.revived.lock();
        if revived.elapsed() < REVIVE_PAUSE {
            return false;
        }
        *revived = Instant::now();
        let mailbox = Arc::new(Mailbox::new());
        self.start_or_log(&mailbox, Duration::ZERO);
        mailbox.open();
        *self.workers[worker].lock() = mailbox;
        true
    }

    /// Replaces every VM whose task at hand has taken too long.
    fn replace_stuck(&self) {
        for worker in &self.workers {
            let mailbox = worker.lock().clone();
            if mailbox.is_stuck() {
                let reason = match self.program.carrier {
                    Carrier::Embedded => {
                        mailbox.fail_at_hand(CallError::interrupted(self.limits.call_busy_ms));
                        "it was busy with native code that cannot be interrupted"
                    }
                    Carrier::Node { .. } => "its process did not move any more",
                };
                self.replace(&mailbox, reason);
            }
        }
    }

    /// Puts the spare in the place of a VM that cannot go on.
    fn replace(&self, unfit: &Arc<Mailbox>, reason: &str) {
        let Some(worker) = self.workers.iter().find(|worker| Arc::ptr_eq(&*worker.lock(), unfit)) else {
            return self.forget_spare(unfit, reason);
        };
        let mut place = worker.lock();
        if !Arc::ptr_eq(&*place, unfit) || self.is_closed() {
            return;
        }
        let waiting = unfit.give_up();
        let spare = self.spare.lock().take();
        let next = spare.unwrap_or_else(|| {
            let mailbox = Arc::new(Mailbox::new());
            self.start_or_log(&mailbox, Duration::ZERO);
            mailbox
        });
        for job in waiting {
            drop(next.push(job, usize::MAX));
        }
        next.open();
        *place = next;
        drop(place);
        self.log(format!("An engine was replaced: {reason}. What modules kept in memory is lost."));
        self.start_spare();
    }

    fn start_spare(&self) {
        let mut spare = self.spare.lock();
        if spare.is_some() || self.is_closed() {
            return;
        }
        let mailbox = Arc::new(Mailbox::new());
        *spare = Some(mailbox.clone());
        drop(spare);
        self.start_or_log(&mailbox, self.pause());
    }

    /// How long to wait before the next spare is loaded: an app that ends its process again and again must not make the
    /// machine do nothing but start processes.
    fn pause(&self) -> Duration {
        if self.program.carrier == Carrier::Embedded {
            return Duration::ZERO;
        }
        let mut replaced = self.replaced.lock();
        let soon = replaced.is_some_and(|last| last.elapsed() < REVIVE_PAUSE);
        *replaced = Some(Instant::now());
        if soon { REVIVE_PAUSE } else { Duration::ZERO }
    }

    /// The spare has come to an end before it was needed; the next one is loaded when it is.
    fn forget_spare(&self, unfit: &Arc<Mailbox>, reason: &str) {
        let mut spare = self.spare.lock();
        if !spare.as_ref().is_some_and(|spare| Arc::ptr_eq(spare, unfit)) {
            return;
        }
        *spare = None;
        drop(spare);
        unfit.give_up();
        self.log(format!("The spare engine is gone: {reason}."));
    }

    fn start_or_log(&self, mailbox: &Arc<Mailbox>, pause: Duration) {
        if let Err(error) = self.start_vm(mailbox.clone(), None, pause) {
            self.not_started(mailbox, &error);
        }
    }

    /// A VM that should have stood in for another did not come to life.
    fn not_started(&self, mailbox: &Arc<Mailbox>, error: &EngineError) {
        let mut spare = self.spare.lock();
        if spare.as_ref().is_some_and(|spare| Arc::ptr_eq(spare, mailbox)) {
            *spare = None;
        }
        drop(spare);
        fail(mailbox.give_up(), &lost());
        self.log(error.to_string());
    }

    /// Starts a VM's thread, which pauses before it loads; `loaded` is told how loading went.
    fn start_vm(
        &self,
        mailbox: Arc<Mailbox>,
        loaded: Option<mpsc::Sender<Result<(), EngineError>>>,
        pause: Duration,
    ) -> Result<(), EngineError> {
        let (program, limits, host) = (self.program.clone(), self.limits.clone(), self.host.clone());
        let (pool, runtime) = (self.me.clone(), self.runtime.clone());
        let thread = std::thread::Builder::new()
            .name("ss-engine".to_owned())
            .stack_size(limits.engine_stack_bytes.saturating_add(THREAD_MARGIN_BYTES));
        let started = thread.spawn(move || {
            if !pause.is_zero() {
                std::thread::sleep(pause);
            }
            let turn = if loaded.is_some() { Turn::First } else { Turn::Later };
            match load(&program, &limits, host, mailbox.clone(), (turn, runtime.as_ref())) {
                Ok(vm) => {
                    if let Some(loaded) = loaded {
                        drop(loaded.send(Ok(())));
                    }
                    live(&*vm, &mailbox, &pool);
                }
                Err(error) => {
                    if let Some(loaded) = loaded {
                        drop(loaded.send(Err(error)));
                    } else if let Some(pool) = pool.upgrade() {
                        pool.not_started(&mailbox, &error);
                    }
                }
            }
            mailbox.end();
        });
        started.map(drop).map_err(|error| EngineError::Start(error.to_string()))
    }

    /// Ends every VM; calls without an answer fail.
    fn close(&self) -> Vec<Arc<Mailbox>> {
        self.closed.store(true, Ordering::Release);
        let mut mailboxes: Vec<_> = self.workers.iter().map(|worker| worker.lock().clone()).collect();
        mailboxes.extend(self.spare.lock().take());
        for mailbox in &mailboxes {
            fail(mailbox.close(&shutting_down()), &shutting_down());
        }
        mailboxes
    }

    fn log(&self, text: String) {
        self.host.perform(HostCall::Log { level: 0, text }, None);
    }
}

/// Loads a VM of the program's carrier.
fn load(
    program: &Program,
    limits: &Limits,
    host: Arc<dyn Host>,
    mailbox: Arc<Mailbox>,
    (turn, runtime): (Turn, Option<&Handle>),
) -> Result<Box<dyn Machine>, EngineError> {
    Ok(match &program.carrier {
        Carrier::Embedded => Box::new(embedded::Vm::load(program, limits, host, mailbox)?),
        Carrier::Node { command } => {
            let none = || EngineError::Start("worker processes want a tokio runtime".to_owned());
            let runtime = runtime.ok_or_else(none)?;
            Box::new(node::Worker::load(command, program, limits, host, mailbox, (turn, runtime))?)
        }
    })
}

/// The life of a VM that has been loaded.
fn live(vm: &dyn Machine, mailbox: &Arc<Mailbox>, pool: &Weak<Pool>) {
    if let Some(pool) = pool.upgrade() {
        pool.start_spare();
    }
    let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| vm.run()));
    let reason = match end {
        Ok(End::Stopped) => return,
        Ok(End::Unfit(reason)) => reason,
        Err(_) => "its thread panicked",
    };
    if let Some(pool) = pool.upgrade() {
        pool.replace(mailbox, reason);
    }
}

fn fail(jobs: Vec<Job>, error: &CallError) {
    for job in jobs {
        job.fail(error);
    }
}

fn lost() -> CallError {
    CallError::new(ErrorCode::EngineLost, "The engine that had the call is gone")
}

fn too_late(timeout_ms: u64) -> CallError {
    CallError::new(ErrorCode::Timeout, format!("The action did not answer within {timeout_ms} ms"))
}

fn shutting_down() -> CallError {
    CallError::new(ErrorCode::ShuttingDown, "The server is stopping")
}
