//! What server code sees and does in either engine, over real sockets.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::World;
use crate::support::client::Client;
use crate::support::dist::Dist;

/// A build of one module, run in that engine. `actions` are paths with their parameters.
fn app(engine: &str, actions: &[(&str, &[&str])], code: &str) -> Dist {
    let list = actions.iter().map(|(path, params)| ((*path).to_owned(), json!({"params": params, "style": "value"})));
    let bundle = format!(
        "__ss.define({{1: [function (module, exports, require) {{ {code} }}, []]}});
        __ss.start({{shared: {{}}, server: {{app: 1}}, named: {{}}}}, [1]);"
    );
    let dist = Dist::new().server(list.collect::<serde_json::Map<_, _>>().into(), &bundle);
    dist.change(|manifest| manifest["server"]["engine"] = json!(engine))
}

macro_rules! on_both_engines {
    ($($name:ident,)*) => {
        mod embedded {
            $(#[tokio::test] async fn $name() { super::$name("embedded").await; })*
        }
        mod node {
            $(#[tokio::test] async fn $name() { super::$name("node").await; })*
        }
    };
}

on_both_engines! {
    server_code_hears_of_clients,
    two_tabs_do_not_undo_each_others_attributes,
    the_latest_is_enough_for_a_slow_client,
    the_callers_own_tab_can_be_meant,
    what_a_disconnect_handler_changes_is_stored,
}

/// A client that asks until it is so sends many messages.
fn many(config: &mut ssbuild_server::config::Config) {
    config.limits.messages_burst = u32::MAX;
}

/// Asks until the answer is that.
async fn until(client: &mut Client, action: &str, wanted: Value) {
    let mut last = Value::Null;
    let there = async {
        loop {
            last = client.call(action, json!([])).await.expect("it answers");
            if last == wanted {
                return;
            }
        }
    };
    if tokio::time::timeout(crate::support::client::PATIENCE, there).await.is_err() {
        panic!("{action} answers {last}, and not {wanted}");
    }
}

async fn server_code_hears_of_clients(engine: &str) {
    let code = "const seen = [];
        SS.events.on('client:init', (session) => seen.push(['init', session.user_id, session.attributes.name]));
        SS.events.on('client:heartbeat', (session) => seen.push(['heartbeat', session.user_id, session.attributes.name]));
        SS.events.on('client:disconnect', (session) => seen.push(['disconnect', session.user_id, session.attributes.name]));
        exports.actions = {
            seen: () => seen,
            async name(name) { this.session.attributes.name = name; await this.session.save(); },
        };";
    let world = World::with_engine(&app(engine, &[("app/seen", &[]), ("app/name", &["name"])], code), many).await;
    let mut watcher = world.tab().await;
    until(&mut watcher, "app/seen", json!([["init", null, null]])).await;
    let mut client = world.tab().await;
    client.call("app/name", json!(["ann"])).await.expect("it is saved");
    client.settle().await;
    let cookie = client.cookie.clone();
    let came = [json!(["init", null, null]), json!(["init", null, null]), json!(["heartbeat", null, "ann"])];
    until(&mut watcher, "app/seen", json!(came)).await;
    // One that breaks off, and one that says so; one that never said hello does not count.
    drop(client);
    let gone = [&came[..], &[json!(["disconnect", null, "ann"])]].concat();
    until(&mut watcher, "app/seen", json!(gone)).await;
    drop(Client::connect(world.address, None).await);
    drop(world.tab_with(cookie.as_deref()).await);
    let again = [&gone[..], &[json!(["init", null, "ann"]), json!(["disconnect", null, "ann"])]].concat();
    until(&mut watcher, "app/seen", json!(again)).await;
}

async fn two_tabs_do_not_undo_each_others_attributes(engine: &str) {
    let code = "exports.actions = {
            async slow(key, value) {
                const { attributes } = this.session;
                await new Promise((resolve) => setTimeout(resolve, value % 3));
                attributes[key] = value;
            },
            async saved(key, value) { this.session.attributes[key] = value; await this.session.save(); },
            drop(key) { delete this.session.attributes[key]; },
            all() { return this.session.attributes; },
        };";
    let actions: &[(&str, &[&str])] =
        &[("app/slow", &["key", "value"]), ("app/saved", &["key", "value"]), ("app/drop", &["key"]), ("app/all", &[])];
    let world = World::with_engine(&app(engine, actions, code), many).await;
    let mut one = world.tab().await;
    let mut two = world.tab_with(one.cookie.as_deref()).await;
    for n in 0..40 {
        one.start("app/slow", json!([format!("a{}", n % 8), n])).await;
        two.start("app/saved", json!([format!("b{}", n % 8), n])).await;
    }
    for tab in [&mut one, &mut two] {
        for _ in 0..40 {
            assert_eq!(tab.next().await[0], 1);
        }
    }
    one.call("app/drop", json!(["b0"])).await.expect("it is dropped");
    let all = two.call("app/all", json!([])).await.expect("they are there");
    let mut wanted = serde_json::Map::new();
    for n in 32..40 {
        wanted.insert(format!("b{}", n % 8), json!(n));
    }
    wanted.remove("b0");
    let (ours, theirs): (serde_json::Map<_, _>, serde_json::Map<_, _>) =
        all.as_object().expect("an object").clone().into_iter().partition(|(key, _)| key.starts_with('b'));
    assert_eq!(ours, wanted);
    assert_eq!(theirs.len(), 8, "slow calls of the other tab overwrite only what they changed: {theirs:?}");
}

async fn the_latest_is_enough_for_a_slow_client(engine: &str) {
    let code = "const text = 'x'.repeat(10_000);
        exports.actions = { tell(from, to) {
            for (let n = from; n < to; n++) SS.publish.broadcast('price', [n, text], { conflate: n % 2 ? 'odd' : 'even' });
        } };";
    let actions: &[(&str, &[&str])] = &[("app/tell", &["from", "to"])];
    let world = World::with_engine(&app(engine, actions, code), |config| config.limits.queue_bytes = 100_000).await;
    let mut slow = Client::connect_narrow(world.address).await;
    slow.hello(json!(null)).await;
    slow.welcome().await;
    let mut speaker = world.tab().await;
    // 30 MB: much more than the system and the queue take.
    for n in 0..30 {
        speaker.call("app/tell", json!([n * 100, n * 100 + 100])).await.expect("it is published");
        speaker.settle().await;
    }
    let (mut offset, mut last, mut seen) = (0, [0, 0], 0);
    while last != [2_998, 2_999] {
        let message = slow.next().await;
        let at = message[2].as_u64().expect("an offset");
        assert!(at > offset, "in order, though not each: {at} after {offset}");
        offset = at;
        seen += 1;
        let n = message[4][0].as_u64().expect("a number");
        last[usize::from(n % 2 == 1)] = n;
    }
    assert!(seen < 3_000, "nothing was left out, so nothing was tried");
    assert!(slow.settle().await.is_empty());
}

async fn the_callers_own_tab_can_be_meant(engine: &str) {
    let code = "exports.actions = {
        me(params) { SS.publish.socket(this.request.connection, 'you', params); },
        connection() { return this.request.connection; },
    };";
    let actions: &[(&str, &[&str])] = &[("app/me", &["params"]), ("app/connection", &[])];
    let world = World::with_engine(&app(engine, actions, code), |_| {}).await;
    let mut one = world.tab().await;
    let mut two = world.tab_with(one.cookie.as_deref()).await;
    one.start("app/me", json!([1])).await;
    assert_eq!(one.until(|message| message[0] == 3).await, json!([3, "!", 0, "you", 1]));
    assert!(two.settle().await.is_empty());
    assert_ne!(one.call("app/connection", json!([])).await, two.call("app/connection", json!([])).await);
    assert_eq!(world.get("/api/app/connection").await.text(), "null", "over HTTP there is none");
}

