//! A small app written by hand, and a host that remembers what it was asked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Map, Value, json, value::RawValue};

use crate::engine::{
    Call, CallContext, CallError, Carrier, Engine, EngineError, Host, HostCall, Origin, Outcome, Program, Reply,
    RequestView, SessionView,
};
use crate::limits::Limits;
use crate::manifest::{Action, Style};

tokio::task_local! {
    /// What runs the apps of a test.
    pub(super) static CARRIER: Carrier;
}

/// Node.js of this machine.
pub(super) fn node() -> Carrier {
    Carrier::Node { command: "node".to_owned() }
}

/// Whether the test runs its apps in Node.js.
pub(super) fn on_node() -> bool {
    CARRIER.try_with(|carrier| *carrier != Carrier::Embedded).unwrap_or(false)
}

/// Makes each function a test of both carriers.
macro_rules! on_both_carriers {
    ($($name:ident),* $(,)?) => {
        mod embedded {
            $(#[tokio::test] async fn $name() { super::$name().await; })*
        }
        mod node {
            use crate::engine::tests::double::{CARRIER, node};
            $(#[tokio::test] async fn $name() { CARRIER.scope(node(), super::$name()).await; })*
        }
    };
}
pub(super) use on_both_carriers;

/// What a host was asked, each as a short JSON array.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) asked: Mutex<Vec<Value>>,
    changed: tokio::sync::Notify,
}

impl Recorder {
    /// What was asked, logs apart.
    pub(super) fn effects(&self) -> Vec<Value> {
        self.asked.lock().iter().filter(|asked| asked[0] != "log").cloned().collect()
    }

    /// The log's lines, as `level text`.
    pub(super) fn logs(&self) -> Vec<String> {
        let asked = self.asked.lock();
        let logs = asked.iter().filter(|asked| asked[0] == "log");
        logs.map(|log| format!("{} {}", log[1], log[2].as_str().unwrap_or_default())).collect()
    }

    /// Waits until a line of the log contains a text.
    pub(super) async fn logged(&self, text: &str) {
        self.until(|recorder| recorder.logs().iter().any(|line| line.contains(text))).await;
    }

    /// Waits until something is the case.
    pub(super) async fn until(&self, is: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if is(self) {
                return;
            }
            changed.await;
        }
    }
}

impl Host for Recorder {
    fn perform(&self, call: HostCall, reply: Option<Reply>) {
        let mut answer = Ok(Value::Null);
        let entry = match call {
            HostCall::Publish { to, event, params, conflate } => {
                let params = params.map_or(json!("undefined"), |params| serde_json::from_str(params.get()).unwrap());
                let mut entry = json!(["publish", format!("{to:?}"), event, params]);
                entry.as_array_mut().expect("an array").extend(conflate.map(Value::from));
                entry
            }
            HostCall::SessionSave { session, set, unset } => {
                if set.contains_key("refused") {
                    answer = Err("too large".to_owned());
                }
                json!(["save", session, set, unset])
            }
            HostCall::SessionUser { session, user_id, connection } => {
                answer = Ok(json!({"id": "new-id"}));
                json!(["user", session, user_id, connection])
            }
            HostCall::ChannelSubscribe { session, names } => json!(["subscribe", session, names]),
            HostCall::ChannelUnsubscribe { session, names } => json!(["unsubscribe", session, names]),
            HostCall::WatchDisconnect { connection } => json!(["watch", connection]),
            HostCall::Fetch { request } => json!(["fetch", request.url]),
            HostCall::WatchEvents { events } => json!(["events", events.iter().map(|e| e.name()).collect::<Vec<_>>()]),
            HostCall::UsersOnline {} => {
                answer = Ok(json!(["ann", "bob"]));
                json!(["online"])
            }
            HostCall::Redis { command } => {
                answer = Ok(json!({"asked": command.len()}));
                json!(["redis", command])
            }
            HostCall::Log { level, text } => json!(["log", level, text]),
        };
        self.asked.lock().push(entry);
        self.changed.notify_waiters();
        if let Some(reply) = reply {
            reply(answer);
        }
    }
}

/// An app: files of `app/server`, and its actions as `"app/square(number) cb"`, with `guard` behind when it is guarded.
pub(super) struct App {
    pub(super) program: Program,
    pub(super) limits: Limits,
}

impl App {
    pub(super) fn new(files: &[(&str, &str)], actions: &[&str]) -> Self {
        Self::with(files, &[], &[], actions)
    }

