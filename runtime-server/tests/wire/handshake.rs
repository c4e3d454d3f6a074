use serde_json::json;
use tokio::io::AsyncReadExt as _;

use super::page::{Arrived, Page, Way};
use super::server::{BUILD_ID, Server};
use super::socket::{self, Frame};

pub(super) async fn accepts(server: &Server, _: Way) {
    let (head, _stream) = socket::ask(server.address, &socket::handshake(server.address, None)).await;
    assert_eq!(head.status, 101);
    assert_eq!(head.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "RFC 6455, 1.3");
    assert_eq!(head.header("sec-websocket-protocol"), Some("ss.1"));
    assert_eq!(head.header("sec-websocket-extensions"), None, "nothing was offered");
}

pub(super) async fn wants_the_sub_protocol(server: &Server, _: Way) {
    for offered in ["", "ss.2", "graphql-ws, ss.11"] {
        let mut headers = socket::handshake(server.address, None);
        headers.retain(|(name, _)| *name != "Sec-WebSocket-Protocol");
        if !offered.is_empty() {
            headers.push(("Sec-WebSocket-Protocol", offered.to_owned()));
        }
        assert_eq!(socket::ask(server.address, &headers).await.0.status, 400, "{offered:?}");
    }
    let mut headers = socket::handshake(server.address, None);
    headers[5].1 = "chat, ss.1".to_owned();
    assert_eq!(socket::ask(server.address, &headers).await.0.status, 101, "among others");
}

