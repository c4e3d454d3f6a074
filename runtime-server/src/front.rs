//! The listening side: doors, the connections that come through them, and their graceful end.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::http;
use crate::hub::Mode;
use crate::limits::Limits;
use crate::origin::Hosts;
use crate::peer::{Entrance, Patient, Peer, Place, Places};
use crate::stream::Stream;
use crate::tls::Tls;

/// Pause after a failed accept, such as one for want of file descriptors.
const ACCEPT_PAUSE_MS: u64 = 100;
/// Requests that one HTTP/2 connection may have unanswered.
const STREAMS: u32 = 128;
/// How often an HTTP/2 connection is asked whether somebody is still there.
const PING: Duration = Duration::from_secs(30);

/// A listener, and what is behind it.
pub struct Door {
    listener: TcpListener,
    kind: Kind,
}

enum Kind {
    Plain,
    Redirecting,
    Tls(Tls),
}

impl Door {
    /// The app without encryption.
    pub fn plain(listener: TcpListener) -> Self {
        Self { listener, kind: Kind::Plain }
    }

    /// The app over TLS, with HTTP/2 for those who speak it.
    pub fn tls(listener: TcpListener, tls: Tls) -> Self {
        Self { listener, kind: Kind::Tls(tls) }
    }

    /// Sends browsers to the door with TLS.
    pub fn redirecting(listener: TcpListener) -> Self {
        Self { listener, kind: Kind::Redirecting }
    }

    /// Another listener at the same address, and what encrypts its connections.
    pub(crate) fn duplicate(&self) -> io::Result<(TcpListener, Option<TlsAcceptor>)> {
        let listener = std::net::TcpListener::from(self.listener.as_fd().try_clone_to_owned()?);
        let tls = match &self.kind {
            Kind::Tls(tls) => Some(tls.acceptor().clone()),
            Kind::Plain | Kind::Redirecting => None,
        };
        Ok((TcpListener::from_std(listener)?, tls))
    }
}

/// Largest head of a request: hyper refuses to be told less than 8 KiB.
pub(crate) fn header_bytes(limits: &Limits) -> usize {
    limits.header_bytes.max(8 * 1024)
}

/// All doors.
pub(crate) struct Front {
    app: Arc<App>,
    router: axum::Router,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    /// Told to all connections; each holds a receiver while it lasts.
    stopping: watch::Sender<bool>,
    places: Arc<Places>,
    doors: Vec<(Door, Hosts)>,
    tls_port: Option<u16>,
}

impl Front {
    pub(crate) fn new(app: &Arc<App>, doors: Vec<Door>) -> io::Result<Self> {
        let limits = &app.hub.limits;
        // Sockets and as many requests. Behind a proxy all connections are the proxy's.
        let of_address =
            if app.current().config.http.trust_proxy { usize::MAX } else { limits.connections_per_address * 2 };
        // HTTP/2 comes with TLS, which says so in its handshake. Without, telling the two apart would mean to wait for a first
        // byte for as long as a client likes.
        let handshake = Duration::from_millis(limits.handshake_ms);
        let mut http1 = http1::Builder::new();
        let header_bytes = header_bytes(limits);
        http1.timer(TokioTimer::new()).header_read_timeout(handshake).max_buf_size(header_bytes);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
            .keep_alive_interval(PING)
            .keep_alive_timeout(handshake);
        let mut tls_port = None;
        let mut open = Vec::new();
        for door in doors {
            let address = door.listener.local_addr()?;
            if matches!(door.kind, Kind::Tls(_)) {
                tls_port = Some(address.port());
            }
            let local = address.ip().is_loopback() && app.hub.mode == Mode::Development;
            open.push((door, if local { Hosts::Local } else { Hosts::Any }));
        }
        Ok(Self {
            app: Arc::clone(app),
            router: http::router(Arc::clone(app)),
            http1,
            http2,
            stopping: watch::Sender::new(false),
            places: Places::new(limits.http_connections, of_address),
            doors: open,
            tls_port,
        })
    }

