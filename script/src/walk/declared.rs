//! Mistakes that the parser lets through and that keep an engine from running anything of the file: names declared twice,
//! private names that no class declares.

use rustc_hash::FxHashMap;
use ssbuild_diagnostic::{Code, Diagnostic};
use swc_core::atoms::Atom;
use swc_core::common::Span;
use swc_core::ecma::ast::*;

use super::{Walk, typed};
use crate::{Language, patterns, regex};

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
    classes: Vec<ClassScope>,
}

/// A class around the place that is looked at.
struct ClassScope {
    private: Vec<Atom>,
    extends: bool,
}

impl Walk<'_> {
    pub(crate) fn declare(&mut self, name: &Ident, kind: Kind) {
        let (first, again) = match self.declared.names.get(&name.to_id()) {
            None => {
                self.declared.names.insert(name.to_id(), (kind, name.span));
                return;
            }
            Some(&(Kind::Repeatable, _)) if kind == Kind::Repeatable => {
                self.written.insert(name.to_id());
                return;
            }
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
            if kind == Kind::Repeatable {
                patterns::each_name(&decl.name, &mut |name| self.check_var(name));
            }
        }
    }

    /// The functions of a function's body. Those in blocks follow rules of their own.
    pub(crate) fn declare_functions(&mut self, stmts: &[Stmt]) {
        // At the top of an ES module a function is there once; where there were types, it may have been several things.
        let once = self.esm && self.is_top_level() && !typed(self.language);
        let kind = if once { Kind::Once } else { Kind::Repeatable };
        for stmt in stmts {
            if let Stmt::Decl(Decl::Fn(function)) = stmt {
                self.declare(&function.ident, kind);
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
        class.body.iter().for_each(|member| self.check_member_name(member));
        let private = class.body.iter().filter_map(name).collect();
        self.declared.classes.push(ClassScope { private, extends: class.super_class.is_some() });
    }

    pub(super) fn leave_class(&mut self) {
        self.declared.classes.pop();
    }

    pub(super) fn use_private(&mut self, name: &PrivateName) {
        if !self.declared.classes.iter().any(|class| class.private.contains(&name.name)) {
            self.found.push(
                Diagnostic::new(Code::SyntaxError, format!("`#{}` is not declared by a class around it", name.name))
                    .at(self.places.of(name.span), "")
                    .help("Declare it in the class body: `#name;`."),
            );
        }
    }

    /// `super()` in the constructor of a class that extends nothing.
    pub(super) fn call_super(&mut self, span: Span) {
        if !self.state.constructs {
            self.refuse(
                span,
                "`super()` is called outside of the constructor of a class that extends another",
                "Remove the call, or add `extends`.",
            );
        }
    }

    /// Whether the class around extends another.
    pub(super) fn is_derived(&self) -> bool {
        self.declared.classes.last().is_some_and(|class| class.extends)
    }

    /// `#name` alone, which is allowed only before `in`.
    pub(super) fn lone_private(&mut self, span: Span) {
        self.refuse(span, "a private name cannot stand alone", "Write `this.#name`, or `#name in object`.");
    }

    /// `{a = 1}` in an object that is a value.
    pub(super) fn default_in_object(&mut self, span: Span) {
        self.refuse(span, "a property is given its value by `:`, not by `=`", "Write `name: value`.");
    }

    pub(super) fn check_regex(&mut self, regex: &Regex) {
        if let Some(defect) = regex::defect(&regex.exp, &regex.flags) {
            let message = format!("this regular expression is not valid: {defect}");
            self.refuse(regex.span, &message, "A script with such an expression does not run at all.");
        }
    }

    /// Words that cannot be names: of a module, which is strict, more than of a script.
    pub(super) fn check_word(&mut self, name: &Ident) {
        let reserved = match &*name.sym {
            "implements" | "interface" | "let" | "package" | "private" | "protected" | "public" | "static"
            | "yield" => self.state.strict,
            "break" | "case" | "catch" | "class" | "const" | "continue" | "debugger" | "default" | "delete" | "do"
            | "else" | "enum" | "export" | "extends" | "false" | "finally" | "for" | "function" | "if" | "import"
            | "in" | "instanceof" | "new" | "null" | "return" | "super" | "switch" | "this" | "throw" | "true"
            | "try" | "typeof" | "var" | "void" | "while" | "with" => true,
            _ => false,
        };
        if reserved {
            let message = format!("`{}` is a word of the language and cannot be a name", name.sym);
            self.refuse(name.span, &message, "Choose another name.");
        }
    }

    pub(super) fn refuse(&mut self, span: Span, message: &str, help: &str) {
        self.found.push(Diagnostic::new(Code::SyntaxError, message).at(self.places.of(span), "").help(help));
    }
}
