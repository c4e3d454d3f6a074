//! The wire protocol, case by case, as `book/src/internals/protocol.md` has it: a raw socket against a server with either
//! engine, and against servers that are broken in one way each, which the cases have to notice.

mod broken;
mod calls;
mod fallback;
mod frames;
mod handshake;
mod login;
mod messages;
mod page;
mod server;
mod socket;
mod streams;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use broken::Broken;
use page::Way;
use server::{Kind, Server};

/// One rule of the protocol.
struct Case {
    number: &'static str,
    title: &'static str,
    /// What the page says.
    sentence: &'static str,
    run: Run,
}

enum Run {
    /// Over a websocket only: it is about frames, or about the handshake.
    Socket(fn(Arc<Server>, Way) -> BoxFuture<'static, ()>),
    /// Over a websocket and without one.
    Both(fn(Arc<Server>, Way) -> BoxFuture<'static, ()>),
    /// With a server of its own.
    Own(fn(Kind) -> BoxFuture<'static, ()>),
}

macro_rules! case {
    (Socket $room:ident $name:ident) => {
        Run::Socket(|server, way| Box::pin(async move { $room::$name(&server, way).await }))
    };
    (Both $room:ident $name:ident) => {
        Run::Both(|server, way| Box::pin(async move { $room::$name(&server, way).await }))
    };
    (Own $room:ident $name:ident) => {
        Run::Own(|kind| Box::pin($room::$name(kind)))
    };
}

macro_rules! cases {
    ($($number:ident $run:ident $room:ident::$name:ident, $title:literal, $sentence:literal;)*) => {
        /// All of them; the book shows this table.
        const CASES: &[Case] = &[$(Case {
            number: stringify!($number),
            title: $title,
            sentence: $sentence,
            run: case!($run $room $name),
        },)*];
    };
}

cases! {
    W001 Socket handshake::accepts, "the handshake is that of RFC 6455", "`GET /_ss/socket`, a websocket of RFC 6455 with the sub-protocol `ss.1`";
    W002 Socket handshake::wants_the_sub_protocol, "another sub-protocol, or none", "400 without the sub-protocol";
    W003 Socket handshake::is_a_websocket_of_version_13, "no handshake at all", "426 when it is no handshake";
    W004 Socket handshake::wants_an_own_origin, "pages of others", "else the handshake is refused with 403";
    W005 Both handshake::sets_the_cookie_of_a_session, "a new browser gets a session", "when it is absent or unknown, a new one is set by the handshake's answer";
    W006 Socket handshake::keeps_the_cookie_of_a_known_session, "a known browser keeps its session", "The session's cookie is read";
    W007 Own handshake::refuses_too_many, "too many handshakes, too many connections", "429 and 503 when there are too many";
    W008 Socket login::the_old_id_is_void, "the id from before a login", "503 also to a browser that comes with the id that a login has just made void";
    W010 Both handshake::welcomes, "the welcome and what is in it", "**welcome**, the first message, once";
    W011 Both handshake::wants_a_hello_first, "anything before hello", "The client says hello, waits for the welcome, and calls only then";
    W012 Both handshake::wants_one_hello, "hello twice", "**hello**, the first message, once";
    W013 Both handshake::speaks_one_version, "another version", "version not spoken";
    W014 Both handshake::wants_a_whole_hello, "a hello in which something is wrong", "32 hex digits drawn at page load";
    W015 Both handshake::ignores_what_it_does_not_know, "elements of a later version", "Elements that a receiver does not know are ignored";
    W016 Both handshake::has_one_connection_a_page, "a page that comes back before its end was noticed", "when it says hello on a new one, the server ends the old one";
    W017 Own handshake::ends_those_without_hello, "no hello", "no hello in time";
    W018 Socket handshake::a_close_is_answered, "the client says goodbye", "1000, 1001";
    W020 Both messages::what_is_no_message_ends_it, "broken JSON, wrong kinds, wrong types", "a message is not of this protocol";
    W021 Both messages::pages_of_a_deployed_app_say_nothing, "said, where nobody develops", "**said**, only when the welcome said `develops`";
    W022 Both messages::deep_json_is_no_danger, "arguments of 30,000 levels", "`args`: array of the data arguments";
    W023 Socket messages::binary_frames_end_it, "binary frames", "Text frames only";
    W024 Both messages::large_messages_end_it, "one byte too many, and frames that announce terabytes", "A frame larger than `limits.message_bytes` closes the connection with 4002";
    W025 Socket messages::fragments_are_one_message, "fragments, cut anywhere, with a ping between them", "A frame may come in fragments";
    W026 Socket messages::fragments_have_the_same_limit, "fragments without end", "together they have the limit of one frame";
    W027 Socket messages::broken_frames_end_it, "frames that RFC 6455 forbids", "what arrived is no frame of RFC 6455";
    W028 Socket messages::text_is_utf8, "text that is not UTF-8", "a text is not UTF-8";
    W029 Both messages::pings_of_both_kinds_are_answered, "ping and pong, ours and the websocket's", "**ping**; answered by pong";
    W030 Own messages::silence_ends_it, "no ping", "no ping in time";
    W031 Own messages::a_flood_ends_it, "more messages than allowed", "too many messages";
    W032 Own messages::a_slow_reader_is_cut_off, "a client that does not read", "too slow: its queue is full";
    W033 Both frames::hold_several_messages, "sixteen calls in one frame", "A frame holds one or more messages, divided by line feeds";
    W034 Both frames::have_no_empty_lines, "empty lines", "An empty line is no message, and closes the connection with 4000";
    W035 Both frames::are_limited_as_a_whole, "small messages in a frame that is too large", "the limit is that of the frame as a whole";
    W036 Own frames::do_not_hide_a_flood, "more messages than allowed, in few frames", "The rate limit counts messages, not frames";
    W037 Both frames::wait_behind_the_hello, "a call behind the hello, in its frame and in the next", "The server takes what comes behind a hello as if it had come after the welcome";
    W040 Both calls::values_pass_as_they_are, "values there and back", "**call**. `id`: positive integer, unique within `client_id`";
    W041 Both calls::undefined_has_no_value, "undefined and null", "**result**; without `value` it is `undefined`";
    W042 Both calls::each_call_is_answered_once, "forty calls at once", "Each call is answered once";
    W043 Both calls::a_callback_answers_once, "an action that calls back three times", "Each call is answered once";
    W044 Both calls::answers_come_as_they_are_ready, "a slow call before a quick one", "as soon as its answer is there";
    W045 Both calls::calls_start_in_order, "calls that count", "Calls of a connection start in the order in which they were sent";
    W046 Both calls::a_failure_has_its_form, "action_error", "`retryable` `0` or `1`, `stack` in development only";
    W047 Both calls::only_actions_can_be_called, "unknown_action", "There is no such action in this build.";
    W048 Both calls::guards_want_a_login, "not_authenticated", "The action wants a logged-in user.";
    W049 Both calls::what_json_cannot_hold_is_said, "not_serializable", "The answer cannot be written as JSON.";
    W050 Own calls::calls_in_hand_are_counted, "overloaded", "The server has as many calls in hand as it takes.";
    W051 Own calls::time_is_limited, "timeout", "The action did not answer in time.";
    W052 Own calls::harm_costs_its_caller, "stack_limit and interrupted", "The action kept its engine busy for too long and was stopped.";
    W053 Own calls::memory_is_limited, "memory_limit", "The action used more memory than an engine has.";
    W054 Own calls::a_lost_engine_is_said, "engine_lost", "The engine that ran the call was replaced.";
    W055 Own calls::answers_have_a_size, "too_large", "The message is larger than the limit.";
    W056 Own login::a_server_that_ends_sends_its_clients_elsewhere, "reconnect and shutting_down", "this server is going away; come back after so many milliseconds";
    W060 Both calls::an_answer_is_given_again, "an answer that was lost", "The server answers from what it remembers";
    W061 Both calls::an_answer_goes_to_the_new_connection, "an answer that is not there yet", "when the call still runs, its answer goes to the new connection";
    W062 Both calls::a_call_that_never_arrived_runs_now, "a call that was lost", "when the call never arrived it runs now";
    W063 Both calls::what_nobody_knows_is_said, "outcome_unknown", "when the server can no longer tell";
    W064 Own calls::an_answer_is_forgotten_in_time, "outcome_unknown after a while", "The server keeps the answer of each call for `limits.answer_memory_ms`";
    W065 Both calls::a_call_never_runs_twice, "the same id, again and again", "A call never runs twice";
    W066 Both calls::ids_are_the_pages_own, "the same id from another page, and from another session", "under the client's id and the call's";
    W070 Both streams::a_broadcast_reaches_everybody, "a broadcast", "Streams are named `*` (broadcast)";
    W071 Both streams::no_params_are_undefined, "events without parameters", "**event**; without `params` it is `undefined`";
    W072 Both streams::events_keep_their_order, "a hundred events", "Offsets of a stream grow by one with each event";
    W073 Both streams::a_channel_is_joined_and_left, "joined and left", "the session has this stream from now on, at this position";
    W074 Both streams::a_channel_is_for_those_in_it, "who is not in a channel", "`#name` (channel `name`)";
    W075 Both streams::every_tab_of_a_session_joins, "another tab of the session", "the session has this stream from now on";
    W076 Both streams::one_publication_comes_once, "one publication through two channels", "When the same publication reaches the client through several streams it comes once, with arrays";
    W077 Both streams::one_connection_can_be_meant, "one tab", "`!` (this connection; its offset is always 0";
    W078 Both login::a_user_is_reached_once_in_each_tab, "one user, two browsers, three tabs", "`@` (this user)";
    W080 Both streams::what_was_missed_comes_first, "what was missed", "`true` when everything missed follows in order before anything new";
    W081 Both streams::what_is_lost_is_said, "what is lost", "`false` when it cannot, and nothing old follows";
    W082 Both streams::all_or_nothing, "one stream of two is lost", "`false` when it cannot, and nothing old follows";
    W083 Both streams::a_stream_that_was_not_named_starts_now, "a stream that the client does not name", "A stream that the client did not name starts now, and does not count as missed";
    W084 Own streams::history_ends_with_time, "after a long time", "`false` when it cannot, and nothing old follows";
    W090 Both login::the_answer_waits_for_the_ticket, "a login", "are sent when the ticket has been redeemed or has expired";
    W091 Both login::a_ticket_is_good_once, "a ticket, twice, from elsewhere, made up", "valid once and for 30 seconds";
    W092 Own login::a_ticket_ends, "a ticket that nobody redeems", "are sent when the ticket has been redeemed or has expired";
    W093 Both login::other_tabs_show_the_new_cookie, "the session's other tab", "The session's other connections are sent `[7, 500]` and closed with 1012";
    W094 Both login::a_logout_ends_every_tabs_access, "a logout", "A logout keeps the id";
    W100 Socket fallback::opens_with_the_same_checks, "without websockets: who may", "with the same checks and the same cookie as the handshake";
    W101 Socket fallback::takes_messages_in_order, "without websockets: twenty messages in one request", "messages of the client, each as text, in order";
    W102 Socket fallback::refuses_what_is_no_message_of_its_page, "without websockets: what is refused", "410 when the connection has ended";
}

/// Runs a case; what it says when it fails.
async fn run(case: &Case, kind: Kind, usual: &Arc<Server>) -> Result<(), String> {
    let run = |future: BoxFuture<'static, ()>, what: String| async move {
        AssertUnwindSafe(future).catch_unwind().await.map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            format!("{what}: {}", text.unwrap_or_default())
        })
    };
    let what = |how: &str| format!("{} {} ({}{how})", case.number, case.title, kind.engine);
    match case.run {
        Run::Socket(run_it) => run(run_it(Arc::clone(usual), Way::Socket), what("")).await,
        Run::Both(run_it) => {
            run(run_it(Arc::clone(usual), Way::Socket), what(", websocket")).await?;
            // What is broken on purpose is broken for websockets.
            if kind.broken.is_none() {
                run(run_it(Arc::clone(usual), Way::Fallback), what(", without websocket")).await?;
            }
            Ok(())
        }
        Run::Own(run_it) => run(run_it(kind), what("")).await,
    }
}

