//! Which modules share one function. A group has one way in, its root: whoever else imports a member is a member itself. So
//! evaluating the root is evaluating all of it, in the order that each for itself would have, and nobody can see the difference.

use std::collections::{BTreeSet, HashSet};

use ssbuild_script::{ImportKind, ImportedNames, Joint, Symbol};

use crate::graph::{Dep, Graph};

/// The groups of a graph, and the modules that stand in none.
#[derive(Debug, Default)]
pub struct Groups {
    /// What evaluating each root is, the root itself last.
    steps: Vec<Vec<Step>>,
    /// Modules that have no number, because nobody asks for them by it.
    absorbed: Vec<bool>,
    /// What others ask of each root.
    asked: Vec<Asked>,
}

/// A step of evaluating a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A member's own code.
    Run(usize),
    /// An import of a member that leads to no member: it is evaluated if it was not.
    Ask(usize, u32),
}

/// What is asked of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// These of its names.
    Names(BTreeSet<String>),
    /// All of them, or nobody can tell.
    All,
}

impl Asked {
    /// Whether a name is among it.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Names(names) => names.contains(name),
            Self::All => true,
        }
    }

    fn add(&mut self, names: &ImportedNames) {
        match (self, names) {
            (Self::Names(known), ImportedNames::Some(names)) => known.extend(names.iter().cloned()),
            (known, _) => *known = Self::All,
        }
    }
}

impl Groups {
    /// What evaluating a root's group is; nothing for a module that is a function of its own.
    pub fn steps(&self, root: usize) -> &[Step] {
        self.steps.get(root).map_or(&[], Vec::as_slice)
    }

    /// What others ask of a root.
    pub fn asked(&self, root: usize) -> &Asked {
        &self.asked[root]
    }

    /// Whether a module has no number.
    pub fn is_absorbed(&self, module: usize) -> bool {
        self.absorbed.get(module).is_some_and(|absorbed| *absorbed)
    }

    /// Finds the groups. `entries` are asked for by number whoever imports them; nothing joins over the border of a chunk.
    /// What waits is a function of its own: members are evaluated at once.
    pub(super) fn of(graph: &Graph, entries: &[usize], chunk_of: &[Option<usize>], waiting: &[bool]) -> Self {
        let count = graph.modules.len();
        if !graph.modules.iter().any(|module| module.compiled.joint.is_some()) {
            return Self::default();
        }
        let mut ways = Ways::of(graph, entries, waiting);
        let circles = ways.circles();
        for (n, circle) in circles.iter().enumerate() {
            circle.iter().for_each(|&at| ways.circle_of[at] = n);
        }
        let mut roots = vec![None; count];
        let mut sealed: Vec<bool> = (0..count).map(|at| joint(graph, at).is_none() || waiting[at]).collect();
        for at in with_open_stars(graph) {
            sealed[at] = true;
        }
        // Circles with the dependencies first; importers are looked at before what they import.
        for circle in circles.iter().rev() {
            if circle.len() > 1 && circle.iter().any(|&at| sealed[at]) {
                circle.iter().for_each(|&at| sealed[at] = true);
            }
            if sealed[circle[0]] {
                continue;
            }
            let root = match ways.only_root(circle, &roots) {
                Some(root) if circle.iter().all(|&at| chunk_of[at] == chunk_of[root]) => root,
                _ => match *ways.entered(circle).as_slice() {
                    [root] => root,
                    // Who comes first decides what a circle does.
                    _ => {
                        circle.iter().for_each(|&at| sealed[at] = true);
                        continue;
                    }
                },
            };
            circle.iter().for_each(|&at| roots[at] = Some(root));
        }
        let asked = Ways::asked(graph, entries, &roots);
        let mut groups = Self { steps: vec![Vec::new(); count], absorbed: vec![false; count], asked };
        for at in 0..count {
            if joint(graph, at).is_some() && roots[at].is_none_or(|root| root == at) {
                groups.steps[at] = in_order(graph, at, &roots);
            }
            groups.absorbed[at] = roots[at].is_some_and(|root| root != at) || is_for_nothing(graph, at);
        }
        groups
    }
}

/// What is open in a module that can be joined.
fn joint(graph: &Graph, at: usize) -> Option<&Joint> {
    graph.modules[at].compiled.joint.as_ref()
}

/// Modules that hand on all names of one whose names are known only when it has run, themselves or through others.
fn with_open_stars(graph: &Graph) -> Vec<usize> {
    let mut handed_on: Vec<Vec<usize>> = vec![Vec::new(); graph.modules.len()];
    let mut stack = Vec::new();
    for (at, module) in graph.modules.iter().enumerate() {
        for &star in module.compiled.joint.iter().flat_map(|joint| &joint.stars) {
            match module.deps[star as usize] {
                Dep::Module(to) if joint(graph, to).is_some() => handed_on[to].push(at),
                Dep::Module(to) if graph.modules[to].is_nothing() => {}
                _ => stack.push(at),
            }
        }
    }
    let mut open = vec![false; graph.modules.len()];
    while let Some(at) = stack.pop() {
        if !std::mem::replace(&mut open[at], true) {
            stack.extend(&handed_on[at]);
        }
    }
    (0..open.len()).filter(|&at| open[at]).collect()
}

/// Whether a module of nothing is only made run, and only by modules that can leave that out.
fn is_for_nothing(graph: &Graph, nothing: usize) -> bool {
    graph.modules[nothing].is_nothing()
        && graph.modules.iter().all(|module| {
            module.deps.iter().enumerate().all(|(number, dep)| {
                *dep != Dep::Module(nothing)
                    || module.compiled.joint.as_ref().is_some_and(|joint| {
                        let is_used = |symbol: &Symbol| matches!(symbol, Symbol::Import(n, _) if *n as usize == number);
                        module.compiled.imports[number].kind == ImportKind::Static && !joint.symbols.iter().any(is_used)
                    })
            })
        })
}

