//! Sessions: cookies, what is stored, and what survives.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::World;
use crate::support::client::Client;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[tokio::test]
async fn the_handshake_sets_the_cookie_and_pages_do_not() {
    let world = World::new().await;
    let client = world.tab().await;
    let set = client.set_cookie.clone().expect("a cookie");
    let (pair, attributes) = set.split_once("; ").expect("attributes");
    let id = pair.strip_prefix("ss_chat=").expect("the app's name is in it");
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    let attributes: HashSet<&str> = attributes.split("; ").collect();
    assert_eq!(attributes, HashSet::from(["Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=2592000"]));
    for path in ["/", "/robots.txt", "/assets/app-0123456789abcdef.js", "/api/app/echo?1"] {
        assert_eq!(world.get(path).await.header("set-cookie"), None, "{path}");
    }
    // Its own cookie is good for a month: it is not sent with every handshake.
    assert_eq!(world.tab_with(client.cookie.as_deref()).await.set_cookie, None);
}

#[tokio::test]
async fn behind_tls_the_cookie_is_bound_to_the_host() {
    let world = World::with(|config| config.http.trust_proxy = true).await;
    let mut request = Client::request(world.address, Some("ss_chat=00000000000000000000000000000000"));
    let headers = request.headers_mut();
    headers.insert("X-Forwarded-Proto", "https".parse().expect("a header"));
    headers.insert("Origin", format!("https://{}", world.address).parse().expect("a header"));
    let client = Client::handshake(world.address, request).await.expect("the handshake is accepted");
    let set = client.set_cookie.expect("a cookie");
    assert!(set.starts_with("__Host-ss_chat=") && set.contains("; Secure"), "{set}");
}

#[tokio::test]
async fn an_id_that_the_server_did_not_make_is_replaced() {
    let world = World::new().await;
    let made_up = "0123456789abcdef0123456789abcdef";
    let too_long = format!("{made_up}0");
    for value in [made_up, "", "nonsense", too_long.as_str(), "0123456789ABCDEF0123456789ABCDEF", "../../etc/passwd"] {
        let client = world.tab_with(Some(&format!("ss_chat={value}"))).await;
        let set = client.set_cookie.clone().unwrap_or_else(|| panic!("{value:?} was accepted"));
        assert!(value.is_empty() || !set.contains(value), "{set}");
    }
    let other_app = world.tab_with(Some(&format!("ss_other={made_up}"))).await;
    assert!(other_app.set_cookie.is_some());
}

#[tokio::test]
async fn ids_do_not_repeat() {
    let world = World::with(|config| config.limits.connects_burst = 10_000).await;
    let mut ids = HashSet::new();
    for _ in 0..200 {
        assert!(ids.insert(Client::connect(world.address, None).await.cookie));
    }
}

#[tokio::test]
async fn what_is_saved_is_there_in_other_tabs_and_after_a_restart() {
    let mut world = World::new().await;
    let mut one = world.tab().await;
    let mut two = world.tab_with(one.cookie.as_deref()).await;
    one.call("store/set", json!(["a", 1])).await.expect("it is stored");
    two.call("store/set", json!(["b", {"deep": [null, "ü"]}])).await.expect("it is stored");
    one.call("store/set", json!(["c", 3])).await.expect("it is stored");
    two.call("store/unset", json!(["c"])).await.expect("it is stored");
    one.call("room/join", json!([["lobby", "den"]])).await.expect("it is stored");
    one.call("room/leave", json!([["den"]])).await.expect("it is stored");
    let stored = one.call("store/get", json!([])).await.expect("it is there");
    assert_eq!(stored["attributes"], json!({"a": 1, "b": {"deep": [null, "ü"]}}));
    assert_eq!(stored["channels"], json!(["lobby"]));

    let cookie = one.cookie.clone();
    drop((one, two));
    world.restart().await;
    let mut client = world.tab_with(cookie.as_deref()).await;
    assert_eq!(client.set_cookie, None, "the cookie is known");
    assert_eq!(client.call("store/get", json!([])).await, Ok(stored));
}

