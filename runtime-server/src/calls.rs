//! A call from the socket: found, guarded, run once, answered.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::app::App;
use crate::connection::Connection;
use crate::engine::{CallError, Calls, ErrorCode, Outcome, Waits};
use crate::generation::Entered;
use crate::hub::Mode;
use crate::log;
use crate::manifest::Action;
use crate::protocol::{self, CallMessage, ClientId, Logging, Text};
use crate::rate::Verdict;
use crate::session::{Begin, SessionState};

/// Bytes of arguments above which a call starts alone: what an engine cannot read then fails no other call.
const TOGETHER_BYTES: usize = 1024;

/// Calls of one connection that have come together and start together.
#[derive(Default)]
pub(crate) struct Together {
    begun: Option<Begun>,
    /// When they came.
    now_ms: Option<u64>,
}

/// The first calls of them, of one build.
struct Begun {
    generation: Entered,
    page: ClientId,
    calls: Calls,
    told: Vec<Told>,
}

/// What is said of a call when it has ended.
#[derive(Debug, Clone, Copy)]
struct Told {
    id: u64,
    action: usize,
    logging: Logging,
}

impl Together {
    /// When they came: the clock is asked once.
    pub(crate) fn now_ms(&mut self, app: &App) -> u64 {
        *self.now_ms.get_or_insert_with(|| app.hub.clock.now_ms())
    }

    /// A call arrived on `connection` from `page`.
    pub(crate) fn receive(
        &mut self,
        app: &Arc<App>,
        connection: &Arc<Connection>,
        page: ClientId,
        message: CallMessage<'_>,
    ) {
        let id = message.id;
        let mut state = connection.session.lock();
        match state.answers.begin(page, id, message.sent, connection.id) {
            Begin::Running => {}
            Begin::Answered(text) => {
                drop(state);
                connection.answer(text);
            }
            Begin::Unknown => {
                drop(state);
                let text = "the call may have run, but its answer is not known any more";
                connection.answer(protocol::error(id, &CallError::new(ErrorCode::OutcomeUnknown, text)));
            }
            Begin::Run => {
                let begun = self.begun.get_or_insert_with(|| Begun::new(app, page));
                match begun.admit(app, connection, &state, &message.action) {
                    Ok(action) => {
                        drop(state);
                        let alone = message.args.len() > TOGETHER_BYTES;
                        if alone && !begun.calls.is_empty() {
                            // Its action was found in this build.
                            begun.start_first(app, connection);
                        }
                        begun.add(app, connection, action, &message);
                        if alone {
                            self.start(app, connection);
                        }
                    }
                    Err(error) => {
                        state.answers.refuse(page, id);
                        drop(state);
                        let request = request_id(connection, id);
                        app.hub.log.answer(&request, &message.action, error.code.as_str(), 0);
                        let refused = protocol::error(id, &error);
                        app.metrics.call(&Err(error), 0);
                        connection.answer(refused);
                    }
                }
            }
        }
    }

    /// Starts them.
    pub(crate) fn start(&mut self, app: &Arc<App>, connection: &Arc<Connection>) {
        if let Some(begun) = self.begun.take()
            && !begun.calls.is_empty()
        {
            begun.start(app, connection);
        }
    }
}

impl Begun {
    fn new(app: &App, page: ClientId) -> Self {
        Self { generation: app.generations.enter(), page, calls: Calls::default(), told: Vec::new() }
    }

    /// Whether a call may run now; gives the number of its action.
    fn admit(
        &self,
        app: &App,
        connection: &Connection,
        state: &SessionState,
        action: &str,
    ) -> Result<usize, CallError> {
        let (number, action) = connection.build().find(&self.generation, action)?;
        check_guard(action, state.user_id.as_deref())?;
        app.calls.begin(app.hub.limits.calls)?;
        match connection.start_call(app.hub.limits.calls_per_connection) {
            Verdict::Allowed => Ok(number),
            Verdict::Refused => {
                app.calls.end(1);
                Err(CallError::new(ErrorCode::Overloaded, "this connection has as many calls in hand as it may"))
            }
        }
    }

    fn add(&mut self, app: &App, connection: &Connection, action: usize, message: &CallMessage<'_>) {
        let CallMessage { id, args, logging, .. } = *message;
        if logging == Logging::Shown && app.hub.log.shows(log::CALLS) {
            app.hub.log.call(&request_id(connection, id), &message.action, args);
        }
        self.calls.push(id, action, args);
        self.told.push(Told { id, action, logging });
    }

    /// Starts what there is before another call is added, which goes to the same build.
    fn start_first(&mut self, app: &Arc<App>, connection: &Arc<Connection>) {
        let (calls, told) = (std::mem::take(&mut self.calls), std::mem::take(&mut self.told));
        Self { generation: self.generation.clone(), page: self.page, calls, told }.start(app, connection);
    }

