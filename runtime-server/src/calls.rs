//! A call from the socket: found, guarded, run once, answered.

mod waiting;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crate::app::App;
use crate::connection::{Connection, Messages};
use crate::engine::{CallError, Calls, ErrorCode, MOST_CALLS};
use crate::generation::Entered;
use crate::log;
use crate::manifest::Action;
use crate::protocol::{self, CallMessage, ClientId, Logging, Text};
use crate::session::{Begin, SessionState};
use waiting::Waiting;
pub(crate) use waiting::finish;

/// Bytes of arguments above which a call starts alone.
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
    /// A bit for each that its page does not want to see in the log.
    silent: u64,
}

/// What a call that came in is answered at once.
enum AtOnce {
    /// What it was answered before.
    Again(Text),
    /// It is not known whether it has run.
    Unknown(u64),
    /// It does not run: its number, its action and why.
    Refused(u64, String, CallError),
}

/// Calls that a connection may begin, taken from those of the connection and those of the server.
#[derive(Default)]
struct Room {
    left: usize,
}

impl Together {
    /// When they came: the clock is asked once.
    pub(crate) fn now_ms(&mut self, app: &App) -> u64 {
        *self.now_ms.get_or_insert_with(|| app.hub.clock.now_ms())
    }

    /// Calls arrived on `connection` from `page`.
    pub(crate) fn receive(
        &mut self,
        app: &Arc<App>,
        connection: &Arc<Connection>,
        page: ClientId,
        mut messages: &[CallMessage<'_>],
    ) {
        while let Some(first) = messages.first() {
            let begun = self.begun.get_or_insert_with(|| Begun::new(app, page));
            // What an engine cannot read then fails no other call.
            let alone = first.args.len() > TOGETHER_BYTES;
            if begun.calls.len() == MOST_CALLS || alone && !begun.calls.is_empty() {
                self.start(app, connection);
                continue;
            }
            let most = if alone { 1 } else { MOST_CALLS - begun.calls.len() };
            let some = messages.iter().take(most).take_while(|message| alone || message.args.len() <= TOGETHER_BYTES);
            let (now, later) = messages.split_at(some.count());
            messages = later;
            begun.receive(app, connection, now);
            if alone {
                self.start(app, connection);
            }
        }
    }

    /// Starts them.
    pub(crate) fn start(&mut self, app: &Arc<App>, connection: &Arc<Connection>) {
        if let Some(begun) = self.begun.take()
            && !begun.calls.is_empty()
        {
            let now_ms = self.now_ms(app);
            begun.start(app, connection, now_ms);
        }
    }
}

impl Begun {
    fn new(app: &App, page: ClientId) -> Self {
        Self { generation: app.generations.enter(), page, calls: Calls::default(), silent: 0 }
    }

    /// Calls arrived, as many as there is a place for.
    fn receive(&mut self, app: &App, connection: &Connection, messages: &[CallMessage<'_>]) {
        let page = self.page;
        let mut at_once = Vec::new();
        let mut room = Room::default();
        // Mostly the same action is called again.
        let mut known: Option<(&str, usize)> = None;
        self.calls.reserve(messages.len());
        let mut state = connection.session.lock();
        for (place, message) in messages.iter().enumerate() {
            let id = message.id;
            match state.answers.begin(page, id, message.sent, connection.id) {
                Begin::Running => {}
                Begin::Answered(text) => at_once.push(AtOnce::Again(text)),
                Begin::Unknown => at_once.push(AtOnce::Unknown(id)),
                Begin::Run => {
                    let action = match known {
                        Some((path, number)) if path == message.action => Ok(number),
                        _ => self.admit(connection, &state, &message.action),
                    };
                    let admitted = action.and_then(|action| {
                        room.take(app, connection, messages.len() - place)?;
                        Ok(action)
                    });
                    match admitted {
                        Ok(action) => {
                            known = Some((&message.action, action));
                            self.add(app, connection, action, message);
                        }
                        Err(error) => {
                            state.answers.refuse(page, id);
                            at_once.push(AtOnce::Refused(id, message.action.to_string(), error));
                        }
                    }
                }
            }
        }
        drop(state);
        room.give_back(app, connection);
        at_once.into_iter().for_each(|answer| answer.send(app, connection));
    }

    /// Whether a call may run in this build; gives the number of its action.
    fn admit(&self, connection: &Connection, state: &SessionState, action: &str) -> Result<usize, CallError> {
        let (number, action) = connection.build().find(&self.generation, action)?;
        check_guard(action, state.user_id.as_deref())?;
        Ok(number)
    }

    fn add(&mut self, app: &App, connection: &Connection, action: usize, message: &CallMessage<'_>) {
        let CallMessage { id, args, values, logging, .. } = *message;
        match logging {
            Logging::Silent => self.silent |= 1 << self.calls.len(),
            Logging::Shown if app.hub.log.shows(log::CALLS) => {
                app.hub.log.call(&request_id(connection, id), &message.action, args);
            }
            Logging::Shown => {}
        }
        self.calls.push(id, action, args, values);
    }

    fn start(self, app: &Arc<App>, connection: &Arc<Connection>, now_ms: u64) {
        let Self { generation, page, calls, silent } = self;
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
            started_ms: now_ms,
            left: AtomicUsize::new(calls.len()),
            silent,
        };
        let timeout_ms = app.hub.limits.call_timeout_ms;
        let group = calls.group(Some(connection.session.key), known, timeout_ms, Arc::new(waiting));
        actions.start(group, &|action| numbered.path(action).to_string());
    }
}

impl AtOnce {
    fn send(self, app: &App, connection: &Connection) {
        let text = match self {
            Self::Again(text) => text,
            Self::Unknown(id) => {
                let text = "the call may have run, but its answer is not known any more";
                protocol::error(id, &CallError::new(ErrorCode::OutcomeUnknown, text))
            }
            Self::Refused(id, action, error) => {
                let request = request_id(connection, id);
                app.hub.log.answer(&request, &action, error.code.as_str(), 0);
                app.metrics.failure(error.code, 0);
                protocol::error(id, &error)
            }
        };
        connection.answer(Messages::one(text));
    }
}

impl Room {
    /// Takes the room of one call, and that of others with it when there is none left: of `wanted` at most.
    fn take(&mut self, app: &App, connection: &Connection, wanted: usize) -> Result<(), CallError> {
        if self.left == 0 {
            let limits = &app.hub.limits;
            let begun = app.calls.begin(wanted, limits.calls)?;
            self.left = connection.start_calls(begun, limits.calls_per_connection);
            app.calls.end(begun - self.left);
            if self.left == 0 {
                let text = "this connection has as many calls in hand as it may";
                return Err(CallError::new(ErrorCode::Overloaded, text));
            }
        }
        self.left -= 1;
        Ok(())
    }

    fn give_back(self, app: &App, connection: &Connection) {
        connection.end_calls(self.left);
        app.calls.end(self.left);
    }
}

/// Refuses a guarded action without a user.
pub(crate) fn check_guard(action: &Action, user: Option<&str>) -> Result<(), CallError> {
    if action.guard && user.is_none() {
        return Err(CallError::new(ErrorCode::NotAuthenticated, "this action wants a logged-in user"));
    }
    Ok(())
}

fn request_id(connection: &Connection, call: u64) -> String {
    format!("{}-{call}", connection.id)
}
