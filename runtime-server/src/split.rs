//! Texts cut at single bytes. For hot paths with many short pieces.

/// The pieces of a text between bytes that are ASCII: one more than there are of these.
pub(crate) fn at(text: &str, divider: u8) -> impl Iterator<Item = &str> {
    debug_assert!(divider.is_ascii(), "no other byte is a character of its own");
    let mut from = 0;
    memchr::memchr_iter(divider, text.as_bytes()).chain(std::iter::once(text.len())).map(move |end| {
        let piece = &text[from..end];
        from = end + 1;
        piece
    })
}

/// How many pieces these are.
pub(crate) fn count(text: &str, divider: u8) -> usize {
    memchr::memchr_iter(divider, text.as_bytes()).count() + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn pieces_are_those_of_the_language() {
        for text in ["", "\n", "a", "a\nb", "\n\nd\u{e9}n\n"] {
            let pieces: Vec<&str> = super::at(text, b'\n').collect();
            assert_eq!(pieces, text.split('\n').collect::<Vec<_>>());
            assert_eq!(pieces.len(), super::count(text, b'\n'));
        }
    }
}
