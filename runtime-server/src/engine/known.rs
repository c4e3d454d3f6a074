//! What a call may know, as the text that the prelude reads. Written straight into that text: it is written for every call,
//! and read by few.

use std::fmt::{Display, Write as _};

use serde::Serialize;
use serde_json::{Map, Value};

use super::push_number;

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
    out.push('[');
    push_number(out, *key);
    write!(out, ",\"{id}\",").expect("a string takes all text");
    push_number(out, *created_at);
    out.push(',');
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
