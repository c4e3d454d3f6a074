//! Names that only the host can give, as far as a module uses them without asking whether they are there.

use rustc_hash::FxHashSet;
use swc_core::common::Span;
use swc_core::ecma::ast::{Expr, Ident, MemberExpr, MetaPropKind, UnaryExpr};
use swc_core::ecma::visit::VisitMutWith;

use super::{Walk, typed};
use crate::exports::static_name;
use crate::place::Places;
use crate::{Doubt, Global, Side, quote};

/// Members of `WebAssembly` that make code of bytes.
const COMPILES: &[&str] = &["Module", "compile", "compileStreaming", "instantiate", "instantiateStreaming"];

/// What was seen so far.
pub(crate) struct Globals {
    side: Side,
    used: Vec<Global>,
    known: FxHashSet<String>,
    asked: FxHashSet<String>,
}

impl Globals {
    pub(super) fn new(side: Side) -> Self {
        Self { side, used: Vec::new(), known: FxHashSet::default(), asked: FxHashSet::default() }
    }

    /// A name is used.
    pub(super) fn used(&mut self, name: &str, places: &Places<'_>, span: Span) {
        if self.side == Side::Server && !self.known.contains(name) {
            self.known.insert(name.to_owned());
            self.used.push(Global { name: name.to_owned(), place: places.of(span) });
        }
    }

    /// A module asks whether a name is there: then it knows what to do without.
    pub(super) fn asked(&mut self, name: &str) {
        self.asked.insert(name.to_owned());
    }

    pub(crate) fn finish(mut self) -> Vec<Global> {
        self.used.retain(|global| !self.asked.contains(global.name.as_str()));
        self.used
    }
}

impl Walk<'_> {
    /// Whether the code is for browsers.
    pub(super) fn is_browser(&self) -> bool {
        self.globals.side == Side::Browser
    }

    /// Asking for a type neither evaluates nor exports anything.
    pub(super) fn type_of(&mut self, unary: &mut UnaryExpr) {
        if let Expr::Ident(name) = &mut *unary.arg
            && self.names.is_free(name)
        {
            self.globals.asked(&name.sym);
            self.adopt(name);
        } else if typed(self.language) {
            // Decorators are told what types there are at run time.
            let outside = self.doubt.replace(Doubt::Type);
            unary.arg.visit_mut_with(self);
            self.doubt = outside;
        } else {
            unary.visit_mut_children_with(self);
        }
    }

    /// What stands for `__dirname` and `__filename`, where they are known.
    pub(super) fn file_name(&mut self, name: &Ident) -> Option<Box<Expr>> {
        let member = match &*name.sym {
            "__dirname" => "dirname",
            "__filename" => "filename",
            _ => return None,
        };
        if self.globals.side == Side::Browser || !self.is_module() {
            return None;
        }
        self.globals.used(&name.sym, self.places, name.span);
        let meta = quote::member(&self.require(name.span), &"m".into(), name.span);
        Some(quote::member_of(meta, member, name.span))
    }

    /// Methods that speak a language only where there is an `Intl` behind them.
    pub(super) fn localized(&mut self, callee: &Expr) {
        let member = match callee {
            Expr::Member(member) => Some(member),
            Expr::OptChain(chain) => chain.base.as_member(),
            _ => None,
        };
        let Some((member, name)) = member.and_then(|member| Some((member, static_name(&member.prop)?))) else { return };
        if matches!(&*name, "toLocaleString" | "toLocaleDateString" | "toLocaleTimeString") {
            self.globals.used(&name, self.places, member.span);
        }
    }

    /// `import.meta.url` and what else tells where a file lies are noted.
    pub(super) fn member_of_meta(&mut self, member: &MemberExpr) {
        let is_meta = matches!(&*member.obj, Expr::MetaProp(meta) if meta.kind == MetaPropKind::ImportMeta);
        if let Some(name) = static_name(&member.prop).filter(|_| is_meta)
            && matches!(&*name, "url" | "dirname" | "filename" | "resolve")
        {
            self.globals.used(&format!("import.meta.{name}"), self.places, member.span);
        }
    }

    /// What of `WebAssembly` compiles bytes is noted.
    pub(super) fn member_of_wasm(&mut self, member: &MemberExpr) {
        if self.wasm.is_none()
            && self.free_word(&member.obj, "WebAssembly")
            && static_name(&member.prop).is_some_and(|name| COMPILES.contains(&&*name))
        {
            self.wasm = Some(self.places.of(member.span));
        }
    }

    /// `require.resolve` is noted; `require.main` and the like stay as they are.
    pub(super) fn member_of_require(&mut self, member: &mut MemberExpr) {
        match static_name(&member.prop) {
            Some(name) if *name == *"resolve" => {
                self.globals.used("require.resolve", self.places, member.span);
            }
            Some(_) => {}
            None => self.globals.used("require", self.places, member.span),
        }
        self.quiet_exports(&mut member.obj);
        member.prop.visit_mut_with(self);
    }
}
