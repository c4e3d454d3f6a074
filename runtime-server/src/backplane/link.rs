//! One connection to Redis that is kept up: orders go in and are performed in order; what is published comes out.
//!
//! The crate's own reconnecting connection subscribes again by itself but does not say when: whoever mirrors streams has to
//! read what was missed first. So the loop is ours, the connection is the crate's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, PushInfo, PushKind, RedisError, Value};
use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};

use crate::random;

/// Orders that are sent together.
const BATCH: usize = 256;
/// Published messages that may wait to be taken; with more the connection is given up and what was missed is read.
const PUSHES: usize = 64 * 1024;
/// Shortest and longest pause between two attempts to connect, in milliseconds.
const PAUSE_MS: (u64, u64) = (100, 5_000);
/// How often a connection that says nothing is asked whether it is there, in milliseconds.
const PING_MS: u64 = 5_000;

/// Commands, and what is to be done with their replies.
pub(super) struct Order {
    pub(super) commands: Vec<Cmd>,
    pub(super) then: Then,
}

/// Takes a reply for each command.
pub(super) type Then = Box<dyn FnOnce(Result<Vec<Value>, Failure>) + Send>;

/// Why there are no replies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Nothing was sent.
    #[error("Redis is away")]
    Away,
    /// It may have been done.
    #[error("the connection to Redis broke: {0}")]
    Broken(String),
    /// Too much waits to be sent.
    #[error("too much waits for Redis (limits.redis_orders)")]
    Full,
}

/// What happens on the other side of a link; called on its task, in order.
pub(super) trait Events: Send + Sync + 'static {
    /// The connection is there (again): these orders come before all that wait.
    fn up(&self) -> Vec<Order>;
    /// The connection is gone.
    fn down(&self, reason: &str);
    /// Somebody published to a channel that is subscribed to.
    fn message(&self, channel: &[u8], payload: &[u8]);
}

/// The way in.
#[derive(Debug, Clone)]
pub(super) struct Link {
    orders: Sender<Order>,
    up: Arc<AtomicBool>,
}

impl Link {
    /// Whether Redis is there, as far as is known.
    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// Puts an order behind all before it.
    pub(super) fn order(&self, commands: Vec<Cmd>, then: impl FnOnce(Result<Vec<Value>, Failure>) + Send + 'static) {
        let refused = match self.orders.try_send(Order { commands, then: Box::new(then) }) {
            Ok(()) => return,
            Err(TrySendError::Full(order)) => (order, Failure::Full),
            Err(TrySendError::Closed(order)) => (order, Failure::Away),
        };
        (refused.0.then)(Err(refused.1));
    }
}

/// A link that is not running yet.
pub(super) struct Start {
    client: Client,
    timeout: Duration,
    orders: Receiver<Order>,
    link: Link,
    first: Wire,
}

/// A connection and what comes out of it.
struct Wire {
    connection: MultiplexedConnection,
    pushes: Receiver<PushInfo>,
    overflow: Arc<AtomicBool>,
}

/// Connects for the first time. Orders may be given at once; they are performed when [`Start::run`] runs.
pub(super) async fn connect(client: Client, timeout: Duration, waiting: usize) -> Result<(Link, Start), RedisError> {
    let first = Wire::open(&client, timeout).await?;
    let (sender, orders) = mpsc::channel(waiting.max(1));
    let link = Link { orders: sender, up: Arc::new(AtomicBool::new(true)) };
    Ok((link.clone(), Start { client, timeout, orders, link, first }))
}

impl Wire {
    async fn open(client: &Client, timeout: Duration) -> Result<Self, RedisError> {
        let (sender, pushes) = mpsc::channel(PUSHES);
        let overflow = Arc::new(AtomicBool::new(false));
        let full = Arc::clone(&overflow);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            .set_push_sender(move |push: PushInfo| -> Result<(), redis::aio::SendError> {
                if sender.try_send(push).is_err() {
                    full.store(true, Ordering::Relaxed);
                }
                Ok(())
            });
        let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Self { connection, pushes, overflow })
    }
}

