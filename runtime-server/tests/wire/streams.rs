use serde_json::{Value, json};

use super::page::{Page, Way};
use super::server::{HISTORY, Kind, Server};

/// Publishes from a page of its own.
async fn publish(server: &Server, way: Way, action: &str, args: Value) {
    let mut speaker = Page::greeted(server, way, None).await;
    assert_eq!(speaker.call(action, args).await, json!([1, true]));
}

/// Epoch and offset of a stream in a welcome.
fn position(welcome: &Value, stream: &str) -> (String, u64) {
    let positions = welcome[4].as_array().expect("positions");
    let position =
        positions.iter().find(|position| position[0] == stream).unwrap_or_else(|| panic!("{stream} in {welcome}"));
    (position[1].as_str().expect("an epoch").to_owned(), position[2].as_u64().expect("an offset"))
}

/// A page, and where the broadcast was when it came.
async fn listener(server: &Server, way: Way) -> (Page, String, u64) {
    let mut page = Page::open(server, way, None).await;
    page.hello(json!(null)).await;
    let (epoch, offset) = position(&page.welcome().await, "*");
    (page, epoch, offset)
}

pub(super) async fn a_broadcast_reaches_everybody(server: &Server, way: Way) {
    let (mut one, _, offset) = listener(server, way).await;
    let (mut two, ..) = listener(server, way).await;
    publish(server, way, "bus/all", json!(["news", {"a": [1]}])).await;
    let wanted = json!([3, "*", offset + 1, "news", {"a": [1]}]);
    assert_eq!([one.message().await, two.message().await], [wanted.clone(), wanted]);
    assert_eq!(one.settle_by_call().await, Vec::<Value>::new(), "once");
}

pub(super) async fn no_params_are_undefined(server: &Server, way: Way) {
    let (mut page, _, offset) = listener(server, way).await;
    publish(server, way, "bus/bare", json!(["bare"])).await;
    publish(server, way, "bus/all", json!(["null", null])).await;
    assert_eq!(page.message().await, json!([3, "*", offset + 1, "bare"]));
    assert_eq!(page.message().await, json!([3, "*", offset + 2, "null", null]));
}

pub(super) async fn events_keep_their_order(server: &Server, way: Way) {
    let (mut page, _, offset) = listener(server, way).await;
    publish(server, way, "bus/many", json!([100])).await;
    for n in 1..=100 {
        assert_eq!(page.message().await, json!([3, "*", offset + n, "n", n]));
    }
}

pub(super) async fn a_channel_is_joined_and_left(server: &Server, way: Way) {
    let (mut page, _, offset) = listener(server, way).await;
    let room = format!("#{}", page.id);
    let id = page.start("room/join", json!([[&room[1..]]])).await;
    let mut aside = Vec::new();
    assert_eq!(page.answer_past(id, &mut aside).await, json!([1, id, true]));
    assert_eq!(aside.len(), 1, "joined comes before the answer: {aside:?}");
    assert_eq!((&aside[0][0], &aside[0][1]), (&json!(4), &json!(room)));
    let (epoch, at) = (aside[0][2].clone(), aside[0][3].as_u64().expect("an offset"));
    assert!(epoch.is_string());
    publish(server, way, "room/say", json!([[&room[1..]], "said", "hi"])).await;
    assert_eq!(page.message().await, json!([3, room, at + 1, "said", "hi"]));
    let id = page.start("room/leave", json!([[&room[1..]]])).await;
    let mut aside = Vec::new();
    page.answer_past(id, &mut aside).await;
    assert_eq!(aside, [json!([5, room])]);
    publish(server, way, "room/say", json!([[&room[1..]], "said", "not for it"])).await;
    publish(server, way, "bus/all", json!(["after", 1])).await;
    assert_eq!(page.message().await, json!([3, "*", offset + 1, "after", 1]), "nothing of a channel that was left");
}

pub(super) async fn a_channel_is_for_those_in_it(server: &Server, way: Way) {
    let mut outside = Page::greeted(server, way, None).await;
    let mut inside = Page::greeted(server, way, None).await;
    let room = inside.id.clone();
    assert_eq!(inside.call("room/join", json!([[room]])).await, json!([1, true]));
    publish(server, way, "room/say", json!([[room], "said", 1])).await;
    assert_eq!(inside.message().await[3], "said");
    assert_eq!(outside.settle_by_call().await, Vec::<Value>::new());
}

pub(super) async fn every_tab_of_a_session_joins(server: &Server, way: Way) {
    let mut one = Page::greeted(server, way, None).await;
    let mut two = Page::greeted(server, way, one.cookie.as_deref()).await;
    let room = format!("#{}", one.id);
    one.call("room/join", json!([[&room[1..]]])).await;
    let joined = two.message().await;
    assert_eq!((&joined[0], &joined[1]), (&json!(4), &json!(room)));
}

pub(super) async fn one_publication_comes_once(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let (a, b) = (format!("#{}a", page.id), format!("#{}b", page.id));
    page.call("room/join", json!([[&a[1..], &b[1..]]])).await;
    publish(server, way, "room/say", json!([[&b[1..], "nobody", &a[1..]], "said", 1])).await;
    let event = page.message().await;
    let mut through: Vec<(Value, Value)> = match (&event[1], &event[2]) {
        (Value::Array(streams), Value::Array(offsets)) => {
            streams.iter().cloned().zip(offsets.iter().cloned()).collect()
        }
        _ => panic!("through several streams: {event}"),
    };
    through.sort_by_key(|(stream, _)| stream.to_string());
    assert_eq!(through, [(json!(a), json!(1)), (json!(b), json!(1))]);
    assert_eq!((&event[0], &event[3], &event[4]), (&json!(3), &json!("said"), &json!(1)));
    assert_eq!(page.settle_by_call().await, Vec::<Value>::new());
}

