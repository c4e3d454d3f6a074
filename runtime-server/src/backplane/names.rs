//! Keys and channels in Redis.

use crate::session::SessionId;

/// All begin with the configured prefix.
#[derive(Debug, Clone)]
pub(super) struct Names {
    prefix: String,
}

/// What a message came through.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Stream,
    /// The session's hash.
    Session(String),
    Server,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// Epoch and offset of a stream.
    pub(super) fn stream(&self, name: &str) -> String {
        format!("{}:stream:{name}", self.prefix)
    }

    /// The last events of a stream, a Redis Stream.
    pub(super) fn history(&self, name: &str) -> String {
        format!("{}:history:{name}", self.prefix)
    }

    /// Counts publications.
    pub(super) fn counter(&self) -> String {
        format!("{}:publications", self.prefix)
    }

    /// Where a stream's events are published.
    pub(super) fn events(&self, name: &str) -> String {
        format!("{}:events:{name}", self.prefix)
    }

    /// A session's record. Found by a hash, so that whoever reads Redis learns no cookie.
    pub(super) fn session(&self, hash: &str) -> String {
        format!("{}:session:{hash}", self.prefix)
    }

    /// Marks an id that a login has made void.
    pub(super) fn void(&self, hash: &str) -> String {
        format!("{}:void:{hash}", self.prefix)
    }

    /// Where a session's changes are published.
    pub(super) fn changes(&self, hash: &str) -> String {
        format!("{}:changes:{hash}", self.prefix)
    }

    /// A login's ticket.
    pub(super) fn ticket(&self, ticket: &str) -> String {
        format!("{}:ticket:{ticket}", self.prefix)
    }

    /// Users online, with the time of their last sign of life.
    pub(super) fn online(&self) -> String {
        format!("{}:online", self.prefix)
    }

    /// What is said to one server.
    pub(super) fn server(&self, number: u32) -> String {
        format!("{}:server:{number}", self.prefix)
    }

    /// What a channel is for.
    pub(super) fn read(&self, channel: &[u8]) -> Option<Channel> {
        let name = std::str::from_utf8(channel).ok()?.strip_prefix(&self.prefix)?.strip_prefix(':')?;
        match name.split_once(':')? {
            ("events", _) => Some(Channel::Stream),
            ("changes", hash) => Some(Channel::Session(hash.to_owned())),
            ("server", _) => Some(Channel::Server),
            _ => None,
        }
    }
}

/// The name of a session's record.
pub(super) fn hash(id: SessionId) -> String {
    use sha2::{Digest as _, Sha256};
    crate::hex::encode(&Sha256::digest(id.to_string().as_bytes()))
}
