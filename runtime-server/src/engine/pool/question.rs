//! A question of a script, and the way of its answer back into the VM that asked.

use std::sync::Arc;

use super::mailbox::Mailbox;
use crate::engine::message;

/// A question of the script. Dropped without an answer, it answers with an error.
pub(in crate::engine) struct Question {
    mailbox: Option<Arc<Mailbox>>,
    number: u64,
}

impl Question {
    pub(in crate::engine) fn new(mailbox: &Arc<Mailbox>, number: u64) -> Self {
        Self { mailbox: Some(mailbox.clone()), number }
    }

    pub(in crate::engine) fn answer(&mut self, answer: &Result<serde_json::Value, String>) {
        if let Some(mailbox) = self.mailbox.take() {
            mailbox.tell(message::reply(self.number, answer));
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.answer(&Err("the server could not do it".to_owned()));
    }
}
