//! The compilers of single files, each asked only for what the cache does not know.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Map, Value};
use ssbuild_diagnostic::Diagnostic;
use ssbuild_script::{CompiledModule, Options, Source};

use crate::{
    asset::from_hex,
    cache::{Cache, Key, Keyed, Record},
    disk::{Seen, Witness},
    preprocess::{self, Packages, Preprocess, Processed, ProcessedSheet},
    project::{Project, Role},
    public::FromSheets,
    style::{Sheet, StyleError, StyleOptions, StyleOutput, StyleUrl, Styles, WorkerCommand},
};

/// Compilers that wait for the next file.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    root: PathBuf,
    packages: Packages,
    worker: WorkerCommand,
    languages: Arc<Preprocess>,
    styles: Arc<Styles>,
}

/// What one build asks them with.
#[derive(Clone, Copy)]
pub struct Compilers<'a> {
    compilers: &'a Remembered,
    cache: &'a Cache,
    disk: &'a Witness,
    /// Names of the files that sheets and views can be looked for among.
    names: Key,
}

/// How often a file is compiled again that changed while it was compiled.
const TRIES: usize = 3;

impl Remembered {
    pub(crate) fn new(
        root: &Path,
        packages: &Packages,
        worker: &WorkerCommand,
        languages: Preprocess,
        styles: Styles,
    ) -> Self {
        let (root, packages, worker) = (root.to_owned(), packages.clone(), worker.clone());
        Self { root, packages, worker, languages: Arc::new(languages), styles: Arc::new(styles) }
    }

    /// Whether they are those of this app, these packages and this program.
    pub(crate) fn fits(&self, root: &Path, packages: &Packages, worker: &WorkerCommand) -> bool {
        self.root == root && self.packages == *packages && self.worker == *worker
    }

    pub(crate) fn of_build<'a>(&'a self, cache: &'a Cache, disk: &'a Witness, project: &Project) -> Compilers<'a> {
        let names = [Role::Css, Role::LibCss, Role::View].into_iter().flat_map(|role| project.of(role));
        let names = names.fold(Keyed::new("names"), |key, entry| key.with(&entry.path)).done();
        Compilers { compilers: self, cache, disk, names }
    }
}

