//! The HTTP API.

use serde_json::{Value, json};

use crate::support::World;
use crate::support::dist::Dist;
use crate::support::http::{Reply, Request};

async fn get(world: &World, target: &str) -> Value {
    let reply = world.get(target).await;
    assert_eq!(reply.status, 200, "{target}: {}", reply.text());
    reply.json()
}

#[tokio::test]
async fn a_query_becomes_arguments() {
    let world = World::new().await;
    let cases = [
        ("", json!([])),
        ("?", json!([])),
        ("?25", json!(["25"])),
        ("?a%20b%26c", json!(["a b&c"])),
        ("?a+b", json!(["a+b"])),
        ("?a=1&b=2", json!([{"a": "1", "b": "2"}])),
        ("?a=x+y%2Bz", json!([{"a": "x y+z"}])),
        ("?a=1&a=2", json!([{"a": "2"}])),
        ("?a=", json!([{"a": ""}])),
        ("?a=what?", json!([{"a": "what?"}])),
        ("?__proto__=x&constructor=y", json!([{"__proto__": "x", "constructor": "y"}])),
    ];
    for (query, args) in cases {
        assert_eq!(get(&world, &format!("/api/app/echo{query}")).await, args, "{query}");
        assert_eq!(get(&world, &format!("/api/app/echo.json{query}")).await, args, "{query}");
    }
    assert_eq!(world.get("/api/app/echo?%ff").await.status, 400);
}

