//! The VMs of one program: those at work, the warm spare, and which call goes where.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak, mpsc};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::mailbox::{Job, Mailbox, Refused};
use super::supervisor;
use super::vm::{End, Vm};
use crate::engine::message;
use crate::engine::{CallContext, CallError, EngineError, ErrorCode, Host, HostCall, Outcome, Program, SessionView};
use crate::limits::Limits;

/// What a thread has beyond the JavaScript stack, in bytes: for the host functions that scripts call at any depth.
const THREAD_MARGIN_BYTES: usize = 2 * 1024 * 1024;

/// All VMs of one program.
pub(super) struct Pool {
    program: Program,
    limits: Limits,
    host: Arc<dyn Host>,
    workers: Vec<Mutex<Arc<Mailbox>>>,
    spare: Mutex<Option<Arc<Mailbox>>>,
    ids: AtomicU64,
    closed: AtomicBool,
    me: Weak<Self>,
}

/// The embedded engine.
#[derive(Clone)]
pub(in crate::engine) struct Embedded {
    pool: Arc<Handle>,
}

/// Closes the pool when the last user is gone.
struct Handle(Arc<Pool>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Embedded {
    pub(in crate::engine) fn start(
        program: Program,
        limits: &Limits,
        host: Arc<dyn Host>,
        workers: usize,
    ) -> Result<Self, EngineError> {
        let count = workers.max(1);
        let pool = Arc::new_cyclic(|me| Pool {
            program,
            limits: limits.clone(),
            host,
            workers: (0..count).map(|_| Mutex::new(Arc::new(Mailbox::new()))).collect(),
            spare: Mutex::new(None),
            ids: AtomicU64::new(1),
            closed: AtomicBool::new(false),
            me: me.clone(),
        });
        let handle = Handle(pool.clone());
        let mut loading = Vec::new();
        for worker in &pool.workers {
            let (loaded, result) = mpsc::channel();
            pool.start_vm(worker.lock().clone(), Some(loaded))?;
            loading.push(result);
        }
        for result in loading {
            result.recv().unwrap_or_else(|_| Err(EngineError::Start("its thread ended".to_owned())))?;
        }
        for worker in &pool.workers {
            worker.lock().open();
        }
        pool.start_spare();
        let grace = Duration::from_millis(limits.engine_grace_ms);
        supervisor::start(pool.me.clone(), grace).map_err(|error| EngineError::Start(error.to_string()))?;
        Ok(Self { pool: Arc::new(handle) })
    }

    pub(in crate::engine) async fn run(
        &self,
        context: &CallContext,
        timeout_ms: u64,
        text: impl FnOnce(u64) -> String,
    ) -> Outcome {
        let pool = &self.pool.0;
        let id = pool.ids.fetch_add(1, Ordering::Relaxed);
        let worker = pool.worker_of(context.session.as_ref());
        let (answer, answered) = oneshot::channel();
        pool.push(worker, Job::Call { id, text: text(id), answer })?;
        // Dropped early when the caller goes away: then the call is forgotten too.
        let waiting = Waiting { pool, worker, id };
        match tokio::time::timeout(Duration::from_millis(timeout_ms), answered).await {
            Ok(Ok(outcome)) => {
                std::mem::forget(waiting);
                outcome
            }
            Ok(Err(_)) => Err(CallError::new(ErrorCode::EngineLost, "The engine that had the call is gone")),
            Err(_) => {
                let message = format!("The action did not answer within {timeout_ms} ms");
                Err(CallError::new(ErrorCode::Timeout, message))
            }
        }
    }

    pub(in crate::engine) fn call_timeout_ms(&self) -> u64 {
        self.pool.0.limits.call_timeout_ms
    }

    pub(in crate::engine) fn disconnected(&self, connection: u64, session: &SessionView) {
        let pool = &self.pool.0;
        let job = Job::Message(message::disconnected(connection, session));
        drop(pool.push(pool.worker_of(Some(session)), job));
    }

    pub(in crate::engine) async fn close(&self) {
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
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mailbox = self.pool.workers[self.worker].lock().clone();
        mailbox.cancel(self.id, || message::end(self.id));
    }
}

impl Pool {
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// One session's calls always go to the same VM; calls without a session to the first.
    fn worker_of(&self, session: Option<&SessionView>) -> usize {
        let count = self.workers.len() as u64;
        session.map_or(0, |session| usize::try_from(session.key % count).expect("less than the number of workers"))
    }

    fn push(&self, worker: usize, mut job: Job) -> Result<(), CallError> {
        loop {
            if self.is_closed() {
                return Err(shutting_down());
            }
            let mailbox = self.workers[worker].lock().clone();
            match mailbox.push(job, self.limits.calls) {
                Ok(()) => return Ok(()),
                Err(Refused::Full) => {
                    return Err(CallError::new(ErrorCode::Overloaded, "Too many calls wait for the engine"));
                }
                // It was replaced in between; its successor stands in its place, or will in a moment.
                Err(Refused::Closed(same)) => job = same,
            }
        }
    }

    /// Replaces every VM whose task at hand has taken too long.
    pub(super) fn replace_stuck(&self) {
        for worker in &self.workers {
            let mailbox = worker.lock().clone();
            if mailbox.is_stuck() {
                self.replace(&mailbox, "it was busy with native code that cannot be interrupted");
            }
        }
    }

    /// Puts the spare in the place of a VM that cannot go on.
    fn replace(&self, unfit: &Arc<Mailbox>, reason: &str) {
        let Some(worker) = self.workers.iter().find(|worker| Arc::ptr_eq(&*worker.lock(), unfit)) else { return };
        let mut place = worker.lock();
        if !Arc::ptr_eq(&*place, unfit) || self.is_closed() {
            return;
        }
        let waiting = unfit.give_up();
        let spare = self.spare.lock().take();
        let next = spare.unwrap_or_else(|| {
            let mailbox = Arc::new(Mailbox::new());
            self.start_or_log(&mailbox);
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
        if spare.is_none() && !self.is_closed() {
            let mailbox = Arc::new(Mailbox::new());
            self.start_or_log(&mailbox);
            *spare = Some(mailbox);
        }
    }

    fn start_or_log(&self, mailbox: &Arc<Mailbox>) {
        if let Err(error) = self.start_vm(mailbox.clone(), None) {
            self.log(error.to_string());
        }
    }

    /// Starts a VM's thread; `loaded` is told how loading went.
    fn start_vm(
        &self,
        mailbox: Arc<Mailbox>,
        loaded: Option<mpsc::Sender<Result<(), EngineError>>>,
    ) -> Result<(), EngineError> {
        let (program, limits, host) = (self.program.clone(), self.limits.clone(), self.host.clone());
        let pool = self.me.clone();
        let thread = std::thread::Builder::new()
            .name("ss-engine".to_owned())
            .stack_size(limits.engine_stack_bytes.saturating_add(THREAD_MARGIN_BYTES));
        let started = thread.spawn(move || {
            let vm = match Vm::load(&program, &limits, host, mailbox.clone()) {
                Ok(vm) => vm,
                Err(error) => {
                    return match loaded {
                        Some(loaded) => drop(loaded.send(Err(error))),
                        None => log_to(&pool, error.to_string()),
                    };
                }
            };
            if let Some(loaded) = loaded {
                drop(loaded.send(Ok(())));
            }
            let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| vm.run()));
            let reason = match end {
                Ok(End::Stopped) => None,
                Ok(End::Unfit(reason)) => Some(reason),
                Err(_) => Some("its thread panicked"),
            };
            if let (Some(reason), Some(pool)) = (reason, pool.upgrade()) {
                pool.replace(&mailbox, reason);
            }
            drop(vm);
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
            for job in mailbox.close(&shutting_down()) {
                if let Job::Call { answer, .. } = job {
                    drop(answer.send(Err(shutting_down())));
                }
            }
        }
        mailboxes
    }

    fn log(&self, text: String) {
        self.host.perform(HostCall::Log { level: 0, text }, None);
    }
}

fn log_to(pool: &Weak<Pool>, text: String) {
    if let Some(pool) = pool.upgrade() {
        pool.log(text);
    }
}

fn shutting_down() -> CallError {
    CallError::new(ErrorCode::ShuttingDown, "The server is stopping")
}
