//! What source maps say: the numbers in them, and where a place in a bundle comes from.

use serde::Deserialize;
use ssbuild_diagnostic::Place;

#[derive(Deserialize)]
struct SourceMap {
    sources: Vec<String>,
    mappings: String,
}

/// Where a line and a column of generated code (from 1, in UTF-16 units) come from by a source map: source, line and column.
/// A place in front of a line's first mapping is that of the mapping before it.
fn original(map: &str, (line, column): (u32, u32)) -> Option<(String, u32, u32)> {
    let map: SourceMap = serde_json::from_str(map).ok()?;
    let [mut source, mut from_line, mut from_column] = [0_i64; 3];
    let mut last = None;
    for (number, mappings) in (1..=line).zip(map.mappings.split(';')) {
        let mut made_column = 0_i64;
        for segment in mappings.split(',').filter(|segment| !segment.is_empty()) {
            let fields = numbers(segment);
            made_column += fields.first()?;
            if number == line && made_column >= i64::from(column) {
                break;
            }
            if let [_, source_delta, line_delta, column_delta, ..] = fields[..] {
                source += source_delta;
                from_line += line_delta;
                from_column += column_delta;
                last = Some((source, from_line, from_column));
            }
        }
    }
    let (source, line, column) = last?;
    let at = |n: i64| u32::try_from(n + 1).ok();
    Some((map.sources.get(usize::try_from(source).ok()?)?.clone(), at(line)?, at(column)?))
}

/// The numbers of one segment; none when it is not one.
pub(crate) fn numbers(segment: &str) -> Vec<i64> {
    let mut bytes = segment.bytes().peekable();
    let mut numbers = Vec::new();
    while bytes.peek().is_some() {
        match vlq::decode(&mut bytes) {
            Ok(number) => numbers.push(number),
            Err(_) => return Vec::new(),
        }
    }
    numbers
}

/// The same as a place with its line, when the text of the source is known.
pub(crate) fn place<'a>(map: &str, at: (u32, u32), text_of: impl FnOnce(&str) -> Option<&'a str>) -> Option<Place> {
    let (source, line, column) = original(map, at)?;
    let text = text_of(&source)?.lines().nth(line as usize - 1)?;
    // Maps count in UTF-16 units, places in characters.
    let mut units = 0;
    let characters = text.chars().take_while(|letter| {
        units += u32::try_from(letter.len_utf16()).expect("one or two");
        units < column
    });
    let column = u32::try_from(characters.count()).unwrap_or(u32::MAX).saturating_add(1);
    Some(Place::at(source, line, column, 1, text))
}

#[cfg(test)]
mod tests {
    use super::original;

    #[test]
    fn the_nearest_mapping_before_a_place_tells() {
        let map = r#"{"version":3,"sources":["a.js","b.js"],"names":[],"mappings":"AAAA,IAAI;ACCF;;"}"#;
        let at = |line, column| {
            original(map, (line, column)).map(|(source, line, column)| format!("{source}:{line}:{column}"))
        };
        assert_eq!(at(1, 1).as_deref(), Some("a.js:1:1"));
        assert_eq!(at(1, 5).as_deref(), Some("a.js:1:5"));
        assert_eq!(at(2, 9).as_deref(), Some("b.js:2:3"));
        assert_eq!(at(3, 1).as_deref(), Some("b.js:2:3"));
        assert_eq!(original("no map", (1, 1)), None);
    }
}
