//! Many tabs at once, on several threads: order and completeness, and no lock that waits for another.

use std::sync::Arc;

use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use ssbuild_server::engine::{HostCall, PublishTo};
use tokio::sync::Barrier;

use crate::support::World;
use crate::support::client::Client;

const EVENTS: u64 = 3_000;

/// A client that keeps breaking off and coming back sees every event once, in order.
async fn follow(address: std::net::SocketAddr, mut client: Client, cut_after: u64, all_there: Arc<Barrier>) {
    let (page, cookie) = (client.page.clone(), client.cookie.clone());
    let (mut reached, mut seen, mut cuts) = (json!(null), 0, 0);
    client.hello(json!(null)).await;
    let mut epoch = client.welcome().await[4][0][1].clone();
    all_there.wait().await;
    loop {
        let mut since_cut = 0;
        while since_cut < cut_after && seen < EVENTS {
            let message = client.next().await;
            assert_eq!(message[0], 3, "{message}");
            assert_eq!(message[4], json!(seen + 1), "after {cuts} cuts, at {reached}");
            seen += 1;
            since_cut += 1;
            reached = json!([["*", epoch, message[2]]]);
        }
        if seen == EVENTS {
            return;
        }
        drop(client);
        cuts += 1;
        client = Client::come_back(address, &page, cookie.as_deref(), reached.clone()).await;
        let welcome = client.welcome().await;
        assert_eq!(welcome[3], true, "after {cuts} cuts");
        epoch = welcome[4][0][1].clone();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clients_that_come_and_go_miss_nothing_and_see_nothing_twice() {
    let world = World::with(|config| {
        config.limits.history_events = EVENTS as usize;
        config.limits.connects_burst = 100_000;
        config.limits.queue_messages = 2 * EVENTS as usize;
        config.log.level = 0;
    })
    .await;
    let mut followers = Vec::new();
    let all_there = Arc::new(Barrier::new(9));
    for number in 0..8 {
        let client = Client::connect(world.address, None).await;
        followers.push(tokio::spawn(follow(world.address, client, 40 + 37 * number, Arc::clone(&all_there))));
    }
    all_there.wait().await;
    let script = Arc::clone(&world.script);
    for number in 1..=EVENTS {
        let params = Some(to_raw_value(&number).expect("a number is JSON"));
        let call = HostCall::Publish { to: PublishTo::Broadcast, event: "n".to_owned(), params, conflate: None };
        script.ask(call).await.expect("it is published");
        if number % 16 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for follower in followers {
        follower.await.expect("it saw everything");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_at_once_ends() {
    let world = Arc::new(
        World::with(|config| {
            config.limits.connects_burst = 100_000;
            config.limits.messages_burst = 100_000;
            config.limits.requests_burst = 100_000;
            config.log.level = 0;
        })
        .await,
    );
    let first = world.tab().await;
    let shared = first.cookie.clone();
    let mut tabs = Vec::new();
    for number in 0..12_u64 {
        // Half of them share a session, so that their logins end each other's connections.
        let cookie = if number % 2 == 0 { shared.clone() } else { None };
        let world = Arc::clone(&world);
        tabs.push(tokio::spawn(async move {
            for round in 0..15_u64 {
                let request = Client::request(world.address, cookie.as_deref());
                let Ok(mut client) = Client::handshake(world.address, request).await else { continue };
                client.hello(json!(null)).await;
                let calls = [
                    ("room/join", json!([["a", "b"]])),
                    ("room/say", json!([["b", "a"], round])),
                    ("store/set", json!([format!("k{number}"), round])),
                    ("auth/login", json!([format!("user{}", round % 3)])),
                    ("bus/user", json!([["user0", "user1"], round])),
                    ("users/online", json!([])),
                    ("room/leave", json!([["a"]])),
                    ("auth/logout", json!([])),
                    ("bus/broadcast", json!([round])),
                ];
                for (action, args) in &calls {
                    client.start_or_fail(action, args).await;
                }
                // Until it is quiet or closed: a login of another tab may end it at any time.
                while let Ok(message) = client.next_or_close().await {
                    if message[0] == 6 {
                        let reply = world.send(world.redemption(message[1].as_str().expect("text"))).await;
                        assert!(matches!(reply.status, 204 | 400), "{}", reply.status);
                    }
                    if message[0] == 1 && message[1] == calls.len() {
                        break;
                    }
                }
            }
        }));
    }
    for tab in tabs {
        tab.await.expect("it ends");
    }
    let mut last = world.tab().await;
    assert_eq!(last.call("app/echo", json!(["still here"])).await, Ok(json!(["still here"])));
    let _: Vec<Value> = last.settle().await;
}
