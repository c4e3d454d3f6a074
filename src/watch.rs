//! Watching: a change in the app's folder becomes a build, one at a time, for as long as anybody wants one.
//!
//! What is watched is what a build looked at: [`Seen`] stands before the disk and notes every path that was asked for,
//! found or not, and what was there. A change of anything else is of no interest, so nothing has to be ignored by name. What
//! the system tells of changes says when to look; what was noted says, after each build, whether anything was lost.

mod changes;
mod desk;
mod file_system;
mod notice;
mod positions;
mod seen;
mod site;
mod version;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use ssbuild_server::{
    config::{Config, Layer, Layers},
    settings::Flags,
};

use crate::{
    disk::{Disk, RealDisk},
    pipeline::{self, Error, Outcome, Purpose, Request},
    progress::Progress,
    session::Session,
    timings::Timings,
    types,
};
use changes::Changes;
pub use changes::{Signal, Signals};
pub use file_system::{Listening, listening};
use seen::Seen;
pub use site::{Site, SiteError};

/// One build of many.
#[derive(Debug)]
pub struct Round {
    /// The first is 1.
    pub number: u64,
    /// What had changed since the last one, below the app's folder, sorted; empty when it was asked for by hand.
    pub changed: Vec<String>,
    /// What came of it.
    pub result: Result<Outcome, Error>,
    /// How long it took.
    pub took: Duration,
}

/// An app whose folder is watched.
pub struct Watch {
    request: Request,
    session: Session,
    seen: Arc<Seen>,
    changes: Changes,
    rounds: u64,
}

/// Why a folder cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The folder is not there.
    #[error("there is no folder `{}`", .0.display())]
    NoFolder(PathBuf),
    /// The system does not let us.
    #[error("cannot watch `{}`: {source}{}", path.display(), remedy(source))]
    Notify {
        /// What was to be watched.
        path: PathBuf,
        /// What the system said.
        source: notify::Error,
    },
}

/// What to do about the errors that people meet.
fn remedy(error: &notify::Error) -> &'static str {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => "; raise `fs.inotify.max_user_watches` (sysctl), or run with `--poll`",
        _ => "",
    }
}

impl Watch {
    /// Starts to watch the app of a request. Changes count from here on.
    pub fn start(mut request: Request, listening: &Listening) -> Result<Self, WatchError> {
        let root = RealDisk.canonical(&request.root).ok().flatten();
        let root = root.ok_or_else(|| WatchError::NoFolder(request.root.clone()))?;
        let out = match &request.purpose {
            Purpose::Publish(out) => Some(out.clone()),
            Purpose::Check | Purpose::Measure => None,
        };
        request.root.clone_from(&root);
        let session = Session::lasting_in_app(&root);
        // Written before anything is watched, it is no change. A failure is told by the first build, which tries again.
        drop(types::write_project(&RealDisk, &root));
        let own = out.into_iter().chain([root.join(".ssbuild"), root.join(".ssserve")]).collect();
        let seen = Arc::new(Seen::new(root.clone(), own));
        let changes = Changes::start(root, Arc::clone(&seen), listening)?;
        Ok(Self { request, session, seen, changes, rounds: 0 })
    }

    /// Where others say that something is to be done.
    pub fn signals(&self) -> Signals {
        self.changes.signals()
    }

    /// The same with a stopwatch, which each round starts anew.
    #[must_use]
    pub fn timed(self) -> Self {
        Self { session: self.session.timed(Timings::since(Instant::now())), ..self }
    }

    /// Where the time of the last round went.
    pub fn timings(&self) -> &Timings {
        self.session.timings()
    }

    /// How far its builds are.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(self.session.progress())
    }

    /// Builds the app as it is now.
    pub fn build(&mut self, changed: Vec<String>) -> Result<Round, WatchError> {
        let started = Instant::now();
        self.session.timings().restart();
        self.seen.begin();
        let disk: Arc<dyn Disk> = Arc::clone(&self.seen) as Arc<dyn Disk>;
        let result = pipeline::build_for_pages(&disk, &self.request, &self.session).and_then(|outcome| {
            if let Some(declarations) = &outcome.types {
                types::write(&RealDisk, &self.request.root, declarations)?;
            }
            Ok(outcome)
        });
        let took = started.elapsed();
        self.changes.follow()?;
        self.rounds += 1;
        Ok(Round { number: self.rounds, changed, result, took })
    }

    /// The configuration as far as it can be read now: where the app is to be served is asked before there is a build.
    pub fn configuration(&self, flags: &Flags) -> Config {
        let above: Vec<Layer> = Layers::variables(std::env::vars()).into_iter().chain(flags.layers()).collect();
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        if let Ok((settings, _)) = pipeline::configuration(&disk, &self.request, &self.session, above.clone()) {
            return settings.config;
        }
        let mut layers = Layers::default();
        std::iter::once(Layers::preset(&self.request.env)).chain(above).for_each(|layer| layers.push(layer));
        layers.resolve().0
    }

    /// Waits for the next thing to do. [`Signal::Changed`] comes when a change is over: many files written at once are one.
    pub fn wait(&mut self) -> Signal {
        self.changes.wait()
    }
}
