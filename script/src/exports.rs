use rustc_hash::FxHashSet;
use ssbuild_diagnostic::Place;
use swc_core::atoms::Atom;
use swc_core::common::Span;
use swc_core::ecma::ast::{
    AssignExpr, AssignTarget, CallExpr, Decl, Expr, Id, Ident, Lit, MemberExpr, MemberProp, ObjectLit, Pat, Prop,
    PropName, PropOrSpread, SimpleAssignTarget, Stmt,
};

use crate::names::Names;
use crate::place::Places;
use crate::{ExportForm, Exports};

/// What a module exports, collected while its tree is walked.
pub(crate) struct ExportNames<'a> {
    names: &'a Names,
    places: &'a Places<'a>,
    aliases: FxHashSet<Id>,
    seen: FxHashSet<Atom>,
    found: Vec<(String, Place)>,
    form: ExportForm,
    open: bool,
    stars: Vec<u32>,
}

impl<'a> ExportNames<'a> {
    pub(crate) fn new(names: &'a Names, places: &'a Places<'a>) -> Self {
        Self {
            names,
            places,
            aliases: FxHashSet::default(),
            seen: FxHashSet::default(),
            found: Vec::new(),
            form: ExportForm::None,
            open: false,
            stars: Vec::new(),
        }
    }

    /// Adds a name of an ES `export`; `false` when it is there already.
    pub(crate) fn add_esm(&mut self, name: &Atom, span: Span) -> bool {
        self.form = ExportForm::Esm;
        let new = self.seen.insert(name.clone());
        if new {
            self.found.push((name.to_string(), self.places.of(span)));
        }
        new
    }

    /// Notes an ES module.
    pub(crate) fn esm(&mut self) {
        self.form = ExportForm::Esm;
    }

    /// Notes an `export *` from that import.
    pub(crate) fn star(&mut self, number: usize) {
        self.esm();
        self.open = true;
        self.stars.push(u32::try_from(number).expect("fewer imports than 32 bits count"));
    }

    pub(crate) fn finish(self) -> Exports {
        Exports { form: self.form, names: self.found, open: self.open, stars: self.stars }
    }

    /// Looks for variables that stand for `exports`: `var e = exports`, `e = module.exports = {…}`.
    pub(crate) fn find_aliases(&mut self, body: &[Stmt]) {
        body.iter().for_each(|stmt| self.find_alias(stmt));
    }

