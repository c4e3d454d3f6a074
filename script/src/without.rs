//! Exports that an author has no use for where the code will run: they are left out, with what only they need.

use ssbuild_diagnostic::Place;
use swc_core::atoms::Atom;
use swc_core::common::comments::SingleThreadedComments;
use swc_core::common::{Span, Spanned};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{VisitMut, VisitMutWith, noop_visit_mut_type};

use crate::exports::{ExportNames, prop_name, static_name};
use crate::names::Names;
use crate::parts::Keep;
use crate::place::Places;
use crate::pure::Purity;
use crate::shake;

/// Takes the exports of these names out of a module, be it an ES module or not. Returns those that it had: who describes the
/// source has to know them.
pub(crate) fn leave_out(
    program: &mut Program,
    without: &[String],
    names: &Names,
    places: &Places<'_>,
    comments: &SingleThreadedComments,
) -> Vec<(String, Place)> {
    if !without.iter().any(|name| places.text().contains(name.as_str())) {
        return Vec::new();
    }
    if let Program::Module(module) = program
        && module.body.iter().any(ModuleItem::is_module_decl)
    {
        let Some(parts) = shake::read(module, names, comments) else { return Vec::new() };
        let all = parts.exports.iter().map(|(name, _)| name.clone());
        let (out, mut kept): (Vec<String>, Vec<String>) = all.partition(|name| without.contains(name));
        if !out.is_empty() {
            kept.sort();
            let stars = parts.stars.iter().map(|&star| parts.specifiers[star as usize].clone()).collect();
            shake::shake(module, &parts, &Keep { names: kept, stars });
        }
        return out.into_iter().map(|name| (name, places.of(module.span))).collect();
    }
    let mut exports = ExportNames::new(names, places);
    match program {
        Program::Script(script) => exports.find_aliases(&script.body),
        Program::Module(module) => module.body.iter().filter_map(ModuleItem::as_stmt).for_each(|stmt| {
            exports.find_alias(stmt);
        }),
    }
    let (quiet, namespaces) = Default::default();
    let purity = Purity { names, comments, quiet, namespaces };
    let mut visitor = Without { without, exports, purity, functions: 0, changed: false, out: Vec::new() };
    program.visit_mut_with(&mut visitor);
    visitor.out.into_iter().map(|(name, span)| (name.to_string(), places.of(span))).collect()
}

/// Takes assignments to `exports` apart.
struct Without<'a> {
    without: &'a [String],
    exports: ExportNames<'a>,
    purity: Purity<'a>,
    /// Functions around that have a `this` of their own.
    functions: u32,
    /// Whether something was taken out of the statement that is looked at.
    changed: bool,
    /// What was taken out, and where it stood.
    out: Vec<(Atom, Span)>,
}

impl Without<'_> {
    fn is_out(&self, name: &Atom) -> bool {
        self.without.iter().any(|out| *out == **name)
    }

    /// The export that is assigned to, when it is one that is left out.
    fn exports_it(&self, target: &AssignTarget) -> Option<(Atom, Span)> {
        let AssignTarget::Simple(SimpleAssignTarget::Member(target)) = target else { return None };
        // At the top level of a CommonJS module `this` is `module.exports`.
        let on_this = self.functions == 0 && target.obj.is_this();
        let name = static_name(&target.prop).filter(|name| self.is_out(name))?;
        (on_this || self.exports.is_exports(&target.obj)).then_some((name, target.span))
    }

    /// Whether `module.exports` becomes another object.
    fn exports_all(&self, target: &AssignTarget) -> bool {
        match target {
            AssignTarget::Simple(SimpleAssignTarget::Member(member)) => self.exports.is_module_exports(member),
            AssignTarget::Simple(SimpleAssignTarget::Ident(name)) => {
                self.exports.is_exports(&Expr::Ident(name.id.clone()))
            }
            _ => false,
        }
    }

    /// The name of a property of the new `module.exports`, when it is one that is left out.
    fn names_it(&self, prop: &PropOrSpread) -> Option<(Atom, Span)> {
        let PropOrSpread::Prop(prop) = prop else { return None };
        let (name, pure) = match &**prop {
            Prop::Shorthand(name) => (Some(name.sym.clone()), true),
            Prop::KeyValue(pair) => (prop_name(&pair.key).map(|(name, _)| name), self.purity.expr(&pair.value)),
            Prop::Method(method) => (prop_name(&method.key).map(|(name, _)| name), true),
            _ => (None, false),
        };
        name.filter(|name| pure && self.is_out(name)).map(|name| (name, prop.span()))
    }
}

impl VisitMut for Without<'_> {
    noop_visit_mut_type!();

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        expr.visit_mut_children_with(self);
        let Expr::Assign(assign) = expr else { return };
        if assign.op != AssignOp::Assign {
            return;
        }
        if let Some(out) = self.exports_it(&assign.left) {
            self.changed = true;
            self.out.push(out);
            *expr = std::mem::take(&mut *assign.right);
        } else if let Expr::Object(object) = &mut *assign.right
            && self.exports_all(&assign.left)
        {
            let props = std::mem::take(&mut object.props);
            let (out, kept): (Vec<_>, Vec<_>) = props.into_iter().partition(|prop| self.names_it(prop).is_some());
            let out: Vec<(Atom, Span)> = out.iter().filter_map(|prop| self.names_it(prop)).collect();
            self.out.extend(out);
            object.props = kept;
        }
    }

    fn visit_mut_function(&mut self, function: &mut Function) {
        self.functions += 1;
        function.visit_mut_children_with(self);
        self.functions -= 1;
    }

    fn visit_mut_class(&mut self, class: &mut Class) {
        self.functions += 1;
        class.visit_mut_children_with(self);
        self.functions -= 1;
    }

    fn visit_mut_stmt(&mut self, stmt: &mut Stmt) {
        let outside = std::mem::take(&mut self.changed);
        stmt.visit_mut_children_with(self);
        if let Stmt::Expr(left) = stmt
            && self.changed
            && self.purity.expr(&left.expr)
        {
            *stmt = Stmt::Empty(EmptyStmt { span: left.span });
        }
        self.changed = outside;
    }
}
