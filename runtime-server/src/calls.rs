//! A call from the socket: found, guarded, run once, answered.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::app::App;
use crate::connection::{Answer, Connection};
use crate::engine::{Answered, CallError, Calls, ErrorCode, Grouped, MOST_CALLS, Waits};
use crate::generation::Entered;
use crate::hub::Mode;
use crate::log;
use crate::manifest::Action;
use crate::protocol::{self, CallMessage, ClientId, Logging, Text};
use crate::session::{Begin, Here, SessionState};

/// Bytes of arguments above which a call starts alone.
const TOGETHER_BYTES: usize = 1024;

/// Bytes up to which answers that come together are one message to be queued.
const JOINED_BYTES: usize = 4 * 1024;

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
        connection.answer(Answer::one(text));
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

/// Who waits for the answers of calls that were started together.
struct Waiting {
    app: Arc<App>,
    connection: Arc<Connection>,
    generation: Entered,
    page: ClientId,
    started_ms: u64,
    /// How many have not ended.
    left: AtomicUsize,
    silent: u64,
}

/// Answers of calls that have ended together, and where the message of each ends in the text of all.
#[derive(Default)]
struct Ended {
    text: String,
    calls: Vec<(u64, usize)>,
}

impl Waits for Waiting {
    fn answered(&self, ended: &mut dyn Iterator<Item = (Grouped, Answered<'_>)>) {
        thread_local! {
            static ENDED: RefCell<Ended> = const { RefCell::new(Ended { text: String::new(), calls: Vec::new() }) };
        }
        let Self { app, connection, .. } = self;
        let now_ms = app.hub.clock.now_ms();
        let took_ms = now_ms.saturating_sub(self.started_ms);
        let mut kept = ENDED.take();
        let mut good = 0;
        let mut count = 0;
        for (call, answered) in ended {
            good += usize::from(self.push(&mut kept, &call, answered, took_ms));
            count += 1;
            if kept.text.len() > JOINED_BYTES {
                self.send(&mut kept, now_ms);
            }
        }
        self.send(&mut kept, now_ms);
        kept.text.shrink_to(2 * JOINED_BYTES);
        ENDED.set(kept);
        app.metrics.good_calls(good, took_ms);
        self.left.fetch_sub(count, Ordering::Relaxed);
        connection.end_calls(count);
        app.calls.end(count);
    }
}

impl Waiting {
    /// Adds the message about a call that has ended; whether it went well.
    fn push(&self, ended: &mut Ended, call: &Grouped, answered: Answered<'_>, took_ms: u64) -> bool {
        let id = call.number;
        let action = self.generation.numbered.path(call.action);
        let logging = if self.silent >> call.place & 1 == 1 { Logging::Silent } else { Logging::Shown };
        let request = || request_id(&self.connection, id);
        if !ended.calls.is_empty() {
            ended.text.push('\n');
        }
        let good = match finish(&self.app, (request, logging), action, took_ms, answered) {
            Ok(value) => {
                protocol::push_result(&mut ended.text, id, value);
                true
            }
            Err(error) => {
                protocol::push_error(&mut ended.text, id, &error);
                self.app.metrics.failure(error.code, took_ms);
                false
            }
        };
        ended.calls.push((id, ended.text.len()));
        good
    }

    /// Sends answers to where their calls were last sent from, and remembers them.
    fn send(&self, ended: &mut Ended, now_ms: u64) {
        if ended.calls.is_empty() {
            return;
        }
        let connection = &self.connection;
        let mut state = connection.session.lock();
        let limits = &self.app.hub.limits;
        let sent = state.answers.finish(self.page, (&ended.text, &ended.calls), connection.id, now_ms, limits);
        let elsewhere = sent.elsewhere.into_iter().filter_map(|(target, text)| {
            let target = state.connections.iter().find(|other| other.id == target)?;
            Some((Arc::clone(target), text))
        });
        let elsewhere: Vec<_> = elsewhere.collect();
        drop(state);
        match sent.here {
            Here::All => connection.answer(Answer { text: ended.text.as_str().into(), messages: ended.calls.len() }),
            Here::Some(texts) => texts.into_iter().for_each(|text| connection.answer(Answer::one(text))),
        }
        for (target, text) in elsewhere {
            target.answer(Answer::one(text));
        }
        ended.text.clear();
        ended.calls.clear();
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

/// Brings what came of a call to the log, and makes it fit to be sent.
pub(crate) fn finish<'a>(
    app: &App,
    (request, logging): (impl FnOnce() -> String, Logging),
    action: &str,
    took_ms: u64,
    answered: Answered<'a>,
) -> Answered<'a> {
    let hub = &app.hub;
    let max = hub.limits.answer_bytes;
    let answered = match answered {
        Ok(Some(value)) if value.len() > max => Err(CallError::new(
            ErrorCode::TooLarge,
            format!("the answer has {} bytes, {max} are allowed (limits.answer_bytes)", value.len()),
        )),
        answered => answered,
    };
    match answered {
        Ok(value) => {
            if logging == Logging::Shown && hub.log.shows(log::CALLS) {
                hub.log.answer(&request(), action, value.unwrap_or("undefined"), took_ms);
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
