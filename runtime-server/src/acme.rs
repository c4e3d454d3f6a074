//! The files with which a certificate authority checks that a name leads here (RFC 8555 §8.3): written by a program such as
//! certbot, served without encryption.

use std::path::Path;

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response};

use crate::config::Https;
use crate::peer::Entrance;

const FOLDER: &str = "/.well-known/acme-challenge/";
/// Longest token and longest answer; both are below a hundred bytes.
const MOST_BYTES: usize = 1024;

/// The answer to a challenge, when this request is one and its file is there.
pub(crate) async fn answer<B>(https: &Https, entrance: Entrance, request: &Request<B>) -> Option<Response<Body>> {
    let webroot = https.acme_webroot.as_ref()?;
    if matches!(entrance, Entrance::Tls { .. }) || request.method() != Method::GET {
        return None;
    }
    let token = request.uri().path().strip_prefix(FOLDER)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if token.is_empty() || token.len() > MOST_BYTES || !token.bytes().all(plain) {
        return None;
    }
    let path = Path::new(webroot).join(&FOLDER[1..]).join(token);
    let text = tokio::fs::read(path).await.ok().filter(|text| text.len() <= MOST_BYTES)?;
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}
