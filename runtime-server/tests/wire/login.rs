use serde_json::{Value, json};

use super::page::{Arrived, Page, Way};
use super::server::{Kind, Server};
use super::socket;
use crate::support::http::{Reply, Request};

/// The request that redeems a ticket.
fn redemption(server: &Server, ticket: &str) -> Request {
    let body = json!({"ticket": ticket}).to_string();
    Request::post("/_ss/session", "application/json", &body).header("Origin", &format!("http://{}", server.address))
}

async fn redeem(server: &Server, ticket: &str) -> Reply {
    redemption(server, ticket).send(server.address).await
}

/// Logs in up to the ticket; the call, the ticket and what came before it.
async fn ticket(page: &mut Page, user: &str) -> (u64, String, Vec<Value>) {
    let id = page.start("auth/login", json!([user])).await;
    let mut before = Vec::new();
    loop {
        let message = page.message().await;
        if message[0] == 6 {
            return (id, message[1].as_str().expect("a ticket is text").to_owned(), before);
        }
        assert_eq!(
            (&message[0], &message[1]),
            (&json!(4), &json!("@")),
            "only the user's stream comes before the ticket"
        );
        before.push(message);
    }
}

/// Logs in to the end; what comes beside the answer.
async fn log_in(server: &Server, page: &mut Page, user: &str) -> Vec<Value> {
    let (id, ticket, mut aside) = ticket(page, user).await;
    let reply = redeem(server, &ticket).await;
    assert_eq!(reply.status, 204, "{}", reply.text());
    page.cookie = reply.cookie();
    assert_eq!(page.answer_past(id, &mut aside).await, json!([1, id, user]));
    aside
}

pub(super) async fn the_answer_waits_for_the_ticket(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    page.call("store/set", json!(["cart", 3])).await;
    let before = page.cookie.clone();
    let (id, ticket, _) = ticket(&mut page, "ann").await;
    let later = page.start("app/echo", json!(["later"])).await;
    let meanwhile = page.settle().await;
    assert!(meanwhile.iter().all(|message| message[0] == 4), "no answer before the ticket is redeemed: {meanwhile:?}");
    let reply = redeem(server, &ticket).await;
    assert_eq!((reply.status, reply.text()), (204, String::new()));
    let after = reply.cookie();
    assert!(after.is_some() && after != before, "{after:?}");
    let mut both = [page.message().await, page.message().await];
    both.sort_by_key(|answer| answer[1].as_u64());
    assert_eq!(both, [json!([1, id, "ann"]), json!([1, later, ["later"]])], "and those behind it");
    let mut again = Page::greeted(server, way, after.as_deref()).await;
    assert_eq!(again.cookie, after, "the new id is known");
    assert_eq!(again.call("auth/who", json!([])).await, json!([1, "ann"]));
    assert_eq!(again.call("store/get", json!(["cart"])).await, json!([1, 3]), "it is the same session");
    assert_eq!(again.call("secret/who", json!([])).await, json!([1, "ann"]));
}

pub(super) async fn the_old_id_is_void(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    page.call("store/set", json!(["cart", 3])).await;
    let before = page.cookie.clone();
    let (_, ticket, _) = ticket(&mut page, "ann").await;
    let refused = socket::ask(server.address, &socket::handshake(server.address, before.as_deref())).await.0;
    assert_eq!((refused.status, refused.header("retry-after").is_some(), refused.cookie()), (503, true, None));
    assert_eq!(redeem(server, &ticket).await.status, 204);
}

pub(super) async fn a_ticket_is_good_once(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let (id, ticket, _) = ticket(&mut page, "ann").await;
    let from_elsewhere = Request::post("/_ss/session", "application/json", &json!({"ticket": ticket}).to_string());
    assert_eq!(from_elsewhere.clone().header("Origin", "http://evil.example").send(server.address).await.status, 403);
    assert_eq!(from_elsewhere.send(server.address).await.status, 403, "no origin is none of ours");
    assert_eq!(redeem(server, "0123456789abcdef0123456789abcdef").await.status, 400);
    assert_eq!(redeem(server, &ticket).await.status, 204);
    let second = redeem(server, &ticket).await;
    assert_eq!((second.status, second.cookie()), (400, None));
    assert_eq!(page.answer_past(id, &mut Vec::new()).await, json!([1, id, "ann"]));
}

