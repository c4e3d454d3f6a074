//! What all connections share: sessions, streams, presence, and the list of connections itself.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

use crate::backplane::Backplane;
use crate::clock::Clock;
use crate::connection::Connection;
use crate::dev::Author;
use crate::limits::Limits;
use crate::log::Log;
use crate::presence::Presence;
use crate::protocol::{self, CloseCode, Event, Hello, WelcomeOptions};
use crate::pubsub::{self, BROADCAST, Greeting, PubSub, StreamName};
use crate::rate;
use crate::session::{Done, Effects, PageState, Refused, Session, SessionId, SessionState, Sessions};
use crate::spread::Spread;

/// When tabs of a session that has logged in elsewhere come back, in milliseconds: their browser should have the new
/// cookie by then.
const AFTER_LOGIN_MS: u64 = 500;

/// The low bits of a connection's number, which its server counts.
const OWN_BITS: u32 = 32;

/// The shared state. Locks are taken in the order streams, registry of sessions, session, outbox.
pub(crate) struct Hub {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) log: Log,
    pub(crate) limits: Limits,
    pub(crate) sessions: Sessions,
    pub(crate) presence: Presence,
    pub(crate) mode: Mode,
    /// The tie to other servers.
    pub(crate) backplane: Option<Arc<Backplane>>,
    pubsub: PubSub,
    /// Who is told, in development.
    pub(crate) author: OnceLock<Arc<dyn Author>>,
    connections: Mutex<Connections>,
    last_connection: AtomicU64,
    /// Told when a connection has ended.
    left: Notify,
}

/// Whether the browser is told what only the app's author should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Development,
    Deployed,
}

#[derive(Debug, Default)]
struct Connections {
    open: FxHashMap<u64, Arc<Connection>>,
    of_address: HashMap<IpAddr, usize>,
}

/// A change of a session that JavaScript asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HubError {
    #[error("the session is gone")]
    NoSession,
    #[error("an event has {bytes} bytes, {max} are allowed (limits.answer_bytes)")]
    EventTooLarge { bytes: usize, max: usize },
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// The streams that a session has.
fn streams_of(state: &SessionState) -> Vec<StreamName> {
    let mut streams: Vec<StreamName> = vec![BROADCAST.into()];
    streams.extend(state.user_id.as_deref().map(pubsub::user_stream));
    streams.extend(state.channels.iter().map(|name| pubsub::channel_stream(name)));
    streams
}

impl Hub {
    pub(crate) fn new(
        (clock, log): (Arc<dyn Clock>, Log),
        limits: Limits,
        sessions: Sessions,
        presence: Presence,
        mode: Mode,
        backplane: Option<Arc<Backplane>>,
    ) -> Arc<Self> {
        let pubsub = PubSub::new(&limits);
        // With other servers, a connection's number says whose it is.
        let first = backplane.as_ref().map_or(0, |backplane| u64::from(backplane.server()) << OWN_BITS);
        let (connections, last_connection) = (Mutex::default(), AtomicU64::new(first));
        let left = Notify::new();
        let hub = Self {
            clock,
            log,
            limits,
            sessions,
            presence,
            mode,
            backplane,
            pubsub,
            author: OnceLock::new(),
            connections,
            last_connection,
            left,
        };
        let hub = Arc::new(hub);
        if let Some(backplane) = &hub.backplane {
            backplane.attach_hub(&hub);
        }
        hub
    }