    /// As `new`, with shared files and modules that have a name.
    pub(super) fn with(
        server: &[(&str, &str)],
        shared: &[(&str, &str)],
        named: &[(&str, &str)],
        actions: &[&str],
    ) -> Self {
        let mut definitions = String::new();
        let mut trees: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        let mut order = Vec::new();
        for (kind, files) in [("shared", shared), ("named", named), ("server", server)] {
            for (path, source) in files {
                let id = order.len();
                writeln!(definitions, "{id}: [function (module, exports, require) {{ {source}\n}}, []],").unwrap();
                trees.entry(kind).or_default().insert((*path).to_owned(), json!(id));
                order.push(id);
            }
        }
        let trees = json!(trees);
        Self::raw(&format!("__ss.define({{\n{definitions}}});\n__ss.start({trees}, {order:?});"), actions)
    }

    /// An app from the text of a bundle.
    pub(super) fn raw(bundle: &str, actions: &[&str]) -> Self {
        // Generous, since tests run on busy machines; those about time set their own.
        let limits = Limits { call_busy_ms: 10_000, engine_grace_ms: 10_000, ..Limits::default() };
        let program = Program {
            bundle: bundle.into(),
            bundle_name: "server.js".to_owned(),
            map: None,
            folder: None,
            middleware: false,
            start_up: false,
            actions: Arc::new(actions.iter().map(|text| action(text)).collect()),
            config: json!({"title": "Test", "deep": {"list": [1, 2]}}),
            env: "test".to_owned(),
            version: "0.1.0".to_owned(),
            carrier: CARRIER.try_with(Carrier::clone).unwrap_or(Carrier::Embedded),
        };
        Self { program, limits }
    }

    pub(super) fn start(self) -> (Engine, Arc<Recorder>) {
        let (engine, host) = self.try_start();
        (engine.expect("the app loads"), host)
    }

    pub(super) fn try_start(self) -> (Result<Engine, EngineError>, Arc<Recorder>) {
        let host = Arc::new(Recorder::default());
        (Engine::start(self.program, &self.limits, host.clone()), host)
    }
}

fn action(text: &str) -> (String, Action) {
    let (path, rest) = text.split_once('(').expect("path(params) style");
    let (params, tail) = rest.split_once(')').expect("path(params) style");
    let names: Vec<String> = params.split(',').map(|name| name.trim().to_owned()).filter(|n| !n.is_empty()).collect();
    let action = Action {
        rest: names.last().is_some_and(|name| name.starts_with("...")),
        params: names,
        style: if tail.contains("cb") { Style::Callback } else { Style::Value },
        guard: tail.contains("guard"),
    };
    (path.to_owned(), action)
}

/// A session as the host would give it.
pub(super) fn session(key: u64, user_id: Option<&str>) -> SessionView {
    SessionView {
        key,
        id: format!("session-{key}"),
        created_at: 1_700_000_000_000,
        user_id: user_id.map(str::to_owned),
        attributes: json!({"color": "red", "cart": [1, 2]}).as_object().unwrap().clone(),
        channels: vec!["lobby".to_owned()],
    }
}

/// A call over a socket.
pub(super) fn job(action: &str, args: &Value, session: Option<SessionView>) -> Call {
    Call {
        action: action.to_owned(),
        args: RawValue::from_string(args.to_string()).unwrap(),
        context: context(session),
        timeout_ms: 20_000,
    }
}

pub(super) fn context(session: Option<SessionView>) -> CallContext {
    CallContext {
        session,
        request: RequestView {
            id: "r1".to_owned(),
            origin: Origin::Socket,
            ip: Some("127.0.0.1".to_owned()),
            connection: Some(7),
            post: None,
        },
    }
}

/// The answer as a value; `"undefined"` for none.
pub(super) fn value(outcome: Outcome) -> Result<Value, CallError> {
    outcome.map(|value| value.map_or(json!("undefined"), |value| serde_json::from_str(value.get()).unwrap()))
}

/// Calls without a session.
pub(super) async fn call(engine: &Engine, action: &str, args: Value) -> Result<Value, CallError> {
    value(engine.call(job(action, &args, None)).await)
}

/// Calls with session 3, logged in as `ann`.
pub(super) async fn call_as_ann(engine: &Engine, action: &str, args: Value) -> Result<Value, CallError> {
    value(engine.call(job(action, &args, Some(session(3, Some("ann"))))).await)
}

/// Code and message of a failure.
pub(super) fn failure(outcome: Result<Value, CallError>) -> (&'static str, String) {
    let error = outcome.expect_err("the call fails");
    (error.code.as_str(), error.message)
}
