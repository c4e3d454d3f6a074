//! The end: calls in hand finish, clients are told, what is stored stays.

use serde_json::json;

use crate::support::World;
use crate::support::client::outcome;

#[tokio::test]
async fn calls_in_hand_finish_and_clients_are_told_to_come_back() {
    let mut world = World::new().await;
    let mut client = world.tab().await;
    let held = client.start("app/hold", json!(["done"])).await;
    client.settle().await;
    world.ask_to_stop();
    let told = client.next().await;
    assert_eq!(told[0], 7);
    assert!(told[1].as_u64().is_some_and(|after_ms| after_ms < 1_000), "{told}");
    assert_eq!(client.call("app/echo", json!([])).await, Ok(json!([])), "its turn to go has not come");
    // Its turn, and the time that it has to go by itself.
    world.clock.advance(2 + 500);
    world.log.has("no more calls are taken").await;
    assert_eq!(client.call("app/echo", json!([])).await, Err("shutting_down".to_owned()));
    world.script.let_go(1);
    assert_eq!(outcome(&client.answer(held).await), Ok(json!("done")));
    assert_eq!(client.closed().await, 1012);
    drop(client);
    world.stopped().await;
    assert!(tokio::net::TcpStream::connect(world.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_call_that_does_not_end_does_not_keep_the_server() {
    let mut world = World::new().await;
    let mut client = world.tab().await;
    client.start("app/hold", json!([])).await;
    client.settle().await;
    world.ask_to_stop();
    assert_eq!(client.next().await[0], 7);
    // Its turn, and the time that it has to go by itself.
    world.clock.advance(2 + 500);
    world.log.has("no more calls are taken").await;
    world.clock.advance(10_000);
    assert_eq!(client.closed().await, 1012);
    drop(client);
    world.stopped().await;
}

#[tokio::test]
async fn clients_come_back_spread_over_time() {
    let mut world = World::new().await;
    let mut clients = Vec::new();
    for _ in 0..30 {
        clients.push(world.tab().await);
    }
    world.ask_to_stop();
    let mut times = std::collections::HashSet::new();
    for client in &mut clients {
        times.insert(client.next().await[1].as_u64().expect("a number"));
    }
    assert!(times.len() > 10, "{times:?}");
    drop(clients);
    world.stopped().await;
}
