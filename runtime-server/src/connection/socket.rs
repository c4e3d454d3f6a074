//! A connection carried by a websocket (RFC 6455).

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as FrameCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Connection;
use super::outbox::Next;
use crate::app::App;
use crate::protocol::CloseCode;
use crate::stream::Stream;

/// Buffers decide what an idle connection costs: the library's own would be 128 KiB each.
const READ_BUFFER_BYTES: usize = 1024;
/// Messages are gathered up to here before they are written at once.
const WRITE_BUFFER_BYTES: usize = 8 * 1024;

/// The socket, and whether our close frame is in it.
struct Wire {
    socket: WebSocketStream<Stream>,
    closed: bool,
}

/// Carries `connection` until it ends. `read` is what had been read behind the handshake.
pub(crate) async fn carry(app: &Arc<App>, connection: &Arc<Connection>, stream: Stream, read: Bytes) {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(Some(app.hub.limits.message_bytes))
        .max_frame_size(Some(app.hub.limits.message_bytes));
    // A copy of the few bytes there may be: taking them as they are would keep the HTTP buffer that they are in.
    let unread = read.to_vec();
    drop(read);
    let socket = WebSocketStream::from_partially_read(stream, unread, Role::Server, Some(config)).await;
    let mut wire = Wire { socket, closed: false };
    loop {
        match poll_fn(|cx| wire.step(connection, cx)).await {
            Some(Ok(Message::Text(text))) => connection.receive(app, &text),
            Some(Ok(Message::Binary(_))) => connection.close(CloseCode::Protocol),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => connection.heard(app),
            Some(Ok(Message::Close(_) | Message::Frame(_))) => {}
            Some(Err(Error::Capacity(_))) => {
                connection.close(CloseCode::TooLarge);
                // Boxed, so that it does not count for all those that never come here.
                return Box::pin(wire.end_deaf(connection)).await;
            }
            Some(Err(_)) | None => return,
        }
    }
}

impl Wire {
    /// Writes what waits, and reads one message; `None` is the end.
    fn step(&mut self, connection: &Connection, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        match self.write(connection, cx) {
            Poll::Ready(Err(GivenUp)) => Poll::Ready(None),
            // Behind our close frame, the peer's own ends the stream.
            Poll::Ready(Ok(())) | Poll::Pending => Pin::new(&mut self.socket).poll_next(cx),
        }
    }

    /// Writes what waits in the outbox; ready when the close frame is out.
    fn write(&mut self, connection: &Connection, cx: &mut Context<'_>) -> Poll<Result<(), GivenUp>> {
        connection.outbox.register(cx.waker());
        if connection.given_up.load(Ordering::Relaxed) {
            return Poll::Ready(Err(GivenUp));
        }
        let mut socket = Pin::new(&mut self.socket);
        while !self.closed {
            ready!(socket.as_mut().poll_ready(cx)).map_err(|_| GivenUp)?;
            let message = match connection.outbox.next() {
                Next::Message(text) => Message::Text(text),
                Next::Close(code) => {
                    self.closed = true;
                    let on_wire = FrameCode::from(code as u16);
                    Message::Close(Some(CloseFrame { code: on_wire, reason: code.reason().into() }))
                }
                Next::Nothing => break,
            };
            socket.as_mut().start_send(message).map_err(|_| GivenUp)?;
        }
        ready!(socket.poll_flush(cx)).map_err(|_| GivenUp)?;
        if self.closed { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Ends a connection whose messages can no longer be told apart: writes the close frame, and reads what still comes
    /// without looking at it, since closing over unread bytes would take the close frame away from the client.
    async fn end_deaf(mut self, connection: &Connection) {
        if poll_fn(|cx| self.write(connection, cx)).await.is_err() {
            return;
        }
        let stream = self.socket.get_mut();
        if stream.shutdown().await.is_err() {
            return;
        }
        let mut unread = [0; 4096];
        poll_fn(|cx| {
            connection.outbox.register(cx.waker());
            while !connection.given_up.load(Ordering::Relaxed) {
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

/// It is of no use to go on: the peer is gone, or takes nothing.
struct GivenUp;
