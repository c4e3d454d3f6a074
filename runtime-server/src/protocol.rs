//! The wire, version 1: what is read from clients and written to them (`book/src/internals/protocol.md`).
//!
//! `testdata/protocol/*.json` holds one example of every message; this file, the client and the book agree with it.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use serde::de::{Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::engine::{CallError, push_number};
use crate::plain;

/// A message of the server: written once, whoever gets it.
pub type Text = Arc<str>;

/// The version spoken.
pub const VERSION: u64 = 1;

/// The sub-protocol that a client must offer in its handshake.
pub const SUBPROTOCOL: &str = "ss.1";

/// Length of a client id, in hex digits.
const CLIENT_ID_DIGITS: usize = 32;

/// A message of a client.
#[derive(Debug)]
pub enum ClientMessage<'a> {
    /// The first one.
    Hello(Hello),
    /// A call of an action.
    Call(CallMessage<'a>),
    /// A sign of life.
    Ping,
    /// In development: what the page has to say to its author.
    Said {
        /// 0 an error, 1 a warning.
        level: u8,
        /// What it says.
        text: String,
    },
}

/// What a client says first.
#[derive(Debug, PartialEq, Eq)]
pub struct Hello {
    /// The build that its page came from.
    pub build_id: String,
    /// The namespace of its call ids.
    pub client_id: ClientId,
    /// What it has reached in each stream; `None` at its first connect.
    pub positions: Option<Vec<Position>>,
}

/// 128 random bits that a page draws when it is loaded.
pub type ClientId = u128;

/// A place in a stream: its wire name, its epoch and the offset of the last event seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(pub String, pub String, pub u64);

/// A call of an action.
#[derive(Debug)]
pub struct CallMessage<'a> {
    /// Unique within the client's id.
    pub id: u64,
    /// Path in the tree.
    pub action: Cow<'a, str>,
    /// A JSON array.
    pub args: &'a str,
    /// How many values that has, where it was seen that all of them are numbers, texts and the like.
    pub values: Option<usize>,
    /// Whether it was sent before, on a connection that broke.
    pub sent: Sent,
    /// Whether the log may show it.
    pub logging: Logging,
}

/// Whether a call that goes well is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logging {
    /// It is.
    Shown,
    /// Its page asked for silence.
    Silent,
}

/// Whether a call is on the wire for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It is.
    First,
    /// It was sent before, on a connection that broke.
    Again,
}

/// Why a text is not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// It is not of this protocol.
    #[error("a message is not of this protocol")]
    Malformed,
    /// The client speaks another version.
    #[error("the client speaks another version of the protocol")]
    Version,
}

/// Codes of the websocket's close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// The client left.
    Normal = 1000,
    /// What arrived is no frame of RFC 6455.
    BrokenFrame = 1002,
    /// A text that is not UTF-8.
    NotUtf8 = 1007,
    /// The server restarts, or the session has changed: come back.
    Restart = 1012,
    /// A message is not of this protocol.
    Protocol = 4000,
    /// The version is not spoken.
    Version = 4001,
    /// A message is too large.
    TooLarge = 4002,
    /// The client's queue is full.
    TooSlow = 4003,
    /// Too many messages.
    TooMany = 4004,
    /// No hello in time.
    NoHello = 4005,
    /// No sign of life in time.
    Idle = 4006,
}

impl CloseCode {
    /// What is said with the code.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Normal => "",
            Self::BrokenFrame => "broken frame",
            Self::NotUtf8 => "not UTF-8",
            Self::Restart => "come back",
            Self::Protocol => "not of this protocol",
            Self::Version => "version not spoken",
            Self::TooLarge => "message too large",
            Self::TooSlow => "too slow",
            Self::TooMany => "too many messages",
            Self::NoHello => "no hello in time",
            Self::Idle => "no ping in time",
        }
    }
}

impl<'a> ClientMessage<'a> {
    /// Reads one message.
    pub fn parse(text: &'a str) -> Result<Self, ProtocolError> {
        if let Some(call) = plain_call(text) {
            return Ok(Self::Call(call));
        }
        match serde_json::from_str(text) {
            Ok(Parsed(Ok(message))) => Ok(message),
            Ok(Parsed(Err(error))) => Err(error),
            Err(_) => Err(ProtocolError::Malformed),
        }
    }
}

/// What comes most, read without looking at each value: `[1,7,"a/b",[…]]`, with a name that has no escapes and nothing
/// behind the arguments. `None` says nothing about any other message.
fn plain_call(text: &str) -> Option<CallMessage<'_>> {
    let rest = text.strip_prefix("[1,")?.strip_suffix(']')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (id, rest) = rest.split_at(digits);
    // A number that JSON may not have, or that does not fit, is seen to elsewhere.
    let id = if id.starts_with('0') { None } else { id.parse().ok() }?;
    let rest = rest.strip_prefix(",\"")?;
    let end = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    let (action, rest) = rest.split_at(end);
    let args = rest.strip_prefix("\",")?;
    let values = plain::array(args);
    if values.is_none() {
        let read: &RawValue = serde_json::from_str(args).ok()?;
        if !args.starts_with('[') || read.get().len() != args.len() {
            return None;
        }
    }
    let action = Cow::Borrowed(action);
    Some(CallMessage { id, action, args, values, sent: Sent::First, logging: Logging::Shown })
}

