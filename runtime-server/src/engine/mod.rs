//! The engine boundary: a job goes in; an outcome and host calls come out.
//!
//! Nothing else crosses. JavaScript holds no socket, no session store and no file: it gets a copy of what the
//! call may know ([`CallContext`]) and asks for effects by message ([`HostCall`]), which the edge performs.
//! One prelude (`prelude/`) makes `SS`, `this` and `session` out of these messages, so the embedded engine and
//! Node workers are two carriers of one thing.

pub(crate) mod embedded;
mod group;
mod handle;
mod known;
mod message;
mod node;
mod pool;
pub(crate) mod prelude;
mod stacks;
#[cfg(test)]
mod tests;

pub(crate) use group::push_number;
pub use group::{Answered, CallGroup, Calls, Grouped, MOST_CALLS, Waits, answered};
pub use handle::{Engine, EngineError};
pub(crate) use known::{SessionText, write_session};

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// JSON text that is passed on without being read.
pub type Json = Box<RawValue>;

/// What an engine runs: the linked server code and what the prelude must know of the build.
#[derive(Debug, Clone)]
pub struct Program {
    /// Script in the bundle format (`book/src/internals/bundle.md`), evaluated after the prelude.
    pub bundle: Arc<str>,
    /// Name of the bundle in stacks.
    pub bundle_name: String,
    /// The bundle's source map.
    pub map: Option<std::path::PathBuf>,
    /// Folder that holds the server code of the build: copied packages, and files beside the app's own.
    pub folder: Option<std::path::PathBuf>,
    /// `api.server` of the manifest: the actions.
    pub actions: Arc<std::collections::BTreeMap<String, crate::manifest::Action>>,
    /// Whether config/http.* is among the server code.
    pub middleware: bool,
    /// Whether config/db.* is.
    pub start_up: bool,
    /// `SS.config`.
    pub config: serde_json::Value,
    /// `SS.env`.
    pub env: String,
    /// `SS.version`.
    pub version: String,
    /// What it runs in.
    pub carrier: Carrier,
}

/// What runs JavaScript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// QuickJS-NG on threads of this process.
    Embedded,
    /// Worker processes of Node.js.
    Node {
        /// The program: a path, or a name to be found on the `PATH`.
        command: String,
    },
}

/// One call of an action, already found in the tree and past its guard.
#[derive(Debug)]
pub struct Call {
    /// Path in the tree, parts joined by `/`.
    pub action: String,
    /// The data arguments: a JSON array.
    pub args: Json,
    /// What `this` is made of.
    pub context: CallContext,
    /// How long the answer may take, in milliseconds of wall time.
    pub timeout_ms: u64,
}

/// What a call may know of its caller. Copied into the VM; changes come back as host calls.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallContext {
    /// The caller's session; `None` for calls without one.
    pub session: Option<SessionView>,
    /// `this.request`.
    pub request: RequestView,
}

/// A session as JavaScript sees it at the start of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// The server's name for this session in host calls: stays the same when login changes the public id. Like every
    /// number that passes through JavaScript, below 2^53.
    pub key: u64,
    /// Public id, as in the cookie.
    pub id: String,
    /// Milliseconds since 1970.
    pub created_at: u64,
    /// Who is logged in.
    pub user_id: Option<String>,
    /// What the app stored.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    /// Channels subscribed to.
    pub channels: Vec<String>,
}

/// `this.request`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestView {
    /// Id of this request in the log.
    pub id: String,
    /// How the call came.
    pub origin: Origin,
    /// The caller's address, as far as it is known.
    pub ip: Option<String>,
    /// The connection that the call came on; `None` over HTTP.
    pub connection: Option<u64>,
    /// Body of a POST to the HTTP API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<serde_json::Value>,
}

/// How a call came to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Over a websocket or its fallback.
    Socket,
    /// Over the HTTP API.
    Http,
    /// Typed at a console.
    Console,
    /// From other server code.
    Server,
}

