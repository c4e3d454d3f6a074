//! The names of a `switch`: swc resolves them case by case, the language sees one scope, in which functions are hoisted.

use rustc_hash::{FxHashMap, FxHashSet};
use swc_core::atoms::Atom;
use swc_core::common::SyntaxContext;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitMut, VisitMutWith, VisitWith, noop_visit_mut_type, noop_visit_type};

use crate::patterns;

/// Gives names that stand before their declaration, in a case before, the meaning of that declaration.
pub(crate) struct SwitchScopes;

impl VisitMut for SwitchScopes {
    noop_visit_mut_type!();

    fn visit_mut_switch_stmt(&mut self, switch: &mut SwitchStmt) {
        switch.visit_mut_children_with(self);
        let mut declared = FxHashMap::default();
        for stmt in switch.cases.iter().flat_map(|case| &case.cons) {
            let mut see = |name: &Ident| {
                declared.insert(name.sym.clone(), name.ctxt);
            };
            match stmt {
                Stmt::Decl(Decl::Fn(function)) => see(&function.ident),
                Stmt::Decl(Decl::Class(class)) => see(&class.ident),
                Stmt::Decl(Decl::Var(var)) if var.kind != VarDeclKind::Var => {
                    var.decls.iter().for_each(|decl| patterns::each_name(&decl.name, &mut see));
                }
                _ => {}
            }
        }
        if declared.is_empty() {
            return;
        }
        let mut bound = Bound::default();
        switch.cases.visit_with(&mut bound);
        switch.cases.visit_mut_with(&mut Adopt { declared, bound: bound.0 });
    }
}

/// Everything that is declared inside.
#[derive(Default)]
struct Bound(FxHashSet<Id>);

impl Visit for Bound {
    noop_visit_type!();

    fn visit_pat(&mut self, pat: &Pat) {
        patterns::each_name(pat, &mut |name| {
            self.0.insert(name.to_id());
        });
        pat.visit_children_with(self);
    }

    fn visit_fn_decl(&mut self, function: &FnDecl) {
        self.0.insert(function.ident.to_id());
        function.visit_children_with(self);
    }

    fn visit_class_decl(&mut self, class: &ClassDecl) {
        self.0.insert(class.ident.to_id());
        class.visit_children_with(self);
    }

    fn visit_fn_expr(&mut self, function: &FnExpr) {
        self.0.extend(function.ident.as_ref().map(Ident::to_id));
        function.visit_children_with(self);
    }

    fn visit_class_expr(&mut self, class: &ClassExpr) {
        self.0.extend(class.ident.as_ref().map(Ident::to_id));
        class.visit_children_with(self);
    }

    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        // Patterns that are assigned to declare nothing.
        assign.right.visit_with(self);
    }
}

struct Adopt {
    declared: FxHashMap<Atom, SyntaxContext>,
    bound: FxHashSet<Id>,
}

impl VisitMut for Adopt {
    noop_visit_mut_type!();

    fn visit_mut_ident(&mut self, name: &mut Ident) {
        if let Some(ctxt) = self.declared.get(&name.sym)
            && !self.bound.contains(&name.to_id())
        {
            name.ctxt = *ctxt;
        }
    }

    fn visit_mut_labeled_stmt(&mut self, stmt: &mut LabeledStmt) {
        stmt.body.visit_mut_with(self);
    }

    fn visit_mut_break_stmt(&mut self, _: &mut BreakStmt) {}

    fn visit_mut_continue_stmt(&mut self, _: &mut ContinueStmt) {}
}
