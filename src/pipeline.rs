//! The whole compiler: [`build`] is its table of contents.

mod assembly;
mod clashes;
mod compiled;
mod description;
mod name;
mod outcome;
mod request;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustc_hash::FxHashMap;
use ssbuild_diagnostic::{Diagnostic, Report};
use ssbuild_server::{
    config::{Layer, Maps},
    manifest::Manifest,
};

use self::{assembly::Texts, clashes::clashes, compiled::Compiled};
pub use self::{
    outcome::{Browser, Error, Outcome},
    request::{Purpose, Request, Warnings},
};
use crate::{
    config::{self, Settings},
    disk::{Disk, Kind, Seen, Witness},
    imported::Imports,
    kept::{Kept, Patched, Patching, Text, Which},
    libs, needs, output,
    pages::{Policy, Views},
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
    unchanged::{self, Before, Near},
    workers::Workers,
};

/// Compiles an app, and publishes it when that is asked for and nothing is wrong. What the session remembers is not done
/// again.
pub fn build(disk: &Arc<dyn Disk>, request: &Request, session: &Session) -> Result<Outcome, Error> {
    session.threads()?.install(|| {
        let before = unchanged::find(disk, request, session);
        session.timings().phase("look for an equal build");
        match before {
            Before::Equal(outcome) => Ok(*outcome),
            Before::Near(near) => build_in_pool(disk, request, session, Some(*near), Keep::Scripts),
            Before::Unlike => build_in_pool(disk, request, session, None, Keep::Scripts),
        }
    })
}

/// As [`build`], and says of every build what its pages are made of, be it one that was made before.
pub fn build_for_pages(disk: &Arc<dyn Disk>, request: &Request, session: &Session) -> Result<Outcome, Error> {
    session.threads()?.install(|| build_in_pool(disk, request, session, None, Keep::Outcome))
}

/// What of a build is for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// What came of it.
    Outcome,
    /// What its scripts are made of, too.
    Scripts,
}

fn build_in_pool(
    disk: &Arc<dyn Disk>,
    request: &Request,
    session: &Session,
    near: Option<Near>,
    keep: Keep,
) -> Result<Outcome, Error> {
    let witness = if session.cache().remembers() { Witness::new(disk) } else { Witness::blind(disk) };
    let witness = Arc::new(witness);
    let ran = run(&witness, disk, request, session, near, keep)?;
    unchanged::remember(request, session, (&witness, ran.near), &ran.outcome, (ran.written, ran.kept));
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
    /// Files in the output folder, with the checksum of each.
    written: Vec<(PathBuf, u128)>,
    kept: Option<Kept>,
    /// What a build before saw, when not all of it was asked again.
    near: Option<Seen>,
    cache_bytes: u64,
}

