//! What many servers share, through Redis: streams, sessions, tickets of logins, who is online.
//!
//! Everything goes over one connection, in order, so that a session which subscribes and then publishes gets its own
//! event. Commands of the app (`R`) have a connection of their own: they may be slow.

mod commands;
mod link;
mod names;
mod online;
mod records;
mod streams;
mod tickets;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use redis::{Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion, RedisError, Value};

use crate::clock::Clock;
use crate::config::Redis;
use crate::hub::Hub;
use crate::limits::Limits;
use crate::log::Log;
use crate::random;
use commands::{Commands, Place};
use link::{Events, Link, Order};
use names::{Channel, Names};

/// The tie of this server to the others.
pub struct Backplane {
    link: Link,
    names: Names,
    words: Words,
    /// This server's number among the others.
    server: u32,
    commands: Commands,
    hub: OnceLock<Weak<Hub>>,
    clock: Arc<dyn Clock>,
    log: Log,
    history_events: usize,
    history_ms: u64,
    session_ms: u64,
    published: AtomicU64,
    saves: AtomicU64,
    failures: AtomicU64,
    records: records::Shared,
    refreshed_ms: AtomicU64,
}

/// How this Redis is told to publish and to subscribe.
#[derive(Debug, Clone, Copy)]
struct Words {
    publish: &'static str,
    subscribe: &'static str,
    unsubscribe: &'static str,
}

/// Sharded, since Redis 7: in one server it is the same, and behind a proxy that shards it spreads.
const SHARDED: Words = Words { publish: "SPUBLISH", subscribe: "SSUBSCRIBE", unsubscribe: "SUNSUBSCRIBE" };
const PLAIN: Words = Words { publish: "PUBLISH", subscribe: "SUBSCRIBE", unsubscribe: "UNSUBSCRIBE" };

/// Why there is no backplane.
#[derive(Debug, thiserror::Error)]
pub enum BackplaneError {
    /// The address cannot be understood.
    #[error("redis.url: {0}")]
    Address(RedisError),
    /// There is nobody, or it does not let this server in.
    #[error("cannot use Redis at {address}: {error}")]
    Connect {
        /// Where, without the password.
        address: String,
        /// Why.
        error: RedisError,
    },
    /// Its keys are spread over several servers.
    #[error("{address} belongs to a Redis Cluster, which is not supported: name a Redis that has all keys itself")]
    Cluster {
        /// Where.
        address: String,
    },
    /// It takes no writes.
    #[error("the Redis at {address} is a replica, which takes no writes: name the server that it copies")]
    Replica {
        /// Where.
        address: String,
    },
}

impl std::fmt::Debug for Backplane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backplane").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Backplane {
    /// Connects to the Redis that the configuration names; `None` when it names none.
    pub async fn connect(
        config: &crate::config::Config,
        (clock, log): (Arc<dyn Clock>, Log),
    ) -> Result<Option<Arc<Self>>, BackplaneError> {
        let Some(info) = address(&config.redis)? else { return Ok(None) };
        let timeout = Duration::from_millis(config.limits.redis_timeout_ms);
        let place = info.addr().to_string();
        let failed = |error| BackplaneError::Connect { address: place.clone(), error };
        let resp3 = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(info.clone().set_redis_settings(resp3)).map_err(failed)?;
        let (link, start) = link::connect(client, timeout, config.limits.redis_orders).await.map_err(failed)?;
        let commands = Commands::new(Client::open(info).map_err(failed)?, timeout);
        match commands.place().await.map_err(failed)? {
            Place::Alone => {}
            Place::Cluster => return Err(BackplaneError::Cluster { address: place.clone() }),
            Place::Replica => return Err(BackplaneError::Replica { address: place.clone() }),
        }
        let words = if commands.knows("SPUBLISH").await.map_err(failed)? { SHARDED } else { PLAIN };
        let limits: &Limits = &config.limits;
        let shared = Arc::new(Self {
            link,
            names: Names::new(&config.redis.key_prefix),
            words,
            server: u32::from_le_bytes(random::bytes()) >> 11,
            commands,
            hub: OnceLock::new(),
            clock,
            log,
            history_events: limits.history_events,
            history_ms: limits.history_ms,
            session_ms: u64::from(config.session.expires_days) * 24 * 60 * 60 * 1000,
            published: AtomicU64::new(0),
            saves: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            records: records::Shared::default(),
            refreshed_ms: AtomicU64::new(0),
        });
        let side = Side { shared: Arc::downgrade(&shared), was_down: AtomicBool::new(false) };
        tokio::spawn(start.run(Arc::new(side)));
        Ok(Some(shared))
    }

    /// From now on what others publish reaches this hub.
    pub(crate) fn attach_hub(&self, hub: &Arc<Hub>) {
        // A second hub would share the first one's connections; there is one a process.
        let _ = self.hub.set(Arc::downgrade(hub));
    }

    /// This server's number: 21 bits, so that with 32 more a connection's number is exact in JavaScript.
    pub(crate) fn server(&self) -> u32 {
        self.server
    }

    /// Whether Redis is there, as far as is known.
    pub fn is_up(&self) -> bool {
        self.link.is_up()
    }

    /// How many orders failed since the start.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Performs a command of the app.
    pub(crate) fn command(self: &Arc<Self>, command: Vec<String>, reply: crate::engine::Reply) {
        let shared = Arc::clone(self);
        self.commands.spawn(async move { reply(shared.commands.run(command).await) });
    }

    /// What is to be done once a second.
    pub(crate) fn sweep(&self, hub: &Hub, now_ms: u64) {
        self.report_online(hub);
        let before = self.refreshed_ms.load(Ordering::Relaxed);
        if now_ms >= before + self.stream_ms() / 4 {
            self.refreshed_ms.store(now_ms, Ordering::Relaxed);
            self.refresh_streams(hub);
        }
        self.forget_sessions();
    }

    fn hub(&self) -> Option<Arc<Hub>> {
        self.hub.get().and_then(Weak::upgrade)
    }

    /// An order whose replies are waited for.
    async fn ask(&self, commands: Vec<Cmd>) -> Result<Vec<Value>, String> {
        let (answer, reply) = tokio::sync::oneshot::channel();
        self.link.order(commands, move |replies| {
            // The request that asked may be gone.
            let _ = answer.send(first_error(replies));
        });
        reply.await.unwrap_or_else(|_| Err("the server is stopping".to_owned()))
    }

    /// An order whose failure is counted and logged, and nothing else.
    fn tell(&self, what: &'static str, commands: Vec<Cmd>) {
        let (log, up) = (self.log.clone(), self.link.is_up());
        if !up {
            self.failures.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.link.order(commands, move |replies| {
            if let Err(error) = first_error(replies) {
                log.warn(format_args!("{what}: {error}"));
            }
        });
    }

    fn failed(&self, what: &str, error: &str) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        // While it is away, once is enough: `down` has said it.
        if self.link.is_up() {
            self.log.error(format_args!("{what}: {error}"));
        }
    }
}

