//! A connection carried by a websocket (RFC 6455).

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as FrameCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Connection;
use super::outbox::Next;
use crate::app::App;
use crate::protocol::{CloseCode, Text};
use crate::stream::Stream;

/// Buffers decide what an idle connection costs: the library's own would be 128 KiB each.
const READ_BUFFER_BYTES: usize = 1024;
/// Messages are gathered up to here before they are written at once.
const WRITE_BUFFER_BYTES: usize = 8 * 1024;

/// Whom a socket belongs to: hears what the client sends, and has what is to be written.
pub(crate) trait Owner {
    /// The largest message that it takes.
    fn message_bytes(&self) -> usize;
    /// A text message arrived.
    fn text(&self, text: &str);
    /// A binary message arrived.
    fn binary(&self, bytes: Bytes);
    /// A ping or pong of the websocket's own arrived.
    fn heard(&self);
    /// Nothing more can be read: the socket ends with this code.
    fn unreadable(&self, code: CloseCode);
    /// `waker` is woken when there is something to write, from now on; an error when the client is not waited for any more.
    fn watch(&self, waker: &Waker) -> Result<(), GivenUp>;
    /// What is to be written next.
    fn next(&self) -> Said;
}

/// What an owner has to say.
#[derive(Debug)]
pub(crate) enum Said {
    Text(Text),
    Binary(Bytes),
    /// The close frame, once, after all messages.
    Close(CloseCode),
    /// Nothing now.
    Nothing,
}

/// It is of no use to go on: the peer is gone, or takes nothing.
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

    fn text(&self, text: &str) {
        self.connection.receive(self.app, text);
    }

    fn binary(&self, _bytes: Bytes) {
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

    fn next(&self) -> Said {
        match self.connection.outbox.next() {
            Next::Message(text) => Said::Text(text),
            Next::Close(code) => Said::Close(code),
            Next::Nothing => Said::Nothing,
        }
    }
}

/// The socket, and whether our close frame is in it.
struct Wire {
    socket: WebSocketStream<Stream>,
    closed: bool,
}

/// Carries what `owner` says and hears until one of the two ends it. `read` is what had been read behind the handshake.
pub(crate) async fn carry(owner: &impl Owner, stream: Stream, read: Bytes) {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(Some(owner.message_bytes()))
        .max_frame_size(Some(owner.message_bytes()));
    // A copy of the few bytes there may be: taking them as they are would keep the HTTP buffer that they are in.
    let unread = read.to_vec();
    drop(read);
    let socket = WebSocketStream::from_partially_read(stream, unread, Role::Server, Some(config)).await;
    let mut wire = Wire { socket, closed: false };
    loop {
        match poll_fn(|cx| wire.step(owner, cx)).await {
            Some(Ok(Message::Text(text))) => owner.text(&text),
            Some(Ok(Message::Binary(bytes))) => owner.binary(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => owner.heard(),
            Some(Ok(Message::Close(_) | Message::Frame(_))) => {}
            Some(Err(error)) => {
                let Some(code) = blame(&error) else { return };
                owner.unreadable(code);
                // Boxed, so that it does not count for all those that never come here.
                return Box::pin(wire.end_deaf(owner)).await;
            }
            None => return,
        }
    }
}

/// What the client is told when its frames cannot be read; `None` when it is gone.
fn blame(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Capacity(_) => Some(CloseCode::TooLarge),
        Error::Utf8(_) => Some(CloseCode::NotUtf8),
        Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake
            | ProtocolError::ReceivedAfterClosing
            | ProtocolError::SendAfterClosing,
        ) => None,
        Error::Protocol(_) => Some(CloseCode::BrokenFrame),
        _ => None,
    }
}

impl Wire {
    /// Writes what waits, and reads one message; `None` is the end.
    fn step(&mut self, owner: &impl Owner, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        match self.write(owner, cx) {
            Poll::Ready(Err(GivenUp)) => Poll::Ready(None),
            // Behind our close frame, the peer's own ends the stream.
            Poll::Ready(Ok(())) | Poll::Pending => Pin::new(&mut self.socket).poll_next(cx),
        }
    }

    /// Writes what waits in the outbox; ready when the close frame is out.
    fn write(&mut self, owner: &impl Owner, cx: &mut Context<'_>) -> Poll<Result<(), GivenUp>> {
        owner.watch(cx.waker())?;
        let mut socket = Pin::new(&mut self.socket);
        while !self.closed {
            ready!(socket.as_mut().poll_ready(cx)).map_err(|_| GivenUp)?;
            let message = match owner.next() {
                Said::Text(text) => Message::Text(text),
                Said::Binary(bytes) => Message::Binary(bytes),
                Said::Close(code) => {
                    self.closed = true;
                    let on_wire = FrameCode::from(code as u16);
                    Message::Close(Some(CloseFrame { code: on_wire, reason: code.reason().into() }))
                }
                Said::Nothing => break,
            };
            socket.as_mut().start_send(message).map_err(|_| GivenUp)?;
        }
        ready!(socket.poll_flush(cx)).map_err(|_| GivenUp)?;
        if self.closed { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Ends a connection whose messages can no longer be told apart: writes the close frame, and reads what still comes
    /// without looking at it, since closing over unread bytes would take the close frame away from the client.
    async fn end_deaf(mut self, owner: &impl Owner) {
        if poll_fn(|cx| self.write(owner, cx)).await.is_err() {
            return;
        }
        let stream = self.socket.get_mut();
        if stream.shutdown().await.is_err() {
            return;
        }
        let mut unread = [0; 4096];
        poll_fn(|cx| {
            while owner.watch(cx.waker()).is_ok() {
                let mut unread = ReadBuf::new(&mut unread);
                match ready!(Pin::new(&mut *stream).poll_read(cx, &mut unread)) {
                    Ok(()) if !unread.filled().is_empty() => {}
                    Ok(()) | Err(_) => break,
                }
            }
            Poll::Ready(())
        })
        .await;
    }
}
