//! The module graph: every file that some roots lead to, with its imports resolved, less what nobody uses of packages.

mod demand;
mod files;
mod forbidden;
mod interop;
mod missing;

use std::{
    collections::{HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
};

use rayon::prelude::*;
use ssbuild_diagnostic::{Code, Diagnostic, Place, Severity};
use ssbuild_script::{CompiledModule, Import, ImportKind, Language, Need, Options, Shake, Source, TypeScript, Wrap};

use crate::{
    disk::{Disk, DiskError, Kind},
    form::{Form, file_of},
    preprocess::is_preprocessed,
    progress::Progress,
    project::{Format, SOURCE_BYTES_MAX, without_bom},
    resolve::{Resolver, Side, Target},
    sheets::Imported,
    style::StyleOutput,
    zone::{Zone, relative},
};
use demand::{Demand, Want};
pub use files::{FileAsked, FileModule, ImportFile};

/// All modules that one side needs.
#[derive(Debug, Default)]
pub struct Graph {
    /// In the order in which they were found, which is the same on every machine.
    pub modules: Vec<Module>,
    by_path: HashMap<(PathBuf, Form), usize>,
}

/// A compiled entry, or a compiled file that one leads to.
#[derive(Debug)]
pub struct Module {
    /// Path from the app's folder, with `/`; the module's name in maps and findings.
    pub name: String,
    /// Where that is.
    pub zone: Zone,
    /// The source.
    pub text: Arc<str>,
    /// What became of it.
    pub compiled: Arc<CompiledModule>,
    /// What its imports come to, in their order.
    pub deps: Vec<Dep>,
    /// Of a stylesheet: what goes into the page's.
    pub style: Option<Arc<StyleOutput>>,
    /// Of a file that is no module by itself: what stands for it.
    pub file: Option<Arc<FileModule>>,
    path: PathBuf,
    form: Form,
    /// Whether its package says that nobody notices when it does not run.
    free: bool,
    /// Who led here first: a module and the number of its import.
    found_by: Option<(usize, usize)>,
}

/// What an import comes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Dep {
    /// The module at this index of the graph.
    Module(usize),
    /// A name that only the host can give.
    Host(String),
    /// Not there.
    Missing,
}

/// Compiles one script: [`ssbuild_script::compile`], or something that remembers what it returned.
pub type Compile<'a> = dyn Fn(Source<'_>, &Options) -> Arc<CompiledModule> + Sync + 'a;

/// Compiles a stylesheet that a script imports, by its path and text.
pub type ImportSheet<'a> = dyn Fn(&str, &str) -> Imported + Sync + 'a;

/// What loading needs to know.
pub struct Loader<'a> {
    /// Where files are read.
    pub disk: &'a dyn Disk,
    /// The app's folder.
    pub root: &'a Path,
    /// Who finds imports.
    pub resolver: &'a Resolver,
    /// Which side the graph is for.
    pub side: Side,
    /// How scripts are compiled.
    pub options: Options,
    /// Told of each module.
    pub progress: &'a Progress,
    /// Exports that client and shared modules are left without.
    pub without: Vec<String>,
    /// By whom.
    pub compile: &'a Compile<'a>,
    /// Who compiles stylesheets.
    pub import_sheet: &'a ImportSheet<'a>,
    /// Who makes modules of files that are none.
    pub import_file: &'a ImportFile<'a>,
}

/// Modules of which something is left out, as they were before, with what their imports come to.
type Whole = HashMap<usize, (Arc<CompiledModule>, Vec<Dep>)>;

/// So many imports are resolved by one thread before another one takes over.
const IMPORTS_AT_A_TIME: usize = 32;

/// What a module of nothing is called.
const EMPTY: &str = "(empty)";

impl Module {
    /// A module that is no file of the app: its imports are already known.
    pub fn embedded(name: &str, text: &str, compiled: Arc<CompiledModule>, deps: Vec<Dep>) -> Self {
        let (name, text, path) = (name.to_owned(), Arc::from(text), PathBuf::from(name));
        let (zone, form) = (Zone::Elsewhere, Form::Module);
        Self { name, zone, text, compiled, deps, style: None, file: None, path, form, free: false, found_by: None }
    }

