//! What other servers know of a session, and what they do not know yet.
//!
//! A record in Redis has a field for each attribute and each channel, so that two tabs on two servers do not undo each
//! other. Of what is known here and there, the difference is what is to be sent; what was sent and not confirmed yet is
//! newer than what others say meanwhile.

use std::collections::{BTreeSet, HashSet, VecDeque};

use serde_json::{Map, Value};

use super::{Row, SessionState};

/// How a session stands to its record.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Of the last change seen; 0 before the first.
    pub(crate) version: u64,
    /// What the record holds, as far as is known, and when all that was sent is done.
    sent: Fields,
    /// The fields of each change that is on its way, in order.
    on_the_way: VecDeque<(u64, HashSet<String>)>,
}

#[derive(Debug, Default, Clone, PartialEq)]
struct Fields {
    /// Whether there is a record.
    exists: bool,
    attributes: Map<String, Value>,
    channels: BTreeSet<String>,
    /// The outer is `None` when it is not known.
    user_id: Option<Option<String>>,
    times: Option<(u64, u64)>,
}

/// A change of a record.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// The number by which it is confirmed or given up.
    pub(crate) order: u64,
    /// Whether the record may have to be made.
    pub(crate) creates: bool,
    pub(crate) set: Vec<(String, String)>,
    pub(crate) unset: Vec<String>,
}

/// What a change made elsewhere means for the session's tabs here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    pub(crate) joined: Vec<String>,
    pub(crate) left: Vec<String>,
    /// Who it was and who it is.
    pub(crate) user: Option<(Option<String>, Option<String>)>,
}

const ATTRIBUTE: &str = "a:";
const CHANNEL: &str = "c:";
const USER: &str = "user";

impl SessionState {
    /// What the record does not have yet; from now on it counts as sent, with this number.
    pub(crate) fn take_change(&mut self, created_at: u64, order: u64) -> Change {
        let times = Some((self.used_at, self.cookie_at));
        let shared = &mut self.shared;
        let creates = !shared.sent.exists;
        let mut change = Change { order, creates, ..Change::default() };
        if creates {
            shared.sent = Fields::default();
            change.set.push(("created".to_owned(), created_at.to_string()));
        }
        if shared.sent.times != times {
            change.set.push(("used".to_owned(), self.used_at.to_string()));
            change.set.push(("cookie".to_owned(), self.cookie_at.to_string()));
        }
        let known = &shared.sent;
        for (key, value) in &self.attributes {
            if known.attributes.get(key) != Some(value) {
                change.set.push((format!("{ATTRIBUTE}{key}"), value.to_string()));
            }
        }
        let gone = known.attributes.keys().filter(|key| !self.attributes.contains_key(*key));
        change.unset.extend(gone.map(|key| format!("{ATTRIBUTE}{key}")));
        change
            .set
            .extend(self.channels.difference(&known.channels).map(|name| (format!("{CHANNEL}{name}"), "1".into())));
        change.unset.extend(known.channels.difference(&self.channels).map(|name| format!("{CHANNEL}{name}")));
        if known.user_id.as_ref() != Some(&self.user_id) {
            match &self.user_id {
                Some(user) => change.set.push((USER.to_owned(), user.clone())),
                None => change.unset.push(USER.to_owned()),
            }
        }
        shared.sent = Fields {
            exists: true,
            attributes: self.attributes.clone(),
            channels: self.channels.clone(),
            user_id: Some(self.user_id.clone()),
            times,
        };
        let fields = change.set.iter().map(|(field, _)| field).chain(&change.unset).cloned().collect();
        shared.on_the_way.push_back((change.order, fields));
        change
    }

    /// A change was not made, or may not have been: it is to be sent again.
    pub(crate) fn give_up(&mut self, change: &Change) {
        let shared = &mut self.shared;
        shared.on_the_way.retain(|(order, _)| *order != change.order);
        for (field, _) in &change.set {
            if let Some(key) = field.strip_prefix(ATTRIBUTE) {
                shared.sent.attributes.shift_remove(key);
            } else if let Some(name) = field.strip_prefix(CHANNEL) {
                shared.sent.channels.remove(name);
            }
        }
        for field in &change.unset {
            if let Some(key) = field.strip_prefix(ATTRIBUTE) {
                shared.sent.attributes.insert(key.to_owned(), Value::Null);
            } else if let Some(name) = field.strip_prefix(CHANNEL) {
                shared.sent.channels.insert(name.to_owned());
            }
        }
        if change.set.iter().map(|(field, _)| field).chain(&change.unset).any(|field| field == USER) {
            shared.sent.user_id = None;
        }
        shared.sent.times = None;
        if change.creates {
            shared.sent.exists = false;
        }
    }

    /// There is no record any more: all is to be sent.
    pub(crate) fn record_is_gone(&mut self) {
        self.shared = Shared::default();
    }

    /// One's own change has been made.
    pub(crate) fn confirm(&mut self, order: u64) {
        self.shared.on_the_way.retain(|(number, _)| *number != order);
    }

