//! Several `ssserve` processes and one Redis, with an end without warning.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Process, tab};
use crate::support::client::Client;
use crate::support::dist::Dist;
use crate::support::redis::Redis;

/// An app that publishes what it is told, and that counts in Redis.
fn app() -> TempDir {
    let action = |params: &[&str], style: &str| json!({"params": params, "style": style});
    let dist = Dist::new().server(
        json!({
            "app/say": action(&["n"], "value"), "app/count": action(&[], "callback"), "app/pairs": action(&[], "value"),
            "app/refused": action(&[], "value"), "app/set": action(&["value"], "value"), "app/get": action(&[], "value"),
        }),
        r#"__ss.define({1: [function (module, exports, require) {
            exports.actions = {
                say(n) { SS.publish.broadcast("said", n); return n; },
                count(cb) { R.incr("count", (error, count) => cb(error ? error.message : count)); },
                async pairs() {
                    await R.hmset("user", {name: "ann", age: 42});
                    return [await R.hgetall("user"), await R.hgetall("nobody"), await R.lrange("none", 0, -1), await R.get("none")];
                },
                async refused() {
                    const why = [];
                    for (const use of [() => R.subscribe("x"), () => R.blpop("x", 0), () => R.nonsense(1)])
                        await use().catch((error) => why.push(error.message.split(":")[0]));
                    return why;
                },
                async set(value) { this.session.attributes.value = value; await this.session.save(); return "saved"; },
                get() { return this.session.attributes.value; },
            };
        }, []]});
        __ss.start({shared: {}, server: {app: 1}, named: {}}, [1]);"#,
    );
    let folder = tempfile::tempdir().expect("a folder for the test");
    dist.write(&folder.path().join("dist"));
    folder
}

fn start(folder: &TempDir, redis: &Redis) -> Process {
    Process::start_logged(folder.path(), &[("SS__REDIS__URL", &redis.url())]).0
}

#[tokio::test]
async fn app_code_uses_redis_as_it_used_node_redis() {
    let (folder, redis) = (app(), Redis::start());
    let (one, two) = (start(&folder, &redis), start(&folder, &redis));
    let (mut a, mut b) = (tab(one.address, None).await, tab(two.address, None).await);
    assert_eq!(a.call("app/count", json!([])).await, Ok(json!(1)));
    assert_eq!(b.call("app/count", json!([])).await, Ok(json!(2)));
    assert_eq!(a.call("app/pairs", json!([])).await, Ok(json!([{"name": "ann", "age": "42"}, null, [], null])));
    let why = a.call("app/refused", json!([])).await.expect("it answers");
    assert_eq!(why, json!(["R.subscribe is not possible", "R.blpop is not possible", "ResponseError"]));
}

#[tokio::test]
async fn a_saved_session_survives_the_end_of_its_server() {
    let (folder, redis) = (app(), Redis::start());
    let (mut one, two) = (start(&folder, &redis), start(&folder, &redis));
    let mut client = tab(one.address, None).await;
    assert_eq!(client.call("app/set", json!([19])).await, Ok(json!("saved")));
    one.kill();
    let mut client = tab(two.address, client.cookie.as_deref()).await;
    assert_eq!(client.call("app/get", json!([])).await, Ok(json!(19)));
}

/// What a client has seen, and where it stands.
struct Listener {
    client: Client,
    seen: Vec<u64>,
    position: (String, u64),
}

impl Listener {
    async fn new(server: &Process) -> Self {
        let mut client = Client::connect(server.address, None).await;
        client.hello(json!(null)).await;
        let welcome = client.welcome().await;
        Self { client, seen: Vec::new(), position: broadcast(&welcome) }
    }

    fn take(&mut self, message: &Value) {
        if message[0] == 3 && message[3] == "said" {
            self.seen.push(message[4].as_u64().expect("a number"));
            self.position.1 = message[2].as_u64().expect("an offset");
        }
    }

