//! The app's scripts: compiled, linked and written as bundles, for both sides.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use rayon::{join, prelude::*};
use serde::{Deserialize, Serialize};
use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_script::{CompiledModule, Options, Source, Wrap};
use ssbuild_server::{
    config::{CspEval, Maps, Minify},
    manifest::{Api, EngineKind, Hook},
};

use crate::{
    bundle::{Script, Start, Writer},
    check::{environment, unused},
    config::Settings,
    copies::{self, Copied},
    defines,
    disk::{Disk, DiskError},
    form::file_of,
    graph::{Compile, FileAsked, FileModule, Graph, ImportFile, ImportSheet, Loader, Module},
    half::Half,
    imported::Imports,
    kept::{Again, Exchangeable},
    libs::Lib,
    needs::{self, Chosen},
    progress::Progress,
    project::{Entry, Format, Project, Role},
    resolve::{Resolver, Side},
    runtime_client::{self, Evaluation},
    style::StyleOutput,
    timings::Timings,
    trees::Trees,
    types::Declared,
    workers::{self, Worker, Workers},
};

/// All scripts of a build.
#[derive(Debug, Serialize, Deserialize)]
pub struct Scripts {
    /// The loader, the runtime client and `lib/client`.
    pub lib: Script,
    /// Client and shared modules.
    pub app: Script,
    /// Name of each further page to the script that is in that page only.
    pub pages: BTreeMap<String, Script>,
    /// Chunk id to what it loads.
    pub chunks: BTreeMap<String, Script>,
    /// Id of each chunk that is the script of a page, and is imported as well, to the page's name.
    pub page_chunks: BTreeMap<String, String>,
    /// Server, shared and `lib/server` modules.
    pub server: Script,
    /// The trees, for the manifest.
    pub api: Api,
    /// Where each action's function stands, by its path.
    #[serde(skip)]
    pub places: BTreeMap<String, Place>,
    /// What the trees look like to TypeScript.
    pub declared: Declared,
    /// Files of the app that lie beside its server code, by their path below the app.
    #[serde(skip)]
    pub server_files: BTreeMap<String, Vec<u8>>,
    /// Packages that are copied.
    #[serde(skip)]
    pub packages: Vec<Copied>,
    /// Which engine the server code needs, and why.
    pub engine: Chosen,
    /// Whether a script of the browser evaluates text as code.
    pub evaluates: bool,
    /// Pages whose scripts compile WebAssembly; `app` is part of all.
    pub wasm: BTreeSet<String>,
    /// The same of those that start workers of scripts that they make themselves.
    pub blobs: BTreeSet<String>,
    /// Name of each page to the stylesheets that its scripts import, in the order of evaluation.
    #[serde(skip)]
    pub styles: BTreeMap<String, Vec<Arc<StyleOutput>>>,
    /// Programs that run beside the pages.
    #[serde(skip)]
    pub workers: Vec<Arc<Worker>>,
    /// The modules of `app`, `pages` and `chunks`, and what `app` tells the loader at its end, where they were linked.
    #[serde(skip)]
    pub linked: Option<(Half, Start)>,
    /// What the next build can exchange in them, if it is to be able to.
    #[serde(skip)]
    pub(crate) exchangeable: Option<Exchangeable>,
}

/// Exports that are for hot swaps.
const HOT: [&str; 2] = ["dispose", "hot"];

/// A half, and which of its modules can be compiled again alone, when that is asked.
type Looked = (Half, Option<Vec<Again>>);

/// A file of `lib/client`, and whether it stays as it is.
type Library = (Module, bool);

/// What compiling scripts needs to know.
pub struct Context<'a> {
    /// Where files are read.
    pub disk: &'a Arc<dyn Disk>,
    /// The app.
    pub project: &'a Project,
    /// Its configuration.
    pub settings: &'a Settings,
    /// Its trees.
    pub trees: &'a Trees,
    /// Ids of the templates.
    pub templates: &'a [String],
    /// The compiler of single scripts.
    pub compile: &'a Compile<'a>,
    /// Files of packages that come before `lib/client`.
    pub libs: &'a [Lib],
    /// The compiler of stylesheets that scripts import.
    pub import_sheet: &'a ImportSheet<'a>,
    /// Who makes modules of files that are none.
    pub imports: &'a Imports<'a>,
    /// Programs that were met.
    pub workers: &'a Workers,
    /// The build's stopwatch.
    pub timings: &'a Timings,
    /// Told of each module.
    pub progress: &'a Progress,
    /// Whether the next build will want to exchange modules in them.
    pub keeps: bool,
}

