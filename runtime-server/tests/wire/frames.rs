use serde_json::{Value, json};

use super::page::{Arrived, Page, Way};
use super::server::{BUILD_ID, Kind, Server};

pub(super) async fn hold_several_messages(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let first = page.call("app/count", json!([])).await[1].as_u64().expect("a number");
    let mut lines: Vec<String> = (2..=16).map(|id| json!([1, id, "app/count", []]).to_string()).collect();
    // Any message may be there, and a failure is its own call's only.
    lines.insert(4, json!([2]).to_string());
    lines.push(json!([1, 17, "app/fail", []]).to_string());
    lines.push(json!([1, 18, "app/echo", ["a\nb"]]).to_string());
    page.say_text(&lines.join("\n")).await;
    let mut messages = Vec::new();
    for _ in &lines {
        messages.push(page.message().await);
    }
    messages.sort_by_key(|message| message[1].as_u64());
    let counts = (2..=16).map(|id| json!([1, id, first + id - 1]));
    let mut wanted = vec![json!([9])];
    wanted.extend(counts);
    wanted.extend([json!([2, 17, "action_error", "it broke", 0]), json!([1, 18, ["a\nb"]])]);
    assert_eq!(messages, wanted, "each has its answer, and they began in order");
    assert_eq!(page.settle_by_call().await, Vec::<Value>::new(), "no answer comes twice");
}

pub(super) async fn have_no_empty_lines(server: &Server, way: Way) {
    for text in ["\n", "[2]\n", "\n[2]", "[2]\n\n[2]", "[2]\n \n[2]", "[2]\r\n\r\n[2]", "[1,1,\"app/echo\",\n[]]"] {
        let mut page = Page::greeted(server, way, None).await;
        page.say_text(text).await;
        assert_eq!(page.closed().await, 4000, "{text:?}");
    }
}

pub(super) async fn are_limited_as_a_whole(server: &Server, way: Way) {
    let frame = |bytes: usize| {
        let last = "[1,2,\"app/echo\",[\"\"]]".len() + "[2]\n".len();
        format!("[2]\n[1,2,\"app/echo\",[\"{}\"]]", "x".repeat(bytes - last))
    };
    let mut page = Page::greeted(server, way, None).await;
    page.say_text(&frame(65_536)).await;
    assert_eq!(page.message().await, json!([9]), "so much is allowed");
    assert_eq!(page.message().await[1], 2);
    page.say_text(&frame(65_537)).await;
    assert_eq!(page.next().await, Arrived::Closed(4002), "one byte more is not, and nothing of it counts");
}

pub(super) async fn do_not_hide_a_flood(kind: Kind) {
    let server = Server::with(kind, |config| config.limits.messages_burst = 20).await;
    for way in [Way::Socket, Way::Fallback] {
        let mut page = Page::greeted(&server, way, None).await;
        page.say_text(&["[2]"; 10].join("\n")).await;
        for _ in 0..10 {
            assert_eq!(page.message().await, json!([9]));
        }
        page.say_text(&["[2]"; 30].join("\n")).await;
        assert_eq!(page.closed().await, 4004);
    }
}

pub(super) async fn wait_behind_the_hello(server: &Server, way: Way) {
    let call = json!([1, 1, "app/echo", [1]]).to_string();
    for frames in [1, 2] {
        let mut page = Page::open(server, way, None).await;
        let hello = json!([0, 1, BUILD_ID, page.id, null]).to_string();
        if frames == 1 {
            page.say_text(&format!("{hello}\n{call}")).await;
        } else {
            page.say_text(&hello).await;
            page.say_text(&call).await;
        }
        page.welcome().await;
        assert_eq!(page.message().await, json!([1, 1, [1]]));
    }
}
