//! Which pages may open sockets and post; which hosts are answered for.

use serde_json::json;

use crate::support::World;
use crate::support::client::{Client, Refused};
use crate::support::dist::Dist;
use crate::support::http::Request;

#[tokio::test]
async fn only_pages_of_this_server_open_sockets() {
    for env in ["test", "development", "production"] {
        let dist = Dist::new().change(|manifest| manifest["env"] = json!(env));
        let world =
            World::of(&dist, |config| config.http.allowed_origins = vec!["https://www.example.test".to_owned()]).await;
        let port = world.address.port();
        let cases = [
            (vec![format!("http://127.0.0.1:{port}")], true),
            (vec!["https://www.example.test".to_owned()], true),
            (vec![], false),
            (vec!["null".to_owned()], false),
            (vec!["http://127.0.0.1".to_owned()], false),
            (vec![format!("http://localhost:{port}")], false),
            (vec![format!("http://evil.test:{port}")], false),
            (vec![format!("http://127.0.0.1:{port}.evil.test")], false),
            (vec![format!("http://127.0.0.1:{port}@evil.test")], false),
            (vec!["http://www.example.test".to_owned()], false),
            (vec!["https://sub.www.example.test".to_owned()], false),
            (vec![format!("http://127.0.0.1:{port}"), "http://evil.test".to_owned()], false),
        ];
        for (origins, allowed) in cases {
            for cookie in [None, Some("ss_chat=0123456789abcdef0123456789abcdef")] {
                let mut request = Client::request(world.address, cookie);
                request.headers_mut().remove("Origin");
                for origin in &origins {
                    request.headers_mut().append("Origin", origin.parse().expect("a header"));
                }
                let refused = Client::handshake(world.address, request).await.err();
                assert_eq!(refused, (!allowed).then_some(Refused(403)), "{origins:?} in {env}");
            }
        }
    }
}

#[tokio::test]
async fn in_development_a_foreign_name_of_this_machine_is_not_answered() {
    let dist = Dist::new().change(|manifest| manifest["env"] = json!("development"));
    let world = World::of(&dist, |_| {}).await;
    let port = world.address.port();
    for (host, status) in
        [(format!("localhost:{port}"), 200), (format!("evil.test:{port}"), 421), ("192.168.1.1".to_owned(), 421)]
    {
        assert_eq!(world.send(Request::get("/").header("Host", &host)).await.status, status, "{host}");
    }
    // Deployed, there may be a proxy in front with any name.
    let world = World::new().await;
    assert_eq!(world.send(Request::get("/").header("Host", "app.test")).await.status, 200);
}

#[tokio::test]
async fn what_is_no_handshake_is_told_what_is_wanted() {
    let world = World::new().await;
    let own = world.origin();
    let handshake = || {
        Request::get("/_ss/socket")
            .header("Origin", &own)
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    // `Connection: close` is what the test sends: it is not an upgrade.
    assert_eq!(world.send(handshake().header("Sec-WebSocket-Protocol", "ss.1")).await.status, 426);
    assert_eq!(world.send(handshake().header("Connection", "Upgrade")).await.status, 400, "without the sub-protocol");
    let other = handshake().header("Connection", "Upgrade").header("Sec-WebSocket-Protocol", "ss.2, chat");
    assert_eq!(world.send(other).await.status, 400);
}
