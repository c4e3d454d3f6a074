//! Streams: who gets what is published, in which order, and what was missed.
//!
//! One lock orders everything, so each subscriber sees the order in which things were published. A text is encoded
//! once for each way that it reaches clients and shared between them.
//!
//! A server that shares its streams with others keeps a mirror of those that its connections have: what is published
//! comes back from Redis with its place in the stream, and only then is delivered.

mod mirror;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::connection::Connection;
use crate::limits::Limits;
use crate::protocol::{self, Event, Position, Text, WelcomeOptions};
use crate::random;
pub(crate) use mirror::{Past, Publication, Snapshot};

/// Name of a stream inside the server: `*`, `@alice`, `#lobby`.
pub(crate) type StreamName = Arc<str>;

/// The stream of everybody.
pub(crate) const BROADCAST: &str = "*";

/// The stream of one user.
pub(crate) fn user_stream(user: &str) -> StreamName {
    format!("@{user}").into()
}

/// The stream of one channel.
pub(crate) fn channel_stream(channel: &str) -> StreamName {
    format!("#{channel}").into()
}

/// What a client calls a stream: its own user has no name on the wire.
fn wire_name(stream: &str) -> &str {
    if stream.starts_with('@') { "@" } else { stream }
}

/// All streams of this server.
#[derive(Debug)]
pub(crate) struct PubSub {
    state: Mutex<State>,
    history_events: usize,
    history_ms: u64,
}

#[derive(Debug, Default)]
struct State {
    streams: HashMap<StreamName, Stream>,
    /// Which streams a connection has.
    subscribers: FxHashMap<u64, Subscriber>,
    /// Counts publications, so that one that went to several streams is known as one.
    published: u64,
    /// Publications that were delivered here while Redis was away, or may have been: not to be delivered again when they
    /// turn up in what was missed.
    delivered_alone: VecDeque<Arc<str>>,
}

#[derive(Debug)]
struct Subscriber {
    connection: Arc<Connection>,
    streams: BTreeSet<StreamName>,
}

#[derive(Debug)]
struct Stream {
    epoch: String,
    /// Of the last event.
    offset: u64,
    history: VecDeque<Kept>,
    subscribers: FxHashMap<u64, Arc<Connection>>,
    /// When it was last published to or left.
    used_ms: u64,
    origin: Origin,
}

/// Where a stream's epoch and offsets come from.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    /// This server alone.
    Own,
    /// All servers: it mirrors a stream in Redis.
    Shared,
    /// This server alone since Redis went away; the mirror stood here.
    Cut(String, u64),
}

#[derive(Debug, Clone)]
struct Kept {
    offset: u64,
    at_ms: u64,
    publication: u64,
    event: Arc<Event>,
}

impl Stream {
    fn new(now_ms: u64) -> Self {
        let epoch = random::hex::<4>();
        Self {
            epoch,
            offset: 0,
            history: VecDeque::new(),
            subscribers: FxHashMap::default(),
            used_ms: now_ms,
            origin: Origin::Own,
        }
    }

    fn position(&self, name: &str) -> Position {
        Position(wire_name(name).to_owned(), self.epoch.clone(), self.offset)
    }

    fn forget(&mut self, events: usize, before_ms: u64) {
        while self.history.len() > events || self.history.front().is_some_and(|kept| kept.at_ms < before_ms) {
            self.history.pop_front();
        }
    }

    /// Whether everything after `offset` is still here.
    fn reaches_back_to(&self, offset: u64) -> bool {
        let oldest = self.history.front().map_or(self.offset + 1, |kept| kept.offset);
        offset <= self.offset && oldest <= offset + 1
    }
}

impl PubSub {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { state: Mutex::default(), history_events: limits.history_events, history_ms: limits.history_ms }
    }

    /// Everything that happens through one guard happens at once for all others.
    pub(crate) fn lock(&self, now_ms: u64) -> Bus<'_> {
        let forget_before_ms = now_ms.saturating_sub(self.history_ms);
        Bus { state: self.state.lock(), now_ms, history_events: self.history_events, forget_before_ms }
    }
}

