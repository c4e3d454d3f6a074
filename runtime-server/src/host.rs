//! What JavaScript asks for, performed.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::engine::{HostCall, PublishTo, Reply};
use crate::hub::{Hub, HubError};
use crate::log;
use crate::protocol::Event;
use crate::pubsub::{self, BROADCAST, StreamName};
use crate::session::Done;

impl Hub {
    /// Performs what server code asks for; `reply` is there when it waits for an answer.
    pub(crate) fn perform(self: &Arc<Self>, call: HostCall, reply: Option<Reply>) {
        match call {
            HostCall::Publish { to, event, params, conflate } => {
                let made = Event::new(&event, params).conflated(conflate);
                answer(reply, self.publish_event(&to, &event, made));
            }
            HostCall::SessionSave { session, set, unset } => {
                self.change(reply, nothing, |done| self.save(session, set, &unset, done));
            }
            HostCall::SessionUser { session, user_id: Some(user), connection } => {
                let known = self.sessions.by_key(session);
                let new_id = move || json!({"id": known.map(|session| session.lock().id.to_string())});
                self.change(reply, new_id, |done| self.log_in(session, &user, connection, done));
            }
            HostCall::SessionUser { session, user_id: None, .. } => {
                self.change(reply, nothing, |done| self.log_out(session, done));
            }
            HostCall::ChannelSubscribe { session, names } => {
                self.change(reply, nothing, |done| self.subscribe(session, names, done));
            }
            HostCall::ChannelUnsubscribe { session, names } => {
                self.change(reply, nothing, |done| self.unsubscribe(session, &names, done));
            }
            // Each generation's own host has noted who asks.
            HostCall::WatchDisconnect { .. } => answer(reply, Ok(Value::Null)),
            HostCall::UsersOnline {} => match (&self.backplane, reply) {
                (Some(backplane), Some(reply)) => backplane.online(self.presence.silence_ms(), reply),
                (_, reply) => answer(reply, Ok(json!(self.presence.now()))),
            },
            HostCall::Redis { command } => match (&self.backplane, reply) {
                (Some(backplane), reply) => backplane.command(command, reply.unwrap_or_else(|| Box::new(|_| {}))),
                (None, Some(reply)) => reply(Err(NO_REDIS.to_owned())),
                (None, None) => self.log.error(NO_REDIS),
            },
            HostCall::Fetch { .. } => {
                if let Some(reply) = reply {
                    reply(Err("the engine fetches by itself".to_owned()));
                }
            }
            // Whose generation this is, is known there.
            HostCall::WatchEvents { .. } => answer(reply, Ok(Value::Null)),
            HostCall::Log { level, text } => {
                self.log_line(level, &text);
                answer(reply, Ok(Value::Null));
            }
        }
    }
}

const NO_REDIS: &str = "R wants a Redis, and none is configured: set redis.url or redis.host";

impl Hub {
    fn publish_event(&self, to: &PublishTo, name: &str, event: Event) -> Result<Value, HubError> {
        self.log.event(Shown(to), name, event.params().unwrap_or_default());
        match to {
            PublishTo::Broadcast => self.publish(&[BROADCAST.into()], event)?,
            PublishTo::Channels(names) => self.publish(&each_once(names, pubsub::channel_stream), event)?,
            PublishTo::Users(names) => self.publish(&each_once(names, pubsub::user_stream), event)?,
            PublishTo::Socket(connection) => self.publish_to(*connection, &event)?,
        }
        Ok(Value::Null)
    }

    /// Makes a change whose reply waits until it is stored. Without a reply a refusal is only seen in the log.
    fn change(
        &self,
        reply: Option<Reply>,
        stored_value: impl FnOnce() -> Value + Send + 'static,
        make: impl FnOnce(Option<Done>) -> Result<(), HubError>,
    ) {
        // Both the store and a refusal may answer, but only one of them will.
        let reply = std::sync::Arc::new(parking_lot::Mutex::new(reply));
        let stored = std::sync::Arc::clone(&reply);
        let waits = stored.lock().is_some();
        let done = waits.then(|| -> Done {
            Box::new(move |result| {
                if let Some(reply) = stored.lock().take() {
                    reply(result.map(|()| stored_value()));
                }
            })
        });
        if let Err(error) = make(done) {
            match reply.lock().take() {
                Some(reply) => reply(Err(error.to_string())),
                None => self.log.error(error),
            }
        }
    }

    fn log_line(&self, level: u8, text: &str) {
        match level {
            log::ERRORS => self.log.error(text),
            log::WARNINGS => self.log.warn(text),
            level => self.log.say(level, text),
        }
        if level <= log::WARNINGS {
            self.tell_browsers(level, text);
        }
    }
}

fn nothing() -> Value {
    Value::Null
}

fn each_once(names: &[String], stream: impl Fn(&str) -> StreamName) -> Vec<StreamName> {
    let mut seen = HashSet::new();
    names.iter().filter(|name| seen.insert(*name)).map(|name| stream(name)).collect()
}

fn answer(reply: Option<Reply>, result: Result<Value, HubError>) {
    if let Some(reply) = reply {
        reply(result.map_err(|error| error.to_string()));
    }
}

/// As the log names receivers.
struct Shown<'a>(&'a PublishTo);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            PublishTo::Broadcast => f.write_str("everybody"),
            PublishTo::Channels(names) => write!(f, "channel {}", names.join(", ")),
            PublishTo::Users(names) => write!(f, "user {}", names.join(", ")),
            PublishTo::Socket(id) => write!(f, "connection {id}"),
        }
    }
}
