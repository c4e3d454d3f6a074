//! Bundles: many modules in the format of `book/src/internals/bundle.md`, with the maps of all joined.

mod joined;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ssbuild_script::{ImportKind, MapChunk, MapJoiner, MapPlaces, MapState};

use crate::{
    graph::{Dep, Graph, Module},
    link::Linked,
    output::StagedFile,
    zone::Zone,
};
use joined::{Joined, Piece};

/// A script that is ready to be named by its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// The text.
    #[serde(skip)]
    pub code: String,
    /// The source map, as JSON, when one is wanted.
    #[serde(skip)]
    pub map: Option<String>,
    /// Where the parts of the map lie.
    pub map_places: Option<MapPlaces>,
    /// What of it lies in the output folder already.
    #[serde(skip)]
    pub staged: Staged,
    /// How long the text is.
    pub bytes: usize,
    /// How many modules and plain files went into it.
    pub modules: usize,
    /// Which, and where they are in the text.
    pub parts: Vec<Part>,
}

/// A module or plain file in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The module's name.
    pub name: String,
    /// Where its code begins in the bundle, in bytes.
    pub start: usize,
    /// How long its code is.
    pub bytes: usize,
    /// How long its source is.
    pub source_bytes: usize,
    /// Names of the modules that it imports, and how it asks for them.
    #[serde(skip)]
    pub imports: Vec<(String, ImportKind)>,
    /// Where the map stood before it.
    pub map: Option<MapState>,
}

/// Files of a script that were written and flushed before the rest of the build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Staged {
    /// The text's, with its integrity.
    pub code: Option<(StagedFile, String)>,
    /// The map's, which is nowhere else.
    pub map: Option<StagedFile>,
}

impl Script {
    /// Takes the code and its map out.
    pub fn take(&mut self) -> (Vec<u8>, Option<Vec<u8>>) {
        (std::mem::take(&mut self.code).into_bytes(), self.map.take().map(String::into_bytes))
    }
}

/// What `__ss.start` is told, each tree a JSON object.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Tree name to path to number.
    pub trees: Vec<(&'static str, BTreeMap<String, i64>)>,
    /// Ids, in the order of evaluation.
    pub order: Vec<i64>,
}

/// Writes one bundle from top to bottom.
#[derive(Debug)]
pub struct Writer {
    code: String,
    map: Option<MapJoiner>,
    parts: Vec<Part>,
    scoped: bool,
}

impl Writer {
    /// An empty bundle, with or without a map.
    pub fn new(with_map: bool) -> Self {
        Self { code: String::new(), map: with_map.then(MapJoiner::new), parts: Vec::new(), scoped: false }
    }

    /// Lets each module of the app have an `SS` of its own, which the development client needs to know whose handlers are
    /// whose: such a module is a function of `SS` that returns the function.
    #[must_use]
    pub fn scoped(self) -> Self {
        Self { scoped: true, ..self }
    }

    /// Adds `__ss.define` for modules of a graph. ES modules stand in strict code, the others in sloppy code.
    pub fn define(&mut self, graph: &Graph, modules: &[usize], linked: &Linked) {
        let (strict, sloppy): (Vec<usize>, Vec<usize>) = modules
            .iter()
            .filter(|&&module| !linked.groups.is_absorbed(module))
            .partition(|&&module| graph.modules[module].compiled.esm);
        if !sloppy.is_empty() {
            self.text("__ss.define({\n");
            self.members(graph, &sloppy, linked);
            self.text("});\n");
        }
        if !strict.is_empty() {
            self.text("(function(){\"use strict\";__ss.define({\n");
            self.members(graph, &strict, linked);
            self.text("})})();\n");
        }
    }

    /// Adds a program as it is, and a `;` on a line of its own, so that it cannot run into what follows.
    pub fn plain(&mut self, module: &Module) {
        self.source(module, Vec::new(), (&module.compiled.code, module.compiled.map.as_ref()));
        self.text("\n;\n");
    }

    /// Adds a program that is not mapped.
    pub fn unmapped(&mut self, name: &str, code: &str) {
        let (name, start, bytes) = (name.to_owned(), self.code.len(), code.len());
        self.parts.push(Part { name, start, bytes, source_bytes: bytes, imports: Vec::new(), map: None });
        self.text(code);
        self.text("\n;\n");
    }

