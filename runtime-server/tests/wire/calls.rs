use serde_json::{Value, json};

use super::page::{Page, Way, without_id};
use super::server::{Kind, Server};

pub(super) async fn values_pass_as_they_are(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    for args in [
        json!([]),
        json!([null, false, 0, "", -0.5, 1e300, 9_007_199_254_740_991_i64]),
        json!(["h\u{f6}\u{2713}\u{1f600}\u{2028}\n\"\\\u{0}"]),
        json!([{"a": [{"b": {}}], "": 1, "__proto__": {"x": 1}, "constructor": []}]),
        json!([[], [[]], [1, [2, [3]]]]),
    ] {
        assert_eq!(page.call("app/echo", args.clone()).await, json!([1, args]));
    }
}

pub(super) async fn undefined_has_no_value(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    assert_eq!(page.call("app/nothing", json!([])).await, json!([1]));
    assert_eq!(page.call("app/null", json!([])).await, json!([1, null]));
}

pub(super) async fn each_call_is_answered_once(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(page.start("app/echo", json!([n])).await);
    }
    let mut answers = Vec::new();
    for _ in &ids {
        answers.push(page.message().await);
    }
    answers.sort_by_key(|answer| answer[1].as_u64());
    let wanted: Vec<_> = (0..).zip(&ids).map(|(n, id)| json!([1, id, [n]])).collect();
    assert_eq!(answers, wanted, "each has its own");
    assert_eq!(page.settle_by_call().await, Vec::<Value>::new(), "no answer comes twice");
}

pub(super) async fn a_callback_answers_once(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    assert_eq!(page.call("app/twice", json!([])).await, json!([1, 1]));
    assert_eq!(page.call("app/later", json!([])).await, json!([1, "later"]));
    assert_eq!(page.settle_by_call().await, Vec::<Value>::new());
}

pub(super) async fn answers_come_as_they_are_ready(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let name = page.id.clone();
    let held = page.start("app/hold", json!([name])).await;
    let quick = page.start("app/echo", json!(["quick"])).await;
    assert_eq!(page.message().await, json!([1, quick, ["quick"]]));
    assert_eq!(page.settle_by_call().await, Vec::<Value>::new());
    let release = page.start("app/release", json!([name])).await;
    let mut both = [page.message().await, page.message().await];
    both.sort_by_key(|message| message[1].as_u64());
    assert_eq!(both, [json!([1, held, name]), json!([1, release, true])]);
}

pub(super) async fn calls_start_in_order(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let first = page.call("app/count", json!([])).await[1].as_u64().expect("a number");
    for _ in 0..10 {
        page.start("app/count", json!([])).await;
    }
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(page.message().await);
    }
    answers.sort_by_key(|answer| answer[1].as_u64());
    let wanted: Vec<_> = (1..=10).map(|n| json!([1, 1 + n, first + n])).collect();
    assert_eq!(answers, wanted);
}

pub(super) async fn a_failure_has_its_form(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    assert_eq!(
        page.call("app/fail", json!([])).await,
        json!([2, "action_error", "it broke", 0]),
        "no stack: nobody works on this app"
    );
    assert_eq!(page.call("app/echo", json!([1])).await, json!([1, [1]]), "and the connection goes on");
}

pub(super) async fn only_actions_can_be_called(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    for action in [
        "",
        "app",
        "app/",
        "/app/echo",
        "app//echo",
        "App/echo",
        "app/echo/",
        "app.echo",
        "app/toString",
        "app/constructor",
        "__proto__/echo",
        "app/__proto__",
        "app/echo/call",
        "session/save",
        "secret",
        "app/echo ",
        "app/echo\u{0}",
    ] {
        let answer = page.call(action, json!([])).await;
        assert_eq!(
            (&answer[0], &answer[1], &answer[3]),
            (&json!(2), &json!("unknown_action"), &json!(0)),
            "{action:?}: {answer}"
        );
    }
}

pub(super) async fn guards_want_a_login(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let answer = page.call("secret/who", json!([])).await;
    assert_eq!((&answer[0], &answer[1], &answer[3]), (&json!(2), &json!("not_authenticated"), &json!(0)));
}

pub(super) async fn what_json_cannot_hold_is_said(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let answer = page.call("app/circle", json!([])).await;
    assert_eq!((&answer[0], &answer[1], &answer[3]), (&json!(2), &json!("not_serializable"), &json!(0)));
}

