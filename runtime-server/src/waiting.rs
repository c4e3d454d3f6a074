//! What browsers see while there is no app to show yet: one page at every address.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::front::Door;
use crate::origin::{Hosts, Own};

/// Where a waiting page asks whether it is still the newest: the answer is the page's number, until somebody else answers.
pub const NUMBER_PATH: &str = "/_ss/waiting";

/// How long a client has for its request.
const REQUEST: Duration = Duration::from_secs(10);
/// Pause after a failed accept, such as one for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Of this machine only: pages tell what is in the sources.
const OWN: Own<'static> = Own { allowed: &[], tls: false, hosts: Hosts::Local };

/// A page and its number.
#[derive(Debug, Clone, Default)]
struct Page {
    number: u64,
    html: Bytes,
}

/// Answers at doors that are meant for a server.
#[derive(Debug)]
pub struct Waiting {
    page: watch::Sender<Page>,
    tasks: Vec<JoinHandle<()>>,
}

impl Waiting {
    /// Begins to answer at these doors, inside of a runtime. They stay open when this has ended.
    pub fn start(doors: &[Door]) -> io::Result<Self> {
        let page = watch::Sender::new(Page::default());
        let mut tasks = Vec::new();
        for door in doors {
            let (listener, tls) = door.duplicate()?;
            let hosts = if listener.local_addr()?.ip().is_loopback() { Hosts::Local } else { Hosts::Any };
            let page = page.subscribe();
            tasks.push(tokio::spawn(async move {
                // Ended with this task: none may keep a browser that the server waits for.
                let mut connections = JoinSet::new();
                loop {
                    tokio::select! {
                        accepted = listener.accept() => match accepted {
                            Ok((stream, _)) => drop(connections.spawn(serve(stream, tls.clone(), page.clone(), hosts))),
                            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                        },
                        Some(_) = connections.join_next() => {}
                    }
                }
            }));
        }
        Ok(Self { page, tasks })
    }

    /// Shows a page from now on; `html` is told the number that it has.
    pub fn show(&self, html: impl FnOnce(u64) -> String) {
        self.page.send_modify(|page| {
            page.number += 1;
            page.html = Bytes::from(html(page.number));
        });
    }

    /// Answers no more.
    pub async fn end(self) {
        for task in self.tasks {
            task.abort();
            // It has been told to end, which is how it ends.
            let _ = task.await;
        }
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, page: watch::Receiver<Page>, hosts: Hosts) {
    let service = service_fn(move |request: Request<Incoming>| {
        let page = page.borrow().clone();
        async move { Ok::<_, Infallible>(answer(&request, page, hosts)) }
    });
    let mut one = http1::Builder::new();
    one.timer(TokioTimer::new()).header_read_timeout(REQUEST);
    let Some(tls) = tls else {
        // How a client's connection breaks is of no interest.
        drop(one.serve_connection(TokioIo::new(stream), service).await);
        return;
    };
    let Ok(Ok(stream)) = tokio::time::timeout(REQUEST, tls.accept(stream)).await else { return };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        let two = http2::Builder::new(TokioExecutor::new());
        drop(two.serve_connection(TokioIo::new(stream), service).await);
    } else {
        drop(one.serve_connection(TokioIo::new(stream), service).await);
    }
}

fn answer(request: &Request<Incoming>, page: Page, hosts: Hosts) -> Response<Full<Bytes>> {
    let believed = Own { hosts, ..OWN }.believes_host(request.uri(), request.headers());
    let (status, content_type, body) = match (believed, request.uri().path()) {
        (false, _) => {
            (StatusCode::MISDIRECTED_REQUEST, "text/plain", Bytes::from_static(b"not the name of this machine\n"))
        }
        (true, NUMBER_PATH) => (StatusCode::OK, "text/plain", Bytes::from(page.number.to_string())),
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "text/html; charset=utf-8", page.html),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if request.version() < http::Version::HTTP_2 {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
