//! What the edge asks of an engine, behind a trait, so that the edge can be tested with scripted answers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::future::BoxFuture;

use crate::engine::{
    Call, CallContext, CallGroup, ClientEvent, Door, Engine, HttpRequest, Json, Outcome, SessionView, answered,
};

/// Runs actions.
pub trait Actions: Send + Sync + 'static {
    /// Hands a call over before it returns, so that calls start in the order in which this is called; the future waits
    /// for what comes of it.
    fn call(&self, call: Call) -> BoxFuture<'static, Outcome>;

    /// The same for several calls; `path` gives the path of an action by its number. The group is told what came of each.
    fn start(&self, calls: CallGroup, path: &dyn Fn(usize) -> String) {
        let started: Vec<_> = calls.split(path).map(|call| self.call(call)).collect();
        for (place, outcome) in started.into_iter().enumerate() {
            let waits = Arc::clone(&calls.waits);
            let call = calls.call(place);
            tokio::spawn(async move {
                let outcome = outcome.await;
                waits.answered(&mut std::iter::once((call, answered(&outcome))));
            });
        }
    }

    /// Asks a module of `lib/server` whether these credentials are good: its `authenticate(params, cb)`. The outcome is
    /// what it gave its callback.
    fn authenticate(&self, module: &str, params: Json, context: CallContext) -> BoxFuture<'static, Outcome>;

    /// Tells that a connection has closed whose end the app wanted to know.
    fn disconnected(&self, connection: u64, session: SessionView);

    /// Tells what has happened to a connection, when the app wants to know.
    fn event(&self, _event: ClientEvent, _connection: u64, _session: SessionView) {}

    /// Whether requests of HTTP go through the app first.
    fn has_middleware(&self) -> bool {
        false
    }

    /// How its middleware is reached; `None` while there is no engine.
    fn door(&self) -> BoxFuture<'static, Option<Door>> {
        Box::pin(std::future::ready(None))
    }

    /// Asks middleware that takes whole bodies.
    fn http(&self, _request: HttpRequest) -> BoxFuture<'static, Outcome> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Evaluates a line of a console.
    fn evaluate(&self, _code: &str, _context: CallContext) -> BoxFuture<'static, Outcome> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// How a path at a console may go on.
    fn complete(&self, _path: &str, _context: CallContext) -> BoxFuture<'static, Outcome> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Ends the engine; calls that still run fail.
    fn close(&self) -> BoxFuture<'static, ()>;
}

impl Actions for Engine {
    fn call(&self, call: Call) -> BoxFuture<'static, Outcome> {
        let engine = self.clone();
        started(async move { engine.call(call).await })
    }

    fn start(&self, calls: CallGroup, _path: &dyn Fn(usize) -> String) {
        self.start_calls(calls);
    }

    fn authenticate(&self, module: &str, params: Json, context: CallContext) -> BoxFuture<'static, Outcome> {
        let (engine, module) = (self.clone(), module.to_owned());
        started(async move { engine.authenticate(module, params, context).await })
    }

    fn disconnected(&self, connection: u64, session: SessionView) {
        Engine::disconnected(self, connection, &session);
    }

    fn event(&self, event: ClientEvent, connection: u64, session: SessionView) {
        Engine::event(self, event, connection, &session);
    }

    fn has_middleware(&self) -> bool {
        Engine::has_middleware(self)
    }

    fn door(&self) -> BoxFuture<'static, Option<Door>> {
        let engine = self.clone();
        Box::pin(async move { Engine::door(&engine).await })
    }

    fn http(&self, request: HttpRequest) -> BoxFuture<'static, Outcome> {
        let engine = self.clone();
        Box::pin(async move { Engine::http(&engine, &request).await })
    }

    fn evaluate(&self, code: &str, context: CallContext) -> BoxFuture<'static, Outcome> {
        let (engine, code) = (self.clone(), code.to_owned());
        Box::pin(async move { engine.evaluate(&code, context).await })
    }

    fn complete(&self, path: &str, context: CallContext) -> BoxFuture<'static, Outcome> {
        let (engine, path) = (self.clone(), path.to_owned());
        Box::pin(async move { engine.complete(&path, context).await })
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        let engine = self.clone();
        Box::pin(async move { Engine::close(&engine).await })
    }
}

/// Polls a future once, which is when an engine hands its job over; a task of its own may wait for the rest.
fn started(future: impl Future<Output = Outcome> + Send + 'static) -> BoxFuture<'static, Outcome> {
    let mut future: Pin<Box<dyn Future<Output = Outcome> + Send>> = Box::pin(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Box::pin(std::future::ready(outcome)),
        Poll::Pending => future,
    }
}