pub(super) async fn one_connection_can_be_meant(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let mut other = Page::greeted(server, way, page.cookie.as_deref()).await;
    let id = page.start("bus/me", json!(["you", 1])).await;
    let mut aside = Vec::new();
    page.answer_past(id, &mut aside).await;
    aside.extend(page.settle().await);
    assert_eq!(aside, [json!([3, "!", 0, "you", 1])]);
    assert_eq!(other.settle_by_call().await, Vec::<Value>::new(), "not the other tab");
}

// After a reconnect.

pub(super) async fn what_was_missed_comes_first(server: &Server, way: Way) {
    let (page, epoch, offset) = listener(server, way).await;
    publish(server, way, "bus/many", json!([3])).await;
    // It has seen the first of the three.
    let (mut page, welcome) = page.back(server, way, json!([["*", epoch, offset + 1]])).await;
    assert_eq!(welcome[3], true, "{welcome}");
    assert_eq!(position(&welcome, "*"), (epoch.clone(), offset + 1), "the position that the client said");
    publish(server, way, "bus/all", json!(["new", 1])).await;
    assert_eq!(page.message().await, json!([3, "*", offset + 2, "n", 2]));
    assert_eq!(page.message().await, json!([3, "*", offset + 3, "n", 3]));
    assert_eq!(page.message().await, json!([3, "*", offset + 4, "new", 1]), "and then what is new, without a gap");
    let (mut page, welcome) = page.back(server, way, json!([["*", epoch, offset + 4]])).await;
    assert_eq!((&welcome[3], position(&welcome, "*").1), (&json!(true), offset + 4));
    assert_eq!(page.settle_by_call().await, Vec::<Value>::new(), "nothing was missed, and nothing comes");
}

pub(super) async fn what_is_lost_is_said(server: &Server, way: Way) {
    let (mut page, epoch, offset) = listener(server, way).await;
    publish(server, way, "bus/many", json!([HISTORY + 2])).await;
    let now = offset + HISTORY as u64 + 2;
    for (what, positions) in [
        ("older than the history", json!([["*", epoch, offset + 1]])),
        ("another epoch", json!([["*", "00000000", now]])),
        ("not yet published", json!([["*", epoch, now + 1]])),
    ] {
        let (again, welcome) = page.back(server, way, positions).await;
        page = again;
        assert_eq!(welcome[3], false, "{what}: {welcome}");
        assert_eq!(position(&welcome, "*"), (epoch.clone(), now), "{what}");
        assert_eq!(page.settle_by_call().await, Vec::<Value>::new(), "{what}: nothing old follows");
    }
    let (_, welcome) = page.back(server, way, json!([["*", epoch, offset + 2]])).await;
    assert_eq!(welcome[3], true, "as far as the history reaches");
}

pub(super) async fn all_or_nothing(server: &Server, way: Way) {
    let (mut page, epoch, offset) = listener(server, way).await;
    let room = format!("#{}", page.id);
    page.call("room/join", json!([[&room[1..]]])).await;
    publish(server, way, "bus/all", json!(["missed", 1])).await;
    publish(server, way, "room/say", json!([[&room[1..]], "missed", 2])).await;
    let (mut page, welcome) = page.back(server, way, json!([["*", epoch, offset], [room, "00000000", 0]])).await;
    assert_eq!(welcome[3], false);
    assert_eq!(page.settle_by_call().await, Vec::<Value>::new(), "also of the stream whose history is there");
    let (room_epoch, at) = position(&welcome, &room);
    assert_eq!(at, 1);
    let (mut page, welcome) = page.back(server, way, json!([["*", epoch, offset], [room, room_epoch, 0]])).await;
    assert_eq!(welcome[3], true);
    assert_eq!(page.message().await, json!([3, "*", offset + 1, "missed", 1]));
    assert_eq!(page.message().await, json!([3, room, 1, "missed", 2]), "in the order in which they were published");
}

pub(super) async fn a_stream_that_was_not_named_starts_now(server: &Server, way: Way) {
    let (mut page, epoch, offset) = listener(server, way).await;
    let room = format!("#{}", page.id);
    page.call("room/join", json!([[&room[1..]]])).await;
    publish(server, way, "room/say", json!([[&room[1..]], "missed", 2])).await;
    let (mut page, welcome) = page.back(server, way, json!([["*", epoch, offset]])).await;
    assert_eq!((&welcome[3], position(&welcome, &room).1), (&json!(true), 1));
    assert_eq!(page.settle_by_call().await, Vec::<Value>::new());
}

pub(super) async fn history_ends_with_time(kind: Kind) {
    let server = Server::usual(kind).await;
    for way in [Way::Socket, Way::Fallback] {
        let (page, epoch, offset) = listener(&server, way).await;
        publish(&server, way, "bus/all", json!(["old", 1])).await;
        server.world.clock.advance(121_000);
        let (mut page, welcome) = page.back(&server, way, json!([["*", epoch, offset]])).await;
        assert_eq!(welcome[3], false);
        assert_eq!(page.settle_by_call().await, Vec::<Value>::new());
    }
}
