//! The same connection without a websocket, for networks that let none through: what the server says comes as server-sent
//! events in the answer of one long request, what the client says as requests of their own.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::task::Poll;

use axum::body::Body;
use axum::extract::{Request, State};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use http::{Response, StatusCode};
use parking_lot::Mutex;

use crate::app::App;
use crate::connection::{Carried, Connection};
use crate::http::{PagePost, admit, plain};
use crate::peer::Peer;
use crate::random;

/// For nginx, which would keep the events to itself until there are many.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// What proxies and browsers may hold back at the start of an answer.
const PADDING_BYTES: usize = 2048;
/// Room for the frame around messages, in bytes.
const FRAME_BYTES: usize = 64 * 1024;

/// The connections that are carried so, by the secret that their client was given.
#[derive(Debug, Default)]
pub(crate) struct Fallbacks(Mutex<HashMap<String, Weak<Connection>>>);

/// Ends a connection when its answer is no longer read.
struct Line {
    app: Arc<App>,
    connection: Arc<Connection>,
    token: String,
    _peer: Peer,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.app.fallbacks.0.lock().remove(&self.token);
        self.app.ended(&self.connection);
    }
}

/// `POST /_ss/events`: opens a connection; the answer is what the server says.
pub(crate) async fn events(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let peer = request.extensions().get::<Peer>().expect("every request has its peer").clone();
    let (connection, cookie) = match admit(&app, &peer, request.uri(), request.headers()).await {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let token = random::hex::<16>();
    app.fallbacks.0.lock().insert(token.clone(), Arc::downgrade(&connection));
    let mut first = Some(format!(": {}\n\nevent: open\ndata: {token}\n\n", " ".repeat(PADDING_BYTES)));
    let mut line = Some(Line { app, connection, token, _peer: peer });
    let said = stream::poll_fn(move |cx| {
        if let Some(first) = first.take() {
            return Poll::Ready(Some(Ok::<_, std::convert::Infallible>(Bytes::from(first))));
        }
        let Some(open) = &line else { return Poll::Ready(None) };
        match open.connection.carried(cx.waker()) {
            Carried::Message(text) => Poll::Ready(Some(Ok(event("message", &text)))),
            Carried::Close(code) => {
                line = None;
                let closed =
                    serde_json::to_string(&(code as u16, code.reason())).expect("a number and a text are JSON");
                Poll::Ready(Some(Ok(event("close", &closed))))
            }
            Carried::GivenUp => Poll::Ready(None),
            Carried::Nothing => Poll::Pending,
        }
    });
    let mut response = Response::new(Body::from_stream(said));
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    fields.insert(BUFFERING, HeaderValue::from_static("no"));
    if let Some(cookie) = cookie {
        fields.insert(SET_COOKIE, cookie);
    }
    response
}

fn event(name: &str, data: &str) -> Bytes {
    // A message is one line; were it several, each would have to say so.
    let data = data.replace('\n', "\ndata: ");
    format!("event: {name}\ndata: {data}\n\n").into()
}

/// `POST /_ss/messages`: what the client says, in order.
pub(crate) async fn messages(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    // Within JSON text, a message of JSON text takes up to twice its bytes.
    let most_bytes = app.hub.limits.message_bytes * 2 + FRAME_BYTES;
    let posted = PagePost::read(&app, request, most_bytes, "messages are sent as application/json").await;
    let body = match posted {
        Ok(posted) => posted.body,
        Err(refused) => return refused,
    };
    #[derive(serde::Deserialize)]
    struct Said {
        token: String,
        messages: Vec<String>,
    }
    let Ok(Said { token, messages }) = serde_json::from_slice(&body) else {
        return plain(StatusCode::BAD_REQUEST, "this is no list of messages");
    };
    let connection = app.fallbacks.0.lock().get(&token).and_then(Weak::upgrade);
    let Some(connection) = connection else {
        return plain(StatusCode::GONE, "this connection has ended");
    };
    for message in &messages {
        connection.receive_bounded(&app, message);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
