use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use crate::protocol::{CloseCode, Text};
use crate::wakes;

/// Capacity that an empty queue keeps; more is given back after a burst.
const KEPT_MESSAGES: usize = 16;

/// What waits to be written to one client, bounded in messages and bytes.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    waker: AtomicWaker,
    max_bytes: usize,
    max_messages: usize,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Messages>,
    bytes: usize,
    messages: usize,
    /// The places of what waits, when some of it has one: as many as there are in the queue.
    #[expect(clippy::box_collection, reason = "a connection that nothing waits for pays one word for it")]
    places: Option<Box<VecDeque<Option<Arc<str>>>>>,
    /// Answers that wait for the ticket of a login.
    held: Option<Vec<Messages>>,
    closing: Closing,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Closing {
    #[default]
    Open,
    Asked(CloseCode),
    Done,
}

/// Messages that wait together, a line of the text each.
#[derive(Debug)]
pub(crate) struct Messages {
    pub(crate) text: Text,
    pub(crate) count: usize,
}

impl Messages {
    /// One message.
    pub(crate) fn one(text: Text) -> Self {
        Self { text, count: 1 }
    }
}

/// What is to be written next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A message, or several, a line each.
    Message(Text),
    /// The close frame, once, after all messages.
    Close(CloseCode),
}

impl Outbox {
    pub(crate) fn new(max_bytes: usize, max_messages: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), waker: AtomicWaker::new(), max_bytes, max_messages })
    }

    /// Queues a message; a client that lets its queue fill up is disconnected.
    pub(crate) fn send(self: &Arc<Self>, text: Text) {
        self.state.lock().push(Messages::one(text), self.max_bytes, self.max_messages);
        self.wake();
    }

    /// Queues the latest of its place: one that waits there still is taken out.
    pub(crate) fn send_latest(self: &Arc<Self>, text: Text, place: &Arc<str>) {
        let mut state = self.state.lock();
        state.take_out(place);
        state.push(Messages::one(text), self.max_bytes, self.max_messages);
        state.set_place(place);
        drop(state);
        self.wake();
    }

    /// Queues answers, behind those that are held.
    pub(crate) fn answer(self: &Arc<Self>, messages: Messages) {
        let mut state = self.state.lock();
        match &mut state.held {
            Some(held) if held.iter().map(|held| held.count).sum::<usize>() < self.max_messages => held.push(messages),
            Some(_) => state.close(CloseCode::TooSlow),
            None => state.push(messages, self.max_bytes, self.max_messages),
        }
        drop(state);
        self.wake();
    }

    /// Keeps answers back from now on.
    pub(crate) fn hold_answers(&self) {
        self.state.lock().held.get_or_insert_default();
    }

    /// Lets the answers go that were held.
    pub(crate) fn release_answers(self: &Arc<Self>) {
        let mut state = self.state.lock();
        for messages in state.held.take().unwrap_or_default() {
            state.push(messages, self.max_bytes, self.max_messages);
        }
        drop(state);
        self.wake();
    }

    /// Closes the connection after what is queued; the first code counts.
    pub(crate) fn close(self: &Arc<Self>, code: CloseCode) {
        self.state.lock().close(code);
        self.wake();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.state.lock().closing != Closing::Open
    }

    /// What is to be written next.
    pub(crate) fn next(&self) -> Option<Next> {
        self.state.lock().next()
    }

    /// Gives what is to be written, in order, for as long as `more` wants more.
    pub(crate) fn take(&self, mut more: impl FnMut(Next) -> bool) {
        let mut state = self.state.lock();
        while state.next().is_some_and(&mut more) {}
    }

    /// Makes its writer look again, with all others that this thread has something for.
    pub(crate) fn wake(self: &Arc<Self>) {
        wakes::wake(Waker::from(Arc::clone(self)));
    }

    /// Who is woken when there is something to write.
    pub(crate) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }
}

impl Wake for Outbox {
    fn wake(self: Arc<Self>) {
        self.waker.wake();
    }
}

impl State {
    fn next(&mut self) -> Option<Next> {
        if let Some(Messages { text, count }) = self.queue.pop_front() {
            self.bytes -= text.len();
            self.messages -= count;
            if let Some(places) = &mut self.places {
                places.pop_front();
                if places.is_empty() {
                    self.places = None;
                }
            }
            if self.queue.is_empty() && self.queue.capacity() > KEPT_MESSAGES {
                self.queue = VecDeque::new();
            }
            return Some(Next::Message(text));
        }
        match self.closing {
            Closing::Asked(code) => {
                self.closing = Closing::Done;
                Some(Next::Close(code))
            }
            Closing::Open | Closing::Done => None,
        }
    }

