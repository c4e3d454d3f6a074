//! A page's half of a connection over either way, without any cleverness: what is sent is bytes, what arrives is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::server::{BUILD_ID, Server};
use super::socket::{self, BINARY, CLOSE, END, Frame, Head, Mask, PING, PONG, TEXT};
use crate::support::http::Request;

/// The two ways to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Socket,
    Fallback,
}

/// A connection.
pub(super) struct Page {
    address: SocketAddr,
    patience: Duration,
    line: Line,
    /// Messages of a frame that nobody has asked for yet.
    arrived: VecDeque<Value>,
    pub(super) cookie: Option<String>,
    /// Its client id.
    pub(super) id: String,
    last_call: u64,
}

enum Line {
    Socket(TcpStream),
    Fallback { events: BufReader<TcpStream>, token: String },
}

/// What arrived.
#[derive(Debug, PartialEq)]
pub(super) enum Arrived {
    Message(Value),
    /// A close frame, or the event in its place.
    Closed(u16),
    /// The end, without a word.
    Gone,
}

impl Page {
    /// Connects, and says nothing yet.
    pub(super) async fn open(server: &Server, way: Way, cookie: Option<&str>) -> Self {
        let address = server.address;
        let (line, set) = match way {
            Way::Socket => {
                let (head, stream) = socket::ask(address, &socket::handshake(address, cookie)).await;
                assert_eq!(head.status, 101, "the handshake is accepted");
                (Line::Socket(stream), head.cookie())
            }
            Way::Fallback => {
                let mut stream = TcpStream::connect(address).await.expect("the server listens");
                let cookie = cookie.map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
                let text = format!(
                    "POST /_ss/events HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n{cookie}Content-Length: 0\r\n\r\n"
                );
                stream.write_all(text.as_bytes()).await.expect("it is sent");
                let head = Head::read(&mut stream).await;
                assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
                let mut events = BufReader::new(stream);
                let (name, token) = next_event(&mut events).await.expect("an event");
                assert_eq!(name, "open");
                (Line::Fallback { events, token }, head.cookie())
            }
        };
        let cookie = set.or_else(|| cookie.map(str::to_owned));
        Self {
            address,
            patience: server.patience,
            line,
            arrived: VecDeque::new(),
            cookie,
            id: random_id(),
            last_call: 0,
        }
    }

    /// A page that has been welcomed.
    pub(super) async fn greeted(server: &Server, way: Way, cookie: Option<&str>) -> Self {
        let mut page = Self::open(server, way, cookie).await;
        page.hello(json!(null)).await;
        page.welcome().await;
        page
    }

    /// The same page on a new connection, with what it had reached.
    pub(super) async fn back(self, server: &Server, way: Way, positions: Value) -> (Self, Value) {
        let (id, cookie, last_call) = (self.id.clone(), self.cookie.clone(), self.last_call);
        drop(self);
        let mut page = Self::open(server, way, cookie.as_deref()).await;
        (page.id, page.last_call) = (id, last_call);
        page.hello(positions).await;
        let welcome = page.welcome().await;
        (page, welcome)
    }

    pub(super) async fn hello(&mut self, positions: Value) {
        let hello = json!([0, 1, BUILD_ID, self.id, positions]);
        self.say(&hello).await;
    }

    pub(super) async fn say(&mut self, message: &Value) {
        self.say_text(&message.to_string()).await;
    }

    pub(super) async fn say_text(&mut self, text: &str) {
        match &mut self.line {
            Line::Socket(_) => self.frame(&Frame::text(text)).await,
            Line::Fallback { token, .. } => {
                let body = json!({"token": token, "messages": [text]}).to_string();
                let request = Request::post("/_ss/messages", "application/json", &body);
                let reply = request.header("Origin", &format!("http://{}", self.address)).send(self.address).await;
                assert!(matches!(reply.status, 204 | 410), "{}: {}", reply.status, reply.text());
            }
        }
    }

    /// Sends a frame as clients do.
    pub(super) async fn frame(&mut self, frame: &Frame) {
        self.bytes(&frame.bytes(Mask::Masked)).await;
    }

    /// Sends anything. The server may have closed already; then the next that arrives tells.
    pub(super) async fn bytes(&mut self, bytes: &[u8]) {
        match &mut self.line {
            Line::Socket(stream) => drop(stream.write_all(bytes).await),
            Line::Fallback { .. } => panic!("only a socket has frames"),
        }
    }

    /// What arrives next.
    pub(super) async fn next(&mut self) -> Arrived {
        self.next_within(self.patience).await.unwrap_or_else(|| panic!("nothing arrives"))
    }

    /// What arrives next, if it does in time.
    pub(super) async fn next_within(&mut self, patience: Duration) -> Option<Arrived> {
        tokio::time::timeout(patience, self.read()).await.ok()
    }

