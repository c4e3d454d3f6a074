//! Servers that break one rule each: a real one, behind something that changes what passes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use super::socket::{BINARY, CLOSE, END, Frame, Mask, TEXT};

macro_rules! broken {
    ($($name:ident $numbers:expr;)*) => {
        /// What is broken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Broken {
            /// Everything passes as it is.
            NotAtAll,
            $($name,)*
        }

        /// Who has to notice: each of these cases fails.
        pub(super) const NOTICED_BY: &[(Broken, &[&str])] = &[$((Broken::$name, &$numbers),)*];
    };
}

broken! {
    // The handshake.
    NoCookie ["W005"];
    AnotherSubProtocol ["W001"];
    AnySubProtocolWillDo ["W002"];
    AnyOriginWillDo ["W004"];
    AnyVersionWillDo ["W003"];
    // The welcome.
    AnotherBuild ["W010"];
    NoOptions ["W010"];
    SomethingBeforeTheWelcome ["W010"];
    TwoWelcomes ["W010"];
    NoWelcome ["W010"];
    // What must end a connection.
    NonsenseIsIgnored ["W020", "W034"];
    BinaryIsIgnored ["W023"];
    LargeIsIgnored ["W024", "W035"];
    AnotherCloseCode ["W011", "W012", "W013", "W020", "W023"];
    OldPagesStay ["W016"];
    NoGoodbye ["W018"];
    // Calls.
    AnAnswerIsLost ["W033", "W042"];
    AnAnswerComesTwice ["W042", "W043"];
    AnswersWaitForEachOther ["W044"];
    AnAnswerToSomethingElse ["W040"];
    NullForUndefined ["W041"];
    UndefinedForNull ["W041"];
    OtherLetters ["W040", "W025"];
    FailuresAreResults ["W046", "W047", "W048"];
    AnotherCode ["W047", "W048", "W049", "W063"];
    RetryForEver ["W046", "W047", "W049"];
    StacksForEverybody ["W046"];
    NoPong ["W029"];
    CallsRunAgain ["W060", "W065"];
    ResentCallsAreForgotten ["W060", "W062"];
    // Events.
    AnEventIsLost ["W072"];
    AnEventComesTwice ["W070", "W072"];
    EventsChangePlaces ["W072"];
    AnOffsetIsWrong ["W070", "W072"];
    EventsForEverybody ["W074"];
    OneForEachStream ["W076"];
    NobodyIsTold ["W073", "W075"];
    NobodyIsToldOfTheEnd ["W073"];
    // After a reconnect.
    EpochsAreForgotten ["W080", "W081"];
    PositionsAreForgotten ["W080"];
    AlwaysRecovered ["W081", "W082"];
    NeverRecovered ["W080"];
    WhatWasMissedIsForgotten ["W080"];
    OldThingsFollow ["W081"];
    // Login.
    NoTicket ["W090"];
    NobodyWaitsForTheTicket ["W090"];
    OtherTabsStay ["W093"];
}

/// What stands between clients and a server.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    pub(super) async fn start(server: SocketAddr, broken: Broken) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port for the test");
        let address = listener.local_addr().expect("an address");
        let everybody = broadcast::Sender::new(1_000);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let connection = Connection { broken, everybody: everybody.clone() };
                tokio::spawn(async move { connection.carry(client, server).await });
            }
        });
        Self { address, accepting }
    }
}

struct Connection {
    broken: Broken,
    /// Events that reach one reach all.
    everybody: broadcast::Sender<String>,
}

impl Connection {
    async fn carry(self, mut client: TcpStream, server: SocketAddr) -> Option<()> {
        let mut server = TcpStream::connect(server).await.ok()?;
        let request = head(&mut client).await?;
        let socket = request.starts_with("GET /_ss/socket ");
        server.write_all(self.request(request).as_bytes()).await.ok()?;
        if socket {
            let answer = head(&mut server).await?;
            let accepted = answer.starts_with("HTTP/1.1 101 ");
            client.write_all(self.answer(answer).as_bytes()).await.ok()?;
            if accepted {
                self.carry_frames(client, server).await;
                return Some(());
            }
        }
        tokio::io::copy_bidirectional(&mut client, &mut server).await.ok();
        Some(())
    }

