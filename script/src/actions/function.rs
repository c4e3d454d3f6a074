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
    pub(super) unclear: Option<Unclear>,
}

/// Why one may be mistaken about how a function answers, with the name that is to blame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unclear {
    /// It is async, so it answers by its promise; its last parameter looks like a callback.
    Promise(String),
    /// Its last parameter is named like a callback, but is not used, and the function returns a value.
    Returns(String),
    /// A parameter that looks like a callback is called, but is not the last plain one.
    Misplaced(String),
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
        let suspects = self.params.iter().filter_map(|pat| suspect(pat)).collect();
        let mut uses = Uses { callback: last.map(Ident::to_id), suspects, ..Uses::default() };
        match self.body {
            Body::Statements(stmts) => stmts.visit_with(&mut uses),
            Body::Expr(expr) => {
                uses.returns = true;
                expr.visit_with(&mut uses);
            }
        }
        self.params.iter().for_each(|pat| defaults(pat, &mut uses));
        let named = last.is_some_and(|name| CALLBACK_NAMES.contains(&&*name.sym));
        let by_rule =
            if !self.returns_later && (named || uses.called) { AnswerStyle::Callback } else { AnswerStyle::Value };
        let style = declared.unwrap_or(by_rule);
        let callback = last.filter(|_| style == AnswerStyle::Callback);
        let silent = named && !uses.mentioned && !uses.escapes;
        let unclear = match (declared, last) {
            (Some(_), _) => None,
            (None, Some(last)) if self.returns_later && (named || uses.called) => {
                Some(Unclear::Promise(last.sym.to_string()))
            }
            (None, Some(last)) if !self.returns_later && silent && uses.returns => {
                Some(Unclear::Returns(last.sym.to_string()))
            }
            (None, _) if style == AnswerStyle::Value => uses.misplaced.clone().map(Unclear::Misplaced),
            (None, _) => None,
        };
        let data = if callback.is_some() { &self.params[..self.params.len() - 1] } else { &self.params[..] };
        let params = data.iter().enumerate().map(|(index, pat)| param_name(pat, index)).collect();
        Shape {
            params,
            rest: matches!(data.last(), Some(Pat::Rest(_))),
            style,
            // One that is said to call back must have something to call.
            never_answers: style == AnswerStyle::Callback && !uses.mentioned && !uses.escapes && unclear.is_none(),
            unclear,
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

/// A parameter that looks like a callback: by its name alone, with or without a default.
fn suspect(pat: &Pat) -> Option<Id> {
    match pat {
        Pat::Ident(name) if matches!(&*name.sym, "cb" | "callback") => Some(name.to_id()),
        Pat::Assign(assign) => suspect(&assign.left),
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
    suspects: Vec<Id>,
    mentioned: bool,
    called: bool,
    /// It may end or answer in a way that does not mention the callback.
    escapes: bool,
    /// It returns a value, not counting functions inside.
    returns: bool,
    functions: u32,
    /// What is called and looks like a callback.
    misplaced: Option<String>,
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
        if let Some(Expr::Ident(name)) = call.callee.as_expr().map(|callee| strip(callee))
            && self.suspects.contains(&name.to_id())
        {
            self.misplaced = Some(name.sym.to_string());
        }
        self.called |= call.callee.as_expr().is_some_and(|callee| self.calls(callee));
        call.visit_children_with(self);
    }

    fn visit_return_stmt(&mut self, stmt: &ReturnStmt) {
        self.returns |= self.functions == 0 && stmt.arg.is_some();
        stmt.visit_children_with(self);
    }

    fn visit_function(&mut self, function: &Function) {
        self.functions += 1;
        function.visit_children_with(self);
        self.functions -= 1;
    }

    fn visit_arrow_expr(&mut self, arrow: &ArrowExpr) {
        self.functions += 1;
        arrow.visit_children_with(self);
        self.functions -= 1;
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
