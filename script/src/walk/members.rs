//! Members of `exports`, `module` and whole-namespace imports, whose names are known without following the object.

use swc_core::common::Spanned;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::VisitMutWith;

use super::{Binding, Walk};
use crate::Doubt;
use crate::exports::static_name;

impl Walk<'_> {
    /// Walks `exports` or `module.exports` where using it exports nothing new.
    pub(super) fn quiet_exports(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Ident(name) if self.names.is_free(name) => {
                self.adopt(name);
            }
            Expr::Member(member) => self.quiet_exports(&mut member.obj),
            Expr::Paren(paren) => self.quiet_exports(&mut paren.expr),
            Expr::Ident(_) => {}
            expr => expr.visit_mut_with(self),
        }
    }

    /// The object of a member: `exports.x` and `module.id` do not let `exports` go anywhere.
    pub(super) fn member(&mut self, member: &mut MemberExpr) {
        self.namespace_member(member);
        if self.is_module() && self.free_word(&member.obj, "require") {
            self.member_of_require(member);
            return;
        }
        self.member_of_meta(member);
        self.member_of_wasm(member);
        if self.is_module() && (self.exports.is_exports(&member.obj) || self.free_word(&member.obj, "module")) {
            let open = static_name(&member.prop).is_none();
            self.quiet_exports(&mut member.obj);
            if open {
                // `exports[name]` may be written elsewhere through what it gives; reading alone is harmless.
                member.prop.visit_mut_with(self);
            }
            return;
        }
        self.state.in_chain = true;
        member.obj.visit_mut_with(self);
        self.state.in_chain = false;
        member.prop.visit_mut_with(self);
    }

    /// `ns.name` of a whole-namespace import uses that name only.
    pub(super) fn namespace_member(&mut self, member: &mut MemberExpr) {
        let Some(Binding { number, name: None, .. }) = self.binding(&member.obj).cloned() else { return };
        if let Some(name) = static_name(&member.prop)
            && !self.is_joined()
        {
            self.imports.use_doubtful(number, &name, Doubt::Member);
            let span = member.obj.span();
            *member.obj = Expr::Ident(self.imports.namespace(number, span));
        }
    }

    pub(super) fn is_alias_target(&self, target: &AssignTarget) -> bool {
        match target {
            AssignTarget::Simple(SimpleAssignTarget::Ident(name)) => {
                self.exports.is_exports(&Expr::Ident(name.id.clone())) || *name.id.sym == *"exports"
            }
            AssignTarget::Simple(SimpleAssignTarget::Member(member)) => {
                matches!(&*member.obj, Expr::Ident(name) if *name.sym == *"module")
            }
            _ => false,
        }
    }
}
