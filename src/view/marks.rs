//! Marks in a rendered page: where the head goes, and whatever else its language marks.

use ssbuild_diagnostic::{Code, Diagnostic, Place};

/// Begins each mark. Unicode has made this no character for good (Unicode 16, 23.7), and HTML forbids it.
const START: char = '\u{fdd0}';

/// Stands where the head's tags go.
pub(super) const HEAD: &str = "\u{fdd0}ss-head\u{fdd1}";

/// Takes the marks out: the text, and where the head goes in it. Other marks than the head's are `other`'s: it is given the
/// text so far and the rest from the mark on, and answers with what is behind the mark. `None` when there is one that
/// nobody knows.
pub(super) fn take_out<'a>(
    rendered: &'a str,
    mut other: impl FnMut(&mut String, &'a str) -> Option<&'a str>,
) -> Option<(String, Option<usize>)> {
    let mut text = String::with_capacity(rendered.len());
    let mut head = None;
    let mut rest = rendered;
    while let Some(at) = rest.find(START) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = match rest.strip_prefix(HEAD) {
            Some(behind) => {
                // The first counts, as in a page that is not rendered.
                head.get_or_insert(text.len());
                behind
            }
            None => other(&mut text, rest)?,
        };
    }
    text.push_str(rest);
    Some((text, head))
}

/// What is said of a page with a mark that nobody knows.
pub(super) fn changed(path: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::ViewError, "`SocketStream` or `asset()` was changed before it was written")
        .at(Place::file(path), "")
        .help(help)
}