/// A message, or why a well-formed array is none.
struct Parsed<'a>(Result<ClientMessage<'a>, ProtocolError>);

impl<'de> Deserialize<'de> for Parsed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Positional;

        impl<'de> Visitor<'de> for Positional {
            type Value = Parsed<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array that starts with a kind")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Parsed<'de>, A::Error> {
                let kind: u8 = required(&mut seq)?;
                let parsed = match kind {
                    0 => read_hello(&mut seq)?,
                    1 => Ok(ClientMessage::Call(read_call(&mut seq)?)),
                    2 => Ok(ClientMessage::Ping),
                    3 => Ok(ClientMessage::Said { level: required(&mut seq)?, text: required(&mut seq)? }),
                    _ => Err(ProtocolError::Malformed),
                };
                // Elements that a later version appended.
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Parsed(parsed))
            }
        }

        deserializer.deserialize_seq(Positional)
    }
}

fn read_hello<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<Result<ClientMessage<'de>, ProtocolError>, A::Error> {
    if required::<u64, A>(seq)? != VERSION {
        return Ok(Err(ProtocolError::Version));
    }
    let build_id = required(seq)?;
    let client_id = client_id(&required::<String, A>(seq)?).ok_or_else(|| A::Error::custom("client id"))?;
    let positions = seq.next_element::<Option<Vec<Position>>>()?.flatten();
    Ok(Ok(ClientMessage::Hello(Hello { build_id, client_id, positions })))
}

fn read_call<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<CallMessage<'de>, A::Error> {
    let id = required(seq)?;
    let action = Cow::Owned(required(seq)?);
    let args: &RawValue = required(seq)?;
    let args = args.get();
    let sent = match seq.next_element::<u8>()? {
        None | Some(0) => Sent::First,
        Some(_) => Sent::Again,
    };
    let logging = match seq.next_element::<serde_json::Value>()? {
        Some(flag) if flag == 1 => Logging::Silent,
        _ => Logging::Shown,
    };
    if id == 0 || !args.starts_with('[') {
        return Err(A::Error::custom("call"));
    }
    Ok(CallMessage { id, action, args, values: plain::array(args), sent, logging })
}

fn required<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(seq: &mut A) -> Result<T, A::Error> {
    seq.next_element()?.ok_or_else(|| A::Error::custom("an element is missing"))
}

fn client_id(digits: &str) -> Option<ClientId> {
    let hex = digits.len() == CLIENT_ID_DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit());
    hex.then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

/// The options of a welcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WelcomeOptions {
    /// How often the client should ping, in milliseconds.
    pub heartbeat_ms: u64,
    /// The largest message it may send, in bytes.
    pub message_bytes: usize,
    /// The connection's number.
    pub connection: u64,
    /// Whether the app is being worked on: messages 11 to 13 come, and 3 is read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub develops: bool,
}

/// The first message of the server.
pub fn welcome(build_id: &str, recovered: Option<bool>, positions: &[Position], options: &WelcomeOptions) -> Text {
    format!("[0,{VERSION},{},{},{},{}]", json(build_id), json(&recovered), json(positions), json(options)).into()
}

/// JSON without line feeds, which it can have between tokens only.
fn on_one_line(json: &str) -> Cow<'_, str> {
    match memchr::memchr(b'\n', json.as_bytes()) {
        None => Cow::Borrowed(json),
        Some(_) => Cow::Owned(json.replace('\n', " ")),
    }
}

/// Appends the answer of a call; without a value it is `undefined`.
pub fn push_result(text: &mut String, id: u64, value: Option<&str>) {
    text.push_str("[1,");
    push_number(text, id);
    if let Some(value) = value {
        text.push(',');
        text.push_str(&on_one_line(value));
    }
    text.push(']');
}

/// The failure of a call; its stack is written when it has one.
pub fn error(id: u64, error: &CallError) -> Text {
    let mut text = String::new();
    push_error(&mut text, id, error);
    text.into()
}

/// Appends the failure of a call.
pub fn push_error(text: &mut String, id: u64, error: &CallError) {
    let retryable = u8::from(error.code.retryable());
    write!(text, "[2,{id},{},{},{retryable}", json(error.code.as_str()), json(&error.message))
        .expect("a string takes all text");
    if let Some(stack) = &error.stack {
        write!(text, ",{}", json(stack)).expect("a string takes all text");
    }
    text.push(']');
}

