//! Expressions that stand for values known when the app is built, and the branches that are dead because of them.

use swc_core::atoms::Atom;
use swc_core::common::BytePos;
use swc_core::ecma::ast::*;
use swc_core::ecma::parser::{Parser, StringInput, Syntax};
use swc_core::ecma::visit::{VisitMut, VisitMutWith, noop_visit_mut_type};

use crate::dead;
use crate::names::Names;

/// The definitions that a text may use.
pub(crate) struct Defines<'a> {
    names: &'a Names,
    defined: Vec<Define>,
}

struct Define {
    root: Atom,
    members: Vec<Atom>,
    value: Box<Expr>,
}

impl<'a> Defines<'a> {
    /// Those of `defines` whose words are in the text; nothing when none are.
    pub(crate) fn new(defines: &[(String, String)], text: &str, names: &'a Names) -> Option<Self> {
        let appears = |key: &str| {
            key.trim_end_matches('*')
                .split('.')
                .all(|part| memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some())
        };
        let used = defines.iter().filter(|(key, _)| appears(key));
        let defined: Vec<Define> = used.filter_map(|(key, value)| define(key, value)).collect();
        (!defined.is_empty()).then_some(Self { names, defined })
    }

    fn value_of(&self, expr: &Expr) -> Option<Box<Expr>> {
        if !matches!(expr, Expr::Member(_) | Expr::Ident(_)) {
            return None;
        }
        let define = self.defined.iter().find(|define| self.is(expr, &define.root, &define.members))?;
        let mut value = define.value.clone();
        value.set_span(swc_core::common::Spanned::span(expr));
        Some(value)
    }

    fn is(&self, expr: &Expr, root: &Atom, members: &[Atom]) -> bool {
        match (expr, members.split_last()) {
            // `import.meta` is no member, but is written like one.
            (Expr::MetaProp(meta), Some((last, []))) => {
                meta.kind == MetaPropKind::ImportMeta && *root == *"import" && **last == *"meta"
            }
            (Expr::Ident(name), None) => self.names.is_free(name) && name.sym == *root,
            (Expr::Member(member), Some((last, rest))) => {
                crate::exports::static_name(&member.prop).is_some_and(|name| stands_for(last, &name))
                    && self.is(&member.obj, root, rest)
            }
            _ => false,
        }
    }
}

/// Whether the last part of a definition means a name: `SS_PUBLIC_*` means all that begin so.
fn stands_for(part: &Atom, name: &Atom) -> bool {
    match part.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == part,
    }
}

/// A definition, when its value is an expression that can stand anywhere.
fn define(key: &str, value: &str) -> Option<Define> {
    let mut parts = key.split('.').map(Atom::from);
    let input = StringInput::new(value, BytePos(1), BytePos(1 + value.len() as u32));
    let mut parser = Parser::new(Syntax::Es(Default::default()), input, None);
    let parsed = parser.parse_expr().ok()?;
    Some(Define { root: parts.next()?, members: parts.collect(), value: literal(parsed)? })
}

/// A literal without its source text, which is not that of the file.
fn literal(expr: Box<Expr>) -> Option<Box<Expr>> {
    Some(Box::new(match *expr {
        Expr::Lit(Lit::Str(text)) => Expr::Lit(Lit::Str(Str { raw: None, ..text })),
        Expr::Lit(Lit::Num(number)) => Expr::Lit(Lit::Num(Number { raw: None, ..number })),
        Expr::Lit(lit @ (Lit::Bool(_) | Lit::Null(_))) => Expr::Lit(lit),
        Expr::Ident(name) if name.sym == *"undefined" => *Expr::undefined(name.span),
        Expr::Unary(unary) if unary.op == UnaryOp::Minus => {
            Expr::Unary(UnaryExpr { arg: literal(unary.arg)?, ..unary })
        }
        _ => return None,
    }))
}

impl VisitMut for Defines<'_> {
    noop_visit_mut_type!();

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        if let Some(value) = self.value_of(expr) {
            *expr = *value;
            return;
        }
        expr.visit_mut_children_with(self);
        if let Some(folded) = fold(expr) {
            *expr = *folded;
        }
    }

    fn visit_mut_update_expr(&mut self, update: &mut UpdateExpr) {
        if self.value_of(&update.arg).is_none() {
            update.visit_mut_children_with(self);
        }
    }

    fn visit_mut_unary_expr(&mut self, unary: &mut UnaryExpr) {
        if unary.op != UnaryOp::Delete || self.value_of(&unary.arg).is_none() {
            unary.visit_mut_children_with(self);
        }
    }

    fn visit_mut_stmt(&mut self, stmt: &mut Stmt) {
        stmt.visit_mut_children_with(self);
        if let Stmt::If(choice) = stmt
            && let Some(chosen) = dead::chosen(choice)
        {
            *stmt = chosen;
        }
    }
}

/// The value of an expression whose deciding part is known.
fn fold(expr: &mut Expr) -> Option<Box<Expr>> {
    use std::mem::take;
    match expr {
        Expr::Bin(bin) => match bin.op {
            BinaryOp::EqEq | BinaryOp::EqEqEq => equal(&bin.left, &bin.right).map(|value| boolean(value, bin)),
            BinaryOp::NotEq | BinaryOp::NotEqEq => equal(&bin.left, &bin.right).map(|value| boolean(!value, bin)),
            BinaryOp::LogicalAnd => {
                dead::truth(&bin.left).map(|value| take(if value { &mut bin.right } else { &mut bin.left }))
            }
            BinaryOp::LogicalOr => {
                dead::truth(&bin.left).map(|value| take(if value { &mut bin.left } else { &mut bin.right }))
            }
            _ => None,
        },
        Expr::Cond(cond) => {
            dead::truth(&cond.test).map(|value| take(if value { &mut cond.cons } else { &mut cond.alt }))
        }
        Expr::Unary(unary) if unary.op == UnaryOp::Bang => {
            let value = dead::truth(&unary.arg)?;
            Some(Box::new(Expr::Lit(Lit::Bool(Bool { span: unary.span, value: !value }))))
        }
        // Brackets around what was decided would hide it from the next decision.
        Expr::Paren(paren) if matches!(*paren.expr, Expr::Lit(_)) => Some(take(&mut paren.expr)),
        _ => None,
    }
}

fn boolean(value: bool, bin: &BinExpr) -> Box<Expr> {
    Box::new(Expr::Lit(Lit::Bool(Bool { span: bin.span, value })))
}

/// Whether two literals of one kind are equal; of two kinds, `==` has rules of its own.
fn equal(left: &Expr, right: &Expr) -> Option<bool> {
    match (left, right) {
        (Expr::Lit(Lit::Str(left)), Expr::Lit(Lit::Str(right))) => Some(left.value == right.value),
        (Expr::Lit(Lit::Num(left)), Expr::Lit(Lit::Num(right))) => Some(left.value == right.value),
        (Expr::Lit(Lit::Bool(left)), Expr::Lit(Lit::Bool(right))) => Some(left.value == right.value),
        _ => None,
    }
}
