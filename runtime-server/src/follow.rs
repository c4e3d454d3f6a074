//! Follows the build on disk: when its manifest changes, or at SIGHUP, the build that it then names is served.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::load::Build;
use crate::log::{self, Log};
use crate::manifest;
use crate::server::Server;
use crate::settings::{self, Flags};

/// How often the manifest is looked at, for what no watcher is told of: network file systems, a folder or a link that was
/// replaced, a build whose last file comes after its manifest.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What is followed, and how it is to be served.
pub(crate) struct Follower {
    pub(crate) server: Server,
    pub(crate) log: Log,
    pub(crate) flags: Flags,
    /// The folder that holds the manifest.
    pub(crate) dist: PathBuf,
    /// Only builds for this environment are served.
    pub(crate) env: String,
    /// Whether only a signal counts.
    pub(crate) trigger: Trigger,
    /// The manifest that is served.
    served: Vec<u8>,
    /// The last failure that was told, so that it is told once.
    failed: Option<String>,
    hangup: Signal,
}

/// What makes a follower look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// The manifest changes, or SIGHUP.
    Change,
    /// SIGHUP alone.
    Signal,
}

/// Why it looks.
enum Reason {
    Changed,
    Signal,
}

impl Follower {
    /// Follows `build`, which `server` serves.
    pub(crate) fn new(
        (server, log): (Server, Log),
        build: &Build,
        flags: Flags,
        trigger: Trigger,
    ) -> std::io::Result<Self> {
        let served = std::fs::read(build.dist.join(manifest::FILE_NAME)).unwrap_or_default();
        let hangup = signal(SignalKind::hangup())?;
        let (dist, env) = (build.dist.clone(), build.manifest.env.clone());
        Ok(Self { server, log, flags, dist, env, trigger, served, failed: None, hangup })
    }

    /// Follows until it is dropped.
    pub(crate) async fn follow(mut self) {
        let changed = Arc::new(Notify::new());
        // Without a watcher there is still the look every few seconds.
        let _watcher = match self.trigger {
            Trigger::Change => watch(&self.dist, Arc::clone(&changed)),
            Trigger::Signal => None,
        };
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let reason = tokio::select! {
                hangup = self.hangup.recv() => match hangup {
                    Some(()) => Reason::Signal,
                    None => return std::future::pending().await,
                },
                () = changed.notified() => Reason::Changed,
                _ = looks.tick(), if self.trigger == Trigger::Change => Reason::Changed,
            };
            self.look(reason).await;
        }
    }

    async fn look(&mut self, reason: Reason) {
        let path = self.dist.join(manifest::FILE_NAME);
        let found = tokio::fs::read(&path).await.unwrap_or_default();
        if found == self.served {
            self.failed = None;
            if matches!(reason, Reason::Signal) {
                self.log.say(log::CALLS, "the build is the one that is served");
            }
            return;
        }
        match self.swap().await {
            Ok(()) => {
                self.served = found;
                self.failed = None;
            }
            Err(error) => {
                if self.failed.as_ref() != Some(&error) || matches!(reason, Reason::Signal) {
                    let dist = self.dist.display();
                    self.log
                        .error(format_args!("the new build in {dist} is not served, the one before stays: {error}"));
                }
                self.failed = Some(error);
            }
        }
    }

    async fn swap(&self) -> Result<(), String> {
        let (dist, env) = (self.dist.clone(), self.env.clone());
        let loaded = tokio::task::spawn_blocking(move || Build::load(&dist, Some(&env))).await;
        let build = loaded.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        let resolved = settings::resolve(&build, std::env::vars(), &self.flags);
        let (config, warnings) = resolved.map_err(|error| error.to_string())?;
        for warning in warnings {
            self.log.warn(warning);
        }
        self.server.swap(&build, config).await.map_err(|error| error.to_string())
    }
}

/// Tells when something happens to the manifest in `dist`.
fn watch(dist: &Path, changed: Arc<Notify>) -> Option<notify::RecommendedWatcher> {
    let heard = move |event: notify::Result<notify::Event>| {
        let concerns = |event: &notify::Event| {
            !event.kind.is_access() && event.paths.iter().any(|path| path.ends_with(manifest::FILE_NAME))
        };
        if event.is_ok_and(|event| concerns(&event)) {
            changed.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(heard).ok()?;
    watcher.watch(dist, RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}
