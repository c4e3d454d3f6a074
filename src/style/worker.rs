use std::{
    fmt, io,
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::ExitStatusExt,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    WorkerCommand,
    message::{FromWorker, ToWorker},
};

/// Longest line a worker may answer, in bytes.
const ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// How much of a worker's last words is kept, in bytes.
const STDERR_BYTES: u64 = 64 * 1024;

/// One child process that compiles sheets, one after the other.
pub(super) struct Worker {
    child: Child,
    stdin: Option<ChildStdin>,
    answers: Receiver<io::Result<String>>,
    stderr: Option<JoinHandle<String>>,
}

/// Why a worker did not answer.
#[derive(Debug)]
pub(super) enum Fate {
    /// The system would not start it.
    NotStarted(io::Error),
    /// It was not done in time, and was killed.
    TimedOut,
    /// A signal ended it; the end of what it said.
    Died { said: String },
    /// It answered more than is read, and was killed.
    TooLong,
    /// It ended by itself, or does not speak as it should.
    Broken { status: ExitStatus, said: String },
}

impl Worker {
    /// Starts one that may take so much memory.
    pub(super) fn start(command: &WorkerCommand, memory_bytes: u64) -> Result<Self, Fate> {
        let mut child = Command::new(&command.program)
            .args(&command.args)
            // The allocator would reserve address space as large as the whole limit; so much in KiB does.
            .env("MIMALLOC_ARENA_RESERVE", "65536")
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
            while let Some(line) = read_line(&mut stdout).transpose() {
                let failed = line.is_err();
                if sender.send(line).is_err() || failed {
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
        let mut worker = Self { child, stdin, answers, stderr: Some(stderr) };
        worker.say(&ToWorker::Start { memory_bytes })?;
        Ok(worker)
    }

    /// Says something and waits for the answer, as long as there is time `left`. After an error the worker is gone.
    pub(super) fn ask(&mut self, message: &ToWorker, left: &mut Duration) -> Result<FromWorker, Fate> {
        let asked = Instant::now();
        self.say(message)?;
        let answer = self.answers.recv_timeout(*left);
        *left = left.saturating_sub(asked.elapsed());
        match answer {
            Ok(Ok(line)) => serde_json::from_str(&line).map_err(|_| self.broken(line)),
            Ok(Err(e)) if e.kind() == io::ErrorKind::FileTooLarge => {
                let _ = self.end();
                Err(Fate::TooLong)
            }
            Ok(Err(e)) => Err(self.broken(e.to_string())),
            Err(RecvTimeoutError::Timeout) => {
                let _ = self.end();
                Err(Fate::TimedOut)
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.gone()),
        }
    }

    fn say(&mut self, message: &ToWorker) -> Result<(), Fate> {
        let mut line = serde_json::to_vec(message).expect("a message is plain data");
        line.push(b'\n');
        match self.stdin.as_mut().map(|stdin| stdin.write_all(&line)) {
            Some(Ok(())) => Ok(()),
            _ => Err(self.gone()),
        }
    }

    /// It closed its pipes: by itself, or because a signal ended it?
    fn gone(&mut self) -> Fate {
        self.stdin = None;
        let status = self.child.wait();
        let said = self.last_words();
        match status {
            Ok(status) if status.signal().is_some() => Fate::Died { said },
            Ok(status) => Fate::Broken { status, said },
            Err(e) => Fate::NotStarted(e),
        }
    }

    fn broken(&mut self, said: String) -> Fate {
        let said = said.chars().take(200).collect();
        match self.end() {
            Ok(status) => Fate::Broken { status, said },
            Err(e) => Fate::NotStarted(e),
        }
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        self.stdin = None;
        // It may have ended already.
        let _ = self.child.kill();
        self.child.wait()
    }

    fn last_words(&mut self) -> String {
        self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Nobody is left to be told that it cannot be ended.
        let _ = self.end();
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Worker({})", self.child.id())
    }
}

fn read_line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    match from.take(ANSWER_BYTES).read_line(&mut line)? {
        0 => Ok(None),
        _ if line.ends_with('\n') => Ok(Some(line)),
        // Cut off: the worker ended in the middle of it, which its status will tell.
        n if (n as u64) < ANSWER_BYTES => Ok(None),
        _ => Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than 64 MiB")),
    }
}
