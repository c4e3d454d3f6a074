//! Limits: what happens to those who go beyond, and that nobody else notices.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::World;
use crate::support::client::{Client, PATIENCE, Refused, outcome};
use crate::support::http::{Request, raw};

#[tokio::test]
async fn a_message_that_is_too_large_closes_with_4002() {
    let world = World::new().await;
    for size in [64 * 1024 + 1, 5_000_000] {
        let mut client = world.tab().await;
        // The server may close while this is still being sent.
        let _ = client.send_raw(Message::text("x".repeat(size))).await;
        assert_eq!(client.closed().await, 4002, "{size} bytes");
    }
    let mut client = world.tab().await;
    let exactly = format!("[1,1,\"app/echo\",[\"{}\"]]", "x".repeat(64 * 1024 - 21));
    assert_eq!(exactly.len(), 64 * 1024);
    client.send_text(&exactly).await;
    assert!(outcome(&client.answer(1).await).is_ok());
}

#[tokio::test]
async fn what_is_not_text_closes_with_4000() {
    let world = World::new().await;
    let mut client = world.tab().await;
    client.send_raw(Message::binary(vec![1, 2, 3])).await.expect("it is sent");
    assert_eq!(client.closed().await, 4000);
    for text in ["[2]", "[1,1,\"app/echo\",[]]"] {
        let mut client = Client::connect(world.address, None).await;
        client.send_text(text).await;
        assert_eq!(client.closed().await, 4000, "{text} before hello");
    }
    let mut client = world.tab().await;
    client.hello(json!(null)).await;
    assert_eq!(client.closed().await, 4000, "hello twice");
    let mut client = Client::connect(world.address, None).await;
    client.send_text("[0,2,\"b\",\"x\"]").await;
    assert_eq!(client.closed().await, 4001);
}

#[tokio::test]
async fn silence_ends_a_connection() {
    let world = World::new().await;
    let mut mute = Client::connect(world.address, None).await;
    let mut quiet = world.tab().await;
    let mut pinging = world.tab().await;
    world.clock.advance(10_000);
    assert_eq!(mute.closed().await, 4005);
    world.clock.advance(60_000);
    pinging.settle().await;
    world.clock.advance(5_000);
    assert_eq!(quiet.closed().await, 4006);
    assert!(pinging.settle().await.is_empty());
}

#[tokio::test]
async fn a_flood_closes_with_4004_and_others_go_on() {
    let world = World::new().await;
    let mut other = world.tab().await;
    for flood in ["[2]", "[1,1,\"app/echo\",[]]"] {
        let mut client = world.tab().await;
        for _ in 0..300 {
            // It is closed before all of them are sent.
            if client.send_raw(Message::text(flood)).await.is_err() {
                break;
            }
        }
        assert_eq!(client.closed().await, 4004, "{flood}");
    }
    let mut client = world.tab().await;
    for _ in 0..300 {
        if client.send_raw(Message::Ping(vec![1].into())).await.is_err() {
            break;
        }
    }
    assert_eq!(client.closed().await, 4004, "pings of the websocket count as well");
    assert_eq!(other.call("app/echo", json!([1])).await, Ok(json!([1])));
}

#[tokio::test]
async fn a_slow_reader_is_cut_off_and_others_are_not_held_up() {
    let world = World::with(|config| {
        config.limits.queue_bytes = 200_000;
        config.limits.messages_burst = 10_000;
    })
    .await;
    let mut slow = Client::connect_narrow(world.address).await;
    slow.hello(json!(null)).await;
    slow.welcome().await;
    let (mut speaker, mut listener) = (world.tab().await, world.tab().await);
    // Much more than what the system and the queue take for a client that does not read.
    let text = "x".repeat(50_000);
    for n in 0..400 {
        speaker.call("bus/broadcast", json!([text])).await.expect("it is published");
        if n % 20 == 0 {
            listener.settle().await;
        }
    }
    assert_eq!(slow.closed().await, 4003);
}

#[tokio::test]
async fn a_reader_with_too_many_messages_is_cut_off() {
    let world = World::with(|config| {
        config.limits.queue_bytes = usize::MAX;
        config.limits.queue_messages = 50;
        config.limits.messages_burst = 10_000;
    })
    .await;
    let mut slow = Client::connect_narrow(world.address).await;
    slow.hello(json!(null)).await;
    slow.welcome().await;
    let mut speaker = world.tab().await;
    let text = "x".repeat(50_000);
    for _ in 0..400 {
        speaker.call("bus/broadcast", json!([text])).await.expect("it is published");
    }
    assert_eq!(slow.closed().await, 4003);
}

