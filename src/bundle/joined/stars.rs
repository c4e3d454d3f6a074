//! What modules hand on by `export * from`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ssbuild_script::{Joint, Symbol};

use super::joint;
use crate::graph::{Dep, Graph};

/// A name's module and symbol, where it comes from in the end.
type Origin = (usize, u32);

/// Each name that comes to a module by `export *`: by which of its imports, and from where in the end; from nowhere when two of them
/// differ.
type Table<'a> = BTreeMap<&'a str, (u32, Option<Origin>)>;

/// What comes to some modules by `export *`.
pub(super) struct Stars<'a> {
    graph: &'a Graph,
    tables: HashMap<usize, Table<'a>>,
    /// Whether some of it is known only when a module has run. That can be with a single module only.
    open: bool,
}

impl<'a> Stars<'a> {
    pub(super) fn of(graph: &'a Graph, members: &[usize]) -> Self {
        let mut stars = Self { graph, tables: HashMap::new(), open: false };
        stars.open = members.iter().any(|&at| !stars.is_closed(at, &mut BTreeSet::new()));
        if !stars.open {
            let mut order = Vec::new();
            let mut seen = BTreeSet::new();
            members.iter().for_each(|&at| stars.order(at, &mut seen, &mut order));
            // In a circle a module is asked before its table is whole; what changes is told until nothing does.
            loop {
                let mut changed = false;
                for &at in &order {
                    let table = stars.table(at);
                    changed |= stars.tables.get(&at) != Some(&table);
                    stars.tables.insert(at, table);
                }
                if !changed {
                    break;
                }
            }
        }
        stars
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// By which import a name comes to a module.
    pub(super) fn find(&self, at: usize, name: &str) -> Option<u32> {
        let (star, origin) = self.tables.get(&at)?.get(name)?;
        origin.map(|_| *star)
    }

    /// Names that come to a module.
    pub(super) fn names(&self, at: usize) -> impl Iterator<Item = &'a str> {
        let names = self.tables.get(&at).into_iter().flatten();
        names.filter(|(_, (_, origin))| origin.is_some()).map(|(name, _)| *name)
    }

    /// Modules with `export *`, those that they hand on first.
    fn order(&self, at: usize, seen: &mut BTreeSet<usize>, order: &mut Vec<usize>) {
        if seen.insert(at) {
            let joint = joint(self.graph, at);
            for &star in &joint.stars {
                if let Some(to) = self.known(at, star) {
                    self.order(to, seen, order);
                }
            }
            if !joint.stars.is_empty() {
                order.push(at);
            }
        }
    }

    fn table(&self, at: usize) -> Table<'a> {
        let own = joint(self.graph, at);
        let mut table = Table::new();
        for &star in &own.stars {
            let Some(to) = self.known(at, star) else { continue };
            let handed_on = self.tables.get(&to).into_iter().flatten();
            let handed_on = handed_on.filter_map(|(name, (_, origin))| Some((*name, (*origin)?)));
            let exports = joint(self.graph, to).exports.iter();
            let exports = exports
                .filter_map(|(name, symbol)| Some((name.as_str(), self.origin(to, *symbol, &mut BTreeSet::new())?)));
            for (name, origin) in exports.chain(handed_on) {
                if name == "default" || exported(own, name).is_some() {
                    continue;
                }
                let known = table.entry(name).or_insert((star, Some(origin)));
                if known.1 != Some(origin) {
                    known.1 = None;
                }
            }
        }
        table
    }

    /// Where a module's symbol comes from in the end.
    fn origin(&self, at: usize, symbol: u32, seen: &mut BTreeSet<Origin>) -> Option<Origin> {
        if !seen.insert((at, symbol)) {
            return None;
        }
        let Symbol::Import(import, Some(name)) = &joint(self.graph, at).symbols[symbol as usize] else {
            return Some((at, symbol));
        };
        let Some(to) = self.known(at, *import) else { return Some((at, symbol)) };
        match exported(joint(self.graph, to), name) {
            Some(symbol) => self.origin(to, symbol, seen),
            None => match self.tables.get(&to) {
                Some(table) => table.get(name.as_str())?.1,
                // Whatever it is there, it is not looked at any further.
                None => Some((at, symbol)),
            },
        }
    }

    /// The module behind an import when its names are known.
    fn known(&self, at: usize, import: u32) -> Option<usize> {
        match self.graph.modules[at].deps[import as usize] {
            Dep::Module(to) if self.graph.modules[to].compiled.joint.is_some() => Some(to),
            _ => None,
        }
    }

    /// Whether all that a module hands on is known now.
    fn is_closed(&self, at: usize, seen: &mut BTreeSet<usize>) -> bool {
        !seen.insert(at)
            || joint(self.graph, at).stars.iter().all(|&star| match self.graph.modules[at].deps[star as usize] {
                Dep::Module(to) if self.graph.modules[to].is_nothing() => true,
                _ => self.known(at, star).is_some_and(|to| self.is_closed(to, seen)),
            })
    }
}

/// The symbol that a module exports by a name itself.
pub(super) fn exported(joint: &Joint, name: &str) -> Option<u32> {
    let found = joint.exports.binary_search_by(|(known, _)| known.as_str().cmp(name));
    found.ok().map(|at| joint.exports[at].1)
}
