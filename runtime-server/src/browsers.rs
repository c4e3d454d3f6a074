//! Browsers that cannot run the app, known by what they call themselves, and what they get instead of it.

use std::collections::HashMap;

use axum::body::Body;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, USER_AGENT, VARY};
use http::{HeaderMap, Response};

use crate::assets::content_type;
use crate::config::BrowserCheck;
use crate::load::{Build, LoadError};

/// Shown when the app has no page of its own.
const DEFAULT_PAGE: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Incompatible browser</title>\n\
    <h1>This browser is too old</h1>\n<p>Please use a current one.</p>\n";

/// Since when browsers speak what the client is written in (ECMAScript 2019, websockets).
const CHROME: u32 = 73;
const FIREFOX: u32 = 64;
const SAFARI: (u32, u32) = (12, 1);

/// What a browser is by its `User-Agent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Browser {
    Able,
    TooOld,
    /// Not one that is known, or nothing was said.
    Unknown,
}

/// The folder `static/incompatible_browsers` of a build.
#[derive(Debug, Default)]
pub(crate) struct Incompatible {
    by_path: HashMap<String, (HeaderValue, Bytes)>,
}

impl Incompatible {
    /// Reads the folder's files; they are few and small.
    pub(crate) fn read(build: &Build) -> Result<Self, LoadError> {
        let mut by_path = HashMap::new();
        for (path, file) in &build.manifest.incompatible_browsers {
            let at = build.dist.join(&file.file);
            let bytes = std::fs::read(&at).map_err(|error| LoadError::Read { path: at, error })?;
            let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
            by_path.insert(format!("/{path}"), (content_type(ending), bytes.into()));
        }
        Ok(Self { by_path })
    }

    /// What a browser gets at `path` that cannot run the app; none for those that can. `is_page` tells what would be a page.
    pub(crate) fn answer(
        &self,
        check: &BrowserCheck,
        path: &str,
        headers: &HeaderMap,
        is_page: bool,
    ) -> Option<Response<Body>> {
        let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let refused = match Browser::of(agent.unwrap_or_default()) {
            Browser::Able => false,
            Browser::TooOld => true,
            Browser::Unknown => check.strict,
        };
        if !check.enabled || !refused {
            return None;
        }
        let index = || self.by_path.get("/index.html").filter(|_| is_page);
        let default = || (content_type("html"), Bytes::from_static(DEFAULT_PAGE.as_bytes()));
        let (content_type, bytes) = self.by_path.get(path).or_else(index).cloned().or_else(|| is_page.then(default))?;
        let mut response = Response::new(Body::from(bytes));
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, content_type);
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        fields.insert(VARY, HeaderValue::from_static("user-agent"));
        Some(response)
    }
}

impl Browser {
    fn of(agent: &str) -> Self {
        let at_least = |able: bool| if able { Self::Able } else { Self::TooOld };
        if ["MSIE ", "Trident/", "Opera Mini"].iter().any(|old| agent.contains(old)) || agent.starts_with("Opera/") {
            return Self::TooOld;
        }
        // On iOS all are Safari inside, and say less of it.
        if agent.contains("CriOS/") || agent.contains("FxiOS/") || agent.contains("EdgiOS/") {
            return Self::Able;
        }
        let chrome = version(agent, "Chrome/").or_else(|| version(agent, "Chromium/"));
        if let Some((major, _)) = chrome {
            return at_least(major >= CHROME);
        }
        if let Some((major, _)) = version(agent, "Firefox/") {
            return at_least(major >= FIREFOX);
        }
        match version(agent, "Version/") {
            Some(found) if agent.contains("Safari/") => at_least(found >= SAFARI),
            _ => Self::Unknown,
        }
    }
}

/// The two first numbers behind a name.
fn version(agent: &str, name: &str) -> Option<(u32, u32)> {
    let rest = agent.split_once(name)?.1;
    let mut numbers = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next()?.split('.');
    let major = numbers.next()?.parse().ok()?;
    Some((major, numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::Browser::{self, Able, TooOld, Unknown};

    #[test]
    fn browsers_are_known_by_their_names() {
        let cases = [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                Able,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/72.0.3626 Safari/537.36",
                TooOld,
            ),
            ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/64.0.3282 Safari/537.36 Edge/18.17763", TooOld),
            ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0", Able),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", Able),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:52.0) Gecko/20100101 Firefox/52.0", TooOld),
            ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15", Able),
            ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Safari/605.1.15", Able),
            ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Safari/605.1.15", TooOld),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) AppleWebKit/605.1 CriOS/120.0 Mobile/15E148 Safari/604.1", Able),
            ("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", TooOld),
            ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)", TooOld),
            ("Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.16", TooOld),
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Unknown),
            ("curl/8.5.0", Unknown),
            ("Chrome/", Unknown),
            ("Chrome/99999999999999999999", Unknown),
            ("", Unknown),
        ];
        for (agent, expected) in cases {
            assert_eq!(Browser::of(agent), expected, "{agent}");
        }
    }
}
