//! An app that `ssbuild serve` built and serves.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::app::PROGRAM;

/// The running program; killed when this is dropped.
pub(crate) struct Served {
    child: Child,
    address: String,
}

impl Served {
    /// Builds the app in `root` and serves it on a free port.
    pub(crate) fn start(root: &Path) -> Self {
        Self::start_with(root, &[]).unwrap_or_else(|said| panic!("it does not serve: {said}"))
    }

    /// As [`start`](Self::start), with variables of the environment; what it said when it does not serve.
    pub(crate) fn start_with(root: &Path, variables: &[(&str, &str)]) -> Result<Self, String> {
        Self::start_from(root, &[], variables)
    }

    /// As [`start_with`](Self::start_with), with further arguments.
    pub(crate) fn start_from(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Self, String> {
        let mut child = Command::new(PROGRAM)
            .arg("serve")
            .arg(root)
            .args(["--port", "0", "--host", "127.0.0.1"])
            .args(arguments)
            .env_remove("SS_ENV")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let mut errors = child.stderr.take().expect("stderr is piped");
        // Read all the while, so that a program with much to say does not wait for a reader.
        let said = std::thread::spawn(move || {
            let mut said = String::new();
            errors.read_to_string(&mut said).map(|_| said).unwrap_or_else(|error| error.to_string())
        });
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.trim().strip_prefix("serving on http://").map(str::to_owned));
        match address {
            Some(address) => Ok(Self { child, address }),
            None => {
                child.wait().expect("it ends");
                Err(said.join().expect("the thread reads to the end"))
            }
        }
    }

    /// The body of the answer to a call over HTTP.
    pub(crate) fn call(&self, action: &str) -> String {
        let answer = self.ask("GET", &format!("/api/{action}"), "");
        answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("an answer in {answer:?}")).1.to_owned()
    }

    /// Sends a request with a JSON body, which may be empty; the whole answer as text.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let address = &self.address;
        let length = body.len();
        self.send(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Sends a request as it is; the whole answer as text.
    pub(crate) fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens there");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}
