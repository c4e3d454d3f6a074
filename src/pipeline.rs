//! The whole compiler: [`build`] is its table of contents.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use ssbuild_diagnostic::{Code, Diagnostic, Place, Report};
use ssbuild_server::{
    config::{Layer, Maps},
    manifest::{self, Api, Bundle, Manifest, Tool},
    openapi,
};

use crate::{
    build::{Build, Sealed},
    bundle::{Script, Start},
    check::against::Offered,
    config::{self, PublicVariables, Settings},
    copies::Copied,
    disk::{Disk, DiskError, Kind, Witness},
    half::Half,
    hosts, incompatible, libs, licenses,
    needs::{self, Chosen},
    output::{self, Bytes},
    pages::{OwnViews, Policy, Views, page_file, page_text, route},
    preprocess::{self, Packages},
    project::Project,
    public::PublicFiles,
    report::{Composition, budget},
    scripts::{self, Scripts},
    session::Session,
    sheets::{Sheets, Stylesheets},
    standalone::Standalone,
    style::{StyleError, WorkerCommand},
    testing,
    trees::Trees,
    types::Configured,
    unchanged,
};

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Request {
    /// The app's folder.
    pub root: PathBuf,
    /// The environment's name.
    pub env: String,
    /// What the result is for.
    pub purpose: Purpose,
    /// Whether warnings stop the build.
    pub warnings: Warnings,
    /// How stylesheets are compiled out of harm's way.
    pub style_worker: WorkerCommand,
    /// The variables that the output may depend on.
    pub variables: PublicVariables,
}

/// What warnings do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warnings {
    /// They are shown.
    Allow,
    /// They are errors.
    Deny,
}

/// What a build is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To be written to this folder and selected.
    Publish(PathBuf),
    /// To find what is wrong; nothing is written.
    Check,
    /// To see what it is made of; nothing is written.
    Measure,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was found in the app.
    pub report: Report,
    /// The build, when there were no errors and it was to be published.
    pub manifest: Option<Manifest>,
    /// What it is made of, when it was to be measured and there were no errors.
    pub composition: Option<Composition>,
    /// How many modules went into each bundle.
    pub modules: BTreeMap<String, usize>,
    /// What open pages may ask for, when that was to be checked and every script could be compiled.
    pub offered: Option<Offered>,
    /// The declarations for editors ([`crate::types::write`]), when every script could be compiled.
    pub types: Option<String>,
    /// What its pages are made of, when there is a build that was not just found to be there already.
    pub browser: Option<Browser>,
}

/// What the pages of a build are made of, for who wants to turn one build's page into another's.
#[derive(Debug)]
pub struct Browser {
    /// Client and shared modules, linked.
    pub client: Half,
    /// What the app bundle's start is told.
    pub start: Start,
    /// The views' own part.
    pub views: OwnViews,
}

