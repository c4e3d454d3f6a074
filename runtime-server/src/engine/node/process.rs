//! A process of Node.js: how it is started, what it writes, how it ends.

use std::io::{BufRead as _, BufReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::engine::{EngineError, Host, HostCall};
use crate::limits::Limits;

/// Reads one line of the socket, which holds all else, and evaluates the worker in it.
const BOOT: &str = r#"{
const fs = require("node:fs"), parts = [];
for (let last = 0; last !== 10; ) {
  const part = Buffer.alloc(65536), size = fs.readSync(0, part);
  if (size === 0) process.exit(1);
  parts.push(part.subarray(0, size));
  last = part[size - 1];
}
const boot = JSON.parse(Buffer.concat(parts));
require("node:vm").runInThisContext(boot.worker, { filename: "ss:prelude/worker.js" })(require, boot);
}"#;

/// What the system gives a main thread is rarely less than 8 MiB, of which V8 must not use all.
const STACK_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// V8 does not start with less.
const LEAST_MEMORY_BYTES: usize = 16 * 1024 * 1024;

/// Longest part of a line of output that is logged at once.
const LINE_BYTES: u64 = 64 * 1024;

/// Time for the last output of a process that has ended; others may hold its pipe.
const LAST_OUTPUT: Duration = Duration::from_millis(500);

/// What V8 says of a heap that is full.
const OUT_OF_MEMORY: &str = "heap out of memory";

/// A running process.
pub(super) struct Process {
    child: Child,
    /// Tells at the end of the errors whether memory ran out.
    errors: Receiver<bool>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Process {
    /// Starts one; also returns the server's end of its socket.
    pub(super) fn start(
        command: &str,
        limits: &Limits,
        host: &Arc<dyn Host>,
    ) -> Result<(Self, UnixStream), EngineError> {
        let failed = |error: std::io::Error| EngineError::Start(format!("Node.js cannot be started: {error}"));
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let memory_mb = limits.engine_memory_bytes.max(LEAST_MEMORY_BYTES) / (1024 * 1024);
        let stack_kb = limits.engine_stack_bytes.min(STACK_LIMIT_BYTES) / 1024;
        let mut child = Command::new(command)
            .arg(format!("--max-old-space-size={memory_mb}"))
            .arg(format!("--stack-size={stack_kb}"))
            .args(["-e", BOOT])
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A terminal's Ctrl-C is for the server.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let (end, errors) = mpsc::channel();
        let output = child.stdout.take().expect("its output is piped");
        let host_of_output = host.clone();
        log_lines(output, move |line| log(&host_of_output, 2, line)).map_err(failed)?;
        let output = child.stderr.take().expect("its errors are piped");
        let host_of_errors = host.clone();
        let mut told = Told { out_of_memory: false, end };
        log_lines(output, move |line| {
            told.read(line);
            log(&host_of_errors, 0, line);
        })
        .map_err(failed)?;
        Ok((Self { child, errors }, ours))
    }

    /// Waits for its end, and kills it when that takes too long.
    pub(super) fn wait_for_end(&mut self, longest: Duration) {
        let late = Instant::now() + longest;
        while Instant::now() < late {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill();
    }

    /// Ends it at once.
    pub(super) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it has ended for want of memory.
    pub(super) fn ran_out_of_memory(&self) -> bool {
        self.errors.recv_timeout(LAST_OUTPUT).unwrap_or(false)
    }
}

/// What was seen in the errors of a process; told when there are no more.
struct Told {
    out_of_memory: bool,
    end: mpsc::Sender<bool>,
}

impl Told {
    fn read(&mut self, line: &str) {
        self.out_of_memory |= line.contains(OUT_OF_MEMORY);
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        // Nobody may want to know.
        let _ = self.end.send(self.out_of_memory);
    }
}

fn log(host: &Arc<dyn Host>, level: u8, line: &str) {
    host.perform(HostCall::Log { level, text: line.to_owned() }, None);
}

/// Gives each line to `take`, on a thread of its own.
fn log_lines(output: impl Read + Send + 'static, mut take: impl FnMut(&str) + Send + 'static) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name("ss-engine-log".to_owned());
    let read = move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while matches!(output.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            if !text.is_empty() {
                take(text);
            }
            line.clear();
        }
    };
    thread.spawn(read).map(drop)
}
