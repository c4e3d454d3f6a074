//! A websocket written by hand, so that a test can send what no library would.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A frame of RFC 6455, as it is on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// The first byte: the end of a message, reserved bits and the opcode.
    pub(super) first: u8,
    pub(super) payload: Vec<u8>,
}

pub(super) const END: u8 = 0x80;
pub(super) const MORE: u8 = 0x00;
pub(super) const TEXT: u8 = 0x1;
pub(super) const BINARY: u8 = 0x2;
pub(super) const CLOSE: u8 = 0x8;
pub(super) const PING: u8 = 0x9;
pub(super) const PONG: u8 = 0xA;

/// Who writes a frame: clients mask what they send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mask {
    Masked,
    Bare,
}

impl Frame {
    pub(super) fn text(text: &str) -> Self {
        Self { first: END | TEXT, payload: text.as_bytes().to_vec() }
    }

    pub(super) fn close(code: u16, reason: &str) -> Self {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        Self { first: END | CLOSE, payload }
    }

    pub(super) fn opcode(&self) -> u8 {
        self.first & 0x0F
    }

    /// As bytes of the wire.
    pub(super) fn bytes(&self, mask: Mask) -> Vec<u8> {
        let masked = if mask == Mask::Masked { 0x80 } else { 0 };
        let mut bytes = vec![self.first];
        match self.payload.len() {
            length @ 0..=125 => bytes.push(masked | length as u8),
            length @ 126..=65_535 => {
                bytes.push(masked | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            length => {
                bytes.push(masked | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        if mask == Mask::Masked {
            let key = [0x37, 0xFA, 0x21, 0x3D];
            bytes.extend(key);
            bytes.extend(self.payload.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]));
        } else {
            bytes.extend(&self.payload);
        }
        bytes
    }

    /// The next frame; `None` when there is no whole one any more.
    pub(super) async fn read(from: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<Self> {
        let first = from.read_u8().await.ok()?;
        let second = from.read_u8().await.ok()?;
        let length = match second & 0x7F {
            126 => u64::from(from.read_u16().await.ok()?),
            127 => from.read_u64().await.ok()?,
            length => u64::from(length),
        };
        let mut key = [0; 4];
        if second & 0x80 != 0 {
            from.read_exact(&mut key).await.ok()?;
        }
        let mut payload = vec![0; usize::try_from(length).ok()?];
        from.read_exact(&mut payload).await.ok()?;
        payload.iter_mut().enumerate().for_each(|(at, byte)| *byte ^= key[at % 4]);
        Some(Self { first, payload })
    }
}

/// The head of an answer.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The cookie that it sets, as a browser sends it back.
    pub(super) fn cookie(&self) -> Option<String> {
        self.header("set-cookie").and_then(|set| set.split(';').next()).map(str::to_owned)
    }

    /// Reads up to the empty line.
    pub(super) async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(stream.read_u8().await.expect("the server answers"));
        }
        let text = String::from_utf8(bytes).expect("a head is text");
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.to_owned(), v.to_owned()));
        Self { status, headers: headers.collect() }
    }
}

/// The headers of a handshake as a browser makes it.
pub(super) fn handshake(address: SocketAddr, cookie: Option<&str>) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("Host", address.to_string()),
        ("Connection", "Upgrade".to_owned()),
        ("Upgrade", "websocket".to_owned()),
        ("Sec-WebSocket-Version", "13".to_owned()),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==".to_owned()),
        ("Sec-WebSocket-Protocol", "ss.1".to_owned()),
        ("Origin", format!("http://{address}")),
    ];
    headers.extend(cookie.map(|cookie| ("Cookie", cookie.to_owned())));
    headers
}

/// Asks for a websocket with these headers.
pub(super) async fn ask(address: SocketAddr, headers: &[(&str, String)]) -> (Head, TcpStream) {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    let mut text = "GET /_ss/socket HTTP/1.1\r\n".to_owned();
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    stream.write_all(text.as_bytes()).await.expect("it is sent");
    (Head::read(&mut stream).await, stream)
}
