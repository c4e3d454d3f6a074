use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Value, json};
use ssbuild_server::manifest::{Asset, Manifest};

use crate::{
    bundle::{Script, Writer},
    graph::Dep,
    half::Half,
    pipeline::Browser,
    zone::Zone,
};

/// A build that a page may be of, with all that is needed to make it a page of a later one.
pub(super) struct Version {
    manifest: Manifest,
    browser: Browser,
    /// Module to its index in the graph.
    by_name: HashMap<String, usize>,
}

/// What a page has to do to be one of another build. The client's `hot.ts` does it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Update {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) changed: Vec<String>,
    pub(super) took_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reload: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) styles: Vec<[String; 3]>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) templates: BTreeMap<String, Option<String>>,
    /// Address of the script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) script: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) modules: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) server: bool,
}

/// What has changed among the modules of a page.
struct Modules {
    /// New or other code, by index in the new graph.
    define: Vec<usize>,
    /// To be evaluated again, in order, by index in the new graph.
    again: Vec<usize>,
    /// Old ids of what is gone.
    gone: Vec<i64>,
}

impl Version {
    pub(super) fn new(manifest: Manifest, browser: Browser) -> Self {
        let names = browser.client.graph.modules.iter().enumerate();
        let by_name = names.map(|(at, module)| (module.name.clone(), at)).collect();
        Self { manifest, browser, by_name }
    }

