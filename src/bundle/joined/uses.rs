//! What the members of a shared function write, and how often.

use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry};

use ssbuild_script::What;

use super::{
    joint,
    resolve::{Named, Resolve},
};
use crate::graph::Graph;

/// What is written in a shared function.
pub(super) struct Uses<'a> {
    /// What each member's symbols stand for, and how often its code has them.
    pub(super) symbols: HashMap<usize, Vec<(Named<'a>, u32)>>,
    /// The same where they are called as methods of a namespace, by member and symbol.
    pub(super) methods: BTreeMap<(usize, u32), (Named<'a>, u32)>,
    /// How often something is asked for while the function's code runs.
    pub(super) requires: u32,
}

impl<'a> Uses<'a> {
    pub(super) fn of(graph: &'a Graph, resolve: &Resolve<'a>) -> Self {
        let mut uses = Self { symbols: HashMap::new(), methods: BTreeMap::new(), requires: 0 };
        for &at in resolve.members() {
            let joint = joint(graph, at);
            let all = 0..u32::try_from(joint.symbols.len()).expect("fewer symbols than 32 bits count");
            let mut symbols: Vec<(Named<'_>, u32)> = all.map(|symbol| (resolve.symbol(at, symbol), 0)).collect();
            for hole in &joint.holes {
                match hole.what {
                    What::Symbol(symbol) | What::Callee(symbol) => symbols[symbol as usize].1 += 1,
                    What::Method(symbol) => {
                        let method = || (resolve.method(at, symbol), 0);
                        uses.methods.entry((at, symbol)).or_insert_with(method).1 += 1;
                    }
                    What::Require => uses.requires += 1,
                    What::Import(_) => {}
                }
            }
            uses.symbols.insert(at, symbols);
        }
        uses
    }

    /// Members whose namespaces are needed for what is written, and for what is exported; each with its names.
    pub(super) fn namespaces(
        &self,
        resolve: &Resolve<'a>,
        exports: &[(&'a str, Named<'a>)],
    ) -> BTreeMap<usize, Vec<(&'a str, Named<'a>)>> {
        let written = self.symbols.values().flatten().chain(self.methods.values()).filter(|(_, times)| *times > 0);
        let named = written.map(|(named, _)| named).chain(exports.iter().map(|(_, named)| named));
        let mut wanted: BTreeSet<usize> = named.filter_map(Named::namespace).collect();
        let mut namespaces = BTreeMap::new();
        while let Some(at) = wanted.pop_first() {
            let Entry::Vacant(new) = namespaces.entry(at) else { continue };
            let table = new.insert(resolve.table(at));
            wanted.extend(table.iter().filter_map(|(_, named)| named.namespace()));
        }
        namespaces
    }
}
