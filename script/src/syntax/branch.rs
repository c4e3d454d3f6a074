//! `if` statements as the expressions that they are.

use swc_core::common::DUMMY_SP;
use swc_core::common::util::take::Take;
use swc_core::ecma::ast::*;

use super::{is_lexical, jumps};
use crate::dead;
use crate::names::Names;

/// A shorter statement for an `if`, whose parts are short already.
pub(super) fn shorten(choice: &mut IfStmt, names: &Names) -> Option<Stmt> {
    if let Some(chosen) = dead::chosen(choice) {
        return Some(chosen);
    }
    unwrap_block(&mut choice.cons);
    if let Some(alt) = &mut choice.alt {
        unwrap_block(alt);
    }
    if choice.alt.as_deref().is_some_and(is_nothing) {
        choice.alt = None;
    }
    if is_nothing(&choice.cons) {
        match choice.alt.take() {
            None => return Some(expression(choice.test.take(), choice)),
            Some(alt) => {
                choice.test = not(choice.test.take());
                choice.cons = alt;
            }
        }
    }
    merge_inner(choice);
    match &mut choice.alt {
        None => {
            let value = as_expr(&mut choice.cons)?;
            match and(choice.test.take(), value) {
                Ok(short) => Some(expression(short, choice)),
                Err((test, value)) => {
                    choice.test = test;
                    *choice.cons = expression(value, choice);
                    None
                }
            }
        }
        Some(alt) => {
            if let (true, true) = (returned_ref(&choice.cons), returned_ref(alt)) {
                let (first, second) = (returned(&mut choice.cons)?, returned(alt)?);
                let arg = Some(choose(choice.test.take(), first, second, names));
                return Some(Stmt::Return(ReturnStmt { span: choice.span, arg }));
            }
            if !is_expr(&choice.cons) || !is_expr(alt) {
                guard_else(choice);
                return None;
            }
            let (first, second) = (as_expr(&mut choice.cons)?, as_expr(alt)?);
            Some(expression(choose(choice.test.take(), first, second, names), choice))
        }
    }
}

fn expression(expr: Box<Expr>, choice: &IfStmt) -> Stmt {
    Stmt::Expr(ExprStmt { span: choice.span, expr })
}

/// `if (a) { if (b) c }` is `if (a && b) c`.
fn merge_inner(choice: &mut IfStmt) {
    if choice.alt.is_some() {
        return;
    }
    if let Stmt::If(inner) = &mut *choice.cons
        && inner.alt.is_none()
    {
        let body = inner.cons.take();
        choice.test = join_and(choice.test.take(), inner.test.take());
        choice.cons = body;
    }
}

/// An `else` belongs to the nearest `if`: one that stands open at the end of the first branch is put into a block.
fn guard_else(choice: &mut IfStmt) {
    if ends_open(&choice.cons) {
        let inner = choice.cons.take();
        *choice.cons = Stmt::Block(BlockStmt { stmts: vec![*inner], ..BlockStmt::default() });
    }
}

fn ends_open(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::If(choice) => choice.alt.as_deref().is_none_or(ends_open),
        Stmt::For(repeat) => ends_open(&repeat.body),
        Stmt::ForIn(repeat) => ends_open(&repeat.body),
        Stmt::ForOf(repeat) => ends_open(&repeat.body),
        Stmt::While(repeat) => ends_open(&repeat.body),
        Stmt::With(with) => ends_open(&with.body),
        Stmt::Labeled(labeled) => ends_open(&labeled.body),
        _ => false,
    }
}

/// A block of one statement is that statement, a block of none is nothing.
pub(super) fn unwrap_block(stmt: &mut Stmt) {
    let Stmt::Block(block) = stmt else { return };
    match block.stmts.as_mut_slice() {
        [] => *stmt = Stmt::Empty(EmptyStmt { span: block.span }),
        [only] if !is_lexical(only) => *stmt = only.take(),
        _ => {}
    }
}

fn is_nothing(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Empty(_) => true,
        Stmt::Block(block) => block.stmts.is_empty(),
        _ => false,
    }
}

/// Whether a branch does not go on behind its `if`.
pub(super) fn ends(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Block(block) => block.stmts.last().is_some_and(jumps),
        stmt => jumps(stmt),
    }
}

fn is_expr(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Expr(_) => true,
        Stmt::Block(block) => !block.stmts.is_empty() && block.stmts.iter().all(|stmt| matches!(stmt, Stmt::Expr(_))),
        _ => false,
    }
}

/// A statement that only evaluates, as one expression.
fn as_expr(stmt: &mut Stmt) -> Option<Box<Expr>> {
    if !is_expr(stmt) {
        return None;
    }
    match stmt {
        Stmt::Expr(stmt) => Some(stmt.expr.take()),
        Stmt::Block(block) => {
            Some(sequence(block.stmts.drain(..).filter_map(|stmt| stmt.expr()).map(|stmt| stmt.expr)))
        }
        _ => None,
    }
}

fn sequence(exprs: impl Iterator<Item = Box<Expr>>) -> Box<Expr> {
    let mut list = Vec::new();
    for expr in exprs {
        match *expr {
            Expr::Seq(inner) => list.extend(inner.exprs),
            expr => list.push(Box::new(expr)),
        }
    }
    if list.len() == 1 {
        return list.remove(0);
    }
    Box::new(Expr::Seq(SeqExpr { span: DUMMY_SP, exprs: list }))
}