impl Start {
    /// Keeps the connection until every [`Link`] is dropped.
    pub(super) async fn run(self, events: Arc<dyn Events>) {
        let Self { client, timeout, mut orders, link, first } = self;
        // The task's own way in would keep it running for ever.
        let up = link.up.clone();
        drop(link);
        let mut wire = first;
        loop {
            up.store(true, Ordering::Relaxed);
            let reason = match serve(&mut wire, &mut orders, &*events).await {
                Ok(()) => return,
                Err(reason) => reason,
            };
            up.store(false, Ordering::Relaxed);
            events.down(&reason);
            match reconnect(&client, timeout, &mut orders).await {
                Some(again) => wire = again,
                None => return,
            }
        }
    }
}

/// Performs orders until the connection breaks, or until nobody can give one any more.
async fn serve(wire: &mut Wire, orders: &mut Receiver<Order>, events: &dyn Events) -> Result<(), String> {
    let first = events.up();
    if !first.is_empty() {
        perform(wire, first).await?;
    }
    let mut ping = tokio::time::interval(Duration::from_millis(PING_MS));
    ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        if wire.overflow.load(Ordering::Relaxed) {
            return Err("more was published than could be taken".to_owned());
        }
        tokio::select! {
            biased;
            push = wire.pushes.recv() => take(push, events)?,
            order = orders.recv() => {
                let Some(order) = order else { return Ok(()) };
                let mut batch = vec![order];
                while batch.len() < BATCH && let Ok(order) = orders.try_recv() {
                    batch.push(order);
                }
                perform(wire, batch).await?;
            }
            _ = ping.tick() => {
                redis::cmd("PING").query_async::<Value>(&mut wire.connection).await.map_err(|error| error.to_string())?;
            }
        }
    }
}

/// Sends the commands of all orders at once, then gives each its replies.
async fn perform(wire: &mut Wire, batch: Vec<Order>) -> Result<(), String> {
    let mut pipeline = Pipeline::new();
    for command in batch.iter().flat_map(|order| &order.commands) {
        pipeline.add_command(command.clone());
    }
    let count = pipeline.len();
    let replies = if count == 0 {
        Ok(Vec::new())
    } else {
        wire.connection.req_packed_commands(&pipeline, 0, count).await.map_err(|error| error.to_string())
    };
    match replies {
        Ok(replies) => {
            let mut replies = replies.into_iter();
            for order in batch {
                let own = replies.by_ref().take(order.commands.len()).collect();
                (order.then)(Ok(own));
            }
            Ok(())
        }
        Err(error) => {
            for order in batch {
                (order.then)(Err(Failure::Broken(error.clone())));
            }
            Err(error)
        }
    }
}

fn take(push: Option<PushInfo>, events: &dyn Events) -> Result<(), String> {
    let Some(push) = push else { return Err("the connection was closed".to_owned()) };
    match (push.kind, push.data.as_slice()) {
        (PushKind::Message | PushKind::SMessage, [Value::BulkString(channel), Value::BulkString(payload)]) => {
            events.message(channel, payload);
        }
        (PushKind::Disconnection, _) => return Err("the connection was closed".to_owned()),
        // Confirmations of subscriptions.
        _ => {}
    }
    Ok(())
}

/// Tries until there is a connection; orders that come meanwhile are refused. `None` when nobody can give one any more.
async fn reconnect(client: &Client, timeout: Duration, orders: &mut Receiver<Order>) -> Option<Wire> {
    let (mut pause_ms, longest_ms) = PAUSE_MS;
    loop {
        // Spread, so that many servers do not come back at the same moment.
        let pause = Duration::from_millis(pause_ms / 2 + random::below(pause_ms / 2 + 1));
        let attempt = async {
            tokio::time::sleep(pause).await;
            Wire::open(client, timeout).await
        };
        let mut attempt = std::pin::pin!(attempt);
        let opened = loop {
            tokio::select! {
                opened = &mut attempt => break opened,
                order = orders.recv() => (order?.then)(Err(Failure::Away)),
            }
        };
        match opened {
            Ok(wire) => return Some(wire),
            Err(_) => pause_ms = (pause_ms * 2).min(longest_ms),
        }
    }
}