    /// Whether it stands for a module that is not there.
    pub fn is_nothing(&self) -> bool {
        self.name == EMPTY
    }

    /// Whether it is what its file exports, and not something else that is to be had of a file.
    pub fn is_own(&self) -> bool {
        self.form == Form::Module
    }

    fn language(&self) -> Language {
        let language = language(&self.path).filter(|_| self.is_own());
        language.unwrap_or(Language::JavaScript)
    }

    fn asked(&self, side: Side) -> FileAsked<'_> {
        FileAsked { name: file_of(&self.name), path: &self.path, form: self.form, side }
    }

    /// Where it is on the disk, every link resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Loader<'_> {
    /// Loads all that `roots` (absolute, links resolved) lead to.
    pub fn load(&self, roots: &[PathBuf]) -> Result<(Graph, Vec<Diagnostic>), DiskError> {
        loop {
            let (graph, found) = self.follow(roots)?;
            // A package that is there twice is loaded anew, once; what was compiled is remembered.
            if !self.resolver.join_twins(|path| graph.find(path).is_some()) {
                return Ok((graph, found));
            }
        }
    }

    /// Follows the imports of `roots` in waves until nothing new is wanted.
    fn follow(&self, roots: &[PathBuf]) -> Result<(Graph, Vec<Diagnostic>), DiskError> {
        let mut graph = Graph::default();
        let mut found = Vec::new();
        let mut demand = Demand::default();
        for path in roots {
            demand.want(graph.at(self, path.clone(), Form::Module), Want::All);
        }
        loop {
            let wave = demand.settle(&graph);
            if wave.is_empty() {
                break;
            }
            let loaded = self.load_wave(&graph, &wave, &demand)?;
            for (at, loaded) in wave.into_iter().zip(loaded) {
                found.extend(loaded.compiled.diagnostics.iter().cloned());
                found.extend(loaded.found);
                let deps = loaded.targets.into_iter().map(|target| graph.dep(self, target)).collect();
                let module = &mut graph.modules[at];
                (module.text, module.compiled, module.deps) = (loaded.text, loaded.compiled, deps);
                (module.style, module.file) = (loaded.style, loaded.file);
                demand.read(&graph, at);
            }
        }
        found.extend(self.shake(&mut graph, &demand));
        self.see_as_node(&mut graph)?;
        let roots: Vec<usize> = roots.iter().map(|path| graph.by_path[&(path.clone(), Form::Module)]).collect();
        let graph = graph.reached(&roots);
        found.extend(graph.forbidden(self.side));
        Ok((graph, found))
    }

    /// Compiles again what is not kept whole, and cuts the ways to what is not kept at all. Between the two it is seen
    /// which names are imported in vain.
    fn shake(&self, graph: &mut Graph, demand: &Demand) -> Vec<Diagnostic> {
        let kept: Vec<(usize, Options)> = (0..graph.modules.len())
            .filter(|&at| demand.is_live(at))
            .filter_map(|at| Some((at, self.options(&graph.modules[at], Shake::Keep(demand.keep(graph, at)?)))))
            .collect();
        let compiled: Vec<(usize, Arc<CompiledModule>)> = kept
            .par_iter()
            .map(|(at, options)| {
                let module = &graph.modules[*at];
                let language = module.language();
                (*at, (self.compile)(Source { path: &module.name, text: &module.text, language }, options))
            })
            .collect();
        let mut whole = Whole::with_capacity(compiled.len());
        for (at, compiled) in compiled {
            let module = &mut graph.modules[at];
            let before: HashMap<(&str, ImportKind), &Dep> = (module.compiled.imports.iter().zip(&module.deps))
                .map(|(import, dep)| ((import.specifier.as_str(), import.kind), dep))
                .collect();
            let dep = |import: &Import| before.get(&(import.specifier.as_str(), import.kind)).copied();
            let deps = compiled.imports.iter().map(|import| dep(import).cloned().unwrap_or(Dep::Missing)).collect();
            let before = (std::mem::replace(&mut module.compiled, compiled), std::mem::replace(&mut module.deps, deps));
            whole.insert(at, before);
        }
        let found = missing::names(graph, &whole, |at| demand.is_live(at));
        let dead: Vec<bool> = (0..graph.modules.len()).map(|at| !demand.is_live(at)).collect();
        if !dead.contains(&true) {
            return found;
        }
        let nothing = graph.at(self, PathBuf::from(EMPTY), Form::Module);
        graph.modules[nothing].compiled = empty();
        for module in &mut graph.modules {
            for dep in &mut module.deps {
                if matches!(dep, Dep::Module(to) if dead.get(*to) == Some(&true)) {
                    *dep = Dep::Module(nothing);
                }
            }
        }
        found
    }

    fn load_wave(&self, graph: &Graph, wave: &[usize], demand: &Demand) -> Result<Vec<Loaded>, DiskError> {
        let sources: Vec<Result<Arc<str>, Diagnostic>> =
            wave.par_iter().map(|&at| self.read(&graph.modules[at])).collect::<Result<_, _>>()?;
        self.progress.expect(wave.len());
        // The largest first, taken one by one, so that no thread is left alone with a large one at the end.
        let mut queue: Vec<usize> = (0..wave.len()).collect();
        queue.sort_by_key(|&n| std::cmp::Reverse(sources[n].as_ref().map_or(0, |text| text.len())));
        let mut loaded: Vec<(usize, Loaded)> = queue
            .into_iter()
            .par_bridge()
            .map(|n| {
                let loaded = self.compile_one(&graph.modules[wave[n]], sources[n].as_ref(), demand.is_partial(wave[n]));
                self.progress.step();
                Ok((n, loaded?))
            })
            .collect::<Result<_, DiskError>>()?;
        loaded.sort_by_key(|(n, _)| *n);
        Ok(loaded.into_iter().map(|(_, loaded)| loaded).collect())
    }

    fn read(&self, module: &Module) -> Result<Result<Arc<str>, Diagnostic>, DiskError> {
        if module.is_nothing() || !module.is_own() {
            return Ok(Ok("".into()));
        }
        let unreadable = |what: &str| {
            Diagnostic::new(Code::FileUnreadable, format!("`{}` {what}", module.name)).at(Place::file(&module.name), "")
        };
        if let Some(Kind::File(bytes)) = self.disk.kind(&module.path)?
            && bytes > SOURCE_BYTES_MAX
        {
            return Ok(Err(unreadable(&format!("has {bytes} bytes; at most {SOURCE_BYTES_MAX} are read"))));
        }
        let text = String::from_utf8(self.disk.read(&module.path)?);
        let text = text.map_err(|_| unreadable("is not UTF-8"));
        Ok(text.map(|text| without_bom(&text).into()))
    }

    fn compile_one(
        &self,
        module: &Module,
        text: Result<&Arc<str>, &Diagnostic>,
        partial: bool,
    ) -> Result<Loaded, DiskError> {
        let text = match text {
            Ok(text) => text,
            Err(diagnostic) => {
                let compiled = CompiledModule { diagnostics: vec![diagnostic.clone()], ..CompiledModule::default() };
                return Ok(Loaded { compiled: Arc::new(compiled), ..Loaded::default() });
            }
        };
        if module.is_nothing() {
            return Ok(Loaded { compiled: empty(), ..Loaded::default() });
        }
        let mut loaded = Loaded::default();
        let imported = (is_sheet(&module.path) && module.is_own()).then(|| (self.import_sheet)(&module.name, text));
        if let Some(imported) = &imported {
            loaded.found.extend(imported.output.diagnostics.iter().cloned());
            loaded.style = Some(Arc::clone(&imported.output));
        }
        let file = match module.is_own() {
            true => None,
            false => Some(Arc::new((self.import_file)(module.asked(self.side))?)),
        };
        let text: Arc<str> = match (&imported, &file) {
            (Some(imported), _) => imported.module.as_str().into(),
            (None, Some(file)) => file.source.as_str().into(),
            (None, None) => Arc::clone(text),
        };
        loaded.found.extend(file.iter().flat_map(|file| file.found.iter().cloned()));
        loaded.file = file;
        let language = module.language();
        // The app's own files are roots, and packages that are used whole stay whole.
        let shaken = partial && !module.zone.is_own() && (module.free || module.zone == Zone::Package);
        let options = if shaken { self.options(module, Shake::Tell) } else { self.alone(module) };
        let compiled = (self.compile)(Source { path: &module.name, text: &text, language }, &options);
        loaded.text = text;
        let targets = self.resolve(module, &compiled.imports);
        for (import, target) in compiled.imports.iter().zip(targets) {
            loaded.targets.push(self.classify(module, import, target, &mut loaded.found));
        }
        loaded.compiled = compiled;
        Ok(loaded)
    }

    /// How a module would be compiled again if nothing but its text were another: what depends on others is left out.
    pub(crate) fn again(&self, module: &Module) -> Option<(Language, Options)> {
        let CompiledModule { joint, parts, diagnostics, .. } = &*module.compiled;
        let depends = !module.is_own() || joint.is_some() || parts.is_some() || !diagnostics.is_empty();
        let is_plain = module.zone != Zone::Package && !module.free && module.style.is_none() && !module.is_nothing();
        if depends || !is_plain || is_preprocessed(&module.name) {
            return None;
        }
        let options = self.alone(module);
        Some((language(&module.path)?, options))
    }

    /// Options of a module of which nothing is left out because nobody uses it.
    fn alone(&self, module: &Module) -> Options {
        let shake = match module.zone {
            Zone::Client | Zone::Shared if !self.without.is_empty() => Shake::Without(self.without.clone()),
            _ => Shake::No,
        };
        let read_actions = module.zone == Zone::Server && self.side == Side::Server && module.is_own();
        Options { read_actions, ..self.options(module, shake) }
    }

    /// What imports come to, in their order.
    fn resolve(&self, module: &Module, imports: &[Import]) -> Vec<Target> {
        let find = |specifier: &str, kind| self.resolver.resolve(&module.path, specifier, kind, self.side);
        let resolve = |import: &Import| {
            let is_beside = matches!(import.kind, ImportKind::Url | ImportKind::Worker);
            if is_beside && !import.specifier.starts_with('.') {
                // It is a URL: first a file beside the module, then one of a package.
                let beside = find(&format!("./{}", import.specifier), import.kind);
                if matches!(beside, Target::File(_)) {
                    return beside;
                }
            }
            find(&import.specifier, import.kind)
        };
        // A module that imports hundreds is read while there is nothing else to do yet.
        imports.par_iter().with_min_len(IMPORTS_AT_A_TIME).map(resolve).collect()
    }

    fn options(&self, module: &Module, shake: Shake) -> Options {
        let typescript = match module.zone {
            Zone::Package => TypeScript::default(),
            _ => self.resolver.typescript().clone(),
        };
        let mut options = Options { shake, typescript, wrap: self.wrap(module), ..self.options.clone() };
        if module.zone == Zone::Package && self.side == Side::Client {
            // What packages ask of an environment is not there; the app's own code is told so.
            options.defines.push(("process.env.*".to_owned(), "undefined".to_owned()));
        }
        options
    }

    /// The app's own modules are functions of their own, whatever becomes of packages.
    fn wrap(&self, module: &Module) -> Wrap {
        match (self.options.wrap, module.zone) {
            (Wrap::Joined, Zone::Package) => Wrap::Joined,
            (Wrap::Joined, _) => Wrap::Module,
            (wrap, _) => wrap,
        }
    }

    /// Whether a file lies outside of the app's folder and in no package.
    fn leaves_the_app(&self, path: &Path) -> bool {
        let name = relative(self.root, path);
        name.starts_with("../") && Zone::of(&name) != Zone::Package
    }

    /// Keeps what can be linked; the rest becomes a finding.
    fn classify(&self, module: &Module, import: &Import, target: Target, found: &mut Vec<Diagnostic>) -> Loading {
        match target {
            Target::Missing(_) | Target::Empty | Target::Builtin(_) if import.kind == ImportKind::Url => {
                let place = import.place.clone();
                found.extend((module.zone != Zone::Package).then(|| absent(&import.specifier, place)));
                Loading::File(PathBuf::from(&import.specifier), Form::Absent)
            }
            Target::Empty => Loading::Empty,
            // On the client the finding needs the chain, which is known when the graph is whole.
            Target::Builtin(name) => Loading::Host(name),
            Target::File(path) if is_sheet(&path) && self.leaves_the_app(&path) => {
                let name = relative(self.root, &path);
                let place = if is_sheet(&module.path) { Place::file(&module.name) } else { import.place.clone() };
                let message = format!("`{}` is `{name}`, which is outside of the app", import.specifier);
                found.push(
                    Diagnostic::new(Code::UrlEscapes, message)
                        .at(place, "")
                        .help("Copy the stylesheet into the app, or make a package of it."),
                );
                Loading::Missing
            }
            Target::File(path) if self.side == Side::Server && path.extension().is_some_and(|e| e == "node") => {
                Loading::Host(import.specifier.clone())
            }
            Target::File(path) => {
                if let Some(form) = Form::of(&import.specifier, &path, import.kind) {
                    return Loading::File(path, form);
                }
                let name = relative(self.root, &path);
                let message = format!("`{name}` is no script and cannot be imported");
                let found_here = Diagnostic::new(Code::LanguageUnsupported, message).at(import.place.clone(), "");
                found.push(found_here.help(instead_of_importing(&path)));
                Loading::Missing
            }
            Target::Missing(reason) => {
                let message = format!("cannot find `{}`: {reason}", import.specifier);
                let mut diagnostic = Diagnostic::new(Code::ImportUnresolved, message).at(import.place.clone(), "");
                let bare = !import.specifier.starts_with(['.', '/']);
                if module.zone == Zone::Package && (import.kind == ImportKind::Require || import.need == Need::Tried) {
                    // Packages try for optional companions; where one is needed after all, using it throws.
                    diagnostic.severity = Severity::Note;
                } else if import.need == Need::Tried {
                    diagnostic.severity = Severity::Warning;
                    diagnostic =
                        diagnostic.help("It fails where it is caught. Install the package, or remove the import.");
                } else if bare {
                    diagnostic = diagnostic.help("Install the package, or begin a path of the app with `./` or `/`.");
                }
                found.push(diagnostic);
                Loading::Missing
            }
        }
    }
}

