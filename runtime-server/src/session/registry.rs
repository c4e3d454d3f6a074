use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::{Done, Found, Lifetime, Place, Saved, Session, SessionId};
use crate::connection::Connection;
use crate::limits::Limits;
use crate::protocol;
use crate::random;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// All sessions in memory, those on disk behind them, and the tickets of logins.
#[derive(Debug)]
pub(crate) struct Sessions {
    registry: Mutex<Registry>,
    place: Place,
    limits: Limits,
    expires_ms: u64,
}

#[derive(Debug, Default)]
struct Registry {
    by_id: HashMap<SessionId, Arc<Session>>,
    by_key: FxHashMap<u64, Arc<Session>>,
    /// In the order in which they were made: those nobody has written to, and some that are gone by now.
    unsaved: VecDeque<u64>,
    /// Ids that a login has made void, until when a browser may still come with them.
    void: HashMap<SessionId, u64>,
    tickets: HashMap<String, Ticket>,
    last_key: u64,
}

#[derive(Debug)]
struct Ticket {
    session: Arc<Session>,
    connection: Arc<Connection>,
    expires_ms: u64,
}

/// What a browser's cookie leads to.
#[derive(Debug)]
pub(crate) enum Opened {
    /// Its session; the cookie is good for longer than its browser needs to be told.
    Known(Arc<Session>, SessionId),
    /// Its session, whose cookie is to be set.
    SetCookie(Arc<Session>, SessionId),
    /// A login has just changed the id, and the browser has not fetched the new one yet.
    Void,
}

/// A login's ticket, redeemed: the new id is for this browser, and answers of the connection may go.
#[derive(Debug)]
pub(crate) struct Ticketed {
    pub(crate) id: SessionId,
    /// On this server; another one is told by other means.
    pub(crate) connection: Option<Arc<Connection>>,
}

impl Sessions {
    pub(crate) fn new(place: Place, limits: Limits, expires_days: u32) -> Self {
        Self { registry: Mutex::default(), place, limits, expires_ms: u64::from(expires_days) * DAY_MS }
    }

    /// How long a cookie lasts, in seconds.
    pub(crate) fn cookie_seconds(&self) -> u64 {
        self.expires_ms / 1000
    }

    /// The session of a cookie; a new one when there is none, or when it is not known.
    pub(crate) async fn open(&self, cookie: Option<SessionId>, now_ms: u64) -> Result<Opened, String> {
        let known = match cookie {
            Some(id) => self.find(id, now_ms).await?,
            None => None,
        };
        Ok(known.unwrap_or_else(|| self.create(now_ms)))
    }

    /// The session of a cookie, when it is known.
    pub(crate) async fn find(&self, id: SessionId, now_ms: u64) -> Result<Option<Opened>, String> {
        if let Some(opened) = self.in_memory(id, now_ms) {
            return Ok(Some(opened));
        }
        let (row, version) = match self.place.load(id).await? {
            Found::Row(row, version) if now_ms < row.used_at + self.expires_ms => (row, version),
            Found::Row(..) | Found::Nothing => return Ok(None),
            Found::Void => return Ok(Some(Opened::Void)),
        };
        let mut registry = self.registry.lock();
        let mut made = None;
        // Another tab may have been quicker.
        if !registry.by_id.contains_key(&id) && !registry.void.contains_key(&id) {
            let key = registry.next_key();
            let session = Arc::new(Session::restored(key, id, *row, now_ms));
            session.lock().came_from_record(version);
            registry.by_id.insert(id, Arc::clone(&session));
            registry.by_key.insert(key, Arc::clone(&session));
            made = Some(session);
        }
        drop(registry);
        if let Some(session) = made {
            self.place.registered(&session);
        }
        Ok(self.in_memory(id, now_ms))
    }

