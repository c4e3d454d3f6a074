//! What a session's pages have asked and been answered, so that a call that is sent again is not run again.
//!
//! Pages number their calls one after the other, and most are answered in order: what is kept is kept in the order in which
//! it came, and looked through only for a call that is sent again.

use std::collections::VecDeque;

use crate::limits::Limits;
use crate::protocol::{ClientId, Sent, Text};

/// The calls of a session's pages that run, and the answers that may be asked for again.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pages: Vec<Page>,
    done: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Page {
    id: ClientId,
    /// Calls that run, and the numbers of the connections that they were last sent on.
    running: VecDeque<(u64, u64)>,
    /// Calls that are done, in the order of their ends.
    done: VecDeque<Done>,
    /// Their answers, one behind the other.
    texts: VecDeque<u8>,
    /// No call above this has come.
    highest: u64,
    /// No call up to this number can be told from one that never came.
    forgotten: u64,
    /// The connection that it said hello on last.
    connection: u64,
    /// When that ended; `None` while it is there.
    left_ms: Option<u64>,
}

#[derive(Debug)]
struct Done {
    at_ms: u64,
    call: u64,
    bytes: usize,
}

/// What is to be done with a call that came in.
#[derive(Debug)]
pub(crate) enum Begin {
    /// It is new.
    Run,
    /// It runs already: its answer goes to the connection it was sent on again.
    Running,
    /// This was its answer.
    Answered(Text),
    /// It may have run.
    Unknown,
}

/// Whether a page says that it connects for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageState {
    /// It has sent no call before.
    Fresh,
    /// It has been connected before, perhaps to a process that is gone.
    Returning,
}

impl Answers {
    /// A page said hello on that connection.
    pub(crate) fn hello(&mut self, id: ClientId, connection: u64, state: PageState, limits: &Limits) {
        if let Some(page) = self.page(id) {
            page.connection = connection;
            page.left_ms = None;
            return;
        }
        if self.pages.len() >= limits.clients_per_session
            && let Some(oldest) = (0..self.pages.len())
                .filter(|i| self.pages[*i].left_ms.is_some())
                .min_by_key(|i| self.pages[*i].left_ms)
        {
            self.drop_page(oldest);
        }
        // Of a page that was connected to a process that is gone, no call that it sent then can be told.
        let forgotten = match state {
            PageState::Fresh => 0,
            PageState::Returning => u64::MAX,
        };
        let (running, done, texts) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        // Most sessions have one page.
        self.pages.reserve_exact(1);
        self.pages.push(Page { id, running, done, texts, highest: 0, forgotten, connection, left_ms: None });
    }

    /// A page's connection ended; it may have come back on another one before that was noticed.
    pub(crate) fn left(&mut self, id: ClientId, connection: u64, now_ms: u64) {
        if let Some(page) = self.page(id).filter(|page| page.connection == connection) {
            page.left_ms = Some(now_ms);
        }
    }

    /// A call came in on that connection: it counts as running when this says that it is to run.
    pub(crate) fn begin(&mut self, page: ClientId, call: u64, sent: Sent, connection: u64) -> Begin {
        let Some(page) = self.page(page) else { return Begin::Unknown };
        if call > page.highest {
            page.highest = call;
        } else if let Some((_, target)) = page.running.iter_mut().find(|(running, _)| *running == call) {
            *target = connection;
            return Begin::Running;
        } else if let Some(text) = page.answer(call) {
            return Begin::Answered(text);
        }
        if sent == Sent::Again && call <= page.forgotten {
            return Begin::Unknown;
        }
        page.running.push_back((call, connection));
        Begin::Run
    }

    /// A call that was to run is refused: it never came, as far as its page is concerned.
    pub(crate) fn refuse(&mut self, page: ClientId, call: u64) {
        if let Some(page) = self.page(page) {
            page.end(call);
        }
    }

    /// A call has its answer: remembers it and gives the number of the connection where it is to be sent.
    pub(crate) fn finish(
        &mut self,
        page: ClientId,
        call: u64,
        answer: &str,
        now_ms: u64,
        limits: &Limits,
    ) -> Option<u64> {
        let page = self.page(page)?;
        let target = page.end(call)?;
        page.done.push_back(Done { at_ms: now_ms, call, bytes: answer.len() });
        page.texts.extend(answer.as_bytes());
        self.done += 1;
        self.bytes += answer.len();
        while self.done > limits.answers_per_session || self.bytes > limits.answers_bytes_per_session {
            self.forget_oldest();
        }
        Some(target)
    }

    /// Whether calls run.
    pub(crate) fn is_busy(&self) -> bool {
        self.pages.iter().any(|page| !page.running.is_empty())
    }

