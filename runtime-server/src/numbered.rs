//! The actions of a build by their paths, and each with its number: its place in the order of the paths, which server code
//! knows as well.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::manifest::Action;

/// The actions of a build, to be looked up for each call.
#[derive(Debug)]
pub(crate) struct Numbered {
    by_path: FxHashMap<Arc<str>, (usize, Action)>,
    paths: Vec<Arc<str>>,
}

impl Numbered {
    pub(crate) fn new(actions: &BTreeMap<String, Action>) -> Self {
        let paths: Vec<Arc<str>> = actions.keys().map(|path| path.as_str().into()).collect();
        let numbered = actions.values().cloned().enumerate();
        Self { by_path: paths.iter().cloned().zip(numbered).collect(), paths }
    }

    /// The action of that path, with its number.
    pub(crate) fn get(&self, path: &str) -> Option<(usize, &Action)> {
        self.by_path.get(path).map(|(number, action)| (*number, action))
    }

    /// The path of the action of that number.
    pub(crate) fn path(&self, number: usize) -> &Arc<str> {
        &self.paths[number]
    }
}
