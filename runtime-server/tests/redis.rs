//! Several servers and one Redis: each guarantee of the book's page on many machines has its test here.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::World;
use crate::support::client::{Client, outcome};
use crate::support::redis::Redis;

/// A server of a cluster.
async fn server(redis: &Redis) -> World {
    let url = redis.url();
    World::with(move |config| {
        config.redis.url = Some(url);
        config.limits.redis_timeout_ms = 500;
    })
    .await
}

async fn pair(redis: &Redis) -> (World, World) {
    (server(redis).await, server(redis).await)
}

fn is_event(name: &'static str) -> impl Fn(&Value) -> bool {
    move |message| message[0] == 3 && message[3] == name
}

/// The next event's parameters.
async fn event(client: &mut Client, name: &'static str) -> Value {
    client.until(is_event(name)).await[4].clone()
}

/// Publishes a last event through the same stream and takes everything before it.
async fn events_until(client: &mut Client, last: &Value) -> Vec<Value> {
    let mut seen = Vec::new();
    loop {
        let params = event(client, "news").await;
        if params == *last {
            return seen;
        }
        seen.push(params);
    }
}

async fn publish(client: &mut Client, value: Value) {
    client.call("bus/broadcast", json!([value])).await.expect("it is published");
}

/// Logs in, on the server that the client is connected to, and redeems the ticket at `world`.
async fn log_in(world: &World, client: &mut Client, user: &str) {
    let (id, ticket) = client.log_in(user).await;
    client.cookie = Some(world.redeem(&ticket).await);
    assert_eq!(outcome(&client.answer(id).await), Ok(json!("logged in")));
}

/// Positions for a hello, of a welcome and what followed.
fn positions(welcome: &Value) -> Value {
    welcome[4].clone()
}

#[tokio::test]
async fn what_one_server_publishes_reaches_the_clients_of_all_in_one_order() {
    let redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let (mut a, mut b) = (one.tab().await, two.tab().await);
    for n in 0..40 {
        let speaker = if n % 2 == 0 { &mut a } else { &mut b };
        // Not awaited one by one: both servers publish at the same time.
        speaker.start("bus/broadcast", json!([n])).await;
    }
    let (mut at_a, mut at_b) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        at_a.push(event(&mut a, "news").await);
        at_b.push(event(&mut b, "news").await);
    }
    assert_eq!(at_a, at_b);
    let numbers: HashSet<u64> = at_a.iter().map(|n| n.as_u64().expect("a number")).collect();
    assert_eq!(numbers, (0..40).collect());
    // What one connection published in order arrives in order.
    let even: Vec<u64> = at_a.iter().filter_map(Value::as_u64).filter(|n| n % 2 == 0).collect();
    assert!(even.is_sorted(), "{even:?}");
}

#[tokio::test]
async fn a_channel_reaches_its_subscribers_on_every_server_once() {
    let redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let (mut both, mut outside) = (two.tab().await, one.tab().await);
    both.call("room/join", json!([["lobby", "den"]])).await.expect("it joins");
    outside.call("room/say", json!([["lobby", "den", "empty"], "hi"])).await.expect("it is published");
    outside.call("bus/broadcast", json!(["end"])).await.expect("it is published");
    let said = both.until(is_event("said")).await;
    assert_eq!(said, json!([3, ["#lobby", "#den"], [1, 1], "said", "hi"]));
    // The end comes next: there was one copy.
    assert_eq!(both.next().await[3], "news");
    assert_eq!(outside.until(|message| message[0] == 3).await[3], "news");
}

#[tokio::test]
async fn who_subscribes_and_then_publishes_gets_the_own_event() {
    let redis = Redis::start();
    let (one, _two) = pair(&redis).await;
    let mut client = one.tab().await;
    for n in 0..20 {
        let room = format!("room{n}");
        client.start("room/join", json!([[room]])).await;
        client.start("room/say", json!([[room], n])).await;
    }
    for n in 0..20 {
        assert_eq!(event(&mut client, "said").await, json!(n));
    }
}

