//! What a name that a module imports is, seen from inside the function that it shares.

use std::collections::{BTreeSet, HashMap};

use ssbuild_script::Symbol;

use super::{
    joint,
    stars::{Stars, exported},
};
use crate::graph::{Dep, Graph};

/// What something is called in a shared function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Named<'a> {
    /// The function's parameter that finds other modules.
    Require,
    /// A variable of a member's top level.
    Own(usize, u32),
    /// All names of a member, what the root exports among them.
    Namespace(usize),
    /// One of them, where it has to be asked of the namespace.
    Method(usize, &'a str),
    /// What the function asks for by this number, or one of its names.
    Outside(usize, Option<&'a str>),
    /// Nothing has that name.
    Nothing,
}

impl Named<'_> {
    /// The member whose namespace it is about.
    pub(super) fn namespace(&self) -> Option<usize> {
        if let Self::Namespace(at) | Self::Method(at, _) = self { Some(*at) } else { None }
    }
}

/// The members of a function, and what they ask for beside each other.
pub(super) struct Resolve<'a> {
    graph: &'a Graph,
    members: Vec<usize>,
    inside: BTreeSet<usize>,
    deps: Vec<Dep>,
    numbers: HashMap<Dep, usize>,
    stars: Stars<'a>,
}

impl<'a> Resolve<'a> {
    pub(super) fn new(graph: &'a Graph, members: Vec<usize>) -> Self {
        let inside = members.iter().copied().collect();
        let stars = Stars::of(graph, &members);
        let mut resolve = Self { graph, members, inside, deps: Vec::new(), numbers: HashMap::new(), stars };
        for at in resolve.members.clone() {
            let module = &graph.modules[at];
            for (number, dep) in module.deps.iter().enumerate() {
                let is_static = joint(graph, at).evaluated.iter().any(|&import| import as usize == number);
                let is_used = |symbol: &Symbol| matches!(symbol, Symbol::Import(n, _) if *n as usize == number);
                let is_needed = match dep {
                    Dep::Module(to) if is_static && resolve.inside.contains(to) => false,
                    Dep::Module(to) if is_static && graph.modules[*to].is_nothing() => {
                        joint(graph, at).symbols.iter().any(is_used)
                    }
                    _ => true,
                };
                if is_needed && !resolve.numbers.contains_key(dep) {
                    resolve.numbers.insert(dep.clone(), resolve.deps.len());
                    resolve.deps.push(dep.clone());
                }
            }
        }
        resolve
    }

    /// The member that others ask for.
    pub(super) fn root(&self) -> usize {
        *self.members.last().expect("a group has a root")
    }

    /// In the order of evaluation.
    pub(super) fn members(&self) -> &[usize] {
        &self.members
    }

    pub(super) fn into_deps(self) -> Vec<Dep> {
        self.deps
    }

    /// The function's number for what a member asks for by one of its own.
    pub(super) fn number(&self, at: usize, import: u32) -> usize {
        self.numbers[&self.graph.modules[at].deps[import as usize]]
    }

    /// The same for what has to run before the member, when it is not in the function.
    pub(super) fn asks(&self, at: usize, import: u32) -> Option<usize> {
        let dep = &self.graph.modules[at].deps[import as usize];
        match dep {
            Dep::Module(to) if self.inside.contains(to) => None,
            dep => self.numbers.get(dep).copied(),
        }
    }

    /// Whether what the one member hands on by `export *` is known only when that has run.
    pub(super) fn is_open(&self) -> bool {
        self.stars.is_open()
    }

    /// What one of a member's symbols is.
    pub(super) fn symbol(&self, at: usize, symbol: u32) -> Named<'a> {
        self.find(at, symbol, &mut BTreeSet::new())
    }

    /// The same where it is called as a method of its namespace: that is the `this`, if anything asks for it.
    pub(super) fn method(&self, at: usize, symbol: u32) -> Named<'a> {
        let Symbol::Import(import, Some(name)) = &joint(self.graph, at).symbols[symbol as usize] else {
            unreachable!("a method is a name of an import")
        };
        match self.graph.modules[at].deps[*import as usize] {
            Dep::Module(to) if self.inside.contains(&to) => match self.symbol(at, symbol) {
                Named::Own(from, own) if joint(self.graph, from).plain.binary_search(&own).is_ok() => {
                    Named::Own(from, own)
                }
                _ => Named::Method(to, name),
            },
            _ => self.symbol(at, symbol),
        }
    }

    /// Each name that a member exports with what it is, sorted as a namespace sorts them.
    pub(super) fn table(&self, at: usize) -> Vec<(&'a str, Named<'a>)> {
        let own = joint(self.graph, at).exports.iter().map(|(name, _)| name.as_str());
        let mut names: Vec<&str> = own.chain(self.stars.names(at)).collect();
        names.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
        let named = names.into_iter().map(|name| (name, self.export(at, name, &mut BTreeSet::new())));
        named.filter(|(_, named)| *named != Named::Nothing).collect()
    }

    fn find(&self, at: usize, symbol: u32, seen: &mut BTreeSet<(usize, &'a str)>) -> Named<'a> {
        match &joint(self.graph, at).symbols[symbol as usize] {
            Symbol::Own => Named::Own(at, symbol),
            Symbol::Import(import, name) => self.import(at, *import, name.as_deref(), seen),
        }
    }

    fn import(
        &self,
        at: usize,
        import: u32,
        name: Option<&'a str>,
        seen: &mut BTreeSet<(usize, &'a str)>,
    ) -> Named<'a> {
        match (&self.graph.modules[at].deps[import as usize], name) {
            (Dep::Module(to), Some(name)) if self.inside.contains(to) => self.export(*to, name, seen),
            (Dep::Module(to), None) if self.inside.contains(to) => Named::Namespace(*to),
            (_, name) => Named::Outside(self.number(at, import), name),
        }
    }

    /// What a member exports by a name. Its own names win; what two `export *` differ about is there for nobody.
    fn export(&self, at: usize, name: &'a str, seen: &mut BTreeSet<(usize, &'a str)>) -> Named<'a> {
        if !seen.insert((at, name)) {
            return Named::Nothing;
        }
        if let Some(symbol) = exported(joint(self.graph, at), name) {
            return self.find(at, symbol, seen);
        }
        match self.stars.find(at, name) {
            Some(star) => self.import(at, star, Some(name), seen),
            None => Named::Nothing,
        }
    }
}
