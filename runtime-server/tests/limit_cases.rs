//! No limit without a test of what happens at it.

use std::collections::BTreeSet;
use std::path::Path;

use ssbuild_server::limits::Limits;

/// Each limit, and where it is met: the file, below this crate, and the test.
const CASES: [(&str, &str, &str); 51] = [
    ("message_bytes", "tests/limits.rs", "a_message_that_is_too_large_closes_with_4002"),
    ("body_bytes", "tests/api.rs", "every_failure_has_its_status"),
    ("header_bytes", "tests/limits.rs", "a_head_has_a_size_and_its_parsing_is_strict"),
    ("answer_bytes", "tests/limits.rs", "an_answer_has_a_size"),
    ("connections", "tests/limits.rs", "connections_are_counted"),
    ("connections_per_address", "tests/limits.rs", "tcp_connections_of_one_address_are_counted"),
    ("handshake_ms", "tests/limits.rs", "a_head_that_does_not_end_and_a_body_that_does_not_come_are_not_waited_for"),
    ("stall_ms", "tests/limits.rs", "an_answer_that_is_not_read_is_not_waited_for"),
    ("idle_ms", "tests/limits.rs", "silence_ends_a_connection"),
    ("queue_bytes", "tests/limits.rs", "a_slow_reader_is_cut_off_and_others_are_not_held_up"),
    ("queue_messages", "tests/limits.rs", "a_reader_with_too_many_messages_is_cut_off"),
    ("calls_per_connection", "tests/limits.rs", "calls_in_hand_are_bounded"),
    ("calls", "tests/limits.rs", "calls_in_hand_are_bounded"),
    ("call_timeout_ms", "src/engine/tests/attacks.rs", "actions_that_do_not_answer_meet_their_time"),
    ("call_busy_ms", "src/engine/tests/attacks.rs", "actions_that_never_end_are_interrupted"),
    ("engine_grace_ms", "src/engine/tests/attacks.rs", "actions_that_block_in_native_code_are_interrupted"),
    ("engine_memory_bytes", "src/engine/tests/attacks.rs", "actions_that_eat_memory_meet_its_limit"),
    ("engine_stack_bytes", "src/engine/tests/attacks.rs", "actions_that_recurse_meet_the_end_of_the_stack"),
    ("fetches", "src/engine/tests/fetch.rs", "embedded_fetches_are_limited"),
    ("fetch_bytes", "src/engine/tests/fetch.rs", "embedded_fetches_are_limited"),
    ("fetch_ms", "src/engine/tests/fetch.rs", "embedded_fetches_are_limited"),
    ("answers_per_session", "tests/calls.rs", "answers_are_remembered_for_a_time_and_up_to_a_number"),
    ("answer_memory_ms", "tests/calls.rs", "answers_are_remembered_for_a_time_and_up_to_a_number"),
    ("answers_bytes_per_session", "tests/calls.rs", "answers_are_remembered_up_to_a_size"),
    ("clients_per_session", "tests/calls.rs", "the_answers_of_the_page_that_left_first_are_forgotten"),
    ("history_events", "tests/streams.rs", "what_is_lost_is_said_and_nothing_old_follows"),
    ("history_ms", "tests/streams.rs", "history_ends_with_time_and_with_the_process"),
    ("session_bytes", "tests/sessions.rs", "a_session_has_a_size"),
    ("session_key_bytes", "tests/sessions.rs", "a_session_has_a_size"),
    ("channels_per_session", "tests/sessions.rs", "a_session_has_a_size"),
    ("channel_name_bytes", "tests/sessions.rs", "a_session_has_a_size"),
    ("unsaved_sessions", "tests/sessions.rs", "sessions_without_use_are_bounded"),
    ("unsaved_session_ms", "tests/sessions.rs", "a_session_that_was_never_written_to_is_forgotten_after_a_time"),
    ("ticket_ms", "tests/login.rs", "a_ticket_ends_and_lets_the_answer_go"),
    ("messages_per_second", "tests/limits.rs", "a_connection_may_send_so_much_a_second"),
    ("messages_burst", "tests/limits.rs", "a_flood_closes_with_4004_and_others_go_on"),
    ("connects_per_second", "tests/limits.rs", "handshakes_of_one_address_have_a_rate"),
    ("connects_burst", "tests/limits.rs", "handshakes_of_one_address_have_a_rate"),
    ("requests_per_second", "tests/limits.rs", "requests_of_one_address_have_a_rate"),
    ("requests_burst", "tests/limits.rs", "requests_of_one_address_have_a_rate"),
    ("wrong_credentials_per_second", "tests/api.rs", "wrong_credentials_are_limited_and_right_ones_are_not"),
    ("wrong_credentials_burst", "tests/api.rs", "wrong_credentials_are_limited_and_right_ones_are_not"),
    ("http_connections", "tests/limits.rs", "a_connection_beyond_all_places_waits_for_one"),
    ("cached_file_bytes", "tests/pages.rs", "small_files_are_kept_in_memory_and_others_are_not"),
    ("cache_bytes", "tests/pages.rs", "small_files_are_kept_in_memory_and_others_are_not"),
    ("drain_ms", "tests/swap.rs", "an_engine_that_is_never_free_ends_in_the_end"),
    ("redis_timeout_ms", "tests/redis.rs", "a_paused_redis_delays_and_loses_nothing"),
    ("redis_orders", "tests/redis.rs", "what_is_too_much_for_a_paused_redis_is_told_and_stays_here"),
    ("shutdown_ms", "tests/shutdown.rs", "a_call_that_does_not_end_does_not_keep_the_server"),
    ("shutdown_spread_ms", "tests/shutdown.rs", "clients_come_back_spread_over_time"),
    ("shutdown_notice_ms", "tests/admin.rs", "a_server_that_stops_is_healthy_and_not_ready"),
];

#[test]
fn every_limit_has_a_test_of_what_happens_at_it() {
    let listed: BTreeSet<&str> = CASES.iter().map(|(limit, ..)| *limit).collect();
    let limits: BTreeSet<&str> = Limits::TABLE.iter().map(|(name, ..)| *name).collect();
    assert_eq!(listed, limits);
    assert_eq!(CASES.len(), limits.len(), "one is listed twice");
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (limit, file, test) in CASES {
        let text = std::fs::read_to_string(crate_folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let (before, _) =
            text.split_once(&format!("fn {test}(")).unwrap_or_else(|| panic!("{limit}: no {test} in {file}"));
        // A test of its own, or one that a macro at the head of the file runs on both engines.
        let attribute = before.rsplit("\n\n").next().is_some_and(|above| above.contains("test]"));
        let in_macro = before.lines().any(|line| line.trim() == format!("{test},"));
        assert!(attribute || in_macro, "{limit}: {test} in {file} is no test");
    }
}