#[tokio::test]
async fn the_ending_or_the_browser_chooses_the_form() {
    let world = World::new().await;
    let json = world.get("/api/app/echo.json?%3Cb%3E").await;
    assert_eq!((json.header("content-type"), json.text().as_str()), (Some("application/json"), "[\"<b>\"]"));
    let html = world.get("/api/app/echo.HTML?%3Cb%3E").await;
    assert_eq!(html.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(html.text(), "<!doctype html>\n<pre>[&quot;&lt;b&gt;&quot;]</pre>\n");
    assert_eq!(html.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
    let browser = Request::get("/api/app/echo?1").header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    assert_eq!(world.send(browser).await.header("content-type"), Some("text/html; charset=utf-8"));
    for reply in [json, html] {
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    }
    assert_eq!(get(&world, "/api/app/undefined").await, Value::Null);
}

#[tokio::test]
async fn a_posted_body_keeps_its_types() {
    let world = World::new().await;
    let cases = [
        ("application/json", "[1,\"a\",null]", json!([1, "a", null])),
        ("application/json; charset=utf-8", "{\"a\":1}", json!([{"a": 1}])),
        ("application/json", "25", json!([25])),
        ("application/x-www-form-urlencoded", "a=1&b=x+y", json!([{"a": "1", "b": "x y"}])),
    ];
    for (content_type, body, args) in cases {
        let reply = world.send(Request::post("/api/app/echo?ignored", content_type, body)).await;
        assert_eq!((reply.status, reply.json()), (200, args), "{body}");
    }
    let posted = world.send(Request::post("/api/app/post", "application/json", "{\"a\":[1]}")).await;
    assert_eq!(posted.json(), json!({"a": [1]}));
    let bare = world.send(Request::new("POST", "/api/app/echo?25").header("Content-Length", "0")).await;
    assert_eq!(bare.json(), json!(["25"]));
}

#[tokio::test]
async fn every_failure_has_its_status() {
    let world = World::with(|config| {
        config.limits.body_bytes = 1000;
        config.limits.answer_bytes = 1000;
    })
    .await;
    let code = |reply: &Reply| reply.json()["error"]["code"].as_str().map(str::to_owned);
    let post = |content_type: &str, body: &str| Request::post("/api/app/echo", content_type, body);
    let cases = [
        (Request::get("/api/app/none"), 404, "unknown_action"),
        (Request::get("/api/app"), 404, "unknown_action"),
        (Request::get("/api/app/echo.xml"), 404, "unknown_action"),
        (Request::get("/api/__proto__/toString"), 404, "unknown_action"),
        (Request::get("/api/secret/whoami"), 401, "not_authenticated"),
        (Request::get("/api/app/fail"), 500, "action_error"),
        (Request::post("/api/app/huge", "application/json", "2000"), 413, "too_large"),
        (post("application/json", "{"), 400, "bad_request"),
        (post("application/json", "1 2"), 400, "bad_request"),
        (post("text/plain", "25"), 400, "bad_request"),
        (post("application/json", &"[".repeat(900)), 400, "bad_request"),
        (post("application/json", &format!("\"{}\"", "x".repeat(1000))), 413, "too_large"),
    ];
    for (request, status, expected) in cases {
        let reply = world.send(request).await;
        assert_eq!((reply.status, code(&reply).as_deref()), (status, Some(expected)), "{}", reply.text());
        assert!(reply.json()["error"].get("stack").is_none());
    }
    for method in ["PUT", "DELETE", "OPTIONS", "HEAD", "TRACE"] {
        let reply = world.send(Request::new(method, "/api/app/count")).await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, POST")), "{method}");
    }
    assert_eq!(world.script.count(), 0);
    assert_eq!(world.get("/api").await.status, 200, "it is a route of the page, not of the API");
}

#[tokio::test]
async fn it_can_be_moved_and_switched_off() {
    let world = World::with(|config| config.api.prefix = "rpc".to_owned()).await;
    assert_eq!(get(&world, "/rpc/app/echo?1").await, json!(["1"]));
    assert!(world.get("/api/app/echo?1").await.text().starts_with("<!doctype"));
    let world = World::with(|config| config.api.enabled = false).await;
    assert!(world.get("/api/app/echo?1").await.text().starts_with("<!doctype"));
    let world = World::with(|config| {
        config.api.https_only = true;
        config.http.trust_proxy = true;
    })
    .await;
    assert_eq!(world.get("/api/app/echo?1").await.status, 403);
    let secure = Request::get("/api/app/echo?1").header("X-Forwarded-Proto", "https");
    assert_eq!(world.send(secure).await.status, 200);
}

#[tokio::test]
async fn basic_credentials_stand_for_a_user_of_one_request() {
    let world = World::with(|config| {
        config.api.auth.basic.module_name = Some("passwords".to_owned());
        config.api.auth.basic.realm = "The \"realm\"\r\nX: y".to_owned();
    })
    .await;
    let asked = world.get("/api/secret/whoami").await;
    assert_eq!(asked.status, 401);
    let with = |credentials: &str| Request::get("/api/secret/whoami").header("Authorization", credentials);
    // alice:open:sesame — a password may hold a colon.
    let good = world.send(with("Basic YWxpY2U6b3BlbjpzZXNhbWU=")).await;
    assert_eq!((good.status, good.json()), (200, json!("alice")));
    assert_eq!(world.send(with("bASIC YWxpY2U6b3BlbjpzZXNhbWU=")).await.status, 200);
    for bad in ["Basic YWxpY2U6b3Blbg==", "Basic !!!", "Basic", "Bearer YWxpY2U6b3BlbjpzZXNhbWU=", "Basic YWxpY2U="] {
        assert_eq!(world.send(with(bad)).await.status, 401, "{bad}");
    }
    assert_eq!(world.get("/api/secret/whoami").await.status, 401, "nothing stays of it");
}

#[tokio::test]
async fn the_realm_is_told() {
    let world = World::with(|config| config.api.auth.basic.module_name = Some("passwords".to_owned())).await;
    let asked = world.get("/api/secret/whoami").await;
    assert_eq!(asked.header("www-authenticate"), Some("Basic realm=\"Secure API\", charset=\"UTF-8\""));
}

/// A browser that is logged in: its cookie.
async fn logged_in(world: &World) -> String {
    let mut client = world.tab().await;
    let (id, ticket) = client.log_in("alice").await;
    let cookie = world.redeem(&ticket).await;
    client.answer(id).await;
    cookie
}

#[tokio::test]
async fn a_get_never_acts_for_a_browser_and_a_post_only_from_its_own_pages() {
    let world = World::new().await;
    let cookie = logged_in(&world).await;
    let get = Request::get("/api/auth/whoami").header("Cookie", &cookie).header("Origin", &world.origin());
    assert_eq!(world.send(get).await.json(), Value::Null);
    let post = || Request::post("/api/auth/whoami", "application/json", "[]").header("Cookie", &cookie);
    for (origin, status, user) in [
        (Some(world.origin()), 200, Some(json!("alice"))),
        (Some("http://evil.test".to_owned()), 403, None),
        (Some("null".to_owned()), 403, None),
        (None, 403, None),
    ] {
        let request = match &origin {
            Some(origin) => post().header("Origin", origin),
            None => post(),
        };
        let reply = world.send(request).await;
        assert_eq!(reply.status, status, "{origin:?}");
        if let Some(user) = user {
            assert_eq!(reply.json(), user);
        }
    }
    // Without a cookie there is nothing to steal: a program may post, a foreign page still may not.
    let program = Request::post("/api/auth/whoami", "application/json", "[]");
    assert_eq!(world.send(program.clone()).await.status, 200);
    assert_eq!(world.send(program.header("Origin", "http://evil.test")).await.status, 403);
}

#[tokio::test]
async fn a_guarded_action_works_with_a_logged_in_cookie() {
    let world = World::new().await;
    let cookie = logged_in(&world).await;
    let post = |cookie: &str| {
        Request::post("/api/secret/whoami", "application/json", "[]")
            .header("Cookie", cookie)
            .header("Origin", &world.origin())
    };
    assert_eq!(world.send(post(&cookie)).await.json(), json!("alice"));
    assert_eq!(world.send(post("ss_chat=0123456789abcdef0123456789abcdef")).await.status, 401);
}

#[tokio::test]
async fn a_login_by_post_brings_its_cookie_along() {
    let world = World::new().await;
    let mut tab = world.tab().await;
    let before = tab.cookie.clone().expect("a cookie");
    let login = Request::post("/api/auth/login", "application/json", "[\"alice\"]")
        .header("Cookie", &before)
        .header("Origin", &world.origin());
    let reply = world.send(login).await;
    let after = reply.cookie().expect("the new id");
    assert_ne!(after, before);
    assert_eq!(tab.closed().await, 1012, "the tab comes back with it");
    assert_eq!(world.tab_with(Some(&after)).await.call("auth/whoami", json!([])).await, Ok(json!("alice")));
}

#[tokio::test]
async fn the_action_sees_where_the_call_came_from() {
    let world = World::with(|config| config.http.trust_proxy = true).await;
    let request = Request::get("/api/app/request").header("X-Forwarded-For", "10.0.0.1, 192.0.2.7");
    let seen = world.send(request).await.json();
    assert_eq!(
        (&seen["origin"], &seen["ip"], &seen["connection"]),
        (&json!("http"), &json!("192.0.2.7"), &Value::Null)
    );
    let world = World::new().await;
    let request = Request::get("/api/app/request").header("X-Forwarded-For", "192.0.2.7");
    assert_eq!(world.send(request).await.json()["ip"], "127.0.0.1", "not believed unless configured");
}

#[tokio::test]
async fn pages_of_other_sites_do_not_use_a_browsers_credentials() {
    let world = World::with(|config| config.api.auth.basic.module_name = Some("passwords".to_owned())).await;
    let basic = ("Authorization", "Basic YWxpY2U6b3BlbjpzZXNhbWU=");
    let own = world.origin();
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&str, Headers<'_>, u16); 12] = [
        ("GET", &[basic], 200),
        ("GET", &[basic, ("Sec-Fetch-Site", "none")], 200),
        ("GET", &[basic, ("Sec-Fetch-Site", "same-origin")], 200),
        ("GET", &[basic, ("Sec-Fetch-Site", "cross-site")], 403),
        ("GET", &[basic, ("Origin", "http://evil.test")], 403),
        ("GET", &[basic, ("Origin", "null")], 403),
        ("GET", &[basic, ("Origin", &own)], 200),
        ("POST", &[basic], 200),
        ("POST", &[basic, ("Sec-Fetch-Site", "cross-site")], 403),
        ("POST", &[basic, ("Origin", "http://evil.test")], 403),
        ("POST", &[basic, ("Origin", &own)], 200),
        ("POST", &[basic, ("Cookie", "ss_chat=x")], 403),
    ];
    for (method, headers, status) in cases {
        let mut request = match method {
            "GET" => Request::get("/api/secret/whoami"),
            _ => Request::post("/api/secret/whoami", "application/json", "[]"),
        };
        for (name, value) in headers {
            request = request.header(name, value);
        }
        assert_eq!(world.send(request).await.status, status, "{method} {headers:?}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_limited_and_right_ones_are_not() {
    let world = World::with(|config| {
        config.api.auth.basic.module_name = Some("passwords".to_owned());
        config.limits.wrong_credentials_burst = 3;
    })
    .await;
    let with = |credentials: &'static str| Request::get("/api/secret/whoami").header("Authorization", credentials);
    let (right, wrong) = ("Basic YWxpY2U6b3BlbjpzZXNhbWU=", "Basic YWxpY2U6d3Jvbmc=");
    for _ in 0..10 {
        assert_eq!(world.send(with(right)).await.status, 200);
    }
    for _ in 0..3 {
        assert_eq!(world.send(with(wrong)).await.status, 401);
    }
    for credentials in [wrong, right] {
        let reply = world.send(with(credentials)).await;
        assert_eq!((reply.status, reply.json()["error"]["code"].clone()), (429, json!("rate_limited")));
    }
    world.clock.advance(1_000);
    assert_eq!(world.send(with(right)).await.status, 200);
    assert_eq!(world.send(with(wrong)).await.status, 401);
    assert_eq!(world.send(with(wrong)).await.status, 429);
}

#[tokio::test]
async fn in_development_the_api_can_be_looked_at() {
    let development = Dist::new().change(|manifest| manifest["env"] = json!("development"));
    let world = World::of(&development, |_| {}).await;
    let page = world.get("/api").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let text = page.text();
    assert!(
        text.contains("<form action=\"/api/app/echo\">")
            && text.contains("<h2>auth</h2>")
            && text.contains("<code>login(")
            && text.contains("<b>guarded</b>")
    );
    assert_eq!(world.get("/api/").await.text(), text);
    let document = world.get("/api/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["paths"].as_object().expect("paths").len(), crate::support::script::ACTIONS.len());
    let world = World::new().await;
    assert_eq!(world.get("/api/").await.status, 404, "only in development");
    assert_eq!(world.get("/api/openapi.json").await.status, 404);
}
