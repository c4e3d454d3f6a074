//! Session ids that are not the browser's own: altered, cut, made up, of before a login or after a logout. On the socket,
//! on the HTTP API and on the fallback they are all as good as none.

use http::HeaderValue;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::World;
use crate::support::client::{Client, PATIENCE};
use crate::support::http::Request;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Who a request with that cookie is, as one way in sees it.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// The session that the cookie names.
    Known,
    /// Nobody: a session of its own.
    Stranger,
    /// Come again later.
    Refused,
}

async fn world() -> World {
    World::with(|config| {
        config.limits.connects_burst = 10_000;
        config.limits.requests_burst = 10_000;
        config.limits.idle_ms = 1_000_000_000_000;
        config.session.expires_days = 2;
        config.log.level = 0;
    })
    .await
}

async fn over_socket(world: &World, cookie: &str) -> Seen {
    let mut request = Client::request(world.address, None);
    request.headers_mut().insert("Cookie", HeaderValue::from_bytes(cookie.as_bytes()).expect("a header"));
    // What the library keeps of the request for its own use has to be text.
    let stream = TcpStream::connect(world.address).await.expect("the server listens");
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((_, response)) => match response.headers().get("Set-Cookie") {
            None => Seen::Known,
            Some(set) => {
                let id = id_of(cookie);
                assert!(id.len() < 32 || !set.to_str().expect("text").contains(id), "{cookie:?} is set again");
                Seen::Stranger
            }
        },
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
            assert_eq!(response.status().as_u16(), 503, "{cookie:?}");
            Seen::Refused
        }
        Err(error) => panic!("{cookie:?}: {error}"),
    }
}

async fn over_fallback(world: &World, cookie: &str) -> Seen {
    let mut stream = TcpStream::connect(world.address).await.expect("the server listens");
    let head = format!(
        "POST /_ss/events HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nContent-Length: 0\r\nCookie: {cookie}\r\n\r\n",
        world.address
    );
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    let mut answer = Vec::new();
    let read = async {
        while !answer.windows(4).any(|four| four == b"\r\n\r\n") {
            assert!(stream.read_buf(&mut answer).await.expect("an answer") > 0, "{cookie:?}: no answer");
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("an answer arrives");
    let answer = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    match answer.split(' ').nth(1) {
        Some("200") if answer.contains("\r\nset-cookie: ") => Seen::Stranger,
        Some("200") => Seen::Known,
        Some("503") => Seen::Refused,
        _ => panic!("{cookie:?}: {answer}"),
    }
}

async fn over_api(world: &World, cookie: &str) -> Seen {
    let post =
        |path| Request::post(path, "application/json", "[]").header("Origin", &world.origin()).header("Cookie", cookie);
    let reply = world.send(post("/api/auth/whoami")).await;
    assert_eq!((reply.status, reply.header("set-cookie")), (200, None), "{cookie:?}");
    let guarded = world.send(post("/api/secret/whoami")).await;
    match reply.json() {
        Value::Null => {
            assert_eq!(guarded.status, 401, "{cookie:?}");
            Seen::Stranger
        }
        user => {
            assert_eq!((guarded.status, guarded.json()), (200, user), "{cookie:?}");
            Seen::Known
        }
    }
}

async fn everywhere(world: &World, cookie: &str) -> [Seen; 3] {
    [over_socket(world, cookie).await, over_fallback(world, cookie).await, over_api(world, cookie).await]
}

fn id_of(cookie: &str) -> &str {
    cookie.split_once('=').map_or(cookie, |(_, id)| id).trim_matches('"')
}

/// Somebody who is logged in, with the cookie before the login and the one after it.
async fn alice(world: &World) -> (Client, String, String) {
    let mut client = world.tab().await;
    let before = client.cookie.clone().expect("a cookie");
    let (id, ticket) = client.log_in("alice").await;
    let after = world.redeem(&ticket).await;
    client.answer(id).await;
    (client, before, after)
}

#[tokio::test]
async fn an_id_that_was_changed_is_nobodys() {
    let world = world().await;
    let (_client, _, cookie) = alice(&world).await;
    let id = id_of(&cookie);
    assert_eq!(everywhere(&world, &cookie).await, [Seen::Known, Seen::Known, Seen::Known]);

    let mut tampered = Vec::new();
    for at in 0..id.len() {
        // Another digit, and what is none, at each place.
        for other in ["0", "f", "g", "A", "%", "é"] {
            let changed = format!("{}{other}{}", &id[..at], &id[at + 1..]);
            if changed != id {
                tampered.push(format!("ss_chat={changed}"));
            }
        }
        tampered.push(format!("ss_chat={}", &id[..at]));
        tampered.push(format!("ss_chat={}", &id[at + 1..]));
    }
    let hex: String = id.bytes().map(|b| format!("%{b:02x}")).collect();
    let wide: String = id.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).expect("a letter")).collect();
    tampered.extend([
        format!("ss_chat={id}{id}"),
        format!("ss_chat={id}0"),
        format!("ss_chat=0{id}"),
        format!("ss_chat={}{id}", "0".repeat(4_000)),
        format!("ss_chat={}", "f".repeat(20_000)),
        format!("ss_chat={}", id.to_ascii_uppercase().replace(|c: char| c.is_ascii_digit(), "A")),
        format!("ss_chat={hex}"),
        format!("ss_chat={wide}"),
        format!("ss_chat=\u{feff}{id}"),
        format!("ss_chat=0x{id}"),
        format!("ss_chat=-{id}"),
        format!("ss_chat='{id}'"),
        format!("ss_chat={{{id}}}"),
        format!("ss_chat={id}/../{id}"),
        "ss_chat=*".to_owned(),
        "ss_chat=%00".to_owned(),
        "ss_chat=' OR 1=1 --".to_owned(),
        // Under other names.
        format!("ss_other={id}"),
        format!("ss_chat2={id}"),
        format!("ss_cha={id}"),
        format!("SS_CHAT={id}"),
        format!("__Host-ss_chat={id}"),
        format!("__Secure-ss_chat={id}"),
        format!("x=ss_chat={id}"),
        format!("ss_chat%3d{id}"),
        format!("ss_chаt={id}"),
        format!("={id}"),
        id.to_owned(),
    ]);
    assert!(tampered.len() > 200, "{}", tampered.len());
    for cookie in &tampered {
        let seen = everywhere(&world, cookie).await;
        assert_eq!(seen, [Seen::Stranger, Seen::Stranger, Seen::Stranger], "{cookie:?}");
    }
}

