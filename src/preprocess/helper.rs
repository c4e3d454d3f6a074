//! The helper: one Node.js process that compiles file after file.

use std::{
    fmt, io,
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;

use super::{
    Limits,
    message::{Answer, Hello, Job},
    node::{self, NodePath},
};

/// What it runs.
const PROGRAM: &str = include_str!("helper.cjs");
/// Begins each of its answers; other lines were printed by a package.
const MARK: &str = "\u{1e}ssbuild ";
/// Longest line it may answer, in bytes.
const ANSWER_BYTES: u64 = 64 * 1024 * 1024;
/// How much of its last words is kept, in bytes.
const STDERR_BYTES: u64 = 64 * 1024;

/// A running helper.
pub(super) struct Helper {
    child: Child,
    stdin: Option<ChildStdin>,
    answers: Receiver<io::Result<String>>,
    stderr: Option<JoinHandle<String>>,
    deadline: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Fate {
    /// There is no `node`.
    NoNode,
    /// There is one, and the system would not start it.
    NotStarted(io::Error),
    /// There is one, and it is too old.
    TooOld(String),
    /// It was not done in time, and was killed.
    TimedOut,
    /// Its memory was used up.
    OutOfMemory,
    /// It answered more than is read, and was killed.
    TooLong,
    /// It ended; the end of what it said.
    Died(String),
}

impl Helper {
    /// Starts one in the app's folder.
    pub(super) fn start(root: &Path, path: &NodePath, limits: Limits) -> Result<Self, Fate> {
        let node = path.find().ok_or(Fate::NoNode)?;
        let mut child = Command::new(node)
            .arg(format!("--max-old-space-size={}", limits.memory_mib))
            .args(["-e", PROGRAM])
            .current_dir(root)
            // Nothing of the user's environment can change the result, or be read by a package. `HOME` and `PATH` are
            // for version managers, whose `node` is a script.
            .env_clear()
            .envs(std::env::var_os("HOME").map(|home| ("HOME", home)))
            .env("PATH", path.folders())
            .envs([("LC_ALL", "C"), ("TZ", "UTC")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Fate::NotStarted)?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let (sender, answers) = mpsc::channel();
        // Both threads end with the child: its pipes are closed then.
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            while let Some(answer) = next_answer(&mut stdout).transpose() {
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
        let deadline = Duration::from_millis(limits.start_deadline_ms);
        let mut helper = Self { child, stdin, answers, stderr: Some(stderr), deadline };
        let hello: Hello = helper.hear(Instant::now())?;
        if !node::is_new_enough(&hello.version) {
            return Err(Fate::TooOld(hello.version));
        }
        helper.deadline = Duration::from_millis(limits.deadline_ms);
        Ok(helper)
    }

    /// Has a file compiled. After an error the helper is gone.
    pub(super) fn ask(&mut self, job: &Job<'_>) -> Result<Answer, Fate> {
        let asked = Instant::now();
        let mut line = serde_json::to_vec(job).expect("a job is plain data");
        line.push(b'\n');
        match self.stdin.as_mut().map(|stdin| stdin.write_all(&line)) {
            Some(Ok(())) => self.hear(asked),
            _ => Err(self.gone()),
        }
    }

    fn hear<T: DeserializeOwned>(&mut self, since: Instant) -> Result<T, Fate> {
        match self.answers.recv_timeout(self.deadline.saturating_sub(since.elapsed())) {
            Ok(Ok(line)) => serde_json::from_str(&line).map_err(|error| {
                self.end();
                Fate::Died(format!("it does not speak as it should: {error}"))
            }),
            Ok(Err(error)) => {
                self.end();
                let too_long = error.kind() == io::ErrorKind::FileTooLarge;
                Err(if too_long { Fate::TooLong } else { Fate::Died(error.to_string()) })
            }
            Err(RecvTimeoutError::Timeout) => {
                self.end();
                Err(Fate::TimedOut)
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.gone()),
        }
    }

    /// It closed its pipes.
    fn gone(&mut self) -> Fate {
        self.stdin = None;
        let status = self.child.wait();
        let said = self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        // V8 says so and aborts; a system that is short of memory kills without a word.
        let killed = status.as_ref().is_ok_and(|status| status.signal().is_some()) && said.is_empty();
        if said.contains("out of memory") || killed {
            return Fate::OutOfMemory;
        }
        match status {
            Ok(status) if said.is_empty() => Fate::Died(status.to_string()),
            Ok(_) => Fate::Died(said),
            Err(error) => Fate::NotStarted(error),
        }
    }

    fn end(&mut self) {
        self.stdin = None;
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Helper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Helper({})", self.child.id())
    }
}

/// The next line that is an answer; `None` at the end.
fn next_answer(from: &mut impl BufRead) -> io::Result<Option<String>> {
    loop {
        let mut line = Vec::new();
        let read = from.take(ANSWER_BYTES).read_until(b'\n', &mut line)? as u64;
        if read >= ANSWER_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than 64 MiB"));
        }
        if !line.ends_with(b"\n") {
            return Ok(None);
        }
        if let Some(answer) = line.strip_prefix(MARK.as_bytes()) {
            return Ok(Some(String::from_utf8_lossy(answer).into_owned()));
        }
    }
}
