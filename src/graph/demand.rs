//! What of each module somebody wants, so that the rest is not even read.

use std::collections::{BTreeSet, HashMap};

use ssbuild_script::{Export, ImportKind, ImportedNames, Keep};

use super::{Dep, Graph, Module};

/// What is wanted of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Want {
    /// That it runs.
    Run,
    /// One of its names, and what that needs.
    Name(String),
    /// All of it.
    All,
}

/// What is wanted of all modules of a graph that is being loaded.
#[derive(Default)]
pub(super) struct Demand {
    modules: Vec<Wanted>,
    queue: Vec<(usize, Want)>,
}

#[derive(Default)]
struct Wanted {
    state: State,
    /// Whether it is in the build at all.
    live: bool,
    all: bool,
    names: BTreeSet<String>,
    parts: Vec<bool>,
    /// What its specifiers come to.
    targets: Vec<Option<usize>>,
    /// What was wanted before it was read.
    early: Vec<Want>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Unknown,
    Asked,
    Read,
}

impl Demand {
    /// Notes that something is wanted.
    pub(super) fn want(&mut self, module: usize, want: Want) {
        self.queue.push((module, want));
    }

    /// Follows what is wanted as far as modules are read; gives those that have to be read next, in the graph's order.
    pub(super) fn settle(&mut self, graph: &Graph) -> Vec<usize> {
        self.modules.resize_with(graph.modules.len(), Wanted::default);
        let mut wave = Vec::new();
        while let Some((at, want)) = self.queue.pop() {
            let wanted = &mut self.modules[at];
            match wanted.state {
                State::Read => self.meet(graph, at, &want),
                state => {
                    wanted.early.push(want);
                    if state == State::Unknown {
                        wanted.state = State::Asked;
                        wave.push(at);
                    }
                }
            }
        }
        wave.sort_unstable();
        wave
    }

    /// Whether a module that is not read yet can be left out in part.
    pub(super) fn is_partial(&self, module: usize) -> bool {
        !self.modules[module].early.contains(&Want::All)
    }

    /// A module was read: what was wanted of it before is wanted still.
    pub(super) fn read(&mut self, graph: &Graph, at: usize) {
        self.modules.resize_with(graph.modules.len(), Wanted::default);
        let module = &graph.modules[at];
        let wanted = &mut self.modules[at];
        wanted.state = State::Read;
        if let Some(parts) = &module.compiled.parts {
            wanted.parts = vec![false; parts.parts.len()];
            let statics = module.compiled.imports.iter().zip(&module.deps);
            let by_name: HashMap<&str, &Dep> = statics
                .filter(|(import, _)| import.kind == ImportKind::Static)
                .map(|(import, dep)| (import.specifier.as_str(), dep))
                .collect();
            wanted.targets = parts
                .specifiers
                .iter()
                .map(|specifier| match by_name.get(specifier.as_str()) {
                    Some(Dep::Module(to)) => Some(*to),
                    _ => None,
                })
                .collect();
        }
        for want in std::mem::take(&mut wanted.early) {
            self.want(at, want);
        }
    }

    /// Whether a module is in the build.
    pub(super) fn is_live(&self, module: usize) -> bool {
        self.modules.get(module).is_some_and(|wanted| wanted.live)
    }

    /// What of a module is kept, when that is not all of it.
    pub(super) fn keep(&self, graph: &Graph, at: usize) -> Option<Keep> {
        let parts = graph.modules[at].compiled.parts.as_ref()?;
        let wanted = &self.modules[at];
        if wanted.all {
            return None;
        }
        let names = parts.exports.iter().map(|(name, _)| name).filter(|name| wanted.names.contains(*name));
        let mut names: Vec<String> = names.cloned().collect();
        names.sort_unstable();
        // A specifier that comes to no module of ours is for the finding that it causes.
        let is_used = |star: &&u32| wanted.targets[**star as usize].is_none_or(|to| self.is_live(to));
        let mut stars: Vec<String> =
            parts.stars.iter().filter(is_used).map(|star| parts.specifiers[*star as usize].clone()).collect();
        stars.sort_unstable();
        let whole = names.len() == parts.exports.len()
            && stars.len() == parts.stars.len()
            && wanted.parts.iter().all(|live| *live);
        (!whole).then_some(Keep { names, stars })
    }

