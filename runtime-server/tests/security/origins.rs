use serde_json::json;

use crate::support::World;
use crate::support::client::{Client, Refused};
use crate::support::dist::Dist;
use crate::support::http::Request;

/// Origins that are not the server's own at `127.0.0.1:PORT`, nor `https://www.example.test`, which is allowed.
const FOREIGN: [&str; 36] = [
    "null",
    "",
    "*",
    "http://",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://127.0.0.1:PORT/",
    "http://127.0.0.1:PORT/x",
    "http://127.0.0.1:PORT?x",
    "http://127.0.0.1:PORT#x",
    "http://127.0.0.1:PORT.evil.test",
    "http://127.0.0.1:PORT@evil.test",
    "http://user@127.0.0.1:PORT",
    "http://user:pass@127.0.0.1:PORT",
    "http://127.0.0.1:0PORTx",
    "http://127.0.0.1:+PORT",
    "http://127.0.0.1:99999",
    "http://127.0.0.2:PORT",
    "http://127.1:PORT",
    "http://2130706433:PORT",
    "http://0x7f.0.0.1:PORT",
    "http://localhost:PORT",
    "http://localhost.evil.test:PORT",
    "http://[::1]:PORT",
    "http://[::ffff:127.0.0.1]:PORT",
    "http://evil.test",
    "http://evil.test:PORT",
    "ws://127.0.0.1:PORT",
    "file://127.0.0.1:PORT",
    "chrome-extension://127.0.0.1:PORT",
    "127.0.0.1:PORT",
    "//127.0.0.1:PORT",
    "http://www.example.test",
    "https://www.example.test.evil.test",
    "https://sub.www.example.test",
    "https://www.example.test, https://evil.test",
];
/// Origins that are.
const OWN: [&str; 4] =
    ["http://127.0.0.1:PORT", "HTTP://127.0.0.1:PORT", "https://www.example.test", "https://WWW.example.test:443"];

async fn world(env: &str) -> World {
    let dist = Dist::new().change(|manifest| manifest["env"] = json!(env));
    World::of(&dist, |config| config.http.allowed_origins = vec!["https://www.example.test".to_owned()]).await
}

async fn matrix(env: &str) {
    let world = world(env).await;
    let port = world.address.port().to_string();
    let cases = FOREIGN.iter().map(|origin| (origin, false)).chain(OWN.iter().map(|origin| (origin, true)));
    for (origin, allowed) in cases {
        let origin = origin.replace("PORT", &port);
        let mut request = Client::request(world.address, None);
        request.headers_mut().insert("Origin", origin.parse().expect("a header"));
        let refused = Client::handshake(world.address, request).await.err();
        assert_eq!(refused, (!allowed).then_some(Refused(403)), "the socket, {origin:?} in {env}");
        let call = Request::post("/api/app/echo", "application/json", "[1]").header("Origin", &origin);
        let status = world.send(call).await.status;
        assert_eq!(status, if allowed { 200 } else { 403 }, "the API, {origin:?} in {env}");
        let ticket = Request::post("/_ss/session", "application/json", "{\"ticket\":\"x\"}").header("Origin", &origin);
        let status = world.send(ticket).await.status;
        assert_eq!(status, if allowed { 400 } else { 403 }, "the ticket, {origin:?} in {env}");
    }
}

#[tokio::test]
async fn forty_origins_deployed() {
    matrix("production").await;
}

#[tokio::test]
async fn forty_origins_in_development() {
    matrix("development").await;
}

#[tokio::test]
async fn a_page_elsewhere_reads_nothing_but_public_files() {
    let world = world("production").await;
    for path in ["/", "/api/app/echo?1", "/robots.txt", "/_ss/session", "/_ss/socket"] {
        let reply = world.send(Request::get(path).header("Origin", "http://evil.test")).await;
        assert_eq!(reply.header("access-control-allow-origin"), None, "{path}");
    }
    let asset = world.get("/assets/app-0123456789abcdef.js").await;
    assert_eq!(asset.header("access-control-allow-origin"), Some("*"));
    assert_eq!(asset.header("access-control-allow-credentials"), None);
}