#[tokio::test]
async fn an_id_that_was_planted_is_replaced() {
    let world = world().await;
    let planted = "ss_chat=00112233445566778899aabbccddeeff";
    assert_eq!(everywhere(&world, planted).await, [Seen::Stranger, Seen::Stranger, Seen::Stranger]);
    // Nor does it become good because somebody came with it and logged in.
    let mut victim = Client::connect(world.address, Some(planted)).await;
    victim.hello(json!(null)).await;
    victim.welcome().await;
    let (id, ticket) = victim.log_in("alice").await;
    world.redeem(&ticket).await;
    victim.answer(id).await;
    assert_eq!(everywhere(&world, planted).await, [Seen::Stranger, Seen::Stranger, Seen::Stranger]);
}

#[tokio::test]
async fn the_id_of_before_a_login_is_nobodys() {
    let world = world().await;
    let (_client, before, after) = alice(&world).await;
    // While the browser may not have the new one yet, a socket must not overwrite it: it is told to come again.
    assert_eq!(everywhere(&world, &before).await, [Seen::Refused, Seen::Refused, Seen::Stranger]);
    world.clock.advance(31_000);
    world.swept().await;
    assert_eq!(everywhere(&world, &before).await, [Seen::Stranger, Seen::Stranger, Seen::Stranger]);
    assert_eq!(everywhere(&world, &after).await, [Seen::Known, Seen::Known, Seen::Known]);
}

#[tokio::test]
async fn after_a_logout_the_id_is_a_session_without_a_user() {
    let world = world().await;
    let (mut client, before, after) = alice(&world).await;
    client.call("auth/logout", json!([])).await.expect("it logs out");
    // The session goes on, its user does not.
    assert_eq!(everywhere(&world, &after).await, [Seen::Known, Seen::Known, Seen::Stranger]);
    assert_eq!(world.tab_with(Some(&after)).await.call("auth/whoami", json!([])).await, Ok(json!(null)));
    assert_eq!(over_api(&world, &before).await, Seen::Stranger);
}

#[tokio::test]
async fn an_id_ends_with_its_session() {
    let mut world = world().await;
    let (client, before, after) = alice(&world).await;
    drop(client);
    world.restart().await;
    assert_eq!(everywhere(&world, &after).await, [Seen::Known, Seen::Known, Seen::Known]);
    world.restart().await;
    world.clock.advance(3 * DAY_MS);
    for cookie in [&after, &before] {
        assert_eq!(everywhere(&world, cookie).await, [Seen::Stranger, Seen::Stranger, Seen::Stranger]);
    }
}

#[tokio::test]
async fn the_first_id_of_the_right_form_counts_when_there_are_several() {
    let world = world().await;
    let (_client, _, cookie) = alice(&world).await;
    let made_up = "ss_chat=00112233445566778899aabbccddeeff";
    for (several, seen) in [
        (format!("ss_chat=nonsense; {cookie}"), Seen::Known),
        (format!("a=b; {cookie}; ss_chat="), Seen::Known),
        (format!("other=é; {cookie}; more=\u{1f600}"), Seen::Known),
        (format!("{cookie}; {made_up}"), Seen::Known),
        (format!("{made_up}; {cookie}"), Seen::Stranger),
    ] {
        assert_eq!(over_api(&world, &several).await, seen, "{several}");
    }
    // A head that is too large is refused whole.
    let oversized =
        Request::get("/api/auth/whoami").header("Cookie", &format!("{cookie}; ss_chat={}", "0".repeat(40_000)));
    assert_eq!(world.send(oversized).await.status, 431);
}
