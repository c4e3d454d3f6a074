//! What may be left out of a program because it cannot run.

use swc_core::common::DUMMY_SP;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith, noop_visit_type};

use crate::patterns;

/// What a value without effects is as a condition.
pub(crate) fn truth(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Lit(Lit::Bool(value)) => Some(value.value),
        Expr::Lit(Lit::Null(_)) => Some(false),
        Expr::Lit(Lit::Num(number)) => Some(number.value != 0.0 && !number.value.is_nan()),
        Expr::Lit(Lit::Str(text)) => Some(!text.value.is_empty()),
        Expr::Unary(unary) if unary.op == UnaryOp::Bang => truth(&unary.arg).map(|value| !value),
        Expr::Unary(unary) if unary.op == UnaryOp::Void && matches!(*unary.arg, Expr::Lit(_)) => Some(false),
        Expr::Paren(paren) => truth(&paren.expr),
        _ => None,
    }
}

/// What an `if` does whose condition is known; nothing when leaving out a branch would change names.
pub(crate) fn chosen(stmt: &mut IfStmt) -> Option<Stmt> {
    let value = truth(&stmt.test)?;
    let dead = if value { stmt.alt.as_deref() } else { Some(&*stmt.cons) };
    let hoisted = dead.map_or(Some(None), hoisted_names)?;
    let live = if value { Some(&mut stmt.cons) } else { stmt.alt.as_mut() };
    let live = live.map(|live| std::mem::replace(&mut **live, Stmt::Empty(EmptyStmt { span: DUMMY_SP })));
    // A function that a branch declares is that of a block.
    let live = live.map(|live| match live {
        Stmt::Decl(Decl::Fn(_)) => Stmt::Block(BlockStmt { stmts: vec![live], ..BlockStmt::default() }),
        live => live,
    });
    Some(match (hoisted, live) {
        (None, None) => Stmt::Empty(EmptyStmt { span: stmt.span }),
        (None, Some(live)) => live,
        (Some(names), None) => names,
        (Some(names), Some(live)) => Stmt::Block(BlockStmt { stmts: vec![names, live], ..BlockStmt::default() }),
    })
}

/// The declaration of the variables that a statement hoists out of itself. Nothing when that cannot be written: functions
/// in blocks of sloppy code are hoisted under conditions of their own.
pub(crate) fn hoisted_names(stmt: &Stmt) -> Option<Option<Stmt>> {
    let mut hoisted = Hoisted::default();
    stmt.visit_with(&mut hoisted);
    if hoisted.function {
        return None;
    }
    if hoisted.names.is_empty() {
        return Some(None);
    }
    let decls = hoisted.names.into_iter().map(|id| VarDeclarator {
        span: DUMMY_SP,
        name: Pat::Ident(BindingIdent { id, type_ann: None }),
        init: None,
        definite: false,
    });
    let decl = VarDecl { kind: VarDeclKind::Var, decls: decls.collect(), ..VarDecl::default() };
    Some(Some(Stmt::Decl(Decl::Var(Box::new(decl)))))
}

#[derive(Default)]
struct Hoisted {
    names: Vec<Ident>,
    function: bool,
}

impl Visit for Hoisted {
    noop_visit_type!();

    fn visit_expr(&mut self, _: &Expr) {}

    fn visit_function(&mut self, _: &Function) {}

    fn visit_class(&mut self, _: &Class) {}

    fn visit_fn_decl(&mut self, _: &FnDecl) {
        self.function = true;
    }

    fn visit_var_decl(&mut self, decl: &VarDecl) {
        if decl.kind == VarDeclKind::Var {
            for decl in &decl.decls {
                patterns::each_name(&decl.name, &mut |name| {
                    if self.names.iter().all(|seen| seen.sym != name.sym || seen.ctxt != name.ctxt) {
                        self.names.push(name.clone());
                    }
                });
            }
        }
    }
}
