//! One tab's connection, whatever carries it: what it says is received here, what it is told waits in its outbox.

mod frame;
mod outbox;
pub(crate) mod socket;

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use parking_lot::Mutex;

use crate::app::{App, Running, RunningCall};
use crate::calls::Together;
use crate::engine::ClientEvent;
use crate::limits::Limits;
use crate::protocol::{self, CallMessage, ClientId, ClientMessage, CloseCode, ProtocolError, Text};
use crate::rate::{Bucket, Rate, Verdict};
use crate::session::{Session, SessionId};
use crate::skew::PageBuild;
use crate::split;
pub(crate) use outbox::Messages;
use outbox::{Next, Outbox};

/// A tab.
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) session: Arc<Session>,
    /// The session's id when the connection was made: after a login it proves nothing any more.
    pub(crate) opened_as: SessionId,
    pub(crate) ip: IpAddr,
    opened_ms: u64,
    page: OnceLock<ClientId>,
    build: OnceLock<PageBuild>,
    /// The build that the page is of by now, in development.
    page_build: Mutex<String>,
    seen_ms: AtomicU64,
    closing_since_ms: AtomicU64,
    given_up: AtomicBool,
    greeted: AtomicBool,
    watches: Mutex<Vec<(u64, RunningCall)>>,
    running: AtomicUsize,
    bucket: Mutex<Bucket>,
    outbox: Arc<Outbox>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.id)
    }
}

/// What whoever carries a connection has to do.
#[derive(Debug)]
pub(crate) enum Carried {
    /// Bring this to the client.
    Message(Text),
    /// End with this code.
    Close(CloseCode),
    /// End without a word: the client takes nothing.
    GivenUp,
    /// Nothing now.
    Nothing,
}

/// How long a closing connection has to take its close frame, in milliseconds.
const CLOSE_MS: u64 = 3_000;

impl Connection {
    pub(crate) fn new(
        id: u64,
        (session, opened_as): (Arc<Session>, SessionId),
        ip: IpAddr,
        limits: &Limits,
        now_ms: u64,
    ) -> Self {
        Self {
            id,
            session,
            opened_as,
            ip,
            opened_ms: now_ms,
            page: OnceLock::new(),
            build: OnceLock::new(),
            page_build: Mutex::default(),
            seen_ms: AtomicU64::new(now_ms),
            closing_since_ms: AtomicU64::new(0),
            given_up: AtomicBool::new(false),
            greeted: AtomicBool::new(false),
            watches: Mutex::default(),
            running: AtomicUsize::new(0),
            bucket: Mutex::new(Bucket::full(rate(limits), now_ms)),
            outbox: Outbox::new(limits.queue_bytes, limits.queue_messages),
        }
    }

    /// The page that said hello on it.
    pub(crate) fn page(&self) -> Option<ClientId> {
        self.page.get().copied()
    }

    /// The build that the page came from.
    pub(crate) fn build(&self) -> &PageBuild {
        self.build.get().unwrap_or(&PageBuild::Unnamed)
    }

    pub(crate) fn set_build(&self, build: PageBuild) {
        // A page says hello once.
        self.build.get_or_init(|| build);
    }

    /// The page on it is of that build.
    pub(crate) fn set_page_build(&self, build_id: &str) {
        build_id.clone_into(&mut self.page_build.lock());
    }

    /// Brings the page from the build that it is of to the one that `bring` names.
    pub(crate) fn bring_page(&self, bring: impl FnOnce(&str) -> Option<String>) {
        let mut page_build = self.page_build.lock();
        if let Some(to) = bring(&page_build) {
            *page_build = to;
        }
    }

    /// Queues a message.
    pub(crate) fn send(&self, text: Text) {
        self.outbox.send(text);
    }

    /// Queues an event; when it has a `place`, what waits there is not sent any more.
    pub(crate) fn send_event(&self, text: Text, place: Option<&Arc<str>>) {
        match place {
            None => self.outbox.send(text),
            Some(place) => self.outbox.send_latest(text, place),
        }
    }

    /// Queues answers, behind a login that waits for its ticket.
    pub(crate) fn answer(&self, messages: Messages) {
        self.outbox.answer(messages);
    }

    /// Answers wait from now on, until a login's ticket is redeemed or has expired.
    pub(crate) fn hold_answers(&self) {
        self.outbox.hold_answers();
    }

    /// Lets the answers go that wait for a ticket.
    pub(crate) fn release_answers(&self) {
        self.outbox.release_answers();
    }

    /// Ends the connection after what is queued.
    pub(crate) fn close(&self, code: CloseCode) {
        self.outbox.close(code);
    }

    /// The server code of that generation wants to know when this connection ends; it counts among `watches` until then.
    pub(crate) fn watch_end(&self, generation: u64, watches: &Arc<Running>) {
        let mut known = self.watches.lock();
        if known.iter().all(|(other, _)| *other != generation)
            && let Ok(watch) = watches.start(usize::MAX)
        {
            known.push((generation, watch));
        }
    }

    /// Those that wanted to know, at its end.
    pub(crate) fn take_watches(&self) -> Vec<(u64, RunningCall)> {
        std::mem::take(&mut self.watches.lock())
    }

