use swc_core::common::{DUMMY_SP, SyntaxContext};
use swc_core::ecma::ast::*;

use crate::names::Parameters;
use crate::quote;

/// Puts statements into `function (module, exports, require) {…}`, an `async` one when they wait.
///
/// The function is the argument of a call, so that no later pass takes it for a value that nothing uses.
pub(crate) fn wrap(body: Vec<Stmt>, parameters: &Parameters, awaits: bool) -> Script {
    let parameter = |name: &Ident| Param {
        span: DUMMY_SP,
        decorators: Vec::new(),
        pat: Pat::Ident(BindingIdent { id: name.clone(), type_ann: None }),
    };
    let function = Function {
        params: [&parameters.module, &parameters.exports, &parameters.require].map(parameter).into(),
        ctxt: SyntaxContext::empty(),
        is_async: awaits,
        body: Some(FunctionBody { span: DUMMY_SP, stmts: body }),
        ..Function::default()
    };
    let function = Box::new(Expr::Fn(FnExpr { ident: None, function: Box::new(function) }));
    let callee = Ident::new("define".into(), DUMMY_SP, SyntaxContext::empty());
    let call = quote::call(Box::new(Expr::Ident(callee)), vec![quote::arg(function)], DUMMY_SP);
    Script { span: DUMMY_SP, body: vec![quote::statement(call)], shebang: None }
}

/// The function that [`wrap`] made, after the passes that follow it.
pub(crate) fn unwrap(script: &Script) -> &Expr {
    let call = match script.body.as_slice() {
        [Stmt::Expr(stmt)] => stmt.expr.as_call(),
        _ => None,
    };
    &call.and_then(|call| call.args.first()).expect("a wrapped module is one call of one function").expr
}

/// The statements of a module without its directives, and the directives.
pub(crate) fn split_directives(body: Vec<Stmt>) -> (Vec<Stmt>, Vec<Stmt>) {
    let count = body.iter().take_while(|stmt| is_directive(stmt)).count();
    let mut directives = body;
    let rest = directives.split_off(count);
    (directives, rest)
}

fn is_directive(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Expr(stmt) if matches!(&*stmt.expr, Expr::Lit(Lit::Str(_))))
}
