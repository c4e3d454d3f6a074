//! The whole compiler: [`build`] is its table of contents.

mod assembly;
mod clashes;
mod description;
mod name;
mod outcome;
mod request;

use std::{collections::BTreeMap, sync::Arc};

use ssbuild_diagnostic::{Diagnostic, Report};
use ssbuild_server::{config::Layer, openapi};

use self::{
    assembly::{Parts, Texts, assemble},
    clashes::clashes,
    description::{Beside, Described, describe},
    name::app_name,
};
pub use self::{
    outcome::{Browser, Error, Outcome},
    request::{Purpose, Request, Warnings},
};
use crate::{
    check::against::Offered,
    config::{self, Settings},
    disk::{Disk, DiskError, Kind, Witness},
    hosts, incompatible, libs, licenses, needs,
    output::{self, Bytes},
    pages::{Policy, Views, page_file, page_text, route},
    preprocess::{self, Packages},
    project::Project,
    public::PublicFiles,
    report::{Composition, budget},
    scripts::{self, Scripts},
    session::Session,
    sheets::Stylesheets,
    standalone::Standalone,
    testing,
    trees::Trees,
    types::Configured,
    unchanged::{self, Written},
};

/// Compiles an app, and publishes it when that is asked for and nothing is wrong. What the session remembers is not done
/// again.
pub fn build(disk: &Arc<dyn Disk>, request: &Request, session: &Session) -> Result<Outcome, Error> {
    session.threads()?.install(|| {
        let known = unchanged::find(disk, request, session);
        session.timings().phase("look for an equal build");
        known.map_or_else(|| build_in_pool(disk, request, session), Ok)
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
    session.timings().phase("remember the build");
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
    written: Written,
    cache_bytes: u64,
}

/// Sources are read from `witness`, and the build is written to `target`.
fn run(witness: &Arc<Witness>, target: &Arc<dyn Disk>, request: &Request, session: &Session) -> Result<Ran, Error> {
    let disk: &Arc<dyn Disk> = &(Arc::clone(witness) as _);
    let timings = session.timings();
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
    timings.phase("scan the folder");
    let compilers = session.compilers(&project.root, &packages, &request.style_worker);
    let compilers = compilers.of_build(session.cache(), witness, &project);
    let compile = |source: ssbuild_script::Source<'_>, options: &_| {
        timings.work("compile a script", || compilers.script(source, options))
    };
    let (env, variables) = (&request.env, &request.variables);
    let reader = config::Reader { disk, project: &project, env, variables, compile: &compile };
    let settings = collect(&mut found, reader.read(Vec::new())?);
    timings.phase("read the configuration");
    let trees = collect(&mut found, Trees::new(&project));
    let public = Arc::new(PublicFiles::read(disk, &project)?);
    let views = collect(&mut found, Views::read(&**disk, &project, &settings, &public, &compilers)?);

    let libs = collect(&mut found, libs::find(&**disk, &project.root, &settings)?);
    let stylesheets = collect(&mut found, Stylesheets::new(&**disk, &project, &settings, &public, compilers)?);
    let import_sheet = |path: &str, text: &str| stylesheets.import(path, text);
    let templates = views.template_ids();
    timings.phase("read public, views and libraries");
    let context = scripts::Context {
        disk,
        project: &project,
        settings: &settings,
        trees: &trees,
        templates: &templates,
        compile: &compile,
        libs: &libs,
        import_sheet: &import_sheet,
        timings,
        progress: session.progress(),
    };
    // Stylesheets are compiled by other processes: threads are free for scripts meanwhile.
    let (sheets, scripts) = rayon::join(|| stylesheets.entries(&libs), || context.scripts());
    let sheets = collect(&mut found, sheets?);
    let (mut scripts, more) = scripts?;
    let sound = !more.iter().any(Diagnostic::is_error);
    found.extend(more);
    let sheets = stylesheets.join(sheets, &scripts.styles)?;
    timings.phase("wait for stylesheets");
    let types = match sound {
        true => {
            let (app, environments) = reader.written()?;
            Some(scripts.declared.text(&views.template_ids(), &Configured::new(&app, &environments)))
        }
        false => None,
    };
    timings.phase("write the types");
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
    timings.phase("check views and names");
    let sealed = match !report.has_errors() && (measured || published) {
        true => {
            let licenses = licenses::text(&**disk, &project.root, &scripts, &sheets)?;
            let unable = incompatible::read(&**disk, &project.root)?;
            let (public, sheets, scripts, settings, own) = (&public, &sheets, &mut scripts, &settings, &own);
            let parts = Parts { public, sheets, scripts, texts, settings, own, licenses, unable };
            Some(assemble(parts, session)?)
        }
        false => None,
    };
    timings.phase("hash and compress");
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
            return Ok(ran(outcome, Written::default()));
        }
        Purpose::Check => {
            let offered = match sound {
                true => Some(offered(&**disk, &project, &settings, &trees, &public, scripts)?),
                false => None,
            };
            let outcome = Outcome { report, modules, offered, types, ..Outcome::default() };
            return Ok(ran(outcome, Written::default()));
        }
    };
    let Some(mut sealed) = sealed.filter(|_| !report.has_errors()) else {
        let outcome = Outcome { report, modules, types, ..Outcome::default() };
        return Ok(ran(outcome, Written::default()));
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
    timings.phase("make pages and the manifest");
    let published = output::publish(&**target, out, &manifest, &sealed.files, keep)?;
    timings.phase("publish");
    let browser = Some(Browser { client, start, views: own });
    let written = Written { files: published.written, private: sealed.private };
    let manifest = Some(published.manifest);
    let outcome = Outcome { report, manifest, modules, types, browser, ..Outcome::default() };
    Ok(ran(outcome, written))
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

fn module_counts(scripts: &Scripts) -> BTreeMap<String, usize> {
    let bundles = [("lib.js", &scripts.lib), ("app.js", &scripts.app), ("server.js", &scripts.server)];
    let pages = scripts.pages.iter().map(|(page, script)| (format!("{page}.js"), script.modules));
    let chunks = scripts.chunks.iter().map(|(id, script)| (chunk_path(id), script.modules));
    let chunks = chunks.chain(pages);
    bundles.into_iter().map(|(name, script)| (name.to_owned(), script.modules)).chain(chunks).collect()
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
