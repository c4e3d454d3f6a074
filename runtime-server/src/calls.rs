//! A call from the socket: found, guarded, run once, answered.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::app::{App, RunningCall};
use crate::connection::Connection;
use crate::engine::{CallError, CallText, ErrorCode, Outcome};
use crate::generation::Entered;
use crate::hub::Mode;
use crate::log;
use crate::manifest::Action;
use crate::protocol::{self, CallMessage, ClientId, Logging, Text};
use crate::rate::Verdict;
use crate::session::{Begin, SessionState};

/// A call arrived on `connection` from `page`.
pub(crate) fn receive(app: &Arc<App>, connection: &Arc<Connection>, page: ClientId, message: CallMessage<'_>) {
    let id = message.id;
    let mut state = connection.session.lock();
    match state.answers.begin(page, id, message.sent, connection) {
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
        Begin::Run => match admit(app, connection, &state, &message.action) {
            Ok(admitted) => {
                drop(state);
                run(app, connection, page, message, admitted);
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
        },
    }
}

/// Whether a call may run now.
fn admit(
    app: &App,
    connection: &Connection,
    state: &SessionState,
    action: &str,
) -> Result<(Entered, RunningCall), CallError> {
    let generation = app.generations.enter();
    check_guard(connection.build().find(&generation, action)?, state.user_id.as_deref())?;
    let running = app.calls.start(app.hub.limits.calls)?;
    match connection.start_call(app.hub.limits.calls_per_connection) {
        Verdict::Allowed => Ok((generation, running)),
        Verdict::Refused => {
            Err(CallError::new(ErrorCode::Overloaded, "this connection has as many calls in hand as it may"))
        }
    }
}

/// Refuses a guarded action without a user.
pub(crate) fn check_guard(action: &Action, user: Option<&str>) -> Result<(), CallError> {
    if action.guard && user.is_none() {
        return Err(CallError::new(ErrorCode::NotAuthenticated, "this action wants a logged-in user"));
    }
    Ok(())
}

fn run(
    app: &Arc<App>,
    connection: &Arc<Connection>,
    page: ClientId,
    message: CallMessage<'_>,
    (generation, running): (Entered, RunningCall),
) {
    let CallMessage { id, action, args, logging, .. } = message;
    if logging == Logging::Shown && app.hub.log.shows(log::CALLS) {
        app.hub.log.call(&request_id(connection, id), &action, args.get());
    }
    let mut known = String::with_capacity(192);
    known.push('[');
    connection.session.write_view(&mut known);
    let (number, ip) = (connection.id, connection.ip);
    write!(known, r#",["{number}-{id}","socket","{ip}",{number},null]]"#).expect("a string takes all text");
    let started_ms = app.hub.clock.now_ms();
    let session = Some(connection.session.key);
    let timeout_ms = app.hub.limits.call_timeout_ms;
    let call = CallText { action: action.clone(), args: args.to_owned(), session, known, timeout_ms };
    let actions = Arc::clone(&generation.actions);
    let (app, connection) = (Arc::clone(app), Arc::clone(connection));
    let done = move |outcome| {
        let outcome = finish(&app, (|| request_id(&connection, id), logging), &action, started_ms, outcome);
        answer(&app, &connection, page, id, &outcome);
        connection.end_call();
        drop((running, generation));
    };
    actions.start(call, Box::new(done));
}

/// Brings an outcome to the log, and makes it fit to be sent.
pub(crate) fn finish(
    app: &App,
    (request, logging): (impl FnOnce() -> String, Logging),
    action: &str,
    started_ms: u64,
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
    let took_ms = hub.clock.now_ms().saturating_sub(started_ms);
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

/// Sends an answer to where the call was last sent from, and remembers it.
fn answer(app: &App, connection: &Connection, page: ClientId, id: u64, outcome: &Outcome) {
    let text: Text = match outcome {
        Ok(value) => protocol::result(id, value.as_deref()),
        Err(error) => protocol::error(id, error),
    };
    let (now_ms, limits) = (app.hub.clock.now_ms(), &app.hub.limits);
    let target = connection.session.lock().answers.finish(page, id, &text, now_ms, limits);
    if let Some(target) = target {
        target.answer(text);
    }
}

fn request_id(connection: &Connection, call: u64) -> String {
    format!("{}-{call}", connection.id)
}
