use std::{
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ssbuild_server::{
    backplane::{Backplane, BackplaneError},
    clock::{Clock, SystemClock},
    dev::Author,
    load::{Build, LoadError},
    log::Log,
    server::{Server, ServerError, Surroundings},
    settings::{self, Flags, SettingsError},
};
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    task::JoinHandle,
};

use super::{Round, Signals, desk::Desk};

/// How long calls and connections have to end when the watch does.
const CLOSE_MS: u64 = 3_000;

/// The app as browsers see it while it is worked on: one server, build after build.
pub struct Site {
    runtime: Runtime,
    flags: Flags,
    state_dir: PathBuf,
    dist: PathBuf,
    desk: Arc<Desk>,
    /// Where the server's log goes, until it is started.
    log_to: Option<Box<dyn Write + Send>>,
    running: Option<Running>,
}

struct Running {
    server: Server,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

/// Why a build is not shown.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// It is not whole.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Its configuration cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The server does not take it.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// Redis is not to be had.
    #[error(transparent)]
    Redis(#[from] BackplaneError),
    /// There is no place to listen.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: String,
        /// Why not.
        source: io::Error,
    },
}

impl SiteError {
    /// Whether the build is to blame, so that another one may do.
    pub fn is_of_build(&self) -> bool {
        !matches!(self, Self::Listen { .. } | Self::Server(ServerError::Store(_)))
    }
}

impl Site {
    /// A site of the app in `root` that shows nothing yet, and then what is selected in `dist`. Sessions are kept in
    /// `.ssserve` of the app unless the configuration names a folder.
    pub fn new(root: &Path, dist: &Path, flags: Flags, log_to: Box<dyn Write + Send>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let desk = Arc::new(Desk::new(root.to_owned(), dist.to_owned()));
        let (state_dir, dist) = (root.join(".ssserve"), dist.to_owned());
        Ok(Self { runtime, flags, state_dir, dist, desk, log_to: Some(log_to), running: None })
    }

    /// Brings what a round made to the browsers: a good build, else what is wrong. Returns where it is served, when it is
    /// good; the error is why it is not.
    pub fn take(&mut self, round: &mut Round) -> Result<Option<SocketAddr>, SiteError> {
        let shown = match &mut round.result {
            Ok(outcome) => {
                let news = self.desk.found(&outcome.report);
                match (outcome.manifest.clone(), outcome.browser.take()) {
                    (Some(manifest), Some(browser)) => {
                        let took_ms = u64::try_from(round.took.as_millis()).unwrap_or(u64::MAX);
                        self.desk.built(manifest, browser, &round.changed, took_ms);
                        let shown = self.show();
                        let failed = shown.as_ref().err().is_some_and(|error| {
                            self.desk.take_back();
                            self.desk.failed_to_build(&error.to_string())
                        });
                        self.tell(news || failed);
                        return shown.map(Some);
                    }
                    _ => news,
                }
            }
            Err(error) => self.desk.failed_to_build(&error.to_string()),
        };
        self.tell(shown);
        Ok(None)
    }

    fn tell(&self, news: bool) {
        if let (Some(running), true) = (&self.running, news) {
            running.server.tell_problems();
        }
    }

    /// Where it is, when it is.
    pub fn address(&self) -> Option<SocketAddr> {
        self.running.as_ref().map(|running| running.address)
    }

    /// Shows the build that is selected from now on. When this fails, the one before stays.
    fn show(&mut self) -> Result<SocketAddr, SiteError> {
        let build = Build::load(&self.dist, None)?;
        let (config, warnings) = settings::resolve(&build, std::env::vars(), &self.flags)?;
        self.desk.set_editor(&config.dev.editor_url);
        if let Some(running) = &self.running {
            self.runtime.block_on(running.server.swap(&build, config))?;
            return Ok(running.address);
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let log_to = self.log_to.take().unwrap_or_else(|| Box::new(io::stderr()));
        let log = Log::new(config.log.level, config.log.format, Arc::clone(&clock), log_to);
        self.desk.set_log(log.clone());
        warnings.iter().for_each(|warning| log.warn(warning));
        let state_dir = config.server.state_dir.as_ref().map_or_else(|| self.state_dir.clone(), PathBuf::from);
        let place = (config.http.hostname.clone(), config.http.port);
        let running = self.runtime.block_on(async {
            let listen = |source| SiteError::Listen { address: format!("{}:{}", place.0, place.1), source };
            let listener = TcpListener::bind(&place).await.map_err(listen)?;
            let address = listener.local_addr().map_err(listen)?;
            let backplane = Backplane::connect(&config, (Arc::clone(&clock), log.clone())).await?;
            let server = Server::start(&build, config, Surroundings { clock, log, state_dir, backplane })?;
            // Pages of other environments know nothing of authors.
            if build.manifest.env == "development" {
                server.develop(Arc::clone(&self.desk) as Arc<dyn Author>);
            }
            let (stop, stopped) = oneshot::channel();
            let task = tokio::spawn(server.clone().run(listener, async {
                // Sent, or dropped with the site.
                drop(stopped.await);
            }));
            Ok::<_, SiteError>(Running { server, address, stop, task })
        })?;
        Ok(self.running.insert(running).address)
    }

    /// Ends a watch when the process is asked to end.
    pub fn quit_on_signal(&self, signals: Signals) -> io::Result<()> {
        let _inside = self.runtime.enter();
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        self.runtime.spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            signals.quit();
        });
        Ok(())
    }

    /// Ends it: sessions are stored, browsers are told to come back.
    pub fn close(mut self) {
        if let Some(running) = self.running.take() {
            // A server that has ended by itself listens no more.
            let _ = running.stop.send(());
            let end = async { tokio::time::timeout(Duration::from_millis(CLOSE_MS), running.task).await };
            // What does not end in time ends with the process.
            drop(self.runtime.block_on(end));
        }
        self.runtime.shutdown_timeout(Duration::from_millis(CLOSE_MS));
    }
}
