use serde_json::{Value, json};

use super::page::{Arrived, Page, Way};
use super::server::Server;
use super::socket::{BINARY, CLOSE, END, Frame, MORE, Mask, PING, PONG, TEXT};

pub(super) async fn what_is_no_message_ends_it(server: &Server, way: Way) {
    for text in [
        "",
        " ",
        "{}",
        "[",
        "[]",
        "null",
        "1",
        "\"[2]\"",
        "[2]]",
        "[2][2]",
        "[-1]",
        "[4]",
        "[99]",
        "[256]",
        "[\"2\"]",
        "[2.5]",
        "[1]",
        "[1,1]",
        "[1,1,\"app/echo\"]",
        "[1,0,\"app/echo\",[]]",
        "[1,-1,\"app/echo\",[]]",
        "[1,1.5,\"app/echo\",[]]",
        "[1,\"1\",\"app/echo\",[]]",
        "[1,1,5,[]]",
        "[1,1,null,[]]",
        "[1,1,\"app/echo\",{}]",
        "[1,1,\"app/echo\",null]",
        "[1,1,\"app/echo\",\"[]\"]",
        "[1,1,\"app/echo\",[1,]]",
        "[1,1,\"app/echo\",[],\"again\"]",
        "[1,18446744073709551616,\"app/echo\",[]]",
        "[NaN]",
        "[2]\u{0}",
        "\u{feff}[2]",
    ] {
        let mut page = Page::greeted(server, way, None).await;
        page.say_text(text).await;
        assert_eq!(page.next().await, Arrived::Closed(4000), "{text:?}");
    }
}

pub(super) async fn pages_of_a_deployed_app_say_nothing(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    page.say(&json!([3, 0, "an error of the page"])).await;
    assert_eq!(page.next().await, Arrived::Closed(4000));
}

pub(super) async fn deep_json_is_no_danger(server: &Server, way: Way) {
    let deep = format!("[1,1,\"app/echo\",{}{}]", "[".repeat(30_000), "]".repeat(30_000));
    let mut page = Page::greeted(server, way, None).await;
    page.say_text(&deep).await;
    match page.next().await {
        Arrived::Closed(code) => assert_eq!(code, 4000),
        Arrived::Message(message) => assert_eq!((&message[0], &message[1]), (&json!(2), &json!(1)), "{message}"),
        Arrived::Gone => panic!("the server is gone"),
    }
    let mut other = Page::greeted(server, way, None).await;
    assert_eq!(other.call("app/echo", json!([[[1]]])).await, json!([1, [[[1]]]]));
}

pub(super) async fn binary_frames_end_it(server: &Server, _: Way) {
    for payload in [b"[2]".to_vec(), vec![]] {
        let mut page = Page::greeted(server, Way::Socket, None).await;
        page.frame(&Frame { first: END | BINARY, payload }).await;
        assert_eq!(page.next().await, Arrived::Closed(4000));
    }
}

pub(super) async fn large_messages_end_it(server: &Server, way: Way) {
    let exactly = |bytes: usize| format!("[1,1,\"app/echo\",[\"{}\"]]", "x".repeat(bytes - 21));
    let mut page = Page::greeted(server, way, None).await;
    page.say_text(&exactly(65_536)).await;
    assert_eq!(page.message().await[0], 1, "so much is allowed");
    page.say_text(&exactly(65_537)).await;
    assert_eq!(page.next().await, Arrived::Closed(4002), "one more is not");
    if way == Way::Socket {
        // The length alone is enough: nobody waits for what it announces.
        for length in [65_537_u64, 1 << 40, u64::MAX >> 1] {
            let mut page = Page::greeted(server, way, None).await;
            page.bytes(&[&[END | TEXT, 0x80 | 127][..], &length.to_be_bytes(), &[0; 4]].concat()).await;
            assert_eq!(page.next().await, Arrived::Closed(4002), "{length} bytes");
        }
    }
}

pub(super) async fn fragments_are_one_message(server: &Server, _: Way) {
    let text = "[1,7,\"app/echo\",[\"h\u{f6}\u{2713}\u{1f600}\"]]".as_bytes();
    // Everywhere, within characters too, and one byte at a time.
    for size in [1, 2, 3, 5, 17] {
        let mut page = Page::greeted(server, Way::Socket, None).await;
        let pieces: Vec<_> = text.chunks(size).collect();
        for (at, piece) in pieces.iter().enumerate() {
            let kind = if at == 0 { TEXT } else { 0 };
            let end = if at + 1 == pieces.len() { END } else { MORE };
            page.frame(&Frame { first: end | kind, payload: piece.to_vec() }).await;
            if at == 1 {
                page.frame(&Frame { first: END | PING, payload: b"between".to_vec() }).await;
                assert_eq!(page.next_frame().await, Frame { first: END | PONG, payload: b"between".to_vec() });
            }
        }
        assert_eq!(page.message().await, json!([1, 7, ["h\u{f6}\u{2713}\u{1f600}"]]), "pieces of {size}");
    }
}

