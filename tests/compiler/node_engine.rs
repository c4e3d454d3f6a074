//! An app whose server code needs Node.js: compiled, and served with Node.js.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use ssbuild_server::manifest::EngineKind;

use crate::app::{App, PROGRAM};

/// `ssbuild serve`, ended with the test.
struct Served {
    child: Child,
    port: u16,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn start(app: &App, variables: &[(&str, &str)]) -> Result<Self, String> {
        let mut command = Command::new(PROGRAM);
        command.arg("serve").arg(app.root()).args(["--host", "127.0.0.1", "--port", "0"]).env_remove("SS_ENV");
        command.envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("ssbuild starts");
        let mut out = BufReader::new(child.stdout.take().expect("its output is piped"));
        let mut said = String::new();
        while out.read_line(&mut said).expect("its output is text") > 0 {
            let port = said.split("localhost:").nth(1).and_then(|rest| rest.split(' ').next());
            if let Some(port) = port.and_then(|port| port.trim().parse().ok()) {
                return Ok(Self { child, port });
            }
        }
        child.stderr.take().expect("its errors are piped").read_to_string(&mut said).expect("its errors are text");
        child.wait().expect("it has ended");
        Err(said)
    }

    /// The body of the answer to a call over HTTP.
    fn call(&self, action: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let head = format!("GET /api/{action} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("it reads");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("it answers");
        reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("an answer in {reply:?}")).1.to_owned()
    }
}

fn app() -> App {
    App::new(&[
        (
            "app/server/app.js",
            "const fs = require('fs');
            exports.actions = {
                exists: (path, cb) => fs.access(path, (error) => cb(!error)),
                version: () => process.versions.node !== undefined,
            };",
        ),
        (
            "app/server/digest.ts",
            "import { createHash } from 'node:crypto';
            import path from 'node:path';
            export const actions = {
                sha1: (text: string) => createHash('sha1').update(text).digest('hex'),
                join: (a: string, b: string) => path.join(a, '..', b),
            };",
        ),
    ])
}

#[test]
fn an_app_that_imports_what_only_node_has_is_served_by_node() {
    let app = app();
    let server = app.built().manifest().server;
    assert_eq!(server.engine, EngineKind::Node);
    assert_eq!(server.engine_reason, "app/server/app.js:1 requires `fs`");
    let served = Served::start(&app, &[]).unwrap_or_else(|said| panic!("Node.js must be installed: {said}"));
    assert_eq!(served.call("app/exists?/dev/null"), "true");
    assert_eq!(served.call("app/exists?/nowhere"), "false");
    assert_eq!(served.call("app/version"), "true");
    assert_eq!(served.call("digest/sha1?abc"), "\"a9993e364706816aba3e25717850c26c9cd0d89d\"");
    assert_eq!(served.call("digest/join?a=x&b=y"), "\"y\"");
}

#[test]
fn without_node_it_says_what_is_missing() {
    let said = Served::start(&app(), &[("SS__SERVER__NODE", "/nowhere/node")]).err().expect("it does not start");
    assert!(said.contains("there is no program `/nowhere/node`"), "{said}");
    assert!(said.contains("needs Node.js 20.19 or newer"), "{said}");
}
