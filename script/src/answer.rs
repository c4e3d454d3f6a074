//! How an action answers, as its parameters tell.

use swc_core::ecma::ast::{ArrowExpr, Callee, Expr, Function, Id, Ident, Pat};
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::AnswerStyle;

/// Names by which a last parameter is known to be the callback.
const CALLBACK_NAMES: [&str; 5] = ["cb", "callback", "done", "next", "fn"];

/// A function in one of its two forms.
#[derive(Clone, Copy)]
pub(crate) enum Callable<'a> {
    Function(&'a Function),
    Arrow(&'a ArrowExpr),
}

/// What a function's head and body tell of how it is to be called.
pub(crate) struct Signature {
    /// Names of all parameters; a pattern is `arg` and its number.
    names: Vec<String>,
    /// Whether the last takes all further arguments.
    pub(crate) rest: bool,
    /// Whether the last can be a callback: a plain name.
    last_is_plain: bool,
    /// Whether the rule of the callback style applies.
    calls_back: bool,
    /// The callback, when the rule applies by its name alone and nothing ever mentions it.
    pub(crate) unused_callback: Option<String>,
}

impl Signature {
    pub(crate) fn of(function: Callable<'_>) -> Self {
        let params: Vec<&Pat> = match function {
            Callable::Function(function) => function.params.iter().map(|param| &param.pat).collect(),
            Callable::Arrow(arrow) => arrow.params.iter().collect(),
        };
        let names = params.iter().enumerate().map(|(n, pat)| name(pat, n + 1)).collect();
        let rest = matches!(params.last(), Some(Pat::Rest(_)));
        let last = params.last().and_then(|pat| pat.as_ident()).map(|last| &last.id);
        let eventual = match function {
            Callable::Function(function) => function.is_async || function.is_generator,
            Callable::Arrow(arrow) => arrow.is_async,
        };
        let mut signature =
            Self { names, rest, last_is_plain: last.is_some(), calls_back: false, unused_callback: None };
        let Some(last) = last.filter(|_| !eventual) else { return signature };
        let mut uses = Uses { of: last.to_id(), called: false, mentioned: false };
        match function {
            Callable::Function(function) => function.body.visit_with(&mut uses),
            Callable::Arrow(arrow) => arrow.body.visit_with(&mut uses),
        }
        let named = CALLBACK_NAMES.contains(&last.sym.as_str());
        signature.calls_back = named || uses.called;
        signature.unused_callback = (named && !uses.mentioned).then(|| last.sym.to_string());
        signature
    }

    /// The style, by the file's word or the rule, and the data parameters that it leaves.
    pub(crate) fn answer(&self, wanted: Option<AnswerStyle>) -> (AnswerStyle, Vec<String>) {
        let rule = if self.calls_back { AnswerStyle::Callback } else { AnswerStyle::Value };
        let style = wanted.unwrap_or(rule);
        let mut params = self.names.clone();
        if style == AnswerStyle::Callback && self.last_is_plain {
            params.pop();
        }
        (style, params)
    }
}

fn name(pat: &Pat, number: usize) -> String {
    match pat {
        Pat::Ident(name) => name.sym.to_string(),
        Pat::Rest(rest) => name(&rest.arg, number),
        Pat::Assign(assign) => name(&assign.left, number),
        _ => format!("arg{number}"),
    }
}

/// What a body does with a parameter.
struct Uses {
    of: Id,
    called: bool,
    mentioned: bool,
}

impl Visit for Uses {
    fn visit_callee(&mut self, callee: &Callee) {
        if let Callee::Expr(callee) = callee
            && let Expr::Ident(name) = &**callee
            && name.to_id() == self.of
        {
            self.called = true;
        }
        callee.visit_children_with(self);
    }

    fn visit_ident(&mut self, name: &Ident) {
        // `arguments` can reach every parameter.
        self.mentioned |= name.to_id() == self.of || name.sym == *"arguments";
    }
}
