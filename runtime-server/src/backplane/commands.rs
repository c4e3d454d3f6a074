//! Redis for the app: `R`.
//!
//! Replies are those of RESP2, which JavaScript clients have always shown: strings, numbers, `null` and arrays of them.

use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, RedisError, Value};
use serde_json::{Map, json};
use tokio::runtime::Handle;

/// Commands that would stop, mix up or end the connection that all calls share.
const REFUSED: &[&str] = &[
    "AUTH",
    "BLMOVE",
    "BLMPOP",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZMPOP",
    "BZPOPMAX",
    "BZPOPMIN",
    "CLIENT",
    "DISCARD",
    "EXEC",
    "HELLO",
    "MONITOR",
    "MULTI",
    "PSUBSCRIBE",
    "PSYNC",
    "PUNSUBSCRIBE",
    "QUIT",
    "READONLY",
    "REPLICAOF",
    "RESET",
    "SELECT",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "SUNSUBSCRIBE",
    "SYNC",
    "UNSUBSCRIBE",
    "UNWATCH",
    "WAIT",
    "WAITAOF",
    "WATCH",
];
/// Commands whose pairs are an object, as in node_redis.
const OBJECTS: &[&str] = &["HGETALL"];

/// What a Redis is among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It has all keys itself, and takes writes.
    Alone,
    /// It has some of the keys.
    Cluster,
    /// It copies another one.
    Replica,
}

pub(super) struct Commands {
    client: Client,
    timeout: Duration,
    connection: Mutex<Option<MultiplexedConnection>>,
    runtime: Handle,
}

impl Commands {
    /// Connects when it is first used.
    pub(super) fn new(client: Client, timeout: Duration) -> Self {
        Self { client, timeout, connection: Mutex::new(None), runtime: Handle::current() }
    }

    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Whether Redis has a command of that name.
    pub(super) async fn knows(&self, name: &str) -> Result<bool, RedisError> {
        let mut command = redis::cmd("COMMAND");
        command.arg("INFO").arg(name);
        let known = self.perform(&command).await?;
        Ok(matches!(&known, Value::Array(found) if found.iter().any(|one| *one != Value::Nil)))
    }

    /// What it is among other servers.
    pub(super) async fn place(&self) -> Result<Place, RedisError> {
        let told = self.perform(&redis::cmd("HELLO")).await?;
        let about = object(told);
        Ok(match (about["mode"].as_str(), about["role"].as_str()) {
            (Some("cluster"), _) => Place::Cluster,
            (_, Some("replica" | "slave")) => Place::Replica,
            _ => Place::Alone,
        })
    }

    /// Performs a command.
    pub(super) async fn run(&self, words: Vec<String>) -> Result<serde_json::Value, String> {
        let Some((name, arguments)) = words.split_first() else {
            return Err("R was called without a command".to_owned());
        };
        let name = name.to_uppercase();
        let blocks = matches!(name.as_str(), "XREAD" | "XREADGROUP")
            && arguments.iter().any(|argument| argument.eq_ignore_ascii_case("BLOCK"));
        if blocks || REFUSED.contains(&name.as_str()) {
            return Err(format!(
                "R.{} is not possible: all calls share one connection to Redis, which it would stop or change",
                name.to_lowercase()
            ));
        }
        let mut command = Cmd::new();
        command.arg(&name).arg(arguments);
        let reply = self.perform(&command).await.map_err(|error| error.to_string())?;
        Ok(if OBJECTS.contains(&name.as_str()) { object(reply) } else { json(reply) })
    }

    async fn perform(&self, command: &Cmd) -> Result<Value, RedisError> {
        let known = self.connection.lock().clone();
        let mut connection = match known {
            Some(connection) => connection,
            None => {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(self.timeout))
                    .set_response_timeout(Some(self.timeout));
                let opened = self.client.get_multiplexed_async_connection_with_config(&config).await?;
                self.connection.lock().insert(opened).clone()
            }
        };
        let result = command.query_async(&mut connection).await;
        if result
            .as_ref()
            .is_err_and(|error| error.is_connection_dropped() || error.is_timeout() || error.is_io_error())
        {
            // The next command finds out whether Redis is there again.
            self.connection.lock().take();
        }
        result
    }
}

fn json(value: Value) -> serde_json::Value {
    match value {
        Value::Nil => serde_json::Value::Null,
        Value::Int(number) => json!(number),
        Value::Double(number) => json!(number),
        Value::Boolean(truth) => json!(truth),
        Value::BulkString(bytes) => json!(String::from_utf8_lossy(&bytes)),
        Value::SimpleString(text) => json!(text),
        Value::Okay => json!("OK"),
        Value::Array(values) | Value::Set(values) => values.into_iter().map(json).collect(),
        Value::Map(pairs) => pairs.into_iter().flat_map(|(key, value)| [json(key), json(value)]).collect(),
        other => json!(format!("{other:?}")),
    }
}

/// Pairs as an object; `null` when there are none.
fn object(value: Value) -> serde_json::Value {
    let Value::Array(parts) = value else { return json(value) };
    let mut parts = parts.into_iter();
    let mut object = Map::new();
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        let key = match json(key) {
            serde_json::Value::String(key) => key,
            other => other.to_string(),
        };
        object.insert(key, json(value));
    }
    if object.is_empty() { serde_json::Value::Null } else { object.into() }
}
