//! One worker process, and the thread that looks after it: it starts the process, sleeps while messages are carried, and sees
//! to its end.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::value::RawValue;
use tokio::runtime::Handle;

use super::carrier::{Carrier, Told};
use super::door::HttpDoor;
use super::link::{Farewell, Link};
use super::process::Process;
use crate::engine::pool::{End, Machine, Mailbox, Turn};
use crate::engine::{CallError, ClientEvent, EngineError, ErrorCode, Host, HostCall, Program, message, prelude};
use crate::limits::Limits;

/// Messages sent ahead of those that the worker has begun with: what is lost when it dies without a word.
const MOST_AHEAD: usize = 1024;

/// Time beyond that of its own watcher after which a process that does not move is given up.
const STOPPED: Duration = Duration::from_secs(3);

/// Time for a worker to end in good order.
const FAREWELL: Duration = Duration::from_secs(2);

/// A worker process with the app loaded.
pub(in crate::engine) struct Worker {
    process: Mutex<Process>,
    socket: UnixStream,
    link: Arc<Link>,
    mailbox: Arc<Mailbox>,
    busy_ms: u64,
    runtime: Handle,
    /// Until it is at work.
    carrier: Mutex<Option<Carrier>>,
    _door: Option<HttpDoor>,
}

impl Worker {
    /// Starts a process and evaluates the prelude and the app in it.
    pub(in crate::engine) fn load(
        command: &str,
        program: &Program,
        limits: &Limits,
        host: Arc<dyn Host>,
        mailbox: Arc<Mailbox>,
        (turn, runtime): (Turn, &Handle),
    ) -> Result<Self, EngineError> {
        let door = program.middleware.then(HttpDoor::new).transpose()?;
        let (process, socket) = Process::start(command, limits, &host)?;
        let patience_ms = limits.call_busy_ms + limits.engine_grace_ms;
        let deadline = Instant::now() + Duration::from_millis(limits.call_timeout_ms);
        let (carried, events) = start(&socket, &boot(program, limits, patience_ms, door.as_ref(), turn), deadline)?;
        if !events.is_empty() {
            host.perform(HostCall::WatchEvents { events }, None);
        }
        // The watcher inside goes first, since it knows more, even on a machine that gives it little time.
        let patience = Duration::from_millis(3 * patience_ms) + STOPPED;
        let link =
            Arc::new(Link::new(mailbox.clone(), host, limits.answer_bytes, patience, door.as_ref().map(HttpDoor::way)));
        let failed = |error: std::io::Error| EngineError::Start(error.to_string());
        socket.set_nonblocking(true).map_err(failed)?;
        let carried = {
            let _runtime = runtime.enter();
            tokio::net::UnixStream::from_std(carried).map_err(failed)?
        };
        let most_ahead = limits.calls.clamp(1, MOST_AHEAD);
        let carrier = Carrier::new(carried, link.clone(), mailbox.clone(), most_ahead);
        Ok(Self {
            process: Mutex::new(process),
            socket,
            link,
            mailbox,
            busy_ms: limits.call_busy_ms,
            runtime: runtime.clone(),
            carrier: Mutex::new(Some(carrier)),
            _door: door,
        })
    }

