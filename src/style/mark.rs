//! Marks: which file and which byte a `url()` of a Sass sheet came from.
//!
//! Sass forgets where its output came from, but a relative URL means the file that says it. So each `url(` of a source
//! is marked before grass sees it, as a URL scheme, and the mark is taken off again on the CSS syntax tree.
//! What cannot be marked (`url($path)`) stays as it is. Sheets can look at their strings, so marks are only believed when
//! the output without them is what unmarked sources give.

/// How a mark begins. Characters that a URL may have without quotes.
pub(super) const MARK: &str = "ss-url-";

/// Where to put which mark: each `url(` is marked as being in file number `file`.
pub(super) fn mark(source: &str, file: usize) -> Vec<(usize, String)> {
    marks(source).into_iter().map(|at| (at, format!("{MARK}{file}-{at}:"))).collect()
}

/// File number and offset of a marked URL, and the URL without marks. The innermost mark counts: the others were put
/// on when a function made a URL of it again.
pub(super) fn unmark(written: &str) -> Option<(usize, usize, &str)> {
    let (file, offset, url) = unmark_once(written)?;
    Some(unmark(url).unwrap_or((file, offset, url)))
}

fn unmark_once(written: &str) -> Option<(usize, usize, &str)> {
    let (mark, url) = written.strip_prefix(MARK)?.split_once(':')?;
    let (file, offset) = mark.split_once('-')?;
    Some((file.parse().ok()?, offset.parse().ok()?, url))
}

/// A text with all marks taken out.
pub(super) fn without_marks(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        match unmark_once(rest) {
            Some((_, _, behind)) => rest = behind,
            None => {
                plain.push_str(MARK);
                rest = &rest[MARK.len()..];
            }
        }
    }
    plain + rest
}

/// Offsets at which a URL begins.
fn marks(source: &str) -> Vec<usize> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = memchr::memmem::find(&bytes[at + 2..], b"*/").map_or(bytes.len(), |end| at + 2 + end + 2);
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
            }
            b'\\' => at += 2,
            quote @ (b'"' | b'\'') => at = string_end(bytes, at + 1, quote) + 1,
            b'u' | b'U' if starts_url(bytes, at) => {
                let from = at + 4 + bytes[at + 4..].iter().take_while(|b| b.is_ascii_whitespace()).count();
                let (url, end) = match bytes.get(from) {
                    Some(&quote @ (b'"' | b'\'')) => (from + 1, string_end(bytes, from + 1, quote)),
                    _ => (from, memchr::memchr(b')', &bytes[from..]).map_or(bytes.len(), |end| from + end)),
                };
                let text = &bytes[url..end.min(bytes.len())];
                if is_url(text, url > from) {
                    found.push(url);
                }
                at = end + 1;
            }
            _ => at += 1,
        }
    }
    found
}

fn starts_url(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|at| bytes[at]);
    let inside_name = before.is_some_and(|b| b.is_ascii_alphanumeric() || b"-_$@\\".contains(&b) || b >= 0x80);
    !inside_name && bytes[at..].get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"url("))
}

/// Whether a mark can stand before it: not when it is data or a fragment, and not when it is an expression.
fn is_url(text: &[u8], quoted: bool) -> bool {
    let is_fragment = text.starts_with(b"#") && !text.starts_with(b"#{");
    let is_data = text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"data:"));
    let is_plain = quoted || !text.trim_ascii_end().iter().any(|b| b.is_ascii_whitespace() || b"$('\"+".contains(b));
    !text.is_empty() && !is_fragment && !is_data && is_plain
}

/// Where a string ends: at its quote, or with its line.
fn string_end(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from;
    while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn put(source: &str, file: usize) -> String {
        let mut marked = source.to_owned();
        mark(source, file).into_iter().rev().for_each(|(at, mark)| marked.insert_str(at, &mark));
        marked
    }

    proptest! {
        #[test]
        fn marks_come_off_again(pieces in prop::collection::vec(prop::sample::select(vec![
            "url(", "a.png", "'", "\"", ")", "#{$a}", "\\", "//", "/*", "*/", "\n", " ", "é", "data:", "$b", "(", "URL( ", "#",
        ]), 0..30)) {
            let source = pieces.concat();
            prop_assert_eq!(without_marks(&put(&source, 7)), source);
        }
    }

    fn marked(source: &str) -> String {
        put(source, 3).replace(MARK, "@")
    }

    #[test]
    fn urls_are_marked_and_nothing_else_is() {
        assert_eq!(marked("a{b:url(x.png)}"), "a{b:url(@3-8:x.png)}");
        assert_eq!(marked("url( 'x.png' )"), "url( '@3-6:x.png' )");
        assert_eq!(marked("url(\"#{$a}/x.png\")"), "url(\"@3-5:#{$a}/x.png\")");
        assert_eq!(marked("URL(\"a\" + $b)"), "URL(\"@3-5:a\" + $b)");
        assert_eq!(marked("url(https://a.b/c)"), "url(@3-4:https://a.b/c)");
        for same in [
            "url($path)",
            "url(#clip)",
            "url(data:x;,a)",
            "url('DATA:x')",
            "url($a + 'b')",
            "url(fn(a))",
            "url()",
            "url(",
            "url('",
            "curl(x)",
            "-url(x)",
            "$url(x)",
            "url-prefix(x)",
            "// url(x)",
            "/* url(x) */",
            "'url(x)'",
            "u",
            "\\url(x)",
        ] {
            assert_eq!(marked(same), same, "{same}");
        }
    }

    #[test]
    fn a_mark_comes_off_as_it_was_put_on() {
        assert_eq!(unmark("ss-url-12-345:a:b"), Some((12, 345, "a:b")));
        for other in ["a.png", "ss-url-1:a", "ss-url-x-1:a", "ss-url-1-1"] {
            assert_eq!(unmark(other), None, "{other}");
        }
    }

    #[test]
    fn without_marks_a_text_is_what_it_was() {
        let source = "a{b:url(x.png);c:url('y.png') ss-url-;d:ss-url-1-x:}";
        let marked = put(source, 7);
        assert_ne!(marked, source);
        assert_eq!(without_marks(&marked), source);
        assert_eq!(without_marks("url(ss-url-1-2:ss-url-3-4:data:x)"), "url(data:x)");
        assert_eq!(unmark("ss-url-1-2:ss-url-3-4:data:x"), Some((3, 4, "data:x")));
    }
}
