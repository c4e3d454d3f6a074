use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};
use ssbuild_server::actions::Actions;
use ssbuild_server::engine::{
    Call, CallContext, CallError, ErrorCode, Host, HostCall, Json, Outcome, PublishTo, SessionView,
};
use tokio::sync::{Notify, Semaphore, oneshot};

/// The actions there are; those below `secret/` are guarded.
pub(crate) const ACTIONS: &[&str] = &[
    "app/echo",
    "app/undefined",
    "app/fail",
    "app/hold",
    "app/count",
    "app/huge",
    "app/watch",
    "app/post",
    "app/request",
    "auth/login",
    "auth/logout",
    "auth/whoami",
    "secret/whoami",
    "store/set",
    "store/get",
    "store/unset",
    "room/join",
    "room/leave",
    "room/say",
    "bus/broadcast",
    "bus/user",
    "bus/direct",
    "users/online",
];

/// Answers as the app's server code would, in Rust.
#[derive(Default)]
pub(crate) struct Script {
    host: Mutex<Option<Arc<dyn Host>>>,
    /// How often `app/count` and `app/hold` ran.
    pub(crate) ran: AtomicU64,
    /// `app/hold` waits for one of these.
    gate: Gate,
    /// Connections that were watched and are gone, with their user.
    gone: Mutex<Vec<(u64, Option<String>)>>,
    someone_left: Notify,
    closed: Notify,
}

struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

/// So that the test can keep it, too.
pub(crate) struct Shared(pub(crate) Arc<Script>);

impl Script {
    pub(crate) fn attach(&self, host: Arc<dyn Host>) {
        *self.host.lock() = Some(host);
    }

    /// Lets calls of `app/hold` go on.
    pub(crate) fn let_go(&self, calls: usize) {
        self.gate.0.add_permits(calls);
    }

    pub(crate) fn count(&self) -> u64 {
        self.ran.load(Ordering::SeqCst)
    }

    /// Waits until the engine has been closed.
    pub(crate) async fn closed(&self) {
        tokio::time::timeout(super::client::PATIENCE, self.closed.notified()).await.expect("the engine is closed");
    }

    /// Waits for the end of a watched connection.
    pub(crate) async fn gone(&self) -> (u64, Option<String>) {
        loop {
            let left = self.someone_left.notified();
            if let Some(gone) = self.gone.lock().pop() {
                return gone;
            }
            tokio::time::timeout(super::client::PATIENCE, left).await.expect("a connection ends");
        }
    }

    /// Asks the host and waits for its reply.
    pub(crate) async fn ask(&self, call: HostCall) -> Result<Value, CallError> {
        let (reply, answer) = oneshot::channel();
        let host = self.host.lock().clone().expect("the server runs");
        host.perform(call, Some(Box::new(move |result| drop(reply.send(result)))));
        let answer = answer.await.unwrap_or_else(|_| Err("no reply".to_owned()));
        answer.map_err(|message| CallError {
            stack: Some("at app.js:1".to_owned()),
            ..CallError::new(ErrorCode::ActionError, message)
        })
    }

    async fn run(self: Arc<Self>, call: Call) -> Result<Option<Value>, CallError> {
        let args: Vec<Value> = serde_json::from_str(call.args.get()).expect("arguments are an array");
        let arg = |index: usize| args.get(index).cloned().unwrap_or(Value::Null);
        let text = |index: usize| arg(index).as_str().unwrap_or_default().to_owned();
        let list = |value: Value| serde_json::from_value::<Vec<String>>(value).expect("a list of names");
        let session = call.context.session.clone().expect("every call here has a session");
        let (key, connection) = (session.key, call.context.request.connection);
        let publish = |to: PublishTo, event: &str, params: Value| HostCall::Publish {
            to,
            event: event.to_owned(),
            params: Some(to_raw_value(&params).expect("JSON")),
            conflate: None,
        };
        Ok(Some(match call.action.as_str() {
            "app/echo" => json!(args),
            "app/undefined" => return Ok(None),
            "app/fail" => {
                let stack = Some("at app/server/app.js:3:5".to_owned());
                return Err(CallError { stack, ..CallError::new(ErrorCode::ActionError, "x is not defined") });
            }
            "app/hold" => {
                self.ran.fetch_add(1, Ordering::SeqCst);
                self.gate.0.acquire().await.expect("the gate stays").forget();
                arg(0)
            }
            "app/count" => json!(self.ran.fetch_add(1, Ordering::SeqCst) + 1),
            "app/huge" => json!("x".repeat(arg(0).as_u64().expect("a number") as usize)),
            "app/watch" => self.ask(HostCall::WatchDisconnect { connection: connection.expect("a socket") }).await?,
            "app/post" => call.context.request.post.unwrap_or_default(),
            "app/request" => serde_json::to_value(&call.context.request).expect("JSON"),
            "auth/login" => {
                self.ask(HostCall::SessionUser { session: key, user_id: Some(text(0)), connection }).await?;
                json!("logged in")
            }
            "auth/logout" => {
                self.ask(HostCall::SessionUser { session: key, user_id: None, connection }).await?;
                json!("logged out")
            }
            "auth/whoami" | "secret/whoami" => json!(session.user_id),
            "store/set" => {
                let set = Map::from_iter([(text(0), arg(1))]);
                self.ask(HostCall::SessionSave { session: key, set, unset: vec![] }).await?
            }
            "store/unset" => {
                self.ask(HostCall::SessionSave { session: key, set: Map::new(), unset: vec![text(0)] }).await?
            }
            "store/get" => json!({"attributes": session.attributes, "channels": session.channels, "id": session.id}),
            "room/join" => self.ask(HostCall::ChannelSubscribe { session: key, names: list(arg(0)) }).await?,
            "room/leave" => self.ask(HostCall::ChannelUnsubscribe { session: key, names: list(arg(0)) }).await?,
            "room/say" => self.ask(publish(PublishTo::Channels(list(arg(0))), "said", arg(1))).await?,
            "bus/broadcast" => self.ask(publish(PublishTo::Broadcast, "news", arg(0))).await?,
            "bus/user" => self.ask(publish(PublishTo::Users(list(arg(0))), "mail", arg(1))).await?,
            "bus/direct" => self.ask(publish(PublishTo::Socket(connection.expect("a socket")), "you", arg(0))).await?,
            "users/online" => self.ask(HostCall::UsersOnline {}).await?,
            other if other.starts_with("skew/") => json!(other),
            other => panic!("no script for {other}: it should not have come through"),
        }))
    }
}

impl Actions for Shared {
    fn call(&self, call: Call) -> BoxFuture<'static, Outcome> {
        let script = Arc::clone(&self.0);
        Box::pin(async move {
            let value = script.run(call).await?;
            Ok(value.map(|value| to_raw_value(&value).expect("JSON")))
        })
    }

    fn authenticate(&self, module: &str, params: Json, _context: CallContext) -> BoxFuture<'static, Outcome> {
        let params: Value = serde_json::from_str(params.get()).expect("JSON");
        let good = module == "passwords" && params["password"] == "open:sesame";
        let answer =
            if good { json!({"success": true, "user_id": params["username"]}) } else { json!({"success": false}) };
        Box::pin(std::future::ready(Ok(Some(to_raw_value(&answer).expect("JSON")))))
    }

    fn disconnected(&self, connection: u64, session: SessionView) {
        self.0.gone.lock().push((connection, session.user_id));
        self.0.someone_left.notify_one();
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        self.0.closed.notify_one();
        Box::pin(std::future::ready(()))
    }
}
