//! What those see who run the server: health, readiness, metrics.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::json;
use tokio::net::TcpListener;

use crate::support::World;
use crate::support::http::{Reply, Request};

/// A world with an admin address.
async fn world() -> (World, SocketAddr) {
    let world = World::with(|config| config.limits.shutdown_notice_ms = 1_000).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port for the test");
    let address = listener.local_addr().expect("an address");
    let server = world.server.clone().expect("the server runs");
    tokio::spawn(async move { server.run_admin(listener).await });
    (world, address)
}

async fn metrics(address: SocketAddr) -> BTreeMap<String, f64> {
    let reply = Request::get("/metrics").header("Accept", "application/openmetrics-text").send(address).await;
    assert_eq!(reply.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let text = reply.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("a sample: {line}"));
        (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("a number: {line}")))
    };
    samples.map(sample).collect()
}

#[tokio::test]
async fn what_happens_is_counted() {
    let (world, admin) = world().await;
    let mut client = world.tab().await;
    client.call("app/echo", json!([1])).await.expect("an answer");
    client.call("app/fail", json!([])).await.expect_err("it fails");
    client.call("app/none", json!([])).await.expect_err("there is none");
    client.call("bus/broadcast", json!(["hi"])).await.expect("an answer");
    world.get("/api/app/echo?1").await;
    world.get("/nothing.here").await;
    world.get("/").await;
    let held = client.start("app/hold", json!([])).await;
    client.settle().await;
    let found = metrics(admin).await;
    let expected = [
        ("ss_calls_total{outcome=\"ok\"}", 3.0),
        ("ss_calls_total{outcome=\"action_error\"}", 1.0),
        ("ss_calls_total{outcome=\"unknown_action\"}", 1.0),
        ("ss_calls_running", 1.0),
        ("ss_call_seconds_count", 5.0),
        ("ss_events_published_total", 1.0),
        ("ss_http_requests_total{status=\"200\"}", 2.0),
        ("ss_http_requests_total{status=\"404\"}", 1.0),
        ("ss_http_requests_total{status=\"101\"}", 1.0),
        ("ss_http_request_seconds_count", 4.0),
        ("ss_sockets_open", 1.0),
        ("ss_sockets_opened_total", 1.0),
        ("ss_sessions_in_memory", 1.0),
        ("ss_users_online", 0.0),
        ("ss_draining", 0.0),
        ("ss_builds_served_total", 0.0),
        ("ss_log_lines_lost_total", 0.0),
        ("ss_build_selected{build_id=\"5f3c9a1be2d40718\"}", 1.0),
    ];
    for (name, value) in expected {
        assert_eq!(found.get(name), Some(&value), "{name} in {found:#?}");
    }
    assert!(found["process_resident_memory_bytes"] > 1e6 && found["process_open_fds"] > 3.0, "{found:#?}");
    world.script.let_go(1);
    client.answer(held).await;
    assert_eq!(metrics(admin).await["ss_calls_running"], 0.0);
}

#[tokio::test]
async fn readers_of_the_older_format_get_it() {
    let (_world, admin) = world().await;
    let open = metrics(admin).await;
    let reply = Request::get("/metrics").send(admin).await;
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = reply.text();
    let names = |kind: &str| -> std::collections::BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(kind));
        lines.map(|about| about.split(' ').next().unwrap_or_default().to_owned()).collect()
    };
    // Each sample is of a metric that has a type and a meaning.
    assert_eq!(names("# TYPE "), names("# HELP "));
    let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(samples.len(), open.len());
    for sample in samples {
        let name = sample.split(['{', ' ']).next().unwrap_or_default();
        let of_histogram = ["_sum", "_count", "_bucket"].iter().find_map(|end| name.strip_suffix(end));
        let typed = names("# TYPE ");
        assert!(typed.contains(name) || of_histogram.is_some_and(|base| typed.contains(base)), "{sample}\n{text}");
    }
    assert!(text.contains("# TYPE ss_sockets_opened_total counter\n") && !text.contains("# EOF"), "{text}");
}

#[tokio::test]
async fn a_server_that_stops_is_healthy_and_not_ready() {
    let (mut world, admin) = world().await;
    let ask = async |path: &str| -> Reply { Request::get(path).send(admin).await };
    assert_eq!((ask("/health").await.status, ask("/ready").await.status), (200, 200));
    world.ask_to_stop();
    world.log.has("stopping").await;
    assert_eq!((ask("/health").await.status, ask("/ready").await.status), (200, 503));
    assert_eq!(metrics(admin).await["ss_draining"], 1.0);
    assert_eq!(world.get("/").await.status, 200, "it serves until everybody had time to notice");
    world.clock.advance(1_000);
    world.stopped().await;
}

#[tokio::test]
async fn the_admin_address_can_only_be_read() {
    let (_world, admin) = world().await;
    assert_eq!(Request::post("/metrics", "text/plain", "x").send(admin).await.status, 405);
    assert_eq!(Request::get("/").send(admin).await.status, 404);
    assert_eq!(Request::get("/api/app/echo?1").send(admin).await.status, 404);
}

#[tokio::test]
async fn a_request_has_one_id_in_the_log_in_the_answer_and_for_server_code() {
    let world = World::new().await;
    let reply = world.get("/api/app/request").await;
    let id = reply.header("x-request-id").expect("an id").to_owned();
    assert_eq!(reply.json()["id"], json!(id));
    let next = world.send(Request::get("/").header("X-Request-Id", "mine")).await;
    let next = next.header("x-request-id").expect("an id").to_owned();
    assert!(next != id && next != "mine", "{next}");
    let proxied = World::with(|config| {
        config.http.trust_proxy = true;
        config.log.format = ssbuild_server::config::LogFormat::Json;
    });
    let proxied = proxied.await;
    let reply = proxied.send(Request::get("/api/app/fail").header("X-Request-Id", "req-1.a:b")).await;
    assert_eq!(reply.header("x-request-id"), Some("req-1.a:b"));
    proxied.log.has("\"request\":\"req-1.a:b\"").await;
    for bad in ["", "a b", "a\"b", &"a".repeat(129)] {
        let reply = proxied.send(Request::get("/").header("X-Request-Id", bad)).await;
        assert!(reply.header("x-request-id").is_some_and(|id| id.starts_with('h')), "{bad}");
    }
}

#[tokio::test]
async fn a_silent_call_is_logged_only_when_it_fails() {
    let world = World::new().await;
    let mut client = world.tab().await;
    client.send(&json!([1, 1001, "app/echo", ["quiet"], 0, 1])).await;
    client.answer(1001).await;
    client.send(&json!([1, 1002, "app/fail", [], 0, 1])).await;
    client.answer(1002).await;
    client.call("app/echo", json!(["loud"])).await.expect("an answer");
    world.log.has("app/fail: action_error: x is not defined").await;
    world.log.has("loud").await;
    assert!(!world.log.text().contains("quiet"), "{}", world.log.text());
}
