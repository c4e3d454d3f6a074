//! One module and all that it imports, in a bundle of their own: a configuration that is a program, or a file of tests.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_script::{Options, Wrap};

use crate::{
    bundle::{Script, Start, Writer},
    disk::{Disk, DiskError},
    graph::{Compile, FileModule, Graph, Loader},
    link::{Chunking, Roots, link},
    progress::Progress,
    resolve::{Resolver, Side},
    sheets::Imported,
};

/// What it takes to compile one.
pub(crate) struct Standalone<'a> {
    /// Where files are read.
    pub(crate) disk: &'a Arc<dyn Disk>,
    /// The app's folder.
    pub(crate) root: &'a Path,
    /// The environment.
    pub(crate) env: &'a str,
    /// What `process.env.NODE_ENV` is.
    pub(crate) node_env: &'a str,
    /// Who compiles.
    pub(crate) compile: &'a Compile<'a>,
}

/// A module and what it leads to, compiled.
pub(crate) struct Loaded {
    pub(crate) graph: Graph,
    path: PathBuf,
}

impl Standalone<'_> {
    /// Compiles a file of the app and what it imports; nothing when it is not there.
    pub(crate) fn load(&self, file: &str) -> Result<Option<(Loaded, Vec<Diagnostic>)>, DiskError> {
        let resolver = Resolver::new(self.disk, self.root, self.env, &[]);
        let Some(path) = resolver.real(&self.root.join(file)) else { return Ok(None) };
        let loader = Loader {
            disk: &**self.disk,
            root: self.root,
            resolver: &resolver,
            side: Side::Server,
            options: self.options(),
            progress: &Progress::default(),
            without: Vec::new(),
            compile: self.compile,
            import_sheet: &|path, _| Imported::refused(path),
            import_file: &|asked| FileModule::alone(&**self.disk, asked),
        };
        let (graph, mut found) = loader.load(std::slice::from_ref(&path))?;
        found.extend(graph.modules.iter().filter_map(|module| Some(cannot_wait(module.compiled.awaits.as_ref()?))));
        Ok(Some((Loaded { graph, path }, found)))
    }

    fn options(&self) -> Options {
        Options {
            wrap: Wrap::Module,
            minify: ssbuild_script::Minify::Off,
            source_map: true,
            read_actions: false,
            defines: vec![("process.env.NODE_ENV".to_owned(), format!("\"{}\"", self.node_env))],
            typescript: ssbuild_script::TypeScript::default(),
            shake: ssbuild_script::Shake::No,
            // It runs in neither, and nothing has to be noted.
            side: ssbuild_script::Side::Browser,
            depth_limit: ssbuild_script::DEPTH_LIMIT,
        }
    }
}

impl Loaded {
    /// The index of the module itself.
    pub(crate) fn module(&self) -> usize {
        self.graph.find(&self.path).expect("the root is in the graph")
    }

    /// Links everything into a bundle, whose start names the module `name` of the tree `tree`.
    pub(crate) fn bundle(&self, file: &str, tree: &'static str, name: &str) -> (Script, Vec<Diagnostic>) {
        let module = self.module();
        let (linked, cycles) = link(&self.graph, &Roots { all: vec![module], ..Roots::default() }, Chunking::None);
        let mut writer = Writer::new(true);
        writer.define(&self.graph, &linked.main, &linked);
        let names = BTreeMap::from([(name.to_owned(), i64::from(linked.ids[module]))]);
        writer.start(&Start { trees: vec![(tree, names)], order: Vec::new() });
        (writer.finish(file), cycles)
    }
}

/// It is evaluated at once.
fn cannot_wait(place: &Place) -> Diagnostic {
    Diagnostic::new(Code::TopLevelAwait, "what runs without a page cannot wait at its top level")
        .at(place.clone(), "outside of every function")
        .help("Wait inside an async function, or export the promise and let its users wait.")
}
