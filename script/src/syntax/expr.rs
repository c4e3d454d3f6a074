//! Expressions, written shorter.

use swc_core::common::util::take::Take;
use swc_core::common::{DUMMY_SP, Span};
use swc_core::ecma::ast::*;

use super::branch::opposite;
use crate::names::Names;
use crate::quote;

pub(super) fn shorten(expr: &mut Expr, names: &Names) {
    match expr {
        // Brackets that are needed come back when the code is written.
        Expr::Paren(paren) => *expr = *paren.expr.take(),
        Expr::Lit(Lit::Bool(value)) => *expr = boolean(value.value, value.span),
        Expr::Ident(name) if names.is_free(name) => match &*name.sym {
            "undefined" => *expr = *Expr::undefined(name.span),
            "Infinity" => *expr = infinity(name.span),
            _ => {}
        },
        Expr::Unary(unary) if unary.op == UnaryOp::Bang => {
            if let Expr::Bin(bin) = &mut *unary.arg
                && let Some(op) = opposite(bin.op)
            {
                bin.op = op;
                *expr = *unary.arg.take();
            }
        }
        Expr::Unary(unary) if unary.op == UnaryOp::Minus => quote::move_minus(expr),
        Expr::Bin(bin) => shorten_binary(bin).into_iter().for_each(|shorter| *expr = shorter),
        Expr::Cond(cond) => shorten_condition(cond),
        Expr::Assign(assign) => shorten_assign(assign),
        Expr::Seq(seq) => flatten(seq),
        _ => {}
    }
}

/// `!0` and `!1`
fn boolean(value: bool, span: Span) -> Expr {
    let arg = quote::number(if value { 0.0 } else { 1.0 }, DUMMY_SP);
    Expr::Unary(UnaryExpr { span, op: UnaryOp::Bang, arg })
}

fn infinity(span: Span) -> Expr {
    let (left, right) = (quote::number(1.0, DUMMY_SP), quote::number(0.0, DUMMY_SP));
    Expr::Bin(BinExpr { span, op: BinaryOp::Div, left, right })
}

fn shorten_binary(bin: &mut BinExpr) -> Option<Expr> {
    match bin.op {
        // Both sides are strings, so the strict comparison asks nothing more.
        BinaryOp::EqEqEq if is_string_comparison(bin) => bin.op = BinaryOp::EqEq,
        BinaryOp::NotEqEq if is_string_comparison(bin) => bin.op = BinaryOp::NotEq,
        BinaryOp::Add => return join_strings(bin),
        _ => {}
    }
    None
}

fn is_string_comparison(bin: &BinExpr) -> bool {
    let is_type = |expr: &Expr| matches!(expr, Expr::Unary(unary) if unary.op == UnaryOp::TypeOf);
    let is_text = |expr: &Expr| matches!(expr, Expr::Lit(Lit::Str(_)));
    (is_type(&bin.left) && is_text(&bin.right)) || (is_text(&bin.left) && is_type(&bin.right))
}

/// `"a" + "b"` and `x + "a" + "b"`, where `x + "a"` is a string whatever `x` is.
fn join_strings(bin: &mut BinExpr) -> Option<Expr> {
    let right = text_of(&bin.right)?;
    match &mut *bin.left {
        left @ Expr::Lit(Lit::Str(_)) => {
            let joined = text_of(left)? + &right;
            Some(Expr::Lit(Lit::Str(Str { span: bin.span, value: joined.into(), raw: None })))
        }
        Expr::Bin(inner) if inner.op == BinaryOp::Add => {
            let joined = text_of(&inner.right)? + &right;
            let text = Str { span: DUMMY_SP, value: joined.into(), raw: None };
            let (left, span) = (inner.left.take(), bin.span);
            Some(Expr::Bin(BinExpr { span, op: BinaryOp::Add, left, right: Box::new(Expr::Lit(Lit::Str(text))) }))
        }
        _ => None,
    }
}

/// Longest text that is joined: a sum of thousands would be copied as often.
const JOINED_BYTES: usize = 4096;

fn text_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(Lit::Str(text)) => {
            text.value.as_str().filter(|text| text.len() < JOINED_BYTES).map(ToOwned::to_owned)
        }
        _ => None,
    }
}

/// `!a ? b : c` is `a ? c : b`.
fn shorten_condition(cond: &mut CondExpr) {
    if let Expr::Unary(UnaryExpr { op: UnaryOp::Bang, arg, .. }) = &mut *cond.test
        && !matches!(**arg, Expr::Lit(_))
    {
        cond.test = arg.take();
        std::mem::swap(&mut cond.cons, &mut cond.alt);
    }
}

/// `a = a + b` is `a += b`.
fn shorten_assign(assign: &mut AssignExpr) {
    let AssignTarget::Simple(SimpleAssignTarget::Ident(target)) = &assign.left else { return };
    if assign.op != AssignOp::Assign {
        return;
    }
    if let Expr::Bin(bin) = &mut *assign.right
        && let Some(op) = assigning(bin.op)
        && matches!(&*bin.left, Expr::Ident(name) if name.sym == target.id.sym && name.ctxt == target.id.ctxt)
    {
        assign.op = op;
        assign.right = bin.right.take();
    }
}

fn assigning(op: BinaryOp) -> Option<AssignOp> {
    Some(match op {
        BinaryOp::Add => AssignOp::AddAssign,
        BinaryOp::Sub => AssignOp::SubAssign,
        BinaryOp::Mul => AssignOp::MulAssign,
        BinaryOp::Div => AssignOp::DivAssign,
        BinaryOp::Mod => AssignOp::ModAssign,
        BinaryOp::BitAnd => AssignOp::BitAndAssign,
        BinaryOp::BitOr => AssignOp::BitOrAssign,
        BinaryOp::BitXor => AssignOp::BitXorAssign,
        BinaryOp::LShift => AssignOp::LShiftAssign,
        BinaryOp::RShift => AssignOp::RShiftAssign,
        BinaryOp::ZeroFillRShift => AssignOp::ZeroFillRShiftAssign,
        _ => return None,
    })
}

fn flatten(seq: &mut SeqExpr) {
    if seq.exprs.iter().any(|expr| expr.is_seq()) {
        let exprs = std::mem::take(&mut seq.exprs);
        for expr in exprs {
            match *expr {
                Expr::Seq(inner) => seq.exprs.extend(inner.exprs),
                expr => seq.exprs.push(Box::new(expr)),
            }
        }
    }
}

/// `"a"` and `["a"]` as the key of an object are `a`, but for the one key that means something else.
pub(super) fn shorten_key(key: &mut PropName) {
    let name = match key {
        PropName::Str(text) => text.value.as_atom().cloned(),
        PropName::Computed(computed) => match &*computed.expr {
            Expr::Lit(Lit::Str(text)) => text.value.as_atom().cloned(),
            _ => None,
        },
        _ => None,
    };
    if let Some(name) = name
        && quote::is_word(&name)
        && name != *"__proto__"
    {
        *key = PropName::Ident(IdentName::new(name, swc_core::common::Spanned::span(key)));
    }
}

/// `["a"]` behind an object is `.a`.
pub(super) fn shorten_member(prop: &mut MemberProp) {
    if let MemberProp::Computed(computed) = prop
        && let Expr::Lit(Lit::Str(text)) = &*computed.expr
        && let Some(name) = text.value.as_atom()
        && quote::is_word(name)
    {
        *prop = MemberProp::Ident(IdentName::new(name.clone(), computed.span));
    }
}
