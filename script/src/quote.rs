//! Short ways to write the syntax that the compiler adds to a program.

use swc_core::atoms::{Atom, Wtf8Atom};
use swc_core::common::util::take::Take;
use swc_core::common::{DUMMY_SP, Span, SyntaxContext};
use swc_core::ecma::ast::{
    ArrowExpr, ArrowFunctionBody, BinaryOp, BindingIdent, CallExpr, Callee, ComputedPropName, Decl, Expr, ExprOrSpread,
    ExprStmt, Ident, IdentName, KeyValueProp, Lit, MemberExpr, MemberProp, Number, ObjectLit, Pat, Prop, PropName,
    PropOrSpread, SeqExpr, Stmt, Str, UnaryExpr, UnaryOp, VarDecl, VarDeclKind, VarDeclarator,
};

pub(crate) fn number(value: f64, span: Span) -> Box<Expr> {
    Box::new(Expr::Lit(Lit::Num(Number { span, value, raw: None })))
}

pub(crate) fn string(value: impl Into<Wtf8Atom>) -> Box<Expr> {
    Box::new(Expr::Lit(Lit::Str(Str { span: DUMMY_SP, value: value.into(), raw: None })))
}

pub(crate) fn arg(expr: Box<Expr>) -> ExprOrSpread {
    ExprOrSpread { spread: None, expr }
}

/// `callee(args)`
pub(crate) fn call(callee: Box<Expr>, args: Vec<ExprOrSpread>, span: Span) -> Box<Expr> {
    let callee = Callee::Expr(callee);
    Box::new(Expr::Call(CallExpr { span, ctxt: SyntaxContext::empty(), callee, args, type_args: None }))
}

/// `object.name`, or `object["na me"]` when the name is not an identifier.
pub(crate) fn member(object: &Ident, name: &Atom, span: Span) -> Box<Expr> {
    let prop = if is_word(name) {
        MemberProp::Ident(IdentName::new(name.clone(), span))
    } else {
        MemberProp::Computed(ComputedPropName { span, expr: string(&**name) })
    };
    let obj = Box::new(Expr::Ident(Ident { span, ..object.clone() }));
    Box::new(Expr::Member(MemberExpr { span, obj, prop }))
}

/// `object.name` of any object, for a name that is an identifier.
pub(crate) fn member_of(obj: Box<Expr>, name: &str, span: Span) -> Box<Expr> {
    Box::new(Expr::Member(MemberExpr { span, obj, prop: MemberProp::Ident(IdentName::new(name.into(), span)) }))
}

/// `(0, expr)`: a call through it has no `this`.
pub(crate) fn without_this(expr: Box<Expr>, span: Span) -> Box<Expr> {
    Box::new(Expr::Seq(SeqExpr { span, exprs: vec![number(0.0, DUMMY_SP), expr] }))
}

/// `key: value` in an object literal, safe for every key.
pub(crate) fn property(key: &Atom, value: Box<Expr>) -> PropOrSpread {
    let name = if *key == *"__proto__" {
        PropName::Computed(ComputedPropName { span: DUMMY_SP, expr: string(&**key) })
    } else if is_word(key) {
        PropName::Ident(IdentName::new(key.clone(), DUMMY_SP))
    } else {
        PropName::Str(Str { span: DUMMY_SP, value: (&**key).into(), raw: None })
    };
    PropOrSpread::Prop(Box::new(Prop::KeyValue(KeyValueProp { key: name, value })))
}

pub(crate) fn object(props: Vec<PropOrSpread>) -> Box<Expr> {
    Box::new(Expr::Object(ObjectLit { span: DUMMY_SP, props }))
}

/// `() => body`
pub(crate) fn thunk(body: Box<Expr>) -> Box<Expr> {
    Box::new(Expr::Arrow(ArrowExpr { body: Box::new(ArrowFunctionBody::Expr(body)), ..ArrowExpr::default() }))
}

/// `const name = init`
pub(crate) fn constant(name: Ident, init: Box<Expr>, span: Span) -> VarDeclarator {
    let name = Pat::Ident(BindingIdent { id: name, type_ann: None });
    VarDeclarator { span, name, init: Some(init), definite: false }
}

pub(crate) fn constants(decls: Vec<VarDeclarator>, span: Span) -> Stmt {
    Stmt::Decl(Decl::Var(Box::new(VarDecl { span, kind: VarDeclKind::Const, decls, ..VarDecl::default() })))
}

pub(crate) fn statement(expr: Box<Expr>) -> Stmt {
    Stmt::Expr(ExprStmt { span: DUMMY_SP, expr })
}

/// `-(1 / 2)` as `-1 / 2`, which is the same number. swc would leave the brackets out without moving the sign.
pub(crate) fn move_minus(expr: &mut Expr) {
    let Expr::Unary(minus) = expr else { return };
    let is_number = |expr: &Expr| matches!(expr.unwrap_parens(), Expr::Lit(Lit::Num(_)));
    if minus.op != UnaryOp::Minus {
        return;
    }
    if let Expr::Bin(bin) = minus.arg.unwrap_parens_mut()
        && matches!(bin.op, BinaryOp::Div | BinaryOp::Mul)
        && is_number(&bin.left)
        && is_number(&bin.right)
    {
        let mut bin = bin.take();
        bin.left = Box::new(Expr::Unary(UnaryExpr { span: minus.span, op: UnaryOp::Minus, arg: bin.left }));
        *expr = Expr::Bin(bin);
    }
}

/// Whether a name can stand behind a dot.
pub(crate) fn is_word(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(Ident::is_valid_start) && letters.all(Ident::is_valid_continue)
}