/// Sources are read from `witness`, and the build is written to `target`.
fn run(
    witness: &Arc<Witness>,
    target: &Arc<dyn Disk>,
    request: &Request,
    session: &Session,
    near: Option<Near>,
    keep: Keep,
) -> Result<Ran, Error> {
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
    let inline_bytes = settings.config.css.inline_bytes;
    let imports = Imports { disk: &**disk, public: &public, inline_bytes, import_sheet: &import_sheet };
    let workers = Workers::default();
    let context = scripts::Context {
        disk,
        project: &project,
        settings: &settings,
        trees: &trees,
        templates: &templates,
        compile: &compile,
        libs: &libs,
        import_sheet: &import_sheet,
        imports: &imports,
        workers: &workers,
        timings,
        progress: session.progress(),
        keeps: keep == Keep::Scripts && can_keep(request, session, &settings),
    };
    let mut near_seen = None;
    let make_scripts = || {
        if let (Some(Near { changed, kept, seen }), Purpose::Publish(out)) = (near, &request.purpose) {
            let patching = Patching { disk: &**disk, target: &**target, out, import_sheet: &import_sheet };
            if let Some(Patched { scripts, found, held }) = patching.patch(kept, &changed) {
                near_seen = Some(seen);
                timings.phase("exchange modules");
                return Ok((scripts, found, Some(held)));
            }
        }
        context.scripts().map(|(scripts, found)| (scripts, found, None))
    };
    // Stylesheets are compiled by other processes: threads are free for scripts meanwhile.
    let (sheets, scripts) = rayon::join(|| stylesheets.entries(&libs), make_scripts);
    let sheets = collect(&mut found, sheets?);
    let (mut scripts, more, mut held) = scripts?;
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
    let policy = Policy {
        evals: scripts.evaluates,
        wasm: scripts.wasm.clone(),
        blobs: scripts.blobs.clone(),
        origins: sheets.origins.clone(),
    };
    let own = collect(&mut found, views.rehearse(&policy));
    found.extend(clashes(&public, &project, &scripts)?);

    if let Purpose::Publish(out) = &request.purpose {
        // Not of the sources: it is another one after each build.
        let before = output::selected(&**target, out)?.map(|before| before.server.engine);
        found.extend(before.and_then(|before| needs::changed(before, &scripts.engine)));
    }

    let cache_bytes = u64::from(settings.config.build.cache_mib) * 1024 * 1024;
    let app = Compiled {
        disk,
        project: &project,
        settings: &settings,
        trees: &trees,
        public: &public,
        views: &views,
        sheets: &sheets,
        policy: &policy,
        own: &own,
    };
    let mut report = deduplicated(found);
    if request.warnings == Warnings::Deny {
        report.deny_warnings();
    }
    let measured = request.purpose == Purpose::Measure || !settings.config.build.budget_bytes.is_empty();
    let published = matches!(request.purpose, Purpose::Publish(_));
    // What is measured is looked at again.
    let texts = if measured { Texts::Copied } else { Texts::Taken };
    timings.phase("check views and names");
    let sealed = match !report.has_errors() && (measured || published) {
        true => Some(app.seal(&mut scripts, texts, session)?),
        false => None,
    };
    timings.phase("hash and compress");
    if let Some(sealed) = &sealed {
        report.extend(budget::check(&settings, sealed, &project.pages()));
        if request.warnings == Warnings::Deny {
            report.deny_warnings();
        }
    }

    let whole = !report.has_errors();
    let mut outcome = Outcome { report, modules: module_counts(&scripts), types, ..Outcome::default() };
    let (mut written, mut kept) = (Vec::new(), None);
    match (&request.purpose, sealed) {
        (Purpose::Measure, Some(sealed)) => outcome.composition = Some(Composition::of(&scripts, &sealed, &project)),
        (Purpose::Check, _) if sound => outcome.offered = Some(app.offered(scripts)?),
        (Purpose::Publish(out), Some(mut sealed)) if whole => {
            let manifest = app.complete(&mut sealed, &scripts)?;
            timings.phase("make pages and the manifest");
            let build = &settings.config.build;
            let keep = output::Retention { builds: build.keep, days: build.keep_days };
            let published = match held.take() {
                Some(held) => held.publish(&manifest, &sealed.files, keep)?,
                None => output::publish(&**target, out, &manifest, &sealed.files, keep)?,
            };
            timings.phase("publish");
            let linked = scripts.linked.take();
            outcome.browser = linked.map(|(client, start)| Browser { client, start, views: own });
            kept = scripts.exchangeable.take().and_then(|exchangeable| {
                let sums: FxHashMap<&Path, u128> =
                    published.written.iter().map(|(path, sum)| (path.as_path(), *sum)).collect();
                Kept::of(scripts, exchangeable, |which, text| {
                    let path = out.join(lies(&published.manifest, which, text)?);
                    Some((path.clone(), *sums.get(path.as_path())?))
                })
            });
            outcome.manifest = Some(published.manifest);
            written = published.written;
        }
        _ => {}
    }
    if let Some(held) = held {
        held.leave();
    }
    Ok(Ran { outcome, written, kept, near: near_seen, cache_bytes })
}

/// Whether the next build can exchange modules in what this one writes.
fn can_keep(request: &Request, session: &Session, settings: &Settings) -> bool {
    let build = &settings.config.build;
    matches!(request.purpose, Purpose::Publish(_))
        && session.cache().outlasts()
        // There a module's code also depends on its text.
        && settings.env != "development"
        && build.maps != Maps::Linked
        && build.budget_bytes.is_empty()
}

/// Where a script's text lies in the output folder.
fn lies(manifest: &Manifest, which: &Which, text: Text) -> Option<String> {
    let logical = which.logical();
    Some(match (which, text) {
        (_, Text::Map) => format!("builds/{}/maps/{logical}.map", manifest.build_id),
        (Which::Server, Text::Code) => manifest.server.bundle.file.clone(),
        (_, Text::Code) => manifest.assets.get(&logical)?.file.clone(),
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

fn module_counts(scripts: &Scripts) -> BTreeMap<String, usize> {
    let bundles = [("lib.js", &scripts.lib), ("app.js", &scripts.app), ("server.js", &scripts.server)];
    let pages = scripts.pages.iter().map(|(page, script)| (format!("{page}.js"), script.modules));
    let chunks = scripts.chunks.iter().map(|(id, script)| (chunk_path(id), script.modules));
    let chunks = chunks.chain(pages);
    bundles.into_iter().map(|(name, script)| (name.to_owned(), script.modules)).chain(chunks).collect()
}

pub(crate) fn chunk_path(id: &str) -> String {
    format!("chunks/{id}.js")
}
