//! What names mean: those of imports, of a module's parameters, and those that nothing declares.

use swc_core::atoms::atom;
use swc_core::common::Span;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::VisitMut;

use super::Walk;
use crate::references::{self, Mention, Usage};

impl Walk<'_> {
    pub(super) fn free_word(&self, expr: &Expr, word: &str) -> bool {
        matches!(expr, Expr::Ident(name) if self.names.is_free(name) && name.sym == *word)
    }

    /// Gives a free `module`, `exports` or `require` its parameter; of other names only Node's `global` is changed.
    pub(super) fn adopt(&mut self, name: &mut Ident) -> bool {
        if !self.is_module() {
            return false;
        }
        let parameter = match &*name.sym {
            "global" => {
                name.sym = atom!("globalThis");
                return true;
            }
            "exports" => &self.parameters.exports,
            "module" => &self.parameters.module,
            "require" => &self.parameters.require,
            _ => return false,
        };
        name.ctxt = parameter.ctxt;
        self.adopts = true;
        true
    }

    pub(super) fn free_name(&mut self, name: &mut Ident) {
        match &*name.sym {
            "exports" | "module" if self.is_module() => self.exports.escapes(),
            "eval" => {
                self.evaluates = true;
                self.evals.push(self.places.of(name.span));
            }
            _ => {}
        }
        if !self.adopt(name) || *name.sym == *"require" {
            self.globals.used(&name.sym, self.places, name.span);
        }
    }

    pub(super) fn require(&self, span: Span) -> Ident {
        Ident { span, ..self.parameters.require.clone() }
    }

    pub(super) fn refer(&mut self, expr: &Expr, usage: Usage) {
        let top_level = self.state.deferred == 0;
        match references::read(expr, usage, top_level, self.names, self.places) {
            Some(Mention::Tree(reference)) => self.references.push(reference),
            Some(Mention::Member(member)) => self.members.push(member),
            Some(Mention::Variable(variable)) => self.variables.push(variable),
            None => {}
        }
    }

    pub(super) fn note_shadow(&mut self, expr: &mut Expr) {
        if let Expr::Ident(name) = expr {
            self.visit_mut_ident(name);
        }
    }
}
