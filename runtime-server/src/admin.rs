//! The admin address: health, readiness and metrics, for those who run the server.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, VARY};
use http::{Method, Request, Response, StatusCode};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::http::plain;
use crate::metrics::Form;

/// Connections at a time: a probe, a scraper, and a person or two.
const CONNECTIONS: usize = 64;
/// Time to send the head of a request.
const HEAD: Duration = Duration::from_secs(10);
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const PAUSE: Duration = Duration::from_millis(100);

/// Answers at `listener` until it is dropped.
pub(crate) async fn serve(app: Arc<App>, listener: TcpListener) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
    loop {
        let place = Arc::clone(&room).acquire_owned().await.expect("the semaphore is never closed");
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let app = Arc::clone(&app);
        let service = service_fn(move |request| {
            let answer = answer(&app, &request);
            async { Ok::<_, Infallible>(answer) }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            // How a client's connection breaks is of no interest.
            let _ = connection.await;
            drop(place);
        });
    }
}

fn answer<B>(app: &App, request: &Request<B>) -> Response<Body> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "this can only be read");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/health" | "/healthz" => plain(StatusCode::OK, "ok\n"),
        "/ready" | "/readyz" if app.is_ready() => plain(StatusCode::OK, "ready\n"),
        "/ready" | "/readyz" => plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
        "/metrics" => {
            let accepts =
                |accept: &HeaderValue| accept.to_str().is_ok_and(|accept| accept.contains("openmetrics-text"));
            let (form, content_type) = match request.headers().get_all(ACCEPT).iter().any(accepts) {
                true => (Form::Open, OPEN_METRICS),
                false => (Form::Prometheus, PROMETHEUS),
            };
            let mut response = Response::new(Body::from(app.metrics.text(app, form)));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        _ => plain(StatusCode::NOT_FOUND, "there are /health, /ready and /metrics\n"),
    }
}
