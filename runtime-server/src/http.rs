//! The front door: pages, files, the HTTP API, the socket's handshake and the ticket of a login.

mod handshake;
pub(crate) use handshake::{accept_key, admit};

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::routing::{any, get, post};
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, Method, Response, StatusCode, Uri};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use tower::Service as _;

use crate::acme;
use crate::api;
use crate::app::App;
use crate::config::Config;
use crate::cookie::{self, Transport};
use crate::dev;
use crate::fallback;
use crate::front::header_bytes;
use crate::middleware::{self, Looked};
use crate::origin::{Own, PageOrigin};
use crate::peer::{Entrance, Peer};
use crate::redirect;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Largest body of a ticket.
const TICKET_BYTES: usize = 1024;

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/_ss/socket", any(handshake::socket))
        .route("/_ss/events", post(fallback::events))
        .route("/_ss/messages", post(fallback::messages))
        .route("/_ss/session", post(redeem))
        .route("/_ss/dev/{*path}", get(develop))
        .fallback(front)
        .with_state(app)
}

/// Answers a request, unless it was meant for another host.
pub(crate) async fn answer(app: &App, mut router: Router, mut request: hyper::Request<Incoming>) -> Response<Body> {
    let started = Instant::now();
    let peer = request.extensions().get::<Peer>().expect("every request has its peer");
    let generation = app.current();
    let id = RequestId::of(app, &generation.config, request.headers());
    let shown_id = HeaderValue::from_str(&id.0).expect("letters, digits and a few signs");
    let own = Own { allowed: &generation.config.http.allowed_origins, tls: false, hosts: peer.hosts };
    let insist = redirect::insists(&generation.config.https, peer.entrance);
    let mut response = if head_bytes(&request) > header_bytes(&app.hub.limits) {
        plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is larger than limits.header_bytes")
    } else if !own.believes_host(request.uri(), request.headers()) {
        plain(
            StatusCode::MISDIRECTED_REQUEST,
            "in development only names of this machine are answered (http.allowed_origins)",
        )
    } else if let Some(challenge) = acme::answer(&generation.config.https, peer.entrance, &request).await {
        challenge
    } else if let Some(elsewhere) = redirect::answer(&generation.config, peer.entrance, &request) {
        elsewhere
    } else {
        request.extensions_mut().insert(id);
        match middleware::look(app, request).await {
            Looked::Answered(response) => response,
            Looked::Passed(request, headers) => {
                let Ok(mut response) = router.call(request).await;
                middleware::add_headers(response.headers_mut(), headers);
                response
            }
        }
    };
    secure(response.headers_mut());
    response.headers_mut().insert(REQUEST_ID, shown_id);
    if let Some(insist) = insist {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, insist);
    }
    app.metrics.request(response.status().as_u16(), started.elapsed().as_secs_f64());
    response
}

/// How large a request's head was, as HTTP/1.1 writes it. What hyper has read at once may be more than it was told to take.
fn head_bytes<B>(request: &hyper::Request<B>) -> usize {
    let path = request.uri().path_and_query().map_or(1, |path| path.as_str().len());
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    request.method().as_str().len() + path + "  HTTP/1.1\r\n\r\n".len() + fields.sum::<usize>()
}

/// Headers that every answer has.
fn secure(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("strict-origin-when-cross-origin"));
}

/// A request's id: in the log, in the answer, and for server code.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

impl RequestId {
    /// That of the proxy in front, when it is trusted and has given one; else the next of our own.
    fn of(app: &App, config: &Config, headers: &HeaderMap) -> Self {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
        let given = headers.get(REQUEST_ID).filter(|_| config.http.trust_proxy).and_then(|id| id.to_str().ok());
        let given = given.filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(plain));
        let own = || format!("h{}", app.requests.fetch_add(1, Ordering::Relaxed) + 1);
        Self(given.map_or_else(own, str::to_owned))
    }
}

/// What is known of where a request came from.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) ip: IpAddr,
    pub(crate) transport: Transport,
    pub(crate) page: PageOrigin,
}

