//! What the edge asks of an engine, behind a trait, so that the edge can be tested with scripted answers.

use futures_util::future::BoxFuture;

use crate::engine::{Call, Outcome, SessionView};

/// Runs actions.
pub trait Actions: Send + Sync + 'static {
    /// Hands a call over before it returns, so that calls start in the order in which this is called; the future waits
    /// for what comes of it.
    fn call(&self, call: Call) -> BoxFuture<'static, Outcome>;

    /// Asks a module of `lib/server` whether these credentials are good: its `authenticate(params, cb)`. The outcome is
    /// what it gave its callback.
    fn authenticate(&self, module: &str, params: serde_json::Value) -> BoxFuture<'static, Outcome>;

    /// Tells that a connection has closed whose end the app wanted to know.
    fn disconnected(&self, connection: u64, session: SessionView);

    /// Ends the engine; calls that still run fail.
    fn close(&self) -> BoxFuture<'static, ()>;
}
