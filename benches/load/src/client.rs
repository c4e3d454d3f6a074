use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::time::{Duration, Instant};

use mio::net::TcpStream;

use crate::dialect::{Dialect, Said};
use crate::frame::{self, Kind};
use crate::outbox::Outbox;

/// One connection.
pub(crate) struct Client {
    pub(crate) number: usize,
    pub(crate) stream: TcpStream,
    dialect: Dialect,
    stage: Stage,
    /// To be written at the end of this turn.
    out: Outbox,
    /// The beginning of what has not come whole.
    rest: Vec<u8>,
    last_call: u64,
    /// Calls without an answer, and when they were to be sent.
    waiting: VecDeque<(u64, Instant)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Upgrading,
    Greeting,
    Ready,
}

/// What a client has got.
#[derive(Debug)]
pub(crate) enum Got<'a> {
    /// It can be used from now on.
    Ready,
    /// The answer of a call that was to be sent then, or its failure.
    Answer(Instant, Result<(), &'a str>),
    /// An event.
    Event(&'a str),
    /// The server is going away: the client is to come back after that time.
    Leaves(Duration),
}

impl Client {
    pub(crate) fn new(number: usize, stream: TcpStream, dialect: Dialect, handshake: String) -> Self {
        Self {
            number,
            stream,
            dialect,
            stage: Stage::Upgrading,
            out: Outbox::new(handshake, dialect.frame_messages()),
            rest: Vec::new(),
            last_call: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Queues a call that was to be sent at `due`.
    pub(crate) fn call(&mut self, action: &str, argument: &str, due: Instant) {
        self.last_call += 1;
        self.waiting.push_back((self.last_call, due));
        self.out.message(|into| self.dialect.call(into, self.last_call, action, argument));
    }

    /// When the calls without an answer were to be sent.
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = Instant> {
        self.waiting.iter().map(|(_, due)| *due)
    }

    pub(crate) fn has_output(&self) -> bool {
        !self.out.is_empty()
    }

    /// Writes what is queued, as far as the socket takes it.
    pub(crate) fn write(&mut self) -> Result<(), String> {
        let (bytes, mut from) = (self.out.bytes(), 0);
        while from < bytes.len() {
            match self.stream.write(&bytes[from..]) {
                Ok(count) => from += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => break,
                Err(error) => return Err(format!("a connection cannot be written to: {error}")),
            }
        }
        self.out.wrote(from);
        Ok(())
    }

    /// Reads all that there is, and tells what it was.
    pub(crate) fn read(&mut self, buffer: &mut [u8], got: &mut impl FnMut(&mut Self, Got<'_>)) -> Result<(), String> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err("the server has closed a connection".to_owned()),
                Ok(count) => {
                    self.received(&buffer[..count], got)?;
                    if count < buffer.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => return Ok(()),
                Err(error) => return Err(format!("a connection cannot be read: {error}")),
            }
        }
    }

    fn received(&mut self, bytes: &[u8], got: &mut impl FnMut(&mut Self, Got<'_>)) -> Result<(), String> {
        if self.rest.is_empty() {
            let used = self.consume(bytes, got)?;
            self.rest.extend_from_slice(&bytes[used..]);
        } else {
            let mut rest = std::mem::take(&mut self.rest);
            rest.extend_from_slice(bytes);
            let used = self.consume(&rest, got)?;
            rest.drain(..used);
            if !rest.is_empty() {
                self.rest = rest;
            }
        }
        Ok(())
    }

    fn consume(&mut self, bytes: &[u8], got: &mut impl FnMut(&mut Self, Got<'_>)) -> Result<usize, String> {
        let mut used = 0;
        if self.stage == Stage::Upgrading {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(0) };
            if !bytes.starts_with(b"HTTP/1.1 101 ") {
                return Err(format!("the handshake was refused: {}", String::from_utf8_lossy(bytes)));
            }
            used = end + 4;
            self.stage = Stage::Greeting;
            if let Some(hello) = self.dialect.hello(self.number) {
                self.out.frame(Kind::Text, hello.as_bytes());
            }
            if !self.dialect.welcomes() {
                self.ready(got);
            }
        }
        while let Some((kind, payload, size)) = frame::first(&bytes[used..])? {
            used += size;
            match kind {
                Kind::Text => {
                    let text = std::str::from_utf8(payload).map_err(|error| error.to_string())?;
                    if self.dialect.frame_messages() > 1 {
                        text.split('\n').for_each(|line| self.said(line, got));
                    } else {
                        self.said(text, got);
                    }
                }
                Kind::Ping => self.out.frame(Kind::Pong, payload),
                Kind::Pong => {}
                Kind::Close => {
                    return Err(format!("the server says goodbye: {:?}", String::from_utf8_lossy(payload)));
                }
            }
        }
        Ok(used)
    }

    fn said(&mut self, text: &str, got: &mut impl FnMut(&mut Self, Got<'_>)) {
        match self.dialect.read(text) {
            Said::Greets(reply) | Said::Pings(reply) => self.out.frame(Kind::Text, reply.as_bytes()),
            Said::Welcomes => self.ready(got),
            Said::Answers(id) => self.answered(id, Ok(()), got),
            Said::Fails(id, why) => self.answered(id, Err(why), got),
            Said::Publishes(text) => got(self, Got::Event(text)),
            Said::Leaves(after_ms) => got(self, Got::Leaves(Duration::from_millis(after_ms))),
            Said::Nothing => {}
        }
    }

    fn ready(&mut self, got: &mut impl FnMut(&mut Self, Got<'_>)) {
        if self.stage != Stage::Ready {
            self.stage = Stage::Ready;
            got(self, Got::Ready);
        }
    }

    fn answered(&mut self, id: u64, outcome: Result<(), &str>, got: &mut impl FnMut(&mut Self, Got<'_>)) {
        // Answers mostly come in the order of the calls.
        if let Some(at) = self.waiting.iter().position(|(waiting, _)| *waiting == id)
            && let Some((_, due)) = self.waiting.remove(at)
        {
            got(self, Got::Answer(due, outcome));
        }
    }
}
