//! What goes into a VM: jobs as they are queued, and what becomes of them on its thread or on the way to its process.

use std::time::Instant;

use super::group::Part;
use crate::engine::{CallError, Outcome};

/// Where the answer of a call goes. Called on whatever thread has it, without a lock.
pub(in crate::engine) type Answer = Box<dyn FnOnce(Outcome) + Send>;

/// Something for the VM to do.
pub(in crate::engine) enum Job {
    /// A call, which moves to the spare when its VM is given up before it started.
    Call {
        /// The call's number.
        id: u64,
        /// The message for the prelude.
        text: String,
        /// Who waits.
        answer: Answer,
        /// When it waits no longer, where nobody else looks at that.
        until: Option<Instant>,
    },
    /// Calls of one connection, of which each moves to the spare like another call.
    Calls(Part),
    /// A message that concerns this VM only.
    Message(String),
}

impl Job {
    /// How many calls it is.
    pub(super) fn calls(&self) -> usize {
        match self {
            Self::Call { .. } => 1,
            Self::Calls(part) => part.len(),
            Self::Message(_) => 0,
        }
    }

    /// When nobody waits for its calls any longer, where that is known.
    pub(super) fn until(&self) -> Option<Instant> {
        match self {
            Self::Call { until, .. } => *until,
            Self::Calls(part) => Some(part.queued.until),
            Self::Message(_) => None,
        }
    }

    /// Fails its calls.
    pub(in crate::engine) fn fail(self, error: &CallError) {
        match self {
            Self::Call { answer, .. } => answer(Err(error.clone())),
            Self::Calls(part) => part.queued.fail(part.which, error),
            Self::Message(_) => {}
        }
    }
}

/// What the VM shall do next.
pub(in crate::engine) enum Next {
    /// Give the prelude this message; a call is on the list of those that have started from now on.
    Message(Option<u64>, String),
    /// Give the prelude this message about so many calls, each of which comes next.
    Calls(String),
    /// Run the next of those calls, which is on the list from now on.
    Call(u64),
    /// It was a spare and is at work from now on.
    Opened,
    /// A timer is due.
    Timer,
    /// End.
    Stop,
}

/// What a worker process shall be sent next.
pub(in crate::engine) enum Batch {
    /// It was a spare and is at work from now on.
    Opened,
    /// These messages; their calls are on the list of those that have started.
    Messages(Vec<Message>),
    /// End.
    Stop,
}

/// A message for a worker process.
pub(in crate::engine) enum Message {
    /// About no call.
    Plain(String),
    /// A call by its number.
    Call(u64, String),
    /// Calls of one connection.
    Calls(Part),
}

impl Message {
    /// As how many messages the worker counts it.
    pub(in crate::engine) fn count(&self) -> usize {
        match self {
            Self::Plain(_) | Self::Call(..) => 1,
            Self::Calls(part) => part.len(),
        }
    }
}
