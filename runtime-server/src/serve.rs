//! A build served by this process, from its configuration to the signal that stops it: what `ssserve` does, and
//! `ssbuild serve` after it has built. A new build in the folder is served in its place.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::follow::{Follower, Trigger};
use crate::load::Build;
use crate::log::{self, Log};
use crate::server::{Server, Surroundings};
use crate::settings::{self, Flags};

/// Serves until a signal asks to stop. Sessions are kept in `state_dir` unless the configuration names a folder; `ready`
/// is told the address.
pub fn serve(
    build: &Build,
    flags: &Flags,
    state_dir: &Path,
    ready: impl FnOnce(SocketAddr) -> io::Result<()>,
) -> Result<(), Box<dyn Error>> {
    let (config, warnings) = settings::resolve(build, std::env::vars(), flags)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let log = Log::new(config.log.level, config.log.format, Arc::clone(&clock), Box::new(io::stderr()));
    for warning in warnings {
        log.warn(warning);
    }
    allow_open_files(&config, &log);
    let state_dir = config.server.state_dir.as_ref().map_or_else(|| state_dir.to_owned(), PathBuf::from);
    let address = (config.http.hostname.clone(), config.http.port);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let trigger = if config.server.follow { Trigger::Change } else { Trigger::Signal };
        let server = Server::start(build, config, Surroundings { clock, log: log.clone(), state_dir })?;
        let follower = Follower::new((server.clone(), log), build, flags.clone(), trigger)?;
        let listener = TcpListener::bind(&address)
            .await
            .map_err(|error| format!("cannot listen on {}:{}: {error}", address.0, address.1))?;
        ready(listener.local_addr()?)?;
        tokio::select! {
            ended = server.run(listener, stop_signal()?) => Ok(ended?),
            () = follower.follow() => unreachable!("a follower follows until it is dropped"),
        }
    })
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