pub(super) async fn is_a_websocket_of_version_13(server: &Server, _: Way) {
    type Change = fn(&mut Vec<(&'static str, String)>);
    let changes: [Change; 4] = [
        |headers| headers.retain(|(name, _)| *name != "Upgrade"),
        |headers| headers.retain(|(name, _)| *name != "Sec-WebSocket-Key"),
        |headers| headers[3].1 = "12".to_owned(),
        |headers| headers[4].1 = "short".to_owned(),
    ];
    for change in changes {
        let mut headers = socket::handshake(server.address, None);
        change(&mut headers);
        let head = socket::ask(server.address, &headers).await.0;
        assert_eq!((head.status, head.header("sec-websocket-version")), (426, Some("13")));
    }
}

pub(super) async fn wants_an_own_origin(server: &Server, _: Way) {
    let port = server.address.port();
    for origin in
        [None, Some("http://evil.example"), Some("null"), Some(&*format!("http://localhost.evil.example:{port}"))]
    {
        let mut headers = socket::handshake(server.address, None);
        headers.retain(|(name, _)| *name != "Origin");
        headers.extend(origin.map(|origin| ("Origin", origin.to_owned())));
        let head = socket::ask(server.address, &headers).await.0;
        assert_eq!((head.status, head.cookie()), (403, None), "{origin:?}");
    }
}

pub(super) async fn sets_the_cookie_of_a_session(server: &Server, way: Way) {
    let first = Page::greeted(server, way, None).await;
    let cookie = first.cookie.clone().expect("a new browser gets a cookie");
    let value = cookie.split('=').nth(1).expect("a value");
    assert!(value.len() >= 22, "128 bits and more: {cookie}");
    let other = Page::greeted(server, way, None).await;
    assert_ne!(other.cookie, first.cookie, "another browser has another session");
    let unknown = format!("{}={}", cookie.split('=').next().expect("a name"), "A".repeat(value.len()));
    let replaced = Page::greeted(server, way, Some(&unknown)).await;
    assert_ne!(replaced.cookie.as_deref(), Some(&*unknown), "an id that the server did not make is replaced");
}

pub(super) async fn keeps_the_cookie_of_a_known_session(server: &Server, _: Way) {
    let mut first = Page::greeted(server, Way::Socket, None).await;
    assert_eq!(first.call("store/set", json!(["seen", 1])).await, json!([1, true]));
    let (head, _stream) =
        socket::ask(server.address, &socket::handshake(server.address, first.cookie.as_deref())).await;
    assert_eq!((head.status, head.cookie()), (101, None));
    let set = socket::ask(server.address, &socket::handshake(server.address, None)).await.0;
    let set = set.header("set-cookie").expect("a cookie").to_owned();
    assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Lax") && set.contains("; Path=/"), "{set}");
}

pub(super) async fn refuses_too_many(kind: super::server::Kind) {
    let server = Server::with(kind, |config| {
        config.limits.connects_burst = 1;
        config.limits.connects_per_second = 1;
    })
    .await;
    let _first = Page::greeted(&server, Way::Socket, None).await;
    let head = socket::ask(server.address, &socket::handshake(server.address, None)).await.0;
    assert_eq!((head.status, head.header("retry-after").is_some(), head.cookie()), (429, true, None));
    let server = Server::with(kind, |config| config.limits.connections = 1).await;
    let _first = Page::greeted(&server, Way::Socket, None).await;
    let head = socket::ask(server.address, &socket::handshake(server.address, None)).await.0;
    assert_eq!((head.status, head.header("retry-after").is_some(), head.cookie()), (503, true, None));
}

pub(super) async fn welcomes(server: &Server, way: Way) {
    let mut page = Page::open(server, way, None).await;
    page.hello(json!(null)).await;
    let welcome = page.welcome().await;
    assert_eq!((&welcome[1], &welcome[2], &welcome[3]), (&json!(1), &json!(BUILD_ID), &json!(null)));
    let positions = welcome[4].as_array().expect("positions");
    assert_eq!(positions.len(), 1, "a new session has the broadcast only: {welcome}");
    assert!(positions[0][0] == "*" && positions[0][1].is_string() && positions[0][2].is_u64(), "{welcome}");
    let options = &welcome[5];
    assert!(options["heartbeat_ms"].is_u64() && options["connection"].is_u64(), "{welcome}");
    assert_eq!((&options["message_bytes"], options.get("develops")), (&json!(65_536), None));
    assert_eq!(page.settle().await, [] as [serde_json::Value; 0], "and nothing else");
}

pub(super) async fn wants_a_hello_first(server: &Server, way: Way) {
    for text in ["[2]", r#"[1,1,"app/echo",[]]"#] {
        let mut page = Page::open(server, way, None).await;
        page.say_text(text).await;
        assert_eq!(page.next().await, Arrived::Closed(4000), "{text}");
    }
}

pub(super) async fn wants_one_hello(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    page.hello(json!(null)).await;
    assert_eq!(page.next().await, Arrived::Closed(4000));
}

pub(super) async fn speaks_one_version(server: &Server, way: Way) {
    for version in [json!(0), json!(2), json!(99)] {
        let mut page = Page::open(server, way, None).await;
        page.say(&json!([0, version, BUILD_ID, page.id, null])).await;
        assert_eq!(page.next().await, Arrived::Closed(4001), "{version}");
    }
}

pub(super) async fn wants_a_whole_hello(server: &Server, way: Way) {
    let id = super::page::random_id();
    for hello in [
        json!([0]),
        json!([0, "1", BUILD_ID, id, null]),
        json!([0, 1, 5, id, null]),
        json!([0, 1, BUILD_ID]),
        json!([0, 1, BUILD_ID, &id[1..], null]),
        json!([0, 1, BUILD_ID, format!("{}g", &id[1..]), null]),
        json!([0, 1, BUILD_ID, id, "*"]),
        json!([0, 1, BUILD_ID, id, [["*", "e"]]]),
        json!([0, 1, BUILD_ID, id, [["*", "e", -1]]]),
    ] {
        let mut page = Page::open(server, way, None).await;
        page.say(&hello).await;
        assert_eq!(page.next().await, Arrived::Closed(4000), "{hello}");
    }
}

pub(super) async fn ignores_what_it_does_not_know(server: &Server, way: Way) {
    let mut page = Page::open(server, way, None).await;
    page.say(&json!([0, 1, BUILD_ID, page.id, null, "later", {"more": true}])).await;
    page.welcome().await;
    page.say(&json!([1, 1, "app/echo", [1], 0, 0, {"later": []}])).await;
    assert_eq!(page.message().await, json!([1, 1, [1]]));
    page.say(&json!([2, "later"])).await;
    assert_eq!(page.message().await, json!([9]));
}

pub(super) async fn has_one_connection_a_page(server: &Server, way: Way) {
    let mut old = Page::greeted(server, way, None).await;
    let mut new = Page::open(server, way, old.cookie.as_deref()).await;
    new.id.clone_from(&old.id);
    new.hello(json!([])).await;
    new.welcome().await;
    assert_eq!(old.closed().await, 1012);
    let other = Page::greeted(server, way, new.cookie.as_deref()).await;
    drop(other);
    assert_eq!(new.call("app/echo", json!([1])).await, json!([1, [1]]), "another page of the session does not count");
}

pub(super) async fn ends_those_without_hello(kind: super::server::Kind) {
    let server = Server::usual(kind).await;
    for way in [Way::Socket, Way::Fallback] {
        let mut mute = Page::open(&server, way, None).await;
        server.world.clock.advance(10_000);
        assert_eq!(mute.closed().await, 4005);
    }
}

pub(super) async fn a_close_is_answered(server: &Server, _: Way) {
    let mut page = Page::greeted(server, Way::Socket, None).await;
    page.frame(&Frame::close(1000, "bye")).await;
    assert_eq!(page.next().await, Arrived::Closed(1000));
    assert_eq!(page.next().await, Arrived::Gone);
    let (_, mut stream) = socket::ask(server.address, &socket::handshake(server.address, None)).await;
    let mut rest = Vec::new();
    tokio::io::AsyncWriteExt::write_all(&mut stream, &Frame::close(1001, "").bytes(socket::Mask::Masked))
        .await
        .expect("sent");
    tokio::time::timeout(server.patience, stream.read_to_end(&mut rest)).await.expect("it ends").expect("well");
    assert_eq!(rest, Frame::close(1001, "").bytes(socket::Mask::Bare), "one close frame and nothing else");
}
