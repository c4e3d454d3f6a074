//! `fetch` of server code: HTTP and HTTPS from a thread of its own, with limits on time, size and number.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use url::Url;

use crate::engine::{FetchRequest, Redirect, Reply};
use crate::hex;
use crate::limits::Limits;

/// As many as browsers follow.
const MOST_REDIRECTS: usize = 20;

/// Servers close what is not used; a connection that is kept for longer may break under the next request.
const IDLE: Duration = Duration::from_secs(4);

type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The thread that fetches, for all engines of the process; started when it is first needed.
static THREAD: OnceLock<Result<(Handle, HttpClient), String>> = OnceLock::new();

/// Fetches for one VM.
pub(super) struct Fetcher {
    most: usize,
    most_bytes: usize,
    longest: Duration,
    running: AtomicUsize,
}

impl Fetcher {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            most: limits.fetches,
            most_bytes: limits.fetch_bytes,
            longest: Duration::from_millis(limits.fetch_ms),
            running: AtomicUsize::new(0),
        }
    }

    /// Fetches, and answers when that is done.
    pub(super) fn fetch(self: &std::sync::Arc<Self>, request: FetchRequest, reply: Reply) {
        let (handle, client) = match THREAD.get_or_init(start) {
            Ok(started) => started.clone(),
            Err(why) => return reply(Err(why.clone())),
        };
        if self.running.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.running.fetch_sub(1, Ordering::Relaxed);
            return reply(Err(format!("{} are under way already (limits.fetches)", self.most)));
        }
        let fetcher = std::sync::Arc::clone(self);
        handle.spawn(async move {
            let whole = fetcher.whole(&client, request);
            let outcome = tokio::time::timeout(fetcher.longest, whole).await;
            fetcher.running.fetch_sub(1, Ordering::Relaxed);
            reply(outcome.unwrap_or_else(|_| {
                Err(format!("it took more than {} ms (limits.fetch_ms)", fetcher.longest.as_millis()))
            }));
        });
    }

    async fn whole(&self, client: &HttpClient, request: FetchRequest) -> Result<Value, String> {
        let mut step = Step::new(request)?;
        let mut redirected = false;
        for _ in 0..=MOST_REDIRECTS {
            let response = client.request(step.request()?).await.map_err(|error| whole_story(&error))?;
            let location = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
            let (true, Some(location)) = (response.status().is_redirection(), location) else {
                return self.answer(&step.url, redirected, response).await;
            };
            match step.redirect {
                Redirect::Follow => step.follow(response.status(), &location)?,
                Redirect::Manual => return self.answer(&step.url, redirected, response).await,
                Redirect::Error => return Err(format!("it is redirected to {location}")),
            }
            redirected = true;
        }
        Err(format!("it is redirected more than {MOST_REDIRECTS} times"))
    }

    async fn answer(&self, url: &Url, redirected: bool, response: Response<Incoming>) -> Result<Value, String> {
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, self.most_bytes).collect().await.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                format!("the answer is larger than {} bytes (limits.fetch_bytes)", self.most_bytes)
            } else {
                error.to_string()
            }
        })?;
        let body = body.to_bytes();
        let headers: Vec<(&str, String)> = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let text = std::str::from_utf8(&body).ok().filter(|text| !text.starts_with('\u{feff}'));
        Ok(json!({
            "status": parts.status.as_u16(),
            "reason": parts.status.canonical_reason().unwrap_or_default(),
            "url": url.as_str(),
            "redirected": redirected,
            "headers": headers,
            "text": text,
            "hex": text.is_none().then(|| hex::encode(&body)),
        }))
    }
}

/// A request on its way through redirections.
struct Step {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    redirect: Redirect,
}

impl Step {
    fn new(request: FetchRequest) -> Result<Self, String> {
        let FetchRequest { method, url, headers, text, hex: bytes, redirect } = request;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
            let value = HeaderValue::try_from(value).map_err(|error| error.to_string())?;
            // The client says these by itself.
            if name != HOST && name != CONTENT_LENGTH && name != "connection" && name != "transfer-encoding" {
                map.append(name, value);
            }
        }
        map.entry(USER_AGENT).or_insert(HeaderValue::from_static("ssserve"));
        map.entry("accept").or_insert(HeaderValue::from_static("*/*"));
        let bytes = bytes.map(|digits| hex::decode(&digits).ok_or("a body that is no bytes")).transpose()?;
        let body = text.map_or_else(|| Bytes::from(bytes.unwrap_or_default()), Bytes::from);
        let method = method.parse().map_err(|_| format!("`{method}` is not a method"))?;
        let url = Url::parse(&url).map_err(|error| error.to_string())?;
        Ok(Self { method, url, headers: map, body, redirect })
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, String> {
        let mut url = self.url.clone();
        url.set_fragment(None);
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = url.as_str().parse().map_err(|error: http::uri::InvalidUri| error.to_string())?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }

    /// Goes where a redirection points (WHATWG Fetch, section 4.4).
    fn follow(&mut self, status: StatusCode, location: &str) -> Result<(), String> {
        let next = self.url.join(location).map_err(|error| format!("it is redirected to {location}: {error}"))?;
        if !matches!(next.scheme(), "http" | "https") {
            return Err(format!("it is redirected to {next}"));
        }
        let post_becomes_get =
            matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND) && self.method == Method::POST;
        let all_become_get = status == StatusCode::SEE_OTHER && self.method != Method::HEAD;
        if post_becomes_get || all_become_get {
            self.method = Method::GET;
            self.body = Bytes::new();
            self.headers.remove(CONTENT_TYPE);
        }
        if next.origin() != self.url.origin() {
            self.headers.remove(AUTHORIZATION);
            self.headers.remove(COOKIE);
        }
        self.url = next;
        Ok(())
    }
}

/// Starts the thread that fetches; it ends with the process.
fn start() -> Result<(Handle, HttpClient), String> {
    let failed = |error: std::io::Error| format!("nothing can be fetched: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| format!("nothing can be fetched: {error}"))?
        .https_or_http()
        .enable_http1()
        .build();
    let client =
        Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).build(connector);
    let handle = runtime.handle().clone();
    let thread = std::thread::Builder::new().name("ss-fetch".to_owned());
    thread.spawn(move || runtime.block_on(std::future::pending::<()>())).map_err(failed)?;
    Ok((handle, client))
}

/// An error with what caused it.
fn whole_story(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