    pub(super) fn build_id(&self) -> &str {
        &self.manifest.build_id
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How a page of this version becomes one of `next`: the update, and the script that it names.
    pub(super) fn update_to(&self, next: &Self) -> (Update, Option<Script>) {
        let mut update =
            Update { from: self.build_id().to_owned(), to: next.build_id().to_owned(), ..Update::default() };
        update.server = self.server() != next.server();
        if let Some(reason) = self.reload_for(next) {
            update.reload = Some(reason);
            return (update, None);
        }
        let modules = match self.modules_to(next) {
            Ok(modules) => modules,
            Err(reason) => {
                update.reload = Some(reason);
                return (update, None);
            }
        };
        update.styles = self.styles_to(next);
        update.templates = self.templates_to(next);
        let trees = self.browser.start != next.browser.start || self.manifest.chunks != next.manifest.chunks;
        let chunks = self.chunk_table() != next.chunk_table();
        if modules.define.is_empty() && modules.gone.is_empty() && modules.again.is_empty() && !trees && !chunks {
            return (update, None);
        }
        let graph = &next.browser.client.graph;
        update.modules = modules.again.iter().map(|&at| graph.modules[at].name.clone()).collect();
        (update, Some(self.script_to(next, &modules)))
    }

    fn server(&self) -> (&str, &BTreeMap<String, ssbuild_server::manifest::Action>) {
        (&self.manifest.server.bundle.sha256, &self.manifest.api.server)
    }

    /// What only a page that is loaded anew can have.
    fn reload_for(&self, next: &Self) -> Option<String> {
        let (old, new) = (&self.manifest, &next.manifest);
        let sha = |manifest: &Manifest, name: &str| manifest.assets.get(name).map(|asset| asset.sha256.clone());
        let files = |manifest: &Manifest| -> BTreeMap<String, String> {
            manifest.files.iter().map(|(path, asset)| (path.clone(), asset.sha256.clone())).collect()
        };
        let reasons = [
            (sha(old, "lib.js") != sha(new, "lib.js"), "`lib/client` is another"),
            (self.browser.views.pages != next.browser.views.pages, "a page is another"),
            (old.client_config != new.client_config, "the configuration is another"),
            (old.bundles != new.bundles, "the page has other bundles"),
            (files(old) != files(new), "files of `public` are others"),
            (
                (&old.env, &old.app, &old.cdn_base) != (&new.env, &new.app, &new.cdn_base),
                "the build is of another kind",
            ),
        ];
        reasons.into_iter().find(|(changed, _)| *changed).map(|(_, reason)| reason.to_owned())
    }

    fn styles_to(&self, next: &Self) -> Vec<[String; 3]> {
        let styles = self.manifest.bundles.values().filter_map(|bundle| bundle.style.as_ref());
        let changed = styles.filter_map(|name| {
            let (old, new) = (self.manifest.assets.get(name)?, next.manifest.assets.get(name)?);
            (old.sha256 != new.sha256).then(|| [url(old), url(new), new.integrity.clone()])
        });
        changed.collect()
    }

    fn templates_to(&self, next: &Self) -> BTreeMap<String, Option<String>> {
        let (old, new) = (&self.browser.views.templates, &next.browser.views.templates);
        let gone = old.keys().filter(|id| !new.contains_key(*id)).map(|id| (id.clone(), None));
        let there = new.iter().filter(|(id, text)| old.get(*id) != Some(*text));
        gone.chain(there.map(|(id, text)| (id.clone(), Some(text.clone())))).collect()
    }

    /// What has changed among the modules, or why that cannot be swapped.
    fn modules_to(&self, next: &Self) -> Result<Modules, String> {
        let (old, new) = (&self.browser.client, &next.browser.client);
        let mut changed = BTreeSet::new();
        let mut define = Vec::new();
        let mut added = Vec::new();
        for (at, module) in new.graph.modules.iter().enumerate() {
            match self.by_name.get(&module.name) {
                None => {
                    define.push(at);
                    added.push(at);
                }
                Some(&before) if !same(old, before, new, at) => {
                    if module.zone == Zone::Package {
                        return Err(format!("`{}` is another", module.name));
                    }
                    define.push(at);
                    changed.insert(at);
                }
                Some(_) => {}
            }
        }
        let affected = with_importers(new, &changed);
        self.waiting_to(next, &affected, &added)?;
        let entry = next.manifest.api.client.contains_key("app").then(|| next.entry()).flatten();
        if let Some(entry) = entry.filter(|entry| affected.contains(entry)) {
            let module = &new.graph.modules[entry];
            if !module.compiled.exports.names.iter().any(|(name, _)| name == "hot") {
                return Err(match changed.contains(&entry) {
                    true => format!("`{}` changed, which starts the page", module.name),
                    false => format!("`{}` imports what changed, and starts the page", module.name),
                });
            }
        }
        let gone = old.graph.modules.iter().enumerate().filter(|(_, module)| !next.by_name.contains_key(&module.name));
        let gone = gone.map(|(at, _)| old.id(at)).collect();
        // Of what is new, the trees are evaluated; the rest when somebody asks for it.
        let fresh = added.into_iter().filter(|at| new.linked.order.contains(at));
        let mut again: Vec<usize> = affected.into_iter().chain(fresh).collect();
        // Ids count in the order of evaluation.
        again.sort_by_key(|&at| new.id(at));
        Ok(Modules { define, again, gone })
    }

    /// What waits when it is evaluated is not evaluated again, nor given another number, while a page runs.
    fn waiting_to(&self, next: &Self, affected: &BTreeSet<usize>, added: &[usize]) -> Result<(), String> {
        let (old, new) = (&self.browser.client, &next.browser.client);
        let named = |half: &Half, at: usize| {
            let name = &half.graph.modules[at].name;
            Err(format!("`{name}` waits when it is evaluated, or imports what does"))
        };
        if let Some(&at) = affected.iter().find(|&&at| new.linked.waiting[at]) {
            return named(new, at);
        }
        let is_gone = old.graph.modules.iter().any(|module| !next.by_name.contains_key(&module.name));
        match old.linked.waiting.iter().position(|waits| *waits) {
            Some(at) if is_gone || !added.is_empty() => named(old, at),
            _ => Ok(()),
        }
    }

    fn entry(&self) -> Option<usize> {
        let client = self.browser.start.trees.iter().find(|(name, _)| *name == "client")?;
        let id = client.1.get("app")?;
        (0..self.browser.client.graph.modules.len()).find(|&at| self.browser.client.id(at) == *id)
    }

    /// Chunk id to address and integrity, as the page's data has it.
    fn chunk_table(&self) -> Value {
        let entries = self.manifest.chunks.iter().filter_map(|(id, name)| {
            let asset = self.manifest.assets.get(name)?;
            Some((id.clone(), json!([url(asset), asset.integrity])))
        });
        Value::Object(entries.collect())
    }

    fn script_to(&self, next: &Self, modules: &Modules) -> Script {
        let (old, new) = (&self.browser.client, &next.browser.client);
        let kept: Vec<(i64, i64)> = self
            .by_name
            .iter()
            .filter_map(|(name, &before)| Some((old.id(before), new.id(*next.by_name.get(name)?))))
            .collect();
        let same_ids = kept.iter().all(|(before, after)| before == after);
        let ids: BTreeMap<String, i64> = kept.into_iter().map(|(before, after)| (before.to_string(), after)).collect();
        let mut peers: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for chunk in &new.linked.chunks {
            let there = chunk.modules.iter().filter(|&&at| self.by_name.contains_key(&new.graph.modules[at].name));
            let there: Vec<i64> = there.map(|&at| new.id(at)).collect();
            for at in chunk.modules.iter().filter(|at| modules.define.contains(at)) {
                peers.insert(new.id(*at).to_string(), there.clone());
            }
        }
        let trees: serde_json::Map<String, Value> =
            next.browser.start.trees.iter().map(|(name, tree)| ((*name).to_owned(), json!(tree))).collect();
        let begin = json!({
            "from": self.build_id(),
            "to": next.build_id(),
            "ids": if same_ids { Value::Null } else { json!(ids) },
            "gone": modules.gone,
            "evaluate": modules.again.iter().map(|&at| new.id(at)).collect::<Vec<_>>(),
            "chunks": peers,
            "trees": trees,
            "table": next.chunk_table(),
        });
        let mut writer = Writer::new(true).scoped();
        writer.unmapped("begin", &format!("__ss.begin({begin})"));
        writer.define(&new.graph, &modules.define, &new.linked);
        writer.unmapped("commit", "__ss.commit()");
        writer.finish("update.js")
    }
}

fn url(asset: &Asset) -> String {
    crate::public::url_path(asset.file.strip_prefix("public").unwrap_or(&asset.file))
}

/// Whether a module is what it was: its code, and what its imports come to.
fn same(old: &Half, before: usize, new: &Half, after: usize) -> bool {
    let (was, is) = (&old.graph.modules[before], &new.graph.modules[after]);
    was.compiled.code == is.compiled.code
        && was.compiled.esm == is.compiled.esm
        && was.deps.len() == is.deps.len()
        && was.deps.iter().zip(&is.deps).all(|(was, is)| dep(old, before, was) == dep(new, after, is))
}

/// What an import comes to, without numbers.
fn dep<'a>(half: &'a Half, from: usize, dep: &'a Dep) -> (&'a str, Option<String>) {
    match dep {
        Dep::Module(to) => {
            // In a chunk of its own, the dependency is a list that begins with the chunk's name.
            let text = half.linked.dependency(from, dep);
            let chunk = text.strip_prefix("[\"").and_then(|rest| rest.split('"').next()).map(str::to_owned);
            (half.graph.modules[*to].name.as_str(), chunk)
        }
        Dep::Host(name) => (name, Some("host".to_owned())),
        _ => ("", None),
    }
}

/// These modules, and whoever imports them, however far away.
fn with_importers(half: &Half, changed: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut importers: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, module) in half.graph.modules.iter().enumerate() {
        for (import, dep) in module.compiled.imports.iter().zip(&module.deps) {
            // Who imports dynamically asks again.
            if let (Dep::Module(to), true) = (dep, import.kind != ssbuild_script::ImportKind::Dynamic) {
                importers.entry(*to).or_default().push(at);
            }
        }
    }
    let mut affected = changed.clone();
    let mut waiting: Vec<usize> = changed.iter().copied().collect();
    while let Some(at) = waiting.pop() {
        for &importer in importers.get(&at).into_iter().flatten() {
            if affected.insert(importer) {
                waiting.push(importer);
            }
        }
    }
    affected
}
