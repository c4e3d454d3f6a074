//! The helper: one Node.js process that compiles file after file.

use std::{
    io,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;

use super::{
    Limits,
    message::{Answer, Hello, Job},
    node::{self, NodePath},
};
use crate::child::{LineChild, Silence};

/// What it runs.
const PROGRAM: &str = concat!(include_str!("helper.cjs"), include_str!("sass.cjs"));
/// Begins each of its answers; other lines were printed by a package.
const MARK: &str = "\u{1e}ssbuild ";

/// What Node.js may take beside JavaScript's values: its own code, and what it turns texts into.
const OUTSIDE_MIB: u32 = 448;

/// A running helper.
#[derive(Debug)]
pub(super) struct Helper {
    child: LineChild,
    limits: Limits,
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
        let mut program = Command::new(node);
        program
            .arg(format!("--max-old-space-size={}", limits.memory_mib))
            .args(["-e", PROGRAM])
            .current_dir(root)
            // Nothing of the user's environment can change the result, or be read by a package. `HOME` and `PATH` are
            // for version managers, whose `node` is a script.
            .env_clear()
            .envs(std::env::var_os("HOME").map(|home| ("HOME", home)))
            .env("PATH", path.folders())
            .envs([("LC_ALL", "C"), ("TZ", "UTC")]);
        let child = LineChild::start(&mut program, MARK).map_err(Fate::NotStarted)?;
        child.limit_memory(u64::from(limits.memory_mib + OUTSIDE_MIB) << 20);
        let mut helper = Self { child, limits };
        let hello: Hello = helper.hear(Instant::now(), limits.start_deadline_ms)?;
        if !node::is_new_enough(&hello.version) {
            return Err(Fate::TooOld(hello.version));
        }
        Ok(helper)
    }

    /// Has a file compiled. After an error the helper is gone.
    pub(super) fn ask(&mut self, job: &Job<'_>) -> Result<Answer, Fate> {
        let asked = Instant::now();
        match self.child.say(job) {
            Ok(()) => self.hear(asked, self.limits.deadline_ms_of(job.language)),
            Err(silence) => Err(self.fate(silence)),
        }
    }

    fn hear<T: DeserializeOwned>(&mut self, since: Instant, deadline_ms: u64) -> Result<T, Fate> {
        let left = Duration::from_millis(deadline_ms).saturating_sub(since.elapsed());
        let line = self.child.hear(left).map_err(|silence| self.fate(silence))?;
        serde_json::from_str(&line).map_err(|error| self.broken(format!("it does not speak as it should: {error}")))
    }

    fn fate(&mut self, silence: Silence) -> Fate {
        match silence {
            Silence::TimedOut => Fate::TimedOut,
            Silence::TooLong => Fate::TooLong,
            Silence::Unreadable(error) => self.broken(error.to_string()),
            Silence::Closed => self.gone(),
        }
    }

    fn broken(&mut self, said: String) -> Fate {
        // It may have ended already.
        let _ = self.child.end();
        Fate::Died(said)
    }

    /// It closed its pipes.
    fn gone(&mut self) -> Fate {
        let (status, said) = self.child.gone();
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
}
