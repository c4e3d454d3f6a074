//! The server: a build, its engine and a listener, from start to graceful end.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::actions::Actions;
use crate::admin;
use crate::app::{App, Running};
use crate::assets::Assets;
use crate::backplane::Backplane;
use crate::browsers::Incompatible;
use crate::clock::Clock;
use crate::config::Config;
use crate::console::Console;
use crate::cookie::{self, Transport};
use crate::dev::Author;
use crate::engine::{Carrier, Engine, Host, Program};
use crate::fallback::Fallbacks;
use crate::front::{Door, Front};
use crate::generation::{Generation, GenerationHost, Wanted};
use crate::hex;
use crate::hub::{Hub, Mode};
use crate::limits::Limits;
use crate::load::{Build, LoadError};
use crate::log::{self, Log};
use crate::manifest::{EngineKind, Hook};
use crate::metrics::{Metrics, Redis};
use crate::numbered::Numbered;
use crate::openapi;
use crate::pages::{Pages, PolicyError};
use crate::presence::Presence;
use crate::rate::{Addresses, Rate};
use crate::session::{Done, Opened, Place, Sessions, Store, StoreError};
use crate::skew::KnownBuilds;
use crate::swap::Generations;

/// Time that the last client has to hear that it is its turn and to go by itself, in milliseconds.
const LAST_TO_LEAVE_MS: u64 = 500;

/// How often what is too old is looked for, in milliseconds.
const SWEEP_MS: u64 = 1_000;
/// How often sessions on disk are looked through, in milliseconds.
const EXPIRE_MS: u64 = 60 * 60 * 1000;
/// How long clients have to take their end when the server stops.
const FAREWELL_MS: u64 = 2_000;

/// What a server needs beside the build.
pub struct Surroundings {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where the log goes.
    pub log: Log,
    /// Folder for sessions, used by this server alone.
    pub state_dir: PathBuf,
    /// The tie to other servers, which then have the sessions.
    pub backplane: Option<Arc<Backplane>>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// There is no place for sessions.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A page cannot be served.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The server code cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The app's server code does not start.
    #[error("the app's server code does not start: {0}")]
    Engine(String),
}

/// A server that is ready to listen. Clones are the same server: one runs, another swaps builds meanwhile.
#[derive(Clone)]
pub struct Server {
    app: Arc<App>,
}

impl Server {
    /// Makes a server for a build. `start_actions` starts the engine, whose effects `Host` performs.
    pub fn new(
        build: &Build,
        config: Config,
        surroundings: Surroundings,
        start_actions: impl FnOnce(Arc<dyn Host>) -> Result<Arc<dyn Actions>, String>,
    ) -> Result<Self, ServerError> {
        let Surroundings { clock, log, state_dir, backplane } = surroundings;
        let manifest = &build.manifest;
        let limits = config.limits.clone();
        let place = match &backplane {
            Some(backplane) => Place::Redis(Arc::clone(backplane)),
            None => Place::Disk(Store::open(&state_dir, log.clone())?),
        };
        let sessions = Sessions::new(place, limits.clone(), config.session.expires_days);
        let presence = Presence::new(config.users.online.clone(), backplane.is_some());
        let mode = if manifest.env == "development" { Mode::Development } else { Mode::Deployed };
        let api_requests = Rate { per_second: limits.requests_per_second, burst: limits.requests_burst };
        let wrong_credentials =
            Rate { per_second: limits.wrong_credentials_per_second, burst: limits.wrong_credentials_burst };
        let handshakes = Rate { per_second: limits.connects_per_second, burst: limits.connects_burst };
        let hub = Hub::new((clock, log), limits, sessions, presence, mode, backplane);
        let redis = if hub.backplane.is_some() { Redis::Used } else { Redis::None };
        let metrics = Arc::new(Metrics::new(redis));
        let first = prepare((&hub, &metrics), build, config, (1, None), start_actions)?;
        let builds = KnownBuilds::default();
        builds.learn(build);
        let app = App {
            hub,
            generations: Generations::new(first),
            builds,
            name: manifest.app.clone(),
            handshakes: Addresses::new(handshakes),
            fallbacks: Fallbacks::default(),
            api_requests: Addresses::new(api_requests),
            failed_logins: Addresses::new(wrong_credentials),
            calls: Arc::default(),
            requests: 0.into(),
            metrics,
            leaving: false.into(),
        };
        Ok(Self { app: Arc::new(app) })
    }

