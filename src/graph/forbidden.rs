//! What must not or cannot come to a browser, and how it would.

use ssbuild_diagnostic::{Code, Diagnostic, Label, Severity};
use ssbuild_script::Need;

use super::{Dep, Graph};
use crate::{resolve::Side, zone::Zone};

/// Longest chain of imports that a finding shows.
const CHAIN_MAX: usize = 12;

impl Graph {
    /// Imports that would bring to a browser what must not or cannot run there.
    pub(super) fn forbidden(&self, side: Side) -> Vec<Diagnostic> {
        if side == Side::Server {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (at, module) in self.modules.iter().enumerate() {
            // A private module's own imports are not the mistake.
            if module.zone.is_private() {
                continue;
            }
            for (import, dep) in module.compiled.imports.iter().zip(&module.deps) {
                let (message, help) = match dep {
                    Dep::Host(name) => (
                        format!("`{name}` is part of Node.js and does not exist in a browser"),
                        "Move the code to `app/server`, or use a package made for browsers.",
                    ),
                    Dep::Module(target) => {
                        let target = &self.modules[*target];
                        if target.zone.is_private() {
                            let message = format!("`{}` must not reach a browser", target.name);
                            (
                                message,
                                "Call it as an action through `SS.server`, or move what both sides need to `app/shared`.",
                            )
                        } else if module.zone == Zone::Shared && target.zone == Zone::Client && target.is_own() {
                            let message =
                                format!("shared code imports `{}`, which only a browser can run", target.name);
                            (message, "Move what both sides need to `app/shared`.")
                        } else {
                            continue;
                        }
                    }
                    Dep::Missing => continue,
                };
                let mut diagnostic = Diagnostic::new(Code::ImportForbidden, message)
                    .at(import.place.clone(), "imported here")
                    .help(help);
                if import.need == Need::Tried && matches!(dep, Dep::Host(_)) {
                    // It fails where it is caught.
                    diagnostic.severity = if module.zone == Zone::Package { Severity::Note } else { Severity::Warning };
                }
                diagnostic.labels.extend(self.chain(at));
                found.push(diagnostic);
            }
        }
        found
    }

    /// How a module came into the graph, from the import that names it up to a root.
    pub(crate) fn chain(&self, mut at: usize) -> Vec<Label> {
        let mut labels = Vec::new();
        while let Some((by, import)) = self.modules[at].found_by.filter(|_| labels.len() < CHAIN_MAX) {
            let place = self.modules[by].compiled.imports[import].place.clone();
            labels.push(Label { place, text: format!("which is how `{}` got here", self.modules[at].name) });
            at = by;
        }
        labels
    }
}