impl Compilers<'_> {
    /// Compiles a script.
    pub fn script(&self, source: Source<'_>, options: &Options) -> Arc<CompiledModule> {
        let preprocessed = preprocess::is_preprocessed(source.path);
        if !preprocessed && !self.cache.remembers() {
            return Arc::new(ssbuild_script::compile(source, options));
        }
        let key = Keyed::new("script").with(source.path).with(source.text).with_value(&(source.language, options));
        if !preprocessed {
            return self.cache.get_or(key.done(), || ssbuild_script::compile(source, options));
        }
        let key = key.with(self.compilers.packages.identity()).done();
        self.cache.get(key).unwrap_or_else(|| {
            let made = Arc::new(self.compilers.languages.script(source, options));
            // Where Node.js is missing or busy today, it may not be tomorrow.
            if !has_errors(&made.diagnostics) {
                self.cache.put(key, &made);
            }
            made
        })
    }

    /// Compiles a sheet of Stylus, or of Sass by the app's own Dart Sass, to CSS.
    pub fn css(&self, path: &str, text: &str) -> ProcessedSheet {
        let key = self.preprocessing("css", path, text).done();
        self.processed(key, || self.compilers.languages.sheet(path, text))
    }

    /// Renders a page in Pug or Jade.
    pub fn page(&self, path: &str, text: &str, env: &str, client: &Map<String, Value>) -> Processed {
        let values = serde_json::to_string(client).expect("configuration values are plain data");
        let key = self.preprocessing("page", path, text).with(env).with(values).done();
        self.processed(key, || self.compilers.languages.page(path, text, env, client))
    }

    /// Renders a template in Pug or Jade.
    pub fn template(&self, path: &str, text: &str) -> Processed {
        let key = self.preprocessing("template", path, text).done();
        self.processed(key, || self.compilers.languages.template(path, text))
    }

    fn preprocessing(&self, kind: &str, path: &str, text: &str) -> Keyed {
        let key = Keyed::new(kind).with(path).with(text).with(self.compilers.root.as_os_str().as_encoded_bytes());
        key.with(self.compilers.packages.identity()).with(self.names)
    }

    fn processed<T: Made>(&self, key: Key, make: impl Fn() -> T) -> T {
        if !self.cache.remembers() {
            return make();
        }
        if let Some(known) = self.cache.record::<T>(key, self.disk) {
            return known.value.clone();
        }
        self.make_record(key, || Ok::<_, std::convert::Infallible>(make())).unwrap_or_else(|never| match never {})
    }

    /// Compiles a stylesheet. Every file that it names is noted in `public`.
    pub fn sheet(
        &self,
        sheet: &Sheet,
        options: &StyleOptions,
        urls: FromSheets<'_>,
    ) -> Result<StyleOutput, StyleError> {
        let compile = || self.compilers.styles.compile(sheet, options, &urls);
        if !self.cache.remembers() {
            return compile();
        }
        let root = options.root.as_os_str().as_encoded_bytes();
        let key = Keyed::new("sheet").with(&sheet.path).with(&sheet.text).with(root);
        let StyleOptions { root: _, form, targets, names, maps } = options;
        let key = key.with_value(&(form, targets, names, maps, &sheet.made, urls.inline_bytes)).done();
        if let Some(known) = self.cache.record::<StyleOutput>(key, self.disk)
            && known.value.urls.iter().all(|url| urls.would_say(&url.file, url.url.as_deref()))
        {
            let is_named = |url: &&StyleUrl| url.url.as_ref().is_some_and(|url| !url.starts_with("data:"));
            for url in known.value.urls.iter().filter(is_named) {
                urls.files.note(&url.file);
            }
            return Ok(known.value.clone());
        }
        self.make_record(key, compile)
    }

    /// Compiles, and remembers the result if it is sound and the files it was made of did not change meanwhile.
    fn make_record<T: Made, E>(&self, key: Key, make: impl Fn() -> Result<T, E>) -> Result<T, E> {
        for _ in 1..TRIES {
            let made = make()?;
            if has_errors(made.found()) {
                return Ok(made);
            }
            let Some(seen) = made.seen(&self.compilers.root) else { break };
            if seen.holds(self.disk) {
                self.cache.put_record(key, Record::new(seen, made.clone()));
                return Ok(made);
            }
        }
        // Nobody can say what it was made of.
        self.disk.doubt();
        make()
    }
}

fn has_errors(found: &[Diagnostic]) -> bool {
    found.iter().any(Diagnostic::is_error)
}

/// What comes of a file that may read others.
trait Made: Clone + crate::cache::Stored {
    fn found(&self) -> &[Diagnostic];
    /// The other files, with the hash of each as it was read; nothing when a hash is not known.
    fn seen(&self, root: &Path) -> Option<Seen>;
}

impl Made for Processed {
    fn found(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    fn seen(&self, root: &Path) -> Option<Seen> {
        seen(root, &self.files_hashed, &self.files_missed)
    }
}

impl Made for ProcessedSheet {
    fn found(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    fn seen(&self, root: &Path) -> Option<Seen> {
        seen(root, &self.files_hashed, &self.files_missed)
    }
}

impl Made for StyleOutput {
    fn found(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    fn seen(&self, root: &Path) -> Option<Seen> {
        seen(root, &self.files_hashed, &self.files_missed)
    }
}

fn seen(root: &Path, read: &[(String, String)], missed: &[String]) -> Option<Seen> {
    let read: Option<Vec<(PathBuf, [u8; 32])>> =
        read.iter().map(|(file, hash)| Some((root.join(file), from_hex(hash)?))).collect();
    Some(Seen::of_files(read?, missed.iter().map(|file| root.join(file))))
}
