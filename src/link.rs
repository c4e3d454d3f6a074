//! Linking: which module has which number, what is evaluated in which order, and what goes into a chunk.

mod groups;
mod waiting;

use std::collections::BTreeMap;

use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_script::ImportKind;

use crate::{
    asset::Fingerprint,
    graph::{Dep, Graph, Module},
};
pub use groups::{Asked, Groups, Step};
use waiting::{required_waiting, waiting};

/// A linked graph. Modules are named by their index in the graph, ids are what stands in the code.
#[derive(Debug)]
pub struct Linked {
    /// Id of each module that can be asked for.
    pub ids: Vec<u32>,
    /// Modules of the main bundle, by id.
    pub main: Vec<usize>,
    /// Modules of the trees that are evaluated at the start, in order.
    pub order: Vec<usize>,
    /// Those of them that are asked for: of a circle the one that is met first, which evaluates the others.
    pub starts: Vec<usize>,
    /// What is loaded on demand, by the target's name.
    pub chunks: Vec<Chunk>,
    /// Which modules share a function.
    pub groups: Groups,
    /// Which modules wait when they are evaluated, or import one that does.
    pub waiting: Vec<bool>,
    chunk_of: Vec<Option<usize>>,
}

/// What one dynamic import loads.
#[derive(Debug)]
pub struct Chunk {
    /// Stable: it comes from the target's path.
    pub id: String,
    /// The module that the import names.
    pub target: usize,
    /// Its modules, by id.
    pub modules: Vec<usize>,
    /// Whether an import asks for it.
    pub on_demand: bool,
}

/// Whether dynamic imports make chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunking {
    /// In a browser: what is only imported dynamically is loaded when asked for.
    OnDemand,
    /// On the server: everything is there.
    None,
}

/// The modules of the trees.
#[derive(Debug, Default)]
pub struct Roots {
    /// All of them, in the order of the trees.
    pub all: Vec<usize>,
    /// The one that is never a chunk, whoever imports it.
    pub first: Option<usize>,
    /// Those that belong to one page each: chunks even when no import asks for them.
    pub apart: Vec<usize>,
}

/// Links a graph.
pub fn link(graph: &Graph, roots: &Roots, chunking: Chunking) -> (Linked, Vec<Diagnostic>) {
    let edges = Edges::of(graph, chunking);
    let (apart, entries) = (roots.apart.clone(), &roots.all);
    let roots = match chunking {
        Chunking::OnDemand => edges.static_roots(roots),
        Chunking::None => roots.all.clone(),
    };
    let mut walk = Walk::new(&edges, graph.modules.len());
    for &root in &roots {
        walk.visit(root);
    }
    let mut main = walk.order.clone();
    let (mut chunks, shared) = chunks_of(graph, &edges, &main, &apart);
    main.extend(shared);

    let mut chunk_of = vec![None; graph.modules.len()];
    for (n, chunk) in chunks.iter_mut().enumerate() {
        for &module in &chunk.modules {
            chunk_of[module] = Some(n);
        }
    }
    let waiting = waiting(graph);
    let groups = Groups::of(graph, entries, &chunk_of, &waiting);
    let mut ids = vec![0; graph.modules.len()];
    let everything = main.iter().chain(chunks.iter().flat_map(|chunk| &chunk.modules));
    for (id, &module) in everything.filter(|&&module| !groups.is_absorbed(module)).enumerate() {
        ids[module] = u32::try_from(id).expect("fewer modules than 32 bits count");
    }
    let order: Vec<usize> = walk.order.iter().copied().filter(|&module| is_evaluated(&graph.modules[module])).collect();
    let starts = order.iter().copied().filter(|&module| !walk.is_inner(module)).collect();
    let mut found: Vec<Diagnostic> = walk.cycles.iter().map(|cycle| cycle_finding(graph, cycle)).collect();
    found.extend(required_waiting(graph, &waiting));
    (Linked { ids, main, order, starts, chunks, groups, waiting, chunk_of }, found)
}

/// Whether a module runs at the start, whoever imports it.
fn is_evaluated(module: &Module) -> bool {
    module.zone.is_tree() && module.is_own()
}

impl Linked {
    /// What stands in a module's list of dependencies.
    pub fn dependency(&self, from: usize, dep: &Dep) -> String {
        match dep {
            Dep::Missing => "null".to_owned(),
            Dep::Host(name) => serde_json::to_string(name).expect("a string is JSON"),
            Dep::Module(to) => match self.chunk_of[*to] {
                Some(chunk) if self.chunk_of[from] != Some(chunk) => {
                    format!("[\"{}\",{}]", self.chunks[chunk].id, self.ids[*to])
                }
                _ => self.ids[*to].to_string(),
            },
        }
    }

