use std::{
    io,
    os::unix::process::ExitStatusExt,
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use super::{
    WorkerCommand,
    message::{FromWorker, ToWorker},
};
use crate::child::{LineChild, Silence};

/// One child process that compiles sheets, one after the other.
#[derive(Debug)]
pub(super) struct Worker(LineChild);

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
        let mut program = Command::new(&command.program);
        // The allocator would reserve address space as large as the whole limit; so much in KiB does.
        program.args(&command.args).env("MIMALLOC_ARENA_RESERVE", "65536");
        let mut worker = Self(LineChild::start(&mut program, "").map_err(Fate::NotStarted)?);
        worker.0.say(&ToWorker::Start { memory_bytes }).map_err(|silence| worker.fate(silence))?;
        Ok(worker)
    }

    /// Says something and waits for the answer, as long as there is time `left`. After an error the worker is gone.
    pub(super) fn ask(&mut self, message: &ToWorker, left: &mut Duration) -> Result<FromWorker, Fate> {
        let (asked, ran) = (Instant::now(), self.0.cpu_time());
        let answer = self.0.say(message).and_then(|()| self.0.hear(*left));
        let ran = self.0.cpu_time().zip(ran).map(|(now, then)| now.saturating_sub(then));
        *left = left.saturating_sub(ran.unwrap_or_else(|| asked.elapsed()));
        let line = answer.map_err(|silence| self.fate(silence))?;
        serde_json::from_str(&line).map_err(|_| self.broken(line))
    }

    fn fate(&mut self, silence: Silence) -> Fate {
        match silence {
            Silence::TimedOut => Fate::TimedOut,
            Silence::TooLong => Fate::TooLong,
            Silence::Unreadable(error) => self.broken(error.to_string()),
            // By itself, or because a signal ended it?
            Silence::Closed => match self.0.gone() {
                (Ok(status), said) if status.signal().is_some() => Fate::Died { said },
                (Ok(status), said) => Fate::Broken { status, said },
                (Err(error), _) => Fate::NotStarted(error),
            },
        }
    }

    fn broken(&mut self, said: String) -> Fate {
        let said = said.chars().take(200).collect();
        match self.0.end() {
            Ok(status) => Fate::Broken { status, said },
            Err(error) => Fate::NotStarted(error),
        }
    }
}