    /// Reads until it has seen that number.
    async fn until(&mut self, n: u64) {
        while self.seen.last() != Some(&n) {
            let message = self.client.next().await;
            self.take(&message);
        }
    }

    /// Goes to another server with what it has reached; whether everything between comes.
    async fn move_to(&mut self, server: &Process) -> Value {
        let (page, cookie) = (self.client.page.clone(), self.client.cookie.clone());
        let positions = json!([["*", self.position.0, self.position.1]]);
        self.client = Client::come_back(server.address, &page, cookie.as_deref(), positions).await;
        self.client.welcome().await[3].clone()
    }
}

fn broadcast(welcome: &Value) -> (String, u64) {
    let positions: BTreeMap<String, (String, u64)> = welcome[4]
        .as_array()
        .expect("positions")
        .iter()
        .map(|p| {
            (
                p[0].as_str().expect("a name").into(),
                (p[1].as_str().expect("an epoch").into(), p[2].as_u64().expect("an offset")),
            )
        })
        .collect();
    positions["*"].clone()
}

/// Every publish and every delivery is recorded: each client has each number that was answered, once and in order,
/// though a server was killed between and its clients went to others.
#[tokio::test]
async fn nothing_that_was_published_is_lost_or_doubled_when_a_server_is_killed() {
    let (folder, redis) = (app(), Redis::start());
    let mut servers = vec![start(&folder, &redis), start(&folder, &redis), start(&folder, &redis)];
    let mut listeners = Vec::new();
    for n in 0..12 {
        listeners.push(Listener::new(&servers[n % 3]).await);
    }
    let mut speaker = tab(servers[1].address, None).await;
    for n in 0..30_u64 {
        assert_eq!(speaker.call("app/say", json!([n])).await, Ok(json!(n)));
        if n == 10 {
            servers[0].kill();
        }
        if n == 20 {
            for listener in listeners.iter_mut().step_by(3) {
                assert_eq!(listener.move_to(&servers[2]).await, true);
            }
        }
    }
    let wanted: Vec<u64> = (0..30).collect();
    for listener in &mut listeners {
        listener.until(29).await;
        assert_eq!(listener.seen, wanted);
    }
    servers.remove(0);
}

/// Clients spread over three servers all get what one publishes. 10,000 of them with `SSBUILD_SOAK=1`.
#[tokio::test]
async fn one_event_reaches_the_clients_of_three_servers() {
    let clients = if std::env::var_os("SSBUILD_SOAK").is_some() { 10_000 } else { 150 };
    let (folder, redis) = (app(), Redis::start());
    let url = redis.url();
    // They come from one address, one after the other.
    let variables = [
        ("SS__REDIS__URL", url.as_str()),
        ("SS__LIMITS__CONNECTIONS_PER_ADDRESS", "20000"),
        ("SS__LIMITS__CONNECTS_BURST", "20000"),
        ("SS__LIMITS__IDLE_MS", "600000"),
    ];
    let servers = [(); 3].map(|()| Process::start_logged(folder.path(), &variables).0);
    let mut listeners = Vec::with_capacity(clients);
    for n in 0..clients {
        listeners.push(Listener::new(&servers[n % 3]).await);
    }
    let mut speaker = tab(servers[0].address, None).await;
    for n in 0..5_u64 {
        assert_eq!(speaker.call("app/say", json!([n])).await, Ok(json!(n)));
    }
    let asked = std::time::Instant::now();
    assert_eq!(speaker.call("app/say", json!([5])).await, Ok(json!(5)));
    let mut orders = HashSet::new();
    for listener in &mut listeners {
        listener.until(5).await;
        orders.insert(listener.seen.clone());
    }
    #[expect(clippy::print_stdout, reason = "the book's figure: how long the last one waited, all read by one thread")]
    let tell = |took_ms| println!("{clients} clients had the last of 6 events {took_ms} ms after it was asked for");
    tell(asked.elapsed().as_millis());
    assert_eq!(orders, HashSet::from([vec![0, 1, 2, 3, 4, 5]]));
}
