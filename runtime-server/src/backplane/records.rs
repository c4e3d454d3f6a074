//! Sessions in Redis: each is a hash whose changes are told to the servers that have the session in memory.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use redis::{Cmd, Value, from_redis_value};
use serde_json::value::RawValue;

use super::link::Order;
use super::names::hash;
use super::streams::eval;
use super::{Backplane, first_error};
use crate::hub::Hub;
use crate::session::{Done, Effects, Found, Saved, Session, SessionId, read_record};

/// Sessions that are read with one order.
const READ_AT_ONCE: usize = 200;
/// How long a session to which nothing was written is kept, in milliseconds: for the tabs that come to other servers.
const EMPTY_MS: u64 = 24 * 60 * 60 * 1000;

const SAVE: &str = include_str!("save.lua");
const MOVE: &str = include_str!("move.lua");

/// The sessions in memory, by the names of their records.
#[derive(Debug, Default)]
pub(super) struct Shared {
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Debug)]
enum Known {
    /// It is being read; meanwhile this version was published.
    Loading(u64),
    Here(Weak<Session>),
}

impl Backplane {
    /// Writes what has changed; `done` is called when Redis has it.
    pub(crate) fn save(self: &Arc<Self>, session: &Arc<Session>, done: Option<Done>) {
        let mut state = session.lock();
        let order = self.saves.fetch_add(1, Ordering::Relaxed);
        let change = state.take_change(session.created_at, order);
        let empty = state.attributes.is_empty() && state.channels.is_empty() && state.user_id.is_none();
        state.saved = Saved::Waiting;
        let hash = hash(state.id);
        drop(state);
        let kept_ms = if empty { self.session_ms.min(EMPTY_MS) } else { self.session_ms };
        let message = serde_json::json!([self.server, order, change.set, change.unset]).to_string();
        let mut command = eval(SAVE, 2);
        command.arg(self.names.session(&hash)).arg(self.names.void(&hash));
        command.arg(if change.creates { "1" } else { "0" }).arg(kept_ms.max(1)).arg(self.words.publish);
        command.arg(self.names.changes(&hash)).arg(&message[1..message.len() - 1]).arg(change.set.len());
        change.set.iter().for_each(|(field, value)| {
            command.arg(field).arg(value);
        });
        change.unset.iter().for_each(|field| {
            command.arg(field);
        });
        let mut commands = Vec::new();
        if self.records.known.lock().insert(hash.clone(), Known::Here(Arc::downgrade(session))).is_none() {
            commands.push(self.listen(&hash));
        }
        commands.push(command);
        let (shared, session) = (Arc::clone(self), Arc::clone(session));
        self.link.order(commands, move |replies| {
            let result = first_error(replies).map(|mut replies| replies.pop());
            match result {
                Ok(Some(Value::Int(-1))) => {
                    // It has expired, or Redis has lost it: what is here is all there is.
                    session.lock().record_is_gone();
                    shared.save(&session, done);
                }
                Ok(Some(Value::Int(-2))) => {
                    session.lock().give_up(&change);
                    session.lock().saved = Saved::Yes;
                    if let Some(hub) = shared.hub() {
                        hub.session_moved(&session);
                    }
                    answer(done, Err("the session has a new id, by a login in another tab".to_owned()));
                }
                Ok(_) => {
                    let mut state = session.lock();
                    if state.saved == Saved::Waiting {
                        state.saved = Saved::Yes;
                    }
                    drop(state);
                    answer(done, Ok(()));
                }
                Err(error) => {
                    let mut state = session.lock();
                    state.give_up(&change);
                    state.saved = Saved::Never;
                    drop(state);
                    shared.failed("a session could not be stored", &error);
                    answer(done, Err(format!("the session could not be stored: {error}")));
                }
            }
        });
    }

    /// Reads a session; whoever makes one of it calls [`Backplane::registered`] then.
    pub(crate) async fn load(self: &Arc<Self>, id: SessionId) -> Result<Found, String> {
        let hash = hash(id);
        self.records.known.lock().entry(hash.clone()).or_insert(Known::Loading(0));
        Ok(read(self.ask(self.read_session(&hash)).await?))
    }

    /// A session was made of what was read.
    pub(crate) fn registered(self: &Arc<Self>, session: &Arc<Session>) {
        let (hash, version) = {
            let state = session.lock();
            (hash(state.id), state.shared.version)
        };
        let before = self.records.known.lock().insert(hash, Known::Here(Arc::downgrade(session)));
        if matches!(before, Some(Known::Loading(latest)) if latest > version) {
            self.read_again(session);
        }
    }

    /// A login gave a session a new id.
    pub(crate) fn change_id(self: &Arc<Self>, session: &Arc<Session>, old: SessionId, new: SessionId, void_ms: u64) {
        let (old, new) = (hash(old), hash(new));
        let mut known = self.records.known.lock();
        known.remove(&old);
        known.insert(new.clone(), Known::Here(Arc::downgrade(session)));
        drop(known);
        let mut leave = Cmd::new();
        leave.arg(self.words.unsubscribe).arg(self.names.changes(&old));
        let mut rename = eval(MOVE, 3);
        rename.arg(self.names.session(&old)).arg(self.names.session(&new)).arg(self.names.void(&old));
        rename.arg(void_ms.max(1)).arg(self.words.publish).arg(self.names.changes(&old)).arg("[0]");
        let session = Arc::clone(session);
        let shared = Arc::clone(self);
        self.link.order(vec![leave, rename, self.listen(&new)], move |replies| {
            if let Err(error) = first_error(replies) {
                // Under the new name there is nothing; the old record ends by itself.
                session.lock().record_is_gone();
                shared.failed("a session's new id", &error);
            }
        });
    }

