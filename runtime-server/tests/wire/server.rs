//! The server that the cases are tried on: real server code in either engine, and what may be broken between it and them.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use ssbuild_server::config::Config;

use super::broken::{Broken, Proxy};
use crate::support::World;
use crate::support::client::PATIENCE;
use crate::support::dist::Dist;

pub(super) use crate::support::dist::BUILD_ID;

/// After so long, a broken server has shown itself by its silence.
const IMPATIENCE: Duration = Duration::from_millis(700);

/// What all servers of one run have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) engine: &'static str,
    pub(super) broken: Option<Broken>,
}

/// One server.
pub(super) struct Server {
    /// Where clients go.
    pub(super) address: SocketAddr,
    pub(super) patience: Duration,
    pub(super) world: World,
    _proxy: Option<Proxy>,
}

impl Server {
    /// With everything as it is by default, but for what no test wants to wait for.
    pub(super) async fn usual(kind: Kind) -> Self {
        Self::with(kind, |_| {}).await
    }

    /// With another configuration.
    pub(super) async fn with(kind: Kind, change: impl FnOnce(&mut Config)) -> Self {
        let world = World::with_engine(&app(kind.engine), |config| {
            config.limits.connects_per_second = 100_000;
            config.limits.connects_burst = 100_000;
            config.limits.requests_burst = 100_000;
            config.limits.history_events = HISTORY;
            change(config);
        })
        .await;
        match kind.broken {
            None => Self { address: world.address, patience: PATIENCE, world, _proxy: None },
            Some(broken) => {
                let proxy = Proxy::start(world.address, broken).await;
                let patience = if broken == Broken::NotAtAll { PATIENCE } else { IMPATIENCE };
                Self { address: proxy.address, patience, world, _proxy: Some(proxy) }
            }
        }
    }
}

/// Events that a stream of it keeps.
pub(super) const HISTORY: usize = 20;

fn app(engine: &str) -> Dist {
    let value = |params: &[&str]| json!({"params": params, "style": "value"});
    let rest = json!({"params": ["args"], "rest": true, "style": "value"});
    let actions: Value = json!({
        "app/echo": rest, "app/nothing": value(&[]), "app/null": value(&[]), "app/fail": value(&[]), "app/circle": value(&[]),
        "app/text": value(&["length"]), "app/hold": value(&["name"]), "app/release": value(&["name"]), "app/held": value(&[]),
        "app/count": value(&[]), "app/twice": {"params": [], "style": "callback"}, "app/never": value(&[]),
        "app/spin": value(&[]), "app/eat": value(&[]), "app/deep": value(&[]), "app/later": value(&[]),
        "app/block": value(&[]),
        "auth/login": value(&["user"]), "auth/logout": value(&[]), "auth/who": value(&[]),
        "secret/who": {"params": [], "style": "value", "guard": true},
        "room/join": value(&["names"]), "room/leave": value(&["names"]), "room/say": value(&["names", "event", "params"]),
        "bus/all": value(&["event", "params"]), "bus/bare": value(&["event"]), "bus/many": value(&["count"]),
        "bus/user": value(&["names", "event", "params"]), "bus/me": value(&["event", "params"]),
        "store/set": value(&["key", "value"]), "store/get": value(&["key"]),
    });
    let code = r#"__ss.define({1: [function (module, exports, require) {
        let count = 0;
        const held = new Map();
        exports.actions = {
            echo: (...args) => args, nothing() {}, null: () => null,
            fail() { throw new Error("it broke"); },
            circle() { const circle = {}; circle.circle = circle; return circle; },
            text: (length) => "x".repeat(length),
            hold: (name) => { count++; return new Promise((resolve) => held.set(name, resolve)); },
            release(name) { held.get(name)(name); held.delete(name); return true; },
            held: () => held.size,
            count: () => ++count,
            twice(done) { done(1); done(2); setTimeout(() => done(3), 1); },
            never: () => new Promise(() => {}),
            spin() { for (;;); },
            eat() { const list = []; for (;;) list.push({ a: {} }); },
            deep() { const deep = (n) => deep(n + 1) + 1; return deep(0); },
            block() { "a".repeat(8e4).indexOf("a".repeat(4e4) + "b"); },
            later: () => new Promise((resolve) => setTimeout(() => resolve("later"), 20)),
        };
    }, []], 2: [function (module, exports, require) {
        exports.actions = {
            async login(user) { await this.session.setUserId(user); return this.session.user_id; },
            async logout() { await this.user.logout(); return true; },
            who() { return this.session.user_id; },
        };
    }, []], 3: [function (module, exports, require) {
        exports.authenticate = true;
        exports.actions = { who() { return this.session.user_id; } };
    }, []], 4: [function (module, exports, require) {
        exports.actions = {
            async join(names) { await this.session.channel.subscribe(names); return true; },
            async leave(names) { await this.session.channel.unsubscribe(names); return true; },
            say(names, event, params) { SS.publish.channels(names, event, params); return true; },
        };
    }, []], 5: [function (module, exports, require) {
        exports.actions = {
            all(event, params) { SS.publish.broadcast(event, params); return true; },
            bare(event) { SS.publish.broadcast(event); return true; },
            many(count) { for (let n = 1; n <= count; n++) SS.publish.broadcast("n", n); return true; },
            user(names, event, params) { SS.publish.users(names, event, params); return true; },
            me(event, params) { SS.publish.socket(this.request.connection, event, params); return true; },
        };
    }, []], 6: [function (module, exports, require) {
        exports.actions = {
            async set(key, value) { this.session.attributes[key] = value; await this.session.save(); return true; },
            get(key) { return this.session.attributes[key]; },
        };
    }, []]});
    __ss.start({shared: {}, server: {app: 1, auth: 2, secret: 3, room: 4, bus: 5, store: 6}, named: {}}, [1, 2, 3, 4, 5, 6]);"#;
    Dist::new().server(actions, code).change(|manifest| manifest["server"]["engine"] = json!(engine))
}