    fn push(&mut self, messages: Messages, max_bytes: usize, max_messages: usize) {
        if self.closing != Closing::Open {
            return;
        }
        let bytes = self.bytes.saturating_add(messages.text.len());
        if self.messages >= max_messages || bytes > max_bytes && self.bytes > 0 {
            self.close(CloseCode::TooSlow);
            return;
        }
        self.bytes = bytes;
        self.messages += messages.count;
        self.queue.push_back(messages);
        if let Some(places) = &mut self.places {
            places.push_back(None);
        }
    }

    /// The queue is only long for clients that are slow.
    fn take_out(&mut self, place: &Arc<str>) {
        let Some(places) = &mut self.places else { return };
        if let Some(at) = places.iter().rposition(|known| known.as_ref() == Some(place)) {
            places.remove(at);
            let Messages { text, count } = self.queue.remove(at).expect("each message has a place, or none");
            self.bytes -= text.len();
            self.messages -= count;
        }
    }

    /// What was just queued has this place.
    fn set_place(&mut self, place: &Arc<str>) {
        let Self { queue, places, closing, .. } = self;
        if queue.is_empty() || *closing != Closing::Open {
            return;
        }
        let places = places.get_or_insert_default();
        places.resize(queue.len(), None);
        places[queue.len() - 1] = Some(Arc::clone(place));
    }

    fn close(&mut self, code: CloseCode) {
        if self.closing == Closing::Open {
            self.closing = Closing::Asked(code);
            if code == CloseCode::TooSlow {
                self.queue = VecDeque::new();
                self.places = None;
                self.bytes = 0;
                self.messages = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text::from(text)
    }

    fn drain(outbox: &Outbox) -> Vec<String> {
        std::iter::from_fn(|| match outbox.next() {
            Some(Next::Message(text)) => Some(text.to_string()),
            Some(Next::Close(code)) => Some(format!("close {}", code as u16)),
            None => None,
        })
        .collect()
    }

    #[test]
    fn messages_come_before_the_close_and_nothing_after_it() {
        let outbox = Outbox::new(100, 10);
        outbox.send(text("a"));
        outbox.close(CloseCode::Restart);
        outbox.close(CloseCode::Idle);
        outbox.send(text("b"));
        assert_eq!(drain(&outbox), ["a", "close 1012"]);
    }

    #[test]
    fn a_full_queue_is_dropped_and_closes() {
        for outbox in [Outbox::new(100, 2), Outbox::new(2, 100)] {
            for _ in 0..3 {
                outbox.send(text("a"));
            }
            assert_eq!(drain(&outbox), ["close 4003"]);
        }
    }

    #[test]
    fn one_large_message_fits_an_empty_queue() {
        let outbox = Outbox::new(2, 2);
        outbox.send(text("large"));
        assert_eq!(drain(&outbox), ["large"]);
    }

    #[test]
    fn the_latest_takes_the_place_of_what_waits() {
        let outbox = Outbox::new(100, 4);
        let (acme, other): (Arc<str>, Arc<str>) = ("acme".into(), "other".into());
        for n in 0..50 {
            outbox.send_latest(text(&format!("acme {n}")), &acme);
        }
        outbox.send(text("between"));
        outbox.send_latest(text("other"), &other);
        outbox.send_latest(text("acme"), &acme);
        assert_eq!(drain(&outbox), ["between", "other", "acme"]);
        // What has been taken to be written stays written.
        outbox.send_latest(text("acme 1"), &acme);
        assert_eq!(drain(&outbox), ["acme 1"]);
        outbox.send(text("before"));
        outbox.send_latest(text("acme 2"), &acme);
        assert_eq!(drain(&outbox), ["before", "acme 2"]);
    }

    #[test]
    fn held_answers_keep_their_order() {
        let outbox = Outbox::new(100, 10);
        outbox.answer(Messages::one(text("1")));
        outbox.hold_answers();
        outbox.send(text("ticket"));
        outbox.answer(Messages::one(text("2")));
        outbox.send(text("event"));
        assert_eq!(drain(&outbox), ["1", "ticket", "event"]);
        outbox.answer(Messages::one(text("3")));
        outbox.release_answers();
        outbox.answer(Messages::one(text("4")));
        assert_eq!(drain(&outbox), ["2", "3", "4"]);
    }
}
