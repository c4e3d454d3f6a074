//! Login and logout: the id changes, a ticket brings the new one, and every tab knows.

use serde_json::json;

use crate::support::World;
use crate::support::client::{Client, Refused, outcome};

#[tokio::test]
async fn a_login_changes_the_id_and_its_answer_waits_for_the_cookie() {
    let world = World::new().await;
    let mut client = world.tab().await;
    client.call("store/set", json!(["cart", 3])).await.expect("it is stored");
    let before = client.cookie.clone();
    let (id, ticket) = client.log_in("alice").await;
    let meanwhile = client.settle().await;
    assert!(meanwhile.iter().all(|message| message[0] != 1), "the answer waits: {meanwhile:?}");
    let after = world.redeem(&ticket).await;
    assert_ne!(Some(&after), before.as_ref());
    assert_eq!(outcome(&client.answer(id).await), Ok(json!("logged in")));

    let mut reloaded = world.tab_with(Some(&after)).await;
    assert_eq!(reloaded.set_cookie, None);
    assert_eq!(reloaded.call("auth/whoami", json!([])).await, Ok(json!("alice")));
    assert_eq!(reloaded.call("store/get", json!([])).await.expect("it is there")["attributes"], json!({"cart": 3}));
}

#[tokio::test]
async fn the_old_id_is_void_at_once() {
    let world = World::new().await;
    let mut client = world.tab().await;
    let planted = client.cookie.clone();
    let (_, ticket) = client.log_in("alice").await;
    // Not even a new session, so that the browser's cookie is not overwritten while the new one is on its way.
    let request = Client::request(world.address, planted.as_deref());
    assert_eq!(Client::handshake(world.address, request).await.err(), Some(Refused(503)));
    world.redeem(&ticket).await;
    world.clock.advance(31_000);
    // Once the browser must have the new one, the old one is as good as made up.
    let mut thief = loop {
        let request = Client::request(world.address, planted.as_deref());
        match Client::handshake(world.address, request).await {
            Ok(client) => break client,
            Err(refused) => assert_eq!(refused, Refused(503)),
        }
    };
    assert!(thief.set_cookie.is_some());
    thief.hello(json!(null)).await;
    thief.welcome().await;
    assert_eq!(thief.call("auth/whoami", json!([])).await, Ok(json!(null)));
}

#[tokio::test]
async fn a_socket_opened_with_the_old_id_does_not_log_in_with_it() {
    let world = World::new().await;
    let mut victim = world.tab().await;
    // Somebody who knew the id before the login has sockets open: one that said hello, one that has not yet.
    let mut listening = world.tab_with(victim.cookie.as_deref()).await;
    let mut waiting = Client::connect(world.address, victim.cookie.as_deref()).await;
    let (id, ticket) = victim.log_in("alice").await;
    let told = listening.next().await;
    assert_eq!((&told[0], &told[1]), (&json!(7), &json!(500)));
    assert_eq!(listening.closed().await, 1012);
    waiting.hello(json!(null)).await;
    assert_eq!(waiting.closed().await, 1012);
    world.redeem(&ticket).await;
    assert_eq!(outcome(&victim.answer(id).await), Ok(json!("logged in")));
}

#[tokio::test]
async fn a_ticket_is_good_once() {
    let world = World::new().await;
    let mut client = world.tab().await;
    let (_, ticket) = client.log_in("alice").await;
    world.redeem(&ticket).await;
    for wrong in [ticket.as_str(), "", "00000000000000000000000000000000"] {
        let reply = world.send(world.redemption(wrong)).await;
        assert_eq!((reply.status, reply.cookie()), (400, None), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_ticket_ends_and_lets_the_answer_go() {
    let world = World::new().await;
    let mut client = world.tab().await;
    let (id, ticket) = client.log_in("alice").await;
    world.clock.advance(30_000);
    assert_eq!(outcome(&client.answer(id).await), Ok(json!("logged in")));
    assert_eq!(world.send(world.redemption(&ticket)).await.status, 400);
}

#[tokio::test]
async fn a_ticket_wants_a_page_of_this_server_and_json() {
    let world = World::new().await;
    let mut client = world.tab().await;
    let (_, ticket) = client.log_in("alice").await;
    let body = json!({"ticket": ticket}).to_string();
    let own = world.origin();
    let cases = [
        ("application/json", None, 403),
        ("application/json", Some("http://evil.test"), 403),
        ("application/json", Some("null"), 403),
        ("text/plain", Some(own.as_str()), 400),
        ("application/x-www-form-urlencoded", Some(own.as_str()), 400),
    ];
    for (content_type, origin, status) in cases {
        let mut request = crate::support::http::Request::post("/_ss/session", content_type, &body);
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        assert_eq!(world.send(request).await.status, status, "{content_type} from {origin:?}");
    }
    assert_eq!(world.send(crate::support::http::Request::get("/_ss/session")).await.status, 405);
    let huge = "x".repeat(2_000);
    assert_eq!(world.send(world.redemption(&huge)).await.status, 413);
    // None of these took it.
    world.redeem(&ticket).await;
}

#[tokio::test]
async fn logging_in_again_as_the_same_user_changes_nothing() {
    let world = World::new().await;
    let mut client = world.tab().await;
    let (id, ticket) = client.log_in("alice").await;
    let cookie = world.redeem(&ticket).await;
    client.answer(id).await;
    assert_eq!(client.call("auth/login", json!(["alice"])).await, Ok(json!("logged in")));
    assert_eq!(world.tab_with(Some(&cookie)).await.set_cookie, None);
    // As another user, it does.
    let (id, ticket) = client.log_in("bob").await;
    assert_ne!(world.redeem(&ticket).await, cookie);
    client.answer(id).await;
    assert_eq!(client.call("auth/whoami", json!([])).await, Ok(json!("bob")));
}

#[tokio::test]
async fn login_and_logout_survive_a_restart() {
    let mut world = World::new().await;
    let mut client = world.tab().await;
    let (id, ticket) = client.log_in("alice").await;
    let cookie = world.redeem(&ticket).await;
    client.answer(id).await;
    drop(client);
    world.restart().await;
    let mut client = world.tab_with(Some(&cookie)).await;
    assert_eq!(client.call("secret/whoami", json!([])).await, Ok(json!("alice")));
    client.call("auth/logout", json!([])).await.expect("it logs out");
    drop(client);
    world.restart().await;
    let mut client = world.tab_with(Some(&cookie)).await;
    assert_eq!(client.call("secret/whoami", json!([])).await, Err("not_authenticated".to_owned()));
}

#[tokio::test]
async fn a_logout_ends_the_access_of_every_tab() {
    let world = World::new().await;
    let mut one = world.tab().await;
    let (id, ticket) = one.log_in("alice").await;
    let cookie = world.redeem(&ticket).await;
    one.answer(id).await;
    let mut two = world.tab_with(Some(&cookie)).await;
    assert_eq!(two.call("secret/whoami", json!([])).await, Ok(json!("alice")));
    one.call("auth/logout", json!([])).await.expect("it logs out");
    assert_eq!(two.call("secret/whoami", json!([])).await, Err("not_authenticated".to_owned()));
    assert_eq!(world.tab_with(Some(&cookie)).await.call("auth/whoami", json!([])).await, Ok(json!(null)));
}
