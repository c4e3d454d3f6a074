//! Source maps of styles (ECMA-426): which place of the CSS is from which place of which file.

use serde::{Deserialize, Serialize};

use crate::mappings::numbers;

/// Where the CSS of one sheet is from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StyleMap {
    /// The files.
    pub sources: Vec<MapSource>,
    /// Base64 VLQ segments, counted from the beginning of the sheet's CSS.
    pub mappings: String,
}

/// A file that CSS is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapSource {
    /// Path below the app.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// One segment, all counted from 0, columns in UTF-16 units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) made_line: u32,
    pub(super) made_column: u32,
    pub(super) source: u32,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// The segments of a map, in order; what is not understood is left out.
pub(super) fn decode(mappings: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let (mut source, mut line, mut column) = (0_i64, 0_i64, 0_i64);
    for (made_line, text) in mappings.split(';').enumerate() {
        let mut made_column = 0_i64;
        for fields in text.split(',').map(numbers) {
            let Some(delta) = fields.first() else { continue };
            made_column += delta;
            let [_, of_source, of_line, of_column, ..] = fields[..] else { continue };
            source += of_source;
            line += of_line;
            column += of_column;
            let numbers = [made_line.try_into().unwrap_or(-1), made_column, source, line, column];
            let [Ok(made_line), Ok(made_column), Ok(source), Ok(line), Ok(column)] = numbers.map(u32::try_from) else {
                continue;
            };
            segments.push(Segment { made_line, made_column, source, line, column });
        }
    }
    segments
}

/// Segments, in order, as text.
pub(super) fn encode(segments: &[Segment]) -> String {
    let mut written = Vec::new();
    let (mut made_line, mut made_column) = (0, 0);
    let mut last = [0_i64; 3];
    let mut is_first = true;
    for segment in segments {
        while made_line < segment.made_line {
            written.push(b';');
            (made_line, made_column, is_first) = (made_line + 1, 0, true);
        }
        if !std::mem::replace(&mut is_first, false) {
            written.push(b',');
        }
        let now = [segment.source, segment.line, segment.column].map(i64::from);
        let deltas =
            [i64::from(segment.made_column) - made_column, now[0] - last[0], now[1] - last[1], now[2] - last[2]];
        for delta in deltas {
            vlq::encode(delta, &mut written).expect("writing to memory does not fail");
        }
        (made_column, last) = (i64::from(segment.made_column), now);
    }
    String::from_utf8(written).expect("base64 is ASCII")
}

/// Joins the CSS of several sheets, and their maps.
#[derive(Debug, Default)]
pub(super) struct Joined {
    pub(super) text: String,
    sources: Vec<MapSource>,
    segments: Vec<Segment>,
    line: u32,
    column: u32,
}

impl Joined {
    /// Adds text; `map` counts from where the text begins.
    pub(super) fn push(&mut self, text: &str, map: Option<&StyleMap>) {
        if let Some(map) = map {
            let numbers: Vec<u32> = map.sources.iter().map(|source| self.source(source)).collect();
            let ends = u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX);
            for segment in decode(&map.mappings) {
                let Some(&source) = numbers.get(segment.source as usize) else { continue };
                if segment.made_line > ends {
                    break;
                }
                let shift = if segment.made_line == 0 { self.column } else { 0 };
                let (made_line, made_column) = (self.line + segment.made_line, shift + segment.made_column);
                self.segments.push(Segment { made_line, made_column, source, ..segment });
            }
        }
        let last_line = text.rsplit('\n').next().unwrap_or_default();
        let ends = u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX);
        let units = last_line.chars().map(|c| u32::try_from(c.len_utf16()).expect("one or two")).sum::<u32>();
        self.column = if ends == 0 { self.column + units } else { units };
        self.line += ends;
        self.text.push_str(text);
    }

    /// The map of all, for a file of that name; `None` when no part had one.
    pub(super) fn map(&self, file: &str) -> Option<String> {
        if self.sources.is_empty() {
            return None;
        }
        let (files, texts): (Vec<&str>, Vec<&str>) =
            self.sources.iter().map(|source| (source.file.as_str(), source.text.as_str())).unzip();
        let mappings = encode(&self.segments);
        let map = serde_json::json!({
            "version": 3, "file": file, "sources": files, "sourcesContent": texts, "names": [], "mappings": mappings,
        });
        Some(map.to_string())
    }

    fn source(&mut self, source: &MapSource) -> u32 {
        let at = self.sources.iter().position(|known| known == source).unwrap_or_else(|| {
            self.sources.push(source.clone());
            self.sources.len() - 1
        });
        u32::try_from(at).expect("fewer files than 32 bits count")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let segment =
            |made_line, made_column, source, line, column| Segment { made_line, made_column, source, line, column };
        let segments = vec![segment(0, 0, 0, 3, 2), segment(0, 9, 1, 0, 0), segment(4, 2, 0, 70_000, 12)];
        assert_eq!(decode(&encode(&segments)), segments);
        assert_eq!(decode("!;AAAA,?,C;;"), [segment(1, 0, 0, 0, 0)], "what is broken is left out");
    }

    #[test]
    fn joined_maps_count_from_the_top() {
        let part = |file: &str| StyleMap {
            sources: vec![MapSource { file: file.to_owned(), text: "x".to_owned() }],
            mappings: "AAAA;EAAA".to_owned(),
        };
        let mut joined = Joined::default();
        joined.push("a{}", Some(&part("a.css")));
        joined.push("ä{}\n  b{}", Some(&part("b.css")));
        joined.push("\nc{}", Some(&part("a.css")));
        let map: serde_json::Value = serde_json::from_str(&joined.map("x.css").expect("a map")).expect("JSON");
        assert_eq!(map["sources"], serde_json::json!(["a.css", "b.css"]));
        let at: Vec<_> = decode(map["mappings"].as_str().expect("text"))
            .iter()
            .map(|segment| (segment.made_line, segment.made_column, segment.source))
            .collect();
        assert_eq!(at, [(0, 0, 0), (0, 3, 1), (1, 2, 1), (1, 5, 0), (2, 2, 0)]);
    }
}
