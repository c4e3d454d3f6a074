//! The texts of a map's sources: most of the map, so all threads write them, each into its place.

use std::sync::Arc;

use rayon::prelude::*;

/// So many texts are written by one thread before another one takes over.
const TEXTS_AT_A_TIME: usize = 16;
const OPENING: &[u8] = b",\"sourcesContent\":[";

/// JSON that has these texts as a list between what is before and what comes after; no list when no text is known. Also where each
/// text begins, and where one more would.
pub(super) fn between(before: &[u8], texts: &[Option<Arc<str>>], after: &[&[u8]]) -> (String, Vec<usize>) {
    let texts = if texts.iter().any(Option::is_some) { texts } else { &[] };
    let opening = if texts.is_empty() { b"" } else { OPENING };
    // Each with the comma or bracket behind it.
    let lengths = texts.par_iter().with_min_len(TEXTS_AT_A_TIME);
    let lengths: Vec<usize> = lengths.map(|text| text.as_deref().map_or(NULL.len(), quoted_bytes) + 1).collect();
    let mut places = vec![before.len() + opening.len()];
    places.extend(lengths.iter().scan(places[0], |at, length| {
        *at += length;
        Some(*at)
    }));
    let around = [before, opening].iter().chain(after).map(|part| part.len()).sum::<usize>();
    let mut json = vec![0; around + lengths.iter().sum::<usize>()];

    let mut rest = json.as_mut_slice();
    put(&mut rest, before);
    put(&mut rest, opening);
    let slots: Vec<&mut [u8]> = lengths.iter().map(|&length| take(&mut rest, length)).collect();
    let members = slots.into_par_iter().zip(texts).enumerate().with_min_len(TEXTS_AT_A_TIME);
    members.for_each(|(n, (place, text))| {
        let (behind, place) = place.split_last_mut().expect("every place has a byte for what is behind");
        *behind = if n + 1 == texts.len() { b']' } else { b',' };
        match text {
            Some(text) => quote(place, text),
            None => place.copy_from_slice(NULL),
        }
    });
    after.iter().for_each(|part| put(&mut rest, part));
    (String::from_utf8(json).expect("JSON of texts is text"), places)
}

const NULL: &[u8] = b"null";

/// How long a text is as a JSON string: two bytes for what has a short escape, six for other control characters.
fn quoted_bytes(text: &str) -> usize {
    let count = |is: fn(u8) -> bool| text.bytes().filter(|&byte| is(byte)).count();
    let escaped = count(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
    let long = count(|byte| byte < 0x20 && !matches!(byte, 0x08 | b'\t' | b'\n' | 0x0c | b'\r'));
    2 + text.len() + escaped + 4 * long
}

fn quote(mut place: &mut [u8], text: &str) {
    serde_json::to_writer(&mut place, text).expect("the place is as long as the text");
    assert!(place.is_empty(), "the place is as long as the text");
}

fn put(rest: &mut &mut [u8], part: &[u8]) {
    take(rest, part.len()).copy_from_slice(part);
}

fn take<'a>(rest: &mut &'a mut [u8], length: usize) -> &'a mut [u8] {
    let (place, behind) = std::mem::take(rest).split_at_mut(length);
    *rest = behind;
    place
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{between, quoted_bytes};

    #[test]
    fn texts_are_as_long_as_their_json() {
        let controls: String = (0..0x80).map(char::from).collect();
        for text in ["", "plain", "a\n\"b\"\\\t\r\u{8}\u{c}\u{1}\u{7f}", "\u{2028} ü 😀", &controls] {
            assert_eq!(quoted_bytes(text), serde_json::to_string(text).unwrap().len(), "{text:?}");
        }
    }

    #[test]
    fn the_list_stands_between_its_neighbours() {
        let texts: Vec<Option<Arc<str>>> = vec![Some("a\n".into()), None, Some("\"".into())];
        assert_eq!(
            between(b"{\"v\":3", &texts, &[b",\"x\":", b"1}"]),
            (r#"{"v":3,"sourcesContent":["a\n",null,"\""],"x":1}"#.to_owned(), vec![25, 31, 36, 41])
        );
        assert_eq!(between(b"{\"v\":3", &[None], &[b"}"]).0, r#"{"v":3}"#);
    }
}
