//! One half of an app, the browser's or the server's: its modules, linked, and where the app's own files are among them.

use std::{collections::BTreeMap, path::PathBuf};

use ssbuild_diagnostic::Diagnostic;

use crate::{
    api_tree::ApiTree,
    disk::DiskError,
    graph::{Graph, Loader, Module},
    link::{Chunking, Linked, Roots, link},
    project::Entry,
    resolve::Side,
    workers,
};

/// One side's modules, linked.
#[derive(Debug)]
pub struct Half {
    /// All modules.
    pub graph: Graph,
    /// Their numbers and order.
    pub linked: Linked,
    /// Index of each entry of the app, by its path. A link is where it leads.
    entries: BTreeMap<String, usize>,
}

impl Half {
    /// Compiles and links what `entries`, in the order of the trees, lead to; `first` is the entry that is no chunk, `apart`
    /// are those that belong to one page each. `prepare` sees the graph before it is linked.
    pub fn load(
        loader: &Loader<'_>,
        entries: &[&Entry],
        first: Option<&str>,
        apart: &[&str],
        prepare: impl FnOnce(&mut Graph, &mut Vec<Diagnostic>) -> Result<(), DiskError>,
    ) -> Result<(Self, Vec<Diagnostic>), DiskError> {
        let real = |entry: &Entry| loader.resolver.real(&loader.root.join(&entry.path));
        let mut paths: Vec<(&Entry, PathBuf)> =
            entries.iter().filter_map(|entry| Some((*entry, real(entry)?))).collect();
        let load =
            |paths: &[(&Entry, PathBuf)]| loader.load(&paths.iter().map(|(_, path)| path.clone()).collect::<Vec<_>>());
        let (mut graph, mut found) = load(&paths)?;
        // What runs beside the page is not in its trees.
        let workers = workers::started(&graph);
        if paths.iter().any(|(_, path)| workers.contains_key(path)) {
            paths.retain(|(_, path)| !workers.contains_key(path));
            (graph, found) = load(&paths)?;
        }
        prepare(&mut graph, &mut found)?;
        let at = |path: &PathBuf| graph.find(path).expect("every root is in the graph");
        let all: Vec<usize> = paths.iter().map(|(_, path)| at(path)).collect();
        let entries: BTreeMap<String, usize> =
            paths.iter().map(|(entry, path)| (entry.path.clone(), at(path))).collect();
        let entry = |file: &&str| entries.get(*file).copied();
        let first = first.as_ref().and_then(entry);
        let roots = Roots { all, first, apart: apart.iter().filter_map(entry).collect() };
        let chunking = if loader.side == Side::Client { Chunking::OnDemand } else { Chunking::None };
        let (linked, cycles) = link(&graph, &roots, chunking);
        found.extend(cycles);
        Ok((Self { graph, linked, entries }, found))
    }

    /// The index of an entry of the app.
    pub fn index(&self, file: &str) -> Option<usize> {
        self.entries.get(file).copied()
    }

    /// The module of an entry of the app.
    pub fn module(&self, file: &str) -> Option<&Module> {
        self.index(file).map(|at| &self.graph.modules[at])
    }

    /// The number of a module in the code.
    pub fn id(&self, module: usize) -> i64 {
        i64::from(self.linked.ids[module])
    }

    /// A tree as a bundle's start is told it: path to number.
    pub fn tree(&self, tree: &ApiTree) -> BTreeMap<String, i64> {
        tree.own().filter_map(|(path, file)| Some((path.to_owned(), self.id(self.index(file)?)))).collect()
    }

    /// Numbers in the order of evaluation.
    pub fn order(&self) -> Vec<i64> {
        self.linked.starts.iter().map(|&module| self.id(module)).collect()
    }
}
