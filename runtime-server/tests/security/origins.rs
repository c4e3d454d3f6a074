use serde_json::json;

use crate::support::World;
use crate::support::client::{Client, Refused};
use crate::support::dist::Dist;
use crate::support::http::Request;

/// Origins, and whether pages of them may do as this server's own: the same list is tried at the development server.
fn origins(port: u16) -> Vec<(String, bool)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/origins.json");
    let text = std::fs::read_to_string(path).expect("the list is there").replace("PORT", &port.to_string());
    let list: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let of = |name: &str, own: bool| {
        let names = list[name].as_array().expect("a list").clone();
        names.into_iter().map(move |origin| (origin.as_str().expect("text").to_owned(), own))
    };
    let origins: Vec<_> = of("foreign", false).chain(of("own", true)).collect();
    assert_eq!(origins.len(), 40);
    origins
}

async fn world(env: &str) -> World {
    let dist = Dist::new().change(|manifest| manifest["env"] = json!(env));
    World::of(&dist, |config| config.http.allowed_origins = vec!["https://www.example.test".to_owned()]).await
}

async fn matrix(env: &str) {
    let world = world(env).await;
    for (origin, allowed) in origins(world.address.port()) {
        let mut request = Client::request(world.address, None);
        request.headers_mut().insert("Origin", origin.parse().expect("a header"));
        let refused = Client::handshake(world.address, request).await.err();
        assert_eq!(refused, (!allowed).then_some(Refused(403)), "the socket, {origin:?} in {env}");
        let call = Request::post("/api/app/echo", "application/json", "[1]").header("Origin", &origin);
        let status = world.send(call).await.status;
        assert_eq!(status, if allowed { 200 } else { 403 }, "the API, {origin:?} in {env}");
        let ticket = Request::post("/_ss/session", "application/json", "{\"ticket\":\"x\"}").header("Origin", &origin);
        let status = world.send(ticket).await.status;
        assert_eq!(status, if allowed { 400 } else { 403 }, "the ticket, {origin:?} in {env}");
    }
}

#[tokio::test]
async fn forty_origins_deployed() {
    matrix("production").await;
}

#[tokio::test]
async fn forty_origins_in_development() {
    matrix("development").await;
}

#[tokio::test]
async fn a_page_elsewhere_reads_nothing_but_public_files() {
    let world = world("production").await;
    for path in ["/", "/api/app/echo?1", "/robots.txt", "/_ss/session", "/_ss/socket"] {
        let reply = world.send(Request::get(path).header("Origin", "http://evil.test")).await;
        assert_eq!(reply.header("access-control-allow-origin"), None, "{path}");
    }
    let asset = world.get("/assets/app-0123456789abcdef.js").await;
    assert_eq!(asset.header("access-control-allow-origin"), Some("*"));
    assert_eq!(asset.header("access-control-allow-credentials"), None);
}