/// What came of a call: a JSON value (`None` is `undefined`), or an error with a code of the table.
pub type Outcome = Result<Option<Json>, CallError>;

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// From the published table.
    pub code: ErrorCode,
    /// For the caller.
    pub message: String,
    /// For the log, and for the browser in development.
    pub stack: Option<String>,
}

impl CallError {
    /// An error without a stack.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), stack: None }
    }

    /// The call kept its engine busy for too long.
    fn interrupted(busy_ms: u64) -> Self {
        let message = format!("The action kept its engine busy for more than {busy_ms} ms without a pause");
        Self::new(ErrorCode::Interrupted, message)
    }
}

macro_rules! error_codes {
    ($($variant:ident $name:literal $retryable:literal $status:literal $about:literal,)*) => {
        /// The published table of errors a call can end with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $about] $variant,)*
        }

        impl ErrorCode {
            /// Every code, in the order of the book.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether the same call may succeed when it is made again.
            pub fn retryable(self) -> bool {
                match self { $(Self::$variant => $retryable,)* }
            }

            /// Status over the HTTP API.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// What it means, in one sentence.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }

            /// The code of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == name)
            }
        }
    };
}

error_codes! {
    UnknownAction "unknown_action" false 404 "There is no such action in this build.",
    StaleClient "stale_client" false 409 "The page is of another build, in which this action was another one: reload it.",
    NotAuthenticated "not_authenticated" false 401 "The action wants a logged-in user.",
    BadRequest "bad_request" false 400 "The call is not well formed.",
    ActionError "action_error" false 500 "The action threw, or its promise was rejected.",
    NotSerializable "not_serializable" false 500 "The answer cannot be written as JSON.",
    Timeout "timeout" true 503 "The action did not answer in time.",
    Interrupted "interrupted" false 503 "The action kept its engine busy for too long and was stopped.",
    MemoryLimit "memory_limit" false 503 "The action used more memory than an engine has.",
    StackLimit "stack_limit" false 500 "The action recursed too deeply.",
    EngineLost "engine_lost" true 503 "The engine that ran the call was replaced.",
    OutcomeUnknown "outcome_unknown" false 503 "The call may or may not have run: its answer is no longer known.",
    RateLimited "rate_limited" true 429 "Too many messages in too short a time.",
    TooLarge "too_large" false 413 "The message is larger than the limit.",
    Overloaded "overloaded" true 503 "The server has as many calls in hand as it takes.",
    ShuttingDown "shutting_down" true 503 "The server is stopping.",
    Offline "offline" true 503 "The call was volatile and there was no connection, or the offline queue is full.",
}

/// An effect that server code asks for. The edge performs it; effects of one VM are performed in order,
/// before the outcome that follows them.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum HostCall {
    /// `SS.publish.*`.
    Publish {
        /// To whom.
        to: PublishTo,
        /// Event name.
        event: String,
        /// First argument of the handlers; absent is `undefined`.
        params: Option<Json>,
        /// What it is the latest of: to a client that is slow, it takes the place of one that still waits.
        conflate: Option<String>,
    },
    /// `session.save()`, and the saving after each call: changed keys only; `null` removes. Replies when stored.
    SessionSave {
        /// Which session.
        session: u64,
        /// Key to new value.
        set: serde_json::Map<String, serde_json::Value>,
        /// Keys that are gone.
        unset: Vec<String>,
    },
    /// `session.setUserId(id)`; `None` is logout. Replies when stored.
    SessionUser {
        /// Which session.
        session: u64,
        /// Who.
        user_id: Option<String>,
        /// The connection it was asked on, which is given the new id.
        connection: Option<u64>,
    },
    /// `session.channel.subscribe(names)`. Replies when stored.
    ChannelSubscribe {
        /// Which session.
        session: u64,
        /// Which channels.
        names: Vec<String>,
    },
    /// `session.channel.unsubscribe(names)`. Replies when stored.
    ChannelUnsubscribe {
        /// Which session.
        session: u64,
        /// Which channels.
        names: Vec<String>,
    },
    /// `session.on('disconnect', fn)`: this VM wants [`Engine::disconnected`] for the connection.
    WatchDisconnect {
        /// Which connection.
        connection: u64,
    },
    /// `SS.events.on('client:init', fn)`: this VM wants [`Engine::event`].
    WatchEvents {
        /// Which.
        events: Vec<ClientEvent>,
    },
    /// `SS.users.online.now()`. Replies with an array of user ids.
    UsersOnline {},
    /// `R.*`: a command of Redis and its arguments. Replies with its answer.
    Redis {
        /// The command's name first.
        command: Vec<String>,
    },
    /// `fetch` of the embedded engine, which performs it itself.
    Fetch {
        /// What is to be fetched.
        request: FetchRequest,
    },
    /// `console.*`, `SS.log`.
    Log {
        /// 0 errors to 4 everything, as in the book.
        level: u8,
        /// The text.
        text: String,
    },
}