async fn what_a_disconnect_handler_changes_is_stored(engine: &str) {
    let code = "let left = 0;
        exports.actions = {
            stay() { this.session.on('disconnect', (session) => { session.attributes.left = ++left; }); },
            left() { return this.session.attributes.left; },
        };";
    let world = World::with_engine(&app(engine, &[("app/stay", &[]), ("app/left", &[])], code), many).await;
    let mut one = world.tab().await;
    let mut two = world.tab_with(one.cookie.as_deref()).await;
    one.call("app/stay", json!([])).await.expect("it is asked for");
    drop(one);
    until(&mut two, "app/left", json!(1)).await;
}

/// Channels and users by the hundred thousand (`SSBUILD_SOAK=1`; a tenth of it in the suite).
#[tokio::test]
async fn there_may_be_many_channels_and_users() {
    let sessions = if std::env::var_os("SSBUILD_SOAK").is_some() { 100 } else { 10 };
    let world = World::with(|config| {
        config.log.level = 0;
        config.limits.connects_burst = 10_000;
    })
    .await;
    let mut tabs = Vec::new();
    for number in 0..sessions {
        let mut tab = world.tab().await;
        // Names of any length up to a message's.
        let names: Vec<String> = (0..1_000).map(|n| format!("{number}-{n}")).collect();
        tab.call("room/join", json!([names])).await.expect("it joins a thousand");
        tabs.push(tab);
    }
    let refused = tabs[0].call("room/join", json!([["one more"]])).await;
    assert_eq!(refused, Err("action_error".to_owned()), "limits.channels_per_session");
    let script = Arc::clone(&world.script);
    let publish =
        |to| ssbuild_server::engine::HostCall::Publish { to, event: "said".to_owned(), params: None, conflate: None };
    for number in 0..sessions {
        let to = ssbuild_server::engine::PublishTo::Channels(vec![format!("{number}-0"), format!("{number}-999")]);
        script.ask(publish(to)).await.expect("it is published");
    }
    for tab in &mut tabs {
        let messages = tab.settle().await;
        assert_eq!(messages.len(), 1, "{messages:?}");
    }
    let (id, ticket) = tabs[0].log_in("user77777").await;
    world.redeem(&ticket).await;
    tabs[0].answer(id).await;
    let everybody = (0..sessions * 1_000).map(|n| format!("user{n}")).chain(["user77777".to_owned()]).collect();
    script.ask(publish(ssbuild_server::engine::PublishTo::Users(everybody))).await.expect("it is published");
    assert_eq!(tabs[0].settle().await.len(), 1);
    assert!(tabs[1].settle().await.is_empty());
}
