//! Short names: the most used variables get the shortest.
//!
//! Every binding has a *slot*, and each slot gets one name. Two bindings may share one when neither is seen where the other is: those of
//! functions beside each other, and those of functions around that a function has no use for. This needs two walks over the tree.

mod scopes;
pub(crate) mod short;

use rustc_hash::FxHashMap;
use swc_core::atoms::Atom;
use swc_core::common::{DUMMY_SP, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{VisitMut, VisitMutWith, VisitWith, noop_visit_mut_type};

use crate::joint::{Symbol, What};
use crate::walk::Binding;
use crate::{Wrap, quote};
use scopes::Scopes;

/// What tells variables apart that are written alike.
type Id = (Atom, SyntaxContext);

/// Gives every variable of a program a short name, and every private name of its classes. With [`Wrap::Plain`] the program's own
/// top level keeps its names. Nothing in the program may evaluate text or stand in a `with`.
pub(crate) fn mangle(script: &mut Script, wrap: Wrap) {
    let mut scopes = Scopes::new(wrap);
    script.visit_with(&mut scopes);
    let mut names = scopes.names();
    script.visit_mut_with(&mut names);
}

/// The same for statements that share their top level with others: its names, and what is imported, become holes.
pub(crate) fn open(script: &mut Script, imported: &FxHashMap<Id, Binding>, require: &Ident) -> Open {
    let mut scopes = Scopes::new(Wrap::Joined);
    script.visit_with(&mut scopes);
    let (mut names, open) = scopes.open(imported, &(require.sym.clone(), require.ctxt));
    script.visit_mut_with(&mut names);
    open
}

/// What [`open`] left open.
pub(crate) struct Open {
    pub(crate) symbols: Vec<Symbol>,
    /// The number of each of them that has a name in the program.
    pub(crate) numbers: FxHashMap<Id, u32>,
    pub(crate) free: Vec<String>,
}

/// The new names.
struct Names {
    idents: FxHashMap<Id, Atom>,
    privates: FxHashMap<Atom, Atom>,
    /// For holes that are called, by what stands there otherwise.
    callees: FxHashMap<Atom, Atom>,
}

/// How a name begins that is a hole: with letters that no name can have.
const SYMBOL: char = '\u{e000}';
const CALLEE: char = '\u{e001}';
const METHOD: char = '\u{e002}';
const IMPORT: char = '\u{e003}';
const REQUIRE: char = '\u{e004}';

/// What stands in the tree for a hole.
pub(crate) fn hole(what: What) -> Atom {
    match what {
        What::Symbol(n) => format!("{SYMBOL}{n}").into(),
        What::Callee(n) => format!("{CALLEE}{n}").into(),
        What::Method(n) => format!("{METHOD}{n}").into(),
        What::Import(n) => format!("{IMPORT}{n}").into(),
        What::Require => REQUIRE.to_string().into(),
    }
}

/// The hole that a name stands for.
pub(crate) fn read_hole(name: &str) -> Option<What> {
    // The first byte of all of them.
    if name.as_bytes().first() != Some(&0xee) {
        return None;
    }
    let mut letters = name.chars();
    let first = letters.next()?;
    let number = || letters.as_str().parse().ok();
    match first {
        SYMBOL => number().map(What::Symbol),
        CALLEE => number().map(What::Callee),
        METHOD => number().map(What::Method),
        IMPORT => number().map(What::Import),
        REQUIRE => Some(What::Require),
        _ => None,
    }
}

impl Names {
    fn of(&self, ident: &Ident) -> Option<&Atom> {
        // The map's key is a pair, and a pair of references is none.
        self.idents.get(&(ident.sym.clone(), ident.ctxt))
    }

    /// A function that is called by the name that it is imported by has no `this`, one of a namespace has that.
    fn call(&self, callee: &mut Expr) {
        if let Expr::Ident(name) = callee
            && let Some(hole) = self.callees.get(&name.sym)
        {
            name.sym = hole.clone();
        }
    }

    fn plain(name: &Ident) -> PropName {
        PropName::Ident(IdentName::new(name.sym.clone(), name.span))
    }
}

impl VisitMut for Names {
    noop_visit_mut_type!();

    fn visit_mut_ident(&mut self, ident: &mut Ident) {
        if let Some(name) = self.of(ident) {
            ident.sym = name.clone();
        }
    }

    fn visit_mut_private_name(&mut self, private: &mut PrivateName) {
        if let Some(name) = self.privates.get(&private.name) {
            private.name = name.clone();
        }
    }

    /// `{ a }` is `{ a: b }` when `a` has become `b`.
    fn visit_mut_prop(&mut self, prop: &mut Prop) {
        if let Prop::Shorthand(ident) = prop {
            let Some(name) = self.of(ident) else { return };
            let value = Ident { sym: name.clone(), ..ident.clone() };
            // In short form `__proto__` is a property as any other; with a colon it would be the prototype.
            let key = if ident.sym == *"__proto__" {
                PropName::Computed(ComputedPropName { span: ident.span, expr: quote::string("__proto__") })
            } else {
                Self::plain(ident)
            };
            *prop = Prop::KeyValue(KeyValueProp { key, value: Box::new(Expr::Ident(value)) });
        } else {
            prop.visit_mut_children_with(self);
        }
    }

    fn visit_mut_object_pat_prop(&mut self, prop: &mut ObjectPatProp) {
        let ObjectPatProp::Assign(assign) = prop else {
            prop.visit_mut_children_with(self);
            return;
        };
        assign.value.visit_mut_with(self);
        let Some(name) = self.of(&assign.key.id) else { return };
        let key = Self::plain(&assign.key.id);
        let ident = Ident { sym: name.clone(), ..assign.key.id.clone() };
        let left = Box::new(Pat::Ident(BindingIdent { id: ident, type_ann: None }));
        let value = match assign.value.take() {
            Some(right) => Box::new(Pat::Assign(AssignPat { span: DUMMY_SP, left, right })),
            None => left,
        };
        *prop = ObjectPatProp::KeyValue(KeyValuePatProp { key, value });
    }

    fn visit_mut_call_expr(&mut self, call: &mut CallExpr) {
        call.visit_mut_children_with(self);
        if let Callee::Expr(callee) = &mut call.callee {
            self.call(callee);
        }
    }

    fn visit_mut_opt_call(&mut self, call: &mut OptCall) {
        call.visit_mut_children_with(self);
        self.call(&mut call.callee);
    }

    fn visit_mut_tagged_tpl(&mut self, tagged: &mut TaggedTpl) {
        tagged.visit_mut_children_with(self);
        self.call(&mut tagged.tag);
    }

    fn visit_mut_labeled_stmt(&mut self, labeled: &mut LabeledStmt) {
        labeled.body.visit_mut_with(self);
    }

    fn visit_mut_break_stmt(&mut self, _: &mut BreakStmt) {}

    fn visit_mut_continue_stmt(&mut self, _: &mut ContinueStmt) {}
}
