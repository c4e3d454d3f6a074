//! A connection carried by a websocket (RFC 6455).
//!
//! Buffers are the thread's, not the connection's: one that says nothing holds none. All messages of a read are taken before
//! the task gives way, and all that wait to be written leave in one write.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};

use super::Connection;
use super::frame::{self, Garbled, Heard, Reader};
use super::outbox::Next;
use crate::app::App;
use crate::calls::Together;
use crate::protocol::{CloseCode, Text};
use crate::stream::Stream;
use crate::wakes::Batch;

/// What is read at once.
const READ_BYTES: usize = 64 * 1024;
/// What is written at once, and a little more.
const WRITE_BYTES: usize = 64 * 1024;
/// Messages from here on are written from where they are.
const COPIED_BYTES: usize = 16 * 1024;
/// A client that does not take its pongs is not read from beyond this.
const UNREAD_BYTES: usize = 16 * 1024;

/// Whom a socket belongs to: hears what the client sends, and has what is to be written.
pub(crate) trait Owner {
    /// The largest message that it takes.
    fn message_bytes(&self) -> usize;
    /// Whether messages of text are lines, of which a frame may have several.
    const LINES: bool = false;
    /// What it keeps of the messages of one read.
    type Read: Default;
    /// A text message arrived.
    fn text(&self, text: &str, read: &mut Self::Read);
    /// There is no further message for now.
    fn read(&self, _read: Self::Read) {}
    /// A binary message arrived.
    fn binary(&self, bytes: &[u8]);
    /// A ping or pong of the websocket's own arrived.
    fn heard(&self);
    /// Nothing more can be read: the socket ends with this code.
    fn unreadable(&self, code: CloseCode);
    /// `waker` is woken when there is something to write, from now on; an error when the client is not waited for any more.
    fn watch(&self, waker: &Waker) -> Result<(), GivenUp>;
    /// Gives what is to be written, in order, for as long as `more` wants more.
    fn take(&self, more: &mut dyn FnMut(Said) -> bool);
}

/// What an owner has to say.
#[derive(Debug)]
pub(crate) enum Said {
    Text(Text),
    Binary(Bytes),
    /// The close frame, once, after all messages.
    Close(CloseCode),
}

/// It is of no use to go on: the peer is gone, or takes nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GivenUp;

/// A page's connection.
pub(crate) struct Tab<'a> {
    pub(crate) app: &'a Arc<App>,
    pub(crate) connection: &'a Arc<Connection>,
}

impl Owner for Tab<'_> {
    fn message_bytes(&self) -> usize {
        self.app.hub.limits.message_bytes
    }

    const LINES: bool = true;
    type Read = Together;

    fn text(&self, text: &str, read: &mut Together) {
        self.connection.receive_with(self.app, text, read);
    }

    fn read(&self, mut read: Together) {
        read.start(self.app, self.connection);
    }

    fn binary(&self, _bytes: &[u8]) {
        self.connection.close(CloseCode::Protocol);
    }

    fn heard(&self) {
        self.connection.heard(self.app);
    }

    fn unreadable(&self, code: CloseCode) {
        self.connection.close(code);
    }

    fn watch(&self, waker: &Waker) -> Result<(), GivenUp> {
        self.connection.outbox.register(waker);
        if self.connection.given_up.load(Ordering::Relaxed) { Err(GivenUp) } else { Ok(()) }
    }

    fn take(&self, more: &mut dyn FnMut(Said) -> bool) {
        self.connection.outbox.take(|next| {
            more(match next {
                Next::Message(text) => Said::Text(text),
                Next::Close(code) => Said::Close(code),
            })
        });
    }
}

/// What one poll needs.
struct Buffers {
    read: Box<[u8]>,
    write: Vec<u8>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> =
        RefCell::new(Buffers { read: vec![0; READ_BYTES].into(), write: Vec::with_capacity(WRITE_BYTES + COPIED_BYTES) });
}

/// One connection's bytes.
struct Wire {
    stream: Stream,
    reader: Reader,
    /// What the client did not take at once, and pongs; goes before all else.
    out: Vec<u8>,
    /// The payload of a large message, of which so many bytes are written.
    large: Option<(Said, usize)>,
    closing: Closing,
}

