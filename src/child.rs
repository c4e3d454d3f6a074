//! A child process that is told things line by line and answers line by line: what runs there may abort, or never end.

use std::{
    fmt, fs, io,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde::Serialize;

/// Longest line that is read, in bytes.
const LINE_BYTES: u64 = 64 * 1024 * 1024;

/// How many times as long as it may run a child may take when it does not get to run.
const PATIENCE: u32 = 6;

/// How much of its last words is kept, in bytes.
const STDERR_BYTES: u64 = 64 * 1024;

/// A running child. It is killed when this is dropped.
pub(crate) struct LineChild {
    child: Child,
    stdin: Option<ChildStdin>,
    answers: Receiver<io::Result<String>>,
    stderr: Option<JoinHandle<String>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Silence {
    /// There was none in time; the child was killed.
    TimedOut,
    /// It was longer than is read; the child was killed.
    TooLong,
    /// It could not be read.
    Unreadable(io::Error),
    /// The child closed its pipes.
    Closed,
}

impl LineChild {
    /// Starts `command`. What it prints in lines that do not begin with `mark` is no answer.
    pub(crate) fn start(command: &mut Command, mark: &'static str) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let (sender, answers) = mpsc::channel();
        // Both threads end with the child: its pipes are closed then.
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            while let Some(answer) = next_answer(&mut stdout, mark).transpose() {
                let failed = answer.is_err();
                if sender.send(answer).is_err() || failed {
                    break;
                }
            }
        });
        let stderr = thread::spawn(move || {
            let mut said = Vec::new();
            let mut stderr = stderr.take(STDERR_BYTES);
            // Half of its last words is better than none.
            let _ = stderr.read_to_end(&mut said);
            let _ = io::copy(&mut stderr.into_inner(), &mut io::sink());
            String::from_utf8_lossy(&said).trim().to_owned()
        });
        Ok(Self { child, stdin, answers, stderr: Some(stderr) })
    }

    /// Limits the memory that it may write to, where the system can do that to another process.
    pub(crate) fn limit_memory(&self, bytes: u64) {
        #[cfg(target_os = "linux")]
        if let Ok(id) = i32::try_from(self.child.id()) {
            // One that has ended already says so when it is heard.
            let _ = rlimit::prlimit(id, rlimit::Resource::DATA, Some((bytes, bytes)), None);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = bytes;
    }

    /// Tells it a message, as one line of JSON.
    pub(crate) fn say(&mut self, message: &impl Serialize) -> Result<(), Silence> {
        let mut line = serde_json::to_vec(message).expect("a message is plain data");
        line.push(b'\n');
        match self.stdin.as_mut().map(|stdin| stdin.write_all(&line)) {
            Some(Ok(())) => Ok(()),
            _ => Err(Silence::Closed),
        }
    }

    /// Waits for its next answer, without the mark. The time is the child's own: while a busy machine lets it run only now and
    /// then, it gets longer, up to [`PATIENCE`] times.
    pub(crate) fn hear(&mut self, within: Duration) -> Result<String, Silence> {
        let (began, ran) = (Instant::now(), self.cpu_time());
        let mut wait = within;
        let silence = loop {
            match self.answers.recv_timeout(wait) {
                Ok(Ok(line)) => return Ok(line),
                Ok(Err(error)) if error.kind() == io::ErrorKind::FileTooLarge => break Silence::TooLong,
                Ok(Err(error)) => return Err(Silence::Unreadable(error)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Silence::Closed),
            }
            let spent = self.cpu_time().zip(ran).map_or(within, |(now, then)| now.saturating_sub(then));
            let left = within.saturating_sub(spent);
            if left.is_zero() || began.elapsed() >= within * PATIENCE {
                break Silence::TimedOut;
            }
            wait = left;
        };
        let _ = self.end();
        Err(silence)
    }

    /// How long the child has run on a processor, when the system says so.
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // Behind the program's name, which may hold anything: fields 14 and 15, in hundredths of a second (proc_pid_stat(5)).
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Duration::from_millis((user + system) * 10))
    }

    /// Waits until it has ended, when it closed its pipes; how, and the end of what it wrote to stderr.
    pub(crate) fn gone(&mut self) -> (io::Result<ExitStatus>, String) {
        self.stdin = None;
        let status = self.child.wait();
        (status, self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default())
    }

    /// Kills it, when it has not ended already.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        self.stdin = None;
        let _ = self.child.kill();
        self.child.wait()
    }
}

impl Drop for LineChild {
    fn drop(&mut self) {
        // Nobody is left to be told that it cannot be ended.
        let _ = self.end();
    }
}

impl fmt::Debug for LineChild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LineChild({})", self.child.id())
    }
}

/// The next line that is an answer; `None` at the end.
fn next_answer(from: &mut impl BufRead, mark: &str) -> io::Result<Option<String>> {
    loop {
        let mut line = Vec::new();
        let read = from.take(LINE_BYTES).read_until(b'\n', &mut line)? as u64;
        if !line.ends_with(b"\n") {
            // Cut off: it ended in the middle of it, which its status will tell.
            return match read {
                LINE_BYTES => Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than 64 MiB")),
                _ => Ok(None),
            };
        }
        if let Some(answer) = line.strip_prefix(mark.as_bytes()) {
            return Ok(Some(String::from_utf8_lossy(answer).into_owned()));
        }
    }
}