    fn request(&self, head: String) -> String {
        let host =
            head.split("Host: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap_or_default().to_owned();
        let with = |name: &str, value: &str| {
            let lines = head.trim_end().split("\r\n").filter(|line| !line.starts_with(&format!("{name}: ")));
            format!("{}\r\n{name}: {value}\r\n\r\n", lines.collect::<Vec<_>>().join("\r\n"))
        };
        match self.broken {
            Broken::AnySubProtocolWillDo => with("Sec-WebSocket-Protocol", "ss.1"),
            Broken::AnyOriginWillDo => with("Origin", &format!("http://{host}")),
            Broken::AnyVersionWillDo => with("Sec-WebSocket-Version", "13"),
            _ => head,
        }
    }

    fn answer(&self, head: String) -> String {
        let lines = head.split("\r\n").map(str::to_owned);
        let changed: Vec<String> = match self.broken {
            Broken::NoCookie => lines.filter(|line| !line.to_ascii_lowercase().starts_with("set-cookie:")).collect(),
            Broken::AnotherSubProtocol => lines.map(|line| line.replace("ss.1", "ss.2")).collect(),
            _ => return head,
        };
        changed.join("\r\n")
    }

    async fn carry_frames(self, client: TcpStream, server: TcpStream) {
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        let last_call = Arc::new(AtomicU64::new(0));
        let up = Up { broken: self.broken, last_call: Arc::clone(&last_call) };
        let down = Down::new(self.broken, last_call, self.everybody);
        // When one of them ends, so does the connection.
        tokio::select! {
            () = up.carry(from_client, to_server) => {}
            () = down.carry(from_server, to_client) => {}
        }
    }
}

/// From the client to the server.
struct Up {
    broken: Broken,
    last_call: Arc<AtomicU64>,
}

impl Up {
    async fn carry(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let reads = [
            Broken::NonsenseIsIgnored,
            Broken::BinaryIsIgnored,
            Broken::LargeIsIgnored,
            Broken::CallsRunAgain,
            Broken::ResentCallsAreForgotten,
            Broken::PositionsAreForgotten,
            Broken::NobodyWaitsForTheTicket,
        ];
        if !reads.contains(&self.broken) {
            // As it is, also when it is no frame.
            drop(tokio::io::copy(&mut from, &mut to).await);
            return drop(to.shutdown().await);
        }
        while let Some(frame) = Frame::read(&mut from).await {
            if let Some(frame) = self.frame(frame)
                && to.write_all(&frame.bytes(Mask::Masked)).await.is_err()
            {
                return;
            }
        }
    }

    fn frame(&self, mut frame: Frame) -> Option<Frame> {
        if self.broken == Broken::LargeIsIgnored && frame.payload.len() > 65_536 {
            return None;
        }
        if frame.first == END | TEXT && frame.payload.contains(&b'\n') {
            let lines = frame.payload.split(|byte| *byte == b'\n');
            let lines = lines
                .filter_map(|line| Some(self.message(Frame { first: frame.first, payload: line.to_vec() })?.payload));
            frame.payload = lines.collect::<Vec<_>>().join(&b'\n');
            return Some(frame).filter(|frame| !frame.payload.is_empty());
        }
        self.message(frame)
    }