pub(super) async fn fragments_have_the_same_limit(server: &Server, _: Way) {
    let mut page = Page::greeted(server, Way::Socket, None).await;
    page.frame(&Frame { first: MORE | TEXT, payload: b"[".to_vec() }).await;
    for _ in 0..17 {
        page.frame(&Frame { first: MORE, payload: vec![b' '; 4096] }).await;
    }
    assert_eq!(page.next().await, Arrived::Closed(4002));
}

pub(super) async fn broken_frames_end_it(server: &Server, _: Way) {
    let masked = |first: u8, payload: &[u8]| Frame { first, payload: payload.to_vec() }.bytes(Mask::Masked);
    for (what, bytes) in [
        ("without a mask", Frame::text("[2]").bytes(Mask::Bare)),
        ("a reserved bit", masked(END | 0x40 | TEXT, b"[2]")),
        ("an opcode without a meaning", masked(END | 0x3, b"[2]")),
        ("a continuation of nothing", masked(END, b"[2]")),
        ("a message within a message", [masked(MORE | TEXT, b"[2"), masked(END | TEXT, b"[2]")].concat()),
        ("a ping in pieces", masked(MORE | PING, b"x")),
        ("a ping that is too long", masked(END | PING, &[0; 126])),
        ("a close of one byte", masked(END | CLOSE, &[3])),
    ] {
        let mut page = Page::greeted(server, Way::Socket, None).await;
        page.bytes(&bytes).await;
        assert_eq!(page.next().await, Arrived::Closed(1002), "{what}");
    }
}

pub(super) async fn text_is_utf8(server: &Server, _: Way) {
    for payload in [&b"[1,1,\"app/echo\",[\"\xff\"]]"[..], b"\xed\xa0\x80", b"\xf0\x9f"] {
        let mut page = Page::greeted(server, Way::Socket, None).await;
        page.frame(&Frame { first: END | TEXT, payload: payload.to_vec() }).await;
        assert_eq!(page.next().await, Arrived::Closed(1007), "{payload:?}");
    }
}

pub(super) async fn pings_of_both_kinds_are_answered(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    for _ in 0..3 {
        page.say(&json!([2])).await;
        assert_eq!(page.message().await, json!([9]));
    }
    if way == Way::Socket {
        page.frame(&Frame { first: END | PING, payload: b"are you there?".to_vec() }).await;
        assert_eq!(page.next_frame().await, Frame { first: END | PONG, payload: b"are you there?".to_vec() });
        page.frame(&Frame { first: END | PONG, payload: vec![] }).await;
        assert_eq!(page.settle().await, Vec::<Value>::new());
    }
}

pub(super) async fn silence_ends_it(kind: super::server::Kind) {
    let server = Server::usual(kind).await;
    for way in [Way::Socket, Way::Fallback] {
        let mut quiet = Page::greeted(&server, way, None).await;
        let mut pinging = Page::greeted(&server, way, None).await;
        server.world.clock.advance(60_000);
        pinging.settle().await;
        server.world.clock.advance(20_000);
        assert_eq!(quiet.closed().await, 4006);
        assert_eq!(pinging.settle().await, Vec::<Value>::new());
    }
}

pub(super) async fn a_flood_ends_it(kind: super::server::Kind) {
    let server = Server::with(kind, |config| config.limits.messages_burst = 20).await;
    for way in [Way::Socket, Way::Fallback] {
        let mut other = Page::greeted(&server, way, None).await;
        let mut page = Page::greeted(&server, way, None).await;
        for _ in 0..30 {
            page.say(&json!([2])).await;
        }
        assert_eq!(page.closed().await, 4004);
        assert_eq!(other.call("app/echo", json!([1])).await, json!([1, [1]]), "others do not notice");
    }
}

pub(super) async fn a_slow_reader_is_cut_off(kind: super::server::Kind) {
    let server = Server::with(kind, |config| {
        config.limits.queue_bytes = 200_000;
        config.limits.messages_burst = 10_000;
    })
    .await;
    let mut slow = Page::greeted(&server, Way::Socket, None).await;
    let mut speaker = Page::greeted(&server, Way::Socket, None).await;
    let text = "x".repeat(60_000);
    // Much more than the system takes for a client that does not read.
    for _ in 0..400 {
        assert_eq!(speaker.call("bus/all", json!(["large", text])).await, json!([1, true]), "others are not held up");
    }
    assert_eq!(slow.closed().await, 4003);
}
