//! Middleware in a process of Node.js: a request of HTTP through a socket on disk, bodies streamed both ways.

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, HeaderValue};
use http::{HeaderMap, Request, Version};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::tee::Tee;
use super::{Looked, is_between, readdress, too_large};
use crate::cookie::Transport;
use crate::http::Caller;
use crate::limits::Limits;

/// Comes back with a request that is passed on.
const NEXT: &str = "x-ss-next";
/// Path and query that the middleware has given it.
const URL: &str = "x-ss-url";

/// Asks the middleware that listens at `path`.
pub(super) async fn ask(
    path: &Path,
    secret: &str,
    caller: &Caller,
    request: Request<Incoming>,
    limits: &Limits,
) -> Result<Looked, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let stream = UnixStream::connect(path).await.map_err(|error| text(&error))?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| text(&error))?;
    // It ends with the request and its answer; how it breaks is seen there.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    let (parts, body) = request.into_parts();
    let (kept, body) = Tee::new(body, limits.body_bytes);
    let asked = sender.send_request(worker_request(&parts, caller, body));
    let answer = tokio::time::timeout(Duration::from_millis(limits.call_timeout_ms), asked).await;
    let mut answer = answer.map_err(|_| "it took too long".to_owned())?.map_err(|error| text(&error))?;
    let passes = answer.headers().get(NEXT).is_some_and(|value| value.as_bytes() == secret.as_bytes());
    let url = answer.headers_mut().remove(URL).filter(|_| passes);
    let mut headers: HeaderMap = std::mem::take(answer.headers_mut());
    remove_between(&mut headers);
    if !passes {
        let (mut parts, body) = answer.into_parts();
        parts.headers = headers;
        parts.version = Version::default();
        return Ok(Looked::Answered(http::Response::from_parts(parts, Body::new(body))));
    }
    headers.remove(CONTENT_LENGTH);
    headers.remove(CONTENT_TYPE);
    headers.remove(DATE);
    let Some(body) = kept.whole() else { return Ok(too_large()) };
    let mut request = Request::from_parts(parts, body);
    if let Some(url) = url.as_ref().and_then(|url| url.to_str().ok()) {
        readdress(request.uri_mut(), url);
    }
    Ok(Looked::Passed(request, headers))
}

fn remove_between(headers: &mut HeaderMap) {
    let between: Vec<_> = headers.keys().filter(|name| is_between(name)).cloned().collect();
    for name in between {
        headers.remove(name);
    }
}

fn worker_request(parts: &http::request::Parts, caller: &Caller, body: Tee) -> Request<Tee> {
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().unwrap_or_default();
    let headers = request.headers_mut();
    headers.extend(parts.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    remove_between(headers);
    // HTTP/2 has the name of the host in another place.
    if let Some(authority) = parts.uri.authority().filter(|_| !headers.contains_key(HOST))
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        headers.insert(HOST, host);
    }
    if let Ok(ip) = HeaderValue::from_str(&caller.ip.to_string()) {
        headers.insert("x-ss-ip", ip);
    }
    let proto = if caller.transport == Transport::Tls { "https" } else { "http" };
    headers.insert("x-ss-proto", HeaderValue::from_static(proto));
    request
}
