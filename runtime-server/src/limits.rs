//! Every limit the server keeps, in one place, with its unit in its name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! limits {
    ($($name:ident: $kind:ty = $value:expr, $about:literal;)*) => {
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
            /// Name, default and meaning of each limit, for the book.
            pub const TABLE: &[(&str, u64, &str)] = &[$((stringify!($name), $value as u64, $about),)*];
        }
    };
}

limits! {
    message_bytes: usize = 64 * 1024, "Largest message a client may send over the socket, in bytes.";
    body_bytes: usize = 1024 * 1024, "Largest body of an HTTP request, in bytes.";
    header_bytes: usize = 32 * 1024, "Largest head of an HTTP request, in bytes.";
    answer_bytes: usize = 4 * 1024 * 1024, "Largest answer or event that server code may produce, in bytes.";
    connections: usize = 20_000, "Open sockets of this server.";
    connections_per_address: usize = 1_000, "Open sockets of one address.";
    handshake_ms: u64 = 10_000, "Time to send a request's head, or a socket's hello, in milliseconds.";
    stall_ms: u64 = 30_000, "Time that a client may accept nothing of an HTTP answer, in milliseconds.";
    idle_ms: u64 = 75_000, "Silence after which a socket is closed, in milliseconds.";
    queue_bytes: usize = 1024 * 1024, "Bytes waiting to be written to one slow client before it is disconnected.";
    queue_messages: usize = 4_096, "Messages waiting to be written to one slow client before it is disconnected.";
    calls_per_connection: usize = 256, "Calls of one connection that may be unanswered at a time.";
    calls: usize = 10_000, "Calls of this server that may be unanswered at a time.";
    call_timeout_ms: u64 = 25_000, "Time an action has to answer, in milliseconds.";
    call_busy_ms: u64 = 1_000, "Time an action may keep its engine busy without a pause, in milliseconds.";
    engine_grace_ms: u64 = 2_000, "Time after which an engine that cannot be interrupted is given up, in milliseconds beyond call_busy_ms.";
    engine_memory_bytes: usize = 256 * 1024 * 1024, "Memory of one engine's JavaScript heap, in bytes.";
    engine_stack_bytes: usize = 1024 * 1024, "Stack of one engine's JavaScript, in bytes.";
    fetches: usize = 100, "Addresses that one embedded engine may be fetching at a time.";
    fetch_bytes: usize = 8 * 1024 * 1024, "Largest answer that server code in the embedded engine may fetch, in bytes.";
    fetch_ms: u64 = 20_000, "Time that a fetch of the embedded engine may take, in milliseconds.";
    answers_per_session: usize = 256, "Answers remembered for calls that are sent again, per session.";
    answer_memory_ms: u64 = 60_000, "How long an answer is remembered, in milliseconds.";
    answers_bytes_per_session: usize = 256 * 1024, "Size of the answers remembered, per session, in bytes.";
    clients_per_session: usize = 64, "Pages whose calls are remembered, per session.";
    history_events: usize = 100, "Events of one stream kept for clients that reconnect.";
    history_ms: u64 = 120_000, "How long such events are kept, in milliseconds.";
    session_bytes: usize = 64 * 1024, "Size of one session's attributes as JSON, in bytes.";
    session_key_bytes: usize = 256, "Length of an attribute's name, in bytes.";
    channels_per_session: usize = 1_000, "Channels one session may be subscribed to.";
    channel_name_bytes: usize = 256, "Length of a channel's name, in bytes.";
    unsaved_sessions: usize = 100_000, "Sessions in memory that have not been written to and are not connected.";
    unsaved_session_ms: u64 = 300_000, "How long a session that is not connected stays in memory, in milliseconds.";
    ticket_ms: u64 = 30_000, "How long the ticket of a login can be redeemed, in milliseconds.";
    messages_per_second: u32 = 100, "Messages a second that one connection may send on average.";
    messages_burst: u32 = 200, "Messages that one connection may send at once.";
    connects_per_second: u32 = 100, "Handshakes a second that one address may make on average.";
    connects_burst: u32 = 500, "Handshakes that one address may make at once.";
    requests_per_second: u32 = 200, "Requests a second that one address may make to the HTTP API on average.";
    requests_burst: u32 = 1_000, "Requests that one address may make to the HTTP API at once.";
    wrong_credentials_per_second: u32 = 1, "Wrong Basic credentials a second that one address may send on average.";
    wrong_credentials_burst: u32 = 20, "Wrong Basic credentials that one address may send at once.";
    http_connections: usize = 30_000, "Open TCP connections of this server, those of sockets included.";
    cached_file_bytes: usize = 256 * 1024, "Largest file kept in memory for serving, in bytes.";
    cache_bytes: usize = 32 * 1024 * 1024, "Files kept in memory for serving, in bytes.";
    drain_ms: u64 = 300_000, "Time that server code of an earlier build has for its calls and for the ends of its connections, in milliseconds.";
    redis_timeout_ms: u64 = 2_000, "Time that Redis has to answer before it counts as away, in milliseconds.";
    redis_orders: usize = 100_000, "Publications and changes that may wait to be sent to Redis.";
    shutdown_ms: u64 = 10_000, "Time that calls have to finish when the server stops, in milliseconds.";
    shutdown_spread_ms: u64 = 10_000, "Longest time over which clients are sent elsewhere when the server stops, two milliseconds for each, in milliseconds.";
    shutdown_notice_ms: u64 = 0, "Time between no longer being ready and taking no more connections when the server stops, in milliseconds.";
}
