//! What is legal JavaScript, or nearly, and cannot be linked.

use ssbuild_diagnostic::{Code, Diagnostic, Severity};
use swc_core::common::Span;
use swc_core::ecma::ast::{Expr, ExprOrSpread, Ident, Lit, MetaPropKind, NewExpr};

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

    /// `new URL("./x", import.meta.url)`: a bundle does not lie beside the files that its modules lay beside.
    pub(super) fn file_beside(&mut self, new: &NewExpr) {
        let Some([ExprOrSpread { expr: file, .. }, ExprOrSpread { expr: base, .. }]) = new.args.as_deref() else {
            return;
        };
        let (Expr::Lit(Lit::Str(file)), Expr::Member(base)) = (&**file, &**base) else { return };
        let is_meta = matches!(&*base.obj, Expr::MetaProp(meta) if meta.kind == MetaPropKind::ImportMeta);
        let name = file.value.as_str().unwrap_or_default();
        // Packages mostly have a way without the file.
        let in_package = self.places.path().split('/').any(|part| part == "node_modules");
        if self.is_browser() && is_meta && name.starts_with('.') && !in_package {
            let mut found = Diagnostic::new(
                Code::UrlUnresolved,
                format!("`{name}` is not beside the bundle, where it is looked for"),
            )
            .at(self.places.of(file.span), "")
            .help("Put the file into `public` and name it by its path there, as in `new Worker('/worker.js')`.");
            found.severity = Severity::Warning;
            self.found.push(found);
        }
    }

    pub(super) fn top_level_await(&mut self, span: Span) {
        if self.state.functions == 0 {
            self.found.push(
                Diagnostic::new(Code::TopLevelAwait, "a module cannot wait at its top level")
                    .at(self.places.of(span), "outside of every function")
                    .help("Wait inside an async function, or export the promise and let its users wait."),
            );
        }
    }
}