    /// A frame of one message.
    fn message(&self, mut frame: Frame) -> Option<Frame> {
        let message: Option<Value> = serde_json::from_slice(&frame.payload).ok();
        match self.broken {
            Broken::NonsenseIsIgnored if frame.opcode() == TEXT => {
                message.as_ref().filter(|message| message[0].as_u64().is_some_and(|kind| kind <= 3))?;
            }
            Broken::BinaryIsIgnored if frame.opcode() == BINARY => return None,
            _ => {}
        }
        let Some(mut message) = message.filter(|_| frame.first == END | TEXT) else { return Some(frame) };
        match (self.broken, message[0].as_u64()) {
            // As if each were a new one; the answer gets its number back.
            (Broken::CallsRunAgain, Some(1)) => {
                static CALLS: AtomicU64 = AtomicU64::new(1);
                message[1] = json!(message[1].as_u64().unwrap_or(0) + 1_000 * CALLS.fetch_add(1, Ordering::SeqCst));
            }
            (Broken::ResentCallsAreForgotten, Some(1)) if message[4] == 1 => return None,
            (Broken::PositionsAreForgotten, Some(0)) => message[4] = json!(null),
            (Broken::NobodyWaitsForTheTicket, Some(1)) => {
                self.last_call.store(message[1].as_u64().unwrap_or(0), Ordering::SeqCst);
            }
            _ => return Some(frame),
        }
        frame.payload = message.to_string().into_bytes();
        Some(frame)
    }
}

/// From the server to the client.
struct Down {
    broken: Broken,
    last_call: Arc<AtomicU64>,
    everybody: broadcast::Sender<String>,
    /// Answers and events that have passed.
    answers: u64,
    events: u64,
    /// Waits for the next event.
    held: Option<Value>,
    /// Answers that wait for those of earlier calls.
    waiting: BTreeMap<u64, Value>,
    next_call: u64,
}

impl Down {
    fn new(broken: Broken, last_call: Arc<AtomicU64>, everybody: broadcast::Sender<String>) -> Self {
        Self { broken, last_call, everybody, answers: 0, events: 0, held: None, waiting: BTreeMap::new(), next_call: 1 }
    }

    async fn carry(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut others = self.everybody.subscribe();
        loop {
            let frame = tokio::select! {
                biased;
                // Given up halfway only where events reach everybody, and there frames are small.
                frame = Frame::read(&mut from) => frame,
                Ok(event) = others.recv() => {
                    if to.write_all(&Frame::text(&event).bytes(Mask::Bare)).await.is_err() {
                        return;
                    }
                    continue;
                }
            };
            let Some(frame) = frame else { break };
            for frame in self.frame(frame) {
                if to.write_all(&frame.bytes(Mask::Bare)).await.is_err() {
                    return;
                }
            }
        }
        drop(to.shutdown().await);
    }

    fn frame(&mut self, frame: Frame) -> Vec<Frame> {
        if frame.opcode() == CLOSE {
            let code = frame.payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
            return match self.broken {
                Broken::AnotherCloseCode if code >= 4000 => vec![Frame::close(1000, "")],
                Broken::NoGoodbye if code <= 1001 => vec![],
                Broken::OldPagesStay | Broken::OtherTabsStay if code == 1012 => vec![],
                _ => vec![frame],
            };
        }
        if frame.opcode() != TEXT {
            return vec![frame];
        }
        let lines = frame.payload.split(|byte| *byte == b'\n');
        let messages = lines.map(|line| serde_json::from_slice(line).expect("messages of the server are JSON"));
        let passed: Vec<String> =
            messages.flat_map(|message| self.message(message)).map(|message| message.to_string()).collect();
        // Together, as they came.
        if passed.is_empty() { vec![] } else { vec![Frame::text(&passed.join("\n"))] }
    }

    fn message(&mut self, message: Value) -> Vec<Value> {
        match message[0].as_u64() {
            Some(0) => self.welcome(message),
            Some(1 | 2) => self.answer(message),
            Some(3) => self.event(message),
            Some(4) if self.broken == Broken::NobodyIsTold => vec![],
            Some(5) if self.broken == Broken::NobodyIsToldOfTheEnd => vec![],
            Some(6) if self.broken == Broken::NoTicket => vec![],
            Some(6) if self.broken == Broken::NobodyWaitsForTheTicket => {
                let answer = json!([1, self.last_call.load(Ordering::SeqCst), "ann"]);
                vec![message, answer]
            }
            Some(7) if self.broken == Broken::OtherTabsStay => vec![],
            Some(9) if self.broken == Broken::NoPong => vec![],
            _ => vec![message],
        }
    }