    /// Accepts one connection and serves it on a task of its own.
    pub(crate) async fn accept(&self) {
        let room = self.places.room().await;
        let (accepted, door) = self.next().await;
        match accepted {
            Ok((stream, address)) => {
                // One that has too many is closed without a word: a word would have to be waited for.
                if let Some(place) = self.places.take(room, address.ip()) {
                    self.open(stream, address, Arc::new(place), door);
                }
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await,
        }
    }

    /// The next connection at any door.
    async fn next(&self) -> (io::Result<(TcpStream, std::net::SocketAddr)>, &(Door, Hosts)) {
        poll_fn(|cx| {
            for door in &self.doors {
                if let Poll::Ready(accepted) = door.0.listener.poll_accept(cx) {
                    return Poll::Ready((accepted, door));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Lets nobody in any more.
    pub(crate) fn close_doors(&mut self) {
        self.doors.clear();
    }

    /// Lets each connection finish its request; resolves when all are gone.
    pub(crate) async fn stop(&self) {
        self.stopping.send_replace(true);
        self.stopping.closed().await;
    }

    fn open(&self, stream: TcpStream, address: std::net::SocketAddr, place: Arc<Place>, (door, hosts): &(Door, Hosts)) {
        // Answers are small and wanted at once; a socket that cannot do that is gone already.
        let _ = stream.set_nodelay(true);
        let entrance = match &door.kind {
            Kind::Plain => Entrance::Plain,
            Kind::Redirecting => Entrance::Redirecting { tls_port: self.tls_port.unwrap_or(443) },
            Kind::Tls(tls) => Entrance::Tls { port: self.tls_port.unwrap_or(443), trusted: tls.is_trusted() },
        };
        let peer = Peer { address, hosts: *hosts, entrance, _place: place };
        let server = Serving {
            app: Arc::clone(&self.app),
            router: self.router.clone(),
            http1: self.http1.clone(),
            http2: self.http2.clone(),
            stopping: self.stopping.subscribe(),
        };
        match &door.kind {
            Kind::Plain | Kind::Redirecting => {
                tokio::spawn(server.serve(Stream::Plain(stream), Speaks::Http1, peer));
            }
            Kind::Tls(tls) => {
                let accept = tls.acceptor().accept(stream);
                let patience = Duration::from_millis(self.app.hub.limits.handshake_ms);
                tokio::spawn(async move {
                    // How a handshake fails is the client's affair.
                    let Ok(Ok(stream)) = tokio::time::timeout(patience, accept).await else { return };
                    let speaks = match stream.get_ref().1.alpn_protocol() {
                        Some(b"h2") => Speaks::Http2,
                        _ => Speaks::Http1,
                    };
                    server.serve(Stream::Tls(Box::new(stream)), speaks, peer).await;
                });
            }
        }
    }
}

/// What a client has agreed to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Http1,
    Http2,
}

/// What one connection needs.
struct Serving {
    app: Arc<App>,
    router: axum::Router,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    stopping: watch::Receiver<bool>,
}

impl Serving {
    async fn serve(self, stream: Stream, speaks: Speaks, peer: Peer) {
        let Self { app, router, http1, http2, stopping } = self;
        let stream = TokioIo::new(Patient::new(stream, Duration::from_millis(app.hub.limits.stall_ms)));
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            let (app, router) = (Arc::clone(&app), router.clone());
            async move { Ok::<_, Infallible>(http::answer(&app, router, request).await) }
        });
        match speaks {
            Speaks::Http1 => {
                let connection = http1.serve_connection(stream, service).with_upgrades();
                until_stopped(connection, stopping, http1::UpgradeableConnection::graceful_shutdown).await;
            }
            Speaks::Http2 => {
                let connection = http2.serve_connection(stream, service);
                until_stopped(connection, stopping, http2::Connection::graceful_shutdown).await;
            }
        }
    }
}

/// Drives a connection to its end, or lets it finish what it has in hand when the server stops.
async fn until_stopped<C: Future>(connection: C, mut stopping: watch::Receiver<bool>, stop: impl FnOnce(Pin<&mut C>)) {
    let mut connection = std::pin::pin!(connection);
    // How a client's connection breaks is of no interest.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => stop(connection.as_mut()),
    }
    let _ = connection.await;
}
