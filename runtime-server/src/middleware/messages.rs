//! Middleware in the embedded engine: whole bodies, one message there and one back.

use std::sync::Arc;

use axum::body::Body;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};

use super::{Looked, is_between, readdress, too_large};
use crate::actions::Actions;
use crate::cookie::Transport;
use crate::engine::{HttpOutcome, HttpRequest};
use crate::http::{Caller, plain, read_body};
use crate::limits::Limits;
use crate::log::Log;

/// Asks the engine.
pub(super) async fn ask(
    actions: &Arc<dyn Actions>,
    caller: &Caller,
    request: Request<Incoming>,
    (limits, log): (&Limits, &Log),
) -> Result<Looked, String> {
    let (mut parts, body) = request.into_parts();
    let whole = match body.is_end_stream() {
        true => None,
        false => match read_body(Body::new(body), limits.body_bytes, limits.handshake_ms).await {
            Ok(bytes) => Some(bytes),
            Err(StatusCode::PAYLOAD_TOO_LARGE) => return Ok(too_large()),
            Err(status) => return Ok(Looked::Answered(plain(status, "the body cannot be read"))),
        },
    };
    let shown = parts.headers.iter().filter(|(name, _)| !is_between(name));
    let asked = HttpRequest {
        method: parts.method.to_string(),
        url: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        headers: shown
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        ip: caller.ip.to_string(),
        secure: caller.transport == Transport::Tls,
        body: whole.as_ref().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()),
    };
    let outcome = match actions.http(asked).await {
        Ok(Some(value)) => serde_json::from_str(value.get()).map_err(|error| error.to_string())?,
        Ok(None) => return Err("it gave nothing".to_owned()),
        Err(error) if error.code.retryable() => return Err(error.message),
        Err(error) => {
            log.error(format_args!("config/http: {}", error.stack.as_deref().unwrap_or(&error.message)));
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Ok(Looked::Answered(plain(status, "the server could not answer this")));
        }
    };
    Ok(match outcome {
        HttpOutcome::Passed { url, headers, .. } => {
            readdress(&mut parts.uri, &url);
            let body = whole.map_or_else(Body::empty, Body::from);
            Looked::Passed(Request::from_parts(parts, body), header_map(headers))
        }
        HttpOutcome::Answered { status, headers, body } => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(status).map_err(|error| error.to_string())?;
            *response.headers_mut() = header_map(headers);
            Looked::Answered(response)
        }
    })
}

/// Headers that can be sent; names and values that cannot are left out.
fn header_map(headers: Vec<(String, String)>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            && !is_between(&name)
        {
            map.append(name, value);
        }
    }
    map
}