async fn keeps_the_protocol(kind: Kind) {
    let usual = Arc::new(Server::usual(kind).await);
    let mut failed = Vec::new();
    for case in CASES {
        failed.extend(run(case, kind, &usual).await.err());
    }
    assert!(failed.is_empty(), "{} of {} cases fail:\n{}", failed.len(), CASES.len(), failed.join("\n"));
}

#[tokio::test]
async fn the_embedded_engine_keeps_the_protocol() {
    keeps_the_protocol(Kind { engine: "embedded", broken: None }).await;
}

#[tokio::test]
async fn the_node_engine_keeps_the_protocol() {
    keeps_the_protocol(Kind { engine: "node", broken: None }).await;
}

#[tokio::test]
async fn what_is_between_is_faithful_when_it_breaks_nothing() {
    keeps_the_protocol(Kind { engine: "embedded", broken: Some(Broken::NotAtAll) }).await;
}

#[tokio::test]
async fn every_broken_rule_is_noticed() {
    let mut unnoticed = Vec::new();
    for (broken, numbers) in broken::NOTICED_BY {
        let kind = Kind { engine: "embedded", broken: Some(*broken) };
        let usual = Arc::new(Server::usual(kind).await);
        for number in *numbers {
            let case = CASES.iter().find(|case| case.number == *number).expect("a case of that number");
            if run(case, kind, &usual).await.is_ok() {
                unnoticed.push(format!("{broken:?} by {number}"));
            }
        }
    }
    assert!(unnoticed.is_empty(), "not noticed: {unnoticed:#?}");
}

#[test]
fn every_case_proves_a_sentence_of_the_book() {
    let read = |page: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src").join(page);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let pages = [read("internals/protocol.md"), read("reference/errors.md")];
    for case in CASES {
        assert!(
            pages.iter().any(|page| page.contains(case.sentence)),
            "{}: no page says: {}",
            case.number,
            case.sentence
        );
    }
    let mut numbers: Vec<_> = CASES.iter().map(|case| case.number).collect();
    numbers.dedup();
    assert!(numbers.is_sorted() && numbers.len() == CASES.len(), "numbers are in order, each once");
}