    fn welcome(&self, mut welcome: Value) -> Vec<Value> {
        match self.broken {
            Broken::AnotherBuild => welcome[2] = json!("0000000000000000"),
            Broken::NoOptions => drop(welcome.as_array_mut().expect("an array").pop()),
            Broken::SomethingBeforeTheWelcome => return vec![json!([8, "0000000000000000"]), welcome],
            Broken::TwoWelcomes => return vec![welcome.clone(), welcome],
            Broken::NoWelcome => return vec![],
            Broken::EpochsAreForgotten => {
                for position in welcome[4].as_array_mut().expect("positions") {
                    position[1] = json!(super::page::random_id());
                }
            }
            Broken::AlwaysRecovered => welcome[3] = json!(true),
            Broken::NeverRecovered if welcome[3] == true => welcome[3] = json!(false),
            Broken::OldThingsFollow if welcome[3] == false => {
                let old = json!([3, "*", 1, "n", 1]);
                return vec![welcome, old];
            }
            _ => {}
        }
        vec![welcome]
    }

    fn answer(&mut self, mut answer: Value) -> Vec<Value> {
        self.answers += 1;
        let failed = answer[0] == 2;
        match self.broken {
            Broken::AnAnswerIsLost if self.answers.is_multiple_of(5) => return vec![],
            Broken::AnAnswerComesTwice => return vec![answer.clone(), answer],
            Broken::AnswersWaitForEachOther => {
                self.waiting.insert(answer[1].as_u64().unwrap_or(0), answer);
                let mut ready = Vec::new();
                while let Some(next) = self.waiting.remove(&self.next_call) {
                    self.next_call += 1;
                    ready.push(next);
                }
                return ready;
            }
            Broken::AnAnswerToSomethingElse => answer[1] = json!(answer[1].as_u64().unwrap_or(0) + 1),
            Broken::NullForUndefined if !failed && answer.get(2).is_none() => return vec![json!([1, answer[1], null])],
            Broken::UndefinedForNull if answer.get(2) == Some(&json!(null)) => return vec![json!([1, answer[1]])],
            Broken::OtherLetters => {
                let text: String = answer.to_string().chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
                answer = serde_json::from_str(&text).expect("still JSON");
            }
            Broken::FailuresAreResults if failed => return vec![json!([1, answer[1], null])],
            Broken::AnotherCode if failed => answer[2] = json!("action_error"),
            Broken::RetryForEver if failed => answer[4] = json!(1),
            Broken::StacksForEverybody if failed => answer.as_array_mut().expect("an array").push(json!("at app.js:1")),
            Broken::CallsRunAgain => answer[1] = json!(answer[1].as_u64().unwrap_or(0) % 1_000),
            _ => {}
        }
        vec![answer]
    }

    fn event(&mut self, mut event: Value) -> Vec<Value> {
        self.events += 1;
        match self.broken {
            Broken::AnEventIsLost if self.events.is_multiple_of(7) => return vec![],
            Broken::WhatWasMissedIsForgotten if self.events == 1 => return vec![],
            Broken::AnEventComesTwice => return vec![event.clone(), event],
            Broken::EventsChangePlaces if self.events > 3 => {
                return match self.held.take() {
                    Some(held) => vec![event, held],
                    None => {
                        self.held = Some(event);
                        vec![]
                    }
                };
            }
            Broken::AnOffsetIsWrong => event[2] = json!(event[2].as_u64().unwrap_or(0) + 1),
            Broken::EventsForEverybody => {
                // Reaches this one, too.
                drop(self.everybody.send(event.to_string()));
                return vec![];
            }
            Broken::OneForEachStream if event[1].is_array() => {
                let streams = event[1].as_array().cloned().unwrap_or_default();
                let offsets = event[2].as_array().cloned().unwrap_or_default();
                let each = streams.iter().zip(&offsets);
                return each.map(|(stream, offset)| json!([3, stream, offset, event[3], event[4]])).collect();
            }
            _ => {}
        }
        vec![event]
    }
}

/// Reads the head of a request or of an answer.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(bytes).ok()
}
