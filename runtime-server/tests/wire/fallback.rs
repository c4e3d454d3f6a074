use serde_json::{Value, json};

use super::page::{Arrived, Page, Way};
use super::server::Server;
use crate::support::http::{Reply, Request};

async fn post(server: &Server, path: &str, body: &Value, origin: Option<&str>) -> Reply {
    let mut request = Request::post(path, "application/json", &body.to_string());
    if let Some(origin) = origin {
        request = request.header("Origin", origin);
    }
    request.send(server.address).await
}

pub(super) async fn opens_with_the_same_checks(server: &Server, _: Way) {
    for origin in [None, Some("http://evil.example")] {
        let reply = post(server, "/_ss/events", &json!(null), origin).await;
        assert_eq!((reply.status, reply.cookie()), (403, None));
    }
    assert_eq!(Request::get("/_ss/events").send(server.address).await.status, 405);
    let page = Page::open(server, Way::Fallback, None).await;
    assert!(page.cookie.is_some(), "and the same cookie");
}

pub(super) async fn takes_messages_in_order(server: &Server, _: Way) {
    let own = format!("http://{}", server.address);
    let mut page = Page::greeted(server, Way::Fallback, None).await;
    let token = page.token();
    let calls: Vec<String> = (1..=20).map(|n| json!([1, n, "app/echo", [n]]).to_string()).collect();
    let reply = post(server, "/_ss/messages", &json!({"token": token, "messages": calls}), Some(&own)).await;
    assert_eq!((reply.status, reply.text()), (204, String::new()));
    for n in 1..=20 {
        assert_eq!(page.message().await, json!([1, n, [n]]));
    }
}

pub(super) async fn refuses_what_is_no_message_of_its_page(server: &Server, _: Way) {
    let own = format!("http://{}", server.address);
    let mut page = Page::greeted(server, Way::Fallback, None).await;
    let token = page.token();
    let ping = json!({"token": token, "messages": ["[2]"]});
    for origin in [None, Some("http://evil.example")] {
        assert_eq!(post(server, "/_ss/messages", &ping, origin).await.status, 403);
    }
    for body in [json!({}), json!({"token": token}), json!({"token": token, "messages": [[2]]}), json!("[2]")] {
        assert_eq!(post(server, "/_ss/messages", &body, Some(&own)).await.status, 400, "{body}");
    }
    let unknown = json!({"token": "0".repeat(32), "messages": ["[2]"]});
    assert_eq!(post(server, "/_ss/messages", &unknown, Some(&own)).await.status, 410);
    assert_eq!(page.settle().await, Vec::<Value>::new(), "nothing of that counted");
    page.say_text("nonsense").await;
    assert_eq!(page.next().await, Arrived::Closed(4000));
    assert_eq!(post(server, "/_ss/messages", &ping, Some(&own)).await.status, 410, "it has ended");
    assert_eq!(page.next().await, Arrived::Gone);
}
