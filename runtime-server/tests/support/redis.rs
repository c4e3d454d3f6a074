//! A Redis for one test, in a temporary folder, on a unix socket.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use super::client::PATIENCE;

/// A Redis that runs, until it is dropped.
pub(crate) struct Redis {
    folder: TempDir,
    process: Option<Child>,
    options: Vec<String>,
}

impl Redis {
    /// Starts one; fails when there is no `redis-server`.
    pub(crate) fn start() -> Self {
        Self::start_with(Vec::new())
    }

    /// One with further options.
    pub(crate) fn start_with(options: Vec<String>) -> Self {
        let mut redis = Self { folder: tempfile::tempdir().expect("a folder for Redis"), process: None, options };
        redis.run();
        redis
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Starts it again, with what it had on disk.
    pub(crate) fn run(&mut self) {
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "always"])
            .arg("--unixsocket")
            .arg(self.socket())
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.options)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts: is it installed?");
        self.process = Some(process);
        let started = Instant::now();
        while self.cli(&["PING"]) != "PONG" {
            assert!(started.elapsed() < PATIENCE, "redis-server answers");
            std::thread::yield_now();
        }
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().expect("it can be killed");
        process.wait().expect("it ends");
    }

    /// Ends it, and what it had.
    pub(crate) fn lose(&mut self) {
        self.kill();
        std::fs::remove_dir_all(self.folder.path().join("appendonlydir")).expect("its files");
    }

    /// Stops its process or lets it go on: `STOP` or `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").arg(format!("-{name}")).arg(id).status().expect("kill").success());
    }

    /// What `redis-cli` prints.
    pub(crate) fn cli(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli").arg("-s").arg(self.socket()).args(words).output().expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.signal("CONT");
            self.kill();
        }
    }
}