    /// The streams, for whoever brings events from elsewhere.
    pub(crate) fn streams(&self) -> pubsub::Bus<'_> {
        self.pubsub.lock(self.clock.now_ms())
    }

    /// Goes on when these streams are here: at once, unless they are shared with other servers.
    fn with_streams(self: &Arc<Self>, names: &[StreamName], then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let Some(backplane) = &self.backplane else { return then(self) };
        let lacking = self.streams().lacks(names);
        if lacking.is_empty() { then(self) } else { backplane.attach(lacking, then) }
    }

    /// A new connection, or none when there are too many.
    pub(crate) fn connect(&self, session: Arc<Session>, opened_as: SessionId, ip: IpAddr) -> Option<Arc<Connection>> {
        let mut connections = self.connections.lock();
        let full = connections.open.len() >= self.limits.connections;
        let of_address = connections.of_address.entry(rate::network(ip)).or_default();
        if full || *of_address >= self.limits.connections_per_address {
            return None;
        }
        *of_address += 1;
        let id = self.last_connection.fetch_add(1, Ordering::Relaxed) + 1;
        let now_ms = self.clock.now_ms();
        let connection = Arc::new(Connection::new(id, (session, opened_as), ip, &self.limits, now_ms));
        connections.open.insert(id, Arc::clone(&connection));
        Some(connection)
    }

    /// A connection has ended.
    pub(crate) fn disconnect(&self, connection: &Connection) {
        let now_ms = self.clock.now_ms();
        // First, so that a greeting that comes too late sees it.
        let mut connections = self.connections.lock();
        connections.open.remove(&connection.id);
        let address = rate::network(connection.ip);
        if let Some(count) = connections.of_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                connections.of_address.remove(&address);
            }
        }
        drop(connections);
        self.pubsub.lock(now_ms).remove(connection.id);
        let mut state = connection.session.lock();
        state.connections.retain(|other| other.id != connection.id);
        if let Some(page) = connection.page() {
            state.answers.left(page, connection.id, now_ms);
        }
        state.idle_since_ms = now_ms;
        drop(state);
        self.left.notify_waiters();
    }

    /// A connection said hello: gives it its session's streams, and what it missed.
    pub(crate) fn greet(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        hello: Hello,
        build_id: impl FnOnce() -> String + Send + 'static,
    ) {
        let lacking = match &self.backplane {
            Some(_) => self.streams().lacks(&streams_of(&connection.session.lock())),
            None => Vec::new(),
        };
        if lacking.is_empty() {
            self.greet_now(connection, &hello, build_id);
            return;
        }
        let connection = Arc::clone(connection);
        // It may have got further ones meanwhile.
        self.with_streams(&lacking, move |hub| hub.greet(&connection, hello, build_id));
    }

    fn greet_now(&self, connection: &Arc<Connection>, hello: &Hello, build_id: impl FnOnce() -> String) {
        let now_ms = self.clock.now_ms();
        let mut bus = self.pubsub.lock(now_ms);
        if !self.connections.lock().open.contains_key(&connection.id) {
            // It ended while its streams were fetched.
            return;
        }
        let mut state = connection.session.lock();
        if state.id != connection.opened_as {
            // A login came between the handshake and this: its browser has a new cookie, and must show it.
            connection.close(CloseCode::Restart);
            return;
        }
        let page_state = if hello.positions.is_none() { PageState::Fresh } else { PageState::Returning };
        state.answers.hello(hello.client_id, connection.id, page_state, &self.limits);
        // A page has one connection: what it had before is dead, though nobody may have noticed yet.
        for stale in state.connections.extract_if(.., |other| other.page() == Some(hello.client_id)) {
            bus.remove(stale.id);
            stale.close(CloseCode::Restart);
        }
        state.connections.push(Arc::clone(connection));
        let streams = streams_of(&state);
        drop(state);
        let options = WelcomeOptions {
            heartbeat_ms: self.limits.idle_ms / 3,
            message_bytes: self.limits.message_bytes,
            connection: connection.id,
            develops: self.author.get().is_some(),
        };
        let build_id = build_id();
        let greeting = Greeting { build_id: &build_id, options: &options, reached: hello.positions.as_deref() };
        bus.welcome(connection, &streams, &greeting);
        connection.set_greeted();
        self.brief(connection);
        drop(bus);
        self.alive(&connection.session);
    }

    /// A tab of this session gave a sign of life.
    pub(crate) fn alive(&self, session: &Session) {
        let state = session.lock();
        if let Some(user) = &state.user_id {
            self.seen(user);
        }
    }

    fn seen(&self, user: &str) {
        let news = self.presence.seen(user, self.clock.now_ms());
        if let Some(backplane) = self.backplane.as_ref().filter(|_| news) {
            backplane.came(user);
        }
    }

    /// Publishes to everybody who has one of `streams`.
    pub(crate) fn publish(&self, streams: &[StreamName], event: Event) -> Result<(), HubError> {
        self.check_size(&event)?;
        match &self.backplane {
            Some(backplane) => backplane.publish(streams, event),
            None => self.streams().publish(streams, event),
        }
        Ok(())
    }

    /// Sends an event to one connection; it is not kept for later.
    pub(crate) fn publish_to(&self, connection: u64, event: &Event) -> Result<(), HubError> {
        self.check_size(event)?;
        let server = u32::try_from(connection >> OWN_BITS).unwrap_or(u32::MAX);
        match self.backplane.as_ref().filter(|backplane| backplane.server() != server) {
            Some(backplane) => backplane.send_to(server, connection, event),
            None => self.send_to_own(connection, event),
        }
        Ok(())
    }

    /// Sends an event to one connection of this server.
    pub(crate) fn send_to_own(&self, connection: u64, event: &Event) {
        if let Some(connection) = self.connection(connection) {
            let through = [("!", 0)];
            connection.send_event(event.encode(&through), event.place(&through).as_ref());
        }
    }

    fn check_size(&self, event: &Event) -> Result<(), HubError> {
        let (bytes, max) = (event.bytes(), self.limits.answer_bytes);
        if bytes > max { Err(HubError::EventTooLarge { bytes, max }) } else { Ok(()) }
    }

    /// Shows a line in the console of every browser: in development only.
    pub(crate) fn tell_browsers(&self, level: u8, text: &str) {
        if self.mode == Mode::Development {
            let text = protocol::log(level, text);
            for connection in self.connections.lock().open.values().filter(|c| c.page().is_some()) {
                connection.send(text.clone());
            }
        }
    }

    /// The connection that host calls name.
    pub(crate) fn connection(&self, id: u64) -> Option<Arc<Connection>> {
        self.connections.lock().open.get(&id).cloned()
    }

    /// Changes what the app stored in a session.
    pub(crate) fn save(
        &self,
        key: u64,
        set: serde_json::Map<String, serde_json::Value>,
        unset: &[String],
        done: Option<Done>,
    ) -> Result<(), HubError> {
        let session = self.sessions.by_key(key).ok_or(HubError::NoSession)?;
        session.lock().change(set, unset, &self.limits)?;
        self.sessions.save(&session, done);
        Ok(())
    }

    /// Subscribes a session, with all its tabs, to channels.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        key: u64,
        names: Vec<String>,
        done: Option<Done>,
    ) -> Result<(), HubError> {
        let session = self.sessions.by_key(key).ok_or(HubError::NoSession)?;
        let new = session.lock().add_channels(names, &self.limits)?;
        self.join_tabs(&session, new);
        self.sessions.save(&session, done);
        Ok(())
    }

    /// Gives the tabs of a session channels that it has.
    fn join_tabs(self: &Arc<Self>, session: &Arc<Session>, channels: Vec<String>) {
        let streams: Vec<StreamName> = channels.iter().map(|name| pubsub::channel_stream(name)).collect();
        let session = Arc::clone(session);
        self.with_streams(&streams, move |hub| {
            let mut bus = hub.streams();
            let state = session.lock();
            // It may have left them meanwhile.
            let held = channels.iter().filter(|name| state.channels.contains(*name));
            for stream in held.map(|name| pubsub::channel_stream(name)) {
                state.connections.iter().for_each(|tab| bus.join(tab, &stream));
            }
        });
    }

    /// Takes channels from a session and all its tabs.
    pub(crate) fn unsubscribe(&self, key: u64, names: &[String], done: Option<Done>) -> Result<(), HubError> {
        let session = self.sessions.by_key(key).ok_or(HubError::NoSession)?;
        let mut bus = self.pubsub.lock(self.clock.now_ms());
        let mut state = session.lock();
        let gone: Vec<&String> = names.iter().filter(|name| state.channels.remove(*name)).collect();
        let tabs = state.connections.clone();
        drop(state);
        for name in gone {
            let stream = pubsub::channel_stream(name);
            tabs.iter().for_each(|tab| bus.leave(tab, &stream));
        }
        drop(bus);
        self.sessions.save(&session, done);
        Ok(())
    }

    /// Logs a session in, on the connection that asked. The session gets a new id, which that connection's browser
    /// fetches with a ticket; its other tabs have to come back with it, since whoever knew the old id may hold one.
    pub(crate) fn log_in(
        self: &Arc<Self>,
        key: u64,
        user: &str,
        connection: Option<u64>,
        done: Option<Done>,
    ) -> Result<(), HubError> {
        let session = self.sessions.by_key(key).ok_or(HubError::NoSession)?;
        let user = user.to_owned();
        self.with_streams(&[pubsub::user_stream(&user)], move |hub| hub.log_in_now(&session, &user, connection, done));
        Ok(())
    }

    fn log_in_now(&self, session: &Arc<Session>, user: &str, connection: Option<u64>, done: Option<Done>) {
        let now_ms = self.clock.now_ms();
        let asked_on = connection.and_then(|id| self.connection(id));
        let mut bus = self.pubsub.lock(now_ms);
        let mut state = session.lock();
        let before = state.user_id.replace(user.to_owned());
        if before.as_deref() == Some(user) {
            drop((state, bus));
            self.sessions.save(session, done);
            return;
        }
        let is_asker = |tab: &Arc<Connection>| asked_on.as_ref().is_some_and(|asker| asker.id == tab.id);
        let (askers, others): (Vec<_>, Vec<_>) = state.connections.drain(..).partition(is_asker);
        state.connections.extend(askers.iter().cloned());
        drop(state);
        self.sessions.change_id(session, now_ms);
        for tab in &others {
            bus.remove(tab.id);
            tab.send(protocol::reconnect(AFTER_LOGIN_MS));
            tab.close(CloseCode::Restart);
        }
        for tab in &askers {
            if let Some(before) = &before {
                bus.leave(tab, &pubsub::user_stream(before));
            }
            bus.join(tab, &pubsub::user_stream(user));
            tab.hold_answers();
            self.sessions.issue_ticket(session, tab, now_ms);
        }
        self.leave_presence(&bus, before.as_deref());
        drop(bus);
        self.seen(user);
        self.sessions.save(session, done);
    }

    /// Another server changed a session: its tabs here follow.
    pub(crate) fn follow(self: &Arc<Self>, session: &Arc<Session>, effects: Effects) {
        let Effects { joined, left, user } = effects;
        if !left.is_empty() {
            let mut bus = self.streams();
            let tabs = session.lock().connections.clone();
            for stream in left.iter().map(|name| pubsub::channel_stream(name)) {
                tabs.iter().for_each(|tab| bus.leave(tab, &stream));
            }
        }
        if !joined.is_empty() {
            self.join_tabs(session, joined);
        }
        let Some((before, after)) = user else { return };
        let session = Arc::clone(session);
        let streams: Vec<StreamName> = after.iter().map(|user| pubsub::user_stream(user)).collect();
        self.with_streams(&streams.clone(), move |hub| {
            let mut bus = hub.streams();
            let tabs = session.lock().connections.clone();
            if let Some(before) = &before {
                let stream = pubsub::user_stream(before);
                tabs.iter().for_each(|tab| bus.leave(tab, &stream));
            }
            for stream in &streams {
                tabs.iter().for_each(|tab| bus.join(tab, stream));
            }
            hub.leave_presence(&bus, before.as_deref());
        });
    }

    /// A login on another server gave a session a new id: its tabs here have to come back with it.
    pub(crate) fn session_moved(&self, session: &Session) {
        self.sessions.forget(session);
        let mut bus = self.streams();
        let tabs = std::mem::take(&mut session.lock().connections);
        for tab in tabs {
            bus.remove(tab.id);
            tab.send(protocol::reconnect(AFTER_LOGIN_MS));
            tab.close(CloseCode::Restart);
        }
    }

    /// Logs a session out: at once, for all its tabs.
    pub(crate) fn log_out(&self, key: u64, done: Option<Done>) -> Result<(), HubError> {
        let session = self.sessions.by_key(key).ok_or(HubError::NoSession)?;
        let mut bus = self.pubsub.lock(self.clock.now_ms());
        let mut state = session.lock();
        let before = state.user_id.take();
        let tabs = state.connections.clone();
        drop(state);
        if let Some(before) = &before {
            let stream = pubsub::user_stream(before);
            tabs.iter().for_each(|tab| bus.leave(tab, &stream));
        }
        self.leave_presence(&bus, before.as_deref());
        drop(bus);
        self.sessions.save(&session, done);
        Ok(())
    }

    /// A user whose last tab is logged out is no longer online.
    fn leave_presence(&self, bus: &pubsub::Bus<'_>, user: Option<&str>) {
        if let Some(user) = user
            && !bus.has_subscribers(&pubsub::user_stream(user))
        {
            self.presence.left(user);
            if let Some(backplane) = &self.backplane {
                backplane.left(user);
            }
        }
    }

    /// Ends what is too old or silent for too long.
    pub(crate) fn sweep(&self) {
        let now_ms = self.clock.now_ms();
        self.sessions.sweep(now_ms);
        let forgotten = self.pubsub.lock(now_ms).sweep();
        if let Some(backplane) = &self.backplane {
            backplane.detach(&forgotten);
            backplane.sweep(self, now_ms);
        }
        self.presence.sweep(now_ms);
        for connection in self.all_connections() {
            connection.sweep(&self.limits, now_ms);
        }
    }

    /// Tells every page that another build is served from now on. Those that are just being greeted hear it in their welcome.
    pub(crate) fn tell_upgrade(&self, build_id: &str) {
        let bus = self.pubsub.lock(self.clock.now_ms());
        let text = protocol::upgrade(build_id);
        for connection in self.all_connections().iter().filter(|connection| connection.is_greeted()) {
            connection.send(text.clone());
        }
        drop(bus);
    }

    /// How many connections there are.
    pub(crate) fn open_connections(&self) -> usize {
        self.connections.lock().open.len()
    }

    /// Tells every client when to come back, each at a time of its own; returns when the last one does, in milliseconds.
    pub(crate) fn say_goodbye(&self) -> u64 {
        let connections = self.all_connections();
        let spread = Spread::of(connections.len(), self.limits.shutdown_spread_ms);
        for (turn, connection) in connections.iter().enumerate() {
            connection.send(protocol::reconnect(spread.delay_ms(turn)));
        }
        spread.all_ms()
    }

    /// Closes every connection.
    pub(crate) fn close_all(&self) {
        for connection in self.all_connections() {
            connection.close(CloseCode::Restart);
        }
    }

    /// Resolves when there is no connection.
    pub(crate) async fn all_gone(&self) {
        loop {
            let left = self.left.notified();
            if self.connections.lock().open.is_empty() {
                return;
            }
            left.await;
        }
    }

    pub(crate) fn all_connections(&self) -> Vec<Arc<Connection>> {
        self.connections.lock().open.values().cloned().collect()
    }
}
