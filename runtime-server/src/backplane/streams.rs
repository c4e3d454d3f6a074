//! Streams that all servers share.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use redis::{Cmd, Value, from_redis_value};
use serde_json::value::RawValue;

use super::link::Order;
use super::{Backplane, first_error};
use crate::hub::Hub;
use crate::protocol::Event;
use crate::pubsub::{Past, Publication, Snapshot, StreamName};
use crate::random;

/// Streams that are read with one order.
const READ_AT_ONCE: usize = 200;
/// A stream's place is kept for as many times the life of its events.
const STREAM_LIVES: u64 = 30;

const PUBLISH: &str = include_str!("publish.lua");
const ATTACH: &str = include_str!("attach.lua");

impl Backplane {
    /// How long the place of a stream that nobody uses is kept, in milliseconds.
    pub(super) fn stream_ms(&self) -> u64 {
        self.history_ms.saturating_mul(STREAM_LIVES)
    }

    /// Publishes to streams; without Redis to the connections of this server.
    pub(crate) fn publish(self: &Arc<Self>, streams: &[StreamName], event: Event) {
        let number = self.published.fetch_add(1, Ordering::Relaxed);
        let id: Arc<str> = format!("{:x}-{number:x}", self.server).into();
        let payload = format!(r#"["{id}",{}]"#, event.elements());
        let mut command = eval(PUBLISH, 1 + 2 * streams.len());
        command.arg(self.names.counter());
        for name in streams {
            command.arg(self.names.stream(name)).arg(self.names.history(name));
        }
        command.arg(payload).arg(random::hex::<4>()).arg(self.history_events.max(1));
        command.arg(self.stream_ms()).arg(self.history_ms.max(1)).arg(self.words.publish);
        for name in streams {
            command.arg(&**name).arg(self.names.events(name));
        }
        let (shared, streams) = (Arc::clone(self), streams.to_vec());
        self.link.order(vec![command], move |replies| {
            if let Err(error) = first_error(replies) {
                shared.failed("an event was published to this server alone", &error);
                if let Some(hub) = shared.hub() {
                    hub.streams().publish_alone(&streams, id, event);
                }
            }
        });
    }

    /// Sends an event to a connection of another server.
    pub(crate) fn send_to(&self, server: u32, connection: u64, event: &Event) {
        let mut command = Cmd::new();
        let message = format!(r#"["socket",{connection},{}]"#, event.elements());
        command.arg(self.words.publish).arg(self.names.server(server)).arg(message);
        self.tell("an event for one connection", vec![command]);
    }

    /// Mirrors these streams, then goes on; without Redis they begin here.
    pub(crate) fn attach(self: &Arc<Self>, names: Vec<StreamName>, then: impl FnOnce(&Arc<Hub>) + Send + 'static) {
        let commands = names.iter().flat_map(|name| self.read(name)).collect();
        let shared = Arc::clone(self);
        self.link.order(commands, move |replies| {
            let Some(hub) = shared.hub() else { return };
            match first_error(replies) {
                Ok(replies) => shared.mirrored(&hub, &names, replies),
                Err(error) => {
                    shared.failed("streams begin on this server alone", &error);
                    hub.streams().begin_alone(&names);
                }
            }
            then(&hub);
        });
    }

    /// Streams that nobody here has any more.
    pub(crate) fn detach(&self, names: &[StreamName]) {
        let commands = names.iter().map(|name| {
            let mut command = Cmd::new();
            command.arg(self.words.unsubscribe).arg(self.names.events(name));
            command
        });
        if self.link.is_up() && !names.is_empty() {
            self.tell("streams are left", commands.collect());
        }
    }

    /// Everything again, after the connection was away.
    pub(super) fn streams_again(self: &Arc<Self>, hub: &Hub) -> Vec<Order> {
        let names = hub.streams().names();
        let orders = names.chunks(READ_AT_ONCE).map(|names| {
            let (shared, names) = (Arc::clone(self), names.to_vec());
            let commands = names.iter().flat_map(|name| self.read(name)).collect();
            let then = move |replies| {
                if let (Ok(replies), Some(hub)) = (first_error(replies), shared.hub()) {
                    shared.mirrored(&hub, &names, replies);
                }
            };
            Order { commands, then: Box::new(then) }
        });
        orders.collect()
    }

    /// The places of streams that are in use are kept.
    pub(super) fn refresh_streams(&self, hub: &Hub) {
        for names in hub.streams().names().chunks(READ_AT_ONCE) {
            let commands = names.iter().map(|name| {
                let mut command = redis::cmd("PEXPIRE");
                command.arg(self.names.stream(name)).arg(self.stream_ms());
                command
            });
            self.tell("streams are kept", commands.collect());
        }
    }

    /// Somebody published.
    pub(super) fn arrived(self: &Arc<Self>, hub: &Hub, message: &str) {
        let Some(publication) = read_message(message) else {
            self.failed("a message in Redis", "it is not one of ours");
            return;
        };
        let behind = hub.streams().apply(publication);
        if !behind.is_empty() {
            self.attach(behind, |_| {});
        }
    }

    /// Subscribe first, then read: what comes between the two is known by its offset.
    fn read(&self, name: &StreamName) -> [Cmd; 2] {
        let mut subscribe = Cmd::new();
        subscribe.arg(self.words.subscribe).arg(self.names.events(name));
        let mut read = eval(ATTACH, 2);
        read.arg(self.names.stream(name)).arg(self.names.history(name)).arg(random::hex::<4>()).arg(self.stream_ms());
        [subscribe, read]
    }

    fn mirrored(&self, hub: &Hub, names: &[StreamName], replies: Vec<Value>) {
        let now_ms = self.clock.now_ms();
        let reads = replies.into_iter().skip(1).step_by(2);
        let snapshots = names.iter().zip(reads).filter_map(|(name, reply)| {
            let read = read_stream(name, reply, now_ms);
            if read.is_none() {
                self.failed("a stream in Redis", "it is not as this version writes it");
            }
            read
        });
        let snapshots = snapshots.collect();
        let mut bus = hub.streams();
        let lost = bus.mirror(snapshots);
        // A reply that cannot be read must not keep anybody waiting.
        bus.begin_alone(names);
        drop(bus);
        if !lost.is_empty() {
            self.log.warn(format_args!("events of {} streams were missed, and are no longer in Redis", lost.len()));
        }
    }
}

/// A script with its keys still to come.
pub(super) fn eval(script: &str, keys: usize) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(script).arg(keys);
    command
}

/// What `publish.lua` publishes.
fn read_message(message: &str) -> Option<Publication> {
    let (number, through, event): (u64, Vec<(String, String, u64)>, &RawValue) = serde_json::from_str(message).ok()?;
    let (id, event) = read_event(event.get())?;
    let through = through.into_iter().map(|(name, epoch, offset)| (name.into(), epoch, offset)).collect();
    Some(Publication { number, id, event, through })
}

fn read_event(json: &str) -> Option<(Arc<str>, Event)> {
    let parts: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let id: String = serde_json::from_str(parts.first()?.get()).ok()?;
    Some((id.into(), Event::from_elements(&parts[1..])?))
}

/// What `attach.lua` answers.
fn read_stream(name: &StreamName, reply: Value, now_ms: u64) -> Option<Snapshot> {
    type Entry = (String, Vec<String>);
    let (epoch, offset, redis_now_ms, entries): (String, u64, u64, Vec<Entry>) = from_redis_value(reply).ok()?;
    let history = entries.into_iter().map(|(id, fields)| {
        let field = |wanted: &str| fields.chunks(2).find(|pair| pair[0] == wanted).and_then(|pair| pair.get(1));
        let at_ms: u64 = field("t")?.parse().ok()?;
        let (event_id, event) = read_event(field("e")?)?;
        Some(Past {
            offset: id.split('-').next()?.parse().ok()?,
            // The clocks of two machines differ.
            at_ms: now_ms.saturating_sub(redis_now_ms.saturating_sub(at_ms)),
            publication: field("n")?.parse().ok()?,
            id: event_id,
            event: Arc::new(event),
        })
    });
    Some(Snapshot { name: Arc::clone(name), epoch, offset, history: history.collect::<Option<_>>()? })
}
