//! What builds in one process share: results, threads and child processes.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use ssbuild_diagnostic::Diagnostic;
use ssbuild_script::{CompiledModule, Options, Source};

use crate::{
    cache::{Cache, Keyed},
    preprocess::{self, NodePath, Packages, Preprocess},
    style::{StyleLimits, Styles, WorkerCommand},
};

/// Hand the same session to build after build: what did not change is not done again, and what is done is the same as
/// without it. A file that changes while a build reads it is seen by that build or by the next.
#[derive(Debug, Default)]
pub struct Session {
    cache: Cache,
    threads: OnceLock<ThreadPool>,
    children: Mutex<Option<Children>>,
}

/// Processes that wait for the next file.
#[derive(Debug, Clone)]
struct Children {
    root: PathBuf,
    packages: Packages,
    worker: WorkerCommand,
    languages: Arc<Preprocess>,
    styles: Arc<Styles>,
}

impl Session {
    /// For a single build: nothing is remembered.
    pub fn once() -> Self {
        Self::default()
    }

    /// For build after build in this process.
    pub fn lasting() -> Self {
        Self { cache: Cache::in_memory(), ..Self::default() }
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

    /// The compilers that run in processes of their own. They are started anew when the packages they run have changed.
    pub(crate) fn children(
        &self,
        root: &Path,
        packages: &Packages,
        worker: &WorkerCommand,
    ) -> (Arc<Preprocess>, Arc<Styles>) {
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = children
            .take()
            .filter(|known| known.root == root && known.packages == *packages && known.worker == *worker);
        let children = children.insert(fitting.unwrap_or_else(|| {
            let languages = Preprocess::new(root, NodePath::of_process(), preprocess::Limits::default());
            let styles = Styles::new(worker.clone(), StyleLimits::default());
            let (languages, styles) = (Arc::new(languages), Arc::new(styles));
            Children { root: root.to_owned(), packages: packages.clone(), worker: worker.clone(), languages, styles }
        }));
        (Arc::clone(&children.languages), Arc::clone(&children.styles))
    }

    /// Compiles a script, unless the same was compiled before.
    pub(crate) fn script(
        &self,
        source: Source<'_>,
        options: &Options,
        languages: &Preprocess,
        packages: &Packages,
    ) -> Arc<CompiledModule> {
        let key = Keyed::new("script").with(source.path).with(source.text).with_value(&(source.language, options));
        // What Node.js says of a file is not known to be the same next time when it says that it cannot.
        if preprocess::is_preprocessed(source.path) {
            let key = key.with(packages.identity()).done();
            return self.cache.get(key).unwrap_or_else(|| {
                let made = Arc::new(languages.script(source, options));
                if !made.diagnostics.iter().any(Diagnostic::is_error) {
                    self.cache.put(key, &made);
                }
                made
            });
        }
        self.cache.get_or(key.done(), || ssbuild_script::compile(source, options))
    }
}
