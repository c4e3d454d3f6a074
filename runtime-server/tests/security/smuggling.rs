//! Requests that two readers may read differently. Behind each one stands another that must not be seen: it would count.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::nginx::Nginx;
use crate::support::World;
use crate::support::client::PATIENCE;

const HIDDEN: &str = "GET /api/app/count HTTP/1.1\r\nHost: a\r\n\r\n";

/// Heads, and bodies in which HIDDEN stands for the hidden request.
const REQUESTS: [(&str, &str); 26] = [
    ("two lengths", "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\nHIDDEN"),
    ("two lengths in one", "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 44\r\n\r\nHIDDEN"),
    ("a signed length", "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\nHIDDEN"),
    ("a negative length", "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nHIDDEN"),
    ("a length in hex", "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n\r\nHIDDEN"),
    ("an empty length", "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\nHIDDEN"),
    ("a huge length", "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nHIDDEN"),
    ("a length with a space", "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nContent-Length : 0\r\n\r\nHIDDEN"),
    ("a length on two lines", "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 0\r\n\r\nHIDDEN"),
    ("an unknown coding", "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\nHIDDEN"),
    ("identity", "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\nHIDDEN"),
    (
        "chunked not last",
        "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\nHIDDEN",
    ),
    (
        "chunked with a space",
        "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\nHIDDEN",
    ),
    ("chunked with a tab", "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tx\r\n\r\n0\r\n\r\nHIDDEN"),
    (
        "a chunk in minus",
        "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\nHIDDEN",
    ),
    (
        "a chunk without a size",
        "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\nHIDDEN",
    ),
    (
        "a chunk too large to count",
        "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nHIDDEN",
    ),
    (
        "a chunk with no end",
        "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\nHIDDEN",
    ),
    ("a name with a space", "GET /api/app/echo HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\nHIDDEN"),
    ("a name without a colon", "GET /api/app/echo HTTP/1.1\r\nHost: a\r\nXY\r\n\r\nHIDDEN"),
    ("a zero byte", "GET /api/app/echo HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\nHIDDEN"),
    ("a return alone", "GET /api/app/echo HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\nHIDDEN"),
    ("a line that goes on", "GET /api/app/echo HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\nHIDDEN"),
    ("another version", "GET /api/app/echo HTTP/1.2\r\nHost: a\r\n\r\nHIDDEN"),
    ("two hosts", "GET /api/app/echo HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\nHIDDEN"),
    ("a path with a space", "GET /api/app/echo x HTTP/1.1\r\nHost: a\r\n\r\nHIDDEN"),
];

/// All that comes back until the connection ends.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    // The server may close while it is still told more.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn nothing_is_hidden(world: &World, address: SocketAddr) {
    for (name, request) in REQUESTS {
        let answer = exchange(address, request.replace("HIDDEN", HIDDEN).as_bytes()).await;
        assert_eq!(world.script.count(), 0, "{name}: the hidden request was seen, {answer}");
        let answers = answer.matches("HTTP/1.1 ").count();
        assert!(answers <= 1, "{name}: {answer}");
    }
    // Both at once: the coding counts, and what stands behind the end is never taken for a request.
    let both = "POST /api/app/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHIDDEN";
    let answer = exchange(address, both.replace("HIDDEN", HIDDEN).as_bytes()).await;
    let seen = world.script.count();
    assert!(
        seen == 0 || answer.matches("HTTP/1.1 200").count() == 2,
        "who is answered twice has asked twice: {answer}"
    );
}

#[tokio::test]
async fn nothing_is_hidden_from_the_server() {
    let world = World::with(|config| config.limits.handshake_ms = 300).await;
    nothing_is_hidden(&world, world.address).await;
}

#[tokio::test]
async fn nothing_is_hidden_behind_nginx() {
    let world = World::with(|config| config.limits.handshake_ms = 300).await;
    let nginx = Nginx::proxy(world.address);
    nothing_is_hidden(&world, nginx.address).await;
}

#[tokio::test]
async fn values_from_outside_do_not_become_headers() {
    let world = World::with(|config| config.http.trust_proxy = true).await;
    for value in
        ["x%0d%0aSet-Cookie:%20a=b", "x%0aSet-Cookie:a=b", "x%0dSet-Cookie:a=b", "%E5%98%8A%E5%98%8DSet-Cookie:a=b"]
    {
        for path in
            [format!("/{value}"), format!("/api/app/echo?{value}"), format!("/assets/{value}"), format!("/api/{value}")]
        {
            let reply = world.get(&path).await;
            assert_eq!(reply.header("set-cookie"), None, "{path}");
        }
        let id = crate::support::http::Request::get("/").header("X-Request-Id", value);
        assert_eq!(world.send(id).await.header("set-cookie"), None, "{value}");
    }
}
