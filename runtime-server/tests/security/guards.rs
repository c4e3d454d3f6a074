use serde_json::json;

use crate::support::World;
use crate::support::client::{Client, outcome};
use crate::support::http::Request;

async fn world() -> World {
    World::with(|config| config.api.auth.basic.module_name = Some("passwords".to_owned())).await
}

/// A tab that has logged in, with its new cookie.
async fn logged_in(world: &World) -> (Client, String) {
    let mut client = world.tab().await;
    let (id, ticket) = client.log_in("alice").await;
    let cookie = world.redeem(&ticket).await;
    outcome(&client.answer(id).await).expect("it is logged in");
    (client, cookie)
}

#[tokio::test]
async fn a_guard_holds_on_the_socket_in_every_state() {
    let world = world().await;
    let refused = Err("not_authenticated".to_owned());
    let mut anonymous = world.tab().await;
    assert_eq!(anonymous.call("secret/whoami", json!([])).await, refused);
    assert_eq!(anonymous.call("auth/whoami", json!([])).await, Ok(json!(null)));
    let (mut client, cookie) = logged_in(&world).await;
    assert_eq!(client.call("secret/whoami", json!([])).await, Ok(json!("alice")));
    let mut second = world.tab_with(Some(&cookie)).await;
    assert_eq!(second.call("secret/whoami", json!([])).await, Ok(json!("alice")));
    client.call("auth/logout", json!([])).await.expect("it is logged out");
    for tab in [&mut client, &mut second, &mut anonymous] {
        assert_eq!(tab.call("secret/whoami", json!([])).await, refused);
    }
}

#[tokio::test]
async fn a_guard_holds_over_http_in_every_state() {
    let world = world().await;
    let (_client, cookie) = logged_in(&world).await;
    let (right, wrong) = ("Basic YWxpY2U6b3BlbjpzZXNhbWU=", "Basic YWxpY2U6d3Jvbmc=");
    let own = world.origin();
    // Method, cookie, credentials; status of a guarded action, and of one that is not.
    let cases = [
        ("GET", None, None, 401, 200),
        ("GET", None, Some(wrong), 401, 200),
        ("GET", None, Some(right), 200, 200),
        ("GET", None, Some("Basic"), 401, 200),
        ("GET", None, Some("Bearer YWxpY2U6b3BlbjpzZXNhbWU="), 401, 200),
        ("GET", None, Some("Basic !!!"), 401, 200),
        // A link uses no cookie.
        ("GET", Some(&cookie), None, 401, 200),
        ("GET", Some(&cookie), Some(right), 200, 200),
        ("POST", None, None, 401, 200),
        ("POST", None, Some(wrong), 401, 200),
        ("POST", None, Some(right), 200, 200),
        ("POST", Some(&cookie), None, 200, 200),
        ("POST", Some(&cookie), Some(wrong), 200, 200),
    ];
    for (method, cookie, credentials, guarded, open) in cases {
        for (action, expected) in [("secret/whoami", guarded), ("auth/whoami", open)] {
            let mut request = match method {
                "GET" => Request::get(&format!("/api/{action}")),
                _ => Request::post(&format!("/api/{action}"), "application/json", "[]").header("Origin", &own),
            };
            if let Some(cookie) = cookie {
                request = request.header("Cookie", cookie);
            }
            if let Some(credentials) = credentials {
                request = request.header("Authorization", credentials);
            }
            let reply = world.send(request).await;
            assert_eq!(reply.status, expected, "{method} {action} {cookie:?} {credentials:?}");
            let asks = reply.header("www-authenticate").is_some();
            assert_eq!(asks, expected == 401, "{method} {action} {credentials:?}");
        }
    }
}
