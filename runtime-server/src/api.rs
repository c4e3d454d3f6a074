//! The HTTP API: `/api/app/square?25` calls the action `app/square`.

mod browse;
mod request;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use base64::Engine as _;
use http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HeaderValue, SET_COOKIE, VARY,
    WWW_AUTHENTICATE,
};
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use crate::app::App;
use crate::calls;
use crate::config::Api;
use crate::cookie::{self, Transport};
use crate::engine::{self, Call, CallContext, CallError, ErrorCode, Origin, Outcome, RequestView};
use crate::generation::Generation;
use crate::http::{Caller, RequestId, later, plain, read_body};
use crate::hub::Mode;
use crate::origin::PageOrigin;
use crate::peer::Peer;
use crate::protocol::Logging;
use crate::rate::Verdict;
use crate::session::{Lifetime, Opened, Session};
use request::{Form, Target};

/// Whether the API answers for that path.
pub(crate) fn owns(config: &Api, path: &str) -> bool {
    config.enabled && below(config, path).is_some()
}

/// Whether a path is the API's own, which is shown in development: else it may be a route of the page.
pub(crate) fn is_root(app: &App, config: &Api, path: &str) -> bool {
    app.hub.mode == Mode::Development && config.enabled && path.strip_prefix('/') == Some(&config.prefix)
}

/// What is shown of the API itself, in development.
fn overview(app: &App, generation: &Generation, path: &str) -> Option<Response<Body>> {
    if app.hub.mode != Mode::Development || generation.tree.contains_key(path) {
        return None;
    }
    match path {
        "" => Some(browse::page(&app.name, &generation.config.api.prefix, &generation.tree)),
        "openapi.json" => {
            let mut response = Response::new(Body::from(generation.openapi.clone()));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Some(response)
        }
        _ => None,
    }
}

fn below<'a>(config: &Api, path: &'a str) -> Option<&'a str> {
    path.strip_prefix('/')?.strip_prefix(config.prefix.as_str())?.strip_prefix('/')
}

/// Calls an action for an HTTP request.
pub(crate) async fn answer(app: &Arc<App>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<Peer>().expect("every request has its peer");
    let generation = app.generations.enter();
    let config = &generation.config;
    let caller = Caller::of(config, peer, &parts.uri, &parts.headers);
    if config.api.https_only && caller.transport == Transport::Plain {
        return plain(StatusCode::FORBIDDEN, "the API is only served over HTTPS (api.https_only)");
    }
    let is_post = match parts.method {
        Method::GET => false,
        Method::POST => true,
        _ => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "the API takes GET and POST");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
            return response;
        }
    };
    let path = below(&config.api, parts.uri.path()).unwrap_or_default();
    if !is_post && let Some(overview) = overview(app, &generation, path) {
        return overview;
    }
    // A page elsewhere must not post with this browser's cookie; without an origin, nothing with a cookie may.
    let foreign = match caller.page {
        PageOrigin::Foreign => true,
        PageOrigin::Absent => parts.headers.contains_key(COOKIE),
        PageOrigin::Allowed => false,
    };
    // Credentials that a browser adds by itself must not be used by a page elsewhere either, links and images included.
    let lent = parts.headers.contains_key(AUTHORIZATION)
        && (caller.page == PageOrigin::Foreign || is_cross_site(&parts.headers));
    if is_post && foreign || lent {
        return plain(StatusCode::FORBIDDEN, "this page may not call the API (http.allowed_origins)");
    }
    if app.api_requests.take(caller.ip, app.hub.clock.now_ms()) == Verdict::Refused {
        return later(StatusCode::TOO_MANY_REQUESTS, "too many requests in too short a time");
    }
    let target = Target::parse(&generation.tree, path, &parts.headers);
    let body = match read_body(body, app.hub.limits.body_bytes, app.hub.limits.handshake_ms).await {
        Ok(body) => body,
        Err(StatusCode::PAYLOAD_TOO_LARGE) => {
            let max = app.hub.limits.body_bytes;
            let text = format!("the body is larger than {max} bytes (limits.body_bytes)");
            return target.format.show(Err(CallError::new(ErrorCode::TooLarge, text)));
        }
        Err(status) => return plain(status, "the body cannot be read"),
    };
    let form = match Form::read(parts.uri.query(), &parts.headers, &body) {
        Ok(form) => form,
        Err(error) => return target.format.show(Err(error)),
    };
    let request = parts.extensions.get::<RequestId>().expect("every request has its id").0.clone();
    let call = HttpCall {
        app,
        generation: &generation,
        caller: &caller,
        headers: &parts.headers,
        target: &target,
        form,
        request,
    };
    call.run(is_post).await
}

