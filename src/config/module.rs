//! Configuration files that are modules: linked as server code is, and evaluated.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_script::{Options, Wrap};
use ssbuild_server::config::module::{Moment, Surroundings, evaluate};

use super::{Reader, position};
use crate::{
    bundle::{Numbering, Script, Start, Writer},
    disk::DiskError,
    graph::{Dep, Graph, Loader},
    link::{Chunking, Roots, link},
    resolve::{Resolver, Side},
    sheets::Imported,
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
    let root = &reader.project.root;
    let resolver = Resolver::new(reader.disk, root, reader.env, &[]);
    let Some(path) = resolver.real(&root.join(file)) else { return Ok((None, Vec::new())) };
    let loader = Loader {
        disk: &**reader.disk,
        root,
        resolver: &resolver,
        side: Side::Server,
        options: options(reader.env),
        compile: reader.compile,
        import_sheet: &|path, _| Imported::refused(path),
    };
    let (graph, mut found) = loader.load(std::slice::from_ref(&path))?;
    found.extend(builtins(&graph));
    if found.iter().any(Diagnostic::is_error) {
        return Ok((None, found));
    }
    let module = graph.find(&path).expect("the root is in the graph");
    let (linked, cycles) = link(&graph, &Roots { all: vec![module], ..Roots::default() }, Chunking::None);
    found.extend(cycles);
    let mut writer = Writer::new(true);
    writer.define(&graph, &linked.main, Numbering::Linked(&linked));
    let tree = BTreeMap::from([("config".to_owned(), i64::from(linked.ids[module]))]);
    writer.start(&Start { trees: vec![("config", tree)], order: Vec::new() });
    let script = writer.finish(file);

    let variables = reader.variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let surroundings = Surroundings { env: reader.env.to_owned(), variables, moment: Moment::Build };
    match evaluate(file, &script.code, &surroundings) {
        Ok(values) => {
            let text = graph.modules[module].text.to_string();
            Ok((Some(Evaluated { text, values, bundle: script.code }), found))
        }
        Err(error) => {
            let place = error.at.and_then(|at| thrown_at(&graph, &script, at)).unwrap_or_else(|| Place::file(file));
            let message = format!("`{file}` cannot be evaluated: {}", error.message);
            found.push(Diagnostic::new(Code::ConfigInvalid, message).at(place, ""));
            Ok((None, found))
        }
    }
}

fn options(env: &str) -> Options {
    let node_env = if env == "development" { "\"development\"" } else { "\"production\"" };
    Options {
        wrap: Wrap::Module,
        minify: ssbuild_script::Minify::Off,
        source_map: true,
        read_actions: false,
        defines: vec![("process.env.NODE_ENV".to_owned(), node_env.to_owned())],
        typescript: ssbuild_script::TypeScript::default(),
        shake: ssbuild_script::Shake::No,
        // It runs in neither, and nothing has to be noted.
        side: ssbuild_script::Side::Browser,
        depth_limit: ssbuild_script::DEPTH_LIMIT,
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
    let (source, line, column) = position::original(script.map.as_deref()?, at)?;
    let module = graph.modules.iter().find(|module| module.name == source)?;
    let text = module.text.lines().nth(line as usize - 1)?;
    // Maps count in UTF-16 units, places in characters.
    let mut units = 0;
    let characters = text.chars().take_while(|letter| {
        units += u32::try_from(letter.len_utf16()).expect("one or two");
        units < column
    });
    let column = u32::try_from(characters.count()).unwrap_or(u32::MAX).saturating_add(1);
    Some(Place::at(source, line, column, 1, text))
}