pub(super) async fn calls_in_hand_are_counted(kind: Kind) {
    let server = Server::with(kind, |config| config.limits.calls_per_connection = 2).await;
    for way in [Way::Socket, Way::Fallback] {
        let mut page = Page::greeted(&server, way, None).await;
        for name in ["a", "b"] {
            page.start("app/hold", json!([name])).await;
        }
        let answer = page.call("app/echo", json!([])).await;
        assert_eq!((&answer[0], &answer[1], &answer[3]), (&json!(2), &json!("overloaded"), &json!(1)));
        let mut other = Page::greeted(&server, way, None).await;
        // The two were sent before, on another connection: they may not have begun yet.
        while other.call("app/held", json!([])).await != json!([1, 2]) {}
        assert_eq!(other.call("app/release", json!(["a"])).await, json!([1, true]));
        assert_eq!(page.message().await, json!([1, 1, "a"]));
        assert_eq!(other.call("app/release", json!(["b"])).await, json!([1, true]));
        assert_eq!(page.message().await, json!([1, 2, "b"]));
        assert_eq!(page.call("app/echo", json!([1])).await, json!([1, [1]]));
    }
}

pub(super) async fn time_is_limited(kind: Kind) {
    // The server code has to be loaded within it, too.
    let server = Server::with(kind, |config| config.limits.call_timeout_ms = 5_000).await;
    let mut page = Page::greeted(&server, Way::Socket, None).await;
    let answer = page.call("app/never", json!([])).await;
    assert_eq!((&answer[0], &answer[1], &answer[3]), (&json!(2), &json!("timeout"), &json!(1)));
}

pub(super) async fn harm_costs_its_caller(kind: Kind) {
    let server = Server::with(kind, |config| {
        config.limits.call_busy_ms = 1_000;
        config.limits.engine_memory_bytes = 64 * 1024 * 1024;
    })
    .await;
    let mut page = Page::greeted(&server, Way::Socket, None).await;
    let mut other = Page::greeted(&server, Way::Socket, None).await;
    for (action, code) in [("app/deep", "stack_limit"), ("app/spin", "interrupted")] {
        let answer = page.call(action, json!([])).await;
        assert_eq!((&answer[0], &answer[1], &answer[3]), (&json!(2), &json!(code), &json!(0)), "{action}: {answer}");
        assert_eq!(other.call("app/echo", json!([1])).await, json!([1, [1]]));
    }
}

pub(super) async fn memory_is_limited(kind: Kind) {
    let server = Server::with(kind, |config| {
        // It is memory that shall end, and not the time of a slow machine.
        config.limits.call_busy_ms = 20_000;
        config.limits.engine_memory_bytes = 64 * 1024 * 1024;
    })
    .await;
    let mut page = Page::greeted(&server, Way::Socket, None).await;
    let answer = page.call("app/eat", json!([])).await;
    assert_eq!((&answer[0], &answer[1], &answer[3]), (&json!(2), &json!("memory_limit"), &json!(0)), "{answer}");
    assert_eq!(page.call("app/echo", json!([1])).await, json!([1, [1]]));
}

pub(super) async fn a_lost_engine_is_said(kind: Kind) {
    let server = Server::with(kind, |config| {
        config.limits.call_busy_ms = 200;
        config.limits.engine_grace_ms = 200;
    })
    .await;
    let mut page = Page::greeted(&server, Way::Socket, None).await;
    let held = page.start("app/hold", json!(["x"])).await;
    let spins = page.start(if kind.engine == "node" { "app/spin" } else { "app/block" }, json!([])).await;
    let mut both = [page.message().await, page.message().await];
    both.sort_by_key(|message| message[1].as_u64());
    let codes = both.map(|message| (message[1].clone(), message[2].clone(), message[4].clone()));
    assert_eq!(codes, [(json!(held), json!("engine_lost"), json!(1)), (json!(spins), json!("interrupted"), json!(0))]);
    assert_eq!(page.call("app/echo", json!([1])).await, json!([1, [1]]));
}

pub(super) async fn answers_have_a_size(kind: Kind) {
    let server = Server::with(kind, |config| config.limits.answer_bytes = 1_000).await;
    for way in [Way::Socket, Way::Fallback] {
        let mut page = Page::greeted(&server, way, None).await;
        let answer = page.call("app/text", json!([1_000])).await;
        assert_eq!((&answer[0], &answer[1], &answer[3]), (&json!(2), &json!("too_large"), &json!(0)), "{answer}");
        assert_eq!(page.call("app/text", json!([3])).await, json!([1, "xxx"]));
    }
}