/// The streams, while nobody else can use them.
#[derive(Debug)]
pub(crate) struct Bus<'a> {
    state: MutexGuard<'a, State>,
    now_ms: u64,
    history_events: usize,
    forget_before_ms: u64,
}

/// The part of a welcome that does not depend on streams.
#[derive(Debug)]
pub(crate) struct Greeting<'a> {
    pub(crate) build_id: &'a str,
    pub(crate) options: &'a WelcomeOptions,
    /// What the client has reached; `None` at its first connect.
    pub(crate) reached: Option<&'a [Position]>,
}

/// An event as it goes to clients, and its place among what waits.
type Encoded = (Text, Option<Arc<str>>);

/// Wire name to epoch and offset.
type Reached<'a> = HashMap<&'a str, (&'a str, u64)>;

impl Bus<'_> {
    /// Subscribes a new connection to `streams`, and sends the welcome and what it missed, before anything newer.
    pub(crate) fn welcome(&mut self, connection: &Arc<Connection>, streams: &[StreamName], greeting: &Greeting<'_>) {
        for name in streams {
            self.subscribe(connection, name);
        }
        let reached = greeting.reached.map(|reached| -> Reached<'_> {
            reached.iter().map(|Position(name, epoch, offset)| (name.as_str(), (epoch.as_str(), *offset))).collect()
        });
        let missed = reached.as_ref().map(|reached| self.missed(streams, reached));
        let positions: Vec<Position> = streams
            .iter()
            .map(|name| {
                let mut position = self.state.streams[name].position(name);
                // A client goes on from where it was: the events that follow move it.
                if let (Some(Some(_)), Some(reached)) = (&missed, &reached)
                    && let Some((_, offset)) = reached.get(position.0.as_str())
                {
                    position.2 = *offset;
                }
                position
            })
            .collect();
        let recovered = missed.as_ref().map(Option::is_some);
        connection.send(protocol::welcome(greeting.build_id, recovered, &positions, greeting.options));
        for text in missed.flatten().unwrap_or_default() {
            connection.send(text);
        }
    }

    /// What was published to `streams` since the client reached these positions, in order and each once; `None` when
    /// some of it is gone. A stream that the client did not know starts now.
    fn missed(&mut self, streams: &[StreamName], reached: &Reached<'_>) -> Option<Vec<Text>> {
        let mut found: Vec<(&StreamName, Kept)> = Vec::new();
        for name in streams {
            let Some((epoch, offset)) = reached.get(wire_name(name)) else { continue };
            let stream = self.state.streams.get_mut(name).expect("it was subscribed to just now");
            stream.forget(self.history_events, self.forget_before_ms);
            if stream.epoch != **epoch || !stream.reaches_back_to(*offset) {
                return None;
            }
            found.extend(stream.history.iter().filter(|kept| kept.offset > *offset).map(|kept| (name, kept.clone())));
        }
        found.sort_by_key(|(_, kept)| kept.publication);
        let texts = found.chunk_by(|a, b| a.1.publication == b.1.publication).map(|same| {
            let through: Vec<_> = same.iter().map(|(name, kept)| (wire_name(name), kept.offset)).collect();
            same[0].1.event.encode(&through)
        });
        Some(texts.collect())
    }

    /// Gives a connection one more stream, and tells it.
    pub(crate) fn join(&mut self, connection: &Arc<Connection>, name: &StreamName) {
        if self.state.subscribers.get(&connection.id).is_some_and(|known| known.streams.contains(name)) {
            return;
        }
        let position = self.subscribe(connection, name).position(name);
        connection.send(protocol::joined(&position));
    }

    /// Takes a stream from a connection, and tells it.
    pub(crate) fn leave(&mut self, connection: &Arc<Connection>, name: &StreamName) {
        if let Some(subscriber) = self.state.subscribers.get_mut(&connection.id)
            && subscriber.streams.remove(name)
        {
            self.unsubscribe(connection.id, name);
            connection.send(protocol::left(wire_name(name)));
        }
    }

    /// A connection is gone.
    pub(crate) fn remove(&mut self, connection: u64) {
        if let Some(subscriber) = self.state.subscribers.remove(&connection) {
            for name in subscriber.streams {
                self.unsubscribe(connection, &name);
            }
        }
    }

    /// Publishes to every stream of `names`, each named once; a connection that has several of them gets one copy.
    pub(crate) fn publish(&mut self, names: &[StreamName], event: Event) {
        let event = Arc::new(event);
        self.state.published += 1;
        let publication = self.state.published;
        let mut reached: Vec<(&StreamName, u64)> = Vec::new();
        for name in names {
            // A stream that nobody has, and nobody had lately, has nobody to deliver to.
            let Some(stream) = self.state.streams.get_mut(name) else { continue };
            stream.offset += 1;
            stream.used_ms = self.now_ms;
            let offset = stream.offset;
            stream.history.push_back(Kept { offset, at_ms: self.now_ms, publication, event: Arc::clone(&event) });
            stream.forget(self.history_events, self.forget_before_ms);
            reached.push((name, offset));
        }
        self.deliver(&reached, &event);
    }

    /// Sends an event to everybody who has one of the streams that it reached.
    fn deliver(&self, reached: &[(&StreamName, u64)], event: &Event) {
        match reached {
            [] => {}
            [(name, offset)] => {
                let through = [(wire_name(name), *offset)];
                let (text, place) = (event.encode(&through), event.place(&through));
                for connection in self.state.streams[*name].subscribers.values() {
                    connection.send_event(text.clone(), place.as_ref());
                }
            }
            several => self.deliver_once(several, event),
        }
    }

    fn deliver_once(&self, reached: &[(&StreamName, u64)], event: &Event) {
        let mut seen = FxHashSet::default();
        let mut texts: HashMap<Vec<(&str, u64)>, Encoded> = HashMap::new();
        for (name, _) in reached {
            for (id, connection) in &self.state.streams[*name].subscribers {
                if !seen.insert(*id) {
                    continue;
                }
                let streams = &self.state.subscribers[id].streams;
                let through: Vec<_> = reached
                    .iter()
                    .filter(|(name, _)| streams.contains(*name))
                    .map(|(name, offset)| (wire_name(name), *offset))
                    .collect();
                let encode = |through: &Vec<_>| (event.encode(through), event.place(through));
                let (text, place) = texts.entry(through).or_insert_with_key(encode);
                connection.send_event(text.clone(), place.as_ref());
            }
        }
    }

    /// Whether any connection has this stream.
    pub(crate) fn has_subscribers(&self, name: &StreamName) -> bool {
        self.state.streams.get(name).is_some_and(|stream| !stream.subscribers.is_empty())
    }

    /// Forgets what is too old, and streams that nobody had for as long; their names.
    pub(crate) fn sweep(&mut self) -> Vec<StreamName> {
        let (events, before_ms) = (self.history_events, self.forget_before_ms);
        let mut forgotten = Vec::new();
        self.state.streams.retain(|name, stream| {
            stream.forget(events, before_ms);
            let used = !stream.subscribers.is_empty() || stream.used_ms >= before_ms;
            if !used {
                forgotten.push(Arc::clone(name));
            }
            used
        });
        forgotten
    }

    fn subscribe(&mut self, connection: &Arc<Connection>, name: &StreamName) -> &mut Stream {
        let subscriber = self
            .state
            .subscribers
            .entry(connection.id)
            .or_insert_with(|| Subscriber { connection: Arc::clone(connection), streams: BTreeSet::new() });
        subscriber.streams.insert(Arc::clone(name));
        let connection = Arc::clone(&subscriber.connection);
        let now_ms = self.now_ms;
        let stream = self.state.streams.entry(Arc::clone(name)).or_insert_with(|| Stream::new(now_ms));
        stream.subscribers.insert(connection.id, connection);
        stream
    }

    fn unsubscribe(&mut self, connection: u64, name: &StreamName) {
        if let Some(stream) = self.state.streams.get_mut(name) {
            stream.subscribers.remove(&connection);
            stream.used_ms = self.now_ms;
        }
    }
}
