//! Where sessions are kept.

use std::sync::Arc;

use super::{Done, Row, Session, SessionId, Store};
use crate::backplane::Backplane;

/// On this machine, or where other servers find them, too.
#[derive(Debug)]
pub(crate) enum Place {
    Disk(Store),
    Redis(Arc<Backplane>),
}

/// What there is under an id.
#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    /// A login on another server has just made it void.
    Void,
    /// A session, and the version of its record.
    Row(Box<Row>, u64),
}

impl Place {
    /// Writes a session; `done` is called when it is there.
    pub(super) fn save(&self, session: &Arc<Session>, done: Option<Done>) {
        match self {
            Self::Disk(store) => store.save(session, done),
            Self::Redis(backplane) => backplane.save(session, done),
        }
    }

    /// A new session that nobody has written to: other servers have to know it, a disk does not.
    pub(super) fn created(&self, session: &Arc<Session>) {
        if let Self::Redis(backplane) = self {
            backplane.save(session, None);
        }
    }

    /// A session has a new id; what is under the old one goes.
    pub(super) fn change_id(&self, session: &Arc<Session>, old: SessionId, new: SessionId, void_ms: u64) {
        match self {
            Self::Disk(store) => store.delete(old),
            Self::Redis(backplane) => backplane.change_id(session, old, new, void_ms),
        }
    }

    /// Reads a session.
    pub(super) async fn load(&self, id: SessionId) -> Result<Found, String> {
        match self {
            Self::Disk(store) => Ok(store.load(id).await?.map_or(Found::Nothing, |row| Found::Row(Box::new(row), 0))),
            Self::Redis(backplane) => backplane.load(id).await,
        }
    }

    /// A session was made of what was read.
    pub(super) fn registered(&self, session: &Arc<Session>) {
        if let Self::Redis(backplane) = self {
            backplane.registered(session);
        }
    }

    /// Removes sessions that were not used since then; in Redis each has its own end.
    pub(super) fn expire(&self, before_ms: u64) {
        if let Self::Disk(store) = self {
            store.expire(before_ms);
        }
    }

    /// Writes what waits, and closes what is this server's own.
    pub(super) fn close(&self) {
        match self {
            Self::Disk(store) => store.close(),
            Self::Redis(backplane) => backplane.flush(),
        }
    }
}