/// Who has said goodbye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Nobody,
    /// The client, with this code. What waits for it is still written.
    Client(Option<u16>),
    /// We, as far as it is written or in `out`. What the client says is still read.
    We,
    Both,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nobody is there, or all is said.
    Gone,
    /// The client cannot be understood any more, and is to be told before it goes.
    Deaf,
}

/// Carries what `owner` says and hears until one of the two ends it. `read` is what had been read behind the handshake.
pub(crate) async fn carry(owner: &impl Owner, stream: Stream, read: Bytes) {
    let reader = Reader::new(owner.message_bytes());
    let mut wire = Wire { stream, reader, out: Vec::new(), large: None, closing: Closing::Nobody };
    let first = if read.is_empty() { Ok(()) } else { wire.received(owner, &mut read.to_vec()) };
    // It would keep the HTTP buffer that it is in.
    drop(read);
    let end = match first {
        Ok(()) => poll_fn(|cx| wire.poll(owner, cx)).await,
        Err(end) => end,
    };
    if end == End::Deaf {
        // Boxed, so that it does not count for all those that never come here.
        Box::pin(wire.end_deaf(owner)).await;
    }
}

impl Wire {
    /// Writes what waits, and reads what there is, until there is nothing more to do.
    fn poll(&mut self, owner: &impl Owner, cx: &mut Context<'_>) -> Poll<End> {
        let _batch = Batch::begin();
        BUFFERS.with_borrow_mut(|buffers| {
            loop {
                let written = match self.write(owner, &mut buffers.write, cx) {
                    Poll::Ready(Err(GivenUp)) => return Poll::Ready(End::Gone),
                    written => written.is_ready(),
                };
                match self.closing {
                    Closing::Both if written => return Poll::Ready(End::Gone),
                    // The client says nothing any more. The write that waits wakes us.
                    Closing::Both | Closing::Client(_) => return Poll::Pending,
                    Closing::Nobody | Closing::We if self.out.len() > UNREAD_BYTES => return Poll::Pending,
                    Closing::Nobody | Closing::We => {}
                }
                let mut into = ReadBuf::new(&mut buffers.read);
                match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut into)) {
                    Ok(()) if !into.filled().is_empty() => {}
                    Ok(()) | Err(_) => return Poll::Ready(End::Gone),
                }
                if let Err(end) = self.received(owner, into.filled_mut()) {
                    return Poll::Ready(end);
                }
            }
        })
    }

    /// Bytes have come; an error when nothing more can be made of them.
    fn received<O: Owner>(&mut self, owner: &O, bytes: &mut [u8]) -> Result<(), End> {
        let Self { reader, out, closing, .. } = self;
        let mut together = O::Read::default();
        let read = reader.read(bytes, &mut |heard| match heard {
            Heard::Text(text) => owner.text(text, &mut together),
            Heard::Binary(bytes) => owner.binary(bytes),
            Heard::Ping(payload) => {
                owner.heard();
                if *closing == Closing::Nobody {
                    frame::push_pong(out, payload);
                }
            }
            Heard::Pong => owner.heard(),
            Heard::Close(code) => {
                *closing = if *closing == Closing::We { Closing::Both } else { Closing::Client(code) };
            }
        });
        owner.read(together);
        read.map_err(|why| {
            owner.unreadable(match why {
                Garbled::TooLarge => CloseCode::TooLarge,
                Garbled::NotUtf8 => CloseCode::NotUtf8,
                Garbled::Frame => CloseCode::BrokenFrame,
            });
            End::Deaf
        })
    }

    /// Writes what waits; ready when that is nothing more.
    fn write<O: Owner>(&mut self, owner: &O, batch: &mut Vec<u8>, cx: &mut Context<'_>) -> Poll<Result<(), GivenUp>> {
        owner.watch(cx.waker())?;
        loop {
            while !self.out.is_empty() {
                let count = ready!(poll_write(&mut self.stream, cx, &self.out))?;
                self.out.drain(..count);
            }
            self.out = Vec::new();
            while let Some((said, written)) = &mut self.large {
                let bytes = said.payload();
                *written += ready!(poll_write(&mut self.stream, cx, &bytes[*written..]))?;
                if *written == bytes.len() {
                    self.large = None;
                }
            }
            batch.clear();
            self.gather(owner, batch);
            if batch.is_empty() {
                return Pin::new(&mut self.stream).poll_flush(cx).map_err(|_| GivenUp);
            }
            let mut written = 0;
            while written < batch.len() {
                match poll_write(&mut self.stream, cx, &batch[written..]) {
                    Poll::Ready(count) => written += count?,
                    Poll::Pending => {
                        self.out.extend_from_slice(&batch[written..]);
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    /// Takes what is to be written next. Where the owner's messages are lines, those that wait are one frame.
    fn gather<O: Owner>(&mut self, owner: &O, batch: &mut Vec<u8>) {
        let Self { large, closing, .. } = self;
        if matches!(closing, Closing::We | Closing::Both) {
            return;
        }
        let mut more = true;
        let mut lines = Lines::default();
        owner.take(&mut |said| {
            let bytes = said.payload().len();
            if O::LINES && bytes < COPIED_BYTES && matches!(said, Said::Text(_)) {
                lines.push(batch, said.payload());
                more = batch.len() < WRITE_BYTES;
                return more;
            }
            lines.end(batch);
            match &said {
                Said::Text(_) => frame::push_text_head(batch, bytes),
                Said::Binary(_) => frame::push_binary_head(batch, bytes),
                Said::Close(code) => {
                    frame::push_close(batch, Some(*code as u16), code.reason());
                    *closing = if *closing == Closing::Nobody { Closing::We } else { Closing::Both };
                }
            }
            if bytes < COPIED_BYTES {
                batch.extend_from_slice(said.payload());
            } else {
                *large = Some((said, 0));
            }
            more = large.is_none() && batch.len() < WRITE_BYTES;
            more
        });
        lines.end(batch);
        if let Closing::Client(code) = *closing
            && more
        {
            frame::push_close(batch, code, "");
            *closing = Closing::Both;
        }
    }

    /// Ends a connection whose messages can no longer be told apart: writes the close frame, and reads what still comes
    /// without looking at it, since closing over unread bytes would take the close frame away from the client.
    async fn end_deaf(mut self, owner: &impl Owner) {
        let mut batch = Vec::new();
        if poll_fn(|cx| self.write(owner, &mut batch, cx)).await.is_err() || self.stream.shutdown().await.is_err() {
            return;
        }
        let mut unread = [0; 4096];
        poll_fn(|cx| {
            while owner.watch(cx.waker()).is_ok() {
                let mut unread = ReadBuf::new(&mut unread);
                match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut unread)) {
                    Ok(()) if !unread.filled().is_empty() => {}
                    Ok(()) | Err(_) => break,
                }
            }
            Poll::Ready(())
        })
        .await;
    }
}

/// Messages that are becoming the lines of one frame.
#[derive(Default)]
struct Lines {
    /// Where the frame begins, when there is one.
    from: Option<usize>,
}

impl Lines {
    fn push(&mut self, batch: &mut Vec<u8>, message: &[u8]) {
        match self.from {
            Some(_) => batch.push(b'\n'),
            None => {
                self.from = Some(batch.len());
                batch.extend_from_slice(&[0; frame::MOST_HEAD_BYTES]);
            }
        }
        batch.extend_from_slice(message);
    }

    /// Writes the head, as far as it is needed, and closes the gap.
    fn end(&mut self, batch: &mut Vec<u8>) {
        if let Some(from) = self.from.take() {
            frame::set_text_head(batch, from);
        }
    }
}

impl Said {
    /// What is copied behind its head, when that is not written with it.
    fn payload(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
            Self::Close(_) => &[],
        }
    }
}

fn poll_write(stream: &mut Stream, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, GivenUp>> {
    match ready!(Pin::new(stream).poll_write(cx, bytes)) {
        Ok(count @ 1..) => Poll::Ready(Ok(count)),
        Ok(0) | Err(_) => Poll::Ready(Err(GivenUp)),
    }
}
