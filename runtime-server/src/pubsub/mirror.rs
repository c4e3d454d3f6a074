//! A stream that many servers share, as one of them sees it.
//!
//! What comes in order is delivered at once. What was missed, because the connection to Redis broke, is read from the
//! stream's history and delivered in order; when the history does not reach back, or Redis lost it, the clients' positions
//! move on, so that a later reconnect of theirs says the truth.

use std::sync::Arc;

use super::{Bus, Kept, Origin, Position, Stream, StreamName, wire_name};
use crate::protocol::{self, Event};
use crate::random;

/// Publications of an outage that are remembered.
const REMEMBERED: usize = 4_096;

/// A stream as it is in Redis.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) name: StreamName,
    pub(crate) epoch: String,
    /// Of the last event.
    pub(crate) offset: u64,
    /// The newest events, oldest first.
    pub(crate) history: Vec<Past>,
}

/// One event of a history.
#[derive(Debug)]
pub(crate) struct Past {
    pub(crate) offset: u64,
    /// By this server's clock.
    pub(crate) at_ms: u64,
    pub(crate) publication: u64,
    pub(crate) id: Arc<str>,
    pub(crate) event: Arc<Event>,
}

/// An event that has its place in streams.
#[derive(Debug)]
pub(crate) struct Publication {
    /// Counts all publications.
    pub(crate) number: u64,
    /// Given by the server that published.
    pub(crate) id: Arc<str>,
    pub(crate) event: Event,
    /// Stream, epoch and offset.
    pub(crate) through: Vec<(StreamName, String, u64)>,
}

impl Stream {
    /// Tells the subscribers where they are now.
    fn tell_position(&self, name: &str, offset: u64) {
        let text = protocol::joined(&Position(wire_name(name).to_owned(), self.epoch.clone(), offset));
        self.subscribers.values().for_each(|connection| connection.send(text.clone()));
    }

    /// Goes on without Redis, as a stream of its own.
    fn cut(&mut self, name: &str) {
        if self.origin == Origin::Shared {
            let epoch = std::mem::replace(&mut self.epoch, random::hex::<4>());
            self.origin = Origin::Cut(epoch, std::mem::take(&mut self.offset));
            self.history.clear();
            self.tell_position(name, 0);
        }
    }
}

impl Bus<'_> {
    /// Those of `names` that are not here.
    pub(crate) fn lacks(&self, names: &[StreamName]) -> Vec<StreamName> {
        names.iter().filter(|name| !self.state.streams.contains_key(*name)).cloned().collect()
    }

    /// Every stream that is here.
    pub(crate) fn names(&self) -> Vec<StreamName> {
        self.state.streams.keys().cloned().collect()
    }

    /// Streams that Redis could not be asked for: they begin here.
    pub(crate) fn begin_alone(&mut self, names: &[StreamName]) {
        for name in names {
            let now_ms = self.now_ms;
            self.state.streams.entry(Arc::clone(name)).or_insert_with(|| Stream::new(now_ms));
        }
    }

    /// Publishes what could not be brought to Redis, or may not have been.
    pub(crate) fn publish_alone(&mut self, names: &[StreamName], id: Arc<str>, event: Event) {
        for name in names {
            if let Some(stream) = self.state.streams.get_mut(name) {
                stream.cut(name);
            }
        }
        if self.state.delivered_alone.len() == REMEMBERED {
            self.state.delivered_alone.pop_front();
        }
        self.state.delivered_alone.push_back(id);
        self.publish(names, event);
    }

    /// Delivers an event that has its place already; returns the streams that have missed something.
    pub(crate) fn apply(&mut self, publication: Publication) -> Vec<StreamName> {
        let Publication { number, id, event, through } = publication;
        let event = Arc::new(event);
        let (mut reached, mut behind) = (Vec::new(), Vec::new());
        self.state.published = self.state.published.max(number);
        for (name, epoch, offset) in &through {
            let Some(stream) = self.state.streams.get_mut(name) else { continue };
            if stream.origin == Origin::Shared && stream.epoch != *epoch && *offset == 1 {
                // Redis has lost the stream, and this is the first event since.
                stream.epoch.clone_from(epoch);
                stream.offset = 0;
                stream.history.clear();
                stream.tell_position(name, 0);
            }
            if stream.origin != Origin::Shared || stream.epoch != *epoch || *offset > stream.offset + 1 {
                behind.push(Arc::clone(name));
            } else if *offset == stream.offset + 1 {
                stream.offset = *offset;
                stream.used_ms = self.now_ms;
                let kept = Kept { offset: *offset, at_ms: self.now_ms, publication: number, event: Arc::clone(&event) };
                stream.history.push_back(kept);
                stream.forget(self.history_events, self.forget_before_ms);
                reached.push((name, *offset));
            }
        }
        self.deliver_unless_known(&reached, &id, &event);
        behind
    }

    /// Takes streams as they are in Redis, and delivers what was missed; returns those of which something is lost.
    pub(crate) fn mirror(&mut self, snapshots: Vec<Snapshot>) -> Vec<StreamName> {
        let (mut missed, mut lost) = (Vec::new(), Vec::new());
        for Snapshot { name, epoch, offset, history } in snapshots {
            let now_ms = self.now_ms;
            let stream = self.state.streams.entry(Arc::clone(&name)).or_insert_with(|| Stream::new(now_ms));
            let base = match &stream.origin {
                Origin::Own => None,
                Origin::Shared => Some((stream.epoch.as_str(), stream.offset)),
                Origin::Cut(epoch, offset) => Some((epoch.as_str(), *offset)),
            };
            let oldest = history.first().map_or(offset + 1, |past| past.offset);
            let reaches_back_to = |reached: u64| reached <= offset && oldest <= reached + 1;
            let from = match base {
                // Nobody here had it before.
                None => offset,
                Some((known, reached)) if known == epoch && reaches_back_to(reached) => reached,
                // All of the new epoch is here.
                Some((known, _)) if known != epoch && reaches_back_to(0) => 0,
                Some(_) => {
                    lost.push(Arc::clone(&name));
                    offset
                }
            };
            let moved = stream.epoch != epoch || stream.offset != from;
            stream.epoch = epoch;
            stream.offset = offset;
            stream.origin = Origin::Shared;
            stream.history.clear();
            for Past { offset, at_ms, publication, id, event } in history {
                if offset > from {
                    missed.push((Arc::clone(&name), offset, publication, id, Arc::clone(&event)));
                }
                stream.history.push_back(Kept { offset, at_ms, publication, event });
            }
            if moved {
                stream.tell_position(&name, from);
            }
        }
        missed.sort_by_key(|(_, _, publication, ..)| *publication);
        for same in missed.chunk_by(|a, b| a.2 == b.2) {
            let reached: Vec<_> = same.iter().map(|(name, offset, ..)| (name, *offset)).collect();
            self.deliver_unless_known(&reached, &same[0].3, &same[0].4);
        }
        lost
    }

    fn deliver_unless_known(&self, reached: &[(&StreamName, u64)], id: &Arc<str>, event: &Event) {
        if !self.state.delivered_alone.contains(id) {
            self.deliver(reached, event);
            return;
        }
        for (name, offset) in reached {
            self.state.streams[*name].tell_position(name, *offset);
        }
    }
}
