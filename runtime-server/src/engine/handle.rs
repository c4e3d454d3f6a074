//! The engine, whichever carrier it has.

use std::sync::Arc;

use super::message;
use super::node;
use super::pool::Vms;
use super::{
    Call, CallContext, CallGroup, Carrier, ClientEvent, Door, Host, HttpRequest, Json, Origin, Outcome, Program,
    RequestView, SessionView,
};
use crate::limits::Limits;

/// Runs an app's server code. Clones share the same VMs; the last one to go stops them.
#[derive(Clone)]
pub struct Engine {
    vms: Vms,
}

/// Why an engine could not be started.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The app's code threw while it was loaded.
    #[error("the server code could not be loaded: {}", stack.as_deref().unwrap_or(message))]
    Load {
        /// What was thrown.
        message: String,
        /// Where, in places of the bundle.
        stack: Option<String>,
    },
    /// The machine did not let us.
    #[error("the engine could not be started: {0}")]
    Start(String),
}

impl Engine {
    /// Loads the program into one VM and begins to load a spare. Blocks until the first is loaded.
    pub fn start(program: Program, limits: &Limits, host: Arc<dyn Host>) -> Result<Self, EngineError> {
        Self::start_workers(program, limits, host, 1)
    }

    /// As [`start`](Self::start), with so many VMs; one session's calls all go to the same.
    pub fn start_workers(
        program: Program,
        limits: &Limits,
        host: Arc<dyn Host>,
        workers: usize,
    ) -> Result<Self, EngineError> {
        if let Carrier::Node { command } = &program.carrier {
            node::check(command)?;
        }
        Ok(Self { vms: Vms::start(program, limits, host, workers)? })
    }

    /// Runs an action. It is handed over when the future is first polled; dropping the future forgets the call.
    pub async fn call(&self, call: Call) -> Outcome {
        let text = |id| message::call(id, &call.action, &call.args, &message::known(&call.context));
        self.vms.run(&call.context, call.timeout_ms, text).await
    }

    /// Runs the calls of a group, handed over before this returns; its `waits` is told what came of each.
    pub fn start_calls(&self, calls: CallGroup) {
        self.vms.start_calls(calls);
    }

    /// Runs `authenticate` of the module that `require` knows by that name, for `limits.call_timeout_ms` at most.
    pub async fn authenticate(&self, module: String, params: Json, context: CallContext) -> Outcome {
        let text = |id| message::authenticate(id, &module, &params, &context);
        self.vms.run(&context, self.vms.call_timeout_ms(), text).await
    }

    /// A connection that was asked for by [`HostCall::WatchDisconnect`](super::HostCall) is gone; `session` is its
    /// session as it is now.
    pub fn disconnected(&self, connection: u64, session: &SessionView) {
        self.vms.disconnected(connection, session);
    }

    /// Something that server code wants to know has happened to a connection.
    pub fn event(&self, event: ClientEvent, connection: u64, session: &SessionView) {
        self.vms.event(event, connection, session);
    }

    /// Whether requests of HTTP go through the app first.
    pub fn has_middleware(&self) -> bool {
        self.vms.has_middleware()
    }

    /// How middleware is reached; `None` when the app has none, or while there is no engine.
    pub async fn door(&self) -> Option<Door> {
        self.vms.door().await
    }

    /// Asks middleware that takes whole bodies.
    pub async fn http(&self, request: &HttpRequest) -> Outcome {
        let origin = Origin::Http;
        let request_view = RequestView { id: "http".to_owned(), origin, ip: None, connection: None, post: None };
        let context = CallContext { session: None, request: request_view };
        self.vms.run(&context, self.vms.call_timeout_ms(), |id| message::http(id, request)).await
    }

    /// Evaluates a line of a console; the value as it is shown.
    pub async fn evaluate(&self, code: &str, context: CallContext) -> Outcome {
        self.vms.run(&context, self.vms.call_timeout_ms(), |id| message::evaluate(id, code, &context)).await
    }

    /// How a path may go on: a list of names.
    pub async fn complete(&self, path: &str, context: CallContext) -> Outcome {
        self.vms.run(&context, self.vms.call_timeout_ms(), |id| message::complete(id, path, &context)).await
    }

    /// Stops the VMs. Calls without an answer fail with `shutting_down`.
    pub async fn close(&self) {
        self.vms.close().await;
    }
}
