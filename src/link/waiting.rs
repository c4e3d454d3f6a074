//! Modules that wait at their top level, and those that have to wait for them.

use ssbuild_diagnostic::{Code, Diagnostic, Severity};
use ssbuild_script::{ImportKind, Need};

use crate::{
    graph::{Dep, Graph},
    zone::Zone,
};

/// Which modules wait, or import one that does.
pub(super) fn waiting(graph: &Graph) -> Vec<bool> {
    let mut waiting = vec![false; graph.modules.len()];
    let awaits = |at: &usize| graph.modules[*at].compiled.awaits.is_some();
    let mut stack: Vec<usize> = (0..graph.modules.len()).filter(awaits).collect();
    if stack.is_empty() {
        return waiting;
    }
    let mut importers = vec![Vec::new(); graph.modules.len()];
    for (at, module) in graph.modules.iter().enumerate() {
        for (import, dep) in module.compiled.imports.iter().zip(&module.deps) {
            if let (Dep::Module(to), ImportKind::Static) = (dep, import.kind) {
                importers[*to].push(at);
            }
        }
    }
    while let Some(at) = stack.pop() {
        if !std::mem::replace(&mut waiting[at], true) {
            stack.extend(&importers[at]);
        }
    }
    waiting
}

/// A finding for each `require` of a module that is not there at once.
pub(super) fn required_waiting(graph: &Graph, waiting: &[bool]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (at, module) in graph.modules.iter().enumerate() {
        for (import, dep) in module.compiled.imports.iter().zip(&module.deps) {
            let (Dep::Module(to), ImportKind::Require) = (dep, import.kind) else { continue };
            if !waiting[*to] {
                continue;
            }
            let message = format!("`{}` is required, and is not there at once", graph.modules[*to].name);
            let mut diagnostic = Diagnostic::new(Code::TopLevelAwait, message)
                .at(import.place.clone(), "`require` cannot wait")
                .help("Use `import`, or `await import(…)`.");
            if import.need == Need::Tried && module.zone == Zone::Package {
                diagnostic.severity = Severity::Note;
            }
            for (place, name) in way_to_wait(graph, *to, waiting) {
                diagnostic = diagnostic.at(place, name);
            }
            diagnostic.labels.extend(graph.chain(at));
            found.push(diagnostic);
        }
    }
    found
}

/// From a module to the one that waits: where each imports the next.
fn way_to_wait(graph: &Graph, from: usize, waiting: &[bool]) -> Vec<(ssbuild_diagnostic::Place, String)> {
    let mut way = Vec::new();
    let mut seen = vec![false; graph.modules.len()];
    let mut at = from;
    while !std::mem::replace(&mut seen[at], true) {
        let module = &graph.modules[at];
        if let Some(place) = &module.compiled.awaits {
            way.push((place.clone(), format!("`{}` waits here", module.name)));
            break;
        }
        let mut imports = module.compiled.imports.iter().zip(&module.deps);
        let next = imports.find_map(|(import, dep)| match dep {
            Dep::Module(to) if import.kind == ImportKind::Static && waiting[*to] && !seen[*to] => Some((import, *to)),
            _ => None,
        });
        let Some((import, to)) = next else { break };
        way.push((import.place.clone(), format!("`{}` imports `{}`", module.name, graph.modules[to].name)));
        at = to;
    }
    way
}