    /// Makes a server for a build, with the engine that the build asks for.
    pub fn start(build: &Build, config: Config, surroundings: Surroundings) -> Result<Self, ServerError> {
        let engine = EngineOf::read(build, &config)?;
        Self::new(build, config, surroundings, |host| engine.start(host))
    }

    /// Makes a session of its own for a user; the cookie by which a browser has it, as `name=value`. For tests and tools.
    pub async fn sign_in(&self, user: &str) -> Result<String, String> {
        let hub = &self.app.hub;
        let (Opened::Known(session, _) | Opened::SetCookie(session, _)) =
            hub.sessions.open(None, hub.clock.now_ms()).await?
        else {
            return Err("a new session has no old id".to_owned());
        };
        let (told, stored) = tokio::sync::oneshot::channel();
        let done: Done = Box::new(move |result| drop(told.send(result)));
        hub.log_in(session.key, user, None, Some(done)).map_err(|error| error.to_string())?;
        stored.await.unwrap_or_else(|_| Err("the server is stopping".to_owned()))?;
        let id = session.lock().id;
        let set = cookie::set(&self.app.name, Transport::Plain, id, hub.sessions.cookie_seconds());
        let text = set.to_str().unwrap_or_default();
        Ok(text.split(';').next().unwrap_or_default().to_owned())
    }

    /// Answers the console's lines where the app runs, until the future is dropped.
    pub(crate) async fn run_console(&self, console: Console) -> io::Result<()> {
        console.run(Arc::clone(&self.app)).await
    }

    /// Serves another build from now on, without closing a connection: its engine is loaded first, calls that run finish
    /// where they are, pages are told. When this fails, the build before stays. Of the configuration, what the process was
    /// started with stays: addresses, limits, sessions, log.
    pub async fn swap(&self, build: &Build, config: Config) -> Result<(), ServerError> {
        let engine = EngineOf::read(build, &config)?;
        let current = self.app.current();
        if current.server_code == engine.identity() && self.app.hub.author.get().is_some() {
            return self.swap_pages(build, config).await;
        }
        self.swap_with(build, config, |host| engine.start(host)).await
    }

    /// Serves other pages and files with the same engine, whose state stays.
    async fn swap_pages(&self, build: &Build, config: Config) -> Result<(), ServerError> {
        let app = Arc::clone(&self.app);
        let _turn = app.generations.turn.lock().await;
        let before = app.current();
        let (hub, build, assets) = (Arc::clone(&app.hub), build.clone(), Arc::clone(&before));
        let shown = tokio::task::spawn_blocking(move || -> Result<_, ServerError> {
            let pages = render(&build, &config)?;
            let assets = Assets::new(&build, &hub.limits, Some(&assets.assets));
            Ok((pages, assets, Incompatible::read(&build)?, build.manifest.build_id, config))
        });
        let (pages, assets, incompatible, build_id, config) =
            shown.await.unwrap_or_else(|error| Err(ServerError::Engine(error.to_string())))?;
        app.generations.replace(before.with_pages(build_id, config, (pages, assets, incompatible)));
        app.hub.tell_update();
        Ok(())
    }

    /// Has an author told of, and asked, what only development knows; once, before pages connect.
    pub fn develop(&self, author: Arc<dyn Author>) {
        // A server has one author: the first.
        let _ = self.app.hub.author.set(author);
    }

    /// What is wrong with the sources has changed: tells every page.
    pub fn tell_problems(&self) {
        self.app.hub.tell_problems();
    }

    /// As [`swap`](Self::swap), with an engine that the caller starts.
    pub async fn swap_with(
        &self,
        build: &Build,
        config: Config,
        start_actions: impl FnOnce(Arc<dyn Host>) -> Result<Arc<dyn Actions>, String> + Send + 'static,
    ) -> Result<(), ServerError> {
        let app = Arc::clone(&self.app);
        let _turn = app.generations.turn.lock().await;
        let before = app.current();
        warn_of_late_keys(&app.hub.log, &before.config, &config);
        let (loading, build) = (Arc::clone(&app), build.clone());
        // Loading an engine takes its time, and may wait for a process.
        let prepared = tokio::task::spawn_blocking(move || {
            loading.builds.learn(&build);
            prepare(
                (&loading.hub, &loading.metrics),
                &build,
                config,
                (before.number + 1, Some(&before.assets)),
                start_actions,
            )
        });
        let next = prepared.await.unwrap_or_else(|error| Err(ServerError::Engine(error.to_string())))?;
        let build_id = next.build_id.clone();
        let old = app.generations.select(next);
        app.metrics.swaps.inc();
        app.hub.log.say(log::CALLS, format_args!("build {build_id} is served from now on"));
        if app.hub.author.get().is_some() {
            app.hub.tell_update();
        } else if old.build_id != build_id {
            app.hub.tell_upgrade(&build_id);
        }
        let waiting = Arc::clone(&app);
        tokio::spawn(async move {
            let hub = &waiting.hub;
            waiting.generations.retire(&old, &*hub.clock, &hub.log, hub.limits.drain_ms).await;
        });
        Ok(())
    }