    /// Forgets what is too old.
    pub(crate) fn sweep(&mut self, now_ms: u64, limits: &Limits) {
        let before_ms = now_ms.saturating_sub(limits.answer_memory_ms);
        for index in (0..self.pages.len()).rev() {
            while self.pages[index].done.front().is_some_and(|done| done.at_ms < before_ms) {
                self.forget_first_of(index);
            }
            let page = &mut self.pages[index];
            if page.done.is_empty() {
                // What a burst has taken is given back.
                page.texts = VecDeque::new();
            }
            if page.running.is_empty() && page.done.is_empty() && page.left_ms.is_some_and(|left| left < before_ms) {
                self.drop_page(index);
            }
        }
    }

    fn forget_oldest(&mut self) {
        let oldest = match self.pages.len() {
            1 => Some(0),
            pages => (0..pages)
                .filter(|i| !self.pages[*i].done.is_empty())
                .min_by_key(|i| self.pages[*i].done.front().map(|done| (done.at_ms, done.call))),
        };
        self.forget_first_of(oldest.expect("there are answers when there are too many"));
    }

    fn forget_first_of(&mut self, index: usize) {
        let page = &mut self.pages[index];
        if let Some(Done { call, bytes, .. }) = page.done.pop_front() {
            page.forgotten = page.forgotten.max(call);
            page.texts.drain(..bytes);
            self.bytes -= bytes;
            self.done -= 1;
        }
    }

    fn drop_page(&mut self, index: usize) {
        while !self.pages[index].done.is_empty() {
            self.forget_first_of(index);
        }
        self.pages.swap_remove(index);
    }

    fn page(&mut self, id: ClientId) -> Option<&mut Page> {
        self.pages.iter_mut().find(|page| page.id == id)
    }
}

impl Page {
    /// A call runs no more; gives its connection.
    fn end(&mut self, call: u64) -> Option<u64> {
        let at = self.running.iter().position(|(running, _)| *running == call)?;
        let (_, connection) = self.running.remove(at)?;
        Some(connection)
    }

    /// The answer of a call that is done.
    fn answer(&self, call: u64) -> Option<Text> {
        let mut from = 0;
        for done in &self.done {
            if done.call == call {
                let text = self.texts.range(from..from + done.bytes).copied().collect();
                return Some(String::from_utf8(text).expect("a text was put there").into());
            }
            from += done.bytes;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: ClientId = 7;

    fn answers(limits: &Limits) -> Answers {
        let mut answers = Answers::default();
        answers.hello(PAGE, 1, PageState::Fresh, limits);
        answers
    }

    fn told(begin: Begin) -> String {
        match begin {
            Begin::Answered(text) => text.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn each_call_runs_once_and_its_answer_is_its_own() {
        let limits = Limits::default();
        let mut answers = answers(&limits);
        for call in [1, 2, 3] {
            assert_eq!(told(answers.begin(PAGE, call, Sent::First, 1)), "Run");
        }
        // Sent again elsewhere while it runs, and answered there.
        assert_eq!(told(answers.begin(PAGE, 2, Sent::Again, 9)), "Running");
        assert_eq!(answers.finish(PAGE, 3, "three", 0, &limits), Some(1));
        assert_eq!(answers.finish(PAGE, 2, "zwei \u{e4}", 0, &limits), Some(9));
        assert_eq!(answers.finish(PAGE, 2, "again", 0, &limits), None);
        assert_eq!(told(answers.begin(PAGE, 3, Sent::Again, 9)), "three");
        assert_eq!(told(answers.begin(PAGE, 2, Sent::Again, 9)), "zwei \u{e4}");
        assert!(answers.is_busy());
        answers.refuse(PAGE, 1);
        assert!(!answers.is_busy());
        assert_eq!(told(answers.begin(PAGE, 1, Sent::Again, 9)), "Run");
    }

    #[test]
    fn what_is_forgotten_is_unknown_and_the_rest_is_whole() {
        let limits = Limits { answers_per_session: 2, ..Limits::default() };
        let mut answers = answers(&limits);
        for call in 1..=5 {
            assert_eq!(told(answers.begin(PAGE, call, Sent::First, 1)), "Run");
            assert_eq!(answers.finish(PAGE, call, &format!("the answer {call}"), call, &limits), Some(1));
        }
        let mut again = |call| told(answers.begin(PAGE, call, Sent::Again, 1));
        assert_eq!([again(3), again(4), again(5)], ["Unknown", "the answer 4", "the answer 5"]);
        answers.sweep(limits.answer_memory_ms + 5, &limits);
        assert_eq!(told(answers.begin(PAGE, 4, Sent::Again, 1)), "Unknown");
        assert_eq!(told(answers.begin(PAGE, 5, Sent::Again, 1)), "the answer 5");
    }
}