    async fn read(&mut self) -> Arrived {
        loop {
            if let Some(message) = self.arrived.pop_front() {
                return Arrived::Message(message);
            }
            let text = match &mut self.line {
                Line::Socket(stream) => {
                    let Some(frame) = Frame::read(stream).await else { return Arrived::Gone };
                    match (frame.first, frame.opcode()) {
                        (first, TEXT) if first == END | TEXT => frame.payload,
                        (_, CLOSE) => {
                            let code = frame.payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                            return Arrived::Closed(code);
                        }
                        (_, PING | PONG) => continue,
                        (_, BINARY) => panic!("a binary frame: {frame:?}"),
                        _ => panic!("not a frame that the server sends: {frame:?}"),
                    }
                }
                Line::Fallback { events, .. } => match next_event(events).await {
                    Some((name, data)) if name == "message" => data.into_bytes(),
                    Some((name, data)) if name == "close" => {
                        let closed: (u16, String) = serde_json::from_str(&data).expect("a code and a reason");
                        return Arrived::Closed(closed.0);
                    }
                    Some((name, _)) => panic!("an event {name}"),
                    None => return Arrived::Gone,
                },
            };
            let messages = text.split(|byte| *byte == b'\n');
            self.arrived.extend(
                messages.map(|line| serde_json::from_slice::<Value>(line).expect("each line of a frame is a message")),
            );
        }
    }

    /// By what the server knows this connection.
    pub(super) fn token(&self) -> String {
        let Line::Fallback { token, .. } = &self.line else { panic!("only the fallback has a token") };
        token.clone()
    }

    /// The next frame, whatever it is.
    pub(super) async fn next_frame(&mut self) -> Frame {
        let Line::Socket(stream) = &mut self.line else { panic!("only a socket has frames") };
        let frame = tokio::time::timeout(self.patience, Frame::read(stream)).await.expect("a frame arrives");
        frame.expect("a frame")
    }

    /// The next message, which must be one.
    pub(super) async fn message(&mut self) -> Value {
        match self.next().await {
            Arrived::Message(message) => message,
            other => panic!("a message was to come, and not {other:?}"),
        }
    }

    /// The welcome, which must be next.
    pub(super) async fn welcome(&mut self) -> Value {
        let welcome = self.message().await;
        assert_eq!(welcome[0], 0, "the welcome is first: {welcome}");
        welcome
    }

    /// The code of the close, past messages.
    pub(super) async fn closed(&mut self) -> u16 {
        loop {
            match self.next().await {
                Arrived::Message(_) => {}
                Arrived::Closed(code) => return code,
                Arrived::Gone => panic!("the connection broke without a close"),
            }
        }
    }

    /// Starts a call; its id.
    pub(super) async fn start(&mut self, action: &str, args: Value) -> u64 {
        self.last_call += 1;
        let id = self.last_call;
        self.say(&json!([1, id, action, args])).await;
        id
    }

    /// The answer of a call; anything else that arrives before is given to `aside`.
    pub(super) async fn answer_past(&mut self, id: u64, aside: &mut Vec<Value>) -> Value {
        loop {
            let message = self.message().await;
            if (message[0] == 1 || message[0] == 2) && message[1] == id {
                return message;
            }
            aside.push(message);
        }
    }

    /// Calls, and gives the whole answer less its id: `[1, value]`, `[1]` or `[2, code, message, retryable]`.
    pub(super) async fn call(&mut self, action: &str, args: Value) -> Value {
        let id = self.start(action, args).await;
        without_id(self.answer_past(id, &mut Vec::new()).await)
    }

    /// Everything that was sent before the pong of a ping.
    pub(super) async fn settle(&mut self) -> Vec<Value> {
        self.say(&json!([2])).await;
        let mut messages = Vec::new();
        loop {
            let message = self.message().await;
            if message == json!([9]) {
                return messages;
            }
            messages.push(message);
        }
    }

    /// Everything that was sent before the answer of one more call: what the server code published before is there.
    pub(super) async fn settle_by_call(&mut self) -> Vec<Value> {
        let id = self.start("app/echo", json!([])).await;
        let mut before = Vec::new();
        self.answer_past(id, &mut before).await;
        before.extend(self.settle().await);
        before
    }
}

/// An answer without its call's id.
pub(super) fn without_id(mut answer: Value) -> Value {
    answer.as_array_mut().expect("a message is an array").remove(1);
    answer
}

/// The next server-sent event: its name and its data.
async fn next_event(events: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let (mut name, mut data) = (String::new(), Vec::new());
    let mut text = String::new();
    loop {
        while let Some((line, rest)) = text.split_once('\n') {
            let (line, rest) = (line.to_owned(), rest.to_owned());
            text = rest;
            match line.split_once(": ") {
                Some(("event", value)) => value.clone_into(&mut name),
                Some(("data", value)) => data.push(value.to_owned()),
                _ if line.is_empty() && !name.is_empty() => {
                    assert!(text.is_empty(), "an event is a chunk: {text:?}");
                    return Some((name, data.join("\n")));
                }
                _ => {}
            }
        }
        text.push_str(&String::from_utf8(chunk(events).await?).expect("events are text"));
    }
}

/// One chunk of an HTTP body; `None` at its end.
async fn chunk(events: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut size = String::new();
    events.read_line(&mut size).await.ok()?;
    let size = usize::from_str_radix(size.trim(), 16).ok()?;
    let mut chunk = vec![0; size + 2];
    events.read_exact(&mut chunk).await.ok()?;
    chunk.truncate(size);
    (size > 0).then_some(chunk)
}

pub(super) fn random_id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