#[tokio::test]
async fn a_session_is_the_same_on_every_server() {
    let redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let mut a = one.tab().await;
    // Nothing was written to it yet, and the other server knows it nevertheless.
    let mut b = two.tab_with(a.cookie.as_deref()).await;
    assert_eq!(b.set_cookie, None);
    a.call("store/set", json!(["cart", 3])).await.expect("it is stored");
    a.call("room/join", json!([["lobby"]])).await.expect("it joins");
    b.until(|message| message[0] == 4 && message[1] == "#lobby").await;
    let stored = b.call("store/get", json!([])).await.expect("it is there");
    assert_eq!((&stored["attributes"], &stored["channels"]), (&json!({"cart": 3}), &json!(["lobby"])));
    b.call("room/leave", json!([["lobby"]])).await.expect("it leaves");
    a.until(|message| message[0] == 5 && message[1] == "#lobby").await;
}

#[tokio::test]
async fn two_tabs_on_two_servers_do_not_undo_each_other() {
    let redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let mut a = one.tab().await;
    let mut b = two.tab_with(a.cookie.as_deref()).await;
    for n in 0..30 {
        a.start("store/set", json!([format!("a{n}"), n])).await;
        b.start("store/set", json!([format!("b{n}"), n])).await;
    }
    let last = (a.start("store/get", json!([])).await, b.start("store/get", json!([])).await);
    a.answer(last.0).await;
    b.answer(last.1).await;
    // A third server has only what Redis has.
    let three = server(&redis).await;
    let mut c = three.tab_with(a.cookie.as_deref()).await;
    let stored = c.call("store/get", json!([])).await.expect("it is there");
    assert_eq!(stored["attributes"].as_object().expect("an object").len(), 60);
}

#[tokio::test]
async fn a_login_on_one_server_is_redeemed_on_another_and_reaches_all_tabs() {
    let redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let mut a = one.tab().await;
    let mut other_tab = two.tab_with(a.cookie.as_deref()).await;
    let planted = a.cookie.clone();
    log_in(&two, &mut a, "alice").await;
    // The tab on the other server has to show the new cookie.
    assert_eq!(other_tab.until(|message| message[0] == 7).await[1], 500);
    assert_eq!(other_tab.closed().await, 1012);
    let mut again = two.tab_with(a.cookie.as_deref()).await;
    assert_eq!(again.call("secret/whoami", json!([])).await, Ok(json!("alice")));
    // The old id is void everywhere.
    for world in [&one, &two] {
        let request = Client::request(world.address, planted.as_deref());
        assert_eq!(Client::handshake(world.address, request).await.err().map(|refused| refused.0), Some(503));
    }
    // The user is reached on both.
    again.call("bus/user", json!([["alice"], "hi"])).await.expect("it is published");
    assert_eq!(event(&mut a, "mail").await, "hi");
    assert_eq!(event(&mut again, "mail").await, "hi");
    // A logout ends it everywhere.
    again.call("auth/logout", json!([])).await.expect("it logs out");
    a.until(|message| message[0] == 5 && message[1] == "@").await;
    assert_eq!(a.call("secret/whoami", json!([])).await, Err("not_authenticated".to_owned()));
}

#[tokio::test]
async fn a_ticket_is_good_once_on_all_servers() {
    let redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let mut client = one.tab().await;
    let (_, ticket) = client.log_in("alice").await;
    assert_eq!(two.send(two.redemption(&ticket)).await.status, 204);
    for world in [&one, &two] {
        assert_eq!(world.send(world.redemption(&ticket)).await.status, 400);
    }
}

#[tokio::test]
async fn users_are_online_on_whatever_server_they_are() {
    let redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let (mut a, mut b) = (one.tab().await, two.tab().await);
    log_in(&one, &mut a, "alice").await;
    log_in(&two, &mut b, "bob").await;
    assert_eq!(a.call("users/online", json!([])).await, Ok(json!(["alice", "bob"])));
    a.call("auth/logout", json!([])).await.expect("it logs out");
    assert_eq!(a.call("users/online", json!([])).await, Ok(json!(["bob"])));
}

