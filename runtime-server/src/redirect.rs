//! Where a request should have gone: to TLS, to the app's own name.

use axum::body::Body;
use http::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use http::{Method, Request, Response, StatusCode};

use crate::api;
use crate::config::{Config, Https};
use crate::origin;
use crate::peer::Entrance;

/// The answer that sends a request elsewhere, unless it is where it belongs.
pub(crate) fn answer<B>(config: &Config, entrance: Entrance, request: &Request<B>) -> Option<Response<Body>> {
    let https = &config.https;
    let host = origin::host(request.uri(), request.headers()).unwrap_or_default();
    let target = match entrance {
        Entrance::Plain => return None,
        Entrance::Redirecting { .. } if api::owns(&config.api, request.uri().path()) && !config.api.https_only => {
            return None;
        }
        Entrance::Redirecting { tls_port } => match &https.domain {
            Some(domain) => with_port(domain, tls_port),
            None => with_port(name(host)?, tls_port),
        },
        Entrance::Tls { port, .. } => {
            let domain = https.domain.as_deref().filter(|_| https.ensure_domain)?;
            if name(host)
                .is_some_and(|name| Some(name.to_ascii_lowercase()) == self::name(domain).map(str::to_ascii_lowercase))
            {
                return None;
            }
            with_port(domain, port)
        }
    };
    // `OPTIONS *` has none.
    let path = request.uri().path_and_query().map(|path| path.as_str()).filter(|path| path.starts_with('/'));
    let location = HeaderValue::from_str(&format!("https://{target}{}", path.unwrap_or("/"))).ok()?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = match *request.method() {
        Method::GET | Method::HEAD => StatusCode::FOUND,
        // What is posted is posted again.
        _ => StatusCode::TEMPORARY_REDIRECT,
    };
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}

/// What browsers are told of the future, on connections that have come over TLS (RFC 6797).
pub(crate) fn insists(https: &Https, entrance: Entrance) -> Option<HeaderValue> {
    let trusted = matches!(entrance, Entrance::Tls { trusted: true, .. });
    if !trusted || https.domain.is_none() || https.hsts_seconds == 0 {
        return None;
    }
    HeaderValue::from_str(&format!("max-age={}", https.hsts_seconds)).ok()
}

/// The name of a host without its port; none for what is not a name or an address.
fn name(host: &str) -> Option<&str> {
    let (name, port) = match host.rfind(':').filter(|at| !host[*at..].contains(']')) {
        Some(at) => (&host[..at], &host[at + 1..]),
        None => (host, ""),
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let v6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let good = match v6 {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !name.is_empty() && name.bytes().all(plain),
    };
    (good && port.bytes().all(|b| b.is_ascii_digit())).then_some(name)
}

/// A host with the port that a browser needs to be told.
fn with_port(host: &str, port: u16) -> String {
    let has_port = name(host).is_some_and(|name| name.len() < host.len());
    if has_port || port == 443 { host.to_owned() } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(domain: Option<&str>) -> Config {
        let mut config = Config::default();
        config.https.domain = domain.map(str::to_owned);
        config
    }

    fn location(config: &Config, entrance: Entrance, host: &str, target: &str) -> Option<String> {
        let request = Request::get(target).header("host", host).body(()).expect("a request");
        let response = answer(config, entrance, &request)?;
        Some(response.headers()[LOCATION].to_str().expect("text").to_owned())
    }

    #[test]
    fn the_plain_port_sends_to_tls_with_the_right_port() {
        let plain = |port| Entrance::Redirecting { tls_port: port };
        let cases = [
            (None, 443, "app.test", "/", Some("https://app.test/")),
            (None, 443, "app.test:80", "/a/b?c=d", Some("https://app.test/a/b?c=d")),
            (None, 8443, "app.test:8080", "/x", Some("https://app.test:8443/x")),
            (None, 8443, "[::1]:8080", "/x", Some("https://[::1]:8443/x")),
            (None, 8443, "[::1]", "/x", Some("https://[::1]:8443/x")),
            (Some("www.app.test"), 443, "anything", "/x", Some("https://www.app.test/x")),
            (Some("www.app.test"), 8443, "anything:80", "/x", Some("https://www.app.test:8443/x")),
            (Some("www.app.test:443"), 8443, "anything:80", "/x", Some("https://www.app.test:443/x")),
            (None, 443, "app.test", "/?to=//evil.test/x", Some("https://app.test/?to=//evil.test/x")),
            (None, 443, "evil.test@app.test", "/", None),
            (None, 443, "app.test:x", "/", None),
            (None, 443, "app.test", "/api/app/square?2", None),
        ];
        for (domain, port, host, target, expected) in cases {
            let found = location(&config(domain), plain(port), host, target);
            assert_eq!(found.as_deref(), expected, "{host} {target}");
        }
        let mut only = config(None);
        only.api.https_only = true;
        let found = location(&only, plain(443), "app.test", "/api/app/square?2");
        assert_eq!(found.as_deref(), Some("https://app.test/api/app/square?2"));
    }

    #[test]
    fn over_tls_other_hosts_are_sent_to_the_domain() {
        let tls = Entrance::Tls { port: 8443, trusted: true };
        let cases = [
            (None, "anything", None),
            (Some("www.app.test"), "www.app.test:8443", None),
            (Some("www.app.test"), "WWW.App.test", None),
            (Some("www.app.test:443"), "www.app.test", None),
            (Some("www.app.test"), "app.test:8443", Some("https://www.app.test:8443/x?y")),
            (Some("www.app.test"), "", Some("https://www.app.test:8443/x?y")),
            (Some("www.app.test:443"), "app.test", Some("https://www.app.test:443/x?y")),
        ];
        for (domain, host, expected) in cases {
            assert_eq!(location(&config(domain), tls, host, "/x?y").as_deref(), expected, "{host}");
        }
        let mut lax = config(Some("www.app.test"));
        lax.https.ensure_domain = false;
        assert_eq!(location(&lax, tls, "app.test", "/"), None);
    }

    #[test]
    fn browsers_insist_only_on_what_they_can_trust() {
        let tls = |trusted| Entrance::Tls { port: 443, trusted };
        let https = |domain| config(domain).https;
        assert!(insists(&https(Some("app.test")), tls(true)).is_some_and(|value| value == "max-age=31536000"));
        assert_eq!(insists(&https(Some("app.test")), tls(false)), None);
        assert_eq!(insists(&https(None), tls(true)), None);
        assert_eq!(insists(&https(Some("app.test")), Entrance::Plain), None);
    }
}
