//! What a request asks for in its headers: content codings, entity tags, ranges (RFC 9110).

use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, HeaderName, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE};

use crate::manifest::Encoding;

/// The coding that the client wants most among those there are; `None` is the plain bytes. Among equals the server's
/// own order counts (RFC 9110 §12.5.3).
pub(crate) fn encoding(headers: &HeaderMap, offered: impl Fn(Encoding) -> bool) -> Option<Encoding> {
    let wanted = list(headers, ACCEPT_ENCODING);
    let quality = |token: &str| {
        let named = |name: &str| {
            wanted.iter().filter_map(|item| weighted(item)).find(|(token, _)| token.eq_ignore_ascii_case(name))
        };
        // gzip has an older name.
        let found = named(token).or_else(|| if token == "gzip" { named("x-gzip") } else { None });
        found.or_else(|| named("*")).map(|(_, quality)| quality)
    };
    let best = Encoding::ALL
        .into_iter()
        .filter(|encoding| offered(*encoding))
        .filter_map(|encoding| Some((encoding, quality(encoding.token())?)))
        .filter(|(_, quality)| *quality > 0)
        // `max_by_key` takes the last of equals: so the preferred one comes last.
        .rev()
        .max_by_key(|(_, quality)| *quality)?;
    // The plain bytes win only when they are asked for by name, and more.
    let plain =
        wanted.iter().filter_map(|item| weighted(item)).find(|(token, _)| token.eq_ignore_ascii_case("identity"));
    (plain.is_none_or(|(_, plain)| plain <= best.1)).then_some(best.0)
}

/// A token and its weight in thousandths; `None` when it is not of that form.
fn weighted(item: &str) -> Option<(&str, u16)> {
    let mut parts = item.split(';').map(str::trim);
    let token = parts.next().filter(|token| !token.is_empty())?;
    let mut quality = 1000;
    for part in parts {
        if let Some((name, value)) = part.split_once('=')
            && name.trim().eq_ignore_ascii_case("q")
        {
            let value: f32 = value.trim().parse().ok()?;
            if !(0.0..=1.0).contains(&value) {
                return None;
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 1000")]
            {
                quality = (value * 1000.0).round() as u16;
            }
        }
    }
    Some((token, quality))
}

/// Whether `If-None-Match` names this tag, in which case nothing is sent (RFC 9110 §13.1.2, weak comparison).
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    list(headers, IF_NONE_MATCH).iter().any(|known| *known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// Whether `If-Match` is there and names neither this tag nor any (RFC 9110 §13.1.1, strong comparison).
pub(crate) fn is_other(headers: &HeaderMap, tag: &str) -> bool {
    let wanted = list(headers, IF_MATCH);
    headers.contains_key(IF_MATCH) && !wanted.iter().any(|known| *known == "*" || *known == tag)
}

/// Which bytes are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of them: no range, too many, or ranges of other bytes than these.
    Whole,
    /// These, in the order in which they are asked for; never none.
    Ranges(Vec<Range>),
    /// None of them are there, or the ranges cannot be read.
    Unsatisfiable,
}

/// From, and up to and with.
pub(crate) type Range = (u64, u64);

/// How many ranges are answered with ranges; who wants more gets everything.
const MOST_RANGES: usize = 32;

/// The ranges that a request wants of `bytes` bytes (RFC 9110 §14). What the RFC leaves open is answered as nginx does.
pub(crate) fn part(headers: &HeaderMap, tag: &str, bytes: u64) -> Part {
    let mut lines = headers.get_all(RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Part::Whole };
    // A range of what the client has in part: only when it is still the same (strong comparison).
    if headers.get(IF_RANGE).is_some_and(|known| known.as_bytes() != tag.as_bytes()) {
        return Part::Whole;
    }
    let Some((unit, wanted)) = line.to_str().ok().and_then(|line| line.split_once('=')) else { return Part::Whole };
    if !unit.eq_ignore_ascii_case("bytes") {
        return Part::Whole;
    }
    let mut ranges = Vec::new();
    for item in wanted.split(',') {
        match range(item.trim_matches(' '), bytes) {
            Asked::Bytes(range) => ranges.push(range),
            Asked::Beyond => {}
            Asked::OfNothing => return Part::Whole,
            Asked::Unreadable => return Part::Unsatisfiable,
        }
    }
    let length = ranges.iter().map(|(first, last)| last - first + 1).fold(0, u64::saturating_add);
    // Ranges that together are more than the file cost more than the file.
    match ranges.len() {
        0 => Part::Unsatisfiable,
        1.. if length > bytes => Part::Whole,
        1..=MOST_RANGES => Part::Ranges(ranges),
        _ => Part::Whole,
    }
}

/// What one range asks for.
enum Asked {
    Bytes(Range),
    /// Bytes that are not there.
    Beyond,
    /// From the first byte of a file that has none: that is all of it.
    OfNothing,
    Unreadable,
}

fn range(item: &str, bytes: u64) -> Asked {
    let number = |text: &str| match text.trim_matches(' ') {
        "" => None,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().unwrap_or(u64::MAX)),
        _ => None,
    };
    let Some((first, last)) = item.split_once('-') else { return Asked::Unreadable };
    let open = last.trim_matches(' ').is_empty();
    let (first, last) = match (number(first), number(last)) {
        (Some(first), Some(last)) => (first, last.min(bytes.saturating_sub(1))),
        (Some(first), None) if open => (first, bytes.saturating_sub(1)),
        // The last so many; of nothing, as nginx has it, that is all.
        (None, Some(0)) if first.is_empty() && bytes > 0 => return Asked::Beyond,
        (None, Some(last)) if first.is_empty() => (bytes.saturating_sub(last), bytes.saturating_sub(1)),
        _ => return Asked::Unreadable,
    };
    match first {
        0 if bytes == 0 => Asked::OfNothing,
        first if first < bytes && first <= last => Asked::Bytes((first, last)),
        _ => Asked::Beyond,
    }
}

