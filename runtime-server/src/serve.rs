//! A build served by this process, from its configuration to the signal that stops it: what `ssserve` does, and
//! `ssbuild serve` after it has built. A new build in the folder is served in its place.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};

use crate::backplane::Backplane;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config};
use crate::console::Console;
use crate::follow::{Follower, Trigger};
use crate::front::Door;
use crate::load::Build;
use crate::log::{self, Log};
use crate::server::{Server, Surroundings};
use crate::settings::{self, Flags};
use crate::tls::{CertificateError, CertificatePlaces, Tls};
use crate::wakes;

/// Connections that may wait to be accepted; the system has a limit of its own (`net.core.somaxconn`).
const ARRIVING: u32 = 4096;

/// Where a server can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// What to type into a browser.
    pub url: String,
    /// The address bound for it.
    pub address: SocketAddr,
    /// The plain port beside TLS, which sends browsers there.
    pub redirecting: Option<SocketAddr>,
}

/// Serves until a signal asks to stop. Sessions are kept in `state_dir` unless the configuration names a folder; `ready`
/// is told where.
pub fn serve(
    build: &Build,
    flags: &Flags,
    state_dir: &Path,
    ready: impl FnOnce(&Served) -> io::Result<()>,
) -> Result<(), Box<dyn Error>> {
    serve_until(build, flags, state_dir, ready, std::future::pending())
}

/// As [`serve`], or until `asked` to stop by whoever started it.
pub fn serve_until(
    build: &Build,
    flags: &Flags,
    state_dir: &Path,
    ready: impl FnOnce(&Served) -> io::Result<()>,
    asked: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error>> {
    let (config, warnings) = settings::resolve(build, std::env::vars(), flags)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let log = Log::new(config.log.level, config.log.format, Arc::clone(&clock), Box::new(io::stderr()));
    for warning in warnings {
        log.misconfigured(warning);
    }
    allow_open_files(&config, &log);
    let state_dir = config.server.state_dir.as_ref().map_or_else(|| state_dir.to_owned(), PathBuf::from);
    runtime()?.block_on(async {
        let trigger = if config.server.follow { Trigger::Change } else { Trigger::Signal };
        let backplane = Backplane::connect(&config, (Arc::clone(&clock), log.clone())).await?;
        let surroundings = Surroundings { clock, log: log.clone(), state_dir: state_dir.clone(), backplane };
        let (http, console_folder) = (config.clone(), state_dir.clone());
        let server = Server::start(build, config, surroundings)?;
        let follower = Follower::new((server.clone(), log.clone()), build, flags.clone(), trigger)?;
        let tls = if http.https.enabled { Some(tls(&http, build, state_dir, &log)?) } else { None };
        let (doors, served) = open(&http, tls.clone()).await?;
        let admin = open_admin(&http.server.admin, &log).await?;
        let console = open_console(&console_folder, &log);
        ready(&served)?;
        let signalled = stop_signal()?;
        let stop = async {
            tokio::select! {
                () = signalled => {}
                () = asked => {}
            }
        };
        tokio::select! {
            () = answer_console(&server, console, &log) => unreachable!("it never ends"),
            ended = answer_admin(&server, admin) => Ok(ended?),
            ended = server.clone().run_doors(doors, stop) => Ok(ended?),
            () = follower.follow() => unreachable!("a follower follows until it is dropped"),
            followed = follow_certificates(tls, log.clone()) => Ok(followed?),
        }
    })
}

/// The threads that do all but run server code; each tells others what it has for them when it has nothing else to do.
fn runtime() -> io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().on_thread_start(wakes::until_parked).on_thread_park(wakes::release).build()
}

/// The console of a server; that it cannot be had is no reason not to serve.
fn open_console(state_dir: &Path, log: &Log) -> Option<Console> {
    let opened = Console::open(state_dir);
    opened.inspect_err(|error| log.warn(format_args!("no console in {}: {error}", state_dir.display()))).ok()
}

async fn answer_console(server: &Server, console: Option<Console>, log: &Log) {
    if let Some(console) = console
        && let Err(error) = server.run_console(console).await
    {
        log.warn(format_args!("the console has ended: {error}"));
    }
    std::future::pending::<()>().await;
}

