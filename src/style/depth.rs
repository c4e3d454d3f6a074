use ssbuild_diagnostic::{Code, Diagnostic, Place, Span};

/// How deep brackets may be nested. Sheets written by people stay below 20; lightningcss counts its indentation in a
/// byte, two for each level, and the compilers' stacks end some hundreds further on.
const DEPTH: usize = 100;

/// Says where a sheet is nested too deep, if it is. Cheap, and no parser: it counts brackets outside of strings and comments.
pub(super) fn check(file: &str, text: &str) -> Option<Diagnostic> {
    let at = too_deep(text, !file.ends_with(".css"))?;
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    Some(
        Diagnostic::new(Code::NestedTooDeep, format!("brackets are nested more than {DEPTH} deep"))
            .at(Place::new(file, text, Span::new(at, at.saturating_add(1))), "this is one too many")
            .help("Split the sheet, or look for brackets that are not closed."),
    )
}

fn too_deep(text: &str, line_comments: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > DEPTH {
                    return Some(at);
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            quote @ (b'"' | b'\'') => at = string_end(bytes, at + 1, quote),
            b'\\' => at += 1,
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = memchr::memmem::find(&bytes[at + 2..], b"*/").map_or(bytes.len(), |end| at + 2 + end + 1);
            }
            // Not in `url(https://…)`: a colon stands before it.
            b'/' if line_comments && bytes.get(at + 1) == Some(&b'/') && (at == 0 || bytes[at - 1] != b':') => {
                at = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where a string ends: at its quote, or with its line, as both languages have it.
fn string_end(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from;
    while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let many = "(".repeat(DEPTH + 1);
        assert!(check("a.css", &many).is_some());
        assert!(check("a.css", &"({[".repeat(DEPTH)).is_some());
        assert!(check("a.css", &"(".repeat(DEPTH)).is_none());
        assert!(check("a.css", &"a{}".repeat(DEPTH * 3)).is_none());
        assert!(check("a.css", &format!("a{{content:'{many}'}}")).is_none());
        assert!(check("a.css", &format!("/* {many} */")).is_none());
        assert!(check("a.css", &format!("// {many}")).is_some(), "CSS has no such comments");
        assert!(check("a.scss", &format!("// {many}\n")).is_none());
        assert!(check("a.scss", &format!("// don't\n{many}")).is_some());
        assert!(check("a.css", &format!("a{{content:'un\n{many}")).is_some(), "a string ends with its line");
    }

    #[test]
    fn the_place_is_the_bracket_too_many() {
        let found = check("a.scss", &format!("\n{}", "(".repeat(DEPTH + 5))).expect("too deep");
        let place = &found.labels[0].place;
        assert_eq!((place.line, place.column, found.code), (2, 101, Code::NestedTooDeep), "{place:?}");
    }
}
