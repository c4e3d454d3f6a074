//! The three API trees of an app, and what the manifest says of them.

use std::collections::{BTreeMap, HashMap};

use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_script::{AnswerStyle, Tree};
use ssbuild_server::manifest::{Action, Api, Style};

use crate::{
    api_tree::{ApiTree, check_actions, check_exports},
    check::{Names, members},
    graph::Module,
    half::Half,
    project::{Project, Role},
};

/// The three trees.
#[derive(Debug)]
pub struct Trees {
    /// `SS.client`.
    pub client: ApiTree,
    /// `SS.shared`.
    pub shared: ApiTree,
    /// `SS.server`: its files; the actions are inside them.
    pub server: ApiTree,
}

impl Trees {
    /// Places the app's scripts.
    pub fn new(project: &Project) -> (Self, Vec<Diagnostic>) {
        let mut found = Vec::new();
        let mut place = |tree, role| {
            let (tree, conflicts) = ApiTree::new(tree, &project.scripts(role));
            found.extend(conflicts);
            tree
        };
        let trees = Self {
            client: place(Tree::Client, Role::Client),
            shared: place(Tree::Shared, Role::Shared),
            server: place(Tree::Server, Role::Server),
        };
        (trees, found)
    }

    /// What can be called and seen, and findings about names that cannot be.
    pub fn api(&self, client: &Half, server: &Half) -> (Api, Vec<Diagnostic>) {
        let mut found = Vec::new();
        let mut exports = |tree: &ApiTree| -> BTreeMap<String, Vec<String>> {
            tree.own()
                .map(|(path, file)| {
                    let exports = client.module(file).map(|module| &module.compiled.exports);
                    found.extend(exports.into_iter().flat_map(|exports| check_exports(file, exports)));
                    let names = exports.into_iter().flat_map(|exports| exports.names.iter());
                    // These are for hot swaps and no part of the node.
                    let public = names.filter(|(name, _)| !matches!(name.as_str(), "hot" | "dispose"));
                    (path.to_owned(), public.map(|(name, _)| name.clone()).collect())
                })
                .collect()
        };
        let (client, shared) = (exports(&self.client), exports(&self.shared));
        let mut api = Api { client, shared, server: BTreeMap::new() };
        for (path, file) in self.server.own() {
            let module = server.module(file).map(|module| &module.compiled);
            found.extend(check_actions(module.and_then(|module| module.actions.as_deref()).unwrap_or_default()));
            for action in module.iter().flat_map(|module| module.actions.iter().flatten()) {
                let style = match action.style {
                    AnswerStyle::Callback => Style::Callback,
                    AnswerStyle::Value => Style::Value,
                };
                let described = Action { params: action.params.clone(), rest: action.rest, style, guard: action.guard };
                api.server.insert(format!("{path}/{}", action.path.join("/")), described);
            }
        }
        (api, found)
    }

    /// Where each action's function stands, by its path.
    pub fn places(&self, server: &Half) -> BTreeMap<String, Place> {
        let mut places = BTreeMap::new();
        for (path, file) in self.server.own() {
            for action in server.module(file).iter().flat_map(|module| module.compiled.actions.iter().flatten()) {
                places.insert(format!("{path}/{}", action.path.join("/")), action.place.clone());
            }
        }
        places
    }

    /// Findings about places that are used while modules are evaluated, before what stands there is.
    pub fn check_order(&self, client: &Half) -> Vec<Diagnostic> {
        let order = client.linked.order.iter().enumerate();
        let position: HashMap<usize, usize> = order.map(|(position, &module)| (module, position)).collect();
        let mut found = Vec::new();
        for (at, module) in client.graph.modules.iter().enumerate() {
            let Some(now) = position.get(&at) else { continue };
            for reference in module.compiled.references.iter().filter(|reference| reference.top_level) {
                let tree = match reference.tree {
                    Tree::Client => &self.client,
                    Tree::Shared => &self.shared,
                    Tree::Server => continue,
                };
                let Some(file) = tree.file_above(&reference.path) else { continue };
                let Some(target) = client.index(file).filter(|target| *target != at) else { continue };
                if position.get(&target).is_some_and(|then| then < now) {
                    continue;
                }
                found.push(
                    Diagnostic::new(Code::UsedEarly, format!("`{file}` is evaluated after this module uses it"))
                        .at(reference.place.clone(), "")
                        .help(format!("Import `{file}`, which sets the order, or use it inside a function.")),
                );
            }
        }
        found
    }

    /// Findings about static paths of `SS` that name nothing.
    pub fn check(&self, api: &Api, client: &Half, server: &Half, templates: &[String]) -> Vec<Diagnostic> {
        let mut names = Names::default();
        names.modules(&self.client, client);
        names.modules(&self.shared, client);
        names.actions(&self.server, server, api.server.keys().map(String::as_str));
        let modules = client.graph.modules.iter().chain(&server.graph.modules).filter(|module| module.zone.is_own());
        let of_module = |module: &Module| {
            let mut found = names.check(&module.compiled.references);
            let members = module.compiled.members.iter();
            found.extend(members.filter_map(|member| members::check(member, module.zone, templates)));
            found.extend(client_on_server(module));
            found
        };
        modules.flat_map(of_module).collect()
    }
}

/// `SS.client` in code that never runs in a browser.
fn client_on_server(module: &Module) -> Vec<Diagnostic> {
    let mentions = module.compiled.references.iter();
    let mentions = mentions.filter(|reference| reference.tree == Tree::Client && module.zone.is_private());
    let missing = |reference: &ssbuild_script::Reference| {
        Diagnostic::new(Code::UnknownPath, "there is no `SS.client` here")
            .at(reference.place.clone(), "")
            .help("It exists in browsers only. `SS.publish` sends them events.")
    };
    mentions.map(missing).collect()
}
