use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::dist::BUILD_ID;

/// After so long without the expected message a test has failed: far longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a socket may be carried by.
pub(crate) trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Carrier for T {}

/// A page's half of a connection, without any cleverness of its own.
pub(crate) struct Client {
    socket: WebSocketStream<Box<dyn Carrier>>,
    /// Messages of a frame that nobody has asked for yet.
    arrived: VecDeque<Value>,
    /// As the browser would send it.
    pub(crate) cookie: Option<String>,
    /// The `Set-Cookie` of the handshake.
    pub(crate) set_cookie: Option<String>,
    pub(crate) page: String,
    last_call: u64,
}

/// What a handshake was refused with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) u16);

impl Client {
    /// The handshake as a browser makes it.
    pub(crate) fn request(address: SocketAddr, cookie: Option<&str>) -> Request {
        let mut request = format!("ws://{address}/_ss/socket").into_client_request().expect("a request");
        let headers = request.headers_mut();
        headers.insert("Origin", format!("http://{address}").parse().expect("a header"));
        headers.insert("Sec-WebSocket-Protocol", "ss.1".parse().expect("a header"));
        if let Some(cookie) = cookie {
            headers.insert("Cookie", cookie.parse().expect("a header"));
        }
        request
    }

    pub(crate) async fn connect(address: SocketAddr, cookie: Option<&str>) -> Self {
        Self::handshake(address, Self::request(address, cookie)).await.expect("the handshake is accepted")
    }

    pub(crate) async fn handshake(address: SocketAddr, request: Request) -> Result<Self, Refused> {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        Self::handshake_on(stream, request).await
    }

    /// A client that takes little before it has to read.
    pub(crate) async fn connect_narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        let stream = socket.connect(address).await.expect("the server listens");
        Self::handshake_on(stream, Self::request(address, None)).await.expect("the handshake is accepted")
    }

    pub(crate) async fn handshake_on(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        request: Request,
    ) -> Result<Self, Refused> {
        let sent = request.headers().get("Cookie").map(|cookie| cookie.to_str().expect("text").to_owned());
        let stream: Box<dyn Carrier> = Box::new(stream);
        let (socket, response) = match tokio_tungstenite::client_async(request, stream).await {
            Ok(done) => done,
            Err(Error::Http(response)) => return Err(Refused(response.status().as_u16())),
            Err(error) => panic!("the handshake failed: {error}"),
        };
        let set_cookie = response.headers().get("Set-Cookie").map(|value| value.to_str().expect("text").to_owned());
        let cookie = set_cookie.as_ref().map(|set| set.split(';').next().expect("a pair").to_owned()).or(sent);
        Ok(Self { socket, arrived: VecDeque::new(), cookie, set_cookie, page: random_page(), last_call: 0 })
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("the connection is open");
    }

    pub(crate) async fn send_raw(&mut self, message: Message) -> Result<(), Error> {
        self.socket.send(message).await
    }

    pub(crate) async fn hello(&mut self, positions: Value) {
        self.hello_from(BUILD_ID, positions).await;
    }

    /// As a page of that build.
    pub(crate) async fn hello_from(&mut self, build_id: &str, positions: Value) {
        let page = self.page.clone();
        self.send(&json!([0, 1, build_id, page, positions])).await;
    }

    /// The welcome, which must be next.
    pub(crate) async fn welcome(&mut self) -> Value {
        let welcome = self.next().await;
        assert_eq!(welcome[0], 0, "a welcome is first: {welcome}");
        welcome
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Value {
        match self.next_or_close().await {
            Ok(message) => message,
            Err(code) => panic!("the connection was closed with {code:?}"),
        }
    }

    /// The next message, or the code that the server closed with; `None` when it just went.
    pub(crate) async fn next_or_close(&mut self) -> Result<Value, Option<u16>> {
        loop {
            if let Some(message) = self.arrived.pop_front() {
                return Ok(message);
            }
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a message arrives") {
                Some(Ok(Message::Text(text))) => {
                    let messages = text.split('\n').map(serde_json::from_str::<Value>);
                    self.arrived.extend(messages.map(|message| message.expect("each line of a frame is a message")));
                }
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The code that the server closes with, whatever comes before.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match self.next_or_close().await {
                Ok(_) => {}
                Err(Some(code)) => return code,
                Err(None) => panic!("the connection broke without a close frame"),
            }
        }
    }

    /// Starts a call; its id.
    pub(crate) async fn start(&mut self, action: &str, args: Value) -> u64 {
        self.last_call += 1;
        let id = self.last_call;
        self.send(&json!([1, id, action, args])).await;
        id
    }

    /// Starts a call on a connection that may be closing.
    pub(crate) async fn start_or_fail(&mut self, action: &str, args: &Value) {
        self.last_call += 1;
        let text = json!([1, self.last_call, action, args]).to_string();
        // The reader of this connection sees its end.
        let _ = self.socket.send(Message::text(text)).await;
    }

    /// A call's answer, past events; those are lost.
    pub(crate) async fn answer(&mut self, id: u64) -> Value {
        loop {
            let message = self.next().await;
            if (message[0] == 1 || message[0] == 2) && message[1] == id {
                return message;
            }
        }
    }

    /// Calls and waits: the result's value, or the error's code.
    pub(crate) async fn call(&mut self, action: &str, args: Value) -> Result<Value, String> {
        let id = self.start(action, args).await;
        outcome(&self.answer(id).await)
    }

    /// The next message that this is said of; what comes before is lost.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.next().await;
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Everything that the server has sent so far.
    pub(crate) async fn settle(&mut self) -> Vec<Value> {
        self.send(&json!([2])).await;
        let mut messages = Vec::new();
        loop {
            let message = self.next().await;
            if message[0] == 9 {
                return messages;
            }
            messages.push(message);
        }
    }

    /// Breaks the connection off without a word.
    pub(crate) fn cut(self) -> (String, Option<String>) {
        (self.page, self.cookie)
    }

    /// A new connection of the same page, with what it had reached.
    pub(crate) async fn come_back(address: SocketAddr, page: &str, cookie: Option<&str>, positions: Value) -> Self {
        let mut client = Self::connect(address, cookie).await;
        page.clone_into(&mut client.page);
        client.hello(positions).await;
        client
    }

    /// Logs in as `user`: redeems nothing; returns the ticket.
    pub(crate) async fn log_in(&mut self, user: &str) -> (u64, String) {
        let id = self.start("auth/login", json!([user])).await;
        loop {
            let message = self.next().await;
            if message[0] == 6 {
                return (id, message[1].as_str().expect("a ticket is text").to_owned());
            }
        }
    }
}

/// The result's value (`undefined` as the text), or the error's code.
pub(crate) fn outcome(answer: &Value) -> Result<Value, String> {
    match answer[0].as_u64() {
        Some(1) => Ok(answer.get(2).cloned().unwrap_or_else(|| json!("undefined"))),
        _ => Err(answer[2].as_str().expect("a code is text").to_owned()),
    }
}

fn random_page() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