fn tls(config: &Config, build: &Build, state_dir: PathBuf, log: &Log) -> Result<Tls, CertificateError> {
    let dist = build.dist.canonicalize().unwrap_or_else(|_| build.dist.clone());
    let beside = || dist.parent().unwrap_or(Path::new(".")).join("config/ssl_certs");
    let folder = config.https.cert_dir.as_ref().map_or_else(beside, PathBuf::from);
    Tls::start(&config.https, CertificatePlaces { folder, state_dir }, log)
}

async fn follow_certificates(tls: Option<Tls>, log: Log) -> io::Result<()> {
    match tls {
        Some(tls) => tls.follow(log).await,
        None => std::future::pending().await,
    }
}

/// The admin address. That the usual one is taken, by another server on this machine, is no reason not to serve.
async fn open_admin(address: &str, log: &Log) -> Result<Option<TcpListener>, String> {
    if address == "off" {
        return Ok(None);
    }
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if address == config::Server::default().admin => {
            log.warn(format_args!("no health and no metrics: cannot listen on {address}: {error} (server.admin)"));
            Ok(None)
        }
        Err(error) => Err(format!("cannot listen on {address}: {error} (server.admin)")),
    }
}

async fn answer_admin(server: &Server, listener: Option<TcpListener>) -> io::Result<()> {
    match listener {
        Some(listener) => server.run_admin(listener).await,
        None => std::future::pending().await,
    }
}

/// Binds what the configuration names.
pub async fn open(config: &Config, tls: Option<Tls>) -> Result<(Vec<Door>, Served), String> {
    let (http, https) = (&config.http, &config.https);
    let Some(tls) = tls else {
        let (listener, address) = bind(&http.hostname, http.port).await?;
        let served = Served { url: format!("http://{}", shown(address)), address, redirecting: None };
        return Ok((vec![Door::plain(listener)], served));
    };
    let (listener, address) = bind(https.hostname.as_ref().unwrap_or(&http.hostname), https.port).await?;
    let mut doors = vec![Door::tls(listener, tls)];
    let host = match &https.domain {
        Some(domain) if domain.contains(':') || address.port() == 443 => domain.clone(),
        Some(domain) => format!("{domain}:{}", address.port()),
        None => shown(address),
    };
    let mut redirecting = None;
    if https.redirect_http {
        let (listener, address) = bind(&http.hostname, http.port).await?;
        doors.push(Door::redirecting(listener));
        redirecting = Some(address);
    }
    Ok((doors, Served { url: format!("https://{host}"), address, redirecting }))
}

async fn bind(hostname: &str, port: u16) -> Result<(TcpListener, SocketAddr), String> {
    let bound = async {
        let mut failed = io::Error::new(io::ErrorKind::InvalidInput, "there is no such name");
        for address in tokio::net::lookup_host((hostname, port)).await? {
            match listen(address) {
                Ok(listener) => {
                    let address = listener.local_addr()?;
                    return Ok((listener, address));
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    };
    bound.await.map_err(|error: io::Error| {
        let hint = match error.kind() {
            io::ErrorKind::PermissionDenied if port < 1024 => " (ports below 1024 want root or CAP_NET_BIND_SERVICE)",
            _ => "",
        };
        format!("cannot listen on {hostname}:{port}: {error}{hint}")
    })
}

/// A listener at which many may arrive at once, as when another server has sent its clients here.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // The port of a server that has just ended is free.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(ARRIVING)
}

/// An address as a browser on this machine reaches it.
fn shown(address: SocketAddr) -> String {
    if address.ip().is_unspecified() || address.ip().is_loopback() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}

/// Each connection is an open file; what the machine refuses is seen when there are too many.
fn allow_open_files(config: &Config, log: &Log) {
    let open_files = rlimit::increase_nofile_limit(rlimit::INFINITY).unwrap_or_default();
    let wanted = u64::try_from(config.limits.http_connections).unwrap_or(u64::MAX);
    if open_files < wanted {
        log.say(
            log::CALLS,
            format_args!("limits.http_connections is {wanted}, but only {open_files} files may be open"),
        );
    }
}

fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
