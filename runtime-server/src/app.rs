//! One app being served: the build, its engine, and what its connections share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::actions::Actions;
use crate::assets::Assets;
use crate::config::Config;
use crate::connection::Connection;
use crate::engine::{CallError, ErrorCode};
use crate::hub::Hub;
use crate::manifest::Action;
use crate::pages::Pages;
use crate::protocol::Hello;
use crate::rate::Addresses;

/// Everything that a request may need.
pub(crate) struct App {
    pub(crate) hub: Arc<Hub>,
    pub(crate) actions: Arc<dyn Actions>,
    pub(crate) tree: Arc<std::collections::BTreeMap<String, Action>>,
    pub(crate) config: Config,
    pub(crate) name: String,
    pub(crate) build_id: String,
    pub(crate) pages: Pages,
    pub(crate) assets: Assets,
    pub(crate) handshakes: Addresses,
    pub(crate) api_requests: Addresses,
    pub(crate) calls: Arc<Running>,
    pub(crate) requests: AtomicU64,
}

impl App {
    /// A connection said hello.
    pub(crate) fn greet(&self, connection: &Arc<Connection>, hello: &Hello) {
        self.hub.greet(connection, hello, &self.build_id);
    }

    /// The action of that path, or why it is not called.
    pub(crate) fn find(&self, action: &str) -> Result<&Action, CallError> {
        self.tree.get(action).ok_or_else(|| {
            let shown: String = action.chars().take(100).collect();
            CallError::new(ErrorCode::UnknownAction, format!("there is no action `{shown}`"))
        })
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
    /// Takes a call in hand.
    pub(crate) fn start(self: &Arc<Self>, limit: usize) -> Result<RunningCall, CallError> {
        let before = self.count.fetch_add(1, Ordering::SeqCst);
        let call = RunningCall(Arc::clone(self));
        if self.stopping.load(Ordering::SeqCst) {
            return Err(CallError::new(ErrorCode::ShuttingDown, "the server is stopping"));
        }
        if before >= limit {
            return Err(CallError::new(ErrorCode::Overloaded, "the server has as many calls in hand as it takes"));
        }
        Ok(call)
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

impl Drop for RunningCall {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.ended.notify_waiters();
        }
    }
}
