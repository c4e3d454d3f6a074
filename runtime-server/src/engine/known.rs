//! What a call may know, as the text that the prelude reads. Written straight into that text: it is written for every call,
//! and read by few.

use std::fmt::{Display, Write as _};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Call, CallContext, Json, RequestView, SessionView};

/// A call, with what it may know as text.
#[derive(Debug)]
pub struct CallText {
    /// Path in the tree, parts joined by `/`.
    pub action: String,
    /// The data arguments: a JSON array.
    pub args: Json,
    /// The key of its session.
    pub session: Option<u64>,
    /// `[session,request]`, as [`write_session`] and [`RequestView`] have it.
    pub known: String,
    /// How long the answer may take, in milliseconds of wall time.
    pub timeout_ms: u64,
}

impl CallText {
    /// The same call, read.
    pub fn read(self) -> Call {
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
        let (id, origin, ip, connection, post) = request;
        let request = RequestView { id, origin, ip, connection, post };
        Call {
            action: self.action,
            args: self.args,
            context: CallContext { session, request },
            timeout_ms: self.timeout_ms,
        }
    }
}

type SessionParts = (u64, String, u64, Option<String>, Map<String, Value>, Vec<String>);
type RequestParts = (String, super::Origin, Option<String>, Option<u64>, Option<Value>);

/// What [`write_session`] writes.
pub(crate) struct SessionText<'a, I, C> {
    pub(crate) key: u64,
    /// Hex digits.
    pub(crate) id: I,
    pub(crate) created_at: u64,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) attributes: &'a Map<String, Value>,
    pub(crate) channels: C,
}

/// Appends a session as server code sees it: `[key,id,created_at,user_id,attributes,channels]`.
pub(crate) fn write_session<I: Display, C: Serialize>(out: &mut String, session: &SessionText<'_, I, C>) {
    let SessionText { key, id, created_at, user_id, attributes, channels } = session;
    write!(out, "[{key},\"{id}\",{created_at},").expect("a string takes all text");
    push_json(out, user_id);
    out.push(',');
    push_json(out, attributes);
    out.push(',');
    push_json(out, channels);
    out.push(']');
}

/// Appends a value as JSON.
pub(super) fn push_json<T: Serialize + ?Sized>(out: &mut String, value: &T) {
    struct Text<'a>(&'a mut String);
    impl std::io::Write for Text<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.push_str(std::str::from_utf8(bytes).expect("each piece of JSON is text"));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Text(out), value).expect("maps, lists, texts and numbers are JSON");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::Origin;

    #[test]
    fn what_is_written_is_read_again() {
        let attributes = json!({"a \"key\"": [1, null, "\n"]});
        let mut known = "[".to_owned();
        let channels = ["lobby", "d\u{e9}n\t"];
        let session = SessionText {
            key: 7,
            id: "0af",
            created_at: 1_700_000_000_000,
            user_id: Some("ann \"a\""),
            attributes: attributes.as_object().expect("an object"),
            channels,
        };
        write_session(&mut known, &session);
        known.push_str(r#",["1-2","socket","::1",1,null]]"#);
        let args = serde_json::value::to_raw_value(&[1]).expect("JSON");
        let text = CallText { action: "a/b".to_owned(), args, session: Some(7), known, timeout_ms: 5 };
        let context = text.read().context;
        let read = context.session.expect("there is one");
        assert_eq!((read.key, read.id.as_str(), read.created_at), (7, "0af", 1_700_000_000_000));
        assert_eq!(read.user_id.as_deref(), Some("ann \"a\""));
        assert_eq!((Value::Object(read.attributes), read.channels), (attributes, channels.map(str::to_owned).to_vec()));
        let request = context.request;
        assert_eq!((request.id.as_str(), request.origin, request.connection), ("1-2", Origin::Socket, Some(1)));
    }
}
