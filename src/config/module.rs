//! Configuration files that are modules: linked as server code is, and evaluated.

use serde_json::{Map, Value};
use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_server::config::module::{Moment, Surroundings, evaluate};

use super::Reader;
use crate::{
    bundle::Script,
    disk::DiskError,
    graph::{Dep, Graph},
    mappings,
    standalone::Standalone,
};

/// A configuration that was evaluated.
#[derive(Debug)]
pub(super) struct Evaluated {
    pub(super) text: String,
    pub(super) values: Map<String, Value>,
    /// What the server evaluates again when it starts.
    pub(super) bundle: String,
}

/// Compiles a module and what it imports, and evaluates it. Without values there are errors among the findings.
pub(super) fn read(reader: &Reader<'_>, file: &str) -> Result<(Option<Evaluated>, Vec<Diagnostic>), DiskError> {
    let node_env = if reader.env == "development" { "development" } else { "production" };
    let root = &reader.project.root;
    let alone = Standalone { disk: reader.disk, root, env: reader.env, node_env, compile: reader.compile };
    let Some((loaded, mut found)) = alone.load(file)? else { return Ok((None, Vec::new())) };
    let graph = &loaded.graph;
    found.extend(builtins(graph));
    if found.iter().any(Diagnostic::is_error) {
        return Ok((None, found));
    }
    let (script, cycles) = loaded.bundle(file, "config", "config");
    found.extend(cycles);

    let variables = reader.variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let surroundings = Surroundings { env: reader.env.to_owned(), variables, moment: Moment::Build };
    match evaluate(file, &script.code, &surroundings) {
        Ok(values) => {
            let text = graph.modules[loaded.module()].text.to_string();
            Ok((Some(Evaluated { text, values, bundle: script.code }), found))
        }
        Err(error) => {
            let place = error.at.and_then(|at| thrown_at(graph, &script, at)).unwrap_or_else(|| Place::file(file));
            let message = format!("`{file}` cannot be evaluated: {}", error.message);
            found.push(Diagnostic::new(Code::ConfigInvalid, message).at(place, ""));
            Ok((None, found))
        }
    }
}

/// Imports that nothing answers: the engine that evaluates a configuration has only the language.
fn builtins(graph: &Graph) -> Vec<Diagnostic> {
    let imports = graph.modules.iter().flat_map(|module| module.compiled.imports.iter().zip(&module.deps));
    let found = imports.filter_map(|(import, dep)| {
        let Dep::Host(name) = dep else { return None };
        let message = format!("a configuration cannot import `{name}`: it is evaluated without Node.js");
        let found = Diagnostic::new(Code::ImportUnresolved, message).at(import.place.clone(), "");
        Some(found.help(
            "Read what only the machine knows from `process.env` when the server starts, or do it in `config/db.js`.",
        ))
    });
    found.collect()
}

/// A place in the bundle as one in a source.
fn thrown_at(graph: &Graph, script: &Script, at: (u32, u32)) -> Option<Place> {
    mappings::place(script.map.as_deref()?, at, |source| {
        graph.modules.iter().find(|module| module.name == source).map(|module| &*module.text)
    })
}
