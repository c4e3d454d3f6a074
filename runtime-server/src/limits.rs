//! Every limit the server keeps, in one place, with its unit in its name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! limits {
    ($($name:ident: $kind:ty = $value:expr, $about:literal, at $at:literal;)*) => {
        /// The limits, as in the section `limits` of the configuration.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct Limits {
            $(#[doc = $about] pub $name: $kind,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $value,)* }
            }
        }

        impl Limits {
            /// Name, default, meaning, and what happens to who reaches it.
            pub const TABLE: &[(&str, u64, &str, &str)] = &[$((stringify!($name), $value as u64, $about, $at),)*];
        }
    };
}

limits! {
    message_bytes: usize = 64 * 1024, "Largest frame a client may send over the socket, of one message or several, in bytes.",
        at "the connection is closed with 4002 (`too_large`)";
    body_bytes: usize = 1024 * 1024, "Largest body of an HTTP request, in bytes.",
        at "413, [`too_large`](#too_large)";
    header_bytes: usize = 32 * 1024, "Largest head of an HTTP request, in bytes.",
        at "431";
    answer_bytes: usize = 4 * 1024 * 1024, "Largest answer or event that server code may produce, in bytes.",
        at "[`too_large`](#too_large) for the caller; an event is an exception where it is published";
    connections: usize = 20_000, "Open sockets of this server.",
        at "the handshake is answered 503";
    connections_per_address: usize = 1_000, "Open sockets of one address.",
        at "the handshake is answered 503; of twice as many TCP connections the last is closed without a word";
    handshake_ms: u64 = 10_000, "Time to send a request's head, or a socket's hello, in milliseconds.",
        at "a request is dropped, 408 when its body is late; a socket is closed with 4005";
    stall_ms: u64 = 30_000, "Time that a client may accept nothing of an HTTP answer, in milliseconds.",
        at "the TCP connection is closed";
    idle_ms: u64 = 75_000, "Silence after which a socket is closed, in milliseconds.",
        at "the socket is closed with 4006";
    queue_bytes: usize = 1024 * 1024, "Bytes waiting to be written to one slow client before it is disconnected.",
        at "the socket is closed with 4003";
    queue_messages: usize = 4_096, "Messages waiting to be written to one slow client before it is disconnected.",
        at "the socket is closed with 4003";
    calls_per_connection: usize = 256, "Calls of one connection that may be unanswered at a time.",
        at "[`overloaded`](#overloaded)";
    calls: usize = 10_000, "Calls of this server that may be unanswered at a time.",
        at "[`overloaded`](#overloaded)";
    call_timeout_ms: u64 = 25_000, "Time an action has to answer, in milliseconds.",
        at "[`timeout`](#timeout); 503 for middleware";
    call_busy_ms: u64 = 1_000, "Time an action may keep its engine busy without a pause, in milliseconds.",
        at "[`interrupted`](#interrupted)";
    engine_grace_ms: u64 = 2_000, "Time after which an engine that cannot be interrupted is given up, in milliseconds beyond call_busy_ms.",
        at "the engine is replaced; [`interrupted`](#interrupted) for the call, [`engine_lost`](#engine_lost) for others on it";
    engine_memory_bytes: usize = 256 * 1024 * 1024, "Memory of one engine's JavaScript heap, in bytes.",
        at "[`memory_limit`](#memory_limit)";
    engine_stack_bytes: usize = 1024 * 1024, "Stack of one engine's JavaScript, in bytes.",
        at "[`stack_limit`](#stack_limit)";
    fetches: usize = 100, "Addresses that one embedded engine may be fetching at a time.",
        at "`fetch` rejects";
    fetch_bytes: usize = 8 * 1024 * 1024, "Largest answer that server code in the embedded engine may fetch, in bytes.",
        at "`fetch` rejects";
    fetch_ms: u64 = 20_000, "Time that a fetch of the embedded engine may take, in milliseconds.",
        at "`fetch` rejects";
    answers_per_session: usize = 256, "Answers remembered for calls that are sent again, per session; a few more where answers came together.",
        at "the oldest is forgotten: its call, sent again, gets [`outcome_unknown`](#outcome_unknown)";
    answer_memory_ms: u64 = 60_000, "How long an answer is remembered, in milliseconds.",
        at "it is forgotten: its call, sent again, gets [`outcome_unknown`](#outcome_unknown)";
    answers_bytes_per_session: usize = 256 * 1024, "Size of the answers remembered, per session, in bytes.",
        at "the oldest are forgotten: their calls, sent again, get [`outcome_unknown`](#outcome_unknown)";
    clients_per_session: usize = 64, "Pages whose calls are remembered, per session.",
        at "the page that left first is forgotten: its calls, sent again, get [`outcome_unknown`](#outcome_unknown)";
    history_events: usize = 100, "Events of one stream kept for clients that reconnect.",
        at "the oldest is forgotten: who reconnects and missed it is told `recovered: false`";
    history_ms: u64 = 120_000, "How long such events are kept, in milliseconds.",
        at "they are forgotten: who reconnects and missed them is told `recovered: false`";
    session_bytes: usize = 64 * 1024, "Size of one session's attributes as JSON, in bytes.",
        at "the write is an exception where it is made";
    session_key_bytes: usize = 256, "Length of an attribute's name, in bytes.",
        at "the write is an exception where it is made";
    channels_per_session: usize = 1_000, "Channels one session may be subscribed to.",
        at "`subscribe` is an exception, and subscribes to none";
    channel_name_bytes: usize = 256, "Length of a channel's name, in bytes.",
        at "`subscribe` is an exception, and subscribes to none";
    unsaved_sessions: usize = 100_000, "Sessions in memory that have not been written to and are not connected.",
        at "the oldest is forgotten: its browser gets a new id";
    unsaved_session_ms: u64 = 300_000, "How long a session that is not connected stays in memory, in milliseconds.",
        at "it is forgotten: its browser gets a new id, unless it was stored";
    ticket_ms: u64 = 30_000, "How long the ticket of a login can be redeemed, in milliseconds.",
        at "400; the login's answer is sent without a new cookie";
    messages_per_second: u32 = 100, "Messages a second that one connection may send on average.",
        at "as `messages_burst`";
    messages_burst: u32 = 200, "Messages that one connection may send at once.",
        at "the socket is closed with 4004";
    connects_per_second: u32 = 100, "Handshakes a second that one address may make on average.",
        at "as `connects_burst`";
    connects_burst: u32 = 500, "Handshakes that one address may make at once.",
        at "the handshake is answered 429";
    requests_per_second: u32 = 200, "Requests a second that one address may make to the HTTP API on average.",
        at "as `requests_burst`";
    requests_burst: u32 = 1_000, "Requests that one address may make to the HTTP API at once.",
        at "429, `Retry-After: 1`";
    wrong_credentials_per_second: u32 = 1, "Wrong Basic credentials a second that one address may send on average.",
        at "as `wrong_credentials_burst`";
    wrong_credentials_burst: u32 = 20, "Wrong Basic credentials that one address may send at once.",
        at "429, [`rate_limited`](#rate_limited), for right ones too";
    http_connections: usize = 30_000, "Open TCP connections of this server, those of sockets included.",
        at "the next one waits in the queue of the system";
    cached_file_bytes: usize = 256 * 1024, "Largest file kept in memory for serving, in bytes.",
        at "it is read from the disk for each answer";
    cache_bytes: usize = 32 * 1024 * 1024, "Files kept in memory for serving, in bytes.",
        at "further ones are read from the disk for each answer";
    drain_ms: u64 = 300_000, "Time that server code of an earlier build has for its calls and for the ends of its connections, in milliseconds.",
        at "their calls get [`engine_lost`](#engine_lost)";
    redis_timeout_ms: u64 = 2_000, "Time that Redis has to answer before it counts as away, in milliseconds.",
        at "it counts as [away](../operations/many-servers.md#what-is-promised) until it answers";
    redis_orders: usize = 100_000, "Publications and changes that may wait to be sent to Redis.",
        at "the order fails as if Redis were away";
    shutdown_ms: u64 = 10_000, "Time that calls have to finish when the server stops, in milliseconds.",
        at "they are given up: [`shutting_down`](#shutting_down) or [`engine_lost`](#engine_lost)";
    shutdown_spread_ms: u64 = 10_000, "Longest time over which clients are sent elsewhere when the server stops, two milliseconds for each, in milliseconds.",
        at "who is still there is served on until the calls have ended, then closed with 1012";
    shutdown_notice_ms: u64 = 0, "Time between no longer being ready and taking no more connections when the server stops, in milliseconds.",
        at "the stop begins";
}