impl Caller {
    pub(crate) fn of(config: &Config, peer: &Peer, uri: &Uri, headers: &HeaderMap) -> Self {
        let proxied = config.http.trust_proxy;
        let header = |name: &str| headers.get(name).filter(|_| proxied).and_then(|value| value.to_str().ok());
        // The proxy in front appends: the last is what it saw itself.
        let forwarded = header("x-forwarded-for").and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
        let tls = matches!(peer.entrance, Entrance::Tls { .. })
            || header("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
        let own = Own { allowed: &config.http.allowed_origins, tls, hosts: peer.hosts };
        Self {
            ip: forwarded.unwrap_or_else(|| peer.address.ip().to_canonical()),
            transport: if tls { Transport::Tls } else { Transport::Plain },
            page: own.classify(uri, headers),
        }
    }
}

/// Pages, files and the API.
async fn front(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let path = request.uri().path();
    let generation = app.current();
    if api::owns(&generation.config.api, path) || api::is_root(&app, &generation.config.api, path) {
        return api::answer(&app, request).await;
    }
    let (method, headers) = (request.method(), request.headers());
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "this can only be read");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let check = &generation.config.browser_check;
    if let Some(instead) = generation.incompatible.answer(check, path, headers, is_route(path)) {
        return instead;
    }
    if let Some(file) = generation.assets.answer(path, method, headers).await {
        return file;
    }
    match generation.pages.answer(path, headers).filter(|_| is_route(path)) {
        Some(mut page) => {
            if check.enabled {
                page.headers_mut().append(VARY, HeaderValue::from_static("user-agent"));
            }
            page
        }
        None => plain(StatusCode::NOT_FOUND, "there is nothing here"),
    }
}

/// `GET /_ss/dev/…`.
async fn develop(State(app): State<Arc<App>>, Path(path): Path<String>) -> Response<Body> {
    dev::answer(app.hub.author.get(), &path)
}

/// Whether a path may be one of the page's own making: a name with a dot is a file that is not there.
fn is_route(path: &str) -> bool {
    let Ok(path) = percent_decode_str(path).decode_utf8() else { return false };
    !path.starts_with("/_ss/") && !path.contains(['.', '\\']) && !path.contains(char::is_control)
}

/// What a page of this server posted, as JSON.
pub(crate) struct PagePost {
    pub(crate) caller: Caller,
    pub(crate) body: Bytes,
}

impl PagePost {
    /// Reads it, or says why not; `untyped` is said when it is not sent as JSON.
    pub(crate) async fn read(
        app: &App,
        request: Request,
        most_bytes: usize,
        untyped: &'static str,
    ) -> Result<Self, Response<Body>> {
        let (parts, body) = request.into_parts();
        let peer = parts.extensions.get::<Peer>().expect("every request has its peer");
        let caller = Caller::of(&app.current().config, peer, &parts.uri, &parts.headers);
        if caller.page != PageOrigin::Allowed {
            return Err(plain(StatusCode::FORBIDDEN, "this page may not do that"));
        }
        if !is_type(&parts.headers, "application/json") {
            return Err(plain(StatusCode::BAD_REQUEST, untyped));
        }
        match read_body(body, most_bytes, app.hub.limits.handshake_ms).await {
            Ok(body) => Ok(Self { caller, body }),
            Err(status) => Err(plain(status, "the body cannot be read")),
        }
    }
}

/// `POST /_ss/session`: a login's ticket for the new cookie.
async fn redeem(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let posted = PagePost::read(&app, request, TICKET_BYTES, "a ticket is sent as application/json").await;
    let PagePost { caller, body } = match posted {
        Ok(posted) => posted,
        Err(refused) => return refused,
    };
    #[derive(serde::Deserialize)]
    struct Ticket {
        ticket: String,
    }
    let redeemed = match serde_json::from_slice::<Ticket>(&body) {
        Ok(body) => app.hub.sessions.redeem(&body.ticket, app.hub.clock.now_ms()).await,
        Err(_) => None,
    };
    let Some(redeemed) = redeemed else {
        return plain(StatusCode::BAD_REQUEST, "this ticket is not valid, or not any more");
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let seconds = app.hub.sessions.cookie_seconds();
    let cookie = cookie::set(&app.name, caller.transport, redeemed.id, seconds);
    response.headers_mut().insert(SET_COOKIE, cookie);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(connection) = redeemed.connection {
        connection.release_answers();
    }
    response
}

/// Whether a body says that it is of that type.
pub(crate) fn is_type(headers: &HeaderMap, wanted: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

/// Reads a whole body, or says with which status it is refused.
pub(crate) async fn read_body(body: Body, max_bytes: usize, timeout_ms: u64) -> Result<Bytes, StatusCode> {
    let read = axum::body::to_bytes(body, max_bytes);
    match tokio::time::timeout(Duration::from_millis(timeout_ms), read).await {
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
        Ok(Err(error)) => {
            let too_large =
                std::error::Error::source(&error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
            Err(if too_large { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST })
        }
        Ok(Ok(bytes)) => Ok(bytes),
    }
}

/// A refusal that may be tried again.
pub(crate) fn later(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = plain(status, text);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// A status with a sentence.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