#[tokio::test]
async fn one_connection_of_another_server_can_be_meant() {
    let redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let mut a = one.tab().await;
    let mut b = Client::connect(two.address, None).await;
    b.hello(json!(null)).await;
    let welcome = b.welcome().await;
    let connection = welcome[5]["connection"].as_u64().expect("its number");
    let event_to = ssbuild_server::engine::HostCall::Publish {
        to: ssbuild_server::engine::PublishTo::Socket(connection),
        event: "you".to_owned(),
        params: None,
        conflate: None,
    };
    one.script.ask(event_to).await.expect("it is sent");
    assert_eq!(b.next().await, json!([3, "!", 0, "you"]));
    a.settle().await;
}

#[tokio::test]
async fn a_client_that_comes_back_to_another_server_gets_what_it_missed() {
    let redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let mut away = one.tab().await;
    away.call("room/join", json!([["lobby"]])).await.expect("it joins");
    let cookie = away.cookie.clone();
    let mut reader = Client::connect(one.address, cookie.as_deref()).await;
    reader.hello(json!(null)).await;
    let reached = positions(&reader.welcome().await);
    let page = reader.page.clone();
    drop((away, reader));
    let mut speaker = one.tab().await;
    for n in 0..5 {
        publish(&mut speaker, json!(n)).await;
        speaker.call("room/say", json!([["lobby"], n])).await.expect("it is published");
    }
    event(&mut speaker, "news").await;
    let mut back = Client::come_back(two.address, &page, cookie.as_deref(), reached).await;
    let welcome = back.welcome().await;
    assert_eq!(welcome[3], true);
    for n in 0..5 {
        assert_eq!((event(&mut back, "news").await, event(&mut back, "said").await), (json!(n), json!(n)));
    }
}

#[tokio::test]
async fn while_redis_is_away_clients_stay_and_local_delivery_goes_on() {
    let mut redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let (mut a, mut a2, mut b) = (one.tab().await, one.tab().await, two.tab().await);
    publish(&mut a, json!("before")).await;
    assert_eq!(event(&mut b, "news").await, "before");
    redis.kill();
    one.log.has("Redis is away").await;
    two.log.has("Redis is away").await;
    publish(&mut a, json!("alone")).await;
    assert_eq!(event(&mut a2, "news").await, "before");
    assert_eq!(event(&mut a2, "news").await, "alone");
    // Who comes with a cookie that this server does not have in memory is asked to wait, and keeps it.
    let request = Client::request(two.address, a.cookie.as_deref());
    assert_eq!(Client::handshake(two.address, request).await.err().map(|refused| refused.0), Some(503));
    redis.run();
    one.log.has("Redis is there again").await;
    two.log.has("Redis is there again").await;
    publish(&mut a, json!("after")).await;
    assert_eq!(event(&mut a2, "news").await, "after");
    // The other server's clients missed what was published to this server alone, and nothing else.
    assert_eq!(event(&mut b, "news").await, "after");
    b.settle().await;
}

#[tokio::test]
async fn what_was_changed_while_redis_was_away_is_stored_when_it_is_back() {
    let mut redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let mut a = one.tab().await;
    a.call("store/set", json!(["before", 1])).await.expect("it is stored");
    redis.kill();
    one.log.has("Redis is away").await;
    assert_eq!(a.call("store/set", json!(["meanwhile", 2])).await, Err("action_error".to_owned()));
    redis.run();
    one.log.has("Redis is there again").await;
    two.log.has("Redis is there again").await;
    let stored = a.call("store/set", json!(["after", 3])).await;
    assert_eq!(stored, Ok(json!(null)), "{}", one.log.text());
    let mut b = two.tab_with(a.cookie.as_deref()).await;
    let stored = b.call("store/get", json!([])).await.expect("it is there");
    assert_eq!(stored["attributes"], json!({"after": 3, "before": 1, "meanwhile": 2}));
}

#[tokio::test]
async fn a_paused_redis_delays_and_loses_nothing() {
    let redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let (mut a, mut near, mut b) = (one.tab().await, one.tab().await, two.tab().await);
    redis.signal("STOP");
    for n in 0..10 {
        publish(&mut a, json!(n)).await;
    }
    one.log.has("Redis is away").await;
    redis.signal("CONT");
    one.log.has("Redis is there again").await;
    publish(&mut a, json!("end")).await;
    // Redis performed what it had been sent before the pause; where it was delivered already it is not delivered again.
    let at_a = events_until(&mut near, &json!("end")).await;
    let at_b = events_until(&mut b, &json!("end")).await;
    assert_eq!(at_a, (0..10).map(|n| json!(n)).collect::<Vec<_>>());
    let order: Vec<u64> = at_b.iter().filter_map(Value::as_u64).collect();
    assert!(order.is_sorted() && order.iter().collect::<HashSet<_>>().len() == order.len(), "{order:?}");
}