    /// Waits until everything before has been written.
    pub(crate) fn flush(&self) {
        let (answer, flushed) = std::sync::mpsc::channel::<()>();
        self.link.order(Vec::new(), move |_| drop(answer));
        // It ends when the sender is dropped: the link answers everything within its own timeout.
        let _ = flushed.recv();
    }

    /// What is said about sessions that are not in memory any more is of no interest.
    pub(crate) fn forget_sessions(&self) {
        let mut gone = Vec::new();
        self.records.known.lock().retain(|hash, known| {
            let here = !matches!(known, Known::Here(session) if session.strong_count() == 0);
            if !here {
                let mut leave = Cmd::new();
                leave.arg(self.words.unsubscribe).arg(self.names.changes(hash));
                gone.push(leave);
            }
            here
        });
        if !gone.is_empty() && self.link.is_up() {
            self.tell("sessions are left", gone);
        }
    }

    /// Everything again, after the connection was away.
    pub(super) fn sessions_again(self: &Arc<Self>) -> Vec<Order> {
        let sessions: Vec<Arc<Session>> = {
            let known = self.records.known.lock();
            known
                .values()
                .filter_map(|known| if let Known::Here(session) = known { session.upgrade() } else { None })
                .collect()
        };
        let orders = sessions.chunks(READ_AT_ONCE).map(|sessions| {
            let sessions = sessions.to_vec();
            let commands = sessions.iter().flat_map(|session| self.read_session(&hash(session.lock().id))).collect();
            let shared = Arc::clone(self);
            let then = move |replies| {
                let Ok(replies) = first_error(replies) else { return };
                let mut replies = replies.into_iter();
                for session in &sessions {
                    shared.read_over(session, read(replies.by_ref().take(3).collect()));
                }
            };
            Order { commands, then: Box::new(then) }
        });
        orders.collect()
    }

    /// A session's record was changed.
    pub(crate) fn changed(self: &Arc<Self>, hub: &Arc<Hub>, hash: &str, message: &str) {
        let mut known = self.records.known.lock();
        let version = version_of(message);
        let session = match known.get_mut(hash) {
            Some(Known::Loading(latest)) => {
                *latest = (*latest).max(version.unwrap_or(u64::MAX));
                return;
            }
            Some(Known::Here(session)) => session.upgrade(),
            None => None,
        };
        drop(known);
        let (Some(session), Some(version)) = (session, version) else { return };
        if version == 0 {
            hub.session_moved(&session);
            return;
        }
        type Told = (u64, u32, u64, Vec<(String, String)>, Vec<String>);
        let Ok((_, server, order, set, unset)) = serde_json::from_str::<Told>(message) else { return };
        let mut state = session.lock();
        let own = server == self.server;
        if own {
            state.confirm(order);
        }
        if version <= state.shared.version {
            return;
        }
        let in_order = version == state.shared.version + 1;
        state.shared.version = version;
        let effects = if own { Effects::default() } else { state.take_over(&set, &unset) };
        drop(state);
        hub.follow(&session, effects);
        if !in_order {
            self.read_again(&session);
        }
    }

    fn read_again(self: &Arc<Self>, session: &Arc<Session>) {
        let (shared, session) = (Arc::clone(self), Arc::clone(session));
        let commands = self.read_session(&hash(session.lock().id));
        self.link.order(commands, move |replies| {
            if let Ok(replies) = first_error(replies) {
                shared.read_over(&session, read(replies));
            }
        });
    }

    /// A session that is in memory was read again.
    fn read_over(self: &Arc<Self>, session: &Arc<Session>, found: Found) {
        let Some(hub) = self.hub() else { return };
        match found {
            Found::Void => hub.session_moved(session),
            Found::Nothing => {
                let mut state = session.lock();
                let stored = state.saved != Saved::Never || state.shared.version > 0;
                state.record_is_gone();
                drop(state);
                if stored {
                    self.save(session, None);
                }
            }
            Found::Row(row, version) => {
                let mut state = session.lock();
                let effects = state.take_record(*row, version);
                let unsent = state.saved == Saved::Never;
                drop(state);
                hub.follow(session, effects);
                if unsent {
                    self.save(session, None);
                }
            }
        }
    }

    fn listen(&self, hash: &str) -> Cmd {
        let mut command = Cmd::new();
        command.arg(self.words.subscribe).arg(self.names.changes(hash));
        command
    }

    /// Subscribe first, then read: what comes between the two is known by its version.
    fn read_session(&self, hash: &str) -> Vec<Cmd> {
        let mut void = redis::cmd("EXISTS");
        void.arg(self.names.void(hash));
        let mut record = redis::cmd("HGETALL");
        record.arg(self.names.session(hash));
        vec![self.listen(hash), void, record]
    }
}

fn answer(done: Option<Done>, result: Result<(), String>) {
    if let Some(done) = done {
        done(result);
    }
}

/// The first element of a message.
fn version_of(message: &str) -> Option<u64> {
    let parts: Vec<&RawValue> = serde_json::from_str(message).ok()?;
    parts.first()?.get().parse().ok()
}

/// The replies to [`Backplane::read_session`].
fn read(mut replies: Vec<Value>) -> Found {
    let record = replies.pop();
    if matches!(replies.pop(), Some(Value::Int(1))) {
        return Found::Void;
    }
    let pairs = record.and_then(|record| from_redis_value::<Vec<(String, String)>>(record).ok()).unwrap_or_default();
    read_record(pairs).map_or(Found::Nothing, |(version, row)| Found::Row(Box::new(row), version))
}
