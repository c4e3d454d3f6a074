//! Calls: what asks for modules, defines exports, evaluates text, and runs where it is written.

use ssbuild_diagnostic::{Code, Diagnostic};
use swc_core::atoms::atom;
use swc_core::common::{DUMMY_SP, Span, Spanned};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::VisitMutWith;

use super::Walk;
use crate::exports::{prop_name, static_name};
use crate::joint::What;
use crate::references::{self, Usage};
use crate::{ImportKind, mangle, quote};

impl Walk<'_> {
    /// A call: requires, exports by definition, and what evaluates text.
    pub(super) fn call(&mut self, call: &mut CallExpr) -> Option<Box<Expr>> {
        let Callee::Expr(callee) = &mut call.callee else { return self.dynamic_import(call) };
        if call.args.is_empty() && self.makes_global_this(callee) {
            let name = Ident::new(atom!("globalThis"), call.span, self.names.free);
            return Some(Box::new(Expr::Ident(name)));
        }
        match &mut **callee {
            Expr::Ident(name) if self.names.is_free(name) => match &*name.sym {
                "require" if self.is_module() => return self.require_call(call),
                "Function" => self.evals.push(self.places.of(name.span)),
                "setTimeout" | "setInterval" => self.timer(call),
                _ => {}
            },
            Expr::Ident(_) => {
                if let Some(binding) = self.binding(callee).cloned() {
                    *callee = self.imported_callee(&binding, callee);
                }
            }
            Expr::Member(member) => {
                if static_name(&member.prop).is_some_and(|name| matches!(&*name, "setTimeout" | "setInterval"))
                    && (self.free_word(&member.obj, "window") || self.free_word(&member.obj, "globalThis"))
                {
                    self.timer(call);
                } else if self.is_module() && self.exports.read_define(call) {
                    self.quiet_exports(&mut call.args[0].expr);
                }
            }
            _ => {}
        }
        None
    }

    /// `Function("return this")`, whose call gives the global object as older code asks for it. A policy would have to allow
    /// text as code for that alone.
    fn makes_global_this(&self, callee: &Expr) -> bool {
        let (function, args) = match callee {
            Expr::Paren(paren) => return self.makes_global_this(&paren.expr),
            Expr::Call(CallExpr { callee: Callee::Expr(function), args, .. }) => (function, args.as_slice()),
            Expr::New(NewExpr { callee: function, args: Some(args), .. }) => (function, args.as_slice()),
            _ => return false,
        };
        let [ExprOrSpread { spread: None, expr }] = args else { return false };
        let is_return =
            |text: &Str| text.value.as_str().is_some_and(|text| text.trim_end_matches(';').trim() == "return this");
        self.free_word(function, "Function") && matches!(&**expr, Expr::Lit(Lit::Str(text)) if is_return(text))
    }

    pub(super) fn timer(&mut self, call: &CallExpr) {
        if let Some(first) = call.args.first()
            && references::is_text(&first.expr)
        {
            self.evals.push(self.places.of(first.expr.span()));
        }
    }

    /// `require("x")` becomes `require(n)`; a `require` of something else stays, and is noted.
    pub(super) fn require_call(&mut self, call: &mut CallExpr) -> Option<Box<Expr>> {
        if let [ExprOrSpread { spread: None, expr }] = call.args.as_mut_slice() {
            // `const {a} = require("x")` has its number already.
            if matches!(**expr, Expr::Lit(Lit::Num(_))) {
                return None;
            }
            if let Some(src) = literal_source(expr) {
                let number = self.ask(&src, ImportKind::Require);
                self.imports.use_all(number);
                **expr = *quote::number(number as f64, src.span);
                return None;
            }
            self.note_dynamic(call.span);
        }
        None
    }

    /// `import("x")` becomes `require.d(n)`.
    pub(super) fn dynamic_import(&mut self, call: &mut CallExpr) -> Option<Box<Expr>> {
        if !self.is_module() || !call.callee.is_import() {
            return None;
        }
        let source = call.args.first().and_then(|arg| literal_source(&arg.expr));
        let Some(src) = source else {
            self.note_dynamic(call.span);
            return None;
        };
        let number = self.ask(&src, ImportKind::Dynamic);
        self.imports.use_all(number);
        let callee = quote::member(&self.require(DUMMY_SP), &"d".into(), DUMMY_SP);
        let number = if self.is_joined() {
            let hole = mangle::hole(What::Import(number as u32));
            Box::new(Expr::Ident(Ident { span: src.span, ..Ident::new_private(hole, DUMMY_SP) }))
        } else {
            quote::number(number as f64, src.span)
        };
        Some(quote::call(callee, vec![quote::arg(number)], call.span))
    }

    pub(super) fn ask(&mut self, src: &Str, kind: ImportKind) -> usize {
        let number = self.imports.number(src, kind);
        if !self.state.tried {
            self.imports.needs(number);
        }
        number
    }

    pub(super) fn note_dynamic(&mut self, span: Span) {
        self.found.push(
            Diagnostic::new(Code::ImportDynamic, "the imported module is not named by a literal, so it is not linked")
                .at(self.places.of(span), "is looked up while the app runs")
                .help("Write the name as a string literal, or ignore this when the host provides the module."),
        );
    }

    pub(super) fn refer_callee(&mut self, callee: &Expr) {
        if matches!(callee, Expr::Member(_) | Expr::OptChain(_)) {
            self.refer(callee, Usage::Called);
            self.localized(callee);
        }
    }

    /// The callee and arguments of a call; a function that is called where it stands runs when the call does.
    pub(super) fn visit_call(&mut self, call: &mut CallExpr) {
        match &mut call.callee {
            Callee::Expr(callee) => {
                self.free_callee(callee);
                let immediate = is_immediate(callee);
                let outside = self.state.tried;
                self.state.tried |= is_import_caught(callee);
                self.state.in_chain = matches!(&**callee, Expr::Member(_) | Expr::OptChain(_));
                self.state.immediate = immediate;
                callee.visit_mut_with(self);
                self.state.in_chain = false;
                self.state.immediate = false;
                self.state.tried = outside;
            }
            Callee::Super(_) | Callee::Import(_) => {}
        }
        call.args.visit_mut_with(self);
    }

    /// `require` itself, when it is called, is not a value that goes somewhere.
    pub(super) fn free_callee(&mut self, callee: &mut Expr) {
        if let Expr::Ident(name) = callee
            && self.names.is_free(name)
            && *name.sym == *"require"
        {
            self.adopt(name);
        }
    }

    /// `const {a, b} = require("x")` uses those names only.
    pub(super) fn read_required_names(&mut self, decl: &mut VarDeclarator) {
        let (Pat::Object(object), Some(init)) = (&decl.name, &mut decl.init) else { return };
        let Expr::Call(call) = &mut **init else { return };
        let Some(Expr::Ident(callee)) = call.callee.as_expr().map(|callee| &**callee) else { return };
        if !self.is_module() || !self.names.is_free(callee) || callee.sym != *"require" {
            return;
        }
        let [ExprOrSpread { spread: None, expr }] = call.args.as_mut_slice() else { return };
        let Some(src) = literal_source(expr) else { return };
        let mut names = Vec::new();
        for prop in &object.props {
            match prop {
                ObjectPatProp::KeyValue(pair) => match prop_name(&pair.key) {
                    Some((name, _)) => names.push(name),
                    None => return,
                },
                ObjectPatProp::Assign(name) => names.push(name.key.id.sym.clone()),
                ObjectPatProp::Rest(_) => return,
            }
        }
        let number = self.ask(&src, ImportKind::Require);
        for name in &names {
            self.imports.use_name(number, name);
        }
        **expr = *quote::number(number as f64, src.span);
    }
}