/// What evaluating a group is. The stack is its own: a chain of imports may be long.
fn in_order(graph: &Graph, root: usize, roots: &[Option<usize>]) -> Vec<Step> {
    let (mut steps, mut seen) = (Vec::new(), HashSet::from([root]));
    let mut path = vec![(root, 0)];
    while let Some((at, next)) = path.last_mut() {
        let (at, module) = (*at, &graph.modules[*at]);
        let evaluated = module.compiled.joint.as_ref().map_or(&[][..], |joint| &joint.evaluated);
        let Some(&import) = evaluated.get(*next) else {
            steps.push(Step::Run(at));
            path.pop();
            continue;
        };
        *next += 1;
        match module.deps[import as usize] {
            // A module that is alone has no root. To import itself is no step.
            Dep::Module(to) if to == at || (roots[to].is_some() && roots[to] == roots[root]) => {
                if seen.insert(to) {
                    path.push((to, 0));
                }
            }
            _ => steps.push(Step::Ask(at, import)),
        }
    }
    steps
}

/// Who imports whom.
struct Ways {
    imports: Vec<Vec<usize>>,
    importers: Vec<Vec<usize>>,
    /// Whether a module is asked for by its number, by whomever.
    entry: Vec<bool>,
    /// The circle that each module is in.
    circle_of: Vec<usize>,
}

impl Ways {
    fn of(graph: &Graph, entries: &[usize], waiting: &[bool]) -> Self {
        let count = graph.modules.len();
        let (imports, importers) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        let mut ways = Self { imports, importers, entry: vec![false; count], circle_of: vec![0; count] };
        entries.iter().for_each(|&at| ways.entry[at] = true);
        for (at, module) in graph.modules.iter().enumerate() {
            for (import, dep) in module.compiled.imports.iter().zip(&module.deps) {
                let Dep::Module(to) = *dep else { continue };
                ways.entry[to] |= import.kind != ImportKind::Static || module.compiled.joint.is_none() || waiting[at];
                // What is loaded later is no part of a circle.
                if import.kind != ImportKind::Dynamic {
                    ways.imports[at].push(to);
                    ways.importers[to].push(at);
                }
            }
        }
        ways
    }

    /// What is asked of each module by others than the members of its own group.
    fn asked(graph: &Graph, entries: &[usize], roots: &[Option<usize>]) -> Vec<Asked> {
        let mut asked = vec![Asked::Names(BTreeSet::new()); graph.modules.len()];
        entries.iter().for_each(|&at| asked[at] = Asked::All);
        for (at, module) in graph.modules.iter().enumerate() {
            for (import, dep) in module.compiled.imports.iter().zip(&module.deps) {
                if let Dep::Module(to) = *dep
                    && (roots[at].is_none() || roots[at] != roots[to])
                {
                    asked[to].add(&import.names);
                }
            }
        }
        asked
    }

    /// The one group that all who import something of a circle from outside of it are in.
    fn only_root(&self, circle: &[usize], roots: &[Option<usize>]) -> Option<usize> {
        if circle.iter().any(|&at| self.entry[at]) {
            return None;
        }
        let mut outside = circle.iter().flat_map(|&at| self.outside(at)).map(|from| roots[from]);
        let first = outside.next()??;
        outside.all(|root| root == Some(first)).then_some(first)
    }

    /// Which modules of a circle are imported from outside of it.
    fn entered(&self, circle: &[usize]) -> Vec<usize> {
        // One that nobody imports is a circle of its own.
        let is_entered = |at: &usize| circle.len() == 1 || self.entry[*at] || self.outside(*at).next().is_some();
        circle.iter().copied().filter(is_entered).collect()
    }

    /// Who imports a module from outside of its circle.
    fn outside(&self, at: usize) -> impl Iterator<Item = usize> {
        self.importers[at].iter().copied().filter(move |&from| self.circle_of[from] != self.circle_of[at])
    }

    /// The strongly connected components, dependencies first (Tarjan's way, with a stack of its own).
    fn circles(&self) -> Vec<Vec<usize>> {
        let count = self.imports.len();
        let (mut index, mut low) = (vec![usize::MAX; count], vec![0; count]);
        let (mut open, mut is_open) = (Vec::new(), vec![false; count]);
        let (mut next, mut circles) = (0, Vec::new());
        for start in 0..count {
            if index[start] != usize::MAX {
                continue;
            }
            let mut path = vec![(start, 0)];
            while let Some((at, import)) = path.last_mut() {
                let at = *at;
                if *import == 0 {
                    (index[at], low[at]) = (next, next);
                    next += 1;
                    open.push(at);
                    is_open[at] = true;
                }
                if let Some(&to) = self.imports[at].get(*import) {
                    *import += 1;
                    if index[to] == usize::MAX {
                        path.push((to, 0));
                    } else if is_open[to] {
                        low[at] = low[at].min(index[to]);
                    }
                    continue;
                }
                path.pop();
                if let Some((above, _)) = path.last() {
                    low[*above] = low[*above].min(low[at]);
                }
                if low[at] == index[at] {
                    let from = open.iter().rposition(|&open| open == at).expect("an open module is on the stack");
                    let circle = open.split_off(from);
                    circle.iter().for_each(|&closed| is_open[closed] = false);
                    circles.push(circle);
                }
            }
        }
        circles
    }
}