fn list(headers: &HeaderMap, name: HeaderName) -> Vec<&str> {
    let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a header"))])
    }

    #[test]
    fn codings() {
        use Encoding::{Brotli, Gzip, Zstd};
        let cases = [
            ("", None),
            ("gzip, deflate, br, zstd", Some(Brotli)),
            ("gzip, deflate", Some(Gzip)),
            ("GZIP", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("*", Some(Brotli)),
            ("*;q=0", None),
            ("br;q=0, gzip", Some(Gzip)),
            ("br;q=0.5, gzip;q=0.8", Some(Gzip)),
            ("br;q=0.8, zstd;q=0.8", Some(Brotli)),
            ("br; Q=0 ,zstd", Some(Zstd)),
            ("br;q=0, *", Some(Zstd)),
            ("identity", None),
            ("identity, br;q=0.5", None),
            ("identity;q=0.1, br;q=0.5", Some(Brotli)),
            ("identity;q=0, gzip;q=0.001", Some(Gzip)),
            ("br;q=2", None),
            ("br;q=x", None),
            ("brr", None),
            (",,;,", None),
        ];
        for (accepted, expected) in cases {
            assert_eq!(encoding(&headers(ACCEPT_ENCODING, accepted), |_| true), expected, "{accepted}");
        }
        assert_eq!(encoding(&HeaderMap::new(), |_| true), None);
        assert_eq!(encoding(&headers(ACCEPT_ENCODING, "br, gzip"), |e| e == Gzip), Some(Gzip));
    }

    #[test]
    fn ranges() {
        use Part::{Ranges, Unsatisfiable, Whole};
        let one = |first, last| Ranges(vec![(first, last)]);
        let cases = [
            ("bytes=0-0", one(0, 0)),
            ("bytes=0-9", one(0, 9)),
            ("bytes=5-", one(5, 9)),
            ("bytes=5-99", one(5, 9)),
            ("bytes=-3", one(7, 9)),
            ("bytes=-99", one(0, 9)),
            ("Bytes=1-2", one(1, 2)),
            ("bytes= 1 - 2 ", one(1, 2)),
            ("bytes=10-", Unsatisfiable),
            ("bytes=10-11", Unsatisfiable),
            ("bytes=99999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=3-1", Unsatisfiable),
            ("bytes=0-1,3-4", Ranges(vec![(0, 1), (3, 4)])),
            ("bytes=-1, 0-0", Ranges(vec![(9, 9), (0, 0)])),
            ("bytes=0-1,20-21", one(0, 1)),
            ("bytes=20-21,30-", Unsatisfiable),
            ("bytes=0-9,0-0", Whole),
            ("bytes=0-1,a", Unsatisfiable),
            ("bytes=0-1,", Unsatisfiable),
            ("bytes=,0-1", Unsatisfiable),
            ("bytes=-", Unsatisfiable),
            ("bytes=--1", Unsatisfiable),
            ("bytes=a-b", Unsatisfiable),
            ("bytes=+1-2", Unsatisfiable),
            ("bytes=", Unsatisfiable),
            ("bytes", Whole),
            ("bytes =0-1", Whole),
            ("lines=0-1", Whole),
        ];
        for (range, expected) in cases {
            assert_eq!(part(&headers(RANGE, range), "\"t\"", 10), expected, "{range}");
        }
        for (range, expected) in [("0-", Whole), ("0-0", Whole), ("-1", Whole), ("-0", Whole), ("1-", Unsatisfiable)] {
            assert_eq!(part(&headers(RANGE, &format!("bytes={range}")), "\"t\"", 0), expected, "{range} of nothing");
        }
        let each = |count: usize| vec!["0-0"; count].join(",");
        let many = |count| part(&headers(RANGE, &format!("bytes={}", each(count))), "\"t\"", 1_000);
        assert_eq!(many(MOST_RANGES), Ranges(vec![(0, 0); MOST_RANGES]));
        assert_eq!(many(MOST_RANGES + 1), Whole);
        let mut stale = headers(RANGE, "bytes=0-1");
        stale.insert(IF_RANGE, "\"old\"".parse().expect("a header"));
        assert_eq!(part(&stale, "\"t\"", 10), Whole);
        assert_eq!(part(&stale, "\"old\"", 10), one(0, 1));
    }

    #[test]
    fn tags_that_must_match() {
        for (wanted, other) in
            [("\"t\"", false), ("\"a\", \"t\"", false), ("*", false), ("W/\"t\"", true), ("\"a\"", true), ("", true)]
        {
            assert_eq!(is_other(&headers(IF_MATCH, wanted), "\"t\""), other, "{wanted}");
        }
        assert!(!is_other(&HeaderMap::new(), "\"t\""));
    }

    #[test]
    fn tags() {
        for (known, expected) in
            [("\"t\"", true), ("W/\"t\"", true), ("\"a\", \"t\"", true), ("*", true), ("\"a\"", false), ("t", false)]
        {
            assert_eq!(is_known(&headers(IF_NONE_MATCH, known), "\"t\""), expected, "{known}");
        }
    }
}
