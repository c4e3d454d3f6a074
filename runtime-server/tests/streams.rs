//! Publishing: who gets what, once, in order, and what was missed.

use serde_json::{Value, json};

use crate::support::World;
use crate::support::client::Client;

/// The events among messages, without what a stream's position is.
fn events(messages: &[Value]) -> Vec<Value> {
    messages.iter().filter(|message| message[0] == 3).map(|message| message[4].clone()).collect()
}

/// Wire name to `[epoch, offset]`.
fn positions(welcome: &Value) -> serde_json::Map<String, Value> {
    let positions = welcome[4].as_array().expect("positions");
    positions.iter().map(|p| (p[0].as_str().expect("a name").to_owned(), json!([p[1], p[2]]))).collect()
}

async fn join(client: &mut Client, names: Value) -> Vec<Value> {
    let id = client.start("room/join", json!([names])).await;
    let mut joined = Vec::new();
    loop {
        let message = client.next().await;
        if message[0] == 1 && message[1] == id {
            return joined;
        }
        joined.push(message);
    }
}

#[tokio::test]
async fn a_broadcast_reaches_everybody_in_order() {
    let world = World::new().await;
    let mut all = [world.tab().await, world.tab().await, world.tab().await];
    for n in 0..50 {
        all[n % 2].call("bus/broadcast", json!([n])).await.expect("it is published");
    }
    // The callers saw their own while they waited; the third one has them all.
    let messages = all[2].settle().await;
    assert_eq!(events(&messages), (0..50).map(|n| json!(n)).collect::<Vec<_>>());
    let offsets: Vec<_> = messages.iter().map(|message| message[2].clone()).collect();
    assert_eq!(offsets, (1..=50).map(|n| json!(n)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_channel_reaches_those_in_it() {
    let world = World::new().await;
    let (mut inside, mut outside) = (world.tab().await, world.tab().await);
    let joined = join(&mut inside, json!(["lobby"])).await;
    assert_eq!(joined.len(), 1);
    assert_eq!((&joined[0][0], &joined[0][1], &joined[0][3]), (&json!(4), &json!("#lobby"), &json!(0)));
    outside.call("room/say", json!([["lobby"], "hi"])).await.expect("it is published");
    assert_eq!(inside.settle().await, [json!([3, "#lobby", 1, "said", "hi"])]);
    assert_eq!(outside.settle().await, Vec::<Value>::new());

    let id = inside.start("room/leave", json!([["lobby", "never"]])).await;
    assert_eq!(inside.next().await, json!([5, "#lobby"]));
    inside.answer(id).await;
    outside.call("room/say", json!([["lobby"], "gone?"])).await.expect("it is published");
    assert_eq!(inside.settle().await, Vec::<Value>::new());
}

#[tokio::test]
async fn one_publication_through_several_channels_comes_once() {
    let world = World::new().await;
    let (mut both, mut one, mut speaker) = (world.tab().await, world.tab().await, world.tab().await);
    join(&mut both, json!(["lobby", "den"])).await;
    join(&mut one, json!(["den"])).await;
    speaker.call("room/say", json!([["den"], "first"])).await.expect("it is published");
    speaker.call("room/say", json!([["lobby", "den", "lobby", "empty"], "hi"])).await.expect("it is published");
    assert_eq!(
        both.settle().await,
        [json!([3, "#den", 1, "said", "first"]), json!([3, ["#lobby", "#den"], [1, 2], "said", "hi"])],
    );
    assert_eq!(one.settle().await, [json!([3, "#den", 1, "said", "first"]), json!([3, "#den", 2, "said", "hi"])]);
}

#[tokio::test]
async fn a_user_is_reached_in_every_tab_and_browser_once() {
    let world = World::new().await;
    let (mut phone, mut laptop, mut other) = (world.tab().await, world.tab().await, world.tab().await);
    for (client, user) in [(&mut phone, "alice"), (&mut laptop, "alice"), (&mut other, "bob")] {
        let (id, ticket) = client.log_in(user).await;
        client.cookie = Some(world.redeem(&ticket).await);
        client.answer(id).await;
    }
    let mut second_tab = world.tab_with(laptop.cookie.as_deref()).await;
    other.call("bus/user", json!([["alice", "nobody", "alice"], "hi"])).await.expect("it is published");
    for client in [&mut phone, &mut laptop, &mut second_tab] {
        assert_eq!(client.settle().await, [json!([3, "@", 1, "mail", "hi"])]);
    }
    assert_eq!(other.settle().await, Vec::<Value>::new());

    // A logout ends it for all tabs of that browser, and only there.
    laptop.call("auth/logout", json!([])).await.expect("it logs out");
    other.call("bus/user", json!([["alice"], "still?"])).await.expect("it is published");
    assert_eq!(phone.settle().await, [json!([3, "@", 2, "mail", "still?"])]);
    assert_eq!(second_tab.settle().await, [json!([5, "@"])]);
    assert_eq!(laptop.settle().await, Vec::<Value>::new());
}

#[tokio::test]
async fn one_connection_can_be_meant() {
    let world = World::new().await;
    let mut one = world.tab().await;
    let mut other = world.tab_with(one.cookie.as_deref()).await;
    let id = one.start("bus/direct", json!(["psst"])).await;
    assert_eq!(one.next().await, json!([3, "!", 0, "you", "psst"]));
    one.answer(id).await;
    assert_eq!(other.settle().await, Vec::<Value>::new());
}

#[tokio::test]
async fn channels_belong_to_the_session_and_come_back_with_it() {
    let world = World::new().await;
    let mut one = world.tab().await;
    let mut other = world.tab_with(one.cookie.as_deref()).await;
    join(&mut one, json!(["lobby"])).await;
    let told = other.settle().await;
    assert_eq!((&told[0][0], &told[0][1]), (&json!(4), &json!("#lobby")));
    let mut third = Client::connect(world.address, one.cookie.as_deref()).await;
    third.hello(Value::Null).await;
    assert!(positions(&third.welcome().await).contains_key("#lobby"));
}

#[tokio::test]
async fn what_was_missed_comes_in_order_before_anything_new() {
    let world = World::new().await;
    let mut client = world.tab().await;
    join(&mut client, json!(["lobby", "den"])).await;
    let (page, cookie) = (client.page.clone(), client.cookie.clone());
    let mut probe = Client::connect(world.address, cookie.as_deref()).await;
    probe.hello(Value::Null).await;
    let known = positions(&probe.welcome().await);
    drop((client, probe));

    let mut speaker = world.tab().await;
    speaker.call("room/say", json!([["den"], 1])).await.expect("it is published");
    speaker.call("bus/broadcast", json!([2])).await.expect("it is published");
    speaker.call("room/say", json!([["den", "lobby"], 3])).await.expect("it is published");
    speaker.call("room/say", json!([["lobby"], 4])).await.expect("it is published");

    let reached: Vec<Value> = known.iter().map(|(name, p)| json!([name, p[0], p[1]])).collect();
    let mut client = Client::come_back(world.address, &page, cookie.as_deref(), json!(reached)).await;
    let welcome = client.welcome().await;
    assert_eq!(welcome[3], true);
    assert_eq!(positions(&welcome), known, "a client goes on from where it was");
    let messages = client.settle().await;
    assert_eq!(events(&messages), [json!(1), json!(2), json!(3), json!(4)]);
    // Streams in the order in which the session has them.
    assert_eq!(messages[2][1], json!(["#den", "#lobby"]));
    assert_eq!(messages[2][2], json!([2, 1]));

    // From the middle: only the rest.
    let middle: Vec<Value> =
        known.iter().map(|(name, p)| json!([name, p[0], if name == "#den" { 2 } else { 1 }])).collect();
    let mut client = Client::come_back(world.address, &page, cookie.as_deref(), json!(middle)).await;
    assert_eq!(client.welcome().await[3], true);
    assert_eq!(events(&client.settle().await), [json!(4)]);
}

#[tokio::test]
async fn what_is_lost_is_said_and_nothing_old_follows() {
    let world = World::with(|config| config.limits.history_events = 2).await;
    let mut client = Client::connect(world.address, None).await;
    client.hello(Value::Null).await;
    let epoch = positions(&client.welcome().await)["*"][0].clone();
    let cookie = client.cookie.clone();
    for n in 0..3 {
        client.call("bus/broadcast", json!([n])).await.expect("it is published");
    }
    let cases = [
        (json!([["*", epoch, 0]]), false, vec![]),
        (json!([["*", epoch, 1]]), true, vec![json!(1), json!(2)]),
        (json!([["*", epoch, 3]]), true, vec![]),
        // It cannot have seen what has not been published.
        (json!([["*", epoch, 4]]), false, vec![]),
        (json!([["*", "00000000", 3]]), false, vec![]),
        // A stream that it did not know starts now.
        (json!([]), true, vec![]),
        (json!([["#other", "00000000", 9]]), true, vec![]),
    ];
    for (reached, recovered, expected) in cases {
        let mut client = Client::connect(world.address, cookie.as_deref()).await;
        client.hello(reached.clone()).await;
        assert_eq!(client.welcome().await[3], recovered, "{reached}");
        assert_eq!(events(&client.settle().await), expected, "{reached}");
    }
}

#[tokio::test]
async fn history_ends_with_time_and_with_the_process() {
    let mut world = World::new().await;
    let mut client = Client::connect(world.address, None).await;
    client.hello(Value::Null).await;
    let epoch = positions(&client.welcome().await)["*"][0].clone();
    client.call("bus/broadcast", json!(["old"])).await.expect("it is published");
    world.clock.advance(60_000);
    client.call("bus/broadcast", json!(["new"])).await.expect("it is published");
    world.clock.advance(61_000);
    for (offset, recovered) in [(0, false), (1, true)] {
        let mut late = Client::connect(world.address, None).await;
        late.hello(json!([["*", epoch, offset]])).await;
        assert_eq!(late.welcome().await[3], recovered, "from {offset}");
    }
    drop(client);
    world.restart().await;
    let mut late = Client::connect(world.address, None).await;
    late.hello(json!([["*", epoch, 2]])).await;
    let welcome = late.welcome().await;
    assert_eq!(welcome[3], false);
    assert_ne!(positions(&welcome)["*"][0], epoch, "another process has another epoch");
}

#[tokio::test]
async fn users_are_online_while_they_give_signs_of_life() {
    let world = World::with(|config| config.limits.idle_ms = 600_000).await;
    let (mut alice, mut bob) = (world.tab().await, world.tab().await);
    for (client, user) in [(&mut alice, "alice"), (&mut bob, "bob")] {
        let (id, ticket) = client.log_in(user).await;
        world.redeem(&ticket).await;
        client.answer(id).await;
    }
    assert_eq!(bob.call("users/online", json!([])).await, Ok(json!(["alice", "bob"])));
    world.clock.advance(100_000);
    bob.settle().await;
    world.clock.advance(60_000);
    // The look at the list is taken in its own time.
    while bob.call("users/online", json!([])).await != Ok(json!(["bob"])) {}
    alice.settle().await;
    assert_eq!(bob.call("users/online", json!([])).await, Ok(json!(["alice", "bob"])));
    alice.call("auth/logout", json!([])).await.expect("it logs out");
    assert_eq!(bob.call("users/online", json!([])).await, Ok(json!(["bob"])));
}

#[tokio::test]
async fn in_development_errors_reach_the_console_of_browsers() {
    use ssbuild_server::engine::HostCall;
    let development = crate::support::dist::Dist::new().change(|manifest| manifest["env"] = json!("development"));
    for (dist, expected) in
        [(development, vec![json!([10, 1, "careful"])]), (crate::support::dist::Dist::new(), vec![])]
    {
        let world = World::of(&dist, |_| {}).await;
        let mut client = world.tab().await;
        for (level, text) in [(1, "careful"), (2, "chatter")] {
            world.script.ask(HostCall::Log { level, text: text.to_owned() }).await.expect("it is logged");
        }
        assert_eq!(client.settle().await, expected);
        world.log.has(" ! careful\n").await;
    }
}
