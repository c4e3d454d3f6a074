//! Calls over the socket: answers, errors, guards, and calls that outlive a connection.

use serde_json::{Value, json};

use crate::support::World;
use crate::support::client::{Client, outcome};
use crate::support::dist::{BUILD_ID, Dist};

#[tokio::test]
async fn a_first_connection_is_welcomed() {
    let world = World::new().await;
    let mut client = Client::connect(world.address, None).await;
    client.hello(Value::Null).await;
    let welcome = client.welcome().await;
    assert_eq!(welcome[1], 1);
    assert_eq!(welcome[2], BUILD_ID);
    assert_eq!(welcome[3], Value::Null);
    let epoch = welcome[4][0][1].as_str().expect("an epoch is text");
    assert_eq!(welcome[4], json!([["*", epoch, 0]]));
    assert_eq!(welcome[5], json!({"heartbeat_ms": 25000, "message_bytes": 65536, "connection": 1}));
}

#[tokio::test]
async fn arguments_and_results_pass_as_they_are() {
    let world = World::new().await;
    let mut client = world.tab().await;
    for args in [json!([]), json!([25]), json!([null, 0, "", false]), json!([{"a": [1, {"ü": "\u{0}"}]}, 1e300])] {
        assert_eq!(client.call("app/echo", args.clone()).await, Ok(args));
    }
    assert_eq!(client.call("app/undefined", json!([])).await, Ok(json!("undefined")));
}

#[tokio::test]
async fn what_is_not_an_action_never_reaches_the_app() {
    let world = World::new().await;
    let mut client = world.tab().await;
    let names = [
        "",
        "/",
        "app",
        "app/",
        "/app/echo",
        "app/echo/",
        "app//echo",
        "app.echo",
        "App/echo",
        "app/echo ",
        "__proto__",
        "app/__proto__",
        "constructor",
        "app/constructor",
        "app/toString",
        "app/hasOwnProperty",
        "app/then",
        "app/echo/call",
        "../app/echo",
        "app/../app/echo",
        "app%2fecho",
        "app\u{2215}echo",
        "app/echo\u{0}",
        "session",
        "user",
    ];
    for name in names {
        assert_eq!(client.call(name, json!([])).await, Err("unknown_action".to_owned()), "{name:?}");
    }
    let long = "a/".repeat(20_000);
    let id = client.start(&long, json!([])).await;
    let answer = client.answer(id).await;
    assert_eq!(answer[2], "unknown_action");
    assert!(answer[3].as_str().expect("text").len() < 200, "a name that is not known is not sent back whole");
}

#[tokio::test]
async fn stacks_are_for_development_and_for_the_log() {
    let world = World::new().await;
    let mut client = world.tab().await;
    let id = client.start("app/fail", json!([])).await;
    assert_eq!(client.answer(id).await, json!([2, id, "action_error", "x is not defined", 0]));
    world.log.has("app/fail: action_error: x is not defined\nat app/server/app.js:3:5").await;

    let development = Dist::new().change(|manifest| manifest["env"] = json!("development"));
    let world = World::of(&development, |_| {}).await;
    let mut client = world.tab().await;
    let id = client.start("app/fail", json!([])).await;
    let answer = client.answer(id).await;
    assert_eq!(answer, json!([2, id, "action_error", "x is not defined", 0, "at app/server/app.js:3:5"]));
}

#[tokio::test]
async fn a_guarded_action_wants_a_user_and_none_after_logout() {
    let world = World::new().await;
    let mut client = world.tab().await;
    assert_eq!(client.call("secret/whoami", json!([])).await, Err("not_authenticated".to_owned()));
    let (id, ticket) = client.log_in("alice").await;
    // The guard looks at the session, not at the answer that still waits for the ticket.
    world.redeem(&ticket).await;
    assert_eq!(outcome(&client.answer(id).await), Ok(json!("logged in")));
    assert_eq!(client.call("secret/whoami", json!([])).await, Ok(json!("alice")));
    assert_eq!(client.call("auth/logout", json!([])).await, Ok(json!("logged out")));
    assert_eq!(client.call("secret/whoami", json!([])).await, Err("not_authenticated".to_owned()));
}

