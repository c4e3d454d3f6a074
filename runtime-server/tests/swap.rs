//! Another build under open sockets: nothing is lost, nothing fails, the old engine ends when nobody needs it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::process::{Process, app, command, tab};
use crate::support::World;
use crate::support::client::outcome;
use crate::support::dist::{BUILD_ID, Dist};

const NEXT: &str = "00000000000000b2";

fn next() -> Dist {
    Dist::new().change(|manifest| manifest["build_id"] = json!(NEXT))
}

#[tokio::test]
async fn calls_in_hand_end_where_they_are_and_new_ones_go_to_the_new_build() {
    let world = World::new().await;
    let mut client = world.tab().await;
    client.call("store/set", json!(["color", "red"])).await.expect("it is stored");
    let held = client.start("app/hold", json!(["old"])).await;
    client.settle().await;
    let next = world.swap(&next()).await;
    assert_eq!(client.next().await, json!([8, NEXT]));
    assert_eq!(client.call("app/count", json!([])).await, Ok(json!(1)));
    assert_eq!((world.script.count(), next.count()), (1, 1), "the count is the new one's");
    let kept = client.call("store/get", json!([])).await.expect("an answer");
    assert_eq!(kept["attributes"], json!({"color": "red"}));
    world.script.let_go(1);
    assert_eq!(outcome(&client.answer(held).await), Ok(json!("old")));
    world.log.has("build 00000000000000b2 is served from now on").await;
    let mut fresh = world.tab().await;
    assert_eq!(fresh.settle().await, Vec::<serde_json::Value>::new(), "a new page hears it in its welcome");
}

#[tokio::test]
async fn the_old_engine_stays_until_it_was_told_of_the_ends_it_asked_for() {
    let world = World::new().await;
    let (mut watched, mut both) = (world.tab().await, world.tab().await);
    watched.call("app/watch", json!([])).await.expect("it is watched");
    both.call("app/watch", json!([])).await.expect("it is watched");
    let next = world.swap(&next()).await;
    both.call("app/watch", json!([])).await.expect("it is watched by the new one, too");
    watched.cut();
    world.script.gone().await;
    both.cut();
    world.script.gone().await;
    next.gone().await;
    // The time for which it lingers has to begin before the clock can be moved past it.
    let (mut turning, closed) = (true, world.script.closed());
    tokio::pin!(closed);
    while turning {
        world.clock.advance(1_000);
        tokio::select! {
            () = &mut closed => turning = false,
            () = tokio::task::yield_now() => {}
        }
    }
    world.log.has(&format!("build {BUILD_ID} has ended")).await;
}

#[tokio::test]
async fn an_engine_that_is_never_free_ends_in_the_end() {
    let world = World::with(|config| config.limits.drain_ms = 20_000).await;
    let mut client = world.tab().await;
    client.call("app/watch", json!([])).await.expect("it is watched");
    world.swap(&next()).await;
    client.settle().await;
    world.clock.advance(19_999);
    client.settle().await;
    world.clock.advance(1);
    world.script.closed().await;
    world.log.has("is given up 20000 ms after the next one came (limits.drain_ms)").await;
}

#[tokio::test]
async fn files_of_the_build_before_stay_and_named_ones_are_the_new_builds() {
    let world = World::new().await;
    let old = "/assets/app-0123456789abcdef.js";
    assert_eq!(world.get(old).await.status, 200);
    let next = next().change(|manifest| {
        let asset = manifest["assets"].as_object_mut().expect("assets").shift_remove("app.js");
        assert!(asset.is_some());
        manifest["files"] = json!({});
    });
    world.swap(&next).await;
    let reply = world.get(old).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert_eq!(world.get("/robots.txt").await.status, 404);
}

/// Puts another build in the place of the one in `folder`, as the compiler does: manifest last, by a rename.
fn publish(folder: &Path, build_id: &str, answer: &str) {
    let code = format!(
        r#"__ss.define({{1: [function (module, exports, require) {{
            exports.actions = {{
                version() {{ return "{answer}"; }},
                get() {{ return this.session.attributes.value; }},
                async set(value) {{ this.session.attributes.value = value; await this.session.save(); }},
                slow(cb) {{ setTimeout(() => cb("{answer}"), 300); }},
            }};
        }}, []]}});
        __ss.start({{shared: {{}}, server: {{app: 1}}, named: {{}}}}, [1]);"#
    );
    let action = |params: &[&str], style: &str| json!({"params": params, "style": style});
    let actions = json!({
        "app/version": action(&[], "value"), "app/get": action(&[], "value"), "app/set": action(&["value"], "value"),
        "app/slow": action(&[], "callback"),
    });
    let dist =
        Dist::new().server_in(build_id, actions, &code).change(|manifest| manifest["build_id"] = json!(build_id));
    dist.publish(&folder.join("dist"));
}

async fn upgraded(client: &mut crate::support::client::Client, build_id: &str) {
    assert_eq!(client.next().await, json!([8, build_id]));
}