    /// Another server made this change.
    pub(crate) fn take_over(&mut self, set: &[(String, String)], unset: &[String]) -> Effects {
        let mut effects = Effects::default();
        for (field, value) in set {
            self.take_field(field, Some(value), &mut effects);
        }
        for field in unset {
            self.take_field(field, None, &mut effects);
        }
        effects
    }

    fn take_field(&mut self, field: &str, value: Option<&String>, effects: &mut Effects) {
        // What is on its way from here comes after this.
        let ours = self.shared.on_the_way.iter().any(|(_, fields)| fields.contains(field));
        let sent = &mut self.shared.sent;
        if let Some(key) = field.strip_prefix(ATTRIBUTE) {
            let value = value.and_then(|json| serde_json::from_str::<Value>(json).ok());
            // A change that nobody has sent yet is newer, too.
            let unsent = self.attributes.get(key) != sent.attributes.get(key);
            if ours || unsent {
                return;
            }
            match value {
                Some(value) => {
                    sent.attributes.insert(key.to_owned(), value.clone());
                    self.attributes.insert(key.to_owned(), value);
                }
                None => {
                    sent.attributes.shift_remove(key);
                    self.attributes.shift_remove(key);
                }
            }
        } else if let Some(name) = field.strip_prefix(CHANNEL) {
            if ours || self.channels.contains(name) != sent.channels.contains(name) {
                return;
            }
            if value.is_some() {
                sent.channels.insert(name.to_owned());
                if self.channels.insert(name.to_owned()) {
                    effects.joined.push(name.to_owned());
                }
            } else {
                sent.channels.remove(name);
                if self.channels.remove(name) {
                    effects.left.push(name.to_owned());
                }
            }
        } else if field == USER {
            if ours || sent.user_id.as_ref() != Some(&self.user_id) {
                return;
            }
            let before = std::mem::replace(&mut self.user_id, value.cloned());
            sent.user_id = Some(self.user_id.clone());
            if before != self.user_id {
                effects.user = Some((before, self.user_id.clone()));
            }
        }
    }

    /// The record was read, whole.
    pub(crate) fn take_record(&mut self, row: Row, version: u64) -> Effects {
        self.shared.version = version;
        // What was on its way has been performed, or is given up by whoever sent it.
        let fields = fields(&row);
        let named: HashSet<&String> = fields.iter().map(|(field, _)| field).collect();
        let sent = &self.shared.sent;
        let attributes = sent.attributes.keys().map(|key| format!("{ATTRIBUTE}{key}"));
        let channels = sent.channels.iter().map(|name| format!("{CHANNEL}{name}"));
        let user = sent.user_id.iter().flatten().map(|_| USER.to_owned());
        let unset: Vec<String> =
            attributes.chain(channels).chain(user).filter(|field| !named.contains(field)).collect();
        self.shared.sent.exists = true;
        self.take_over(&fields, &unset)
    }

    /// The session was made from its record.
    pub(crate) fn came_from_record(&mut self, version: u64) {
        let sent = Fields {
            exists: true,
            attributes: self.attributes.clone(),
            channels: self.channels.clone(),
            user_id: Some(self.user_id.clone()),
            times: Some((self.used_at, self.cookie_at)),
        };
        self.shared = Shared { version, sent, ..Shared::default() };
    }
}

fn fields(row: &Row) -> Vec<(String, String)> {
    let attributes = row.attributes.iter().map(|(key, value)| (format!("{ATTRIBUTE}{key}"), value.to_string()));
    let channels = row.channels.iter().map(|name| (format!("{CHANNEL}{name}"), "1".to_owned()));
    let user = row.user_id.iter().map(|user| (USER.to_owned(), user.clone()));
    attributes.chain(channels).chain(user).collect()
}

/// A record as Redis has it: its version, and the session; `None` when there is none.
pub(crate) fn read_record(pairs: Vec<(String, String)>) -> Option<(u64, Row)> {
    let (mut version, mut created_at, mut used_at, mut cookie_at) = (0, None, 0, 0);
    let mut row = Row {
        created_at: 0,
        used_at: 0,
        cookie_at: 0,
        user_id: None,
        attributes: Map::new(),
        channels: BTreeSet::new(),
    };
    for (field, value) in pairs {
        match field.as_str() {
            "version" => version = value.parse().ok()?,
            "created" => created_at = value.parse().ok(),
            "used" => used_at = value.parse().ok()?,
            "cookie" => cookie_at = value.parse().ok()?,
            USER => row.user_id = Some(value),
            field => {
                if let Some(key) = field.strip_prefix(ATTRIBUTE) {
                    row.attributes.insert(key.to_owned(), serde_json::from_str(&value).ok()?);
                } else if let Some(name) = field.strip_prefix(CHANNEL) {
                    row.channels.insert(name.to_owned());
                }
            }
        }
    }
    // Redis keeps no order of fields.
    row.attributes.sort_keys();
    (row.created_at, row.used_at, row.cookie_at) = (created_at?, used_at, cookie_at);
    Some((version, row))
}
