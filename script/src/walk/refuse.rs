//! What is legal JavaScript, or nearly, and cannot be linked.

use ssbuild_diagnostic::{Code, Diagnostic};
use swc_core::common::Span;
use swc_core::ecma::ast::Ident;

use super::Walk;
use crate::Minify;

impl Walk<'_> {
    pub(super) fn write(&mut self, name: &Ident) {
        if self.minify != Minify::Off {
            self.written.insert(name.to_id());
        }
        if self.state.strict && matches!(&*name.sym, "eval" | "arguments") {
            let message = format!("`{}` cannot be assigned to in strict code, as all modules are", name.sym);
            self.refuse(name.span, &message, "Choose another name.");
        }
        if !self.bindings.is_empty() && self.bindings.contains_key(&name.to_id()) {
            self.found.push(
                Diagnostic::new(Code::SyntaxError, format!("`{}` is imported and cannot be assigned to", name.sym))
                    .at(self.places.of(name.span), "an import is read-only")
                    .help("Let the module that declares it export a function that changes it."),
            );
        }
    }

    /// A library for `lib/client` that is an ES module.
    pub(crate) fn reject_plain(&mut self, span: Span) {
        self.found.push(
            Diagnostic::new(Code::LibIsModule, "a file in `lib/client` is a plain script, but this one is a module")
                .at(self.places.of(span), "only modules have this")
                .help("Take the library's build for browsers (UMD or IIFE), or install it and `import` it from `app/client`."),
        );
    }

    /// Waiting outside of every function: a module's evaluation goes on later, a plain script's cannot.
    pub(super) fn top_level_await(&mut self, span: Span) {
        if self.state.functions > 0 {
            return;
        }
        if self.esm && self.is_module() && self.is_browser() {
            self.awaits.get_or_insert_with(|| self.places.of(span));
            return;
        }
        let what = if self.is_browser() { "a plain script" } else { "a module of the server" };
        self.found.push(
            Diagnostic::new(Code::TopLevelAwait, format!("{what} cannot wait at its top level"))
                .at(self.places.of(span), "outside of every function")
                .help("Wait inside an async function, or export the promise and let its users wait."),
        );
    }
}