    /// Whether a module waits itself, and the ids of what it imports; nothing for one that is evaluated at once.
    pub fn waits(&self, graph: &Graph, at: usize) -> Option<(Vec<u32>, bool)> {
        if !self.waiting[at] {
            return None;
        }
        let module = &graph.modules[at];
        let ids = module.compiled.imports.iter().zip(&module.deps).filter_map(|(import, dep)| match dep {
            Dep::Module(to) if import.kind == ImportKind::Static => Some(self.ids[*to]),
            _ => None,
        });
        Some((ids.collect(), module.compiled.awaits.is_some()))
    }

    /// Whether a module is in the main bundle.
    pub fn is_main(&self, module: usize) -> bool {
        self.chunk_of[module].is_none()
    }
}

/// What each module needs before it runs, and what it may load later.
struct Edges {
    needs: Vec<Vec<usize>>,
    loads: Vec<Vec<usize>>,
    /// Whether a module stands in a tree: circles of others are not looked at.
    in_tree: Vec<bool>,
}

impl Edges {
    fn of(graph: &Graph, chunking: Chunking) -> Self {
        let in_tree = graph.modules.iter().map(|module| module.zone.is_tree()).collect();
        let mut edges = Self { needs: Vec::new(), loads: Vec::new(), in_tree };
        for module in &graph.modules {
            let (mut needs, mut loads) = (Vec::new(), Vec::new());
            for (import, dep) in module.compiled.imports.iter().zip(&module.deps) {
                match (dep, import.kind) {
                    (Dep::Module(to), ImportKind::Dynamic) if chunking == Chunking::OnDemand => loads.push(*to),
                    (Dep::Module(to), _) => needs.push(*to),
                    _ => {}
                }
            }
            edges.needs.push(needs);
            edges.loads.push(loads);
        }
        edges
    }

    /// The roots less those that are only imported dynamically by something that can be reached.
    fn static_roots(&self, roots: &Roots) -> Vec<usize> {
        let mut loaded = vec![false; self.needs.len()];
        for &to in self.loads.iter().flatten() {
            loaded[to] = true;
        }
        let is_kept = |root: &usize| Some(*root) == roots.first || !(loaded[*root] || roots.apart.contains(root));
        let mut kept: Vec<usize> = roots.all.iter().copied().filter(is_kept).collect();
        // Files that load only each other would be lost: the first of such a ring is a root after all.
        let mut reached = vec![false; self.needs.len()];
        let mut stack: Vec<usize> = kept.iter().chain(&roots.apart).copied().collect();
        for &root in &roots.all {
            while let Some(at) = stack.pop() {
                if !std::mem::replace(&mut reached[at], true) {
                    stack.extend(self.needs[at].iter().chain(&self.loads[at]));
                }
            }
            if !reached[root] {
                kept.push(root);
                stack.push(root);
            }
        }
        roots.all.iter().copied().filter(|root| kept.contains(root)).collect()
    }
}

/// A walk that puts dependencies before dependents. Its stack is its own: a chain of imports may be long.
struct Walk<'a> {
    edges: &'a Edges,
    state: Vec<State>,
    /// When each module was met, and the earliest open one that it leads back to.
    met: Vec<usize>,
    back: Vec<usize>,
    order: Vec<usize>,
    cycles: Vec<Vec<usize>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

impl<'a> Walk<'a> {
    fn new(edges: &'a Edges, modules: usize) -> Self {
        let state = vec![State::New; modules];
        let (met, back) = (vec![0; modules], vec![0; modules]);
        Self { edges, state, met, back, order: Vec::new(), cycles: Vec::new() }
    }

    /// Whether a module stands in a circle that was entered elsewhere.
    fn is_inner(&self, module: usize) -> bool {
        self.back[module] != module
    }

    fn open(&mut self, module: usize, met: &mut usize) {
        self.state[module] = State::Open;
        *met += 1;
        (self.met[module], self.back[module]) = (*met, module);
    }

    /// A module leads to where another one leads back to, when that is still open.
    fn leads_back(&mut self, from: usize, to: usize) {
        let back = self.back[to];
        if self.state[back] == State::Open && self.met[back] < self.met[self.back[from]] {
            self.back[from] = back;
        }
    }

