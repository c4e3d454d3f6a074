//! One pass that writes a program shorter without changing what it does: the larger part of what a compressor gains for a
//! small part of its time. Every rewrite is local and holds for every program.

mod branch;
mod expr;

use rustc_hash::FxHashSet;
use swc_core::common::util::take::Take;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{VisitMut, VisitMutWith, noop_visit_mut_type};

use crate::names::Names;
use crate::{dead, patterns};

/// Writes a program shorter. `written` are the names that something assigns to, when that is known.
pub(crate) fn shorten(script: &mut Script, names: &Names, written: Option<&FxHashSet<Id>>) {
    script.visit_mut_with(&mut Shorten { names, written });
}

struct Shorten<'a> {
    names: &'a Names,
    written: Option<&'a FxHashSet<Id>>,
}

impl VisitMut for Shorten<'_> {
    noop_visit_mut_type!();

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        expr.visit_mut_children_with(self);
        expr::shorten(expr, self.names);
    }

    fn visit_mut_prop_name(&mut self, key: &mut PropName) {
        key.visit_mut_children_with(self);
        expr::shorten_key(key);
    }

    fn visit_mut_class_member(&mut self, member: &mut ClassMember) {
        // In a class `"constructor"`, `["constructor"]` and `constructor` differ: keys stay as they are.
        match member {
            ClassMember::Method(method) => {
                visit_class_key(&mut method.key, self);
                method.function.visit_mut_with(self);
            }
            ClassMember::ClassProp(prop) => {
                visit_class_key(&mut prop.key, self);
                prop.value.visit_mut_with(self);
            }
            member => member.visit_mut_children_with(self),
        }
    }

    fn visit_mut_constructor(&mut self, constructor: &mut Constructor) {
        constructor.params.visit_mut_with(self);
        constructor.body.visit_mut_with(self);
    }

    fn visit_mut_member_prop(&mut self, prop: &mut MemberProp) {
        prop.visit_mut_children_with(self);
        expr::shorten_member(prop);
    }

    fn visit_mut_arrow_expr(&mut self, arrow: &mut ArrowExpr) {
        arrow.visit_mut_children_with(self);
        if let ArrowFunctionBody::FunctionBody(body) = &mut *arrow.body
            && let [Stmt::Return(ReturnStmt { arg: Some(arg), .. })] = body.stmts.as_mut_slice()
        {
            *arrow.body = ArrowFunctionBody::Expr(arg.take());
        }
    }

    fn visit_mut_function_body(&mut self, body: &mut FunctionBody) {
        body.visit_mut_children_with(self);
        while matches!(body.stmts.last(), Some(Stmt::Return(ReturnStmt { arg: None, .. }))) {
            body.stmts.pop();
        }
    }

    fn visit_mut_var_decl(&mut self, decl: &mut VarDecl) {
        decl.visit_mut_children_with(self);
        if decl.kind == VarDeclKind::Const && self.is_never_written(&decl.decls) {
            decl.kind = VarDeclKind::Let;
        }
    }

    fn visit_mut_stmt(&mut self, stmt: &mut Stmt) {
        stmt.visit_mut_children_with(self);
        match stmt {
            Stmt::If(choice) => {
                if let Some(shorter) = branch::shorten(choice, self.names) {
                    *stmt = shorter;
                }
            }
            Stmt::While(repeat) if dead::truth(&repeat.test) == Some(true) => {
                let body = repeat.body.take();
                *stmt = Stmt::For(ForStmt { span: repeat.span, init: None, test: None, update: None, body });
                shorten_loop(stmt);
            }
            Stmt::For(_) | Stmt::While(_) | Stmt::DoWhile(_) | Stmt::ForIn(_) | Stmt::ForOf(_) => shorten_loop(stmt),
            _ => {}
        }
    }

    fn visit_mut_stmts(&mut self, stmts: &mut Vec<Stmt>) {
        let directives = stmts.iter().take_while(|stmt| is_directive(stmt)).count();
        for stmt in &mut stmts[directives..] {
            stmt.visit_mut_with(self);
        }
        let needs_list = stmts.len() > directives;
        if needs_list {
            let mut list = List { names: self.names, stmts: Vec::with_capacity(stmts.len()), ended: false };
            let mut rest = std::mem::take(stmts).into_iter();
            list.stmts.extend(rest.by_ref().take(directives));
            rest.for_each(|stmt| list.push(stmt, directives));
            *stmts = list.stmts;
        }
    }
}

