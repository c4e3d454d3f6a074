//! Mistakes that the parser lets through and that keep an engine from running anything of the file: names declared twice,
//! private names that no class declares.

use rustc_hash::FxHashMap;
use ssbuild_diagnostic::{Code, Diagnostic};
use swc_core::atoms::Atom;
use swc_core::common::Span;
use swc_core::ecma::ast::*;

use super::Walk;
use crate::{Language, patterns};

/// How a name is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `var`, a parameter, a function: may be declared again by one of these.
    Repeatable,
    /// `let`, `const`, `class`, `import`.
    Once,
}

/// The names of a program with the place of each. Scopes are told apart by the names' contexts.
#[derive(Default)]
pub(crate) struct Declared {
    names: FxHashMap<Id, (Kind, Span)>,
    private: Vec<Vec<Atom>>,
}

impl Walk<'_> {
    pub(crate) fn declare(&mut self, name: &Ident, kind: Kind) {
        let (first, again) = match self.declared.names.get(&name.to_id()) {
            None => {
                self.declared.names.insert(name.to_id(), (kind, name.span));
                return;
            }
            Some(&(Kind::Repeatable, _)) if kind == Kind::Repeatable => return,
            // A transform may write a declaration again; what is in the source is there once.
            Some(&(_, span)) if span == name.span || span.is_dummy() || name.span.is_dummy() => return,
            Some(&(_, span)) => {
                if span.lo <= name.span.lo {
                    (span, name.span)
                } else {
                    (name.span, span)
                }
            }
        };
        self.found.push(
            Diagnostic::new(Code::SyntaxError, format!("`{}` is declared twice", name.sym))
                .at(self.places.of(again), "declared again here")
                .at(self.places.of(first), "declared here first")
                .help("Rename one of them, or assign to the first."),
        );
    }

    /// Parameters. TypeScript's namespaces have become functions whose parameter is named, and marked, like themselves.
    pub(super) fn declare_parameter(&mut self, pat: &Pat) {
        if !matches!(self.language, Language::TypeScript | Language::Tsx) {
            self.declare_pattern(pat, Kind::Repeatable);
        }
    }

    fn declare_pattern(&mut self, pat: &Pat, kind: Kind) {
        patterns::each_name(pat, &mut |name| self.declare(name, kind));
    }

    pub(super) fn declare_variables(&mut self, var: &VarDecl) {
        let kind = if var.kind == VarDeclKind::Var { Kind::Repeatable } else { Kind::Once };
        for decl in &var.decls {
            self.declare_pattern(&decl.name, kind);
        }
    }

    /// The functions of a function's body. Those in blocks follow rules of their own.
    pub(crate) fn declare_functions(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            if let Stmt::Decl(Decl::Fn(function)) = stmt {
                self.declare(&function.ident, Kind::Repeatable);
            }
        }
    }

    pub(super) fn enter_class(&mut self, class: &Class) {
        let name = |member: &ClassMember| match member {
            ClassMember::PrivateMethod(method) => Some(method.key.name.clone()),
            ClassMember::PrivateProp(prop) => Some(prop.key.name.clone()),
            ClassMember::AutoAccessor(AutoAccessor { key: Key::Private(key), .. }) => Some(key.name.clone()),
            _ => None,
        };
        self.declared.private.push(class.body.iter().filter_map(name).collect());
    }

    pub(super) fn leave_class(&mut self) {
        self.declared.private.pop();
    }

    pub(super) fn use_private(&mut self, name: &PrivateName) {
        if !self.declared.private.iter().any(|names| names.contains(&name.name)) {
            self.found.push(
                Diagnostic::new(Code::SyntaxError, format!("`#{}` is not declared by a class around it", name.name))
                    .at(self.places.of(name.span), "")
                    .help("Declare it in the class body: `#name;`."),
            );
        }
    }
}