    /// Serves until `shutdown` resolves, then ends gracefully: no new connections, calls in hand finish, clients are told
    /// to come back, what is to be stored is stored.
    pub async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        self.run_doors(vec![Door::plain(listener)], shutdown).await
    }

    /// Answers for health, readiness and metrics at another listener, until it is dropped.
    pub async fn run_admin(&self, listener: TcpListener) -> io::Result<()> {
        admin::serve(Arc::clone(&self.app), listener).await
    }

    /// As [`run`](Self::run), with several listeners.
    pub async fn run_doors(self, doors: Vec<Door>, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let app = self.app;
        let sweeper = tokio::spawn(sweep(Arc::clone(&app), app.hub.clock.now_ms()));
        let mut front = Front::new(&app, doors)?;
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = front.accept() => {}
                () = &mut shutdown => break,
            }
        }
        let clock = &app.hub.clock;
        app.leaving.store(true, Ordering::Relaxed);
        app.hub.log.say(log::CALLS, "stopping");
        // Who sends clients here has to see first that this server is no longer ready.
        let notice_ms = clock.now_ms() + app.hub.limits.shutdown_notice_ms;
        if app.hub.limits.shutdown_notice_ms > 0 {
            loop {
                tokio::select! {
                    () = front.accept() => {}
                    () = clock.sleep_until(notice_ms) => break,
                }
            }
        }
        front.close_doors();
        // Each client stays until its turn to go elsewhere, and is served until then.
        let spread_ms = app.hub.say_goodbye();
        let last_ms = clock.now_ms() + spread_ms + if spread_ms > 0 { LAST_TO_LEAVE_MS } else { 0 };
        tokio::select! {
            () = app.hub.all_gone() => {}
            () = clock.sleep_until(last_ms) => {}
        }
        let deadline_ms = clock.now_ms() + app.hub.limits.shutdown_ms;
        app.calls.stop();
        app.hub.log.say(log::CALLS, "no more calls are taken");
        tokio::select! {
            () = app.calls.ended() => {}
            () = clock.sleep_until(deadline_ms) => {
                app.hub.log.warn("calls that did not end in time are given up");
                // Their callers are told before their connections are closed.
                app.generations.close().await;
                drop(tokio::time::timeout(Duration::from_millis(FAREWELL_MS), app.calls.ended()).await);
            }
        }
        let farewell_ms = app.hub.clock.now_ms() + FAREWELL_MS;
        app.hub.close_all();
        tokio::select! {
            () = async { tokio::join!(front.stop(), app.hub.all_gone()); } => {}
            () = app.hub.clock.sleep_until(farewell_ms) => {}
        }
        sweeper.abort();
        app.generations.close().await;
        let hub = Arc::clone(&app.hub);
        tokio::task::spawn_blocking(move || hub.sessions.close()).await.map_err(io::Error::other)
    }
}

/// The engine that a build asks for, not yet started.
struct EngineOf {
    program: Program,
    limits: Limits,
    workers: usize,
}

impl EngineOf {
    fn read(build: &Build, config: &Config) -> Result<Self, LoadError> {
        let bundle = build.read_text(&build.manifest.server.bundle.file)?;
        let program = Program {
            bundle: bundle.into(),
            bundle_name: build.manifest.server.bundle.file.clone(),
            map: build.manifest.server.map.as_ref().map(|map| build.dist.join(&map.file)),
            folder: server_folder(build),
            middleware: build.manifest.server.hooks.contains(&Hook::Http),
            start_up: build.manifest.server.hooks.contains(&Hook::Db),
            actions: Arc::new(build.manifest.api.server.clone()),
            config: config.for_server_code(),
            env: build.manifest.env.clone(),
            version: build.manifest.tool.version.clone(),
            carrier: match build.manifest.server.engine {
                EngineKind::Embedded => Carrier::Embedded,
                EngineKind::Node => Carrier::Node { command: config.server.node.clone() },
            },
        };
        Ok(Self { program, limits: config.limits.clone(), workers: config.server.workers })
    }