pub(super) async fn a_ticket_ends(kind: Kind) {
    let server = Server::usual(kind).await;
    for way in [Way::Socket, Way::Fallback] {
        let mut page = Page::greeted(&server, way, None).await;
        let (id, ticket, _) = ticket(&mut page, "ann").await;
        server.world.clock.advance(31_000);
        assert_eq!(
            page.answer_past(id, &mut Vec::new()).await,
            json!([1, id, "ann"]),
            "the answer does not wait for ever"
        );
        assert_eq!(redeem(&server, &ticket).await.status, 400);
    }
}

pub(super) async fn other_tabs_show_the_new_cookie(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    let mut other = Page::greeted(server, way, page.cookie.as_deref()).await;
    log_in(server, &mut page, "ann").await;
    assert_eq!(other.next().await, Arrived::Message(json!([7, 500])));
    assert_eq!(other.next().await, Arrived::Closed(1012));
    other.cookie.clone_from(&page.cookie);
    let (mut other, _) = other.back(server, way, json!([])).await;
    assert_eq!(other.call("auth/who", json!([])).await, json!([1, "ann"]));
}

pub(super) async fn a_user_is_reached_once_in_each_tab(server: &Server, way: Way) {
    let mut one = Page::greeted(server, way, None).await;
    let user = format!("u{}", one.id);
    let joined = log_in(server, &mut one, &user).await;
    assert!(
        joined.iter().any(|message| message[0] == 4 && message[1] == "@"),
        "the user's stream has no name: {joined:?}"
    );
    let mut two = Page::greeted(server, way, one.cookie.as_deref()).await;
    let mut three = Page::greeted(server, way, None).await;
    log_in(server, &mut three, &user).await;
    let mut nobody = Page::greeted(server, way, None).await;
    one.settle().await;
    three.settle().await;
    assert_eq!(nobody.call("bus/user", json!([[user, user, "somebody"], "mail", 1])).await, json!([1, true]));
    for page in [&mut one, &mut two, &mut three] {
        assert_eq!(page.message().await, json!([3, "@", 1, "mail", 1]));
        assert_eq!(page.settle_by_call().await, Vec::<Value>::new());
    }
    assert_eq!(nobody.settle_by_call().await, Vec::<Value>::new());
}

pub(super) async fn a_logout_ends_every_tabs_access(server: &Server, way: Way) {
    let mut page = Page::greeted(server, way, None).await;
    log_in(server, &mut page, "ann").await;
    let mut other = Page::greeted(server, way, page.cookie.as_deref()).await;
    assert_eq!(other.call("secret/who", json!([])).await, json!([1, "ann"]));
    assert_eq!(page.call("auth/logout", json!([])).await, json!([1, true]));
    for tab in [&mut page, &mut other] {
        assert_eq!(tab.call("secret/who", json!([])).await[1], "not_authenticated");
        assert_eq!(tab.call("auth/who", json!([])).await, json!([1, null]));
    }
}

// The end of a server, and the next build.

pub(super) async fn a_server_that_ends_sends_its_clients_elsewhere(kind: Kind) {
    for way in [Way::Socket, Way::Fallback] {
        let mut server = Server::usual(kind).await;
        let mut page = Page::greeted(&server, way, None).await;
        let held = page.start("app/hold", json!(["x"])).await;
        page.settle_by_call().await;
        server.world.ask_to_stop();
        let told = page.message().await;
        assert!(told[0] == 7 && told[1].is_u64(), "{told}");
        // First the time that clients have, then that of their calls.
        server.world.clock.advance(2 + 500);
        server.world.log.has("no more calls are taken").await;
        server.world.clock.advance(10_000);
        let answer = page.answer_past(held, &mut Vec::new()).await;
        assert_eq!((&answer[0], &answer[2], &answer[4]), (&json!(2), &json!("shutting_down"), &json!(1)), "{answer}");
        assert_eq!(page.closed().await, 1012);
    }
}
