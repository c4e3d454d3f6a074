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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of them: no range, several, or one of other bytes than these.
    Whole,
    /// From, and up to and with.
    Range(u64, u64),
    /// None of them are there, or the range cannot be read.
    Unsatisfiable,
}

/// The single range that a request wants of `bytes` bytes (RFC 9110 §14).
pub(crate) fn part(headers: &HeaderMap, tag: &str, bytes: u64) -> Part {
    let mut ranges = headers.get_all(RANGE).iter();
    let (Some(range), None) = (ranges.next(), ranges.next()) else { return Part::Whole };
    // A range of what the client has in part: only when it is still the same (strong comparison).
    if headers.get(IF_RANGE).is_some_and(|known| known.as_bytes() != tag.as_bytes()) {
        return Part::Whole;
    }
    let Some((unit, range)) = range.to_str().ok().and_then(|range| range.split_once('=')) else { return Part::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Part::Whole;
    }
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().unwrap_or(u64::MAX));
    // What cannot be read is refused, as other servers do; of several ranges all is sent, which may always be done.
    if range.contains(',') {
        return Part::Whole;
    }
    match range.trim().split_once('-') {
        Some(("", last)) if !last.is_empty() => match number(last) {
            None => Part::Unsatisfiable,
            Some(0) => Part::Unsatisfiable,
            Some(_) if bytes == 0 => Part::Unsatisfiable,
            Some(last) => Part::Range(bytes.saturating_sub(last), bytes - 1),
        },
        Some((first, last)) if !first.is_empty() => match (number(first), number(last), last.is_empty()) {
            (Some(first), _, _) if first >= bytes && (last.is_empty() || number(last) >= Some(first)) => {
                Part::Unsatisfiable
            }
            (Some(first), _, true) => Part::Range(first, bytes - 1),
            (Some(first), Some(last), false) if last >= first => Part::Range(first, last.min(bytes - 1)),
            _ => Part::Unsatisfiable,
        },
        _ => Part::Unsatisfiable,
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
        use Part::{Range, Unsatisfiable, Whole};
        let cases = [
            ("bytes=0-0", Range(0, 0)),
            ("bytes=0-9", Range(0, 9)),
            ("bytes=5-", Range(5, 9)),
            ("bytes=5-99", Range(5, 9)),
            ("bytes=-3", Range(7, 9)),
            ("bytes=-99", Range(0, 9)),
            ("Bytes=1-2", Range(1, 2)),
            ("bytes=10-", Unsatisfiable),
            ("bytes=10-11", Unsatisfiable),
            ("bytes=99999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=3-1", Unsatisfiable),
            ("bytes=0-1,3-4", Whole),
            ("bytes=-", Unsatisfiable),
            ("bytes=a-b", Unsatisfiable),
            ("bytes=+1-2", Unsatisfiable),
            ("bytes", Whole),
            ("lines=0-1", Whole),
        ];
        for (range, expected) in cases {
            assert_eq!(part(&headers(RANGE, range), "\"t\"", 10), expected, "{range}");
        }
        assert_eq!(part(&headers(RANGE, "bytes=0-"), "\"t\"", 0), Unsatisfiable);
        assert_eq!(part(&headers(RANGE, "bytes=-1"), "\"t\"", 0), Unsatisfiable);
        let mut stale = headers(RANGE, "bytes=0-1");
        stale.insert(IF_RANGE, "\"old\"".parse().expect("a header"));
        assert_eq!(part(&stale, "\"t\"", 10), Whole);
        assert_eq!(part(&stale, "\"old\"", 10), Range(0, 1));
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
