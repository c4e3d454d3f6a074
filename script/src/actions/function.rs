use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith, noop_visit_type};

use super::strip;
use crate::AnswerStyle;
use crate::exports::static_name;

/// Names that make the last plain parameter of a function its callback.
const CALLBACK_NAMES: [&str; 5] = ["cb", "callback", "done", "next", "fn"];

/// The function of an action, of either kind.
pub(super) struct ActionFn<'p> {
    params: Vec<&'p Pat>,
    body: Body<'p>,
    /// Async, or a generator: it answers by what it returns.
    returns_later: bool,
}

#[derive(Clone, Copy)]
enum Body<'p> {
    Statements(&'p [Stmt]),
    Expr(&'p Expr),
}

/// What a caller has to know of an action.
pub(super) struct Shape {
    pub(super) params: Vec<String>,
    pub(super) rest: bool,
    pub(super) style: AnswerStyle,
    pub(super) callback: Option<String>,
    pub(super) never_answers: bool,
}

impl<'p> ActionFn<'p> {
    pub(super) fn function(function: &'p Function) -> Self {
        let body = function.body.as_ref().map_or(&[][..], |body| &body.stmts);
        Self {
            params: function.params.iter().map(|param| &param.pat).collect(),
            body: Body::Statements(body),
            returns_later: function.is_async || function.is_generator,
        }
    }

    pub(super) fn arrow(arrow: &'p ArrowExpr) -> Self {
        let body = match &*arrow.body {
            ArrowFunctionBody::FunctionBody(body) => Body::Statements(&body.stmts),
            ArrowFunctionBody::Expr(expr) => Body::Expr(expr),
        };
        Self { params: arrow.params.iter().collect(), body, returns_later: arrow.is_async || arrow.is_generator }
    }

    /// The function's style by the rule, or as the file says.
    pub(super) fn shape(&self, declared: Option<AnswerStyle>) -> Shape {
        let last = self.params.last().and_then(|pat| plain(pat));
        let mut uses = Uses { callback: last.map(Ident::to_id), ..Uses::default() };
        match self.body {
            Body::Statements(stmts) => stmts.visit_with(&mut uses),
            Body::Expr(expr) => expr.visit_with(&mut uses),
        }
        self.params.iter().for_each(|pat| defaults(pat, &mut uses));
        let named = last.is_some_and(|name| CALLBACK_NAMES.contains(&&*name.sym));
        let by_rule =
            if !self.returns_later && (named || uses.called) { AnswerStyle::Callback } else { AnswerStyle::Value };
        let style = declared.unwrap_or(by_rule);
        let callback = last.filter(|_| style == AnswerStyle::Callback);
        let data = if callback.is_some() { &self.params[..self.params.len() - 1] } else { &self.params[..] };
        let params = data.iter().enumerate().map(|(index, pat)| param_name(pat, index)).collect();
        Shape {
            params,
            rest: matches!(data.last(), Some(Pat::Rest(_))),
            style,
            never_answers: callback.is_some() && !uses.mentioned && !uses.escapes,
            callback: callback.map(|name| name.sym.to_string()),
        }
    }
}

/// The name of a parameter that is only a name.
fn plain(pat: &Pat) -> Option<&Ident> {
    match pat {
        Pat::Ident(name) => Some(&name.id),
        _ => None,
    }
}

fn param_name(pat: &Pat, index: usize) -> String {
    match pat {
        Pat::Ident(name) => name.id.sym.to_string(),
        Pat::Assign(assign) => param_name(&assign.left, index),
        Pat::Rest(rest) => param_name(&rest.arg, index),
        _ => format!("arg{}", index + 1),
    }
}

fn defaults(pat: &Pat, uses: &mut Uses) {
    if !matches!(pat, Pat::Ident(_)) {
        pat.visit_with(uses);
    }
}

/// How a function uses its callback.
#[derive(Default)]
struct Uses {
    callback: Option<Id>,
    mentioned: bool,
    called: bool,
    /// It may end or answer in a way that does not mention the callback.
    escapes: bool,
}

impl Uses {
    fn is_callback(&self, expr: &Expr) -> bool {
        matches!((strip(expr), &self.callback), (Expr::Ident(name), Some(id)) if name.to_id() == *id)
    }

    /// `cb(…)`, `cb.call(…)`, `cb.apply(…)`
    fn calls(&self, callee: &Expr) -> bool {
        match strip(callee) {
            Expr::Member(member) => {
                self.is_callback(&member.obj)
                    && static_name(&member.prop).is_some_and(|name| matches!(&*name, "call" | "apply"))
            }
            callee => self.is_callback(callee),
        }
    }
}

impl Visit for Uses {
    noop_visit_type!();

    fn visit_ident(&mut self, name: &Ident) {
        self.mentioned |= self.callback.as_ref().is_some_and(|id| name.to_id() == *id);
        self.escapes |= matches!(&*name.sym, "arguments" | "eval");
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        self.called |= call.callee.as_expr().is_some_and(|callee| self.calls(callee));
        call.visit_children_with(self);
    }

    fn visit_opt_call(&mut self, call: &OptCall) {
        self.called |= self.calls(&call.callee);
        call.visit_children_with(self);
    }

    fn visit_throw_stmt(&mut self, stmt: &ThrowStmt) {
        self.escapes = true;
        stmt.visit_children_with(self);
    }
}
