//! One session: a browser's id, what the app stored for it, its tabs, and the answers they may ask for again.

mod answers;
mod place;
mod registry;
mod shared;
mod store;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde_json::{Map, Value};

pub(crate) use answers::{Answers, Begin, Here, PageState};
pub(crate) use place::{Found, Place};
pub(crate) use registry::{Opened, Sessions};
pub(crate) use shared::{Effects, read_record};
pub use store::StoreError;
pub(crate) use store::{Done, Row, Store};

use crate::connection::Connection;
use crate::engine::{SessionText, SessionView, write_session};
use crate::limits::Limits;
use crate::random;

/// The public id, as in the cookie: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionId(u128);

impl SessionId {
    pub(crate) fn random() -> Self {
        Self(u128::from_le_bytes(random::bytes()))
    }

    /// Exactly what [`SessionId`]'s `Display` writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        digits.then(|| u128::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 32];
        for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(self.0.to_be_bytes()) {
            *pair = [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
        }
        f.write_str(std::str::from_utf8(&digits).expect("digits are text"))
    }
}

/// An id is a secret: whoever has it is that browser.
impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

/// Whether a session outlives its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// It belongs to a cookie.
    Kept,
    /// It is made for one HTTP request.
    Request,
}

/// One browser.
#[derive(Debug)]
pub(crate) struct Session {
    /// The server's own name for it, which no login changes.
    pub(crate) key: u64,
    pub(crate) lifetime: Lifetime,
    /// Milliseconds since 1970.
    pub(crate) created_at: u64,
    state: Mutex<SessionState>,
}

/// What changes in a session.
#[derive(Debug)]
pub(crate) struct SessionState {
    pub(crate) id: SessionId,
    pub(crate) user_id: Option<String>,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) channels: BTreeSet<String>,
    /// Tabs that have said hello.
    pub(crate) connections: Vec<Arc<Connection>>,
    pub(crate) answers: Answers,
    pub(crate) saved: Saved,
    /// What other servers know of it.
    pub(crate) shared: shared::Shared,
    /// When it was last used, as far as it is stored.
    pub(crate) used_at: u64,
    /// When its browser was last given the cookie.
    pub(crate) cookie_at: u64,
    /// When its last tab left, or its last request ended.
    pub(crate) idle_since_ms: u64,
}

/// How far a session is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    /// Nothing was ever written to it.
    Never,
    /// It is on its way.
    Waiting,
    /// As it is.
    Yes,
}

/// Why a change is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the session would have {bytes} bytes, {max} are allowed (limits.session_bytes)")]
    Bytes { bytes: usize, max: usize },
    #[error("a name has {bytes} bytes, {max} are allowed ({limit})")]
    Name { bytes: usize, max: usize, limit: &'static str },
    #[error("a name must not be empty")]
    EmptyName,
    #[error("the session would have more than {max} channels (limits.channels_per_session)")]
    Channels { max: usize },
}

impl Session {
    pub(crate) fn new(key: u64, lifetime: Lifetime, id: SessionId, now_ms: u64) -> Self {
        let state = SessionState {
            id,
            user_id: None,
            attributes: Map::new(),
            channels: BTreeSet::new(),
            connections: Vec::new(),
            answers: Answers::default(),
            saved: Saved::Never,
            shared: shared::Shared::default(),
            used_at: now_ms,
            cookie_at: now_ms,
            idle_since_ms: now_ms,
        };
        Self { key, lifetime, created_at: now_ms, state: Mutex::new(state) }
    }

    pub(crate) fn restored(key: u64, id: SessionId, row: Row, now_ms: u64) -> Self {
        let Row { created_at, used_at, cookie_at, user_id, attributes, channels } = row;
        let mut session = Self::new(key, Lifetime::Kept, id, now_ms);
        session.created_at = created_at;
        let state = session.state.get_mut();
        *state = SessionState {
            user_id,
            attributes,
            channels,
            used_at,
            cookie_at,
            saved: Saved::Yes,
            shared: shared::Shared::default(),
            id,
            connections: Vec::new(),
            answers: Answers::default(),
            idle_since_ms: now_ms,
        };
        session
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, SessionState> {
        self.state.lock()
    }

    /// Writes what a call may know of it.
    pub(crate) fn write_view(&self, out: &mut String) {
        let state = self.lock();
        let SessionState { id, user_id, attributes, channels, .. } = &*state;
        let (key, created_at, user_id) = (self.key, self.created_at, user_id.as_deref());
        write_session(out, &SessionText { key, id, created_at, user_id, attributes, channels });
    }

    /// A copy for a call.
    pub(crate) fn view(&self) -> SessionView {
        let state = self.lock();
        SessionView {
            key: self.key,
            id: state.id.to_string(),
            created_at: self.created_at,
            user_id: state.user_id.clone(),
            attributes: state.attributes.clone(),
            channels: state.channels.iter().cloned().collect(),
        }
    }
}

impl SessionState {
    /// Changes attributes key by key, or nothing when the result would be too large.
    pub(crate) fn change(&mut self, set: Map<String, Value>, unset: &[String], limits: &Limits) -> Result<(), Refused> {
        if let Some(long) = set.keys().map(String::len).find(|len| *len > limits.session_key_bytes) {
            return Err(Refused::Name {
                bytes: long,
                max: limits.session_key_bytes,
                limit: "limits.session_key_bytes",
            });
        }
        let mut changed = self.attributes.clone();
        for key in unset {
            changed.shift_remove(key);
        }
        changed.extend(set);
        let bytes = serde_json::to_vec(&changed).map_or(usize::MAX, |json| json.len());
        if bytes > limits.session_bytes {
            return Err(Refused::Bytes { bytes, max: limits.session_bytes });
        }
        self.attributes = changed;
        Ok(())
    }

    /// Adds channels, all or none; returns those that are new.
    pub(crate) fn add_channels(&mut self, names: Vec<String>, limits: &Limits) -> Result<Vec<String>, Refused> {
        for name in &names {
            if name.is_empty() {
                return Err(Refused::EmptyName);
            }
            if name.len() > limits.channel_name_bytes {
                let (bytes, max) = (name.len(), limits.channel_name_bytes);
                return Err(Refused::Name { bytes, max, limit: "limits.channel_name_bytes" });
            }
        }
        let new: BTreeSet<String> = names.into_iter().filter(|name| !self.channels.contains(name)).collect();
        if self.channels.len() + new.len() > limits.channels_per_session {
            return Err(Refused::Channels { max: limits.channels_per_session });
        }
        self.channels.extend(new.iter().cloned());
        Ok(new.into_iter().collect())
    }
}