    fn start(self, app: &Arc<App>, connection: &Arc<Connection>) {
        let Self { generation, page, calls, told } = self;
        let mut known = String::with_capacity(192);
        known.push('[');
        connection.session.write_view(&mut known);
        let (number, ip) = (connection.id, connection.ip);
        write!(known, r#",[null,"socket","{ip}",{number},null]]"#).expect("a string takes all text");
        let (actions, numbered) = (Arc::clone(&generation.actions), Arc::clone(&generation.numbered));
        let waiting = Waiting {
            app: Arc::clone(app),
            connection: Arc::clone(connection),
            generation,
            page,
            started_ms: app.hub.clock.now_ms(),
            left: AtomicUsize::new(told.len()),
            told,
        };
        let timeout_ms = app.hub.limits.call_timeout_ms;
        let group = calls.group(Some(connection.session.key), known, timeout_ms, Arc::new(waiting));
        actions.start(group, &|action| numbered.path(action).to_string());
    }
}

/// Who waits for the answers of calls that were started together.
struct Waiting {
    app: Arc<App>,
    connection: Arc<Connection>,
    generation: Entered,
    page: ClientId,
    started_ms: u64,
    /// How many have not ended.
    left: AtomicUsize,
    told: Vec<Told>,
}

impl Waits for Waiting {
    fn answered(&self, ended: &mut dyn Iterator<Item = (usize, Outcome)>) {
        let Self { app, connection, .. } = self;
        let now_ms = app.hub.clock.now_ms();
        let took_ms = now_ms.saturating_sub(self.started_ms);
        let texts: Vec<(u64, Text)> = ended.map(|(place, outcome)| self.text(place, outcome, took_ms)).collect();
        let count = texts.len();
        self.send(texts, now_ms);
        self.left.fetch_sub(count, Ordering::Relaxed);
        connection.end_calls(count);
        app.calls.end(count);
    }
}

impl Waiting {
    /// A call's number and the answer as it is sent.
    fn text(&self, place: usize, outcome: Outcome, took_ms: u64) -> (u64, Text) {
        let Told { id, action, logging } = self.told[place];
        let action = self.generation.numbered.path(action);
        let request = || request_id(&self.connection, id);
        let text = match finish(&self.app, (request, logging), action, took_ms, outcome) {
            Ok(value) => protocol::result(id, value.as_deref()),
            Err(error) => protocol::error(id, &error),
        };
        (id, text)
    }

    /// Sends answers to where their calls were last sent from, and remembers them.
    fn send(&self, mut texts: Vec<(u64, Text)>, now_ms: u64) {
        let connection = &self.connection;
        let mut elsewhere: Vec<(Arc<Connection>, Text)> = Vec::new();
        let mut state = connection.session.lock();
        texts.retain(|(id, text)| {
            match state.answers.finish(self.page, *id, text, now_ms, &self.app.hub.limits) {
                Some(target) if target == connection.id => return true,
                Some(target) => {
                    let target = state.connections.iter().find(|other| other.id == target);
                    elsewhere.extend(target.map(|target| (Arc::clone(target), Arc::clone(text))));
                }
                None => {}
            }
            false
        });
        drop(state);
        connection.answer_all(texts.into_iter().map(|(_, text)| text));
        for (target, text) in elsewhere {
            target.answer(text);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // An engine that has come to a bad end may have forgotten some.
        let left = *self.left.get_mut();
        self.connection.end_calls(left);
        self.app.calls.end(left);
    }
}

/// Refuses a guarded action without a user.
pub(crate) fn check_guard(action: &Action, user: Option<&str>) -> Result<(), CallError> {
    if action.guard && user.is_none() {
        return Err(CallError::new(ErrorCode::NotAuthenticated, "this action wants a logged-in user"));
    }
    Ok(())
}

/// Brings an outcome to the log, and makes it fit to be sent.
pub(crate) fn finish(
    app: &App,
    (request, logging): (impl FnOnce() -> String, Logging),
    action: &str,
    took_ms: u64,
    outcome: Outcome,
) -> Outcome {
    let hub = &app.hub;
    let max = hub.limits.answer_bytes;
    let outcome = match outcome {
        Ok(Some(value)) if value.get().len() > max => Err(CallError::new(
            ErrorCode::TooLarge,
            format!("the answer has {} bytes, {max} are allowed (limits.answer_bytes)", value.get().len()),
        )),
        outcome => outcome,
    };
    app.metrics.call(&outcome, took_ms);
    match outcome {
        Ok(value) => {
            if logging == Logging::Shown && hub.log.shows(log::CALLS) {
                let shown = value.as_ref().map_or("undefined", |value| value.get());
                hub.log.answer(&request(), action, shown, took_ms);
            }
            Ok(value)
        }
        Err(mut error) => {
            hub.log.failure(&request(), action, error.code.as_str(), &error.message, error.stack.as_deref());
            hub.tell_failure(action, &error);
            if hub.mode == Mode::Deployed {
                error.stack = None;
            }
            Err(error)
        }
    }
}

fn request_id(connection: &Connection, call: u64) -> String {
    format!("{}-{call}", connection.id)
}