    /// Looks at one statement for such a variable.
    pub(crate) fn find_alias(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Decl(Decl::Var(var)) => {
                for decl in &var.decls {
                    if let (Pat::Ident(name), Some(init)) = (&decl.name, &decl.init)
                        && self.ends_in_exports(init)
                    {
                        self.aliases.insert(name.id.to_id());
                    }
                }
            }
            Stmt::Expr(stmt) => {
                if let Expr::Assign(assign) = &*stmt.expr
                    && let AssignTarget::Simple(SimpleAssignTarget::Ident(name)) = &assign.left
                    && !self.names.is_free(&name.id)
                    && self.ends_in_exports(&assign.right)
                {
                    self.aliases.insert(name.id.to_id());
                }
            }
            _ => {}
        }
    }

    /// Whether the value is `exports`, `module.exports`, or an assignment to them.
    fn ends_in_exports(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Paren(paren) => self.ends_in_exports(&paren.expr),
            Expr::Assign(assign) => {
                let target = match &assign.left {
                    AssignTarget::Simple(SimpleAssignTarget::Ident(name)) => self.is_free_word(&name.id, "exports"),
                    AssignTarget::Simple(SimpleAssignTarget::Member(member)) => self.is_module_exports(member),
                    _ => false,
                };
                target || self.ends_in_exports(&assign.right)
            }
            expr => self.is_exports(expr),
        }
    }

    /// Whether an expression is the module's `exports`, `module.exports`, or a variable that stands for it.
    pub(crate) fn is_exports(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Ident(name) => self.is_free_word(name, "exports") || self.is_alias(name),
            Expr::Member(member) => self.is_module_exports(member),
            Expr::Paren(paren) => self.is_exports(&paren.expr),
            _ => false,
        }
    }

    fn is_alias(&self, name: &Ident) -> bool {
        !self.aliases.is_empty() && self.aliases.contains(&name.to_id())
    }

    fn is_free_word(&self, name: &Ident, word: &str) -> bool {
        self.names.is_free(name) && name.sym == *word
    }

    /// Whether an expression is `module.exports`.
    pub(crate) fn is_module_exports(&self, member: &MemberExpr) -> bool {
        matches!(&*member.obj, Expr::Ident(name) if self.is_free_word(name, "module"))
            && static_name(&member.prop).is_some_and(|name| name == *"exports")
    }

    /// Reads an assignment. Says whether its target was one of the forms of an export.
    pub(crate) fn read_assign(&mut self, assign: &AssignExpr, at_top: bool) -> bool {
        let AssignTarget::Simple(SimpleAssignTarget::Member(target)) = &assign.left else { return false };
        if self.is_module_exports(target) {
            self.read_whole(&assign.right);
            return true;
        }
        // At the top level of a CommonJS module `this` is `module.exports`.
        let on_this = at_top && self.form != ExportForm::Esm && matches!(&*target.obj, Expr::This(_));
        if !on_this && !self.is_exports(&target.obj) {
            return false;
        }
        match static_name(&target.prop) {
            Some(name) => self.add(&name, target.span),
            None => self.escapes(),
        }
        true
    }

    /// `module.exports = value`: an object literal tells its names.
    fn read_whole(&mut self, value: &Expr) {
        match value {
            Expr::Object(object) => self.read_object(object),
            Expr::Paren(paren) => self.read_whole(&paren.expr),
            Expr::Assign(assign) => match &assign.left {
                // `exports = module.exports = …`, in either order.
                AssignTarget::Simple(SimpleAssignTarget::Member(member)) if self.is_module_exports(member) => {
                    self.common();
                }
                AssignTarget::Simple(SimpleAssignTarget::Ident(_)) => self.read_whole(&assign.right),
                _ => self.escapes(),
            },
            value if self.is_exports(value) => self.common(),
            _ => self.escapes(),
        }
    }

    fn read_object(&mut self, object: &ObjectLit) {
        self.common();
        for prop in &object.props {
            match prop {
                PropOrSpread::Spread(_) => self.open = true,
                PropOrSpread::Prop(prop) => match &**prop {
                    Prop::Shorthand(name) => self.add(&name.sym, name.span),
                    Prop::KeyValue(pair) => self.add_key(&pair.key),
                    Prop::Getter(getter) => self.add_key(&getter.key),
                    Prop::Setter(setter) => self.add_key(&setter.key),
                    Prop::Method(method) => self.add_key(&method.key),
                    Prop::Assign(_) => {}
                },
            }
        }
    }

    /// Reads `Object.defineProperty(exports, "x", …)` and says whether it was that.
    pub(crate) fn read_define(&mut self, call: &CallExpr) -> bool {
        let Some(Expr::Member(callee)) = call.callee.as_expr().map(|callee| &**callee) else { return false };
        let is_object = matches!(&*callee.obj, Expr::Ident(name) if self.is_free_word(name, "Object"));
        if !is_object || static_name(&callee.prop).is_none_or(|name| name != *"defineProperty") {
            return false;
        }
        let [target, key, ..] = call.args.as_slice() else { return false };
        if !self.is_exports(&target.expr) {
            return false;
        }
        match &*key.expr {
            Expr::Lit(Lit::Str(name)) => self.add(&name.value.to_atom_lossy(), name.span),
            _ => self.escapes(),
        }
        true
    }

    fn add_key(&mut self, key: &PropName) {
        match prop_name(key) {
            Some((name, span)) => self.add(&name, span),
            None => self.open = true,
        }
    }

    fn add(&mut self, name: &Atom, span: Span) {
        self.common();
        // What a compiler wrote to mark an ES module is no export of its author.
        if *name != *"__esModule" && self.seen.insert(name.clone()) {
            self.found.push((name.to_string(), self.places.of(span)));
        }
    }

    /// Notes that `exports` goes where its names cannot be followed.
    pub(crate) fn escapes(&mut self) {
        self.common();
        self.open = true;
    }

    fn common(&mut self) {
        if self.form == ExportForm::None {
            self.form = ExportForm::CommonJs;
        }
    }
}

/// The name behind a dot, or in brackets when it is a literal.
pub(crate) fn static_name(prop: &MemberProp) -> Option<Atom> {
    match prop {
        MemberProp::Ident(name) => Some(name.sym.clone()),
        MemberProp::PrivateName(_) => None,
        MemberProp::Computed(computed) => literal_name(&computed.expr),
    }
}

/// The text of a literal that names a property.
pub(crate) fn literal_name(expr: &Expr) -> Option<Atom> {
    match expr {
        Expr::Lit(Lit::Str(text)) => text.value.as_atom().cloned(),
        Expr::Lit(Lit::Num(number)) if number.value.fract() == 0.0 && number.value.abs() < 1e15 => {
            Some(format!("{}", number.value).into())
        }
        Expr::Tpl(template) if template.exprs.is_empty() => {
            template.quasis.first()?.cooked.as_ref()?.as_atom().cloned()
        }
        Expr::Paren(paren) => literal_name(&paren.expr),
        _ => None,
    }
}

/// The key of a property, when it is static, and where it stands.
pub(crate) fn prop_name(key: &PropName) -> Option<(Atom, Span)> {
    match key {
        PropName::Ident(name) => Some((name.sym.clone(), name.span)),
        PropName::Str(text) => text.value.as_atom().map(|name| (name.clone(), text.span)),
        PropName::Num(number) => Some((format!("{}", number.value).into(), number.span)),
        PropName::BigInt(number) => Some((format!("{}", number.value).into(), number.span)),
        PropName::Computed(computed) => literal_name(&computed.expr).map(|name| (name, computed.span)),
    }
}