#[tokio::test]
async fn what_is_too_much_for_a_paused_redis_is_told_and_stays_here() {
    let redis = Redis::start();
    let url = redis.url();
    let one = World::with(move |config| {
        config.redis.url = Some(url);
        config.limits.redis_orders = 5;
        config.limits.messages_burst = 10_000;
        // It is not away for as long as this takes.
        config.limits.redis_timeout_ms = 60_000;
    })
    .await;
    let (mut speaker, mut near) = (one.tab().await, one.tab().await);
    redis.signal("STOP");
    // One batch is on its way, five wait, and the rest is delivered here.
    for n in 0..200 {
        publish(&mut speaker, json!(n)).await;
    }
    one.log.has("an event was published to this server alone: too much waits for Redis (limits.redis_orders)").await;
    let first_here = event(&mut near, "news").await;
    assert!(first_here.as_u64().is_some_and(|n| n >= 5), "{first_here}");
    redis.signal("CONT");
    let mut seen: HashSet<u64> = first_here.as_u64().into_iter().collect();
    for _ in 1..200 {
        let n = event(&mut near, "news").await;
        assert!(seen.insert(n.as_u64().expect("a number")), "{n} twice");
    }
    publish(&mut speaker, json!("end")).await;
    assert_eq!(events_until(&mut near, &json!("end")).await, [""; 0]);
}

/// A way to Redis on which everything takes a while.
async fn slow_link(redis: &Redis) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let socket = redis.socket();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = tokio::net::UnixStream::connect(&socket).await.expect("Redis is there");
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(carry_slowly(near_in, far_out));
            tokio::spawn(carry_slowly(far_in, near_out));
        }
    });
    format!("redis://{address}")
}

async fn carry_slowly(mut from: impl tokio::io::AsyncRead + Unpin, mut to: impl tokio::io::AsyncWrite + Unpin) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut bytes = [0; 256];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_slow_link_delays_and_keeps_the_order() {
    let redis = Redis::start();
    let (url, two) = (slow_link(&redis).await, server(&redis).await);
    let one = World::with(move |config| {
        config.redis.url = Some(url);
        // The link is slow, not broken.
        config.limits.redis_timeout_ms = 20_000;
    })
    .await;
    let (mut a, mut b) = (one.tab().await, two.tab().await);
    for n in 0..30 {
        let speaker = if n % 2 == 0 { &mut a } else { &mut b };
        speaker.start("bus/broadcast", json!([n])).await;
    }
    let (mut at_a, mut at_b) = (Vec::new(), Vec::new());
    for _ in 0..30 {
        at_a.push(event(&mut a, "news").await);
        at_b.push(event(&mut b, "news").await);
    }
    assert_eq!(at_a, at_b);
}

#[tokio::test]
async fn when_redis_has_lost_everything_sessions_in_memory_and_streams_go_on() {
    let redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let (mut a, mut b) = (one.tab().await, two.tab().await);
    a.call("store/set", json!(["cart", 3])).await.expect("it is stored");
    log_in(&one, &mut a, "alice").await;
    publish(&mut b, json!(1)).await;
    assert_eq!(event(&mut a, "news").await, json!(1));
    assert_eq!(event(&mut b, "news").await, json!(1));
    assert_eq!(redis.cli(&["FLUSHALL"]), "OK");
    publish(&mut b, json!(2)).await;
    assert_eq!(event(&mut a, "news").await, json!(2));
    assert_eq!(event(&mut b, "news").await, json!(2));
    // The next change writes the session whole.
    a.call("store/set", json!(["more", 4])).await.expect("it is stored");
    let mut again = two.tab_with(a.cookie.as_deref()).await;
    assert_eq!(again.call("secret/whoami", json!([])).await, Ok(json!("alice")));
    let stored = again.call("store/get", json!([])).await.expect("it is there");
    assert_eq!(stored["attributes"], json!({"cart": 3, "more": 4}));
}