    /// Adds `__ss.start`.
    pub fn start(&mut self, start: &Start) {
        let trees: serde_json::Map<String, serde_json::Value> =
            start.trees.iter().map(|(name, tree)| ((*name).to_owned(), serde_json::json!(tree))).collect();
        let order = serde_json::json!(start.order);
        self.text(&format!("__ss.start({},{order});\n", serde_json::Value::Object(trees)));
    }

    /// The bundle; `name` is what its map calls it.
    pub fn finish(self, name: &str) -> Script {
        let (map, map_places) = self.map.map(|map| map.finish_with_places(Some(name))).unzip();
        let modules = self.parts.len();
        let (bytes, staged) = (self.code.len(), Staged::default());
        Script { code: self.code, map, map_places, staged, bytes, modules, parts: self.parts }
    }

    fn members(&mut self, graph: &Graph, modules: &[usize], linked: &Linked) {
        for &at in modules {
            let module = &graph.modules[at];
            self.text(&format!("{}:[", linked.ids[at]));
            if let steps @ [_, ..] = linked.groups.steps(at) {
                let deps = self.joined(Joined::new(graph, steps, linked.groups.asked(at)), graph);
                let deps: Vec<String> = deps.iter().map(|dep| linked.dependency(at, dep)).collect();
                self.text(&format!(",[{}]{}],\n", deps.join(","), rest(false, linked.waits(graph, at))));
                continue;
            }
            let scoped =
                self.scoped && matches!(module.zone, Zone::Client | Zone::Shared) && module.text.contains("SS");
            if scoped {
                self.text("function(SS){return ");
            }
            self.module(graph, module, (&module.compiled.code, module.compiled.map.as_ref()));
            if scoped {
                self.text("}");
            }
            let deps: Vec<String> = module.deps.iter().map(|dep| linked.dependency(at, dep)).collect();
            self.text(&format!(",[{}]{}],\n", deps.join(","), rest(scoped, linked.waits(graph, at))));
        }
    }

    /// A function of several modules; also returns what it asks for, by number.
    fn joined(&mut self, joined: Joined<'_>, graph: &Graph) -> Vec<Dep> {
        for piece in joined.pieces() {
            match piece {
                Piece::Text(text) => self.text(&text),
                Piece::Module(at, code, map) => self.module(graph, &graph.modules[at], (&code, map.as_ref())),
            }
        }
        joined.into_deps()
    }

    fn module(&mut self, graph: &Graph, module: &Module, (code, map): (&str, Option<&MapChunk>)) {
        let imports = module.compiled.imports.iter().zip(&module.deps).filter_map(|(import, dep)| match dep {
            Dep::Module(to) => Some((graph.modules[*to].name.clone(), import.kind)),
            Dep::Host(name) => Some((name.clone(), import.kind)),
            Dep::Missing => None,
        });
        self.source(module, imports.collect(), (code, map));
    }

    fn source(
        &mut self,
        module: &Module,
        imports: Vec<(String, ImportKind)>,
        (code, chunk): (&str, Option<&MapChunk>),
    ) {
        let (name, source_bytes) = (module.name.clone(), module.text.len());
        let map = self.map.as_ref().map(MapJoiner::state);
        self.parts.push(Part { name, start: self.code.len(), bytes: code.len(), source_bytes, imports, map });
        if let Some(map) = &mut self.map {
            match chunk {
                Some(chunk) => map.push_chunk(chunk, &module.name, Some(&module.text)),
                None => map.push_text(code),
            }
        }
        self.code.push_str(code);
    }

    /// Adds text that comes from no source.
    pub fn text(&mut self, text: &str) {
        if let Some(map) = &mut self.map {
            map.push_text(text);
        }
        self.code.push_str(text);
    }
}

/// What a definition says beside its function and dependencies.
fn rest(scoped: bool, waits: Option<(Vec<u32>, bool)>) -> String {
    match waits {
        None if scoped => ",1".to_owned(),
        None => String::new(),
        Some((imports, itself)) => {
            let imports: Vec<String> = imports.iter().map(u32::to_string).collect();
            let itself = if itself { ",1" } else { "" };
            format!(",{},[{}]{itself}", u8::from(scoped), imports.join(","))
        }
    }
}