    /// It has been welcomed.
    pub(crate) fn set_greeted(&self) {
        self.greeted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_greeted(&self) -> bool {
        self.greeted.load(Ordering::Relaxed)
    }

    /// Takes some of the calls that a connection may have in hand: of `wanted`, as many as there is room for.
    pub(crate) fn start_calls(&self, wanted: usize, limit: usize) -> usize {
        let before = self.running.fetch_add(wanted, Ordering::Relaxed);
        let begun = wanted.min(limit.saturating_sub(before));
        self.end_calls(wanted - begun);
        begun
    }

    pub(crate) fn end_calls(&self, count: usize) {
        self.running.fetch_sub(count, Ordering::Relaxed);
    }

    /// A sign of life arrived; too many of them end the connection.
    pub(crate) fn heard(&self, app: &App) {
        self.heard_at(app, 1, app.hub.clock.now_ms());
    }

    fn heard_at(&self, app: &App, messages: usize, now_ms: u64) {
        self.seen_ms.store(now_ms, Ordering::Relaxed);
        if self.bucket.lock().take(messages, rate(&app.hub.limits), now_ms) == Verdict::Refused {
            self.close(CloseCode::TooMany);
        }
    }

    /// A frame arrived, with no other.
    pub(crate) fn receive(self: &Arc<Self>, app: &Arc<App>, frame: &str) {
        let mut together = Together::default();
        self.receive_with(app, frame, &mut together);
        together.start(app, self);
    }

    /// A frame arrived among others, with a message in each of its lines; calls wait in `together` to be started with others.
    pub(crate) fn receive_with(self: &Arc<Self>, app: &Arc<App>, frame: &str, together: &mut Together) {
        let messages = split::count(frame, b'\n');
        self.heard_at(app, messages, together.now_ms(app));
        if self.outbox.is_closing() {
            return;
        }
        let mut calls = Vec::with_capacity(messages);
        for message in split::at(frame, b'\n') {
            match (ClientMessage::parse(message), self.page()) {
                (Ok(ClientMessage::Call(call)), Some(_)) => calls.push(call),
                (message, page) => {
                    self.receive_calls(app, &mut calls, together);
                    together.start(app, self);
                    self.receive_other(app, message, page);
                    if self.outbox.is_closing() {
                        return;
                    }
                }
            }
        }
        self.receive_calls(app, &mut calls, together);
    }

    fn receive_calls(self: &Arc<Self>, app: &Arc<App>, calls: &mut Vec<CallMessage<'_>>, together: &mut Together) {
        if let Some(page) = self.page()
            && !calls.is_empty()
        {
            together.receive(app, self, page, calls);
            calls.clear();
        }
    }

    /// A message that is no call from a page that has said hello.
    fn receive_other(
        self: &Arc<Self>,
        app: &Arc<App>,
        message: Result<ClientMessage<'_>, ProtocolError>,
        page: Option<ClientId>,
    ) {
        match (message, page) {
            (Ok(ClientMessage::Hello(hello)), None) => {
                self.page.get_or_init(|| hello.client_id);
                app.greet(self, hello);
            }
            (Ok(ClientMessage::Ping), Some(_)) => {
                app.hub.alive(&self.session);
                app.current().tell(ClientEvent::Heartbeat, self);
                self.send(protocol::pong());
            }
            (Ok(ClientMessage::Said { level, text }), Some(_)) if app.hub.author.get().is_some() => {
                app.hub.author.get().into_iter().for_each(|author| author.page_said(level, &text));
            }
            (Err(ProtocolError::Version), _) => self.close(CloseCode::Version),
            // Not ours, or hello twice, or anything before hello.
            _ => self.close(CloseCode::Protocol),
        }
    }

    /// The same for carriers that have no limit of their own for a message.
    pub(crate) fn receive_bounded(self: &Arc<Self>, app: &Arc<App>, text: &str) {
        if text.len() > app.hub.limits.message_bytes {
            self.close(CloseCode::TooLarge);
        } else {
            self.receive(app, text);
        }
    }

    /// What is to be carried next; `waker` is woken when there is something.
    pub(crate) fn carried(&self, waker: &Waker) -> Carried {
        self.outbox.register(waker);
        if self.given_up.load(Ordering::Relaxed) {
            return Carried::GivenUp;
        }
        match self.outbox.next() {
            Some(Next::Message(text)) => Carried::Message(text),
            Some(Next::Close(code)) => Carried::Close(code),
            None => Carried::Nothing,
        }
    }

    /// Ends a connection that is silent, or that does not take its end.
    pub(crate) fn sweep(&self, limits: &Limits, now_ms: u64) {
        if self.page().is_none() && now_ms >= self.opened_ms + limits.handshake_ms {
            self.close(CloseCode::NoHello);
        } else if now_ms >= self.seen_ms.load(Ordering::Relaxed) + limits.idle_ms {
            self.close(CloseCode::Idle);
        }
        if self.outbox.is_closing() {
            let since = &self.closing_since_ms;
            match since.load(Ordering::Relaxed) {
                0 => since.store(now_ms, Ordering::Relaxed),
                since_ms if now_ms >= since_ms + CLOSE_MS => {
                    self.given_up.store(true, Ordering::Relaxed);
                    self.outbox.wake();
                }
                _ => {}
            }
        }
    }
}

fn rate(limits: &Limits) -> Rate {
    Rate { per_second: limits.messages_per_second, burst: limits.messages_burst }
}