/// One request that is to become a call.
struct HttpCall<'a> {
    app: &'a Arc<App>,
    generation: &'a Generation,
    caller: &'a Caller,
    headers: &'a HeaderMap,
    target: &'a Target,
    form: Form,
    /// Id in the log.
    request: String,
}

impl HttpCall<'_> {
    /// What a module or an action sees of this request.
    fn context(&self, session: &Session, request: &str) -> CallContext {
        CallContext {
            session: Some(session.view()),
            request: RequestView {
                id: request.to_owned(),
                origin: Origin::Http,
                ip: Some(self.caller.ip.to_string()),
                connection: None,
                post: self.form.post.clone(),
            },
        }
    }

    async fn run(self, is_post: bool) -> Response<Body> {
        let Self { app, generation, caller, headers, target, .. } = &self;
        let (_, action) = match generation.find(&target.action) {
            Ok(action) => action,
            Err(error) => return target.format.show(Err(error)),
        };
        // A GET is what a link or an image on a foreign page can make: it never acts for this browser.
        let cookie = cookie::read(&app.name, caller.transport, headers).filter(|_| is_post);
        let session = match cookie {
            Some(id) => app.hub.sessions.find(id, app.hub.clock.now_ms()).await,
            None => Ok(None),
        };
        let (session, opened_as) = match session {
            Ok(Some(Opened::Known(session, id) | Opened::SetCookie(session, id))) => (session, Some(id)),
            Ok(Some(Opened::Void) | None) => (app.hub.sessions.create_for_request(None, app.hub.clock.now_ms()), None),
            Err(error) => {
                app.hub.log.error(error);
                return plain(StatusCode::SERVICE_UNAVAILABLE, "sessions are not available");
            }
        };
        if action.guard && session.lock().user_id.is_none() {
            match self.basic_user(&session).await {
                Ok(user) => {
                    // Credentials are for one request: they log no browser in.
                    app.hub.sessions.forget_request(&session);
                    let session = app.hub.sessions.create_for_request(Some(user), app.hub.clock.now_ms());
                    return self.call(session, None).await;
                }
                Err(error) => {
                    app.hub.sessions.forget_request(&session);
                    return self.refuse(error);
                }
            }
        }
        self.call(session, opened_as).await
    }

    async fn call(self, session: Arc<Session>, opened_as: Option<crate::session::SessionId>) -> Response<Body> {
        let outcome = self.outcome(&session).await;
        let Self { app, caller, target, .. } = self;
        let mut response = target.format.show(outcome);
        let id = session.lock().id;
        // The action logged this browser in: the answer itself brings the new cookie.
        if opened_as.is_some_and(|before| before != id) && session.lifetime == Lifetime::Kept {
            let seconds = app.hub.sessions.cookie_seconds();
            response.headers_mut().insert(SET_COOKIE, cookie::set(&app.name, caller.transport, id, seconds));
        }
        app.hub.sessions.forget_request(&session);
        response
    }

    async fn outcome(&self, session: &Session) -> Outcome {
        let Self { app, generation, target, form, request, .. } = self;
        calls::check_guard(generation.find(&target.action)?.1, session.lock().user_id.as_deref())?;
        let running = app.calls.start(app.hub.limits.calls)?;
        app.hub.log.call(request, &target.action, form.args.get());
        let started_ms = app.hub.clock.now_ms();
        let call = Call {
            action: target.action.clone(),
            args: form.args.clone(),
            context: self.context(session, request),
            timeout_ms: app.hub.limits.call_timeout_ms,
        };
        let outcome = generation.actions.call(call).await;
        drop(running);
        let took_ms = app.hub.clock.now_ms().saturating_sub(started_ms);
        let request = || request.to_owned();
        let finished =
            calls::finish(app, (request, Logging::Shown), &target.action, took_ms, engine::answered(&outcome));
        app.metrics.call(&finished, took_ms);
        finished.map(drop).and(outcome)
    }

    /// The user that HTTP Basic credentials stand for (RFC 7617).
    async fn basic_user(&self, session: &Session) -> Result<String, CallError> {
        let refused = |text: &str| CallError::new(ErrorCode::NotAuthenticated, text);
        let Some(module) = &self.generation.config.api.auth.basic.module_name else {
            return Err(refused("this action wants a logged-in user"));
        };
        let credentials = self.headers.get(AUTHORIZATION).and_then(credentials);
        let (username, password) = credentials.ok_or_else(|| refused("this action wants a logged-in user"))?;
        let (ip, now_ms) = (self.caller.ip, self.app.hub.clock.now_ms());
        if self.app.failed_logins.is_empty(ip, now_ms) {
            let text = "too many wrong credentials from this address (limits.wrong_credentials_burst)";
            return Err(CallError::new(ErrorCode::RateLimited, text));
        }
        let params = to_raw_value(&json!({"username": username, "password": password})).expect("strings are JSON");
        let context = self.context(session, &self.request);
        let outcome = self.generation.actions.authenticate(module, params, context).await?;
        let answer: Value = outcome.and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default();
        let good = ["success", "status"].iter().any(|key| answer.get(key) == Some(&Value::Bool(true)));
        let user = match answer.get("user_id") {
            Some(Value::String(user)) => Some(user.clone()),
            Some(Value::Number(user)) => Some(user.to_string()),
            _ => None,
        };
        user.filter(|_| good).ok_or_else(|| {
            // Only wrong ones count: who knows the password may ask as often as others.
            self.app.failed_logins.take(ip, now_ms);
            refused("these credentials are not good")
        })
    }

    fn refuse(&self, error: CallError) -> Response<Body> {
        let basic = &self.generation.config.api.auth.basic;
        let asks = error.code == ErrorCode::NotAuthenticated && basic.module_name.is_some();
        if error.code != ErrorCode::NotAuthenticated {
            self.app.hub.log.failure(
                &self.request,
                &self.target.action,
                error.code.as_str(),
                &error.message,
                error.stack.as_deref(),
            );
        }
        let mut response = self.target.format.show(Err(CallError { stack: None, ..error }));
        if asks {
            let realm: String = basic.realm.chars().filter(|c| !matches!(c, '"' | '\\')).collect();
            if let Ok(value) = HeaderValue::from_str(&format!("Basic realm=\"{realm}\", charset=\"UTF-8\"")) {
                response.headers_mut().insert(WWW_AUTHENTICATE, value);
            }
        }
        response
    }
}

/// Whether a browser says that another site's page makes it ask (W3C Fetch Metadata).
fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}

fn credentials(header: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = base64::prelude::BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    // A password may hold colons.
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Html,
}

impl Format {
    fn show(self, outcome: Outcome) -> Response<Body> {
        let (status, json) = match &outcome {
            Ok(Some(value)) => (StatusCode::OK, value.get().to_owned()),
            Ok(None) => (StatusCode::OK, "null".to_owned()),
            Err(error) => {
                let status = StatusCode::from_u16(error.code.status()).expect("the table has statuses");
                let mut shown = json!({
                    "code": error.code.as_str(), "message": error.message, "retryable": error.code.retryable(),
                });
                if let Some(stack) = &error.stack {
                    shown["stack"] = json!(stack);
                }
                (status, json!({"error": shown}).to_string())
            }
        };
        let (content_type, text) = match self {
            Self::Json => ("application/json", json),
            Self::Html => ("text/html; charset=utf-8", format!("<!doctype html>\n<pre>{}</pre>\n", escape(&json))),
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        fields.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
        fields.insert(VARY, HeaderValue::from_static("accept"));
        response
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
