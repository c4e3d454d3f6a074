//! Fields of classes as assignments in the constructor, as TypeScript had them before the language had fields.

use swc_core::common::{DUMMY_SP, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{VisitMut, VisitMutWith, noop_visit_mut_type};

use crate::quote;

/// Takes fields out of every class and assigns them.
pub(crate) struct AssignedFields;

impl VisitMut for AssignedFields {
    noop_visit_mut_type!();

    fn visit_mut_class(&mut self, class: &mut Class) {
        class.visit_mut_children_with(self);
        let at = class.body.iter().position(|member| matches!(member, ClassMember::Constructor(c) if c.body.is_some()));
        // Where the fields begin to be set cannot be told when `super()` is no statement of its own.
        let start = at.map(|at| match &class.body[at] {
            ClassMember::Constructor(constructor) => start_of(constructor, class.super_class.is_some()),
            _ => None,
        });
        if start == Some(None) {
            return;
        }
        let mut assigned = Vec::new();
        class.body.retain_mut(|member| keep(member, &mut assigned));
        if assigned.is_empty() {
            return;
        }
        let at = class.body.iter_mut().find_map(|member| match member {
            ClassMember::Constructor(constructor) if constructor.body.is_some() => Some(constructor),
            _ => None,
        });
        match (at, start.flatten()) {
            (Some(constructor), Some(start)) => {
                if let Some(body) = &mut constructor.body {
                    body.stmts.splice(start..start, assigned);
                }
            }
            _ => {
                let constructor = written_out(class.super_class.is_some(), assigned);
                class.body.insert(0, ClassMember::Constructor(constructor));
            }
        }
    }
}

/// Behind the directives and the `super()` of a constructor.
fn start_of(constructor: &Constructor, derived: bool) -> Option<usize> {
    let body = constructor.body.as_ref()?;
    let is = |stmt: &Stmt, test: fn(&Expr) -> bool| matches!(stmt, Stmt::Expr(stmt) if test(&stmt.expr));
    if derived {
        let is_super = |expr: &Expr| matches!(expr, Expr::Call(call) if call.callee.is_super_());
        return body.stmts.iter().position(|stmt| is(stmt, is_super)).map(|at| at + 1);
    }
    Some(body.stmts.iter().take_while(|stmt| is(stmt, |expr| matches!(expr, Expr::Lit(Lit::Str(_))))).count())
}

/// Takes the value out of a field. Says whether the member stays.
fn keep(member: &mut ClassMember, assigned: &mut Vec<Stmt>) -> bool {
    match member {
        ClassMember::ClassProp(prop) if prop.declare || prop.is_abstract => true,
        ClassMember::ClassProp(prop) => {
            let Some(name) = member_name(&prop.key) else { return true };
            let Some(value) = prop.value.take() else { return false };
            let assignment = assignment(name, value, prop.span);
            if prop.is_static {
                let body = BlockStmt { stmts: vec![assignment], ..BlockStmt::default() };
                *member = ClassMember::StaticBlock(StaticBlock { span: DUMMY_SP, body });
                return true;
            }
            assigned.push(assignment);
            false
        }
        ClassMember::PrivateProp(prop) if !prop.is_static => {
            // It has to be declared; its value is set in its turn among the others.
            if let Some(value) = prop.value.take() {
                assigned.push(assignment(MemberProp::PrivateName(prop.key.clone()), value, prop.span));
            }
            true
        }
        _ => true,
    }
}

fn member_name(key: &PropName) -> Option<MemberProp> {
    let computed = |expr: Expr| MemberProp::Computed(ComputedPropName { span: DUMMY_SP, expr: Box::new(expr) });
    Some(match key {
        PropName::Ident(name) => MemberProp::Ident(name.clone()),
        PropName::Str(text) => computed(Expr::Lit(Lit::Str(text.clone()))),
        PropName::Num(number) => computed(Expr::Lit(Lit::Num(number.clone()))),
        PropName::BigInt(number) => computed(Expr::Lit(Lit::BigInt(number.clone()))),
        // Its name is told once, when the class is made.
        PropName::Computed(_) => return None,
    })
}

fn assignment(prop: MemberProp, value: Box<Expr>, span: swc_core::common::Span) -> Stmt {
    let target = MemberExpr { span, obj: Box::new(Expr::This(ThisExpr { span: DUMMY_SP })), prop };
    quote::statement(Box::new(Expr::Assign(AssignExpr {
        span,
        op: AssignOp::Assign,
        left: AssignTarget::Simple(SimpleAssignTarget::Member(target)),
        right: value,
    })))
}

/// `constructor(...args) { super(...args); … }`
fn written_out(derived: bool, assigned: Vec<Stmt>) -> Constructor {
    let mut stmts = Vec::new();
    let mut params = Vec::new();
    if derived {
        let args = Ident::new_private("args".into(), DUMMY_SP);
        let rest = Pat::Rest(RestPat {
            span: DUMMY_SP,
            dot3_token: DUMMY_SP,
            arg: Box::new(Pat::Ident(BindingIdent { id: args.clone(), type_ann: None })),
            type_ann: None,
        });
        params.push(ParamOrTsParamProp::Param(Param { span: DUMMY_SP, decorators: Vec::new(), pat: rest }));
        let spread = ExprOrSpread { spread: Some(DUMMY_SP), expr: Box::new(Expr::Ident(args)) };
        stmts.push(quote::statement(Box::new(Expr::Call(CallExpr {
            span: DUMMY_SP,
            ctxt: SyntaxContext::empty(),
            callee: Callee::Super(Super { span: DUMMY_SP }),
            args: vec![spread],
            type_args: None,
        }))));
    }
    stmts.extend(assigned);
    let key = PropName::Ident(IdentName::new("constructor".into(), DUMMY_SP));
    let body = FunctionBody { span: DUMMY_SP, stmts };
    Constructor {
        span: DUMMY_SP,
        ctxt: SyntaxContext::empty(),
        key,
        params,
        body: Some(body),
        ..Constructor::default()
    }
}
