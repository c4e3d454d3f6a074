//! A body that middleware may read and that may be needed again afterwards.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body_util::StreamBody;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use parking_lot::Mutex;

/// What the middleware reads. It is read from the client only as fast as the middleware does.
pub(super) struct Tee(Arc<Mutex<State>>);

/// What was read, and the rest.
pub(super) struct Kept(Arc<Mutex<State>>);

struct State {
    body: Option<Incoming>,
    seen: Vec<Bytes>,
    room_bytes: usize,
    /// More was read than is kept.
    over: bool,
}

impl Tee {
    pub(super) fn new(body: Incoming, keep_bytes: usize) -> (Kept, Self) {
        let state = State { body: Some(body), seen: Vec::new(), room_bytes: keep_bytes, over: false };
        let state = Arc::new(Mutex::new(state));
        (Kept(Arc::clone(&state)), Self(state))
    }
}

impl Kept {
    /// The body from its beginning; nothing when too much of it was read to be kept. The middleware gets no more.
    pub(super) fn whole(self) -> Option<Body> {
        let mut state = self.0.lock();
        let rest = state.body.take()?;
        let seen = std::mem::take(&mut state.seen);
        if state.over {
            return None;
        }
        if seen.is_empty() {
            return Some(Body::new(rest));
        }
        let seen = futures_util::stream::iter(seen.into_iter().map(|bytes| Ok(Frame::data(bytes))));
        Some(Body::new(StreamBody::new(futures_util::StreamExt::chain(seen, Rest(rest)))))
    }
}

/// A body as a stream of its frames.
struct Rest(Incoming);

impl futures_util::Stream for Rest {
    type Item = Result<Frame<Bytes>, hyper::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_frame(context)
    }
}

impl HttpBody for Tee {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut state = self.0.lock();
        let Some(body) = &mut state.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            if data.len() <= state.room_bytes {
                state.room_bytes -= data.len();
                state.seen.push(data.clone());
            } else {
                // An upload that the middleware takes for itself may be as long as it likes.
                state.over = true;
                state.room_bytes = 0;
                state.seen.clear();
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}