/// The call that a message answers, when it answers one.
pub(crate) fn answers(message: &str) -> Option<u64> {
    let rest = message.strip_prefix("[1,").or_else(|| message.strip_prefix("[2,"))?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

/// What is published: its name and its JSON, written once for all streams and clients.
#[derive(Debug)]
pub struct Event {
    /// As JSON text.
    name: String,
    params: Option<Box<RawValue>>,
    conflate: Option<String>,
}

impl Event {
    /// An event of that name; without `params` they are `undefined`.
    pub fn new(name: &str, params: Option<Box<RawValue>>) -> Self {
        let params = params.map(|params| match on_one_line(params.get()) {
            Cow::Borrowed(_) => params,
            Cow::Owned(text) => RawValue::from_string(text).expect("only space between tokens is another"),
        });
        Self { name: json(name), params, conflate: None }
    }

    /// The same event as the latest of its name and this key: to a client that is slow, it takes the place of one that still
    /// waits.
    pub fn conflated(self, key: Option<String>) -> Self {
        Self { conflate: key, ..self }
    }

    /// Whose place it takes among what waits for one client, when it came through these streams.
    pub(crate) fn place(&self, through: &[(&str, u64)]) -> Option<Arc<str>> {
        let key = self.conflate.as_ref()?;
        let streams: Vec<&str> = through.iter().map(|(stream, _)| *stream).collect();
        Some(json(&(&streams, &self.name, key)).into())
    }

    /// Its parameters as JSON text.
    pub(crate) fn params(&self) -> Option<&str> {
        self.params.as_ref().map(|params| params.get())
    }

    /// Its name and its parameters as elements of a JSON array, as [`Event::from_elements`] takes them.
    pub fn elements(&self) -> String {
        let name = match &self.conflate {
            Some(key) => format!("[{},{}]", self.name, json(key)),
            None => self.name.clone(),
        };
        match &self.params {
            Some(params) => format!("{name},{}", params.get()),
            None => name,
        }
    }

    /// What [`Event::elements`] wrote; `None` when that was something else.
    pub fn from_elements(elements: &[&RawValue]) -> Option<Self> {
        let (name, rest) = elements.split_first()?;
        let (name, conflate): (String, Option<String>) = if name.get().starts_with('[') {
            serde_json::from_str(name.get()).ok()?
        } else {
            (serde_json::from_str(name.get()).ok()?, None)
        };
        Some(Self::new(&name, rest.first().map(|params| (*params).to_owned())).conflated(conflate))
    }

    /// Its length in a message, in bytes, near enough.
    pub fn bytes(&self) -> usize {
        self.name.len() + self.params.as_ref().map_or(0, |params| params.get().len())
    }

    /// The message, as it reaches a client through these streams (wire name and offset).
    pub fn encode(&self, through: &[(&str, u64)]) -> Text {
        let mut text = String::with_capacity(self.bytes() + 32 * through.len());
        match through {
            [(stream, offset)] => write!(text, "[3,{},{offset}", json(stream)),
            many => {
                let (streams, offsets): (Vec<_>, Vec<_>) = many.iter().copied().unzip();
                write!(text, "[3,{},{}", json(&streams), json(&offsets))
            }
        }
        .expect("a string takes all text");
        text.push(',');
        text.push_str(&self.name);
        if let Some(params) = &self.params {
            text.push(',');
            text.push_str(params.get());
        }
        text.push(']');
        text.into()
    }
}

/// The session has this stream from now on, at this position.
pub fn joined(position: &Position) -> Text {
    let Position(stream, epoch, offset) = position;
    format!("[4,{},{},{offset}]", json(stream), json(epoch)).into()
}

/// The session has this stream no longer.
pub fn left(stream: &str) -> Text {
    format!("[5,{}]", json(stream)).into()
}

/// The session has a new id, to be fetched with this ticket.
pub fn ticket(ticket: &str) -> Text {
    format!("[6,{}]", json(ticket)).into()
}

/// Come back after so many milliseconds.
pub fn reconnect(after_ms: u64) -> Text {
    format!("[7,{after_ms}]").into()
}

/// The server now runs that build.
pub fn upgrade(build_id: &str) -> Text {
    format!("[8,{}]", json(build_id)).into()
}

/// The answer of a ping.
pub fn pong() -> Text {
    Text::from("[9]")
}

/// A line for the browser's console.
pub fn log(level: u8, line: &str) -> Text {
    format!("[10,{level},{}]", json(line)).into()
}

/// What turns the page into one of the newest build, in development.
pub fn update(update: &str) -> Text {
    format!("[11,{update}]").into()
}

/// What is wrong with the sources, in development.
pub fn problems(problems: &str) -> Text {
    format!("[12,{problems}]").into()
}

/// An action failed by its own fault, in development.
pub fn failure(problem: &str) -> Text {
    format!("[13,{problem}]").into()
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("strings, numbers and arrays of them are JSON")
}