/// The machine's fault: nothing that a change of the app's sources would mend.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder is not there.
    #[error("there is no folder `{}`", .0.display())]
    NoFolder(PathBuf),
    /// The output would lie among the sources.
    #[error("`{}` is part of the app's sources; give another folder with `--out`", .0.display())]
    OutAmongSources(PathBuf),
    /// The file layer.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The style worker.
    #[error(transparent)]
    Style(#[from] StyleError),
    /// A compressor gave up.
    #[error("cannot compress the assets: {0}")]
    Compress(std::io::Error),
    /// No threads to compile on.
    #[error("cannot start the compiler's threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// Compiles an app, and publishes it when that is asked for and nothing is wrong. What the session remembers is not done
/// again.
pub fn build(disk: &Arc<dyn Disk>, request: &Request, session: &Session) -> Result<Outcome, Error> {
    session.threads()?.install(|| match unchanged::find(disk, request, session) {
        Some(outcome) => Ok(outcome),
        None => build_in_pool(disk, request, session),
    })
}

/// As [`build`], and says of every build what its pages are made of, be it one that was made before.
pub fn build_for_pages(disk: &Arc<dyn Disk>, request: &Request, session: &Session) -> Result<Outcome, Error> {
    session.threads()?.install(|| build_in_pool(disk, request, session))
}

fn build_in_pool(disk: &Arc<dyn Disk>, request: &Request, session: &Session) -> Result<Outcome, Error> {
    let witness = if session.cache().remembers() { Witness::new(disk) } else { Witness::blind(disk) };
    let witness = Arc::new(witness);
    let ran = run(&witness, disk, request, session)?;
    unchanged::remember(request, session, &witness, &ran.outcome, &ran.written);
    session.cache().end_build(ran.cache_bytes);
    Ok(ran.outcome)
}

/// Reads an app's configuration as [`build`] does, with further layers above its files; also returns what was found.
pub fn configuration(
    disk: &Arc<dyn Disk>,
    request: &Request,
    session: &Session,
    above: Vec<Layer>,
) -> Result<(Settings, Report), Error> {
    if disk.kind(&request.root)? != Some(Kind::Folder) {
        return Err(Error::NoFolder(request.root.clone()));
    }
    // What is wrong with other files is not asked.
    let (project, _) = Project::scan(&**disk, &request.root)?;
    let packages = Packages::read(&**disk, &project.root)?;
    let compilers = session.compilers(&project.root, &packages, &request.style_worker);
    let witness = Witness::blind(disk);
    let compilers = compilers.of_build(session.cache(), &witness, &project);
    let compile = |source: ssbuild_script::Source<'_>, options: &_| compilers.script(source, options);
    let (env, variables) = (&request.env, &request.variables);
    let reader = config::Reader { disk, project: &project, env, variables, compile: &compile };
    let (settings, found) = session.threads()?.install(|| reader.read(above))?;
    Ok((settings, deduplicated(found)))
}

/// Links the app's own tests, those whose path holds one of `filters`; also returns what was found.
pub fn link_tests(
    disk: &Arc<dyn Disk>,
    request: &Request,
    session: &Session,
    filters: &[String],
) -> Result<(Vec<testing::Linked>, Report), Error> {
    let names = testing::find(&**disk, &request.root, filters)?;
    let (project, _) = Project::scan(&**disk, &request.root)?;
    let packages = Packages::read(&**disk, &request.root)?;
    let compilers = session.compilers(&request.root, &packages, &request.style_worker);
    let witness = Witness::blind(disk);
    let compilers = compilers.of_build(session.cache(), &witness, &project);
    let compile = |source: ssbuild_script::Source<'_>, options: &_| compilers.script(source, options);
    let node_env = testing::node_env(&request.env);
    let alone = Standalone { disk, root: &request.root, env: &request.env, node_env, compile: &compile };
    let (linked, found) = session.threads()?.install(|| testing::link(&alone, &names))?;
    Ok((linked, deduplicated(found)))
}

/// What a build came to.
struct Ran {
    outcome: Outcome,
    /// What lies in the output folder for it now.
    written: BTreeMap<PathBuf, Bytes>,
    cache_bytes: u64,
}

/// Sources are read from `witness`, and the build is written to `target`.
fn run(witness: &Arc<Witness>, target: &Arc<dyn Disk>, request: &Request, session: &Session) -> Result<Ran, Error> {
    let disk: &Arc<dyn Disk> = &(Arc::clone(witness) as _);
    if disk.kind(&request.root)? != Some(Kind::Folder) {
        return Err(Error::NoFolder(request.root.clone()));
    }
    if let Purpose::Publish(out) = &request.purpose
        && Project::is_source(&request.root, out)
    {
        return Err(Error::OutAmongSources(out.clone()));
    }
    let mut found = Vec::new();
    let project = collect(&mut found, Project::scan(&**disk, &request.root)?);
    found.extend(project.check());
    let packages = Packages::read(&**disk, &project.root)?;
    let compilers = session.compilers(&project.root, &packages, &request.style_worker);
    let compilers = compilers.of_build(session.cache(), witness, &project);
    let compile = |source: ssbuild_script::Source<'_>, options: &_| compilers.script(source, options);
    let (env, variables) = (&request.env, &request.variables);
    let reader = config::Reader { disk, project: &project, env, variables, compile: &compile };
    let settings = collect(&mut found, reader.read(Vec::new())?);
    let trees = collect(&mut found, Trees::new(&project));
    let public = Arc::new(PublicFiles::read(disk, &project)?);
    let views = collect(&mut found, Views::read(&**disk, &project, &settings, &public, &compilers)?);

    let libs = collect(&mut found, libs::find(&**disk, &project.root, &settings)?);
    let stylesheets = collect(&mut found, Stylesheets::new(&**disk, &project, &settings, &public, compilers)?);
    let import_sheet = |path: &str, text: &str| stylesheets.import(path, text);
    let templates = views.template_ids();
    let context = scripts::Context {
        disk,
        project: &project,
        settings: &settings,
        trees: &trees,
        templates: &templates,
        compile: &compile,
        libs: &libs,
        import_sheet: &import_sheet,
    };
    // Stylesheets are compiled by other processes: threads are free for scripts meanwhile.
    let (sheets, scripts) = rayon::join(|| stylesheets.entries(&libs), || context.scripts());
    let sheets = collect(&mut found, sheets?);
    let (mut scripts, more) = scripts?;
    let sound = !more.iter().any(Diagnostic::is_error);
    found.extend(more);
    let sheets = stylesheets.join(sheets, &scripts.styles)?;
    let types = match sound {
        true => {
            let (app, environments) = reader.written()?;
            Some(scripts.declared.text(&views.template_ids(), &Configured::new(&app, &environments)))
        }
        false => None,
    };
    let policy = Policy { evals: scripts.evaluates, origins: sheets.origins.clone() };
    let own = collect(&mut found, views.rehearse(&policy));
    found.extend(clashes(&public, &project, &scripts)?);

    if let Purpose::Publish(out) = &request.purpose {
        // Not of the sources: it is another one after each build.
        let before = output::selected(&**target, out)?.map(|before| before.server.engine);
        found.extend(before.and_then(|before| needs::changed(before, &scripts.engine)));
    }

    let modules = module_counts(&scripts);
    let mut report = deduplicated(found);
    let cache_bytes = u64::from(settings.config.build.cache_mib) * 1024 * 1024;
    let ran = |outcome, written| Ran { outcome, written, cache_bytes };
    if request.warnings == Warnings::Deny {
        report.deny_warnings();
    }
    let measured = request.purpose == Purpose::Measure || !settings.config.build.budget_bytes.is_empty();
    let published = matches!(request.purpose, Purpose::Publish(_));
    // What is measured is looked at again.
    let texts = if measured { Texts::Copied } else { Texts::Taken };
    let sealed = match !report.has_errors() && (measured || published) {
        true => {
            let licenses = licenses::text(&**disk, &project.root, &scripts)?;
            let unable = incompatible::read(&**disk, &project.root)?;
            Some(assemble(&public, &sheets, (&mut scripts, texts), (&settings, &own), licenses, unable, session)?)
        }
        false => None,
    };
    if let Some(sealed) = &sealed {
        report.extend(budget::check(&settings, sealed, &project.pages()));
        if request.warnings == Warnings::Deny {
            report.deny_warnings();
        }
    }
    let out = match &request.purpose {
        Purpose::Publish(out) => out,
        Purpose::Measure => {
            let composition = sealed.map(|sealed| Composition::of(&scripts, &sealed, &project));
            let outcome = Outcome { report, modules, composition, types, ..Outcome::default() };
            return Ok(ran(outcome, BTreeMap::new()));
        }
        Purpose::Check => {
            let offered = match sound {
                true => Some(offered(&**disk, &project, &settings, &trees, &public, scripts)?),
                false => None,
            };
            let outcome = Outcome { report, modules, offered, types, ..Outcome::default() };
            return Ok(ran(outcome, BTreeMap::new()));
        }
    };
    let Some(mut sealed) = sealed.filter(|_| !report.has_errors()) else {
        let outcome = Outcome { report, modules, types, ..Outcome::default() };
        return Ok(ran(outcome, BTreeMap::new()));
    };
    let app = app_name(&**disk, &project, &settings)?;
    let chunks = chunk_table(&scripts);
    let pages = views.pages(&sealed, &app, &chunks, &policy);
    for (route, page) in &pages {
        let text: Bytes = page_text(page, settings.config.build.cdn_base.as_deref()).into_bytes().into();
        let name = page_file(route);
        sealed.files.build.insert(format!("root/{name}"), Arc::clone(&text));
        sealed.files.public.insert(name, text);
    }
    let config = &settings.config;
    let cdn_base = config.build.cdn_base.as_deref();
    let mut headers = hosts::headers(&pages, &sealed, cdn_base, config.csp.enabled).into_bytes();
    // Names with `_` are no files of `public`, but for this one: what the app says itself comes last.
    let own_headers = project.root.join("public").join(hosts::HEADERS);
    if let Some(Kind::File(_)) = disk.kind(&own_headers)? {
        headers.extend(disk.read(&own_headers)?);
    }
    sealed.files.public.insert(hosts::HEADERS.to_owned(), headers.into());
    if config.build.vite_manifest {
        let vite = hosts::vite(&sealed, &project, &trees, &chunks).into_bytes();
        sealed.files.public.insert(hosts::VITE.to_owned(), vite.into());
    }
    let templates = views.template_ids();
    let keep = output::Retention { builds: config.build.keep, days: config.build.keep_days };
    let Scripts { client, start, api, engine, pages: page_scripts, server_files, packages, .. } = scripts;
    let hooks = project.hooks().into_iter().map(|(hook, _)| hook).collect();
    let beside = Beside { hooks, files: server_files.into_keys().collect(), packages };
    let described = Described { app, pages, chunks, templates, page_scripts, api, engine, beside, settings: &settings };
    let manifest = describe(&sealed, described);
    let mut openapi =
        serde_json::to_vec_pretty(&openapi::document(&manifest, &settings.config.api)).expect("plain data");
    openapi.push(b'\n');
    sealed.files.build.insert("openapi.json".to_owned(), openapi.into());
    let published = output::publish(&**target, out, &manifest, &sealed.files, keep)?;
    let browser = Some(Browser { client, start, views: own });
    let manifest = Some(published.manifest);
    let outcome = Outcome { report, manifest, modules, types, browser, ..Outcome::default() };
    Ok(ran(outcome, published.written))
}

/// What pages of this app may ask for, without building it.
fn offered(
    disk: &dyn Disk,
    project: &Project,
    settings: &Settings,
    trees: &Trees,
    public: &PublicFiles,
    scripts: Scripts,
) -> Result<Offered, DiskError> {
    Ok(Offered {
        api: scripts.api,
        places: scripts.places,
        files: trees.server.own().map(|(path, file)| (path.to_owned(), file.to_owned())).collect(),
        app: app_name(disk, project, settings)?,
        routes: project.pages().into_iter().map(route).collect(),
        served: public.public().into_iter().map(|(path, _)| format!("/{path}")).collect(),
    })
}

/// Takes the result of a stage and keeps what it found.
fn collect<T>(found: &mut Vec<Diagnostic>, (result, more): (T, Vec<Diagnostic>)) -> T {
    found.extend(more);
    result
}

/// Shared modules are compiled for both sides, and what is wrong with them is found twice.
fn deduplicated(found: Vec<Diagnostic>) -> Report {
    let report: Report = preprocess::merged(found).into_iter().collect();
    report.sorted().into_iter().cloned().collect()
}

/// Chunk id to the logical path of its asset. The script of a page can be a chunk as well.
fn chunk_table(scripts: &Scripts) -> BTreeMap<String, String> {
    let chunks = scripts.chunks.keys().map(|id| (id.clone(), chunk_path(id)));
    let pages = scripts.page_chunks.iter().map(|(id, page)| (id.clone(), format!("{page}.js")));
    chunks.chain(pages).collect()
}

fn chunk_path(id: &str) -> String {
    format!("chunks/{id}.js")
}

/// Files of `public` that would take the place of something that the build makes.
fn clashes(public: &PublicFiles, project: &Project, scripts: &Scripts) -> Result<Vec<Diagnostic>, DiskError> {
    let pages = project.pages();
    let bundles = pages.iter().chain(&["lib"]).flat_map(|name| [format!("{name}.js"), format!("{name}.css")]);
    let made: Vec<String> = bundles
        .chain(scripts.chunks.keys().map(|id| chunk_path(id)))
        .flat_map(|name| [format!("{name}.map"), name])
        .collect();
    let page_files: Vec<String> = pages.iter().map(|page| page_file(&route(page))).collect();
    let named = public.named()?.into_iter().map(|file| file.logical).filter(|name| made.contains(name));
    let shadowed = public.public().into_iter().map(|(path, _)| path).filter(|path| page_files.contains(path));
    let clash = |path: String, what: &str| {
        Diagnostic::new(Code::NameConflict, format!("`public/{path}` has the name of {what}"))
            .at(Place::file(format!("public/{path}")), "")
            .help("Rename it.")
    };
    let named = named.map(|path| clash(path, "a bundle, and is named by a stylesheet or page"));
    Ok(named.chain(shadowed.map(|path| clash(path, "a page of the app"))).collect())
}

fn module_counts(scripts: &Scripts) -> BTreeMap<String, usize> {
    let bundles = [("lib.js", &scripts.lib), ("app.js", &scripts.app), ("server.js", &scripts.server)];
    let pages = scripts.pages.iter().map(|(page, script)| (format!("{page}.js"), script.modules));
    let chunks = scripts.chunks.iter().map(|(id, script)| (chunk_path(id), script.modules));
    let chunks = chunks.chain(pages);
    bundles.into_iter().map(|(name, script)| (name.to_owned(), script.modules)).chain(chunks).collect()
}

/// Puts everything but the pages in its place.
fn assemble(
    public: &PublicFiles,
    sheets: &Sheets,
    (scripts, texts): (&mut Scripts, Texts),
    (settings, own): (&Settings, &OwnViews),
    licenses: Option<String>,
    unable: BTreeMap<String, Vec<u8>>,
    session: &Session,
) -> Result<Sealed, Error> {
    let mut build = Build::default();
    for (path, bytes) in public.public() {
        build.file(&path, bytes);
    }
    for file in public.named()? {
        build.asset(&file.logical, file.bytes);
    }
    let styles = sheets.bundles.iter().map(|(name, sheet)| {
        (format!("{name}.css"), sheet.css.clone().into_bytes(), sheet.map.clone().map(String::into_bytes))
    });
    let chunks = scripts.chunks.iter_mut().map(|(id, script)| (chunk_path(id), script));
    let bundles = [("lib.js".to_owned(), &mut scripts.lib), ("app.js".to_owned(), &mut scripts.app)];
    let pages = scripts.pages.iter_mut().map(|(page, script)| (format!("{page}.js"), script));
    let scripts_and_maps = bundles.into_iter().chain(pages).chain(chunks).map(|(name, script)| {
        let (code, map) = texts.of(script);
        (name, code, map)
    });
    for (name, code, map) in styles.chain(scripts_and_maps) {
        match (map, settings.config.build.maps) {
            (Some(map), Maps::Linked) => build.mapped_asset(&name, code, map),
            (Some(map), _) => {
                build.asset(&name, code);
                build.private(&format!("maps/{name}.map"), map);
            }
            (None, _) => build.asset(&name, code),
        }
    }
    if let Some(text) = licenses {
        build.private(licenses::FILE, text.into_bytes());
    }
    for (path, bytes) in unable {
        build.private(&format!("{INCOMPATIBLE}{path}"), bytes);
    }
    let (code, map) = texts.of(&mut scripts.server);
    build.private(SERVER_BUNDLE, code);
    if let Some(map) = map {
        build.private(SERVER_MAP, map);
    }
    for (path, bytes) in &scripts.server_files {
        build.private(&format!("server/{path}"), bytes.clone());
    }
    for package in &scripts.packages {
        for (path, bytes) in &package.files {
            build.private(&format!("server/{}/{path}", package.folder), Arc::clone(bytes));
        }
    }
    for source in &settings.sources {
        build.private(&config_path(&source.name), source.text.clone().into_bytes());
    }
    let client = serde_json::to_string(&settings.config.client).expect("a configuration is JSON");
    let views = own.fingerprint();
    let salt = [env!("CARGO_PKG_VERSION"), &settings.env, &scripts.engine.reason, views.as_str(), &client];
    build.seal(settings.config.build.compress, &salt, session.cache()).map_err(Error::Compress)
}

/// What becomes of the scripts' texts, which are large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Texts {
    Taken,
    Copied,
}