    /// The process is gone: each call that was on it gets what it deserves.
    fn broken(&self) -> &'static str {
        let mut process = self.process.lock();
        process.kill();
        let (farewell, ahead) = self.link.end();
        match farewell {
            Farewell::Stuck(call) => {
                self.mailbox.put_back(ahead);
                self.mailbox.fail(call, CallError::interrupted(self.busy_ms));
                "it was busy for too long"
            }
            Farewell::Ended => {
                self.mailbox.put_back(ahead);
                "its process ended by itself"
            }
            Farewell::None if process.ran_out_of_memory() => {
                let message = "The engine that ran the call had no memory left";
                self.mailbox.fail_started(&CallError::new(ErrorCode::MemoryLimit, message));
                "its memory was full"
            }
            Farewell::None => "its process died",
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Ends the task that reads, even when a process that the app has started holds the other end. It may be closed.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl Machine for Worker {
    fn run(&self) -> End {
        let (tell, told) = mpsc::channel();
        if let Some(carrier) = self.carrier.lock().take() {
            self.runtime.spawn(carrier.carry(tell));
        }
        match told.recv() {
            Ok(Told::Gone) if !self.mailbox.is_given_up() => End::Unfit(self.broken()),
            Ok(Told::Stop) if !self.mailbox.is_given_up() => {
                // Its end of the socket tells it to go; a process that is gone already has none.
                let _ = self.socket.shutdown(Shutdown::Write);
                self.process.lock().wait_for_end(FAREWELL);
                End::Stopped
            }
            // Given up, or whatever runs the tasks of this server is at its own end.
            Ok(_) | Err(mpsc::RecvError) => End::Stopped,
        }
    }
}

/// Everything that a worker is told at its start, as one line.
fn boot(program: &Program, limits: &Limits, patience_ms: u64, door: Option<&HttpDoor>, turn: Turn) -> String {
    let about: Box<RawValue> =
        RawValue::from_string(message::program(program, limits)).expect("the program's message is JSON");
    let boot = Boot {
        worker: include_str!("worker.js"),
        watcher: include_str!("watcher.js"),
        prelude: prelude::node().collect(),
        program: &about,
        bundle: &program.bundle,
        bundle_name: &program.bundle_name,
        patience_ms,
        period_ms: (patience_ms / 8).clamp(5, 250),
        // What start-up code opens would grow old while a spare sleeps.
        load_late: program.start_up && turn == Turn::Later,
        middleware: door.map(|door| Middleware {
            source: include_str!("middleware.js"),
            path: door.path(),
            secret: &door.secret,
        }),
    };
    let mut line = serde_json::to_string(&boot).expect("text and numbers are JSON");
    line.push('\n');
    line
}

#[derive(serde::Serialize)]
struct Boot<'a> {
    worker: &'a str,
    watcher: &'a str,
    prelude: Vec<prelude::File>,
    program: &'a RawValue,
    bundle: &'a str,
    bundle_name: &'a str,
    patience_ms: u64,
    period_ms: u64,
    load_late: bool,
    middleware: Option<Middleware<'a>>,
}

#[derive(serde::Serialize)]
struct Middleware<'a> {
    source: &'a str,
    path: std::path::PathBuf,
    secret: &'a str,
}

/// Sends the boot line and waits until the app is loaded; gives the end to read from, and the events that the app wants to know.
fn start(socket: &UnixStream, boot: &str, deadline: Instant) -> Result<(UnixStream, Vec<ClientEvent>), EngineError> {
    let too_long = || EngineError::Load { message: "it did not end in time".to_owned(), stack: None };
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => too_long(),
        _ => EngineError::Start(format!("the Node.js process was lost while it started: {error}")),
    };
    let left = || Some(deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1)));
    socket.set_write_timeout(left()).map_err(failed)?;
    (&mut &*socket).write_all(boot.as_bytes()).map_err(failed)?;
    let stream = socket.try_clone().map_err(failed)?;
    stream.set_read_timeout(left()).map_err(failed)?;
    let mut line = Vec::new();
    let mut reader = BufReader::new(stream);
    reader.read_until(b'\n', &mut line).map_err(failed)?;
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Told {
        Loaded(Op, Vec<ClientEvent>),
        Broken(Op, String, Option<String>),
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Op {
        Loaded,
        Broken,
    }
    match serde_json::from_slice(&line) {
        Ok(Told::Loaded(Op::Loaded, events)) => Ok((reader.into_inner(), events)),
        Ok(Told::Broken(Op::Broken, message, stack)) => {
            let stack = stack.filter(|stack| !stack.is_empty()).map(|stack| message::app_frames(&stack));
            Err(EngineError::Load { message, stack })
        }
        _ => Err(EngineError::Start("the Node.js process ended while it started; the log has what it said".to_owned())),
    }
}