    fn in_memory(&self, id: SessionId, now_ms: u64) -> Option<Opened> {
        let registry = self.registry.lock();
        if registry.void.contains_key(&id) {
            return Some(Opened::Void);
        }
        let session = Arc::clone(registry.by_id.get(&id)?);
        drop(registry);
        let mut state = session.lock();
        state.idle_since_ms = now_ms;
        // Once a day, so that not every visit is a write and sets a cookie.
        let (renew, set_cookie) = (self.is_old(state.used_at, now_ms), self.is_old(state.cookie_at, now_ms));
        if set_cookie {
            state.cookie_at = now_ms;
        }
        if renew || set_cookie {
            state.used_at = now_ms;
            let stored = state.saved != Saved::Never;
            drop(state);
            if stored {
                self.place.save(&session, None);
            }
        } else {
            drop(state);
        }
        Some(if set_cookie { Opened::SetCookie(session, id) } else { Opened::Known(session, id) })
    }

    /// Whether something that is to last is too long ago.
    fn is_old(&self, at_ms: u64, now_ms: u64) -> bool {
        now_ms >= at_ms + DAY_MS.min(self.expires_ms / 2)
    }

    fn create(&self, now_ms: u64) -> Opened {
        let mut registry = self.registry.lock();
        let (id, key) = (SessionId::random(), registry.next_key());
        let session = Arc::new(Session::new(key, Lifetime::Kept, id, now_ms));
        registry.by_id.insert(id, Arc::clone(&session));
        registry.by_key.insert(key, Arc::clone(&session));
        registry.unsaved.push_back(key);
        while registry.unsaved.len() > self.limits.unsaved_sessions {
            registry.drop_oldest_unsaved();
        }
        drop(registry);
        self.place.created(&session);
        Opened::SetCookie(session, id)
    }

    /// A session for one HTTP request, which ends with [`Sessions::forget_request`].
    pub(crate) fn create_for_request(&self, user_id: Option<String>, now_ms: u64) -> Arc<Session> {
        let mut registry = self.registry.lock();
        let key = registry.next_key();
        let session = Arc::new(Session::new(key, Lifetime::Request, SessionId::random(), now_ms));
        session.lock().user_id = user_id;
        registry.by_key.insert(key, Arc::clone(&session));
        session
    }

    /// The request is answered: a session that was made for it goes.
    pub(crate) fn forget_request(&self, session: &Session) {
        if session.lifetime == Lifetime::Request {
            self.registry.lock().by_key.remove(&session.key);
        }
    }

    /// The session that host calls name.
    pub(crate) fn by_key(&self, key: u64) -> Option<Arc<Session>> {
        self.registry.lock().by_key.get(&key).cloned()
    }

    /// Brings a session to disk; `done` is called when it is there.
    pub(crate) fn save(&self, session: &Arc<Session>, done: Option<Done>) {
        match (session.lifetime, done) {
            (Lifetime::Kept, done) => self.place.save(session, done),
            (Lifetime::Request, Some(done)) => done(Ok(())),
            (Lifetime::Request, None) => {}
        }
    }

    /// Gives a session a new id; the old one is void from now on.
    pub(crate) fn change_id(&self, session: &Arc<Session>, now_ms: u64) {
        let mut registry = self.registry.lock();
        let mut state = session.lock();
        let old = std::mem::replace(&mut state.id, SessionId::random());
        let new = state.id;
        state.cookie_at = now_ms;
        drop(state);
        if session.lifetime == Lifetime::Kept {
            registry.by_id.remove(&old);
            registry.by_id.insert(new, Arc::clone(session));
            registry.void.insert(old, now_ms + self.limits.ticket_ms);
            drop(registry);
            self.place.change_id(session, old, new, self.limits.ticket_ms);
        }
    }

    /// Sends a ticket with which the browser of `connection` fetches the session's new id, once.
    pub(crate) fn issue_ticket(&self, session: &Arc<Session>, connection: &Arc<Connection>, now_ms: u64) {
        let ticket = random::hex::<16>();
        let expires_ms = now_ms + self.limits.ticket_ms;
        let message = protocol::ticket(&ticket);
        let (session, connection) = (Arc::clone(session), Arc::clone(connection));
        let (id, receiver) = (session.lock().id, Arc::clone(&connection));
        self.registry.lock().tickets.insert(ticket.clone(), Ticket { session, connection, expires_ms });
        match &self.place {
            Place::Disk(_) => receiver.send(message),
            // It may be brought to another server: that has to know it first.
            Place::Redis(backplane) => {
                backplane.issued(&ticket, id, self.limits.ticket_ms, move || receiver.send(message));
            }
        }
    }