impl Context<'_> {
    /// Compiles everything. With errors among the findings the scripts are not to be used.
    pub fn scripts(&self) -> Result<(Scripts, Vec<Diagnostic>), DiskError> {
        let server_paths = self.server_paths();
        let resolver = Resolver::new(self.disk, &self.project.root, &self.settings.env, &server_paths);
        let server_roles = [Role::Shared, Role::Server, Role::LibServer];
        // Libraries are few and large: begun last, one of them would keep one thread busy and the others idle.
        let ((runtime, libs), (client, server)) = join(
            || join(|| self.runtime(self.runtime_entries(), Evaluation::AtOnce), || self.libs()),
            || {
                join(
                    || self.half(&resolver, Side::Client, &[Role::Shared, Role::Client], |_, _| Ok(())),
                    || {
                        let (mut engine, mut packages) = (None, Vec::new());
                        let half = self.half(&resolver, Side::Server, &server_roles, |graph, found| {
                            let chosen = needs::choose(graph, self.settings.config.build.engine, found);
                            if chosen.engine == EngineKind::Node {
                                packages = copies::take_out(&**self.disk, &self.project.root, graph, found)?;
                            }
                            engine = Some(chosen);
                            Ok(())
                        });
                        half.map(|half| (half, engine.expect("a graph that was linked was prepared"), packages))
                    },
                )
            },
        );
        self.timings.phase("compile and link scripts");
        let mut found: Vec<Diagnostic> = resolver.problem().cloned().into_iter().collect();
        let ((client, client_again), more) = client?;
        let runtime = match Evaluation::of(&client.linked) {
            Evaluation::AtOnce => runtime,
            Evaluation::Waiting => self.runtime(self.runtime_entries(), Evaluation::Waiting),
        };
        found.extend(more);
        let (((server, server_again), more), engine, packages) = server?;
        found.extend(more);
        let again = client_again.zip(server_again).map(<[Vec<Again>; 2]>::from);
        let (libs, more) = libs?;
        found.extend(more);
        found.extend(runtime.compiled.diagnostics.iter().cloned());

        let (api, named) = self.trees.api(&client, &server);
        found.extend(named);
        found.extend(self.trees.check(&api, &client, &server, self.templates));
        found.extend(environment::check(&client.graph));
        let workers: Vec<Arc<Worker>> = workers::started(&client.graph).into_values().collect();
        let modules = client.graph.modules.iter().chain(&server.graph.modules);
        let modules = modules.chain(workers.iter().flat_map(|worker| &worker.graph.modules));
        let modules: Vec<&Module> = modules.collect();
        let linked: HashSet<&str> = modules.iter().map(|module| file_of(&module.name)).collect();
        modules
            .iter()
            .filter_map(|module| module.file.as_ref()?.served.as_ref())
            .for_each(|file| self.imports.public.note(file));
        found.extend(unused::check(self.project, |file| linked.contains(file)));
        found.extend(self.trees.check_order(&client));
        let modules = client.graph.modules.iter().chain(libs.iter().map(|(module, _)| module));
        // The first place of each file says enough.
        let evals: Vec<&Place> = modules.filter_map(|module| module.compiled.evals.first()).collect();
        found.extend(evals.iter().map(|place| self.eval_finding(place)));

        self.timings.phase("check scripts against each other");
        let start = self.app_start(&client, &api);
        let (app, (lib, server_script)) = join(
            || self.app_bundle(&client, &start),
            || join(|| self.lib_bundle(&runtime, &libs), || self.server_bundle(&server)),
        );
        let mut scripts = Scripts {
            lib,
            app,
            pages: self.page_bundles(&client),
            chunks: self.chunks(&client),
            page_chunks: self.page_chunks(&client),
            server: server_script,
            places: self.trees.places(&server),
            declared: Declared::new(self.trees, &client, &server),
            server_files: self.server_files(&server)?,
            packages,
            api,
            engine,
            evaluates: !evals.is_empty(),
            wasm: self.pages_with(&client, &libs, |compiled| compiled.wasm.is_some()),
            blobs: self.pages_with(&client, &libs, |compiled| compiled.blob_worker.is_some()),
            styles: self.styles(&client),
            workers,
            linked: None,
            exchangeable: None,
        };
        if let Some([client_again, server_again]) = again {
            let again = [client_again.as_slice(), server_again.as_slice()];
            scripts.exchangeable = Exchangeable::of(&scripts, [&client, &server], again, &found);
        }
        scripts.linked = Some((client, start));
        self.timings.phase("write bundles");
        Ok((scripts, found))
    }

    /// Folders in which server code finds modules by bare name.
    fn server_paths(&self) -> Vec<String> {
        let mut paths = vec!["lib/server".to_owned()];
        for entry in self.project.of(Role::LibServer).filter(|entry| entry.path.starts_with("vendor/")) {
            let folder = entry.path[..entry.path.len() - entry.below_role().len() - 1].to_owned();
            if paths.last() != Some(&folder) {
                paths.push(folder);
            }
        }
        paths
    }

    fn half(
        &self,
        resolver: &Resolver,
        side: Side,
        roles: &[Role],
        prepare: impl FnOnce(&mut Graph, &mut Vec<Diagnostic>) -> Result<(), DiskError>,
    ) -> Result<(Looked, Vec<Diagnostic>), DiskError> {
        let mut entries: Vec<&Entry> = roles.iter().flat_map(|&role| self.project.scripts(role)).collect();
        if side == Side::Server {
            entries.extend(self.project.hooks().into_iter().map(|(_, entry)| entry));
        }
        let import_file = |asked: FileAsked<'_>| self.import_file(resolver, asked, &[]);
        let loader = self.loader(resolver, side, &import_file);
        let (half, found) =
            Half::load(&loader, &entries, self.trees.client.file("app"), &self.page_entries(), prepare)?;
        let again = self.keeps.then(|| Again::all(&loader, &half.graph));
        Ok(((half, again), found))
    }

    fn loader<'b>(&'b self, resolver: &'b Resolver, side: Side, import_file: &'b ImportFile<'b>) -> Loader<'b> {
        Loader {
            disk: &**self.disk,
            root: &self.project.root,
            resolver,
            side,
            options: Options { wrap: self.wrap(side), ..self.options(side) },
            progress: self.progress,
            // Nothing is swapped where nobody works on the app.
            without: if self.develops() { Vec::new() } else { HOT.map(str::to_owned).to_vec() },
            compile: self.compile,
            import_sheet: self.import_sheet,
            import_file,
        }
    }

    /// The module that stands for a file; `open` are the programs that are being compiled, of which the last asks.
    fn import_file(&self, resolver: &Resolver, asked: FileAsked<'_>, open: &[&Path]) -> Result<FileModule, DiskError> {
        if !asked.form.is_worker() {
            return self.imports.module(asked);
        }
        if open.contains(&asked.path) {
            return Ok(FileModule::of_open_worker(asked, &self.project.root, open));
        }
        let worker = self.workers.get_or(asked.path, || {
            let open: Vec<&Path> = open.iter().copied().chain([asked.path]).collect();
            let import_file = |asked: FileAsked<'_>| self.import_file(resolver, asked, &open);
            let loader = self.loader(resolver, Side::Client, &import_file);
            Worker::load(&loader, asked.path, |evaluation| self.runtime(&[], evaluation))
        })?;
        Ok(FileModule::of_worker(asked.form, worker))
    }

    fn options(&self, side: Side) -> Options {
        Options {
            wrap: Wrap::Module,
            // Stacks in the server's log name what people wrote; nobody downloads that code.
            minify: if side == Side::Server { ssbuild_script::Minify::Off } else { self.minify() },
            source_map: self.with_maps(),
            read_actions: false,
            defines: defines::of(self.settings, side),
            typescript: ssbuild_script::TypeScript::default(),
            shake: ssbuild_script::Shake::No,
            side: match side {
                Side::Client => ssbuild_script::Side::Browser,
                Side::Server => ssbuild_script::Side::Server,
            },
            depth_limit: ssbuild_script::DEPTH_LIMIT,
        }
    }

    /// Modules of packages are joined where bytes count. Where modules are swapped one by one, each is a function of its own.
    fn wrap(&self, side: Side) -> Wrap {
        let is_joined = side == Side::Client && !self.develops() && self.minify() == ssbuild_script::Minify::Fast;
        if is_joined { Wrap::Joined } else { Wrap::Module }
    }

    fn minify(&self) -> ssbuild_script::Minify {
        match self.settings.config.build.minify {
            Minify::Off => ssbuild_script::Minify::Off,
            Minify::Fast => ssbuild_script::Minify::Fast,
            Minify::Max => ssbuild_script::Minify::Max,
        }
    }

    fn with_maps(&self) -> bool {
        self.settings.config.build.maps != Maps::Off
    }

    /// The files of `lib/client`, and whether each stays as it is.
    fn libs(&self) -> Result<(Vec<Library>, Vec<Diagnostic>), DiskError> {
        let named = self.libs.iter().filter(|lib| lib.format().language().is_some());
        let named = named.map(|lib| (lib.name.as_str(), lib.path.clone(), lib.format()));
        let entries = self.project.of(Role::LibClient).filter(|entry| entry.is_script());
        let own = entries.map(|entry| (entry.path.as_str(), self.project.root.join(&entry.path), entry.format));
        let files: Vec<(&str, PathBuf, Format)> = named.chain(own).collect();
        let libs: Vec<Result<Library, Diagnostic>> = files
            .par_iter()
            .map(|(name, path, format)| self.lib(name, path, *format))
            .collect::<Result<_, DiskError>>()?;
        let (mut modules, mut found) = (Vec::new(), Vec::new());
        for lib in libs {
            match lib {
                Ok((module, kept)) => {
                    found.extend(module.compiled.diagnostics.iter().cloned());
                    modules.push((module, kept));
                }
                Err(diagnostic) => found.push(diagnostic),
            }
        }
        Ok((modules, found))
    }

    fn lib(&self, name: &str, path: &Path, format: Format) -> Result<Result<Library, Diagnostic>, DiskError> {
        let kept = name.contains(".min.") && format != Format::Coffee;
        let Ok(text) = String::from_utf8(self.disk.read(path)?) else {
            let message = format!("`{name}` is not UTF-8");
            return Ok(Err(Diagnostic::new(Code::FileUnreadable, message).at(Place::file(name), "")));
        };
        let language = format.language().expect("only scripts are asked for");
        // What stays as it is must still be read: the page's policy depends on whether it evaluates text.
        let minify = if kept { ssbuild_script::Minify::Off } else { self.minify() };
        let options =
            Options { wrap: Wrap::Plain, minify, source_map: !kept && self.with_maps(), ..self.options(Side::Client) };
        let compiled = (self.compile)(Source { path: name, text: &text, language }, &options);
        Ok(Ok((Module::embedded(name, &text, compiled, Vec::new()), kept)))
    }

    fn runtime(&self, entries: &[&str], evaluation: Evaluation) -> Module {
        runtime_client::compile(&self.options(Side::Client), self.compile, entries, evaluation)
    }

    /// What of the runtime client is started in a page.
    fn runtime_entries(&self) -> &'static [&'static str] {
        if self.develops() { runtime_client::DEVELOPING } else { runtime_client::DEPLOYED }
    }

    fn lib_bundle(&self, runtime: &Module, libs: &[Library]) -> Script {
        let mut writer = Writer::new(self.with_maps());
        writer.plain(runtime);
        for (module, kept) in libs {
            if *kept {
                writer.unmapped(&module.name, &module.text);
            } else {
                writer.plain(module);
            }
        }
        writer.finish("lib.js")
    }

    /// For modules of the browser.
    fn client_writer(&self) -> Writer {
        let writer = Writer::new(self.with_maps());
        if self.develops() { writer.scoped() } else { writer }
    }

    fn develops(&self) -> bool {
        self.settings.env == "development"
    }

    fn app_bundle(&self, half: &Half, start: &Start) -> Script {
        let mut writer = self.client_writer();
        writer.define(&half.graph, &half.linked.main, &half.linked);
        writer.start(start);
        writer.finish("app.js")
    }

    fn app_start(&self, half: &Half, api: &Api) -> Start {
        let params = |action: &ssbuild_server::manifest::Action| {
            if action.rest {
                -1
            } else {
                i64::try_from(action.params.len()).expect("fewer parameters than 64 bits count")
            }
        };
        let server = api.server.iter().map(|(path, action)| (path.clone(), params(action))).collect();
        Start {
            trees: vec![
                ("shared", half.tree(&self.trees.shared)),
                ("client", half.tree(&self.trees.client)),
                ("server", server),
            ],
            order: half.order(),
        }
    }

    /// The stylesheets that the scripts of each page import. What is loaded on demand finds its styles in the page already.
    fn styles(&self, half: &Half) -> BTreeMap<String, Vec<Arc<StyleOutput>>> {
        let of = |modules: &[usize]| -> Vec<Arc<StyleOutput>> {
            modules.iter().filter_map(|&module| half.graph.modules[module].style.clone()).collect()
        };
        let mut styles = BTreeMap::from([("app".to_owned(), of(&half.linked.main))]);
        let pages = self.project.pages().into_iter().filter(|page| *page != "app");
        let entries: BTreeMap<usize, &str> =
            pages.filter_map(|page| Some((half.index(self.trees.client.file(page)?)?, page))).collect();
        for chunk in &half.linked.chunks {
            let page = entries.get(&chunk.target).copied().unwrap_or("app");
            styles.entry(page.to_owned()).or_default().extend(of(&chunk.modules));
        }
        styles
    }

    /// On which pages there is such a module. What is loaded on demand may be on any.
    fn pages_with(&self, half: &Half, libs: &[Library], is: impl Fn(&CompiledModule) -> bool) -> BTreeSet<String> {
        let compiles = |at: usize| is(&half.graph.modules[at].compiled);
        let of_pages: BTreeMap<usize, &str> = (self.project.pages().into_iter())
            .filter_map(|page| Some((half.index(self.trees.client.file(page)?)?, page)))
            .collect();
        let chunks = half.linked.chunks.iter().filter(|chunk| chunk.modules.iter().any(|&at| compiles(at)));
        let chunks = chunks.map(|chunk| of_pages.get(&chunk.target).copied().unwrap_or("app"));
        let everywhere =
            half.linked.main.iter().any(|&at| compiles(at)) || libs.iter().any(|(module, _)| is(&module.compiled));
        chunks.chain(everywhere.then_some("app")).map(str::to_owned).collect()
    }

    /// Entries of the pages beside `app`.
    fn page_entries(&self) -> Vec<&str> {
        let pages = self.project.pages().into_iter().filter(|page| *page != "app");
        pages.filter_map(|page| self.trees.client.file(page)).collect()
    }

    fn page_bundles(&self, half: &Half) -> BTreeMap<String, Script> {
        let mut bundles = BTreeMap::new();
        for page in self.project.pages().into_iter().filter(|page| *page != "app") {
            let Some(entry) = self.trees.client.file(page).and_then(|file| half.index(file)) else { continue };
            let mut writer = self.client_writer();
            if let Some(chunk) = half.linked.chunks.iter().find(|chunk| chunk.target == entry) {
                writer.define(&half.graph, &chunk.modules, &half.linked);
            }
            writer.start(&Start { trees: Vec::new(), order: vec![half.id(entry)] });
            bundles.insert(page.to_owned(), writer.finish(&format!("{page}.js")));
        }
        bundles
    }

    fn page_chunks(&self, half: &Half) -> BTreeMap<String, String> {
        let pages = self.project.pages().into_iter().filter(|page| *page != "app");
        let chunk = |page: &str| {
            let entry = half.index(self.trees.client.file(page)?)?;
            let chunk = half.linked.chunks.iter().find(|chunk| chunk.target == entry && chunk.on_demand)?;
            Some((chunk.id.clone(), page.to_owned()))
        };
        pages.filter_map(chunk).collect()
    }

    fn chunks(&self, half: &Half) -> BTreeMap<String, Script> {
        let pages: Vec<usize> = self.page_entries().into_iter().filter_map(|file| half.index(file)).collect();
        let write = |chunk: &crate::link::Chunk| {
            let mut writer = self.client_writer();
            writer.define(&half.graph, &chunk.modules, &half.linked);
            (chunk.id.clone(), writer.finish(&format!("{}.js", chunk.id)))
        };
        half.linked.chunks.iter().filter(|chunk| !pages.contains(&chunk.target)).map(write).collect()
    }

    fn server_bundle(&self, half: &Half) -> Script {
        let mut writer = Writer::new(self.with_maps());
        writer.define(&half.graph, &half.linked.main, &half.linked);
        let mut named = BTreeMap::new();
        for entry in self.project.scripts(Role::LibServer) {
            let Some(at) = half.index(&entry.path) else { continue };
            let name = entry.tree_path();
            // `require("auth")` finds `auth/index.js` too.
            for name in std::iter::once(name).chain(name.strip_suffix("/index")) {
                named.entry(name.to_owned()).or_insert_with(|| half.id(at));
            }
        }
        let mut trees = vec![
            ("server", half.tree(&self.trees.server)),
            ("shared", half.tree(&self.trees.shared)),
            ("named", named),
        ];
        let hooks = self.project.hooks().into_iter().filter_map(|(hook, entry)| {
            let name = match hook {
                Hook::Db => "db",
                Hook::Events => "events",
                Hook::Http => "http",
            };
            Some((name.to_owned(), half.id(half.index(&entry.path)?)))
        });
        trees.push(("config", hooks.collect()));
        let asking = self.asking(half).map(|at| (half.graph.modules[at].name.clone(), half.id(at)));
        trees.push(("files", asking.collect()));
        trees.retain(|(name, tree): &(_, BTreeMap<_, _>)| !matches!(*name, "files" | "config") || !tree.is_empty());
        writer.start(&Start { trees, order: half.order() });
        writer.finish("server.js")
    }

    /// The app's own modules that ask where they lie.
    fn asking(&self, half: &Half) -> impl Iterator<Item = usize> {
        let asks = |at: &usize| {
            let module = &half.graph.modules[*at];
            let names = ["__dirname", "__filename", "import.meta.dirname", "import.meta.filename", "import.meta.url"];
            module.zone.is_own() && module.compiled.globals.iter().any(|global| names.contains(&global.name.as_str()))
        };
        half.linked.main.iter().copied().filter(asks)
    }

    /// What lies beside server code that asks where it lies: it means to read it.
    fn server_files(&self, half: &Half) -> Result<BTreeMap<String, Vec<u8>>, DiskError> {
        if self.asking(half).next().is_none() {
            return Ok(BTreeMap::new());
        }
        let beside = [Role::Server, Role::LibServer].into_iter().flat_map(|role| self.project.of(role));
        let data = beside.filter(|entry| !entry.is_script());
        data.map(|entry| Ok((entry.path.clone(), self.disk.read(&self.project.root.join(&entry.path))?))).collect()
    }

    fn eval_finding(&self, place: &Place) -> Diagnostic {
        let message = format!("`{}` evaluates text as code, so the page's policy allows 'unsafe-eval'", place.file);
        let mut found = Diagnostic::new(Code::CspEval, message).at(place.clone(), "");
        if self.settings.config.csp.eval == CspEval::Deny {
            found.severity = ssbuild_diagnostic::Severity::Error;
        }
        found.help("Replace it, or accept it; `csp.eval = \"deny\"` makes this an error.")
    }
}