// Calls that outlive a connection.

pub(super) async fn an_answer_is_given_again(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let id = page.start("app/count", json!([])).await;
    let answer = page.message().await;
    let (mut page, _) = page.back(server, way, json!([])).await;
    page.say(&json!([1, id, "app/count", [], 1])).await;
    assert_eq!(page.message().await, answer, "the same answer");
    let next = page.call("app/count", json!([])).await;
    assert_eq!(next[1].as_u64(), answer[2].as_u64().map(|n| n + 1), "it did not run again");
}

pub(super) async fn an_answer_goes_to_the_new_connection(server: &Server, way: Way) {
    let mut other = Page::greeted(server, way, None).await;
    let mut page = Page::greeted(server, way, None).await;
    let name = page.id.clone();
    let id = page.start("app/hold", json!([name])).await;
    page.settle_by_call().await;
    let (mut page, _) = page.back(server, way, json!([])).await;
    page.say(&json!([1, id, "app/hold", [name], 1])).await;
    assert_eq!(page.settle().await, Vec::<Value>::new(), "it still runs");
    assert_eq!(other.call("app/release", json!([name])).await, json!([1, true]));
    assert_eq!(page.message().await, json!([1, id, name]));
    assert_eq!(page.settle_by_call().await, Vec::<Value>::new());
}

pub(super) async fn a_call_that_never_arrived_runs_now(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let before = page.call("app/count", json!([])).await;
    let (mut page, _) = page.back(server, way, json!([])).await;
    page.say(&json!([1, 2, "app/count", [], 1])).await;
    let answer = without_id(page.message().await);
    assert_eq!(answer[1].as_u64(), before[1].as_u64().map(|n| n + 1));
}

pub(super) async fn a_call_never_runs_twice(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let first = page.call("app/count", json!([])).await;
    for resent in [0, 1, 0] {
        page.say(&json!([1, 1, "app/count", [], resent])).await;
        assert_eq!(without_id(page.message().await), first);
    }
    page.say(&json!([1, 2, "app/count", []])).await;
    assert_eq!(page.message().await[2].as_u64(), first[1].as_u64().map(|n| n + 1));
}

pub(super) async fn what_nobody_knows_is_said(server: &Server, way: Way) {
    // A page that was connected before, to a server that has never seen it.
    let mut page = Page::open(server, way, None).await;
    page.hello(json!([["*", "00000000", 3]])).await;
    page.welcome().await;
    page.say(&json!([1, 5, "app/count", [], 1])).await;
    let answer = without_id(page.message().await);
    assert_eq!((&answer[0], &answer[1], &answer[3]), (&json!(2), &json!("outcome_unknown"), &json!(0)), "{answer}");
    assert_eq!(page.call("app/echo", json!([1])).await, json!([1, [1]]), "new calls run");
}

pub(super) async fn an_answer_is_forgotten_in_time(kind: Kind) {
    let server = Server::usual(kind).await;
    for way in [Way::Socket, Way::Fallback] {
        let mut page = Page::greeted(&server, way, None).await;
        page.call("app/count", json!([])).await;
        server.world.clock.advance(61_000);
        page.call("app/echo", json!([])).await;
        page.say(&json!([1, 1, "app/count", [], 1])).await;
        assert_eq!(without_id(page.message().await)[1], "outcome_unknown");
    }
}

pub(super) async fn ids_are_the_pages_own(server: &Server, way: Way) {
    let mut one = Page::greeted(server, way, None).await;
    let mut two = Page::greeted(server, way, one.cookie.as_deref()).await;
    assert_eq!(one.call("app/echo", json!(["one"])).await, json!([1, ["one"]]));
    assert_eq!(two.call("app/echo", json!(["two"])).await, json!([1, ["two"]]), "the same id, another page");
    let mut thief = Page::open(server, way, None).await;
    thief.id.clone_from(&one.id);
    thief.hello(json!([["*", "00000000", 3]])).await;
    thief.welcome().await;
    thief.say(&json!([1, 1, "app/echo", ["one"], 1])).await;
    assert_eq!(without_id(thief.message().await)[1], "outcome_unknown", "another session, the same page id");
}
