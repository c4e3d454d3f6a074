//! A websocket that says back what it hears, over the same code as every connection of the server: for test suites of the
//! websocket's own protocol, which want an echo.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::task::Waker;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpListener;

use crate::connection::socket::{self, GivenUp, Owner, Said};
use crate::http::{accept_key, plain};
use crate::peer::Patient;
use crate::protocol::CloseCode;
use crate::stream::Stream;

/// How long a client may accept nothing of the handshake's answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Echoes every message of up to `message_bytes`, until the future is dropped.
pub async fn echo(listener: TcpListener, message_bytes: usize) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let stream = TokioIo::new(Patient::new(Stream::Plain(stream), PATIENCE));
        let answer = service_fn(move |request| async move { Ok::<_, Infallible>(answer(request, message_bytes)) });
        tokio::spawn(async move {
            // How a client's connection breaks is of no interest.
            let _ = http1::Builder::new().serve_connection(stream, answer).with_upgrades().await;
        });
    }
}

fn answer(mut request: Request<Incoming>, message_bytes: usize) -> Response<Body> {
    let Some(accept) = accept_key(&request) else {
        return plain(StatusCode::UPGRADE_REQUIRED, "this address wants a websocket of version 13");
    };
    tokio::spawn(carry(hyper::upgrade::on(&mut request), message_bytes));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let fields = response.headers_mut();
    fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
    fields.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

async fn carry(upgrade: OnUpgrade, message_bytes: usize) {
    let Ok(upgraded) = upgrade.await else { return };
    let parts = upgraded.downcast::<TokioIo<Patient>>().expect("every connection of this listener is such a stream");
    let echo = Echo { message_bytes, saying: Mutex::default() };
    socket::carry(&echo, parts.io.into_inner().into_inner(), parts.read_buf).await;
}

/// Has to say what it has heard.
struct Echo {
    message_bytes: usize,
    saying: Mutex<VecDeque<Said>>,
}

impl Echo {
    fn say(&self, said: Said) {
        self.saying.lock().push_back(said);
    }
}

impl Owner for Echo {
    type Read = ();

    fn message_bytes(&self) -> usize {
        self.message_bytes
    }

    fn text(&self, text: &str, _read: &mut ()) {
        self.say(Said::Text(text.into()));
    }

    fn binary(&self, bytes: &[u8]) {
        self.say(Said::Binary(Bytes::copy_from_slice(bytes)));
    }

    fn heard(&self) {}

    fn unreadable(&self, code: CloseCode) {
        self.say(Said::Close(code));
    }

    /// Nobody has to be woken: there is something to say only when something was heard, and then it is asked.
    fn watch(&self, _waker: &Waker) -> Result<(), GivenUp> {
        Ok(())
    }

    fn take(&self, more: &mut dyn FnMut(Said) -> bool) {
        let mut saying = self.saying.lock();
        while saying.pop_front().is_some_and(&mut *more) {}
    }
}