/// The language of a script or of JSON; nothing for other files.
fn language(path: &Path) -> Option<Language> {
    Format::of(&path.to_string_lossy()).language()
}

/// Whether a script that imports it gets its names, and the page its styles.
fn is_sheet(path: &Path) -> bool {
    Format::of(&path.to_string_lossy()).is_sheet()
}

/// A finding about a file that a module names by its place, and that is not there.
fn absent(specifier: &str, place: Place) -> Diagnostic {
    let message = format!("`{specifier}` names no file");
    let found = Diagnostic::new(Code::UrlUnresolved, message).at(place, "is told nothing but this name");
    Diagnostic { severity: Severity::Warning, ..found }
        .help("Name a file by its path from this one. What lies in `public` is named by its path there: `'/logo.png'`.")
}

/// What to do with a file that is no script.
fn instead_of_importing(path: &Path) -> &'static str {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    match ending.as_str() {
        "vue" | "svelte" | "astro" | "marko" | "riot" => {
            "Components in languages of their own are compiled beforehand, by their own tools, to JavaScript; or write them in JavaScript, with a render function."
        }
        "html" | "htm" | "md" | "mdx" | "pug" | "jade" | "hbs" | "ejs" => {
            "Put a template into a folder of `app/views`, where it becomes one of `SS.templates`; or import its text with `?raw` behind the name, or its address with `?url`."
        }
        _ => "Write `?url` behind its name for the address of the file, or `?raw` for its text.",
    }
}