    /// What would be another engine with any of this changed.
    fn identity(&self) -> String {
        let Program { bundle, actions, config, carrier, .. } = &self.program;
        let kind = format!("{carrier:?}");
        let parts: [&[u8]; 4] = [
            bundle.as_bytes(),
            &serde_json::to_vec(&**actions).expect("actions are plain data"),
            &serde_json::to_vec(config).expect("a configuration is JSON"),
            kind.as_bytes(),
        ];
        let digests: Vec<u8> = parts.iter().flat_map(Sha256::digest).collect();
        hex::encode(&Sha256::digest(digests))
    }

    fn start(self, host: Arc<dyn Host>) -> Result<Arc<dyn Actions>, String> {
        let engine = Engine::start_workers(self.program, &self.limits, host, self.workers);
        Ok(Arc::new(engine.map_err(|error| error.to_string())?))
    }
}

/// Where the server code of a build lies, for code that asks.
fn server_folder(build: &Build) -> Option<PathBuf> {
    let bundle = build.dist.join(&build.manifest.server.bundle.file);
    std::path::absolute(bundle).ok()?.parent().map(PathBuf::from)
}

/// Puts together what is served of a build, and starts its engine.
fn prepare(
    (hub, metrics): (&Arc<Hub>, &Arc<Metrics>),
    build: &Build,
    config: Config,
    (number, before): (u64, Option<&Assets>),
    start_actions: impl FnOnce(Arc<dyn Host>) -> Result<Arc<dyn Actions>, String>,
) -> Result<Generation, ServerError> {
    let manifest = &build.manifest;
    let pages = render(build, &config)?;
    let assets = Assets::new(build, &hub.limits, before);
    let incompatible = Incompatible::read(build)?;
    let server_code = EngineOf::read(build, &config)?.identity();
    let watches: Arc<Running> = Arc::default();
    let wanted: Arc<Wanted> = Arc::default();
    let host = GenerationHost {
        hub: Arc::clone(hub),
        number,
        watches: Arc::clone(&watches),
        metrics: Arc::clone(metrics),
        wanted: Arc::clone(&wanted),
    };
    let actions = start_actions(Arc::new(host)).map_err(ServerError::Engine)?;
    let openapi = match hub.mode {
        Mode::Development => openapi::document(manifest, &config.api).to_string(),
        Mode::Deployed => String::new(),
    };
    Ok(Generation {
        number,
        openapi,
        build_id: manifest.build_id.clone(),
        actions,
        tree: Arc::new(manifest.api.server.clone()),
        numbered: Arc::new(Numbered::new(&manifest.api.server)),
        config,
        pages,
        incompatible,
        assets,
        server_code,
        calls: Arc::default(),
        watches,
        wanted,
    })
}

fn render(build: &Build, config: &Config) -> Result<Pages, PolicyError> {
    let manifest = &build.manifest;
    let cdn_base = config.build.cdn_base.as_deref().or(manifest.cdn_base.as_deref());
    Pages::render(manifest, cdn_base.map(|base| base.trim_end_matches('/')), config.csp.enabled)
}

/// Says which keys of a new build's configuration have to wait for a restart.
fn warn_of_late_keys(log: &Log, before: &Config, after: &Config) {
    let listening = |config: &Config| (config.http.hostname.clone(), config.http.port, config.server.admin.clone());
    let changed = [
        ("`limits`", before.limits != after.limits),
        ("`session`", before.session != after.session),
        ("`users`", before.users != after.users),
        ("`log`", before.log != after.log),
        ("the addresses", listening(before) != listening(after)),
        ("`server.state_dir`", before.server.state_dir != after.server.state_dir),
    ];
    for (what, _) in changed.into_iter().filter(|(_, changed)| *changed) {
        log.warn(format_args!("the new build changes {what} in its configuration: that counts from the next start on"));
    }
}

async fn sweep(app: Arc<App>, started_ms: u64) {
    let clock = &app.hub.clock;
    let (mut swept_ms, mut expired_ms) = (started_ms, 0);
    loop {
        clock.sleep_until(swept_ms + SWEEP_MS).await;
        swept_ms = clock.now_ms();
        app.hub.sweep();
        app.handshakes.sweep(swept_ms);
        app.api_requests.sweep(swept_ms);
        app.failed_logins.sweep(swept_ms);
        if swept_ms >= expired_ms + EXPIRE_MS {
            expired_ms = swept_ms;
            app.hub.sessions.expire(swept_ms);
        }
    }
}