fn returned_ref(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Return(end) => end.arg.is_some(),
        Stmt::Block(block) => match block.stmts.split_last() {
            Some((last, rest)) => returned_ref(last) && rest.iter().all(|stmt| matches!(stmt, Stmt::Expr(_))),
            None => false,
        },
        _ => false,
    }
}

/// What a branch returns, when that is all it does.
pub(super) fn returned(stmt: &mut Stmt) -> Option<Box<Expr>> {
    if !returned_ref(stmt) {
        return None;
    }
    match stmt {
        Stmt::Return(end) => end.arg.take(),
        Stmt::Block(block) => {
            let mut last = block.stmts.pop()?;
            let value = returned(&mut last)?;
            let first = block.stmts.drain(..).filter_map(|stmt| stmt.expr()).map(|stmt| stmt.expr);
            Some(sequence(first.chain(std::iter::once(value))))
        }
        _ => None,
    }
}

/// `test ? first : second`, or what is shorter.
pub(super) fn choose(test: Box<Expr>, first: Box<Expr>, second: Box<Expr>, names: &Names) -> Box<Expr> {
    let (test, first, second) = match *test {
        Expr::Unary(UnaryExpr { op: UnaryOp::Bang, arg, .. }) => (arg, second, first),
        test => (Box::new(test), first, second),
    };
    let (first, second) = match (*first, *second) {
        (Expr::Assign(first), Expr::Assign(second)) if is_same_target(&first, &second, names) => {
            let right = choose(test, first.right, second.right, names);
            return Box::new(Expr::Assign(AssignExpr { right, ..first }));
        }
        (first, second) => (Box::new(first), Box::new(second)),
    };
    Box::new(Expr::Cond(CondExpr { span: DUMMY_SP, test, cons: first, alt: second }))
}

/// Whether two assignments set one variable of the program. A global may come to be while the condition is evaluated.
fn is_same_target(first: &AssignExpr, second: &AssignExpr, names: &Names) -> bool {
    first.op == AssignOp::Assign && second.op == AssignOp::Assign && {
        match (&first.left, &second.left) {
            (
                AssignTarget::Simple(SimpleAssignTarget::Ident(first)),
                AssignTarget::Simple(SimpleAssignTarget::Ident(second)),
            ) => !names.is_free(&first.id) && first.id.sym == second.id.sym && first.id.ctxt == second.id.ctxt,
            _ => false,
        }
    }
}

/// `test && value`, when that is not longer than `if (test) value`; else both are given back.
fn and(test: Box<Expr>, value: Box<Expr>) -> Result<Box<Expr>, (Box<Expr>, Box<Expr>)> {
    match *test {
        Expr::Unary(UnaryExpr { op: UnaryOp::Bang, arg, span }) => {
            if binds_weaker(&arg, BinaryOp::LogicalOr) && binds_weaker(&value, BinaryOp::LogicalOr) {
                return Err((Box::new(Expr::Unary(UnaryExpr { op: UnaryOp::Bang, arg, span })), value));
            }
            Ok(logical(BinaryOp::LogicalOr, arg, value))
        }
        test if binds_weaker(&test, BinaryOp::LogicalAnd) && binds_weaker(&value, BinaryOp::LogicalAnd) => {
            Err((Box::new(test), value))
        }
        test => Ok(join_and(Box::new(test), value)),
    }
}

/// `a && b`, where `b` may be another `&&`: the order is the same without brackets.
fn join_and(left: Box<Expr>, right: Box<Expr>) -> Box<Expr> {
    logical(BinaryOp::LogicalAnd, left, right)
}

fn logical(op: BinaryOp, left: Box<Expr>, right: Box<Expr>) -> Box<Expr> {
    match *right {
        Expr::Bin(bin) if bin.op == op => {
            let left = logical(op, left, bin.left);
            Box::new(Expr::Bin(BinExpr { left, right: bin.right, ..bin }))
        }
        right => Box::new(Expr::Bin(BinExpr { span: DUMMY_SP, op, left, right: Box::new(right) })),
    }
}

/// Whether an operand of `op` would need brackets.
fn binds_weaker(expr: &Expr, op: BinaryOp) -> bool {
    match expr {
        Expr::Seq(_) | Expr::Assign(_) | Expr::Cond(_) | Expr::Arrow(_) | Expr::Yield(_) => true,
        Expr::Bin(bin) => bin.op.precedence() < op.precedence() || bin.op == BinaryOp::NullishCoalescing,
        _ => false,
    }
}

/// The opposite of a condition.
pub(super) fn not(expr: Box<Expr>) -> Box<Expr> {
    match *expr {
        Expr::Unary(UnaryExpr { op: UnaryOp::Bang, arg, .. }) => arg,
        Expr::Bin(mut bin) if opposite(bin.op).is_some() => {
            bin.op = opposite(bin.op).unwrap_or(bin.op);
            Box::new(Expr::Bin(bin))
        }
        expr => Box::new(Expr::Unary(UnaryExpr { span: DUMMY_SP, op: UnaryOp::Bang, arg: Box::new(expr) })),
    }
}

/// The comparison that is true when this one is false, for every value.
pub(super) fn opposite(op: BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        BinaryOp::EqEq => BinaryOp::NotEq,
        BinaryOp::NotEq => BinaryOp::EqEq,
        BinaryOp::EqEqEq => BinaryOp::NotEqEq,
        BinaryOp::NotEqEq => BinaryOp::EqEqEq,
        _ => return None,
    })
}
