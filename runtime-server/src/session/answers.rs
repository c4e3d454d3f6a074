//! What a session's pages have asked and been answered, so that a call that is sent again is not run again.
//!
//! Pages number their calls one after the other, and most are answered in order: what is kept is kept in the order in which
//! it came, and looked through only for a call that is sent again.

use std::collections::VecDeque;

use crate::limits::Limits;
use crate::protocol::{self, ClientId, Sent, Text};

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
    /// Calls that are done, in the order of their ends; those that ended together are one entry.
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
    calls: usize,
    highest: u64,
    bytes: usize,
}

/// Where answers go.
#[derive(Debug)]
pub(crate) struct Targets {
    /// To the connection that was asked about.
    pub(crate) here: Here,
    /// To others, by their numbers.
    pub(crate) elsewhere: Vec<(u64, Text)>,
}

/// Which of some answers go to the connection that was asked about.
#[derive(Debug)]
pub(crate) enum Here {
    All,
    Some(Vec<Text>),
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

    /// Calls have their answers: remembers these, and says where they are to be sent. `answers` is a text with a line for each,
    /// and the number of each with the place where its line ends.
    pub(crate) fn finish(
        &mut self,
        page: ClientId,
        (text, calls): (&str, &[(u64, usize)]),
        connection: u64,
        now_ms: u64,
        limits: &Limits,
    ) -> Targets {
        let mut targets = Targets { here: Here::All, elsewhere: Vec::new() };
        let Some(index) = self.pages.iter().position(|other| other.id == page) else {
            return Targets { here: Here::Some(Vec::new()), ..targets };
        };
        let page = &mut self.pages[index];
        // Mostly there are none.
        let mut others = Vec::new();
        for (place, (call, _)) in calls.iter().enumerate() {
            match page.end(*call) {
                Some(target) if target == connection => {}
                target => others.push((place, target)),
            }
        }
        if others.is_empty() {
            self.remember(index, calls.iter().map(|(call, _)| *call), text, now_ms, limits);
            return targets;
        }
        let mut here: Vec<Text> = Vec::new();
        let mut others = others.into_iter().peekable();
        let mut from = 0;
        for (place, (call, end)) in calls.iter().enumerate() {
            let line = &text[from..*end];
            from = end + 1;
            match others.next_if(|(other, _)| *other == place) {
                // It was answered before.
                Some((_, None)) => continue,
                Some((_, Some(target))) => targets.elsewhere.push((target, line.into())),
                None => here.push(line.into()),
            }
            self.remember(index, std::iter::once(*call), line, now_ms, limits);
        }
        Targets { here: Here::Some(here), ..targets }
    }

    /// Keeps answers that came together.
    fn remember(&mut self, index: usize, calls: impl Iterator<Item = u64>, text: &str, now_ms: u64, limits: &Limits) {
        let (count, highest) = calls.fold((0, 0), |(count, highest), call| (count + 1, highest.max(call)));
        let page = &mut self.pages[index];
        page.done.push_back(Done { at_ms: now_ms, calls: count, highest, bytes: text.len() });
        page.texts.extend(text.as_bytes());
        self.done += count;
        self.bytes += text.len();
        while self.bytes > limits.answers_bytes_per_session || self.has_too_many(limits) {
            self.forget_oldest();
        }
    }