/// Whether a callee is a function written on the spot: `(function () {…})()`, `(function () {…}).call(this)`.
fn is_immediate(callee: &Expr) -> bool {
    match callee {
        Expr::Fn(_) | Expr::Arrow(_) => true,
        Expr::Paren(paren) => is_immediate(&paren.expr),
        Expr::Member(member) => {
            is_immediate(&member.obj)
                && static_name(&member.prop).is_some_and(|name| matches!(&*name, "call" | "apply"))
        }
        _ => false,
    }
}

/// Whether a callee is `import("x").catch`.
fn is_import_caught(callee: &Expr) -> bool {
    let Expr::Member(member) = callee else { return false };
    static_name(&member.prop).is_some_and(|name| name == *"catch")
        && matches!(&*member.obj, Expr::Call(CallExpr { callee: Callee::Import(_), .. }))
}

/// The specifier of an import when it is a literal.
pub(super) fn literal_source(expr: &Expr) -> Option<Str> {
    match expr {
        Expr::Lit(Lit::Str(text)) => Some(text.clone()),
        Expr::Tpl(template) if template.exprs.is_empty() => {
            let cooked = template.quasis.first()?.cooked.clone()?;
            Some(Str { span: template.span, value: cooked, raw: None })
        }
        Expr::Paren(paren) => literal_source(&paren.expr),
        _ => None,
    }
}
