use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use rustc_hash::FxHashMap;

use crate::connection::Connection;
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
    calls: FxHashMap<u64, Known>,
    /// Calls that are done, in order: when, and which.
    order: VecDeque<(u64, u64)>,
    /// No call up to this number can be told from one that never came.
    forgotten: u64,
    /// The connection that it said hello on last.
    connection: u64,
    /// When that ended; `None` while it is there.
    left_ms: Option<u64>,
}

#[derive(Debug)]
enum Known {
    Running(Weak<Connection>),
    Done(Text),
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
        let (calls, order) = (FxHashMap::default(), VecDeque::new());
        // Most sessions have one page.
        self.pages.reserve_exact(1);
        self.pages.push(Page { id, calls, order, forgotten, connection, left_ms: None });
    }

    /// A page's connection ended; it may have come back on another one before that was noticed.
    pub(crate) fn left(&mut self, id: ClientId, connection: u64, now_ms: u64) {
        if let Some(page) = self.page(id).filter(|page| page.connection == connection) {
            page.left_ms = Some(now_ms);
        }
    }

    /// A call came in: it counts as running when this says that it is to run.
    pub(crate) fn begin(&mut self, page: ClientId, call: u64, sent: Sent, connection: &Arc<Connection>) -> Begin {
        let Some(page) = self.page(page) else { return Begin::Unknown };
        match page.calls.get_mut(&call) {
            Some(Known::Running(target)) => {
                *target = Arc::downgrade(connection);
                Begin::Running
            }
            Some(Known::Done(text)) => Begin::Answered(text.clone()),
            None if sent == Sent::Again && call <= page.forgotten => Begin::Unknown,
            None => {
                page.calls.insert(call, Known::Running(Arc::downgrade(connection)));
                Begin::Run
            }
        }
    }

    /// A call that was to run is refused: it never came, as far as its page is concerned.
    pub(crate) fn refuse(&mut self, page: ClientId, call: u64) {
        if let Some(page) = self.page(page) {
            page.calls.remove(&call);
        }
    }

    /// A call has its answer: remembers it and tells where it is to be sent.
    pub(crate) fn finish(
        &mut self,
        page: ClientId,
        call: u64,
        answer: &Text,
        now_ms: u64,
        limits: &Limits,
    ) -> Option<Arc<Connection>> {
        let page = self.page(page)?;
        let known = page.calls.get_mut(&call)?;
        let Known::Running(target) = std::mem::replace(known, Known::Done(answer.clone())) else { return None };
        page.order.push_back((now_ms, call));
        self.done += 1;
        self.bytes += answer.len();
        while self.done > limits.answers_per_session || self.bytes > limits.answers_bytes_per_session {
            self.forget_oldest();
        }
        target.upgrade()
    }

    /// Whether calls run.
    pub(crate) fn is_busy(&self) -> bool {
        self.pages.iter().any(|page| page.calls.len() > page.order.len())
    }

    /// Forgets what is too old.
    pub(crate) fn sweep(&mut self, now_ms: u64, limits: &Limits) {
        let before_ms = now_ms.saturating_sub(limits.answer_memory_ms);
        for index in (0..self.pages.len()).rev() {
            while self.pages[index].order.front().is_some_and(|(at, _)| *at < before_ms) {
                self.forget_first_of(index);
            }
            let page = &self.pages[index];
            if page.calls.is_empty() && page.left_ms.is_some_and(|left| left < before_ms) {
                self.drop_page(index);
            }
        }
    }

    fn forget_oldest(&mut self) {
        let oldest = (0..self.pages.len())
            .filter(|i| !self.pages[*i].order.is_empty())
            .min_by_key(|i| self.pages[*i].order.front().copied());
        self.forget_first_of(oldest.expect("there are answers when there are too many"));
    }

    fn forget_first_of(&mut self, index: usize) {
        let page = &mut self.pages[index];
        if let Some((_, call)) = page.order.pop_front() {
            page.forgotten = page.forgotten.max(call);
            if let Some(Known::Done(text)) = page.calls.remove(&call) {
                self.bytes -= text.len();
            }
            self.done -= 1;
        }
    }

    fn drop_page(&mut self, index: usize) {
        while !self.pages[index].order.is_empty() {
            self.forget_first_of(index);
        }
        self.pages.swap_remove(index);
    }

    fn page(&mut self, id: ClientId) -> Option<&mut Page> {
        self.pages.iter_mut().find(|page| page.id == id)
    }
}
