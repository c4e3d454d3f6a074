use swc_core::atoms::Atom;
use swc_core::common::{Span, Spanned};
use swc_core::ecma::ast::{BinaryOp, Expr, Lit, MemberExpr, OptChainBase};

use crate::exports::static_name;
use crate::names::Names;
use crate::place::Places;
use crate::{Reference, Tree};

/// What is on the way from `SS` to the end of a chain of members.
struct Chain {
    parts: Vec<Atom>,
    dynamic: bool,
    span: Span,
}

/// How the end of a chain is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    Read,
    Called,
}

/// The reference that an expression is, when it is a path into an API tree.
pub(crate) fn read(
    expr: &Expr,
    usage: Usage,
    top_level: bool,
    names: &Names,
    places: &Places<'_>,
) -> Option<Reference> {
    let chain = chain(expr, names)?;
    let mut parts = chain.parts.iter();
    let tree = match &**parts.next()? {
        "client" => Tree::Client,
        "shared" => Tree::Shared,
        "server" => Tree::Server,
        _ => return None,
    };
    let mut path: Vec<String> = parts.map(ToString::to_string).collect();
    let mut called = usage == Usage::Called && !chain.dynamic;
    // `SS.server.a.b.call(this, …)` calls `a.b`.
    if called && path.len() > 1 && path.last().is_some_and(|last| matches!(last.as_str(), "call" | "apply" | "bind")) {
        called = path.pop().is_some_and(|last| last != "bind");
    }
    Some(Reference { tree, path, dynamic: chain.dynamic, called, top_level, place: places.of(chain.span) })
}

/// The chain of an expression that starts at the global `SS`.
fn chain(expr: &Expr, names: &Names) -> Option<Chain> {
    match expr {
        Expr::Ident(name) if names.is_free(name) && name.sym == *"SS" => {
            Some(Chain { parts: Vec::new(), dynamic: false, span: name.span })
        }
        Expr::Member(member) => {
            if is_global_ss(member, names) {
                return Some(Chain { parts: Vec::new(), dynamic: false, span: member.span });
            }
            follow(member, names)
        }
        Expr::OptChain(optional) => match &*optional.base {
            OptChainBase::Member(member) => follow(member, names),
            OptChainBase::Call(_) => None,
        },
        Expr::Paren(paren) => chain(&paren.expr, names),
        _ => None,
    }
}

fn follow(member: &MemberExpr, names: &Names) -> Option<Chain> {
    let mut chain = chain(&member.obj, names)?;
    if chain.dynamic {
        return Some(chain);
    }
    match static_name(&member.prop) {
        Some(part) => chain.parts.push(part),
        None => chain.dynamic = true,
    }
    chain.span = chain.span.to(member.prop.span());
    Some(chain)
}

/// `window.SS`, `globalThis.SS` and the other names of the global object.
fn is_global_ss(member: &MemberExpr, names: &Names) -> bool {
    matches!(&*member.obj, Expr::Ident(object) if names.is_free(object)
        && matches!(&*object.sym, "window" | "globalThis" | "self" | "global"))
        && static_name(&member.prop).is_some_and(|name| name == *"SS")
}

/// Whether a timer's first argument is text: `setTimeout("tick()", 100)`.
pub(crate) fn is_text(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(Lit::Str(_)) | Expr::Tpl(_) => true,
        Expr::Bin(bin) => bin.op == BinaryOp::Add && (is_text(&bin.left) || is_text(&bin.right)),
        Expr::Paren(paren) => is_text(&paren.expr),
        _ => false,
    }
}
