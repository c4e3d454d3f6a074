//! Calls of one connection that go to the engine together: one hand-over, one text, one reading.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Call, CallContext, Origin, Outcome, RequestView, SessionView};

/// Whoever waits for the calls of a group.
pub trait Waits: Send + Sync {
    /// The calls of these places in the group have ended, on whatever thread knows; must not block it.
    fn answered(&self, ended: &mut dyn Iterator<Item = (usize, Outcome)>);
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
    calls: Vec<Grouped>,
    args: String,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
struct Grouped {
    /// The client's number.
    number: u64,
    /// The action, by its place in the order of all.
    action: usize,
    args_end: usize,
}

/// The calls of a group while it is being made.
#[derive(Debug, Default)]
pub struct Calls {
    calls: Vec<Grouped>,
    args: String,
}

impl Calls {
    /// Adds a call; `args` is a JSON array.
    pub fn push(&mut self, number: u64, action: usize, args: &str) {
        if args.bytes().any(|byte| byte < b' ') {
            // Between tokens only: such a byte is no part of a JSON string.
            self.args.extend(args.chars().map(|c| if c < ' ' { ' ' } else { c }));
        } else {
            self.args.push_str(args);
        }
        self.calls.push(Grouped { number, action, args_end: self.args.len() });
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
        CallGroup { session, known, timeout_ms, waits, calls: self.calls, args: self.args }
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

    /// Appends the message for the prelude that some of them make; `first` is the number of the whole group's first.
    pub(super) fn write(&self, out: &mut String, first: u64, which: Range<usize>) {
        let some = &self.calls[which.clone()];
        out.reserve(64 + self.known.len() + 24 * some.len() + self.args.len());
        write!(out, "*{},{}\t{}\t[", first + which.start as u64, some.len(), self.known)
            .expect("a string takes all text");
        let mut from = self.args_start(which.start);
        for (place, call) in some.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            push_number(out, call.number);
            out.push(',');
            push_number(out, call.action as u64);
            out.push(',');
            out.push_str(&self.args[from..call.args_end]);
            from = call.args_end;
        }
        out.push(']');
    }

    fn args_start(&self, place: usize) -> usize {
        place.checked_sub(1).map_or(0, |before| self.calls[before].args_end)
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
        self.calls.iter().enumerate().map(move |(place, call)| {
            let id = format!("{}-{}", connection.unwrap_or_default(), call.number);
            let request = RequestView { id, origin, ip: ip.clone(), connection, post: post.clone() };
            let args = self.args[self.args_start(place)..call.args_end].to_owned();
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

/// Appends a whole number: formatting would cost more than the rest of a call's text.
pub(crate) fn push_number(out: &mut String, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.push_str(std::str::from_utf8(&digits[at..]).expect("digits are text"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::known::{SessionText, write_session};
    use super::*;

    struct Nobody;
    impl Waits for Nobody {
        fn answered(&self, _ended: &mut dyn Iterator<Item = (usize, Outcome)>) {}
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
        calls.push(2, 0, "[1]");
        calls.push(3, 1, "[\n{},\t2]");
        calls.push(18_446_744_073_709_551_615, 0, "[]");
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
        assert_eq!((parts[0], parts[2]), ("*41,2", "[3,1,[ {}, 2],18446744073709551615,0,[]]"));
        assert_eq!(parts[1], group.known);
    }
}
