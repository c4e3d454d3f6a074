//! The browser half of the runtime: its TypeScript sources are part of this program and are compiled with each app.

use std::{collections::BTreeMap, sync::Arc};

use rayon::prelude::*;
use ssbuild_diagnostic::Diagnostic;
use ssbuild_script::{CompiledModule, Language, Minify, Options, Source, Wrap};

use crate::graph::{Compile, Dep, Graph, Module};

macro_rules! sources {
    ($($name:literal)*) => {
        /// Name and text of every source.
        const SOURCES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../runtime-client/src/", $name, ".ts")))),*];
    };
}

sources! {
    "action" "answer" "client" "dev" "env" "events" "failure" "fallback" "hot" "index" "loader" "log" "overlay"
    "owners" "page" "protocol" "rpc" "session" "socket" "start" "streams" "templates" "tree"
}

/// Where maps and findings say these sources are.
const FOLDER: &str = "ssbuild/runtime-client";

/// What is started in a page, in this order.
pub const DEPLOYED: &[&str] = &["index"];
/// The same while the app is worked on.
pub const DEVELOPING: &[&str] = &["index", "dev"];

/// The source that is a plain script.
const LOADER: &str = "loader";

/// Path, text and what became of it.
type Compiled = (String, &'static str, Arc<CompiledModule>);

/// The runtime client, compiled.
#[derive(Debug)]
pub struct RuntimeClient {
    /// The loader: a plain script, before everything else.
    pub loader: Module,
    /// What the entries need, themselves first.
    pub modules: Graph,
}

/// Compiles the runtime client the way the app is compiled.
pub fn compile(options: &Options, compile: &Compile<'_>, entries: &[&str]) -> RuntimeClient {
    let compile = |name: &str, text: &'static str, wrap: Wrap| {
        let path = format!("{FOLDER}/{name}.ts");
        // The compressor's slow passes gain nothing on so little code.
        let minify = if options.minify == Minify::Max { Minify::Fast } else { options.minify };
        let options = Options { wrap, minify, ..options.clone() };
        let compiled = compile(Source { path: &path, text, language: Language::TypeScript }, &options);
        (name.to_owned(), (path, text, compiled))
    };
    let wrap = |name: &str| if name == LOADER { Wrap::Plain } else { Wrap::Module };
    let mut compiled: BTreeMap<String, Compiled> =
        SOURCES.par_iter().map(|(name, text)| compile(name, text, wrap(name))).collect();
    let mut take = |name: &str| compiled.remove(name).expect("it imports only what is embedded");
    let (path, text, loader) = take(LOADER);
    let loader = Module::embedded(&path, text, loader, Vec::new());

    let mut modules = Graph::default();
    let mut names: Vec<String> = entries.iter().map(|&name| name.to_owned()).collect();
    let mut index: BTreeMap<String, usize> = names.iter().cloned().zip(0..).collect();
    while let Some(name) = names.get(modules.modules.len()).cloned() {
        let (path, text, compiled) = take(&name);
        let deps = compiled.imports.iter().map(|import| {
            let name = import.specifier.trim_start_matches("./").to_owned();
            let at = *index.entry(name.clone()).or_insert_with(|| {
                names.push(name);
                names.len() - 1
            });
            Dep::Module(at)
        });
        let deps = deps.collect();
        modules.modules.push(Module::embedded(&path, text, compiled, deps));
    }
    RuntimeClient { loader, modules }
}

impl RuntimeClient {
    /// What was found in it, which is nothing unless a source is broken.
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        std::iter::once(&self.loader).chain(&self.modules.modules).flat_map(|module| &module.compiled.diagnostics)
    }
}

#[cfg(test)]
mod tests {
    use super::SOURCES;

    #[test]
    fn every_source_of_the_folder_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/runtime-client/src");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .expect("the runtime client is in the repository")
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".ts").map(str::to_owned))
            .collect();
        there.sort();
        let embedded: Vec<&str> = SOURCES.iter().map(|(name, _)| *name).collect();
        assert_eq!(there, embedded);
    }
}