    /// Takes a ticket.
    pub(crate) async fn redeem(&self, text: &str, now_ms: u64) -> Option<Ticketed> {
        let known = self.registry.lock().tickets.remove(text);
        let Some(ticket) = known else {
            let Place::Redis(backplane) = &self.place else { return None };
            // Only what may be a ticket is looked for.
            let id = if is_ticket(text) { backplane.redeem(text).await } else { None };
            return id.map(|id| Ticketed { id, connection: None });
        };
        if let Place::Redis(backplane) = &self.place
            && !backplane.withdraw(text).await
        {
            ticket.connection.release_answers();
            return None;
        }
        if now_ms >= ticket.expires_ms {
            ticket.connection.release_answers();
            return None;
        }
        let id = ticket.session.lock().id;
        Some(Ticketed { id, connection: Some(ticket.connection) })
    }

    /// A browser of this server brought its ticket to another one.
    pub(crate) fn redeemed_elsewhere(&self, ticket: &str) {
        let ticket = self.registry.lock().tickets.remove(ticket);
        if let Some(ticket) = ticket {
            ticket.connection.release_answers();
        }
    }

    /// A session has another id by now, on another server: who comes with the old one is asked again.
    pub(crate) fn forget(&self, session: &Session) {
        let mut registry = self.registry.lock();
        let id = session.lock().id;
        if registry.by_id.get(&id).is_some_and(|known| known.key == session.key) {
            registry.by_id.remove(&id);
        }
    }

    /// Ends what is too old: tickets, answers, sessions on disk, and in memory those that nobody uses.
    pub(crate) fn sweep(&self, now_ms: u64) {
        let mut registry = self.registry.lock();
        registry.void.retain(|_, until_ms| now_ms < *until_ms);
        registry.tickets.retain(|_, ticket| {
            let valid = now_ms < ticket.expires_ms;
            if !valid {
                ticket.connection.release_answers();
            }
            valid
        });
        let idle_before_ms = now_ms.saturating_sub(self.limits.unsaved_session_ms);
        let Registry { by_id, by_key, .. } = &mut *registry;
        let mut renewed = Vec::new();
        by_key.retain(|_, session| {
            let mut state = session.lock();
            // A tab that stays open for weeks is use as well.
            if !state.connections.is_empty() && state.saved != Saved::Never && self.is_old(state.used_at, now_ms) {
                state.used_at = now_ms;
                renewed.push(Arc::clone(session));
            }
            state.answers.sweep(now_ms, &self.limits);
            let used = !state.connections.is_empty()
                || state.answers.is_busy()
                || state.saved == Saved::Waiting
                || state.idle_since_ms >= idle_before_ms
                || session.lifetime == Lifetime::Request;
            if !used {
                by_id.remove(&state.id);
            }
            used
        });
        let Registry { by_key, unsaved, .. } = &mut *registry;
        unsaved.retain(|key| by_key.contains_key(key));
        drop(registry);
        for session in renewed {
            self.place.save(&session, None);
        }
    }

    /// Removes sessions from disk that were not used for too long.
    pub(crate) fn expire(&self, now_ms: u64) {
        self.place.expire(now_ms.saturating_sub(self.expires_ms));
    }

    /// How many are in memory.
    pub(crate) fn in_memory_count(&self) -> usize {
        self.registry.lock().by_key.len()
    }

    /// Writes what waits, and closes the store.
    pub(crate) fn close(&self) {
        self.place.close();
    }
}

/// Whether a text has the form of a ticket.
fn is_ticket(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

impl Registry {
    fn next_key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }

    fn drop_oldest_unsaved(&mut self) {
        let Some(key) = self.unsaved.pop_front() else { return };
        let Some(session) = self.by_key.get(&key) else { return };
        let state = session.lock();
        if state.saved == Saved::Never && state.connections.is_empty() && !state.answers.is_busy() {
            let id = state.id;
            drop(state);
            self.by_id.remove(&id);
            self.by_key.remove(&key);
        }
    }
}