    fn meet(&mut self, graph: &Graph, at: usize, want: &Want) {
        let module = &graph.modules[at];
        let Some(parts) = &module.compiled.parts else {
            if !std::mem::replace(&mut self.modules[at].live, true) {
                self.follow(graph, module);
            }
            return;
        };
        match want {
            Want::Run => self.enliven(graph, at),
            Want::All => {
                self.enliven(graph, at);
                if !std::mem::replace(&mut self.modules[at].all, true) {
                    self.follow(graph, module);
                }
            }
            Want::Name(name) => {
                if !self.modules[at].names.insert(name.clone()) {
                    return;
                }
                let export = parts.exports.iter().find(|(exported, _)| exported == name).map(|(_, export)| export);
                if export.is_some() || (!parts.stars.is_empty() && name != "default") {
                    self.enliven(graph, at);
                }
                match export {
                    Some(Export::Parts(parts)) => self.mark(graph, at, parts.clone()),
                    Some(Export::From(from, name)) => self.want_from(at, *from, name.as_deref()),
                    None if name == "default" => {}
                    None => parts.stars.iter().for_each(|star| self.want_from(at, *star, Some(name))),
                }
            }
        }
    }

    fn want_from(&mut self, at: usize, specifier: u32, name: Option<&str>) {
        if let Some(to) = self.modules[at].targets[specifier as usize] {
            self.want(to, name.map_or(Want::All, |name| Want::Name(name.to_owned())));
        }
    }

    /// A module that is left out in part runs: what it does when it runs, and what it makes run.
    fn enliven(&mut self, graph: &Graph, at: usize) {
        if std::mem::replace(&mut self.modules[at].live, true) {
            return;
        }
        let module = &graph.modules[at];
        for (import, dep) in module.compiled.imports.iter().zip(&module.deps) {
            match (dep, import.kind) {
                (Dep::Module(to), ImportKind::Static) if graph.modules[*to].free => {}
                (Dep::Module(to), ImportKind::Static) => self.want(*to, Want::Run),
                (Dep::Module(to), _) => self.want(*to, Want::All),
                _ => {}
            }
        }
        if let Some(parts) = &module.compiled.parts {
            let effects = parts.parts.iter().enumerate().filter(|(_, part)| part.effect).map(|(n, _)| n as u32);
            self.mark(graph, at, effects.collect());
        }
    }

    fn mark(&mut self, graph: &Graph, at: usize, mut stack: Vec<u32>) {
        let Some(parts) = &graph.modules[at].compiled.parts else { return };
        while let Some(part) = stack.pop() {
            if std::mem::replace(&mut self.modules[at].parts[part as usize], true) {
                continue;
            }
            let part = &parts.parts[part as usize];
            stack.extend(&part.needs);
            for (from, name) in &part.imports {
                self.want_from(at, *from, name.as_deref());
            }
        }
    }

    /// Wants everything that a module imports, as it imports it.
    fn follow(&mut self, graph: &Graph, module: &Module) {
        for (import, dep) in module.compiled.imports.iter().zip(&module.deps) {
            let Dep::Module(to) = dep else { continue };
            if import.kind == ImportKind::Require || !graph.modules[*to].free {
                self.want(*to, Want::Run);
            }
            match &import.names {
                _ if !matches!(import.kind, ImportKind::Static | ImportKind::Require) => self.want(*to, Want::All),
                ImportedNames::All => self.want(*to, Want::All),
                ImportedNames::Some(names) => {
                    names.iter().for_each(|name| self.want(*to, Want::Name(name.clone())));
                }
            }
        }
    }
}