    fn visit(&mut self, root: usize) {
        if self.state[root] != State::New {
            return;
        }
        let mut met = self.order.len();
        self.open(root, &mut met);
        let mut path = vec![(root, 0)];
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            let Some(&to) = self.edges.needs[at].get(*next) else {
                self.state[at] = State::Done;
                self.order.push(at);
                path.pop();
                if let Some(&(above, _)) = path.last() {
                    self.leads_back(above, at);
                }
                continue;
            };
            *next += 1;
            match self.state[to] {
                State::New => {
                    self.open(to, &mut met);
                    path.push((to, 0));
                }
                State::Open => {
                    let from = path.iter().rposition(|(module, _)| *module == to);
                    let circle = &path[from.expect("an open module is on the path")..];
                    if circle.iter().all(|(module, _)| self.edges.in_tree[*module]) {
                        self.cycles.push(circle.iter().map(|(module, _)| *module).collect());
                    }
                }
                State::Done => {}
            }
            if self.state[to] == State::Done || self.met[to] < self.met[at] {
                self.leads_back(at, to);
            }
        }
    }
}

/// The chunks, and the modules that more than one of them needs, which therefore belong to the main bundle.
fn chunks_of(graph: &Graph, edges: &Edges, main: &[usize], apart: &[usize]) -> (Vec<Chunk>, Vec<usize>) {
    let mut in_main = vec![false; graph.modules.len()];
    for &module in main {
        in_main[module] = true;
    }
    // Targets by name, found from the main bundle and from the chunks themselves.
    let mut targets: BTreeMap<&str, usize> = BTreeMap::new();
    let mut on_demand = vec![false; graph.modules.len()];
    let mut stack: Vec<usize> = main.to_vec();
    let mut seen = in_main.clone();
    for &page in apart.iter().filter(|page| !in_main[**page]) {
        targets.insert(&graph.modules[page].name, page);
        seen[page] = true;
        stack.push(page);
    }
    while let Some(at) = stack.pop() {
        for &to in &edges.loads[at] {
            on_demand[to] = true;
            if !in_main[to] {
                targets.insert(&graph.modules[to].name, to);
            }
        }
        for &to in edges.needs[at].iter().chain(&edges.loads[at]) {
            if !std::mem::replace(&mut seen[to], true) {
                stack.push(to);
            }
        }
    }
    let mut uses = vec![0u32; graph.modules.len()];
    let closures: Vec<(usize, Vec<usize>)> = targets
        .values()
        .map(|&target| {
            let mut walk = Walk::new(edges, graph.modules.len());
            walk.visit(target);
            let modules: Vec<usize> = walk.order.into_iter().filter(|&module| !in_main[module]).collect();
            for &module in &modules {
                uses[module] += 1;
            }
            (target, modules)
        })
        .collect();
    let mut shared = Vec::new();
    let mut chunks = Vec::new();
    for (target, modules) in closures {
        let (common, own): (Vec<usize>, Vec<usize>) = modules.into_iter().partition(|&module| uses[module] > 1);
        for module in common {
            if !std::mem::replace(&mut in_main[module], true) {
                shared.push(module);
            }
        }
        if !own.is_empty() {
            let name = &graph.modules[target].name;
            let id = format!("c{}", &Fingerprint::of(name.as_bytes()).short()[..8]);
            chunks.push(Chunk { id, target, modules: own, on_demand: on_demand[target] });
        }
    }
    (chunks, shared)
}

/// How many modules of a circle a finding shows.
const CIRCLE_MAX: usize = 12;

/// A warning for a circle that the app's own modules make; packages may do as they like.
fn cycle_finding(graph: &Graph, cycle: &[usize]) -> Diagnostic {
    let names: Vec<&str> = cycle.iter().map(|&module| graph.modules[module].name.as_str()).collect();
    let chain = match names.len() {
        0..=CIRCLE_MAX => {
            names.iter().chain(names.first()).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" → ")
        }
        count => format!("`{}` → … → `{}`, {count} in all", names[0], names[0]),
    };
    let mut diagnostic = Diagnostic::new(Code::ImportCycle, format!("modules import each other in a circle: {chain}"));
    for (n, &module) in cycle.iter().enumerate().take(CIRCLE_MAX) {
        let to = cycle[(n + 1) % cycle.len()];
        let module = &graph.modules[module];
        let import = module.deps.iter().position(|dep| *dep == Dep::Module(to));
        let place =
            import.map_or_else(|| Place::file(&module.name), |import| module.compiled.imports[import].place.clone());
        diagnostic = diagnostic.at(place, format!("imports `{}`", graph.modules[to].name));
    }
    diagnostic.help("Move what both need to a third module; until then one of them sees the other unfinished.")
}
