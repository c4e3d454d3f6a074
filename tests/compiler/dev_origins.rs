//! The server of `ssbuild watch` and pages of elsewhere: forty origins on the socket, on the HTTP API and on tickets, and hosts of
//! other names.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
};

use crate::{app::App, watch::Program};

/// The status of the answer to one request.
fn status(address: &str, head: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(address).expect("it listens there");
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("a request");
    // An accepted handshake is followed by nothing, and stays open.
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("an answer");
    std::str::from_utf8(&answer).ok().and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect("a status")
}

fn post(path: &str, host: &str, origin: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nContent-Type: application/json\r\nConnection: close"
    )
}

fn handshake(host: &str, origin: &str) -> String {
    format!(
        "GET /_ss/socket HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ss.1"
    )
}

#[test]
fn pages_of_elsewhere_reach_nothing_of_a_developers_server() {
    let app = App::new(&[
        ("app/server/app.js", "exports.actions = { echo: (value) => value };\n"),
        ("config/app.json", "{\"http\": {\"allowed_origins\": [\"https://www.example.test\"]}}"),
    ]);
    let mut program = Program::start(&app.root(), &["--json"]);
    let built: serde_json::Value = serde_json::from_str(&program.says("\"event\":\"build\"")).expect("JSON");
    let port = built["url"].as_str().and_then(|url| url.rsplit(':').next()).expect("a port").to_owned();
    let address = format!("127.0.0.1:{port}");

    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/origins.json");
    let text = std::fs::read_to_string(list).expect("the list is there").replace("PORT", &port);
    let list: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let mut tried = 0;
    for (kind, own) in [("foreign", false), ("own", true)] {
        for origin in list[kind].as_array().expect("a list") {
            let origin = origin.as_str().expect("text");
            let or_refused = |good: u16| if own { good } else { 403 };
            assert_eq!(status(&address, &handshake(&address, origin), ""), or_refused(101), "the socket, {origin:?}");
            let call = post("/api/app/echo", &address, origin);
            assert_eq!(status(&address, &call, "[1]"), or_refused(200), "the API, {origin:?}");
            let ticket = post("/_ss/session", &address, origin);
            assert_eq!(status(&address, &ticket, "{\"ticket\": \"x\"}"), or_refused(400), "a ticket, {origin:?}");
            tried += 1;
        }
    }
    assert_eq!(tried, 40);

    // A foreign name that leads to this machine: its pages would be of the same origin as this server's.
    for host in ["evil.test", &format!("evil.test:{port}"), "localhost.evil.test", "127.0.0.1.evil.test", "192.0.2.1"] {
        let origin = format!("http://{host}");
        assert_eq!(status(&address, &handshake(host, &origin), ""), 421, "the socket at {host}");
        assert_eq!(status(&address, &post("/api/app/echo", host, &origin), "[1]"), 421, "the API at {host}");
        for path in ["/", "/api", "/_ss/dev/x", "/assets/x"] {
            let get = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close");
            assert_eq!(status(&address, &get, ""), 421, "{path} at {host}");
        }
    }
}
