//! Stacks in places of the app's own files: the bundle's source map, read when something first goes wrong.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::{CallError, Host, HostCall, Reply};

/// Rewrites places in the bundle to places in the sources.
pub(super) struct Stacks {
    /// The bundle's name in stacks.
    bundle: String,
    map: Option<PathBuf>,
    read: OnceLock<Option<Map>>,
}

#[derive(Deserialize)]
struct Source {
    sources: Vec<String>,
    mappings: String,
}

struct Map {
    sources: Vec<String>,
    /// For each line of the bundle, by column: source, line and column there, all from 0.
    lines: Vec<Vec<(u32, u32, u32, u32)>>,
}

impl Stacks {
    pub(super) fn new(bundle: &str, map: Option<PathBuf>) -> Self {
        Self { bundle: bundle.to_owned(), map, read: OnceLock::new() }
    }

    pub(super) fn error(&self, error: CallError) -> CallError {
        CallError { stack: error.stack.map(|stack| self.text(&stack).into_owned()), ..error }
    }

    /// The text with every place of the bundle in it rewritten.
    pub(super) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !text.contains(self.bundle.as_str()) {
            return Cow::Borrowed(text);
        }
        let read = self.read.get_or_init(|| Map::parse(&std::fs::read_to_string(self.map.as_ref()?).ok()?));
        match read {
            Some(map) => Cow::Owned(map.rewrite(text, &self.bundle)),
            None => Cow::Borrowed(text),
        }
    }
}

impl Map {
    fn parse(text: &str) -> Option<Self> {
        let Source { sources, mappings } = serde_json::from_str(text).ok()?;
        let (mut source, mut line, mut column) = (0i64, 0i64, 0i64);
        let mut lines = Vec::new();
        for text in mappings.split(';') {
            let mut segments = Vec::new();
            let mut generated = 0i64;
            for segment in text.split(',').filter(|segment| !segment.is_empty()) {
                let mut bytes = segment.bytes();
                let mut fields = Vec::with_capacity(5);
                while bytes.len() > 0 {
                    fields.push(vlq::decode(&mut bytes).ok()?);
                }
                generated += fields.first()?;
                if let [_, to_source, to_line, to_column, ..] = fields.as_slice() {
                    source += to_source;
                    line += to_line;
                    column += to_column;
                    let number = |value: i64| u32::try_from(value).ok();
                    segments.push((number(generated)?, number(source)?, number(line)?, number(column)?));
                }
            }
            lines.push(segments);
        }
        Some(Self { sources, lines })
    }

    /// Line and column count from 1, as in stacks.
    fn place(&self, line: u32, column: u32) -> Option<String> {
        let segments = self.lines.get(line.checked_sub(1)? as usize)?;
        let after = segments.partition_point(|segment| segment.0 < column);
        let &(_, source, line, column) = segments.get(after.checked_sub(1)?)?;
        Some(format!("{}:{}:{}", self.sources.get(source as usize)?, line + 1, column + 1))
    }

    fn rewrite(&self, text: &str, bundle: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(bundle) {
            let behind = &rest[at + bundle.len()..];
            let place = behind
                .strip_prefix(':')
                .and_then(numbers)
                .and_then(|(line, column, length)| Some((self.place(line, column)?, length + 1)));
            out.push_str(&rest[..at]);
            match place {
                Some((place, length)) => {
                    out.push_str(&place);
                    rest = &behind[length..];
                }
                None => {
                    out.push_str(bundle);
                    rest = behind;
                }
            }
        }
        out.push_str(rest);
        out
    }
}

/// `12:34` at the beginning of a text, and how long it is.
fn numbers(text: &str) -> Option<(u32, u32, usize)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let first = digits(text);
    let rest = text[first..].strip_prefix(':')?;
    let second = digits(rest);
    Some((text[..first].parse().ok()?, rest[..second].parse().ok()?, first + 1 + second))
}

/// A host whose log names places in sources.
pub(super) struct MappedHost {
    pub(super) host: Arc<dyn Host>,
    pub(super) stacks: Arc<Stacks>,
}

impl Host for MappedHost {
    fn perform(&self, call: HostCall, reply: Option<Reply>) {
        let call = match call {
            HostCall::Log { level, text } => HostCall::Log { level, text: self.stacks.text(&text).into_owned() },
            other => other,
        };
        self.host.perform(call, reply);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_sources() {
        // Line 2 of the bundle: column 4 is a.js:1:1, column 10 is b.js:3:5.
        let map = Map::parse(r#"{"sources": ["a.js", "b.js"], "mappings": ";IAAA,MCEI"}"#).unwrap();
        let rewrite = |text: &str| map.rewrite(text, "server.js");
        assert_eq!(rewrite("Error: x\n    at f (server.js:2:7)"), "Error: x\n    at f (a.js:1:1)");
        assert_eq!(rewrite("at server.js:2:11, at server.js:2:5"), "at b.js:3:5, at a.js:1:1");
        assert_eq!(
            rewrite("at server.js:2:1, server.js:9:9 and server.js"),
            "at server.js:2:1, server.js:9:9 and server.js"
        );
        assert!(Map::parse("{}").is_none());
    }
}
