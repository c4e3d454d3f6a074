use std::collections::BTreeMap;

use lightningcss::targets::Browsers;
use serde::{Deserialize, Serialize};

use super::queries;

/// The oldest version of each browser that styles must work in.
///
/// Asked for by [browserslist](https://github.com/browserslist/browserslist) queries, which are answered from the tables of this
/// release: the same queries give the same browsers until `ssbuild` itself is another one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets(BTreeMap<String, u32>);

/// A query that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is not understood.
    #[error("the browser query `{0}` is not understood")]
    Unknown(String),
    /// Its answer would be another one tomorrow, or on another machine.
    #[error("the browser query `{0}` depends on the day or on the machine; name versions or shares instead")]
    Changing(String),
}

/// The day that `baseline … available` is asked for: fixed, so that a build does not change with the calendar.
const DAY: &str = "2025-05-01";
/// Thirty months later: what was new then is widely available on that day.
const DAY_NEW: &str = "2027-11-01";

impl Targets {
    /// What the queries ask for together.
    pub fn parse<S: AsRef<str>>(queries: &[S]) -> Result<Self, TargetError> {
        let mut fixed = Vec::new();
        for query in queries.iter().map(|query| query.as_ref().trim()).filter(|query| !query.is_empty()) {
            let words = query.to_ascii_lowercase().split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            let changes = ["current node", "maintained node", "browserslist config", "extends ", "in my stats"];
            let last_years = words.starts_with("last ") && words.contains(" year")
                || words.contains(" last ") && words.contains(" year");
            if last_years || changes.iter().any(|changing| words.contains(changing)) {
                return Err(TargetError::Changing(query.to_owned()));
            }
            let on = |day: &str| format!("baseline widely available on {day}");
            let dated = words.replace("baseline widely available on", "baseline widely-available on");
            let dated =
                dated.replace("baseline widely available", &on(DAY)).replace("baseline newly available", &on(DAY_NEW));
            fixed.push(dated.replace("widely-available", "widely available"));
        }
        let mut targets = Self::default();
        if fixed.is_empty() {
            return Ok(targets);
        }
        let found = queries::resolve(&fixed.join(", ")).map_err(TargetError::Unknown)?;
        for (browser, version_named) in found {
            // Names of Can I Use; the others run on the engine of one of these, or on none that CSS is lowered for.
            let name = match browser {
                "and_chr" => "chrome",
                "and_ff" => "firefox",
                "ie_mob" => "ie",
                "op_mob" => "opera",
                name @ ("android" | "chrome" | "edge" | "firefox" | "ie" | "ios_saf" | "opera" | "safari"
                | "samsung") => name,
                _ => continue,
            };
            if let Some(version) = version(version_named) {
                let oldest = targets.0.entry(name.to_owned()).or_insert(version);
                *oldest = version.min(*oldest);
            }
        }
        Ok(targets)
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

/// `13.1`, and of `12.2-12.5` the older. lightningcss keeps versions as one byte for each part.
fn version(text: &str) -> Option<u32> {
    let mut parts = text.split('-').next()?.split('.').map(|part| part.parse::<u8>().ok());
    let (major, minor) = (parts.next()??, parts.next().unwrap_or(Some(0))?);
    Some(u32::from(major) << 16 | u32::from(minor) << 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browsers(queries: &[&str]) -> Browsers {
        Targets::parse(queries).expect("understood").to_browsers().expect("some")
    }

    #[test]
    fn the_oldest_of_each_browser_counts() {
        let browsers = browsers(&["chrome 80, Safari >= 13.1", "chrome 90", "ff > 60"]);
        assert_eq!(browsers.chrome, Some(80 << 16));
        assert_eq!(browsers.safari, Some(13 << 16 | 1 << 8));
        assert_eq!(browsers.firefox, Some(61 << 16));
        assert_eq!(browsers.edge, None);
    }

    #[test]
    fn queries_are_those_of_browserslist() {
        assert_eq!(browsers(&["baseline widely available"]).safari, Some(16 << 16));
        assert_eq!(browsers(&["baseline widely available on 2025-05-01"]), browsers(&["baseline widely available"]));
        assert!(browsers(&["last 2 chrome versions"]).chrome > Some(100 << 16));
        assert_eq!(browsers(&["> 0.5%, last 2 versions, Firefox ESR, not dead"]), browsers(&["defaults"]));
        assert_eq!(browsers(&["ie 9-11", "not ie <= 10"]).ie, Some(11 << 16));
        assert!(browsers(&["since 2015"]).chrome < Some(60 << 16));
        assert!(browsers(&["supports css-grid"]).chrome >= Some(57 << 16));
    }

    #[test]
    fn what_depends_on_the_day_is_refused() {
        for query in ["last 2 years", "maintained node versions", "current node", "extends browserslist-config-x"] {
            assert_eq!(Targets::parse(&[query]), Err(TargetError::Changing(query.to_owned())), "{query}");
        }
        for query in ["netscape 4", "safari 13.x", "browser", "not"] {
            assert!(matches!(Targets::parse(&[query]), Err(TargetError::Unknown(_))), "{query}");
        }
        assert_eq!(Targets::parse::<&str>(&[]).expect("nothing asked").to_browsers(), None);
    }
}
