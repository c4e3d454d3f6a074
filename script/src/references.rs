use swc_core::atoms::Atom;
use swc_core::common::{Span, Spanned};
use swc_core::ecma::ast::{
    BinaryOp, Expr, Lit, MemberExpr, MetaPropKind, ObjectPatProp, OptChainBase, Pat, VarDeclarator,
};

use crate::exports::{prop_name, static_name};
use crate::names::Names;
use crate::place::Places;
use crate::{Member, Reference, Tree, Variable};

/// What is on the way from a root to the end of a chain of members.
struct Chain {
    root: Root,
    parts: Vec<Atom>,
    dynamic: bool,
    span: Span,
}

/// Where a chain starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    /// `SS`.
    Framework,
    /// `process.env` or `import.meta.env`.
    Environment,
}

/// How the end of a chain is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    Read,
    Called,
}

/// What a chain mentions.
#[derive(Debug)]
pub(crate) enum Mention {
    Tree(Reference),
    Member(Member),
    Variable(Variable),
}

/// What an expression mentions, when it is a path from one of the roots.
pub(crate) fn read(expr: &Expr, usage: Usage, top_level: bool, names: &Names, places: &Places<'_>) -> Option<Mention> {
    let chain = chain(expr, names)?;
    let (first, rest) = chain.parts.split_first()?;
    let place = places.of(chain.span);
    if chain.root == Root::Environment {
        return Some(Mention::Variable(Variable { name: first.to_string(), place }));
    }
    let tree = match &**first {
        "client" => Tree::Client,
        "shared" => Tree::Shared,
        "server" => Tree::Server,
        _ => {
            let path = chain.parts.iter().map(ToString::to_string).collect();
            return Some(Mention::Member(Member { path, place }));
        }
    };
    let mut path: Vec<String> = rest.iter().map(ToString::to_string).collect();
    let mut called = usage == Usage::Called && !chain.dynamic;
    // `SS.server.a.b.call(this, …)` calls `a.b`.
    if called && path.len() > 1 && path.last().is_some_and(|last| matches!(last.as_str(), "call" | "apply" | "bind")) {
        called = path.pop().is_some_and(|last| last != "bind");
    }
    Some(Mention::Tree(Reference { tree, path, dynamic: chain.dynamic, called, top_level, place }))
}

/// The variables that a declaration takes out of the environment: `const { HOME } = process.env`.
pub(crate) fn read_declared(decl: &VarDeclarator, names: &Names, places: &Places<'_>) -> Vec<Variable> {
    let (Pat::Object(object), Some(init)) = (&decl.name, &decl.init) else { return Vec::new() };
    let whole = chain(init, names).filter(|chain| chain.root == Root::Environment && chain.parts.is_empty());
    if whole.is_none_or(|chain| chain.dynamic) {
        return Vec::new();
    }
    let name = |prop: &ObjectPatProp| match prop {
        ObjectPatProp::KeyValue(pair) => prop_name(&pair.key),
        ObjectPatProp::Assign(assign) => Some((assign.key.sym.clone(), assign.key.span)),
        ObjectPatProp::Rest(_) => None,
    };
    let taken = object.props.iter().filter_map(name);
    taken.map(|(name, span)| Variable { name: name.to_string(), place: places.of(span) }).collect()
}

/// The chain of an expression that starts at a root.
fn chain(expr: &Expr, names: &Names) -> Option<Chain> {
    let start = |root, span| Some(Chain { root, parts: Vec::new(), dynamic: false, span });
    match expr {
        Expr::Ident(name) if names.is_free(name) && name.sym == *"SS" => start(Root::Framework, name.span),
        Expr::Member(member) if is_global_ss(member, names) => start(Root::Framework, member.span),
        Expr::Member(member) if is_environment(member, names) => start(Root::Environment, member.span),
        Expr::Member(member) => follow(member, names),
        Expr::OptChain(optional) => match &*optional.base {
            OptChainBase::Member(member) if is_environment(member, names) => start(Root::Environment, member.span),
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

/// `process.env`, `import.meta.env`.
fn is_environment(member: &MemberExpr, names: &Names) -> bool {
    let holder = match &*member.obj {
        Expr::Ident(object) => names.is_free(object) && object.sym == *"process",
        Expr::MetaProp(meta) => meta.kind == MetaPropKind::ImportMeta,
        _ => false,
    };
    holder && static_name(&member.prop).is_some_and(|name| name == *"env")
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
