//! What becomes of calls: their answers, logged, remembered and sent.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::request_id;
use crate::app::App;
use crate::connection::{Connection, Messages};
use crate::engine::{Answered, CallError, ErrorCode, Grouped, Waits};
use crate::generation::Entered;
use crate::hub::Mode;
use crate::log;
use crate::protocol::{self, ClientId, Logging};
use crate::session::Here;

/// Bytes up to which answers that come together are one message to be queued.
const JOINED_BYTES: usize = 4 * 1024;

/// Who waits for the answers of calls that were started together.
pub(super) struct Waiting {
    pub(super) app: Arc<App>,
    pub(super) connection: Arc<Connection>,
    pub(super) generation: Entered,
    pub(super) page: ClientId,
    pub(super) started_ms: u64,
    /// How many have not ended.
    pub(super) left: AtomicUsize,
    pub(super) silent: u64,
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
            Here::All => connection.answer(Messages { text: ended.text.as_str().into(), count: ended.calls.len() }),
            Here::Some(texts) => texts.into_iter().for_each(|text| connection.answer(Messages::one(text))),
        }
        for (target, text) in elsewhere {
            target.answer(Messages::one(text));
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