impl Shorten<'_> {
    fn is_never_written(&self, decls: &[VarDeclarator]) -> bool {
        let Some(known) = self.written else { return false };
        let mut written = false;
        for decl in decls {
            patterns::each_name(&decl.name, &mut |name| written |= known.contains(&name.to_id()));
        }
        !written
    }
}

fn visit_class_key(key: &mut PropName, pass: &mut Shorten<'_>) {
    if let PropName::Computed(computed) = key {
        computed.visit_mut_with(pass);
    }
}

fn is_directive(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Expr(stmt) if matches!(&*stmt.expr, Expr::Lit(Lit::Str(_))))
}

/// The body of a loop without a block around one statement.
fn shorten_loop(stmt: &mut Stmt) {
    let body = match stmt {
        Stmt::For(repeat) => &mut repeat.body,
        Stmt::While(repeat) => &mut repeat.body,
        Stmt::DoWhile(repeat) => &mut repeat.body,
        Stmt::ForIn(repeat) => &mut repeat.body,
        Stmt::ForOf(repeat) => &mut repeat.body,
        _ => return,
    };
    branch::unwrap_block(body);
}

/// Whether nothing after a statement is reached.
fn jumps(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Return(_) | Stmt::Throw(_) | Stmt::Break(_) | Stmt::Continue(_))
}

/// Whether a statement declares names that its block keeps to itself.
fn is_lexical(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Decl(Decl::Var(var)) => var.kind != VarDeclKind::Var,
        Stmt::Decl(_) => true,
        _ => false,
    }
}

/// A list of statements that is written again from the start.
struct List<'a> {
    names: &'a Names,
    stmts: Vec<Stmt>,
    /// Whether the last statement jumps away.
    ended: bool,
}

impl List<'_> {
    fn push(&mut self, stmt: Stmt, directives: usize) {
        if self.ended {
            return self.push_dead(stmt);
        }
        match stmt {
            Stmt::Empty(_) => {}
            // Text that stands alone does nothing; without its brackets it would be a directive.
            Stmt::Expr(stmt) if matches!(&*stmt.expr, Expr::Lit(Lit::Str(_))) => {}
            Stmt::Block(block) if !block.stmts.iter().any(is_lexical) => {
                block.stmts.into_iter().for_each(|stmt| self.push(stmt, directives));
            }
            Stmt::If(choice) if branch::ends(&choice.cons) && choice.alt.is_some() => {
                self.push_flat(choice, directives);
            }
            Stmt::Decl(Decl::Var(var)) => self.push_var(var),
            Stmt::Return(end) => self.push_return(end),
            stmt => {
                self.ended = jumps(&stmt);
                self.stmts.push(stmt);
            }
        }
    }

    /// Behind a jump only what is hoisted matters.
    fn push_dead(&mut self, stmt: Stmt) {
        if matches!(stmt, Stmt::Decl(Decl::Fn(_))) {
            self.stmts.push(stmt);
            return;
        }
        // A class or a constant is not reached, but its name is still that of the block: functions may read it and throw.
        if is_lexical(&stmt) {
            self.stmts.push(stmt);
            return;
        }
        match dead::hoisted_names(&stmt) {
            Some(names) => self.stmts.extend(names),
            None => self.stmts.push(stmt),
        }
    }

    /// `if (a) return b; else c` needs no `else`.
    fn push_flat(&mut self, mut choice: IfStmt, directives: usize) {
        let alt = choice.alt.take();
        self.stmts.push(Stmt::If(choice));
        if let Some(alt) = alt {
            self.push(*alt, directives);
        }
    }

    fn push_var(&mut self, var: Box<VarDecl>) {
        if let Some(Stmt::Decl(Decl::Var(last))) = self.stmts.last_mut()
            && last.kind == var.kind
            && last.declare == var.declare
        {
            last.decls.extend(var.decls);
        } else {
            self.stmts.push(Stmt::Decl(Decl::Var(var)));
        }
    }

    /// `if (a) return b; return c` is one `return`.
    fn push_return(&mut self, mut end: ReturnStmt) {
        while let Some(value) = end.arg.take() {
            if let Some(Stmt::If(IfStmt { test, cons, alt: None, .. })) = self.stmts.last_mut()
                && let Some(first) = branch::returned(cons)
            {
                end.arg = Some(branch::choose(test.take(), first, value, self.names));
                self.stmts.pop();
                continue;
            }
            end.arg = Some(value);
            break;
        }
        self.ended = true;
        self.stmts.push(Stmt::Return(end));
    }
}