#[tokio::test]
async fn a_new_manifest_is_served_and_a_broken_one_is_not() {
    let folder = app();
    publish(folder.path(), "00000000000000a1", "one");
    let (process, log) = Process::start_logged(folder.path(), &[]);
    let mut client = tab(process.address, None).await;
    client.call("app/set", json!([7])).await.expect("it is saved");
    assert_eq!(client.call("app/version", json!([])).await, Ok(json!("one")));
    let slow = client.start("app/slow", json!([])).await;
    publish(folder.path(), "00000000000000a2", "two");
    upgraded(&mut client, "00000000000000a2").await;
    assert_eq!(outcome(&client.answer(slow).await), Ok(json!("one")), "it ends where it began");
    assert_eq!(client.call("app/version", json!([])).await, Ok(json!("two")));
    assert_eq!(client.call("app/get", json!([])).await, Ok(json!(7)));
    std::fs::write(folder.path().join("dist/manifest.json"), "{}").expect("it is written");
    log.has("is not served, the one before stays").await;
    assert_eq!(client.call("app/version", json!([])).await, Ok(json!("two")));
    publish(folder.path(), "00000000000000a3", "\"); throw new Error(\"broken");
    log.has("the server code could not be loaded").await;
    assert_eq!(client.call("app/version", json!([])).await, Ok(json!("two")));
    publish(folder.path(), "00000000000000a4", "four");
    upgraded(&mut client, "00000000000000a4").await;
    assert_eq!(client.call("app/version", json!([])).await, Ok(json!("four")));
}

#[tokio::test]
async fn a_signal_makes_it_look() {
    let folder = app();
    publish(folder.path(), "00000000000000a1", "one");
    let (process, log) = Process::start_logged(folder.path(), &[("SS__SERVER__FOLLOW", "false")]);
    let mut client = tab(process.address, None).await;
    process.signal("HUP");
    log.has("the build is the one that is served").await;
    publish(folder.path(), "00000000000000a2", "two");
    assert_eq!(client.call("app/version", json!([])).await, Ok(json!("one")), "it was not told");
    process.signal("HUP");
    upgraded(&mut client, "00000000000000a2").await;
    assert_eq!(client.call("app/version", json!([])).await, Ok(json!("two")));
}

#[tokio::test]
async fn no_call_fails_while_builds_come_and_go() {
    let folder = app();
    publish(folder.path(), "00000000000000a1", "one");
    let many = [("SS__LIMITS__MESSAGES_PER_SECOND", "1000000"), ("SS__LIMITS__MESSAGES_BURST", "1000000")];
    let (process, _log) = Process::start_logged(folder.path(), &many);
    let over = Arc::new(AtomicBool::new(false));
    let mut callers = Vec::new();
    for _ in 0..4 {
        let (over, mut client) = (Arc::clone(&over), tab(process.address, None).await);
        callers.push(tokio::spawn(async move {
            let mut calls = 0;
            while !over.load(Ordering::Relaxed) {
                client.call("app/version", json!([])).await.expect("no call fails");
                calls += 1;
            }
            calls
        }));
    }
    let mut client = tab(process.address, None).await;
    for n in 2..7 {
        let id = format!("00000000000000a{n}");
        publish(folder.path(), &id, &id);
        upgraded(&mut client, &id).await;
        assert_eq!(client.call("app/version", json!([])).await, Ok(json!(id)));
    }
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        assert!(caller.await.expect("no call failed") > 0);
    }
}

#[tokio::test]
async fn a_rollback_selects_the_build_before() {
    let folder = app();
    let dist = folder.path().join("dist");
    publish(folder.path(), "00000000000000a1", "one");
    publish(folder.path(), "00000000000000a2", "two");
    publish(folder.path(), "00000000000000a3", "three");
    let ids = ["00000000000000a1", "00000000000000a2", "00000000000000a3"];
    let builds: Vec<_> = ids.iter().map(|id| json!({"build_id": id, "assets": [], "public": []})).collect();
    std::fs::write(dist.join("generations.json"), json!({"schema": 1, "builds": builds}).to_string()).expect("a file");
    let (process, _log) = Process::start_logged(folder.path(), &[]);
    let mut client = tab(process.address, None).await;
    let rollback = |arguments: &[&str]| {
        let output = command(folder.path()).args(["rollback"]).args(arguments).output().expect("ssserve starts");
        let said = if output.status.success() { output.stdout } else { output.stderr };
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    assert_eq!(rollback(&[]), (Some(0), format!("build {} is selected, after {}\n", ids[1], ids[2])));
    upgraded(&mut client, ids[1]).await;
    assert_eq!(client.call("app/version", json!([])).await, Ok(json!("two")));
    assert_eq!(rollback(&[]).0, Some(0));
    upgraded(&mut client, ids[0]).await;
    let (code, said) = rollback(&[]);
    assert_eq!(code, Some(2));
    assert!(said.contains(&format!("there is no build before {}", ids[0])), "{said}");
    let (code, said) = rollback(&["--to", "ffff"]);
    assert!(code == Some(2) && said.contains("build ffff is not kept"), "{said}");
    std::fs::remove_file(dist.join("builds").join(ids[2]).join("server/server.js")).expect("it is there");
    let (code, said) = rollback(&["--to", ids[2]]);
    assert!(code == Some(2) && said.contains("is not what the manifest promises"), "{said}");
    assert_eq!(client.call("app/version", json!([])).await, Ok(json!("one")));
}
