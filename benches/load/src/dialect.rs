//! What is said inside websockets: by ssserve, by Socket.IO 4, and by servers that speak plain JSON.

use std::io::Write as _;
use std::net::SocketAddr;

/// A wire protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Dialect {
    /// `book/src/internals/protocol.md`.
    Ssserve,
    /// Engine.IO 4 over websockets alone, with Socket.IO's packets in it.
    SocketIo,
    /// `[id, action, argument]`, answered by `[id, value]`; events are `[event, params]`.
    Plain,
}

/// A message of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    /// It wants to hear this before anything else.
    Greets(&'a str),
    /// Calls can be made from now on.
    Welcomes,
    /// A call has its answer.
    Answers(u64),
    /// A call has failed.
    Fails(u64, &'a str),
    /// An event, as it came.
    Publishes(&'a str),
    /// It is going away; the client is to come back after so many milliseconds.
    Leaves(u64),
    /// A sign of life that wants this one.
    Pings(&'a str),
    /// Nothing of interest.
    Nothing,
}

impl Dialect {
    /// The request that opens a websocket.
    pub(crate) fn handshake(self, to: SocketAddr) -> String {
        let (path, more) = match self {
            Self::Ssserve => ("/_ss/socket", "Sec-WebSocket-Protocol: ss.1\r\n"),
            Self::SocketIo => ("/socket.io/?EIO=4&transport=websocket", ""),
            Self::Plain => ("/", ""),
        };
        format!(
            "GET {path} HTTP/1.1\r\nHost: {to}\r\nOrigin: http://{to}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c3NidWlsZC1iZW5jaC0wMQ==\r\n{more}\r\n"
        )
    }

    /// What a client says first, unless it waits for the server.
    pub(crate) fn hello(self, client: usize) -> Option<String> {
        match self {
            Self::Ssserve => Some(format!(r#"[0,1,"","{client:032x}",null]"#)),
            Self::SocketIo | Self::Plain => None,
        }
    }

    /// Messages that a client puts into one frame when they leave together; a server does the same.
    pub(crate) fn frame_messages(self) -> usize {
        match self {
            Self::Ssserve => 64,
            Self::SocketIo | Self::Plain => 1,
        }
    }

    /// Whether a server says anything before the first call.
    pub(crate) fn welcomes(self) -> bool {
        self != Self::Plain
    }

    /// Writes a call of an action with one argument, which is JSON.
    pub(crate) fn call(self, into: &mut Vec<u8>, id: u64, action: &str, argument: &str) {
        match self {
            Self::Ssserve => write!(into, r#"[1,{id},"bench/{action}",[{argument}]]"#),
            Self::SocketIo => write!(into, r#"42{id}["{action}",{argument}]"#),
            Self::Plain => write!(into, r#"[{id},"{action}",{argument}]"#),
        }
        .expect("a vector takes all bytes");
    }

    /// Reads a message.
    pub(crate) fn read(self, text: &str) -> Said<'_> {
        let number = |from: &str| {
            let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
            from[..end].parse().unwrap_or(0)
        };
        match self {
            Self::Ssserve => match text.as_bytes() {
                [b'[', b'0', b',', ..] => Said::Welcomes,
                [b'[', b'1', b',', ..] => Said::Answers(number(&text[3..])),
                [b'[', b'2', b',', ..] => Said::Fails(number(&text[3..]), text),
                [b'[', b'3', b',', ..] => Said::Publishes(text),
                [b'[', b'7', b',', ..] => Said::Leaves(number(&text[3..])),
                _ => Said::Nothing,
            },
            Self::SocketIo => match text.as_bytes() {
                [b'0', ..] => Said::Greets("40"),
                [b'4', b'0', ..] => Said::Welcomes,
                [b'4', b'3', ..] => Said::Answers(number(&text[2..])),
                [b'4', b'2', ..] => Said::Publishes(text),
                [b'2', ..] => Said::Pings("3"),
                _ => Said::Nothing,
            },
            Self::Plain => match text.as_bytes() {
                [b'[', b'"', ..] => Said::Publishes(text),
                [b'[', ..] => Said::Answers(number(&text[1..])),
                _ => Said::Nothing,
            },
        }
    }
}