/// The replies, or the first thing that went wrong.
fn first_error(replies: Result<Vec<Value>, link::Failure>) -> Result<Vec<Value>, String> {
    let replies = replies.map_err(|failure| failure.to_string())?;
    replies.into_iter().map(|reply| reply.extract_error().map_err(|error| error.to_string())).collect()
}

/// The address of the configuration, when it has one.
fn address(config: &Redis) -> Result<Option<ConnectionInfo>, BackplaneError> {
    let info = match (&config.url, &config.host) {
        (Some(url), _) => url.as_str().into_connection_info().map_err(BackplaneError::Address)?,
        (None, Some(host)) => {
            let (host, port) = (host.clone(), config.port);
            let place = if config.tls {
                ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
            } else {
                ConnectionAddr::Tcp(host, port)
            };
            place.into_connection_info().map_err(BackplaneError::Address)?
        }
        (None, None) => return Ok(None),
    };
    let mut settings = info.redis_settings().clone();
    if let Some(username) = &config.username {
        settings = settings.set_username(username);
    }
    if let Some(password) = &config.password {
        settings = settings.set_password(password);
    }
    if let Some(db) = config.db {
        settings = settings.set_db(db);
    }
    Ok(Some(info.set_redis_settings(settings)))
}

/// The backplane as its link sees it: it must not keep it alive.
struct Side {
    shared: Weak<Backplane>,
    was_down: AtomicBool,
}

impl Events for Side {
    fn up(&self) -> Vec<Order> {
        let Some(shared) = self.shared.upgrade() else { return Vec::new() };
        let mut orders = vec![shared.own_channel()];
        if !self.was_down.swap(false, Ordering::Relaxed) {
            return orders;
        }
        if let Some(hub) = shared.hub() {
            orders.extend(shared.streams_again(&hub));
            orders.extend(shared.sessions_again());
        }
        let log = shared.log.clone();
        let told = Box::new(move |_| log.warn("Redis is there again"));
        orders.push(Order { commands: Vec::new(), then: told });
        orders
    }

    fn down(&self, reason: &str) {
        if self.was_down.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(shared) = self.shared.upgrade() {
            shared.failures.fetch_add(1, Ordering::Relaxed);
            shared.log.error(format_args!("Redis is away, this server goes on alone: {reason}"));
        }
    }

    fn message(&self, channel: &[u8], payload: &[u8]) {
        let Some(shared) = self.shared.upgrade() else { return };
        let (Some(hub), Ok(payload)) = (shared.hub(), std::str::from_utf8(payload)) else { return };
        match shared.names.read(channel) {
            Some(Channel::Stream) => shared.arrived(&hub, payload),
            Some(Channel::Session(hash)) => shared.changed(&hub, &hash, payload),
            Some(Channel::Server) => shared.asked(&hub, payload),
            None => {}
        }
    }
}

impl Backplane {
    /// Subscribes to what is said to this server alone.
    fn own_channel(&self) -> Order {
        let mut subscribe = Cmd::new();
        subscribe.arg(self.words.subscribe).arg(self.names.server(self.server));
        Order { commands: vec![subscribe], then: Box::new(|_| {}) }
    }

    /// Another server wants something of this one.
    fn asked(&self, hub: &Hub, payload: &str) {
        let Ok(parts) = serde_json::from_str::<Vec<&serde_json::value::RawValue>>(payload) else { return };
        let word: &str = parts.first().and_then(|part| serde_json::from_str(part.get()).ok()).unwrap_or_default();
        match (word, parts.get(1)) {
            ("redeemed", Some(ticket)) => {
                if let Ok(ticket) = serde_json::from_str::<&str>(ticket.get()) {
                    hub.sessions.redeemed_elsewhere(ticket);
                }
            }
            ("socket", Some(id)) => {
                if let (Ok(id), Some(event)) =
                    (id.get().parse(), crate::protocol::Event::from_elements(parts.get(2..).unwrap_or_default()))
                {
                    hub.send_to_own(id, &event);
                }
            }
            _ => {}
        }
    }
}
