//! Names that an ES module imports, and what is written for them.

use swc_core::atoms::Atom;
use swc_core::common::{DUMMY_SP, Span, Spanned};
use swc_core::ecma::ast::{Expr, Ident, MemberExpr};

use super::{Walk, typed};
use crate::exports::static_name;
use crate::joint::Symbol;
use crate::{Doubt, quote};

/// What an imported name of an ES module stands for.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    /// Which import.
    pub(crate) number: usize,
    /// Which of its names; none for the namespace itself.
    pub(crate) name: Option<Atom>,
    /// Whether the source says `namespace.name`, so that a call has the namespace as `this`.
    pub(crate) member: bool,
}

impl Binding {
    /// What it is to those who join modules.
    pub(crate) fn symbol(&self) -> Symbol {
        Symbol::Import(self.number as u32, self.name.as_ref().map(ToString::to_string))
    }
}

impl Walk<'_> {
    pub(super) fn binding(&self, expr: &Expr) -> Option<&Binding> {
        match expr {
            Expr::Ident(name) if !self.bindings.is_empty() => self.bindings.get(&name.to_id()),
            Expr::Paren(paren) => self.binding(&paren.expr),
            _ => None,
        }
    }

    /// What an imported name is replaced by.
    pub(super) fn imported(&mut self, binding: &Binding, name: &Expr, span: Span) -> Box<Expr> {
        if self.is_joined() {
            match &binding.name {
                Some(name) => self.use_imported(binding.number, name),
                None => self.imports.use_all(binding.number),
            }
            return Box::new(name.unwrap_parens().clone());
        }
        let namespace = self.imports.namespace(binding.number, span);
        match &binding.name {
            Some(name) => {
                self.use_imported(binding.number, name);
                quote::member(&namespace, name, span)
            }
            None => {
                self.imports.use_all(binding.number);
                Box::new(Expr::Ident(namespace))
            }
        }
    }

    fn use_imported(&mut self, number: usize, name: &Atom) {
        match self.doubt {
            None => self.imports.use_name(number, name),
            Some(doubt) => self.imports.use_doubtful(number, name, doubt),
        }
    }

    /// Notes that a name of an import is exported again.
    pub(crate) fn pass_on(&mut self, number: usize, name: &Atom) {
        match typed(self.language) {
            true => self.imports.use_doubtful(number, name, Doubt::Type),
            false => self.imports.use_name(number, name),
        }
    }

    /// The callee that an imported name is replaced by: a name of a namespace would be called with the namespace as `this`.
    pub(super) fn imported_callee(&mut self, binding: &Binding, callee: &Expr) -> Box<Expr> {
        let span = callee.span();
        let function = self.imported(binding, callee, span);
        // Whoever fills the holes knows whether it is a name of a namespace.
        if binding.name.is_some() && !self.is_joined() { quote::without_this(function, span) } else { function }
    }

    /// `ns.name` of a whole-namespace import as a name of its own, which may be that of a variable of the same function.
    pub(super) fn joined_member(&mut self, member: &MemberExpr) -> Option<Expr> {
        if !self.is_joined() {
            return None;
        }
        let Binding { number, name: None, .. } = *self.binding(&member.obj)? else { return None };
        let name = static_name(&member.prop)?;
        self.imports.use_doubtful(number, &name, Doubt::Member);
        let (names, bindings) = (&mut self.member_names, &mut self.bindings);
        let ident = names.entry((number, name.clone())).or_insert_with(|| {
            let ident = Ident::new_private(name.clone(), DUMMY_SP);
            bindings.insert(ident.to_id(), Binding { number, name: Some(name), member: true });
            ident
        });
        Some(Expr::Ident(Ident { span: member.prop.span(), ..ident.clone() }))
    }

    /// What a property that is written as a name alone, `{ name }`, has to say behind a colon, when that is another name.
    pub(super) fn shorthand(&mut self, name: &mut Ident) -> Option<Box<Expr>> {
        self.check_word(name);
        if self.names.is_free(name) {
            let is_global = *name.sym == *"global";
            let file = if is_global { None } else { self.file_name(name) };
            if file.is_some() {
                return file;
            }
            self.free_name(name);
            return is_global.then(|| Box::new(Expr::Ident(name.clone())));
        }
        let binding = self.bindings.get(&name.to_id()).cloned()?;
        Some(self.imported(&binding, &Expr::Ident(name.clone()), name.span))
    }
}