/// A request that server code makes of another server.
#[derive(Debug, Clone, Deserialize)]
pub struct FetchRequest {
    /// `GET`.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body, when it is text.
    pub text: Option<String>,
    /// The body in hex, when it is bytes.
    pub hex: Option<String>,
    /// What to do when it is sent elsewhere.
    pub redirect: Redirect,
}

/// What `fetch` does with a redirection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Redirect {
    /// Goes there.
    Follow,
    /// Answers with it.
    Manual,
    /// Fails.
    Error,
}

/// What happens to a connection, for server code that wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ClientEvent {
    /// It has said hello.
    #[serde(rename = "client:init")]
    Init,
    /// It is gone.
    #[serde(rename = "client:disconnect")]
    Disconnect,
    /// It has said that it is still there.
    #[serde(rename = "client:heartbeat")]
    Heartbeat,
}

impl ClientEvent {
    /// The name in server code.
    pub fn name(self) -> &'static str {
        match self {
            Self::Init => "client:init",
            Self::Disconnect => "client:disconnect",
            Self::Heartbeat => "client:heartbeat",
        }
    }
}

/// A request of HTTP for middleware that takes whole bodies.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// `GET`.
    pub method: String,
    /// Path and query.
    pub url: String,
    /// Names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// The caller's address.
    pub ip: String,
    /// Whether it came over TLS.
    pub secure: bool,
    /// The body, when there is one and it is text.
    pub body: Option<String>,
}

/// What became of such a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum HttpOutcome {
    /// It goes on to the server.
    Passed {
        /// Always true.
        pass: bool,
        /// Path and query, which may have been changed.
        url: String,
        /// For the answer.
        headers: Vec<(String, String)>,
    },
    /// It is answered.
    Answered {
        /// The status.
        status: u16,
        /// All headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
}

/// How the engine's middleware is reached.
#[derive(Debug, Clone)]
pub enum Door {
    /// By HTTP, through a socket on disk; a request that is passed on comes back with this secret.
    Socket {
        /// Where.
        path: std::path::PathBuf,
        /// In the header `x-ss-next`.
        secret: Arc<str>,
    },
    /// By [`Engine::http`].
    Messages,
}

/// To whom an event goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishTo {
    /// Every connection.
    Broadcast,
    /// Every connection subscribed to any of these, once each.
    Channels(Vec<String>),
    /// Every connection of these users, once each.
    Users(Vec<String>),
    /// One connection.
    Socket(u64),
}

/// Takes the answer of a host call back into the VM that asked. Dropping it answers with an error.
pub type Reply = Box<dyn FnOnce(Result<serde_json::Value, String>) + Send>;

/// What the edge does for JavaScript. Called on the engine's threads: must not block; long work goes elsewhere and
/// answers through `reply`.
pub trait Host: Send + Sync + 'static {
    /// Performs an effect; `reply` is there when the script waits for an answer.
    fn perform(&self, call: HostCall, reply: Option<Reply>);
}
