//! `testdata/protocol`: the server reads and writes exactly what stands there.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use ssbuild_server::engine::{CallError, ErrorCode};
use ssbuild_server::protocol::{self, ClientMessage, Event, Logging, Position, Sent, WelcomeOptions};

use crate::support::World;
use crate::support::client::Client;

fn rows(name: &str) -> Vec<Value> {
    let path = format!("{}/../testdata/protocol/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("{row} has no text `{key}`"))
}

#[test]
fn messages_of_clients_are_read() {
    let mut kinds = [0; 4];
    for row in rows("messages").iter().filter(|row| row["direction"] == "client") {
        let message = ClientMessage::parse(text(row, "text")).unwrap_or_else(|error| panic!("{row}: {error}"));
        match message {
            ClientMessage::Hello(hello) => {
                kinds[0] += 1;
                assert_eq!(hello.build_id, text(row, "build_id"));
                assert_eq!(format!("{:032x}", hello.client_id), text(row, "client_id"));
                assert_eq!(json!(hello.positions), row["positions"]);
            }
            ClientMessage::Call(call) => {
                kinds[1] += 1;
                assert_eq!((json!(call.id), &*call.action), (row["id"].clone(), text(row, "action")));
                assert_eq!(serde_json::from_str::<Value>(call.args).expect("JSON"), row["args"]);
                assert_eq!(call.sent == Sent::Again, row["resent"] == true);
                assert_eq!(call.logging == Logging::Silent, row["silent"] == true);
            }
            ClientMessage::Ping => kinds[2] += 1,
            ClientMessage::Said { level, text: said } => {
                kinds[3] += 1;
                assert_eq!((json!(level), said.as_str()), (row["level"].clone(), text(row, "line")));
            }
        }
    }
    assert!(kinds.iter().all(|count| *count > 0), "every kind has an example: {kinds:?}");
}

#[test]
fn what_later_versions_append_is_ignored() {
    for row in rows("later") {
        let later = ClientMessage::parse(text(&row, "text")).unwrap_or_else(|error| panic!("{row}: {error}"));
        let same = rows("messages").into_iter().find(|known| known["name"] == row["same_as"]).expect("it names one");
        let known = ClientMessage::parse(text(&same, "text")).expect("it is read above");
        assert_eq!(format!("{later:?}"), format!("{known:?}"), "{row}");
    }
}

#[test]
fn what_is_not_of_the_protocol_is_refused() {
    for row in rows("refused") {
        assert!(ClientMessage::parse(text(&row, "text")).is_err(), "{row}");
    }
}

#[tokio::test]
async fn a_refused_message_closes_the_connection_with_its_code() {
    let world = World::new().await;
    for row in rows("refused") {
        let after_hello = !text(&row, "name").starts_with("hello");
        let mut client = if after_hello { world.tab().await } else { Client::connect(world.address, None).await };
        client.send_text(text(&row, "text")).await;
        assert_eq!(json!(client.closed().await), row["close"], "{row}");
    }
}

#[test]
fn messages_of_the_server_are_written() {
    let mut kinds = [0; 14];
    for row in rows("messages").iter().filter(|row| row["direction"] == "server") {
        let golden = text(row, "text");
        let parsed: Value = serde_json::from_str(golden).expect("JSON");
        let kind = parsed[0].as_u64().and_then(|kind| usize::try_from(kind).ok()).expect("a kind");
        kinds[kind] += 1;
        assert_eq!(&*write(kind, row), golden, "{row}");
    }
    assert!(kinds.iter().all(|count| *count > 0), "every kind has an example: {kinds:?}");
}

fn write(kind: usize, row: &Value) -> protocol::Text {
    let number = |key: &str| row[key].as_u64().unwrap_or_else(|| panic!("{row} has no number `{key}`"));
    let raw = |key: &str| -> Option<Box<RawValue>> { row.get(key).map(|value| to_raw_value(value).expect("JSON")) };
    match kind {
        0 => {
            let positions: Vec<Position> = serde_json::from_value(row["positions"].clone()).expect("positions");
            let options = WelcomeOptions {
                heartbeat_ms: row["options"]["heartbeat_ms"].as_u64().expect("a number"),
                message_bytes: row["options"]["message_bytes"].as_u64().expect("a number") as usize,
                connection: row["options"]["connection"].as_u64().expect("a number"),
                develops: row["options"]["develops"] == true,
            };
            protocol::welcome(text(row, "build_id"), row["recovered"].as_bool(), &positions, &options)
        }
        1 => {
            let mut text = String::new();
            protocol::push_result(&mut text, number("id"), raw("value").as_deref().map(RawValue::get));
            text.into()
        }
        2 => {
            let code = ErrorCode::from_name(text(row, "code")).expect("a code of the table");
            assert_eq!(row["retryable"], code.retryable(), "{row}");
            let stack = row.get("stack").and_then(Value::as_str).map(str::to_owned);
            protocol::error(number("id"), &CallError { stack, ..CallError::new(code, text(row, "message")) })
        }
        3 => {
            let streams: Vec<&str> =
                row["streams"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
            let offsets = row["offsets"].as_array().expect("numbers").iter().filter_map(Value::as_u64);
            let through: Vec<_> = streams.into_iter().zip(offsets).collect();
            Event::new(text(row, "event"), raw("params")).encode(&through)
        }
        4 => protocol::joined(&Position(text(row, "stream").into(), text(row, "epoch").into(), number("offset"))),
        5 => protocol::left(text(row, "stream")),
        6 => protocol::ticket(text(row, "ticket")),
        7 => protocol::reconnect(number("after_ms")),
        8 => protocol::upgrade(text(row, "build_id")),
        9 => protocol::pong(),
        10 => protocol::log(u8::try_from(number("level")).expect("a level"), text(row, "line")),
        11 => protocol::update(&row["body"].to_string()),
        12 => protocol::problems(&row["body"].to_string()),
        13 => protocol::failure(&row["body"].to_string()),
        other => panic!("kind {other} is not known"),
    }
}