impl Texts {
    fn of(self, script: &mut Script) -> (Vec<u8>, Option<Vec<u8>>) {
        match self {
            Self::Taken => script.take(),
            Self::Copied => script.clone().take(),
        }
    }
}

/// Where the files for browsers lie that cannot run the app.
const INCOMPATIBLE: &str = "static/incompatible_browsers/";
const SERVER_BUNDLE: &str = "server/server.js";
const SERVER_MAP: &str = "maps/server.js.map";

fn config_path(name: &str) -> String {
    format!("server/config/{name}")
}

/// What lies beside the server's bundle.
struct Beside {
    hooks: Vec<manifest::Hook>,
    files: Vec<String>,
    packages: Vec<Copied>,
}

struct Described<'a> {
    app: String,
    pages: BTreeMap<String, manifest::Page>,
    chunks: BTreeMap<String, String>,
    templates: Vec<String>,
    page_scripts: BTreeMap<String, Script>,
    api: Api,
    engine: Chosen,
    beside: Beside,
    settings: &'a Settings,
}

fn describe(sealed: &Sealed, described: Described<'_>) -> Manifest {
    let Described { app, pages, chunks, templates, page_scripts, api, engine, beside, settings } = described;
    let bundle = |name: &str| {
        let there =
            |ending: &str| Some(format!("{name}.{ending}")).filter(|logical| sealed.assets.contains_key(logical));
        (name.to_owned(), Bundle { script: there("js"), style: there("css") })
    };
    let Beside { hooks, files, packages } = beside;
    let folder = format!("builds/{}/server", sealed.id);
    Manifest {
        schema: manifest::SCHEMA,
        build_id: sealed.id.clone(),
        env: settings.env.clone(),
        tool: Tool { name: "ssbuild".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        app,
        cdn_base: settings.config.build.cdn_base.clone(),
        pages,
        bundles: ["lib", "app"].into_iter().chain(page_scripts.keys().map(String::as_str)).map(bundle).collect(),
        chunks,
        assets: sealed.assets.clone(),
        files: sealed.served.clone(),
        incompatible_browsers: sealed
            .private
            .iter()
            .filter_map(|(path, file)| Some((path.strip_prefix(INCOMPATIBLE)?.to_owned(), file.clone())))
            .collect(),
        server: manifest::Server {
            engine: engine.engine,
            engine_reason: engine.reason,
            bundle: sealed.private[SERVER_BUNDLE].clone(),
            map: sealed.private.get(SERVER_MAP).cloned(),
            config: settings.sources.iter().map(|source| sealed.private[&config_path(&source.name)].clone()).collect(),
            hooks,
            files: files.iter().map(|path| sealed.private[&format!("server/{path}")].clone()).collect(),
            packages: packages.iter().map(|package| package.described(&folder)).collect(),
        },
        api,
        templates,
        client_config: settings.config.client.clone(),
    }
}

/// The app's name: as configured, else that of its package, else `app`. Not the folder's: it is no part of the app, and
/// would make the build depend on where it was checked out.
fn app_name(disk: &dyn Disk, project: &Project, settings: &Settings) -> Result<String, DiskError> {
    let package = project.root.join("package.json");
    let package_name = || -> Result<Option<String>, DiskError> {
        if !matches!(disk.kind(&package)?, Some(Kind::File(_))) {
            return Ok(None);
        }
        let value = serde_json::from_slice::<serde_json::Value>(&disk.read(&package)?).unwrap_or_default();
        Ok(value["name"].as_str().map(str::to_owned))
    };
    let name = match &settings.config.name {
        Some(name) => Some(name.clone()),
        None => package_name()?,
    };
    let reduced: String = name
        .unwrap_or_default()
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' })
        .collect();
    let reduced = reduced.trim_matches('_');
    Ok(if reduced.is_empty() { "app".to_owned() } else { reduced.to_owned() })
}
