//! Declarations that nobody understands, taken out before the parser sees them.
//!
//! Browsers leave out such a declaration and keep the others of its rule. lightningcss warns of it, but forgets what the rule
//! declares before it, too. So what it warned of is replaced by spaces, and the sheet is parsed again.

use std::ops::Range;

/// The declaration that an offset is in, its semicolon included; `None` when it is in no declaration.
pub(super) fn declaration_at(text: &str, offset: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    // Where the statement begins that is being read, for each open block.
    let mut starts: Vec<usize> = vec![0];
    let mut groups = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = memchr::memmem::find(&bytes[at + 2..], b"*/").map_or(bytes.len(), |end| at + 2 + end + 1);
            }
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'(' | b'[' => groups += 1,
            b')' | b']' => groups = groups.saturating_sub(1),
            b'{' => {
                if offset < at && starts.last().is_some_and(|start| *start <= offset) {
                    // The head of a rule.
                    return None;
                }
                groups = 0;
                starts.push(at + 1);
            }
            b';' if groups == 0 => {
                let depth = starts.len();
                let start = starts.last_mut()?;
                if (*start..=at).contains(&offset) {
                    return (depth > 1).then_some(*start..at + 1);
                }
                *start = at + 1;
            }
            b'}' => {
                groups = 0;
                let start = starts.pop()?;
                if (start..=at).contains(&offset) {
                    // A closing bracket is where the last declaration turned out to be none.
                    return (!starts.is_empty()).then_some(start..at);
                }
                // What stands before the block and its brackets is a statement of its own.
                *starts.last_mut()? = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The text with spaces for what is in these ranges; lines and offsets stay.
pub(super) fn blanked(text: &str, ranges: &[Range<usize>]) -> String {
    let mut blanked = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        if !matches!(letter, '\n' | '\r' | '\u{c}') && ranges.iter().any(|range| range.contains(&at)) {
            blanked.extend(std::iter::repeat_n(' ', letter.len_utf8()));
        } else {
            blanked.push(letter);
        }
    }
    blanked
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The declaration at the first `!` of a text, which is no part of it.
    fn at(text: &str) -> Option<String> {
        let offset = text.find('!').expect("a mark");
        let text = text.replacen('!', "", 1);
        declaration_at(&text, offset).map(|range| text[range].trim().to_owned())
    }

    #[test]
    fn a_declaration_ends_with_its_semicolon_or_its_rule() {
        assert_eq!(at("a { b: c; *zo!om: 1; d: e }").as_deref(), Some("*zoom: 1;"));
        assert_eq!(at("a { b: c; *zoom: 1!; d: e }").as_deref(), Some("*zoom: 1;"));
        assert_eq!(at("a { b: c; *zoom: 1 !}").as_deref(), Some("*zoom: 1"));
        assert_eq!(at("a { b: url(x;y) ';' /* ; */ !} c { d: e }").as_deref(), Some("b: url(x;y) ';' /* ; */"));
        assert_eq!(at("@media x { a { b: c } d { *e!: f } }").as_deref(), Some("*e: f"));
        assert_eq!(at("a { b { c: d } *e!: f }").as_deref(), Some("*e: f"));
        for none in ["a! { b: c }", "a { b! { c: d } }", "@import! 'x';", "!", "a { } !"] {
            assert_eq!(at(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_blanked_keeps_its_place() {
        assert_eq!(blanked("aé\nb", std::slice::from_ref(&(1..4))), "a  \nb");
    }
}
