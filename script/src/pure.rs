//! What can be left out when nobody uses its value.

use swc_core::atoms::Atom;
use swc_core::common::BytePos;
use swc_core::common::comments::SingleThreadedComments;
use swc_core::ecma::ast::*;

use crate::names::Names;

/// Tells whether evaluating something can be noticed.
pub(crate) struct Purity<'a> {
    pub(crate) names: &'a Names,
    /// Where `/* @__PURE__ */` is looked up.
    pub(crate) comments: &'a SingleThreadedComments,
    /// Functions that their author marked with `/* @__NO_SIDE_EFFECTS__ */`.
    pub(crate) quiet: rustc_hash::FxHashSet<Id>,
    /// Names of whole imported modules.
    pub(crate) namespaces: rustc_hash::FxHashSet<Id>,
}

impl Purity<'_> {
    /// Whether a comment that holds this mark stands before a place.
    pub(crate) fn marked(&self, at: BytePos, mark: &str) -> bool {
        self.comments.with_leading(at, |comments| comments.iter().any(|comment| comment.text.contains(mark)))
    }

    pub(crate) fn expr(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Lit(_) | Expr::Fn(_) | Expr::Arrow(_) | Expr::This(_) | Expr::MetaProp(_) => true,
            Expr::Ident(name) => !self.names.is_free(name) || is_global(&name.sym),
            Expr::Paren(paren) => self.expr(&paren.expr),
            Expr::Tpl(template) => template.exprs.iter().all(|expr| self.expr(expr)),
            Expr::Array(array) => array.elems.iter().flatten().all(|elem| self.arg(elem)),
            Expr::Object(object) => object.props.iter().all(|prop| match prop {
                PropOrSpread::Spread(spread) => matches!(*spread.expr, Expr::Object(_)) && self.expr(&spread.expr),
                PropOrSpread::Prop(prop) => self.prop(prop),
            }),
            Expr::Seq(sequence) => sequence.exprs.iter().all(|expr| self.expr(expr)),
            Expr::Cond(cond) => self.expr(&cond.test) && self.expr(&cond.cons) && self.expr(&cond.alt),
            Expr::Unary(unary) => match unary.op {
                UnaryOp::Delete => false,
                // Asking for the type of a name that is not there does not throw.
                UnaryOp::TypeOf => unary.arg.is_ident() || self.expr(&unary.arg),
                _ => self.expr(&unary.arg),
            },
            Expr::Bin(bin) => {
                !matches!(bin.op, BinaryOp::In | BinaryOp::InstanceOf) && self.expr(&bin.left) && self.expr(&bin.right)
            }
            Expr::Member(member) => self.static_member(member),
            Expr::Class(class) => self.class(&class.class),
            Expr::Call(call) => self.call(call),
            Expr::New(new) => self.construct(new),
            Expr::TaggedTpl(tagged) => {
                self.is_marked(tagged.span.lo) && tagged.tpl.exprs.iter().all(|expr| self.expr(expr))
            }
            _ => false,
        }
    }

    pub(crate) fn class(&self, class: &Class) -> bool {
        let key = |key: &PropName| match key {
            PropName::Computed(computed) => self.expr(&computed.expr),
            _ => true,
        };
        let value = |value: &Option<Box<Expr>>| value.as_ref().is_none_or(|value| self.expr(value));
        class.decorators.is_empty()
            && class.super_class.as_ref().is_none_or(|parent| self.expr(parent))
            && class.body.iter().all(|member| match member {
                ClassMember::Constructor(_) | ClassMember::PrivateMethod(_) | ClassMember::Empty(_) => true,
                ClassMember::Method(method) => method.function.decorators.is_empty() && key(&method.key),
                ClassMember::ClassProp(prop) => {
                    prop.decorators.is_empty() && key(&prop.key) && (!prop.is_static || value(&prop.value))
                }
                ClassMember::PrivateProp(prop) => !prop.is_static || value(&prop.value),
                _ => false,
            })
    }

    fn is_marked(&self, at: BytePos) -> bool {
        self.marked(at, "__PURE__")
    }

    fn arg(&self, arg: &ExprOrSpread) -> bool {
        match arg.spread {
            None => self.expr(&arg.expr),
            Some(_) => matches!(*arg.expr, Expr::Array(_)) && self.expr(&arg.expr),
        }
    }

    fn prop(&self, prop: &Prop) -> bool {
        let key = |key: &PropName| match key {
            PropName::Computed(computed) => self.expr(&computed.expr),
            _ => true,
        };
        match prop {
            Prop::Shorthand(name) => !self.names.is_free(name) || is_global(&name.sym),
            Prop::KeyValue(pair) => key(&pair.key) && self.expr(&pair.value),
            Prop::Getter(getter) => key(&getter.key),
            Prop::Setter(setter) => key(&setter.key),
            Prop::Method(method) => key(&method.key),
            Prop::Assign(_) => false,
        }
    }

    /// `Math.PI`, `Symbol.iterator`: what the language itself has, and `namespace.name` of an import.
    fn static_member(&self, member: &MemberExpr) -> bool {
        if let Expr::Ident(object) = &*member.obj
            && self.namespaces.contains(&object.to_id())
        {
            return member.prop.is_ident();
        }
        let builtin = |expr: &Expr| match expr {
            Expr::Ident(name) => self.names.is_free(name) && is_builtin(&name.sym),
            _ => false,
        };
        member.prop.is_ident()
            && match &*member.obj {
                // `Object.prototype.hasOwnProperty`
                Expr::Member(inner) => {
                    inner.prop.as_ident().is_some_and(|p| p.sym == *"prototype") && builtin(&inner.obj)
                }
                object => builtin(object) || object.is_meta_prop(),
            }
    }

    fn call(&self, call: &CallExpr) -> bool {
        let Callee::Expr(callee) = &call.callee else { return false };
        let args = || call.args.iter().all(|arg| self.arg(arg));
        if self.is_marked(call.span.lo) {
            return args();
        }
        match &**callee {
            Expr::Ident(name) if self.names.is_free(name) => {
                matches!(&*name.sym, "Symbol" | "String" | "Number" | "Boolean" | "BigInt")
                    && call.args.iter().all(|arg| arg.spread.is_none() && arg.expr.is_lit())
            }
            Expr::Ident(name) => self.quiet.contains(&name.to_id()) && args(),
            Expr::Member(member) => {
                let Some((object, name)) = member.obj.as_ident().zip(member.prop.as_ident()) else { return false };
                let known = matches!(
                    (&*object.sym, &*name.sym),
                    ("Object", "freeze" | "create" | "keys" | "getPrototypeOf")
                        | ("Symbol", "for")
                        | ("Math", _)
                        | ("Array", "isArray" | "of")
                );
                // What is frozen must be new, or somebody could notice.
                let fresh = |arg: &ExprOrSpread| {
                    arg.spread.is_none() && matches!(*arg.expr, Expr::Object(_) | Expr::Array(_) | Expr::Lit(_))
                };
                known && self.names.is_free(object) && args() && (*object.sym == *"Math" || call.args.iter().all(fresh))
            }
            _ => false,
        }
    }

    fn construct(&self, new: &NewExpr) -> bool {
        let args = new.args.as_deref().unwrap_or_default();
        if self.is_marked(new.span.lo) {
            return args.iter().all(|arg| self.arg(arg));
        }
        let Expr::Ident(name) = &*new.callee else { return false };
        let fresh = |arg: &ExprOrSpread| {
            arg.spread.is_none() && matches!(*arg.expr, Expr::Array(_) | Expr::Lit(_)) && self.arg(arg)
        };
        let plain = matches!(
            &*name.sym,
            "Map"
                | "Set"
                | "WeakMap"
                | "WeakSet"
                | "Date"
                | "Error"
                | "Float32Array"
                | "Float64Array"
                | "Uint8Array"
                | "Uint16Array"
                | "Uint32Array"
                | "Int8Array"
                | "Int16Array"
                | "Int32Array"
        );
        self.names.is_free(name) && plain && args.iter().all(fresh)
    }
}

/// Globals that every engine has, so that naming them cannot throw.
fn is_global(name: &Atom) -> bool {
    is_builtin(name)
        || matches!(
            &**name,
            "undefined" | "NaN" | "Infinity" | "globalThis" | "global" | "isNaN" | "parseInt" | "parseFloat"
        )
}

/// Objects of the language whose properties have no getters that do anything.
fn is_builtin(name: &Atom) -> bool {
    matches!(
        &**name,
        "Object"
            | "Function"
            | "Array"
            | "String"
            | "Number"
            | "Boolean"
            | "Symbol"
            | "BigInt"
            | "Math"
            | "JSON"
            | "Date"
            | "RegExp"
            | "Promise"
            | "Map"
            | "Set"
            | "WeakMap"
            | "WeakSet"
            | "Error"
            | "TypeError"
            | "RangeError"
            | "SyntaxError"
            | "EvalError"
            | "ReferenceError"
            | "Reflect"
            | "Proxy"
            | "ArrayBuffer"
            | "DataView"
            | "Float32Array"
            | "Float64Array"
            | "Uint8Array"
            | "Uint8ClampedArray"
            | "Uint16Array"
            | "Uint32Array"
            | "Int8Array"
            | "Int16Array"
            | "Int32Array"
    )
}