    /// Whether there are enough without the oldest, which are forgotten together.
    fn has_too_many(&self, limits: &Limits) -> bool {
        self.done > limits.answers_per_session
            && self.oldest().is_some_and(|index| {
                let oldest = self.pages[index].done.front().map_or(0, |done| done.calls);
                self.done - oldest >= limits.answers_per_session
            })
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

    /// The page with the oldest answers.
    fn oldest(&self) -> Option<usize> {
        match self.pages.len() {
            1 => Some(0),
            pages => (0..pages)
                .filter(|i| !self.pages[*i].done.is_empty())
                .min_by_key(|i| self.pages[*i].done.front().map(|done| (done.at_ms, done.highest))),
        }
    }

    fn forget_oldest(&mut self) {
        self.forget_first_of(self.oldest().expect("there are answers when there are too many"));
    }

    fn forget_first_of(&mut self, index: usize) {
        let page = &mut self.pages[index];
        if let Some(Done { calls, highest, bytes, .. }) = page.done.pop_front() {
            page.forgotten = page.forgotten.max(highest);
            page.texts.drain(..bytes);
            self.bytes -= bytes;
            self.done -= calls;
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
            if call <= done.highest {
                let text: Vec<u8> = self.texts.range(from..from + done.bytes).copied().collect();
                let text = String::from_utf8(text).expect("a text was put there");
                if let Some(line) = text.split('\n').find(|line| protocol::answers(line) == Some(call)) {
                    return Some(line.into());
                }
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

    /// Ends calls, as answers come for the connection 1; gives where each goes.
    fn finish(answers: &mut Answers, ended: &[(u64, &str)], now_ms: u64, limits: &Limits) -> Vec<String> {
        let (mut text, mut calls) = (String::new(), Vec::new());
        for (call, value) in ended {
            if !text.is_empty() {
                text.push('\n');
            }
            protocol::push_result(&mut text, *call, Some(value));
            calls.push((*call, text.len()));
        }
        let Targets { here, elsewhere } = answers.finish(PAGE, (&text, &calls), 1, now_ms, limits);
        let here = match here {
            Here::All => vec![text.as_str().into()],
            Here::Some(texts) => texts,
        };
        let here = here.into_iter().map(|text| (1, text));
        here.chain(elsewhere).map(|(target, text)| format!("{target}: {text}")).collect()
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
        assert_eq!(finish(&mut answers, &[(3, "three")], 0, &limits), ["1: [1,3,three]"]);
        assert_eq!(finish(&mut answers, &[(2, "zwei \u{e4}")], 0, &limits), ["9: [1,2,zwei \u{e4}]"]);
        assert!(finish(&mut answers, &[(2, "again")], 0, &limits).is_empty());
        assert_eq!(told(answers.begin(PAGE, 3, Sent::Again, 9)), "[1,3,three]");
        assert_eq!(told(answers.begin(PAGE, 2, Sent::Again, 9)), "[1,2,zwei \u{e4}]");
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
            finish(&mut answers, &[(call, &format!("the answer {call}"))], call, &limits);
        }
        let mut again = |call| told(answers.begin(PAGE, call, Sent::Again, 1));
        assert_eq!([again(3), again(4), again(5)], ["Unknown", "[1,4,the answer 4]", "[1,5,the answer 5]"]);
        answers.sweep(limits.answer_memory_ms + 5, &limits);
        assert_eq!(told(answers.begin(PAGE, 4, Sent::Again, 1)), "Unknown");
        assert_eq!(told(answers.begin(PAGE, 5, Sent::Again, 1)), "[1,5,the answer 5]");
    }

    #[test]
    fn answers_that_came_together_are_each_their_own() {
        let limits = Limits { answers_per_session: 4, ..Limits::default() };
        let mut answers = answers(&limits);
        for call in 1..=8 {
            assert_eq!(told(answers.begin(PAGE, call, Sent::First, 1)), "Run");
        }
        assert_eq!(told(answers.begin(PAGE, 2, Sent::Again, 9)), "Running");
        let told_of = finish(&mut answers, &[(1, "a"), (2, "b"), (3, "c")], 0, &limits);
        assert_eq!(told_of, ["1: [1,1,a]", "1: [1,3,c]", "9: [1,2,b]"]);
        assert_eq!(finish(&mut answers, &[(5, "e"), (4, "d"), (3, "again")], 0, &limits), ["1: [1,5,e]", "1: [1,4,d]"]);
        assert_eq!(finish(&mut answers, &[(6, "f"), (7, "g"), (8, "h")], 0, &limits), ["1: [1,6,f]\n[1,7,g]\n[1,8,h]"]);
        let mut again = |call| told(answers.begin(PAGE, call, Sent::Again, 1));
        let last = [again(3), again(4), again(6), again(7), again(8)];
        assert_eq!(last, ["Unknown", "[1,4,d]", "[1,6,f]", "[1,7,g]", "[1,8,h]"]);
        assert!(!answers.is_busy());
    }
}