/// What stands for a module that is not there.
fn empty() -> Arc<CompiledModule> {
    Arc::new(CompiledModule { code: "function(){}".to_owned(), ..CompiledModule::default() })
}

#[derive(Default)]
struct Loaded {
    file: Option<Arc<FileModule>>,
    text: Arc<str>,
    compiled: Arc<CompiledModule>,
    targets: Vec<Loading>,
    found: Vec<Diagnostic>,
    style: Option<Arc<StyleOutput>>,
}

enum Loading {
    File(PathBuf, Form),
    Empty,
    Host(String),
    Missing,
}

impl Graph {
    /// The module at an absolute path.
    pub fn find(&self, path: &Path) -> Option<usize> {
        self.by_path.get(&(path.to_path_buf(), Form::Module)).copied()
    }

    /// Leaves modules to the host, which knows them by the names that `host_name` gives: nothing imports them any more.
    pub fn hand_over(&mut self, host_name: impl Fn(&Module) -> Option<String>) {
        let names: Vec<Option<String>> = self.modules.iter().map(host_name).collect();
        for (at, module) in self.modules.iter_mut().enumerate() {
            if names[at].is_some() {
                module.deps.fill(Dep::Missing);
                continue;
            }
            for dep in &mut module.deps {
                if let Dep::Module(to) = dep
                    && let Some(name) = &names[*to]
                {
                    *dep = Dep::Host(name.clone());
                }
            }
        }
    }

