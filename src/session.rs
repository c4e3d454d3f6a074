//! What builds in one process share: results, threads and child processes.

use std::{
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::{
    cache::{Cache, Mode},
    preprocess::{self, NodePath, Packages, Preprocess},
    progress::Progress,
    remembered::Remembered,
    style::{StyleLimits, Styles, WorkerCommand},
    timings::Timings,
};

/// Hand the same session to build after build: what did not change is not done again, and what is done is the same as
/// without it. A file that changes while a build reads it is seen by that build or by the next.
#[derive(Debug, Default)]
pub struct Session {
    cache: Cache,
    threads: OnceLock<ThreadPool>,
    children: Mutex<Option<Remembered>>,
    timings: Timings,
    progress: Arc<Progress>,
}

/// Where the cache of an app lies, below its folder.
pub const CACHE_FOLDER: &str = ".ssbuild/cache";

impl Session {
    /// A session that remembers what this cache remembers.
    pub fn new(cache: Cache) -> Self {
        Self { cache, ..Self::default() }
    }

    /// For a single build: nothing is remembered.
    pub fn once() -> Self {
        Self::default()
    }

    /// For build after build in this process.
    pub fn lasting() -> Self {
        Self::new(Cache::default().in_memory())
    }

    /// For a single build that makes use of those before it: what they know lies in the app's folder.
    pub fn of_app(root: &Path, mode: Mode) -> Self {
        Self::new(Cache::default().in_folder(root.join(CACHE_FOLDER), mode))
    }

    /// For build after build in this process, with what earlier ones left in the app's folder.
    pub fn lasting_in_app(root: &Path) -> Self {
        Self::new(Cache::default().in_memory().in_folder(root.join(CACHE_FOLDER), Mode::ReadWrite))
    }

    /// The same with a stopwatch.
    #[must_use]
    pub fn timed(self, timings: Timings) -> Self {
        Self { timings, ..self }
    }

    /// Where the time of its builds goes.
    pub fn timings(&self) -> &Timings {
        &self.timings
    }

    /// How far its builds are.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// What is remembered.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The threads to compile on, started with the first build.
    pub(crate) fn threads(&self) -> Result<&ThreadPool, ThreadPoolBuildError> {
        if self.threads.get().is_none() {
            // Parsers recurse: each thread has the stack that sources as deep as the limit allows need.
            let threads = ThreadPoolBuilder::new().stack_size(ssbuild_script::STACK_BYTES).build()?;
            // Another build may have been faster; its threads are as good.
            let _ = self.threads.set(threads);
        }
        Ok(self.threads.get().expect("it was just set"))
    }

    /// The compilers of single files. Those that run in processes of their own are started anew when the packages they run
    /// have changed.
    pub(crate) fn compilers(&self, root: &Path, packages: &Packages, worker: &WorkerCommand) -> Remembered {
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = children.take().filter(|known| known.fits(root, packages, worker));
        let fitting = fitting.unwrap_or_else(|| {
            let languages = Preprocess::new(root, NodePath::of_process(), preprocess::Limits::default());
            let styles = Styles::new(worker.clone(), StyleLimits::default());
            Remembered::new(root, packages, worker, languages, styles)
        });
        children.insert(fitting).clone()
    }
}
