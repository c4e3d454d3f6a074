use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ssbuild_server::{
    backplane::{Backplane, BackplaneError},
    clock::{Clock, SystemClock},
    config::Config,
    dev::Author,
    front::Door,
    load::{Build, LoadError},
    log::Log,
    serve::{self, Served},
    server::{Server, ServerError, Surroundings},
    settings::{self, Flags, SettingsError},
    tls::{CertificateError, CertificatePlaces, Tls},
    waiting::Waiting,
};
use tokio::{
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
    root: PathBuf,
    dist: PathBuf,
    desk: Arc<Desk>,
    clock: Arc<dyn Clock>,
    /// Where the server's log goes, until there is one.
    log_to: Option<Box<dyn Write + Send>>,
    log: Option<Log>,
    entrance: Option<Entrance>,
    running: Option<Running>,
}

/// Where browsers come in, before there is a server.
struct Entrance {
    doors: Vec<Door>,
    served: Served,
    waiting: Option<Waiting>,
}

struct Running {
    server: Server,
    served: Served,
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
    #[error("{0}")]
    Listen(String),
    /// TLS is asked for and cannot be had.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl SiteError {
    /// Whether the build is to blame, so that another one may do.
    pub fn is_of_build(&self) -> bool {
        !matches!(self, Self::Listen(_) | Self::Certificate(_) | Self::Server(ServerError::Store(_)))
    }
}

impl Site {
    /// A site of the app in `root` that shows nothing yet, and then what is selected in `dist`. Sessions are kept in
    /// `.ssserve` of the app unless the configuration names a folder.
    pub fn new(root: &Path, dist: &Path, flags: Flags, log_to: Box<dyn Write + Send>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let desk = Arc::new(Desk::new(root.to_owned(), dist.to_owned()));
        let (root, dist) = (root.to_owned(), dist.to_owned());
        let (clock, log_to): (Arc<dyn Clock>, _) = (Arc::new(SystemClock::new()), Some(log_to));
        Ok(Self { runtime, flags, root, dist, desk, clock, log_to, log: None, entrance: None, running: None })
    }

    /// Brings what a round made to the browsers: a good build, else what is wrong. Returns where it is served, when it is
    /// good; the error is why it is not.
    /// What is wrong before there has been any names its places with the configuration that is asked for.
    pub fn take(&mut self, round: &mut Round, config: impl FnOnce() -> Config) -> Result<Option<Served>, SiteError> {
        let is_good = round.result.as_ref().is_ok_and(|outcome| outcome.manifest.is_some());
        if self.running.is_none() && !is_good {
            self.desk.set_editor(&config().dev.editor_url);
        }
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

    /// Shows what is wrong where the app is to be, until there is a build that can be shown; returns where. Nothing when there
    /// has been one: its pages show it.
    pub fn wait(&mut self, config: impl FnOnce() -> Config) -> Result<Option<Served>, SiteError> {
        if self.running.is_some() {
            return Ok(None);
        }
        let mut entrance = match self.entrance.take() {
            Some(entrance) => entrance,
            None => self.enter(&config())?,
        };
        let waiting = match entrance.waiting.take() {
            Some(waiting) => waiting,
            None => {
                let _inside = self.runtime.enter();
                Waiting::start(&entrance.doors).map_err(|error| SiteError::Listen(error.to_string()))?
            }
        };
        waiting.show(|number| self.desk.notice(number));
        let served = entrance.served.clone();
        self.entrance = Some(Entrance { waiting: Some(waiting), ..entrance });
        Ok(Some(served))
    }

    /// Listens where a configuration says. What is listened to stays: another configuration takes another start.
    fn enter(&mut self, config: &Config) -> Result<Entrance, SiteError> {
        let log = self.log(config);
        let tls = match config.https.enabled {
            true => {
                let own = || self.root.join("config/ssl_certs");
                let folder = config.https.cert_dir.as_ref().map_or_else(own, PathBuf::from);
                let places = CertificatePlaces { folder, state_dir: self.state_dir(config) };
                Some(Tls::start(&config.https, places, &log)?)
            }
            false => None,
        };
        let (doors, served) = self.runtime.block_on(serve::open(config, tls)).map_err(SiteError::Listen)?;
        Ok(Entrance { doors, served, waiting: None })
    }

    fn log(&mut self, config: &Config) -> Log {
        let (clock, log_to) = (Arc::clone(&self.clock), &mut self.log_to);
        let new = || {
            let log_to = log_to.take().unwrap_or_else(|| Box::new(io::stderr()));
            Log::new(config.log.level, config.log.format, clock, log_to)
        };
        self.log.get_or_insert_with(new).clone()
    }

    fn state_dir(&self, config: &Config) -> PathBuf {
        config.server.state_dir.as_ref().map_or_else(|| self.root.join(".ssserve"), PathBuf::from)
    }

    /// Shows the build that is selected from now on. When this fails, the one before stays.
    fn show(&mut self) -> Result<Served, SiteError> {
        let build = Build::load(&self.dist, None)?;
        let (config, warnings) = settings::resolve(&build, std::env::vars(), &self.flags)?;
        self.desk.set_editor(&config.dev.editor_url);
        if let Some(running) = &self.running {
            self.runtime.block_on(running.server.swap(&build, config))?;
            return Ok(running.served.clone());
        }
        let entrance = match self.entrance.take() {
            Some(entrance) => entrance,
            None => self.enter(&config)?,
        };
        // Put back, so that browsers can wait there when the server does not start.
        let entrance = self.entrance.insert(entrance);
        let served = entrance.served.clone();
        let log = self.log(&config);
        self.desk.set_log(log.clone());
        warnings.iter().for_each(|warning| log.warn(warning));
        let state_dir = self.state_dir(&config);
        let clock = Arc::clone(&self.clock);
        let server = self.runtime.block_on(async {
            let backplane = Backplane::connect(&config, (Arc::clone(&clock), log.clone())).await?;
            let server = Server::start(&build, config, Surroundings { clock, log, state_dir, backplane })?;
            Ok::<_, SiteError>(server)
        })?;
        // Pages of other environments know nothing of authors.
        if build.manifest.env == "development" {
            server.develop(Arc::clone(&self.desk) as Arc<dyn Author>);
        }
        let Entrance { doors, waiting, .. } = self.entrance.take().expect("it was put back");
        if let Some(waiting) = waiting {
            self.runtime.block_on(waiting.end());
        }
        let (stop, stopped) = oneshot::channel();
        let task = self.runtime.spawn(server.clone().run_doors(doors, async {
            // Sent, or dropped with the site.
            drop(stopped.await);
        }));
        self.running = Some(Running { server, served: served.clone(), stop, task });
        Ok(served)
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