#[tokio::test]
async fn a_redis_that_comes_back_empty_is_filled_again() {
    let mut redis = Redis::start();
    let (one, two) = pair(&redis).await;
    let mut a = one.tab().await;
    a.call("store/set", json!(["cart", 3])).await.expect("it is stored");
    redis.lose();
    one.log.has("Redis is away").await;
    redis.run();
    one.log.has("Redis is there again").await;
    two.log.has("Redis is there again").await;
    // Behind everything that was brought again.
    a.call("users/online", json!([])).await.expect("Redis answers");
    let mut b = two.tab_with(a.cookie.as_deref()).await;
    assert_eq!(b.set_cookie, None);
    let stored = b.call("store/get", json!([])).await.expect("it is there");
    assert_eq!(stored["attributes"], json!({"cart": 3}));
    publish(&mut b, json!("hello")).await;
    assert_eq!(event(&mut a, "news").await, "hello");
}

#[tokio::test]
async fn apps_with_different_prefixes_do_not_see_each_other() {
    let redis = Redis::start();
    let (url, other_url) = (redis.url(), redis.url());
    let one = World::with(move |config| config.redis.url = Some(url)).await;
    let two = World::with(move |config| {
        config.redis.url = Some(other_url);
        config.redis.key_prefix = "other".to_owned();
    })
    .await;
    let (mut a, mut b) = (one.tab().await, two.tab().await);
    publish(&mut a, json!("mine")).await;
    publish(&mut b, json!("yours")).await;
    assert_eq!(event(&mut a, "news").await, "mine");
    assert_eq!(event(&mut b, "news").await, "yours");
    let stranger = two.tab_with(a.cookie.as_deref()).await;
    assert!(stranger.set_cookie.is_some());
}

#[tokio::test]
async fn no_cookie_is_to_be_read_in_redis() {
    let redis = Redis::start();
    let one = server(&redis).await;
    let mut a = one.tab().await;
    a.call("store/set", json!(["cart", 3])).await.expect("it is stored");
    let cookie = a.cookie.clone().expect("a cookie");
    let id = cookie.split('=').nth(1).expect("a value");
    let keys = redis.cli(&["KEYS", "*"]);
    assert!(keys.contains("ss:session:") && !keys.contains(id), "{keys}");
}

/// Why there is no connection to the Redis at this address.
async fn refusal(url: String) -> String {
    let mut config = ssbuild_server::config::Config::default();
    config.redis.url = Some(url);
    let clock: std::sync::Arc<dyn ssbuild_server::clock::Clock> =
        std::sync::Arc::new(ssbuild_server::clock::ManualClock::new(0));
    let log = ssbuild_server::log::Log::new(
        0,
        ssbuild_server::config::LogFormat::Text,
        std::sync::Arc::clone(&clock),
        Box::new(std::io::sink()),
    );
    let connected = ssbuild_server::backplane::Backplane::connect(&config, (clock, log)).await;
    connected.expect_err("it is not good").to_string()
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_told_at_the_start() {
    let error = refusal("unix:///nowhere/redis.sock".to_owned()).await;
    assert!(error.starts_with("cannot use Redis at /nowhere/redis.sock: "), "{error}");
}

#[tokio::test]
async fn a_cluster_and_a_replica_are_told_at_the_start() {
    // A node of a cluster wants a port to talk with others, though there are none.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port();
    let of_cluster = ["--cluster-enabled", "yes", "--cluster-port", &free.to_string(), "--bind", "127.0.0.1"];
    let cluster = Redis::start_with(of_cluster.map(str::to_owned).to_vec());
    let error = refusal(cluster.url()).await;
    assert!(error.contains("belongs to a Redis Cluster, which is not supported"), "{error}");
    let replica = Redis::start_with(["--replicaof", "127.0.0.1", "1"].map(str::to_owned).to_vec());
    let error = refusal(replica.url()).await;
    assert!(error.contains("is a replica, which takes no writes"), "{error}");
}
