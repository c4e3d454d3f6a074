//! Which engine the server code needs: what only Node.js can give decides, at its first place.

use serde::{Deserialize, Serialize};
use ssbuild_diagnostic::{Code, Diagnostic, Place, Severity};
use ssbuild_script::ImportKind;
use ssbuild_server::{config::EngineChoice, manifest::EngineKind};

use crate::graph::{Dep, Graph, Module};

/// Globals of Node.js that the embedded engine does not have. Its own are listed in the book (`internals/engine.md`).
const ONLY_IN_NODE: &[&str] = &[
    "Blob",
    "BroadcastChannel",
    "Buffer",
    "CompressionStream",
    "CryptoKey",
    "CustomEvent",
    "DecompressionStream",
    "EventSource",
    "File",
    "FormData",
    "Intl",
    "MessageChannel",
    "MessageEvent",
    "MessagePort",
    "PerformanceObserver",
    "ReadableStream",
    "TextDecoderStream",
    "TextEncoderStream",
    "TransformStream",
    "WebAssembly",
    "WebSocket",
    "WritableStream",
    "__dirname",
    "__filename",
    "import.meta.dirname",
    "import.meta.filename",
    "import.meta.resolve",
    "navigator",
    "process",
    "require.resolve",
];

/// Methods that are there in the embedded engine, but do not look at languages. Packages name them often and call them seldom,
/// and shared code mostly calls them in browsers: only the server's own code counts.
const LOCALIZED: &[&str] = &["toLocaleDateString", "toLocaleString", "toLocaleTimeString"];

/// What only Node.js can give, and who wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The name, as in the source.
    pub name: String,
    /// What is done with it: `requires`, `imports` or `uses`.
    pub how: &'static str,
    /// Where.
    pub place: Place,
}

/// The engine of a build, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Which.
    pub engine: EngineKind,
    /// Why, in a sentence.
    pub reason: String,
    /// What decided, unless the configuration did. Of a build that is there it is not asked.
    #[serde(skip)]
    pub need: Option<Need>,
}

/// Chooses the engine.
pub fn choose(graph: &Graph, choice: EngineChoice, found: &mut Vec<Diagnostic>) -> Chosen {
    let need = graph.modules.iter().find_map(first_need);
    let configured = |engine| Chosen { engine, reason: "the configuration says so".to_owned(), need: None };
    match (choice, need) {
        (EngineChoice::Node, _) => configured(EngineKind::Node),
        (EngineChoice::Auto, Some(need)) => {
            let Need { name, how, place } = &need;
            let reason = format!("{}:{} {how} `{name}`", place.file, place.line);
            Chosen { engine: EngineKind::Node, reason, need: Some(need) }
        }
        (EngineChoice::Auto, None) => {
            Chosen { engine: EngineKind::Embedded, reason: "no server code needs Node.js".to_owned(), need: None }
        }
        (EngineChoice::Embedded, need) => {
            found.extend(need.map(missing));
            configured(EngineKind::Embedded)
        }
    }
}

/// The first thing in a module that only Node.js can give.
fn first_need(module: &Module) -> Option<Need> {
    let imports = module.compiled.imports.iter().zip(&module.deps);
    let imports = imports.filter(|(_, dep)| matches!(dep, Dep::Host(_))).map(|(import, _)| {
        let how = if import.kind == ImportKind::Require { "requires" } else { "imports" };
        Need { name: import.specifier.clone(), how, place: import.place.clone() }
    });
    let counts = |name: &str| ONLY_IN_NODE.contains(&name) || module.zone.is_private() && LOCALIZED.contains(&name);
    let globals = module.compiled.globals.iter().filter(|global| counts(&global.name));
    let globals = globals.map(|global| Need { name: global.name.clone(), how: "uses", place: global.place.clone() });
    imports.chain(globals).min_by_key(|need| (need.place.line, need.place.column))
}

/// An app that insists on the embedded engine wants something that it does not have. Whether a global is ever reached, only
/// running tells.
fn missing(need: Need) -> Diagnostic {
    let mut found = Diagnostic::new(Code::ImportUnresolved, format!("the embedded engine has no `{}`", need.name))
        .at(need.place, "")
        .help("Remove `build.engine = \"embedded\"` from the configuration, or do without.");
    if need.how == "uses" {
        found.severity = Severity::Warning;
    }
    found
}

/// The engine is another one than that of the build before, though nobody asked for it.
pub fn changed(before: EngineKind, chosen: &Chosen) -> Option<Diagnostic> {
    if before == chosen.engine || chosen.reason == "the configuration says so" {
        return None;
    }
    let name = |engine| match engine {
        EngineKind::Embedded => "the embedded engine",
        EngineKind::Node => "Node.js",
    };
    let message =
        format!("server code runs in {} now; in the build before it was {}", name(chosen.engine), name(before));
    let found = Diagnostic::new(Code::EngineChanged, message);
    let found = match &chosen.need {
        Some(need) => found.at(need.place.clone(), format!("{} `{}`", need.how, need.name)),
        None => found,
    };
    Some(found.help("Say which one is meant with `build.engine` in the configuration, or take out what decides."))
}
