use serde::{Deserialize, Serialize};

/// A half-open range of bytes in one source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range from `start` to `end`, in bytes.
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, end: end.max(start) }
    }
}

/// A place in a file that can be shown without opening the file again: it carries its own line.
///
/// A whole file (a name that conflicts, an entry that is missing) is a place with line 0 and no text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Place {
    /// Path below the app folder, with `/`; never absolute.
    pub file: String,
    /// Line, counted from 1; 0 means the file as a whole.
    pub line: u32,
    /// Column, counted from 1, in characters.
    pub column: u32,
    /// How many characters of the line are meant, at least 1 when there is a line.
    pub length: u32,
    /// The line itself, cut to a window around the place when it is very long.
    #[serde(default)]
    pub text: String,
    /// How many characters of the line were cut before `text`.
    #[serde(default)]
    pub cut: u32,
}

/// Longest line text kept in a place, in characters: a minified file must not fill the screen.
const LINE_WINDOW_CHARS: usize = 160;

const BOM: char = '\u{feff}';

impl Place {
    /// The file as a whole.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: 0, column: 0, length: 0, text: String::new(), cut: 0 }
    }

    /// The place of `span` in `source`. Offsets beyond the end, or inside a character, are moved to the nearest sound one.
    pub fn new(file: impl Into<String>, source: &str, span: Span) -> Self {
        let start = floor_boundary(source, span.start as usize);
        let end = floor_boundary(source, span.end as usize).max(start);
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        let line = source[..line_start].matches('\n').count() + 1;
        // A byte order mark is no part of what a person sees, or an editor counts.
        let seen_start = line_start + if line_start == 0 && source.starts_with(BOM) { BOM.len_utf8() } else { 0 };
        let (start, end) = (start.max(seen_start), end.max(seen_start));
        let line_end = line_end.max(seen_start);
        let text = source[seen_start..line_end].trim_end_matches('\r');
        let column = source[seen_start..start].chars().count() + 1;
        let length = source[start..end.min(line_end)].chars().count().max(1);
        Self::at(file, to_u32(line), to_u32(column), to_u32(length), text)
    }

    /// A place that another tool named by line and column (both from 1), with the line's text.
    pub fn at(file: impl Into<String>, line: u32, column: u32, length: u32, text: &str) -> Self {
        let (text, cut) = window(text, column as usize);
        let text = text.replace('\t', " ");
        Self { file: file.into(), line, column: column.max(1), length: length.max(1), text, cut: to_u32(cut) }
    }
}

/// Cuts a long line to a window around `column`; returns it and how many characters were cut before it.
fn window(line: &str, column: usize) -> (String, usize) {
    if line.chars().count() <= LINE_WINDOW_CHARS {
        return (line.to_owned(), 0);
    }
    let from = column.saturating_sub(LINE_WINDOW_CHARS / 2);
    (line.chars().skip(from).take(LINE_WINDOW_CHARS).collect(), from)
}

fn floor_boundary(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_carries_its_line() {
        let place = Place::new("a.js", "one\n\ttwo é three\n", Span::new(9, 11));
        assert_eq!((place.line, place.column, place.length), (2, 6, 1));
        assert_eq!(place.text, " two é three");
    }

    #[test]
    fn a_long_line_is_cut_and_the_column_stays_true() {
        let place = Place::new("a.js", &"x".repeat(1000), Span::new(500, 502));
        assert_eq!((place.column, place.length, place.cut, place.text.len()), (501, 2, 421, LINE_WINDOW_CHARS));
        let json = serde_json::to_string(&place).expect("a place is plain data");
        assert_eq!(serde_json::from_str::<Place>(&json).expect("what was written"), place);
    }

    #[test]
    fn marks_and_line_ends_are_not_shown() {
        let place = Place::new("a.js", "\u{feff}one\r\ntwo\r\n", Span::new(3, 6));
        assert_eq!((place.line, place.column, place.length, place.text.as_str()), (1, 1, 3, "one"));
        let place = Place::new("a.js", "\u{feff}one\r\ntwo\r\n", Span::new(8, 11));
        assert_eq!((place.line, place.column, place.length, place.text.as_str()), (2, 1, 3, "two"));
        let place = Place::new("a.js", "\u{feff}", Span::new(0, 1));
        assert_eq!((place.line, place.column, place.length, place.text.as_str()), (1, 1, 1, ""));
        // The end of the line itself, between its two signs.
        let place = Place::new("a.js", "one\r\ntwo", Span::new(4, 5));
        assert_eq!((place.line, place.text.as_str()), (1, "one"));
    }

    #[test]
    fn offsets_beyond_the_end_are_moved_in() {
        let place = Place::new("a.js", "é", Span::new(1, 900));
        assert_eq!((place.line, place.column, place.length), (1, 1, 1));
    }
}