#[tokio::test]
async fn a_connection_may_send_so_much_a_second() {
    let world = World::with(|config| {
        config.limits.messages_per_second = 5;
        config.limits.messages_burst = 10;
    })
    .await;
    let mut client = world.tab().await;
    for _ in 0..5 {
        world.clock.advance(2_000);
        for _ in 0..10 {
            client.settle().await;
        }
    }
    world.clock.advance(1_000);
    for _ in 0..6 {
        // It is closed at the sixth.
        let _ = client.send_raw(Message::text("[2]")).await;
    }
    assert_eq!(client.closed().await, 4004);
}

#[tokio::test]
async fn a_reader_that_never_takes_its_end_is_given_up() {
    let mut world = World::with(|config| {
        config.limits.queue_bytes = 200_000;
        config.limits.messages_burst = 10_000;
    })
    .await;
    let mut stuck = Client::connect_narrow(world.address).await;
    stuck.hello(json!(null)).await;
    stuck.welcome().await;
    stuck.call("app/watch", json!([])).await.expect("it is watched");
    let mut speaker = world.tab().await;
    let text = "x".repeat(50_000);
    for _ in 0..400 {
        speaker.call("bus/broadcast", json!([text])).await.expect("it is published");
    }
    // One look notes that it is closing, a later one that it still is.
    let (script, clock) = (std::sync::Arc::clone(&world.script), world.clock.clone());
    let turning = tokio::spawn(async move {
        loop {
            clock.advance(1_000);
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(script.gone().await.0, 1);
    turning.abort();
    world.ask_to_stop();
}

#[tokio::test]
async fn calls_in_hand_are_bounded() {
    let world = World::with(|config| {
        config.limits.calls_per_connection = 2;
        config.limits.calls = 3;
    })
    .await;
    let (mut one, mut two) = (world.tab().await, world.tab().await);
    let held = [one.start("app/hold", json!([1])).await, one.start("app/hold", json!([2])).await];
    assert_eq!(one.call("app/echo", json!([])).await, Err("overloaded".to_owned()), "of this connection");
    two.start("app/hold", json!([3])).await;
    assert_eq!(two.call("app/echo", json!([])).await, Err("overloaded".to_owned()), "of the server");
    assert_eq!(world.get("/api/app/echo").await.status, 503);
    world.script.let_go(3);
    for id in held {
        one.answer(id).await;
    }
    assert_eq!(one.call("app/echo", json!([])).await, Ok(json!([])));
}

#[tokio::test]
async fn an_answer_has_a_size() {
    let world = World::with(|config| config.limits.answer_bytes = 1_000).await;
    let mut client = world.tab().await;
    assert_eq!(client.call("app/huge", json!([2_000])).await, Err("too_large".to_owned()));
    assert!(client.call("app/huge", json!([500])).await.is_ok());
    let refused = client.call("bus/broadcast", json!(["x".repeat(2_000)])).await;
    assert_eq!(refused, Err("action_error".to_owned()));
}

#[tokio::test]
async fn connections_are_counted() {
    let world = World::with(|config| config.limits.connections_per_address = 2).await;
    let (first, _second) = (world.tab().await, world.tab().await);
    let third = || Client::handshake(world.address, Client::request(world.address, None));
    assert_eq!(third().await.err(), Some(Refused(503)));
    drop(first);
    while third().await.is_err() {}
    let world = World::with(|config| config.limits.connections = 1).await;
    let _first = world.tab().await;
    let second = Client::handshake(world.address, Client::request(world.address, None)).await;
    assert_eq!(second.err(), Some(Refused(503)));
}

#[tokio::test]
async fn handshakes_of_one_address_have_a_rate() {
    let world = World::with(|config| {
        config.limits.connects_burst = 2;
        config.limits.connects_per_second = 1;
    })
    .await;
    let connect = || Client::handshake(world.address, Client::request(world.address, None));
    assert!(connect().await.is_ok() && connect().await.is_ok());
    assert_eq!(connect().await.err(), Some(Refused(429)));
    world.clock.advance(1_000);
    assert!(connect().await.is_ok());
    assert_eq!(connect().await.err(), Some(Refused(429)));
    assert_eq!(world.get("/").await.status, 200);
}

#[tokio::test]
async fn a_head_has_a_size_and_its_parsing_is_strict() {
    let world = World::with(|config| config.limits.header_bytes = 16 * 1024).await;
    let with = |bytes: usize| Request::get("/").header("X-Large", &"x".repeat(bytes));
    assert_eq!(world.send(with(15 * 1024)).await.status, 200);
    assert_eq!(world.send(with(17 * 1024)).await.status, 431);
    for (request, status) in [
        (
            "POST /api/app/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\n[1,2]",
            400,
        ),
        ("POST /api/app/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n[1,2]", 400),
        ("POST /api/app/echo HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n[1,2]", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n", 400),
        ("GET /\u{0} HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("NONSENSE\r\n\r\n", 400),
    ] {
        assert_eq!(raw(world.address, request.as_bytes()).await.status, status, "{request:?}");
    }
}

#[tokio::test]
async fn a_socket_that_is_cut_in_the_handshake_frees_its_place() {
    let world = World::with(|config| config.limits.connections = 1).await;
    for _ in 0..3 {
        drop(TcpStream::connect(world.address).await.expect("the server listens"));
    }
    drop(world.tab().await);
    // The server hears of the end on its own connection's task.
    loop {
        let again = Client::handshake(world.address, Client::request(world.address, None)).await;
        if again.is_ok() {
            break;
        }
    }
}

#[tokio::test]
async fn requests_of_one_address_have_a_rate() {
    let world = World::with(|config| config.limits.requests_burst = 2).await;
    assert_eq!(world.get("/api/app/echo").await.status, 200);
    assert_eq!(world.get("/api/app/echo").await.status, 200);
    let refused = world.get("/api/app/echo").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    world.clock.advance(1_000);
    assert_eq!(world.get("/api/app/echo").await.status, 200);
}

#[tokio::test]
async fn a_million_fragments_are_no_message() {
    let world = World::new().await;
    let mut client = world.tab().await;
    client.send_raw(fragment(OpCode::Data(Data::Text))).await.expect("it is sent");
    for _ in 0..1_000_000 {
        // It is closed long before that.
        if client.send_raw(fragment(OpCode::Data(Data::Continue))).await.is_err() {
            break;
        }
    }
    assert_eq!(client.closed().await, 4002);
}

fn fragment(kind: OpCode) -> Message {
    Message::Frame(Frame::message("x", kind, false))
}

#[tokio::test]
async fn a_head_that_does_not_end_and_a_body_that_does_not_come_are_not_waited_for() {
    let world = World::with(|config| config.limits.handshake_ms = 50).await;
    for (sent, answers) in [
        ("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", false),
        ("", false),
        (
            "POST /api/app/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[",
            true,
        ),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", true),
    ] {
        let mut stream = TcpStream::connect(world.address).await.expect("the server listens");
        stream.write_all(sent.as_bytes()).await.expect("it is sent");
        let mut answer = Vec::new();
        // Also after an answer, a connection that says nothing more is closed.
        let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        assert!(end.is_ok(), "{sent:?} keeps its connection");
        assert_eq!(!answer.is_empty(), answers, "{sent:?}: {}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_not_waited_for() {
    let world = World::with(|config| config.limits.stall_ms = 50).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut stream = socket.connect(world.address).await.expect("the server listens");
    let requests = "GET /assets/big-aaaaaaaaaaaaaaaa.bin HTTP/1.1\r\nHost: x\r\n\r\n".repeat(8);
    stream.write_all(requests.as_bytes()).await.expect("it is sent");
    // A connection that is gone says so to whoever writes; reading would be the patience that is asked about.
    let gone = async {
        while stream.write_all(b"\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the server gives up");
}

#[tokio::test]
async fn tcp_connections_of_one_address_are_counted() {
    let world = World::with(|config| config.limits.connections_per_address = 1).await;
    let _two = [connect(&world).await, connect(&world).await];
    let mut third = connect(&world).await;
    let mut nothing = Vec::new();
    let end = tokio::time::timeout(PATIENCE, third.read_to_end(&mut nothing)).await.expect("it is closed");
    assert!(end.is_err() || nothing.is_empty());
}

#[tokio::test]
async fn a_connection_beyond_all_places_waits_for_one() {
    let world = World::with(|config| config.limits.http_connections = 2).await;
    let ask = async |stream: &mut TcpStream| {
        stream.write_all(b"HEAD /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("it is sent");
    };
    let answer = async |stream: &mut TcpStream| {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut text)).await.expect("an answer arrives");
            assert!(read.expect("an answer") > 0, "it is closed");
        }
        text
    };
    let (mut one, mut two) = (connect(&world).await, connect(&world).await);
    for stream in [&mut one, &mut two] {
        ask(stream).await;
        assert!(answer(stream).await.starts_with(b"HTTP/1.1 200 "));
    }
    let mut three = connect(&world).await;
    ask(&mut three).await;
    for _ in 0..10 {
        ask(&mut two).await;
        answer(&mut two).await;
    }
    let mut byte = [0];
    assert!(three.try_read(&mut byte).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    drop(one);
    assert!(answer(&mut three).await.starts_with(b"HTTP/1.1 200 "));
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.address).await.expect("the server listens")
}