#[tokio::test]
async fn answers_come_as_they_are_ready() {
    let world = World::new().await;
    let mut client = world.tab().await;
    let slow = client.start("app/hold", json!(["slow"])).await;
    assert_eq!(client.call("app/echo", json!([1])).await, Ok(json!([1])));
    world.script.let_go(1);
    assert_eq!(outcome(&client.answer(slow).await), Ok(json!("slow")));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_given_again_without_a_second_run() {
    let world = World::new().await;
    let mut client = world.tab().await;
    assert_eq!(client.call("app/count", json!([])).await, Ok(json!(1)));
    let (page, cookie) = client.cut();
    let mut client = Client::come_back(world.address, &page, cookie.as_deref(), json!([])).await;
    client.welcome().await;
    client.send(&json!([1, 1, "app/count", [], 1])).await;
    assert_eq!(outcome(&client.answer(1).await), Ok(json!(1)));
    assert_eq!(world.script.count(), 1);
}

#[tokio::test]
async fn a_call_that_still_runs_answers_where_it_was_sent_again() {
    let world = World::new().await;
    let mut client = world.tab().await;
    client.start("app/hold", json!(["late"])).await;
    client.settle().await;
    let (page, cookie) = client.cut();
    let mut client = Client::come_back(world.address, &page, cookie.as_deref(), json!([])).await;
    client.welcome().await;
    client.send(&json!([1, 1, "app/hold", ["late"], 1])).await;
    client.settle().await;
    world.script.let_go(2);
    assert_eq!(outcome(&client.answer(1).await), Ok(json!("late")));
    assert_eq!(world.script.count(), 1);
}

#[tokio::test]
async fn a_call_that_never_arrived_runs_when_it_is_sent_again() {
    let world = World::new().await;
    let client = world.tab().await;
    let (page, cookie) = client.cut();
    let mut client = Client::come_back(world.address, &page, cookie.as_deref(), json!([])).await;
    client.welcome().await;
    client.send(&json!([1, 1, "app/count", [], 1])).await;
    assert_eq!(outcome(&client.answer(1).await), Ok(json!(1)));
}

#[tokio::test]
async fn a_call_of_an_unknown_page_may_have_run() {
    let mut world = World::new().await;
    let mut client = world.tab().await;
    // Writing to the session stores it, so that it is the same one after the restart.
    client.call("store/set", json!(["a", 1])).await.expect("it is stored");
    client.call("app/count", json!([])).await.expect("it counts");
    let (page, cookie) = client.cut();
    world.restart().await;
    let mut client = Client::come_back(world.address, &page, cookie.as_deref(), json!([["*", "00000000", 3]])).await;
    client.welcome().await;
    client.send(&json!([1, 2, "app/count", [], 1])).await;
    assert_eq!(outcome(&client.answer(2).await), Err("outcome_unknown".to_owned()));
    assert_eq!(world.script.count(), 1);
    // New calls of the same page do run.
    client.send(&json!([1, 3, "app/count", []])).await;
    assert_eq!(outcome(&client.answer(3).await), Ok(json!(2)));
}

#[tokio::test]
async fn answers_are_remembered_for_a_time_and_up_to_a_number() {
    let world = World::with(|config| config.limits.answers_per_session = 2).await;
    let mut client = world.tab().await;
    for _ in 0..3 {
        client.call("app/count", json!([])).await.expect("it counts");
    }
    for (id, expected) in [(1, Err("outcome_unknown".to_owned())), (2, Ok(json!(2))), (3, Ok(json!(3)))] {
        client.send(&json!([1, id, "app/count", [], 1])).await;
        assert_eq!(outcome(&client.answer(id).await), expected, "call {id}");
    }
    // One look at what is too old is taken for every turn of the clock; a ping keeps the connection.
    world.clock.advance(50_000);
    client.settle().await;
    world.clock.advance(11_000);
    let forgotten = loop {
        client.send(&json!([1, 3, "app/count", [], 1])).await;
        match outcome(&client.answer(3).await) {
            Err(code) => break code,
            Ok(value) => assert_eq!(value, 3),
        }
    };
    assert_eq!(forgotten, "outcome_unknown");
    assert_eq!(world.script.count(), 3);
}

#[tokio::test]
async fn answers_are_remembered_up_to_a_size() {
    let world = World::with(|config| config.limits.answers_bytes_per_session = 1_000).await;
    let mut client = world.tab().await;
    for _ in 0..2 {
        client.call("app/huge", json!([600])).await.expect("it answers");
    }
    client.send(&json!([1, 1, "app/huge", [600], 1])).await;
    assert_eq!(outcome(&client.answer(1).await), Err("outcome_unknown".to_owned()));
    client.send(&json!([1, 2, "app/huge", [600], 1])).await;
    assert_eq!(outcome(&client.answer(2).await), Ok(json!("x".repeat(600))));
}

#[tokio::test]
async fn the_answers_of_the_page_that_left_first_are_forgotten() {
    let world = World::with(|config| config.limits.clients_per_session = 2).await;
    let mut left = Vec::new();
    // One stays, so that the session does.
    let stays = world.tab().await;
    for _ in 0..2 {
        let mut client = world.tab_with(stays.cookie.as_deref()).await;
        client.call("app/count", json!([])).await.expect("it counts");
        client.call("app/watch", json!([])).await.expect("it is watched");
        left.push(client.cut().0);
        world.script.gone().await;
        world.clock.advance(1);
    }
    for (page, expected) in left.iter().zip([Err("outcome_unknown".to_owned()), Ok(json!(2))]).rev() {
        let mut client = Client::come_back(world.address, page, stays.cookie.as_deref(), json!([])).await;
        client.welcome().await;
        client.send(&json!([1, 1, "app/count", [], 1])).await;
        assert_eq!(outcome(&client.answer(1).await), expected);
    }
}

#[tokio::test]
async fn pages_of_one_session_do_not_share_call_ids() {
    let world = World::new().await;
    let mut one = world.tab().await;
    let mut two = world.tab_with(one.cookie.as_deref()).await;
    assert_eq!(one.call("app/count", json!([])).await, Ok(json!(1)));
    assert_eq!(two.call("app/count", json!([])).await, Ok(json!(2)));
}

#[tokio::test]
async fn another_session_cannot_ask_for_an_answer() {
    let world = World::new().await;
    let mut client = world.tab().await;
    client.call("app/echo", json!(["private"])).await.expect("it echoes");
    let mut thief = Client::come_back(world.address, &client.page, None, json!([["*", "00000000", 3]])).await;
    thief.welcome().await;
    thief.send(&json!([1, 1, "app/echo", ["private"], 1])).await;
    assert_eq!(outcome(&thief.answer(1).await), Err("outcome_unknown".to_owned()));
}

#[tokio::test]
async fn calls_are_logged_with_their_marks() {
    let world = World::new().await;
    let mut client = world.tab().await;
    client.call("app/echo", json!([1])).await.expect("it echoes");
    client.call("bus/broadcast", json!(["hi"])).await.expect("it is published");
    for line in ["-> app/echo [1]\n", "<- app/echo [1] (0 ms)\n", "=> news to everybody \"hi\"\n"] {
        world.log.has(line).await;
    }
}

#[tokio::test]
async fn the_end_of_a_connection_is_told_when_it_was_asked_for() {
    let world = World::new().await;
    let silent = world.tab().await;
    drop(silent);
    let mut watched = world.tab().await;
    watched.call("app/watch", json!([])).await.expect("it is watched");
    drop(watched);
    assert_eq!(world.script.gone().await, (2, None));
}

#[tokio::test]
async fn a_page_that_comes_back_before_its_end_was_noticed_has_one_connection() {
    let world = World::new().await;
    let mut dead = world.tab().await;
    let mut client = Client::come_back(world.address, &dead.page, dead.cookie.as_deref(), json!([])).await;
    client.welcome().await;
    assert_eq!(dead.closed().await, 1012);
    drop(dead);
    client.call("bus/broadcast", json!(["once"])).await.expect("it is published");
    // The end of the old one does not count as the page's.
    world.clock.advance(61_000);
    assert_eq!(client.call("app/count", json!([])).await, Ok(json!(1)));
    assert_eq!(client.call("app/count", json!([])).await, Ok(json!(2)));
}
