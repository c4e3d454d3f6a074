//! Calls of one connection that go to the engine together: one hand-over, one text, one reading.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Call, CallContext, CallError, Origin, Outcome, RequestView, SessionView};

/// Room for a call in the text of all, in bytes.
const CALL_BYTES: usize = 32;

/// Most calls of a group.
pub const MOST_CALLS: usize = 64;

/// What came of a call: its value as JSON, `None` for `undefined`.
pub type Answered<'a> = Result<Option<&'a str>, CallError>;

/// The same, of what is kept.
pub fn answered(outcome: &Outcome) -> Answered<'_> {
    outcome.as_ref().map(|value| value.as_deref().map(RawValue::get)).map_err(Clone::clone)
}

/// Whoever waits for the calls of a group.
pub trait Waits: Send + Sync {
    /// These calls have ended, on whatever thread knows; must not block it.
    fn answered(&self, ended: &mut dyn Iterator<Item = (Grouped, Answered<'_>)>);
}

/// Calls that go to the engine together, in order.
pub struct CallGroup {
    /// The key of their session.
    pub session: Option<u64>,
    /// `[session,request]` as JSON; the request's id is null, and made of the connection's number and the call's.
    pub known: String,
    /// How long each answer may take, in milliseconds of wall time.
    pub timeout_ms: u64,
    /// Who is told what came of them.
    pub waits: Arc<dyn Waits>,
    calls: Calls,
}

/// A call among others.
#[derive(Debug, Clone, Copy)]
pub struct Grouped {
    /// Its place in the group.
    pub place: usize,
    /// The client's number.
    pub number: u64,
    /// The action, by its place in the order of all.
    pub action: usize,
    /// Where it begins in the text of all, and where its arguments do.
    from: usize,
    args_from: usize,
    /// Whether the arguments are a list there.
    listed: bool,
}

/// The calls of a group while it is being made: [`MOST_CALLS`] at most.
#[derive(Debug, Default)]
pub struct Calls {
    calls: Vec<Grouped>,
    /// Of each the action, and the arguments as their count and one by one, or as -1 and the list of them; before it, as -1 and the
    /// number, its number when that is not the one behind the last. Each with a comma before it.
    text: String,
}

impl Calls {
    /// Makes room for so many more.
    pub fn reserve(&mut self, calls: usize) {
        self.calls.reserve(calls);
        self.text.reserve(calls * CALL_BYTES);
    }

    /// Adds a call; `args` is a JSON array, of so many `values` when they are known to be no lists or objects.
    pub fn push(&mut self, number: u64, action: usize, args: &str, values: Option<usize>) {
        let from = self.text.len();
        if self.calls.last().is_some_and(|last| last.number.checked_add(1) != Some(number)) {
            push_jump(&mut self.text, number);
        }
        self.text.push(',');
        push_number(&mut self.text, action as u64);
        let listed = values.is_none();
        match values {
            Some(values) => {
                self.text.push(',');
                push_number(&mut self.text, values as u64);
                if values > 0 {
                    self.text.push(',');
                }
            }
            None => self.text.push_str(",-1,"),
        }
        let args_from = self.text.len();
        if !listed {
            self.text.push_str(&args[1..args.len() - 1]);
        } else if args.bytes().any(|byte| byte < b' ') {
            // Between tokens only: such a byte is no part of a JSON string.
            self.text.extend(args.chars().map(|c| if c < ' ' { ' ' } else { c }));
        } else {
            self.text.push_str(args);
        }
        self.calls.push(Grouped { place: self.calls.len(), number, action, from, args_from, listed });
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The group of them.
    pub fn group(self, session: Option<u64>, known: String, timeout_ms: u64, waits: Arc<dyn Waits>) -> CallGroup {
        debug_assert!(self.len() <= MOST_CALLS, "a group is not larger");
        CallGroup { session, known, timeout_ms, waits, calls: self }
    }

    /// Where the call of that place begins in the text, or where the last ends.
    fn start(&self, place: usize) -> usize {
        self.calls.get(place).map_or(self.text.len(), |call| call.from)
    }
}

impl CallGroup {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The call of that place.
    pub fn call(&self, place: usize) -> Grouped {
        self.calls.calls[place]
    }

    /// Appends the message for the prelude that some of them make; `first` is the number of the whole group's first.
    pub(super) fn write(&self, out: &mut String, first: u64, which: Range<usize>) {
        let calls = &self.calls.text[self.calls.start(which.start)..self.calls.start(which.end)];
        out.reserve(64 + self.known.len() + calls.len());
        write!(out, "*{},{}\t{}\t[0", first + which.start as u64, which.len(), self.known)
            .expect("a string takes all text");
        if let Some(call) = self.calls.calls.get(which.start) {
            push_jump(out, call.number);
        }
        out.push_str(calls);
        out.push(']');
    }

    /// The calls one by one, for who takes no groups; `path` gives the paths of actions.
    pub fn split<'a>(&'a self, path: impl Fn(usize) -> String + 'a) -> impl Iterator<Item = Call> + 'a {
        let (session, request): (Option<SessionParts>, RequestParts) =
            serde_json::from_str(&self.known).expect("it was written here");
        let session = session.map(|(key, id, created_at, user_id, attributes, channels)| SessionView {
            key,
            id,
            created_at,
            user_id,
            attributes,
            channels,
        });
        let (_, origin, ip, connection, post) = request;
        self.calls.calls.iter().map(move |call| {
            let id = format!("{}-{}", connection.unwrap_or_default(), call.number);
            let request = RequestView { id, origin, ip: ip.clone(), connection, post: post.clone() };
            let args = &self.calls.text[call.args_from..self.calls.start(call.place + 1)];
            let args = if call.listed { args.to_owned() } else { format!("[{args}]") };
            Call {
                action: path(call.action),
                args: RawValue::from_string(args).expect("arguments were read as JSON"),
                context: CallContext { session: session.clone(), request },
                timeout_ms: self.timeout_ms,
            }
        })
    }
}

type SessionParts = (u64, String, u64, Option<String>, serde_json::Map<String, Value>, Vec<String>);
type RequestParts = (Option<String>, Origin, Option<String>, Option<u64>, Option<Value>);

/// The next call has this number.
fn push_jump(out: &mut String, number: u64) {
    out.push_str(",-1,");
    push_number(out, number);
}

/// Appends a whole number.
pub(crate) fn push_number(out: &mut String, number: u64) {
    out.push_str(itoa::Buffer::new().format(number));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::known::{SessionText, write_session};
    use super::*;

    struct Nobody;
    impl Waits for Nobody {
        fn answered(&self, _ended: &mut dyn Iterator<Item = (Grouped, Answered<'_>)>) {}
    }

    fn group() -> CallGroup {
        let attributes = json!({"a \"key\"": [1, null, "\n"]});
        let mut known = "[".to_owned();
        let session = SessionText {
            key: 7,
            id: "0af",
            created_at: 1_700_000_000_000,
            user_id: Some("ann \"a\""),
            attributes: attributes.as_object().expect("an object"),
            channels: ["lobby", "d\u{e9}n\t"],
        };
        write_session(&mut known, &session);
        known.push_str(r#",[null,"socket","::1",1,null]]"#);
        let mut calls = Calls::default();
        calls.push(2, 0, "[1]", Some(1));
        calls.push(3, 1, "[\n{},\t2]", None);
        calls.push(18_446_744_073_709_551_615, 0, "[]", Some(0));
        calls.group(Some(7), known, 5, Arc::new(Nobody))
    }

    #[test]
    fn what_is_written_is_read_again() {
        let group = group();
        let calls: Vec<Call> = group.split(|action| ["a/b", "c"][action].to_owned()).collect();
        let told: Vec<_> = calls.iter().map(|call| (call.action.as_str(), call.args.get())).collect();
        assert_eq!(told, [("a/b", "[1]"), ("c", "[ {}, 2]"), ("a/b", "[]")]);
        let CallContext { session, request } = &calls[1].context;
        let session = session.as_ref().expect("there is one");
        assert_eq!((session.key, session.id.as_str(), session.created_at), (7, "0af", 1_700_000_000_000));
        assert_eq!(session.user_id.as_deref(), Some("ann \"a\""));
        assert_eq!((session.attributes["a \"key\""].clone(), session.channels.len()), (json!([1, null, "\n"]), 2));
        assert_eq!((request.id.as_str(), request.origin, request.connection), ("1-3", Origin::Socket, Some(1)));
    }

    #[test]
    fn a_part_of_a_group_is_a_message_of_its_own() {
        let group = group();
        let mut text = String::new();
        group.write(&mut text, 40, 1..3);
        let parts: Vec<&str> = text.split('\t').collect();
        assert_eq!((parts[0], parts[2]), ("*41,2", "[0,-1,3,1,-1,[ {}, 2],-1,18446744073709551615,0,0]"));
        assert_eq!(parts[1], group.known);
    }
}
