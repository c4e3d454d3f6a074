//! References against the trees: `SS.server.app.sqare` is likely a mistake.

pub mod against;
pub mod environment;
pub mod members;
pub mod unused;

use std::collections::{BTreeMap, BTreeSet};

use ssbuild_diagnostic::{Code, Diagnostic};
use ssbuild_script::{Reference, Tree};

use crate::{
    api_tree::{ApiTree, spoken},
    half::Half,
    nearest::nearest,
};

/// Everything that a static path can name.
#[derive(Debug, Default)]
pub struct Names {
    trees: BTreeMap<Tree, Place>,
}

/// One place in a tree: what is below it, and whether there may be more than is known.
#[derive(Debug, Default)]
struct Place {
    below: BTreeMap<String, Place>,
    open: bool,
    /// Whether something is here that has properties of its own: a function, a value.
    leaf: bool,
}

impl Names {
    /// The nodes of a tree of modules, and what they export.
    pub fn modules(&mut self, tree: &ApiTree, half: &Half) {
        let root = self.trees.entry(tree.tree).or_default();
        for (path, file) in tree.all() {
            let place = root.at(path.split('/'));
            match half.module(file).map(|module| &module.compiled) {
                Some(module) if !module.diagnostics.iter().any(Diagnostic::is_error) => {
                    place.open |= module.exports.open;
                    for (name, _) in &module.exports.names {
                        place.at([name.as_str()]).leaf = true;
                    }
                }
                // It could not be compiled; that has been said already.
                _ => place.open = true,
            }
        }
    }

    /// The files of the server's tree, and their actions by path.
    pub fn actions<'a>(&mut self, tree: &ApiTree, half: &Half, actions: impl IntoIterator<Item = &'a str>) {
        let mut below: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let files: BTreeSet<&str> = tree.own().map(|(path, _)| path).collect();
        for action in actions {
            let ends = action.match_indices('/').map(|(at, _)| at);
            if let Some(end) = ends.rev().find(|&at| files.contains(&action[..at])) {
                below
                    .entry(tree.file(&action[..end]).expect("a file of the tree"))
                    .or_default()
                    .push(&action[end + 1..]);
            }
        }
        let root = self.trees.entry(Tree::Server).or_default();
        for (path, file) in tree.all() {
            let place = root.at(path.split('/'));
            let module = half.module(file).map(|module| &module.compiled);
            place.open |= module.is_none_or(|module| module.diagnostics.iter().any(Diagnostic::is_error));
            for action in below.get(file).into_iter().flatten() {
                place.at(action.split('/')).leaf = true;
            }
        }
    }

    /// Findings about the references of one module.
    pub fn check<'a>(&self, references: impl IntoIterator<Item = &'a Reference>) -> Vec<Diagnostic> {
        references.into_iter().filter_map(|reference| self.check_one(reference)).collect()
    }

    fn check_one(&self, reference: &Reference) -> Option<Diagnostic> {
        let mut place = self.trees.get(&reference.tree)?;
        let mut reached = 0;
        for (n, part) in reference.path.iter().enumerate() {
            if place.open || place.leaf {
                return None;
            }
            let Some(below) = place.below.get(part) else {
                return Some(unknown(reference, n, place));
            };
            place = below;
            reached = n + 1;
        }
        let is_computed = reference.dynamic && reached == reference.path.len() && !place.open && !place.leaf;
        is_computed.then(|| computed(reference))
    }
}

/// A note: what is computed may be right or wrong.
fn computed(reference: &Reference) -> Diagnostic {
    let parts: Vec<&str> = reference.path.iter().map(String::as_str).collect();
    let message = format!("what follows `{}` is computed, so it is not checked", spoken(reference.tree, &parts));
    Diagnostic::new(Code::DynamicPath, message)
        .at(reference.place.clone(), "")
        .help("Where the names are known, write them out: a misspelt one is found then.")
}

fn unknown(reference: &Reference, n: usize, place: &Place) -> Diagnostic {
    let parts: Vec<&str> = reference.path[..=n].iter().map(String::as_str).collect();
    let (part, above) = parts.split_last().expect("the path has the part that is not known");
    let message = format!("`{}` is not in the API tree", spoken(reference.tree, &parts));
    let diagnostic = Diagnostic::new(Code::UnknownPath, message).at(reference.place.clone(), "");
    let near: Vec<String> = nearest(part, place.below.keys().map(String::as_str))
        .into_iter()
        .map(|near| {
            let parts: Vec<&str> = above.iter().copied().chain([near]).collect();
            format!("`{}`", spoken(reference.tree, &parts))
        })
        .collect();
    if !near.is_empty() {
        return diagnostic.help(format!("Did you mean {}?", near.join(" or ")));
    }
    let there: Vec<&str> = place.below.keys().map(String::as_str).take(8).collect();
    if there.is_empty() {
        diagnostic.help("There is nothing there.")
    } else {
        diagnostic.help(format!("`{}` has: {}.", spoken(reference.tree, above), there.join(", ")))
    }
}

impl Place {
    fn at<'a>(&mut self, parts: impl IntoIterator<Item = &'a str>) -> &mut Self {
        parts.into_iter().fold(self, |place, part| place.below.entry(part.to_owned()).or_default())
    }
}