#[tokio::test]
async fn what_was_never_written_to_is_not_kept() {
    let mut world = World::new().await;
    let client = world.tab().await;
    let cookie = client.cookie.clone();
    drop(client);
    assert_eq!(world.tab_with(cookie.as_deref()).await.set_cookie, None, "a reload keeps the id");
    world.restart().await;
    assert!(world.tab_with(cookie.as_deref()).await.set_cookie.is_some());
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used() {
    let mut world = World::with(|config| {
        config.session.expires_days = 2;
        config.limits.idle_ms = 1_000_000_000_000;
    })
    .await;
    let mut client = world.tab().await;
    client.call("store/set", json!(["a", 1])).await.expect("it is stored");
    let cookie = client.cookie.clone();
    drop(client);
    // A visit renews it, also in the browser.
    world.clock.advance(DAY_MS * 3 / 2);
    let visit = world.tab_with(cookie.as_deref()).await;
    assert!(visit.set_cookie.as_deref().is_some_and(|set| set.starts_with(cookie.as_deref().expect("a cookie"))));
    drop(visit);
    world.restart().await;
    world.clock.advance(DAY_MS * 3 / 2);
    assert_eq!(
        world.tab_with(cookie.as_deref()).await.call("store/get", json!([])).await.expect("it is there")["attributes"],
        json!({"a": 1})
    );
    world.restart().await;
    world.clock.advance(DAY_MS * 5 / 2);
    let mut late = world.tab_with(cookie.as_deref()).await;
    assert!(late.set_cookie.is_some());
    assert_eq!(late.call("store/get", json!([])).await.expect("it is there")["attributes"], json!({}));
}

#[tokio::test]
async fn a_session_has_a_size() {
    let world = World::with(|config| {
        config.limits.session_bytes = 100;
        config.limits.session_key_bytes = 10;
        config.limits.channels_per_session = 2;
        config.limits.channel_name_bytes = 10;
    })
    .await;
    let mut client = world.tab().await;
    client.call("store/set", json!(["a", 1])).await.expect("it fits");
    let refused = [
        ("store/set", json!(["b", "x".repeat(100)]), "limits.session_bytes"),
        ("store/set", json!(["x".repeat(11), 1]), "limits.session_key_bytes"),
        ("room/join", json!([["one", "two", "three"]]), "limits.channels_per_session"),
        ("room/join", json!([["x".repeat(11)]]), "limits.channel_name_bytes"),
        ("room/join", json!([[""]]), "empty"),
    ];
    for (action, args, reason) in refused {
        let id = client.start(action, args).await;
        let answer = client.answer(id).await;
        assert_eq!(answer[2], "action_error");
        assert!(answer[3].as_str().expect("text").contains(reason), "{answer}");
    }
    let stored = client.call("store/get", json!([])).await.expect("it is there");
    assert_eq!((&stored["attributes"], &stored["channels"]), (&json!({"a": 1}), &json!([])), "all or nothing");
}

#[tokio::test]
async fn reserved_names_are_only_data() {
    let world = World::new().await;
    let mut client = world.tab().await;
    for key in ["__proto__", "constructor", "toString"] {
        client.call("store/set", json!([key, {"polluted": true}])).await.expect("it is stored");
    }
    let stored = client.call("store/get", json!([])).await.expect("it is there");
    let keys: Vec<&String> = stored["attributes"].as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["__proto__", "constructor", "toString"]);
}

#[tokio::test]
async fn two_servers_cannot_share_a_state_folder() {
    let world = World::new().await;
    let refused = world.second_server();
    assert!(refused.contains("is in use by another server"), "{refused}");
}

#[tokio::test]
async fn sessions_without_use_are_bounded() {
    let world = World::with(|config| config.limits.unsaved_sessions = 2).await;
    let mut cookies = Vec::new();
    for _ in 0..4 {
        cookies.push(Client::connect(world.address, None).await.cookie);
    }
    let mut known = Vec::new();
    for cookie in &cookies {
        let request = Client::request(world.address, cookie.as_deref());
        let client = Client::handshake(world.address, request).await.expect("the handshake is accepted");
        known.push(client.set_cookie.is_none());
    }
    assert!(!known[0], "the oldest one is gone: {known:?}");
    let _: Value = world.tab().await.call("app/echo", json!([])).await.expect("it goes on");
}

#[tokio::test]
async fn a_session_that_was_never_written_to_is_forgotten_after_a_time() {
    let world = World::with(|config| config.limits.unsaved_session_ms = 60_000).await;
    let client = world.tab().await;
    let cookie = client.cookie.clone();
    drop(client);
    world.swept().await;
    assert_eq!(world.tab_with(cookie.as_deref()).await.set_cookie, None, "a reload keeps the id");
    loop {
        world.clock.advance(60_001);
        world.swept().await;
        // The tab's end may be noticed after the clock was turned.
        if Client::connect(world.address, cookie.as_deref()).await.set_cookie.is_some() {
            break;
        }
    }
}

#[tokio::test]
async fn a_tab_that_stays_open_keeps_its_session() {
    let mut world = World::with(|config| {
        config.session.expires_days = 2;
        config.limits.idle_ms = 1_000_000_000_000;
    })
    .await;
    let mut client = world.tab().await;
    client.call("store/set", json!(["a", 1])).await.expect("it is stored");
    let cookie = client.cookie.clone();
    for _ in 0..5 {
        world.clock.advance(DAY_MS);
        // Its renewal is on its way to the store before this is.
        world.swept().await;
    }
    drop(client);
    world.restart().await;
    let mut again = world.tab_with(cookie.as_deref()).await;
    let set = again.set_cookie.clone().unwrap_or_default();
    assert!(set.starts_with(cookie.as_deref().expect("a cookie")), "{set} instead of {cookie:?}");
    assert_eq!(again.call("store/get", json!([])).await.expect("it is there")["attributes"], json!({"a": 1}));
}
