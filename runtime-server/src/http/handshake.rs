use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{
    CONNECTION, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, SET_COOKIE, UPGRADE,
};
use http::{HeaderMap, HeaderName, Method, Response, StatusCode, Uri, Version};
use hyper_util::rt::TokioIo;
use sha1::{Digest as _, Sha1};

use super::{Caller, later, plain};
use crate::app::App;
use crate::connection::Connection;
use crate::connection::socket::{self, Tab};
use crate::cookie;
use crate::log;
use crate::origin::PageOrigin;
use crate::peer::{Patient, Peer};
use crate::protocol::SUBPROTOCOL;
use crate::rate::Verdict;
use crate::session::Opened;

/// What a server's answer proves that it has understood (RFC 6455 §1.3).
const HANDSHAKE_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// `GET /_ss/socket`: the handshake (RFC 6455 §4.2), which also gives the browser its session.
pub(super) async fn socket(State(app): State<Arc<App>>, mut request: Request) -> Response<Body> {
    let peer = request.extensions().get::<Peer>().expect("every request has its peer").clone();
    let headers = request.headers();
    if let Err(refusal) = check_origin(&app, &peer, request.uri(), headers) {
        return *refusal;
    }
    let Some(accept) = accept_key(&request) else {
        let mut response = plain(StatusCode::UPGRADE_REQUIRED, "this address wants a websocket of version 13");
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return response;
    };
    if !has_token(headers, SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return plain(StatusCode::BAD_REQUEST, "this address speaks the sub-protocol ss.1");
    }
    let (connection, set_cookie) = match admit(&app, &peer, request.uri(), headers).await {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    app.metrics.handshakes.inc();
    tokio::spawn(carry(Arc::clone(&app), connection, hyper::upgrade::on(&mut request), peer));

    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let fields = response.headers_mut();
    fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
    fields.insert(SEC_WEBSOCKET_ACCEPT, accept);
    fields.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    if let Some(cookie) = set_cookie {
        fields.insert(SET_COOKIE, cookie);
    }
    response
}

/// Refuses what no page of this server asks for.
fn check_origin(app: &App, peer: &Peer, uri: &Uri, headers: &HeaderMap) -> Result<Caller, Box<Response<Body>>> {
    let caller = Caller::of(&app.current().config, peer, uri, headers);
    if caller.page == PageOrigin::Allowed {
        return Ok(caller);
    }
    let origin = headers.get(ORIGIN).map_or("no origin".into(), |origin| String::from_utf8_lossy(origin.as_bytes()));
    app.hub.log.say(log::CALLS, format_args!("a socket from {} was refused: {}", caller.ip, origin.escape_debug()));
    let text = "a socket is only opened for a page of this server (http.allowed_origins)";
    Err(Box::new(plain(StatusCode::FORBIDDEN, text)))
}

/// A new connection for whoever asks, with the cookie of its session when that is new; or why not.
pub(crate) async fn admit(
    app: &App,
    peer: &Peer,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(Arc<Connection>, Option<HeaderValue>), Box<Response<Body>>> {
    let caller = check_origin(app, peer, uri, headers)?;
    let refused = |status, text| Err(Box::new(later(status, text)));
    let now_ms = app.hub.clock.now_ms();
    if app.handshakes.take(caller.ip, now_ms) == Verdict::Refused {
        return refused(StatusCode::TOO_MANY_REQUESTS, "too many connections in too short a time");
    }
    let id = cookie::read(&app.name, caller.transport, headers);
    let (session, id, set_cookie) = match app.hub.sessions.open(id, now_ms).await {
        Ok(Opened::Known(session, id)) => (session, id, None),
        Ok(Opened::SetCookie(session, id)) => {
            let seconds = app.hub.sessions.cookie_seconds();
            (session, id, Some(cookie::set(&app.name, caller.transport, id, seconds)))
        }
        Ok(Opened::Void) => return refused(StatusCode::SERVICE_UNAVAILABLE, "this session is just getting a new id"),
        Err(error) => {
            app.hub.log.error(error);
            return refused(StatusCode::SERVICE_UNAVAILABLE, "sessions are not available");
        }
    };
    let Some(connection) = app.hub.connect(session, id, caller.ip) else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "there are too many connections");
    };
    Ok((connection, set_cookie))
}

/// Carries a connection from its upgrade to its end.
async fn carry(app: Arc<App>, connection: Arc<Connection>, upgrade: hyper::upgrade::OnUpgrade, peer: Peer) {
    if let Ok(upgraded) = upgrade.await {
        let parts =
            upgraded.downcast::<TokioIo<Patient>>().expect("every HTTP/1 connection of this server is such a stream");
        let tab = Tab { app: &app, connection: &connection };
        socket::carry(&tab, parts.io.into_inner().into_inner(), parts.read_buf).await;
    }
    app.ended(&connection);
    drop(peer);
}

/// The answer to the client's key, when the request is a handshake.
pub(crate) fn accept_key<B>(request: &http::Request<B>) -> Option<HeaderValue> {
    let headers = request.headers();
    let wanted = request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && has_token(headers, CONNECTION, "upgrade")
        && has_token(headers, UPGRADE, "websocket")
        && has_token(headers, SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| wanted)?;
    // 16 bytes in base64.
    let valid = key.len() == 24 && key.as_bytes().ends_with(b"==");
    let accept = || BASE64.encode(Sha1::new_with_prefix(key).chain_update(HANDSHAKE_GUID).finalize());
    valid.then(|| HeaderValue::from_str(&accept()).expect("base64"))
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
}
