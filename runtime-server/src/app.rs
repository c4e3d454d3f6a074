//! One app being served: its builds and what their connections share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::connection::Connection;
use crate::engine::{CallError, ClientEvent, ErrorCode};
use crate::fallback::Fallbacks;
use crate::generation::Generation;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::protocol::Hello;
use crate::rate::Addresses;
use crate::skew::{KnownBuilds, PageBuild};
use crate::swap::Generations;

/// Everything that a request may need.
pub(crate) struct App {
    pub(crate) hub: Arc<Hub>,
    pub(crate) generations: Generations,
    pub(crate) builds: KnownBuilds,
    pub(crate) name: String,
    pub(crate) handshakes: Addresses,
    pub(crate) fallbacks: Fallbacks,
    pub(crate) api_requests: Addresses,
    /// Wrong credentials over HTTP.
    pub(crate) failed_logins: Addresses,
    pub(crate) calls: Arc<Running>,
    pub(crate) requests: AtomicU64,
    pub(crate) metrics: Arc<Metrics>,
    /// Set when the server is asked to stop.
    pub(crate) leaving: AtomicBool,
}

impl App {
    /// A connection said hello.
    pub(crate) fn greet(self: &Arc<Self>, connection: &Arc<Connection>, hello: Hello) {
        // In development pages are brought up to date, and never stale.
        let develops = self.hub.author.get().is_some();
        connection.set_build(if develops { PageBuild::Unnamed } else { self.builds.of_page(&hello.build_id) });
        connection.set_page_build(&hello.build_id);
        let app = Arc::clone(self);
        self.hub.greet(connection, hello, move || app.current().build_id.clone());
        self.current().tell(ClientEvent::Init, connection);
    }

    /// Whether new clients are welcome.
    pub(crate) fn is_ready(&self) -> bool {
        !self.leaving.load(Ordering::Relaxed)
    }

    /// The selected build.
    pub(crate) fn current(&self) -> Arc<Generation> {
        self.generations.current()
    }

    /// A connection is gone: tells the server code that asked for it.
    pub(crate) fn ended(&self, connection: &Connection) {
        self.hub.disconnect(connection);
        if connection.is_greeted() {
            self.current().tell(ClientEvent::Disconnect, connection);
        }
        for (number, _watch) in connection.take_watches() {
            if let Some(generation) = self.generations.numbered(number) {
                generation.actions.disconnected(connection.id, connection.session.view());
            }
        }
    }
}

/// The calls in hand, counted, so that there are not too many and that the server can wait for them to end.
#[derive(Debug, Default)]
pub(crate) struct Running {
    count: AtomicUsize,
    stopping: AtomicBool,
    ended: Notify,
}

impl Running {
    /// Takes a call in hand, until it is dropped.
    pub(crate) fn start(self: &Arc<Self>, limit: usize) -> Result<RunningCall, CallError> {
        self.begin(1, limit)?;
        Ok(RunningCall(Arc::clone(self)))
    }

    /// Takes calls in hand, until [`Self::end`] is told of them: as many of `wanted` as there is room for, or why there is none.
    pub(crate) fn begin(&self, wanted: usize, limit: usize) -> Result<usize, CallError> {
        let before = self.count.fetch_add(wanted, Ordering::SeqCst);
        let stopping = self.stopping.load(Ordering::SeqCst);
        let begun = if stopping { 0 } else { wanted.min(limit.saturating_sub(before)) };
        self.end(wanted - begun);
        match begun {
            0 if stopping => Err(CallError::new(ErrorCode::ShuttingDown, "the server is stopping")),
            0 => Err(CallError::new(ErrorCode::Overloaded, "the server has as many calls in hand as it takes")),
            begun => Ok(begun),
        }
    }

    /// So many calls have ended.
    pub(crate) fn end(&self, count: usize) {
        if count > 0 && self.count.fetch_sub(count, Ordering::SeqCst) == count {
            self.ended.notify_waiters();
        }
    }

    /// How many are in hand.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Takes no more calls.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Resolves when no call is in hand.
    pub(crate) async fn ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            ended.await;
        }
    }
}

/// A call in hand, until it is dropped.
#[derive(Debug)]
pub(crate) struct RunningCall(Arc<Running>);

impl Clone for RunningCall {
    /// Another one, which is in hand even when no more are taken: the first has not ended.
    fn clone(&self) -> Self {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(&self.0))
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        self.0.end(1);
    }
}