    /// The module at a path, added when it is new.
    fn at(&mut self, loader: &Loader<'_>, path: PathBuf, form: Form) -> usize {
        let key = (path, form);
        if let Some(&at) = self.by_path.get(&key) {
            return at;
        }
        let path = key.0.clone();
        let at = self.modules.len();
        let name = match form {
            _ if path == Path::new(EMPTY) => EMPTY.to_owned(),
            Form::Absent => format!("{}{}", path.display(), form.suffix(&path)),
            form => format!("{}{}", relative(loader.root, &path), form.suffix(&path)),
        };
        let zone = Zone::of(&name);
        // A page notices when a stylesheet is not there.
        let is_free = || !zone.is_own() && !is_sheet(&path) && loader.resolver.is_free(&path);
        let free = if form == Form::Module { is_free() } else { form != Form::Wasm };
        self.by_path.insert(key, at);
        let (text, compiled, deps) = (Arc::from(""), Arc::default(), Vec::new());
        let (style, file, found_by) = (None, None, None);
        self.modules.push(Module { name, zone, text, compiled, deps, style, file, path, form, free, found_by });
        at
    }

    fn dep(&mut self, loader: &Loader<'_>, target: Loading) -> Dep {
        match target {
            Loading::Missing => Dep::Missing,
            Loading::Host(name) => Dep::Host(name),
            Loading::Empty => Dep::Module(self.at(loader, PathBuf::from(EMPTY), Form::Module)),
            Loading::File(path, form) => Dep::Module(self.at(loader, path, form)),
        }
    }

