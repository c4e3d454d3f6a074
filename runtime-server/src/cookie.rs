//! The session's cookie.

use cookie::{Cookie, SameSite};
use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

use crate::session::SessionId;

/// How a request came, as far as cookies care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Over TLS, as far as is known.
    Tls,
    /// Not.
    Plain,
}

/// Under TLS the name makes browsers refuse it from other hosts and without `Secure` (RFC 6265bis §4.1.3.2).
fn name(app: &str, transport: Transport) -> String {
    match transport {
        Transport::Tls => format!("__Host-ss_{app}"),
        Transport::Plain => format!("ss_{app}"),
    }
}

/// The id in a request's cookie, when it has one of the right form.
pub(crate) fn read(app: &str, transport: Transport, headers: &HeaderMap) -> Option<SessionId> {
    let name = name(app, transport);
    // Another app's cookie on the same host may hold any bytes; it must not hide this one.
    let texts = headers.get_all(COOKIE).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let mut cookies = texts.flat_map(Cookie::split_parse).flatten().filter(|cookie| cookie.name() == name);
    cookies.find_map(|cookie| SessionId::parse(cookie.value()))
}

/// The header that sets it.
pub(crate) fn set(app: &str, transport: Transport, id: SessionId, seconds: u64) -> HeaderValue {
    let mut cookie = Cookie::new(name(app, transport), id.to_string());
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(transport == Transport::Tls);
    let text = format!("{cookie}; Max-Age={seconds}");
    HeaderValue::from_str(&text).expect("an app's name, hex digits and attributes")
}
