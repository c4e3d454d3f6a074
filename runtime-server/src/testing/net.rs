//! The network of the browsers in a test: sockets and requests to the private server, with each browser's cookie.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::server::Server;

/// Something for a realm.
#[derive(Debug)]
pub(super) struct Happening {
    pub(super) realm: u64,
    pub(super) kind: &'static str,
    pub(super) id: u64,
    pub(super) value: Given,
    pub(super) more: Option<String>,
}

/// A value for JavaScript.
#[derive(Debug)]
pub(super) enum Given {
    Text(String),
    Number(u16),
    Nothing,
}

/// What a page asks of its socket.
enum Order {
    Send(String),
    Close(u16),
    /// The connection breaks.
    Break,
}

/// Those that are open, by realm and number.
type Sockets = HashMap<(u64, u64), UnboundedSender<Order>>;

/// Shared by the realms of a file.
#[derive(Clone)]
pub(super) struct Net {
    runtime: Handle,
    address: SocketAddr,
    server: Server,
    inbox: Sender<Happening>,
    sockets: Arc<Mutex<Sockets>>,
    /// The session's cookie of each browser.
    jars: Arc<Mutex<Vec<Option<String>>>>,
}

impl Net {
    pub(super) fn new(runtime: Handle, address: SocketAddr, server: Server, inbox: Sender<Happening>) -> Self {
        Self { runtime, address, server, inbox, sockets: Arc::default(), jars: Arc::default() }
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A browser of its own.
    pub(super) fn jar(&self) -> usize {
        let mut jars = self.jars.lock();
        jars.push(None);
        jars.len() - 1
    }

    fn cookie(&self, jar: usize) -> Option<String> {
        self.jars.lock().get(jar).cloned().flatten()
    }

    fn keep(&self, jar: usize, set_cookie: Option<&http::HeaderValue>) {
        let pair = set_cookie.and_then(|value| value.to_str().ok()).and_then(|text| text.split(';').next());
        if let (Some(pair), Some(kept)) = (pair, self.jars.lock().get_mut(jar)) {
            *kept = Some(pair.to_owned());
        }
    }

    fn tell(&self, realm: u64, kind: &'static str, id: u64, value: Given, more: Option<String>) {
        // The file may be done.
        let _ = self.inbox.send(Happening { realm, kind, id, value, more });
    }

    /// Makes a session with a user, whose cookie the browser has from then on.
    pub(super) fn sign_in(&self, question: u64, jar: usize, user: String) {
        let net = self.clone();
        self.runtime.spawn(async move {
            match net.server.sign_in(&user).await {
                Ok(cookie) => {
                    if let Some(kept) = net.jars.lock().get_mut(jar) {
                        *kept = Some(cookie);
                    }
                    net.tell(0, "answer", question, Given::Nothing, None);
                }
                Err(error) => net.tell(0, "answer", question, Given::Nothing, Some(error)),
            }
        });
    }

    /// Opens a socket of a page.
    pub(super) fn connect(&self, (realm, id): (u64, u64), jar: usize, url: &str, protocol: &str) {
        let (orders, mut waiting) = unbounded_channel();
        self.sockets.lock().insert((realm, id), orders);
        let (net, url, protocol) = (self.clone(), url.to_owned(), protocol.to_owned());
        self.runtime.spawn(async move {
            let ended = net.carry((realm, id), jar, &url, &protocol, &mut waiting).await;
            net.sockets.lock().remove(&(realm, id));
            let (code, reason) = ended.unwrap_or((1006, String::new()));
            net.tell(realm, "close", id, Given::Number(code), Some(reason));
        });
    }

    async fn carry(
        &self,
        (realm, id): (u64, u64),
        jar: usize,
        url: &str,
        protocol: &str,
        waiting: &mut tokio::sync::mpsc::UnboundedReceiver<Order>,
    ) -> Option<(u16, String)> {
        let mut request = url.into_client_request().ok()?;
        let headers = request.headers_mut();
        headers.insert("origin", self.origin().parse().ok()?);
        headers.insert("sec-websocket-protocol", protocol.parse().ok()?);
        if let Some(cookie) = self.cookie(jar) {
            headers.insert("cookie", cookie.parse().ok()?);
        }
        let stream = TcpStream::connect(self.address).await.ok()?;
        let (mut socket, response) = tokio_tungstenite::client_async(request, stream).await.ok()?;
        self.keep(jar, response.headers().get("set-cookie"));
        self.tell(realm, "open", id, Given::Nothing, None);
        loop {
            tokio::select! {
                order = waiting.recv() => match order? {
                    Order::Send(text) => socket.send(Message::text(text)).await.ok()?,
                    Order::Close(code) => {
                        let frame = CloseFrame { code: code.into(), reason: "".into() };
                        // The server answers with its own close frame, or is gone.
                        let _ = socket.close(Some(frame)).await;
                        return Some((code, String::new()));
                    }
                    Order::Break => return None,
                },
                message = socket.next() => match message?.ok()? {
                    Message::Text(text) => self.tell(realm, "message", id, Given::Text(text.to_string()), None),
                    Message::Close(frame) => {
                        return frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                    }
                    _ => {}
                },
            }
        }
    }

    pub(super) fn write(&self, socket: (u64, u64), text: String) {
        self.order(socket, Order::Send(text));
    }

    pub(super) fn end(&self, socket: (u64, u64), code: u16) {
        self.order(socket, Order::Close(code));
    }

    pub(super) fn break_off(&self, socket: (u64, u64)) {
        self.order(socket, Order::Break);
    }

    fn order(&self, socket: (u64, u64), order: Order) {
        if let Some(orders) = self.sockets.lock().get(&socket) {
            // It is just ending.
            let _ = orders.send(order);
        }
    }

    /// Makes a request of a page.
    pub(super) fn request(&self, (realm, id): (u64, u64), jar: usize, request: PageRequest) {
        let net = self.clone();
        self.runtime.spawn(async move {
            match net.answer(jar, request).await {
                Ok((head, body)) => net.tell(realm, "response", id, Given::Text(body), Some(head)),
                Err(error) => net.tell(realm, "unreachable", id, Given::Text(error), None),
            }
        });
    }

    async fn answer(&self, jar: usize, request: PageRequest) -> Result<(String, String), String> {
        let PageRequest { method, url, headers, body } = request;
        let url: http::Uri = url.parse().map_err(|_| format!("{url} is no address"))?;
        if url.authority().is_some_and(|to| to.as_str() != self.address.to_string()) {
            return Err(format!("{url} is not the app: tests reach their own server only"));
        }
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let mut wanted = http::Request::builder()
            .method(method.as_str())
            .uri(path)
            .header("host", self.address.to_string())
            .header("origin", self.origin());
        if let Some(cookie) = self.cookie(jar) {
            wanted = wanted.header("cookie", cookie);
        }
        for (name, value) in headers {
            wanted = wanted.header(name, value);
        }
        let wanted = wanted.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
        let stream = TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
        let carried = tokio::spawn(connection);
        let response = sender.send_request(wanted).await.map_err(|error| error.to_string())?;
        let (parts, body) = response.into_parts();
        self.keep(jar, parts.headers.get("set-cookie"));
        let bytes = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        carried.abort();
        let headers: Vec<(&str, &str)> =
            parts.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let head = serde_json::json!({"status": parts.status.as_u16(), "headers": headers});
        Ok((head.to_string(), String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// A request as a page writes it.
#[derive(Debug)]
pub(super) struct PageRequest {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}
