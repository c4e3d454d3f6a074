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
        let mut child = Command::new(PROGRAM)
            .arg("serve")
            .arg(root)
            .args(["--port", "0", "--host", "127.0.0.1"])
            .env_remove("SS_ENV")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.trim().strip_prefix("serving on http://").map(str::to_owned))
            .expect("it says where it serves");
        Self { child, address }
    }

    /// Sends a request with a JSON body, which may be empty; the whole answer as text.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let address = &self.address;
        let mut stream = TcpStream::connect(address).expect("it listens there");
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .expect("a request");
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
