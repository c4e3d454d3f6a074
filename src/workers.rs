//! Programs that run beside a page: each one script of its own, without the trees.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ssbuild_diagnostic::{Code, Diagnostic};

use crate::{
    asset::{Fingerprint, fingerprinted},
    bundle::{Script, Start, Writer},
    disk::DiskError,
    graph::{Graph, Loader, Module},
    link::{Chunking, Roots, link},
    public::url_path,
    runtime_client::Evaluation,
    zone::relative,
};

/// What stands behind the `#` of its address is the host of the assets.
const BASE: &str = "__ss.parts.base=decodeURI(location.hash.slice(1));\n";

/// A program, compiled.
#[derive(Debug)]
pub struct Worker {
    /// Its logical path among the assets.
    pub logical: String,
    /// The script.
    pub script: Script,
    /// Its first module.
    pub path: PathBuf,
    /// What went into it.
    pub graph: Graph,
    /// What was found.
    pub found: Vec<Diagnostic>,
}

impl Worker {
    /// Compiles and links what `path` leads to. `runtime` gives the loader's own script.
    pub fn load(
        loader: &Loader<'_>,
        path: &Path,
        runtime: impl FnOnce(Evaluation) -> Module,
    ) -> Result<Self, DiskError> {
        let (graph, mut found) = loader.load(&[path.to_path_buf()])?;
        let root = graph.find(path).expect("the root is in the graph");
        let (linked, mistakes) = link(&graph, &Roots { all: vec![root], ..Roots::default() }, Chunking::None);
        found.extend(mistakes);
        found.extend(graph.modules.iter().flat_map(without_framework));
        let name = relative(loader.root, path);
        let logical = logical(&name);
        let mut writer = Writer::new(loader.options.source_map);
        writer.plain(&runtime(Evaluation::of(&linked)));
        writer.text(BASE);
        writer.define(&graph, &linked.main, &linked);
        writer.start(&Start { trees: Vec::new(), order: vec![i64::from(linked.ids[root])] });
        let file = logical.rsplit('/').next().expect("a path has a last part");
        let script = writer.finish(file);
        Ok(Self { logical, script, path: path.to_path_buf(), graph, found })
    }

    /// Its path below `assets`, as it stands in a URL.
    pub fn address(&self) -> String {
        url_path(&fingerprinted(&self.logical, &Fingerprint::of(self.script.code.as_bytes())))
    }
}

/// All programs of a build, by their first module.
#[derive(Debug, Default)]
pub struct Workers(Mutex<BTreeMap<PathBuf, Arc<Worker>>>);

impl Workers {
    /// The one that begins with the module at `path`.
    pub fn get_or(
        &self,
        path: &Path,
        load: impl FnOnce() -> Result<Worker, DiskError>,
    ) -> Result<Arc<Worker>, DiskError> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = known().get(path) {
            return Ok(Arc::clone(worker));
        }
        // Two threads may load the same: they get the same.
        let worker = Arc::new(load()?);
        Ok(Arc::clone(known().entry(path.to_path_buf()).or_insert(worker)))
    }
}

/// The programs that the modules of a graph start, and those that these start.
pub fn started(graph: &Graph) -> BTreeMap<PathBuf, Arc<Worker>> {
    let mut all = BTreeMap::new();
    let of = |graph: &Graph| -> Vec<Arc<Worker>> {
        graph.modules.iter().filter_map(|module| module.file.as_ref()?.worker.clone()).collect()
    };
    let mut stack = of(graph);
    while let Some(worker) = stack.pop() {
        if !all.contains_key(&worker.path) {
            stack.extend(of(&worker.graph));
            all.insert(worker.path.clone(), worker);
        }
    }
    all
}

/// `app/client/sum.ts` → `workers/app/client/sum.ts.js`.
fn logical(name: &str) -> String {
    let name = name.replace("../", "_/");
    let ending = if name.ends_with(".js") { "" } else { ".js" };
    format!("workers/{name}{ending}")
}

/// A worker has no connection and no trees.
fn without_framework(module: &Module) -> Option<Diagnostic> {
    let compiled = &module.compiled;
    let references = compiled.references.iter().map(|reference| &reference.place);
    let place = references.chain(compiled.members.iter().map(|member| &member.place)).next()?;
    Some(
        Diagnostic::new(Code::ImportForbidden, "a worker has no `SS`")
            .at(place.clone(), "runs beside the page, not in it")
            .help("Let the page call the server and tell the worker with `postMessage`."),
    )
}
