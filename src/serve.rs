//! Serves a build through the runtime, in this process.

use std::{error::Error, future::Future, net::SocketAddr, path::Path, sync::Arc};

use ssbuild_server::{
    clock::{Clock, SystemClock},
    load::Build,
    log::Log,
    server::{Server, Surroundings},
    settings::{self, Flags},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

/// Serves the build that is selected in `dist` until a signal asks to stop; `ready` is told the address.
pub fn serve(
    dist: &Path,
    state_dir: &Path,
    flags: &Flags,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), Box<dyn Error>> {
    let build = Build::load(dist, None)?;
    let (config, warnings) = settings::resolve(&build, std::env::vars(), flags)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let log = Log::new(config.log.level, config.log.format, Arc::clone(&clock), Box::new(std::io::stderr()));
    warnings.into_iter().for_each(|warning| log.warn(warning));
    let state_dir = config.server.state_dir.as_ref().map_or_else(|| state_dir.to_owned(), Into::into);
    let address = (config.http.hostname.clone(), config.http.port);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let server = Server::start(&build, config, Surroundings { clock, log, state_dir })?;
        let listener = TcpListener::bind(&address)
            .await
            .map_err(|error| format!("cannot listen on {}:{}: {error}", address.0, address.1))?;
        ready(listener.local_addr()?);
        server.run(listener, stop_signal()?).await?;
        Ok(())
    })
}

fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