    /// The modules that roots lead to, in the order in which they were found, each with who led there first.
    fn reached(self, roots: &[usize]) -> Self {
        let mut found_by: Vec<Option<Option<(usize, usize)>>> = vec![None; self.modules.len()];
        let mut queue: VecDeque<usize> = roots.iter().copied().collect();
        roots.iter().for_each(|&root| found_by[root] = Some(None));
        while let Some(at) = queue.pop_front() {
            for (import, dep) in self.modules[at].deps.iter().enumerate() {
                if let Dep::Module(to) = dep
                    && found_by[*to].is_none()
                {
                    found_by[*to] = Some(Some((at, import)));
                    queue.push_back(*to);
                }
            }
        }
        let mut place = vec![usize::MAX; self.modules.len()];
        let mut next = 0..;
        for (at, _) in found_by.iter().enumerate().filter(|(_, found)| found.is_some()) {
            place[at] = next.next().expect("the range has no end");
        }
        let modules = self.modules.into_iter().zip(found_by).filter_map(|(module, found)| {
            let found_by = found?.map(|(by, import)| (place[by], import));
            let deps = module.deps.into_iter().map(|dep| match dep {
                Dep::Module(to) => Dep::Module(place[to]),
                dep => dep,
            });
            Some(Module { deps: deps.collect(), found_by, ..module })
        });
        let modules: Vec<Module> = modules.collect();
        let by_path = modules.iter().enumerate().map(|(at, module)| ((module.path.clone(), module.form), at)).collect();
        Self { modules, by_path }
    }
}
