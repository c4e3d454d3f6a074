//! Which pages may open sockets and post: those of this server and of the origins that the config names.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Uri};

/// What a request says of the page that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageOrigin {
    /// A page of this server, or one that is allowed.
    Allowed,
    /// Another page.
    Foreign,
    /// It did not come from a page, or from a browser that does not say.
    Absent,
}

/// What an origin is compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own<'a> {
    /// From the config.
    pub(crate) allowed: &'a [String],
    /// Whether the request is known to have come over TLS.
    pub(crate) tls: bool,
    /// Whether only names of this machine are believed, so that no foreign name that resolves to it is taken for it.
    pub(crate) hosts: Hosts,
}

/// Which `Host` headers are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hosts {
    /// Any: this server has a public name, or a proxy in front.
    Any,
    /// Names of this machine: it is bound to it, in development.
    Local,
}

impl Own<'_> {
    /// Where a request came from. Two `Origin` headers, or one that is not an origin, are foreign.
    pub(crate) fn classify(&self, uri: &Uri, headers: &HeaderMap) -> PageOrigin {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else { return PageOrigin::Absent };
        let text = origin.to_str().ok().filter(|_| origins.next().is_none());
        let Some(origin) = text.and_then(Origin::parse) else { return PageOrigin::Foreign };
        let listed = self.allowed.iter().any(|allowed| Origin::parse(allowed).as_ref() == Some(&origin));
        if listed || self.is_own(&origin, uri, headers) { PageOrigin::Allowed } else { PageOrigin::Foreign }
    }

    /// Whether a request names a host that this server answers for.
    pub(crate) fn believes_host(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        if self.hosts == Hosts::Any {
            return true;
        }
        let Some(host) = host(uri, headers) else { return false };
        let name =
            host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |x| x.0);
        let name = name.to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || name.ends_with(".localhost")
            || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
            || self.allowed.iter().filter_map(|allowed| Origin::parse(allowed)).any(|allowed| allowed.host == name)
    }

    fn is_own(&self, origin: &Origin, uri: &Uri, headers: &HeaderMap) -> bool {
        let scheme_fits = !self.tls || origin.scheme == "https";
        let Some(host) = host(uri, headers) else { return false };
        let own = Origin::parse(&format!("{}://{host}", origin.scheme));
        scheme_fits && own.as_ref() == Some(origin)
    }
}

/// The host that a request names: one header, or the authority of an absolute or HTTP/2 target.
pub(crate) fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None, None) => uri.authority().map(|authority| authority.as_str()),
        _ => None,
    }
}

/// Scheme, host and port (RFC 6454), with the scheme's own port where none is written.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: &'static str,
    host: String,
    port: u16,
}

impl Origin {
    /// Reads exactly `scheme://host[:port]`.
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (scheme, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => ("http", 80),
            "https" => ("https", 443),
            _ => return None,
        };
        let (host, port) = match rest.strip_prefix('[').map(|v6| v6.split_once(']')) {
            Some(None) => return None,
            Some(Some((v6, rest))) => {
                v6.parse::<std::net::Ipv6Addr>().ok()?;
                (format!("[{v6}]"), rest)
            }
            None => {
                let end = rest.find(':').unwrap_or(rest.len());
                let name = &rest[..end];
                let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
                if name.is_empty() || !name.bytes().all(plain) {
                    return None;
                }
                (name.to_owned(), &rest[end..])
            }
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => default_port,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
            _ => return None,
        };
        Some(Self { scheme, host: host.to_ascii_lowercase(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(own: Own<'_>, host: &str, origins: &[&str]) -> PageOrigin {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().expect("a header"));
        for origin in origins {
            headers.append(ORIGIN, origin.parse().expect("a header"));
        }
        own.classify(&Uri::from_static("/_ss/socket"), &headers)
    }

    const PLAIN: Own<'_> = Own { allowed: &[], tls: false, hosts: Hosts::Any };

    #[test]
    fn only_the_same_host_and_port_is_own() {
        use PageOrigin::{Absent, Allowed, Foreign};
        let cases = [
            ("app.test", vec![], Absent),
            ("app.test", vec!["http://app.test"], Allowed),
            ("app.test", vec!["https://app.test"], Allowed),
            ("app.test:80", vec!["http://app.test"], Allowed),
            ("app.test", vec!["http://app.test:80"], Allowed),
            ("App.Test:3000", vec!["HTTP://aPP.tEST:3000"], Allowed),
            ("[::1]:3000", vec!["http://[::1]:3000"], Allowed),
            ("app.test", vec!["null"], Foreign),
            ("app.test", vec![""], Foreign),
            ("app.test", vec!["http://app.test:81"], Foreign),
            ("app.test:3000", vec!["http://app.test"], Foreign),
            ("app.test", vec!["http://sub.app.test"], Foreign),
            ("app.test", vec!["http://app.test.evil.test"], Foreign),
            ("app.test", vec!["http://evilapp.test"], Foreign),
            ("app.test", vec!["http://user@app.test"], Foreign),
            ("app.test", vec!["http://app.test@evil.test"], Foreign),
            ("app.test", vec!["http://app.test/"], Foreign),
            ("app.test", vec!["http://app.test#x"], Foreign),
            ("app.test", vec!["http://app.test:"], Foreign),
            ("app.test", vec!["http://app.test:99999"], Foreign),
            ("app.test", vec!["http://app.test:+80"], Foreign),
            ("app.test", vec!["ws://app.test"], Foreign),
            ("app.test", vec!["file://app.test"], Foreign),
            ("app.test", vec!["chrome-extension://app.test"], Foreign),
            ("app.test", vec!["http://app.test", "http://app.test"], Foreign),
            ("app.test", vec!["http://app.test, http://evil.test"], Foreign),
            ("app.test", vec!["http:// app.test"], Foreign),
            ("app.test", vec!["http://"], Foreign),
        ];
        for (host, origins, expected) in cases {
            assert_eq!(classify(PLAIN, host, &origins), expected, "{origins:?} at {host}");
        }
    }

    #[test]
    fn behind_tls_only_https_is_own_and_listed_origins_are_exact() {
        let allowed = ["https://www.example.test".to_owned()];
        let own = Own { allowed: &allowed, tls: true, hosts: Hosts::Any };
        assert_eq!(classify(own, "app.test", &["http://app.test"]), PageOrigin::Foreign);
        assert_eq!(classify(own, "app.test", &["https://app.test"]), PageOrigin::Allowed);
        assert_eq!(classify(own, "app.test", &["https://www.example.test"]), PageOrigin::Allowed);
        assert_eq!(classify(own, "app.test", &["http://www.example.test"]), PageOrigin::Foreign);
    }

    #[test]
    fn in_development_a_foreign_name_of_this_machine_is_not_believed() {
        let own = Own { hosts: Hosts::Local, ..PLAIN };
        let believes = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().expect("a header"));
            own.believes_host(&Uri::from_static("/"), &headers)
        };
        for host in ["localhost:3000", "LOCALHOST", "127.0.0.1:3000", "127.9.9.9", "[::1]:3000", "chat.localhost"] {
            assert!(believes(host), "{host}");
        }
        for host in ["evil.test:3000", "localhost.evil.test", "127.0.0.1.evil.test", "192.168.0.1", ""] {
            assert!(!believes(host), "{host}");
        }
    }
}
