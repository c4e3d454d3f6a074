use std::collections::BTreeMap;

use lightningcss::targets::Browsers;
use serde::{Deserialize, Serialize};

/// The oldest version of each browser that styles must work in.
///
/// Understood: `baseline widely available`, `defaults`, `chrome 80`, `safari >= 13.1`, and lists of those, by comma.
/// The two names stand for a table of this release, since asking for a share or an age would give other output
/// tomorrow than today.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets(BTreeMap<String, u32>);

/// A query that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the browser query `{0}` is not understood")]
pub struct TargetError(
    /// The query as written.
    pub String,
);

/// What "Baseline widely available" meant in May 2025.
const BASELINE: [(&str, u32); 6] = [
    ("chrome", version(107, 0)),
    ("android", version(107, 0)),
    ("edge", version(107, 0)),
    ("firefox", version(104, 0)),
    ("safari", version(16, 0)),
    ("ios_saf", version(16, 0)),
];

/// Browsers with a share above half a percent, or still supported, in 2025.
const DEFAULTS: [(&str, u32); 7] = [
    ("chrome", version(109, 0)),
    ("android", version(109, 0)),
    ("edge", version(109, 0)),
    ("firefox", version(115, 0)),
    ("safari", version(15, 6)),
    ("ios_saf", version(15, 6)),
    ("samsung", version(23, 0)),
];

impl Targets {
    /// What the queries ask for together; the first that is not understood is the error.
    pub fn parse<S: AsRef<str>>(queries: &[S]) -> Result<Self, TargetError> {
        let mut targets = Self::default();
        for query in queries.iter().flat_map(|query| query.as_ref().split(',')) {
            let query = query.trim().to_ascii_lowercase();
            match query.as_str() {
                "" => {}
                "baseline widely available" => targets.add(&BASELINE),
                "defaults" => targets.add(&DEFAULTS),
                _ => targets.add(&[browser(&query).ok_or_else(|| TargetError(query.clone()))?]),
            }
        }
        Ok(targets)
    }

    /// Lowers the oldest version of each of these browsers.
    fn add(&mut self, browsers: &[(&str, u32)]) {
        for &(name, version) in browsers {
            let oldest = self.0.entry(name.to_owned()).or_insert(version);
            *oldest = version.min(*oldest);
        }
    }

    /// The same, as lightningcss wants it; `None` when no browser is named, which lowers nothing.
    pub(super) fn to_browsers(&self) -> Option<Browsers> {
        let of = |name: &str| self.0.get(name).copied();
        let browsers = Browsers {
            android: of("android"),
            chrome: of("chrome"),
            edge: of("edge"),
            firefox: of("firefox"),
            ie: of("ie"),
            ios_saf: of("ios_saf"),
            opera: of("opera"),
            safari: of("safari"),
            samsung: of("samsung"),
        };
        (!self.0.is_empty()).then_some(browsers)
    }
}

/// `chrome 80`, `safari >= 13.1`, `ie > 10`.
fn browser(query: &str) -> Option<(&'static str, u32)> {
    let at = query.find(|c: char| c.is_ascii_digit())?;
    let (head, number) = query.split_at(at);
    let (head, beyond) = match head.trim_end() {
        head if head.ends_with(">=") => (&head[..head.len() - 2], 0),
        head if head.ends_with('>') => (&head[..head.len() - 1], 1),
        head => (head, 0),
    };
    let name = match head.trim_end() {
        "android" | "and_chr" | "chromeandroid" => "android",
        "chrome" => "chrome",
        "edge" => "edge",
        "firefox" | "ff" => "firefox",
        "ie" | "explorer" => "ie",
        "ios" | "ios_saf" => "ios_saf",
        "opera" => "opera",
        "safari" => "safari",
        "samsung" => "samsung",
        _ => return None,
    };
    let mut parts = number.split('.').map(|part| part.parse::<u8>().ok());
    let (major, minor) = (parts.next()??, parts.next().unwrap_or(Some(0))?);
    parts.all(|part| part.is_some()).then_some((name, version(major, minor) + beyond))
}

/// lightningcss keeps versions as one byte for each part.
const fn version(major: u8, minor: u8) -> u32 {
    (major as u32) << 16 | (minor as u32) << 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_each_browser_counts() {
        let targets = Targets::parse(&["chrome 80, Safari >= 13.1", "chrome 90", "ff > 60"]).expect("understood");
        let browsers = targets.to_browsers().expect("some");
        assert_eq!(browsers.chrome, Some(80 << 16));
        assert_eq!(browsers.safari, Some(13 << 16 | 1 << 8));
        assert_eq!(browsers.firefox, Some((60 << 16) + 1));
        assert_eq!(browsers.edge, None);
    }

    #[test]
    fn what_depends_on_the_day_is_refused() {
        for query in ["last 2 versions", "> 0.5%", "not dead", "chrome", "chrome 999", "netscape 4", "safari 13.x"] {
            assert_eq!(Targets::parse(&[query]), Err(TargetError(query.to_owned())), "{query}");
        }
        assert_eq!(Targets::parse::<&str>(&[]).expect("nothing asked").to_browsers(), None);
    }
}
