//! Short names: the most used variables get the shortest.
//!
//! Every binding has a *slot*, a number that no binding around it has. Functions and blocks beside each other share slots, and each slot
//! gets one name, so that two variables have the same name only where neither is seen from the other. This needs two walks over the tree.

mod scopes;

use rustc_hash::{FxHashMap, FxHashSet};
use swc_core::atoms::Atom;
use swc_core::common::{DUMMY_SP, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{VisitMut, VisitMutWith, VisitWith, noop_visit_mut_type};

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

/// The new names.
struct Names {
    idents: FxHashMap<Id, Atom>,
    privates: FxHashMap<Atom, Atom>,
}

impl Names {
    fn of(&self, ident: &Ident) -> Option<&Atom> {
        // The map's key is a pair, and a pair of references is none.
        self.idents.get(&(ident.sym.clone(), ident.ctxt))
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

    fn visit_mut_labeled_stmt(&mut self, labeled: &mut LabeledStmt) {
        labeled.body.visit_mut_with(self);
    }

    fn visit_mut_break_stmt(&mut self, _: &mut BreakStmt) {}

    fn visit_mut_continue_stmt(&mut self, _: &mut ContinueStmt) {}
}

/// Names in the order in which they are given out.
struct ShortNames<'a> {
    next: usize,
    taken: &'a FxHashSet<Atom>,
}

/// In the order of how often they stand in code anyway, which compressors like.
const FIRST: &[u8; 54] = b"etnriaoscludfpmhg_vybxSCwTEDOkAjMNPFILRzBVHUWGKqJYXZQ$";
const LATER: &[u8; 64] = b"etnriaoscludfpmhg_vybxSCwTEDOkAjMNPFILRzBVHUWGKqJYXZQ$1203456789";

/// Words of up to four letters that cannot be the name of a variable everywhere. Longer names are not given out before there are
/// some million variables.
const WORDS: &[&str] = &[
    "do", "if", "in", "of", "as", "for", "get", "let", "new", "set", "try", "var", "NaN", "case", "else", "enum",
    "eval", "null", "this", "true", "void", "with",
];

impl ShortNames<'_> {
    fn take(&mut self) -> Atom {
        loop {
            let name = Atom::from(short_name(self.next));
            self.next += 1;
            if !WORDS.contains(&&*name) && !self.taken.contains(&name) {
                return name;
            }
        }
    }
}

fn short_name(mut n: usize) -> String {
    let mut name = String::new();
    name.push(char::from(FIRST[n % FIRST.len()]));
    n /= FIRST.len();
    while n > 0 {
        n -= 1;
        name.push(char::from(LATER[n % LATER.len()]));
        n /= LATER.len();
    }
    name
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::short_name;

    #[test]
    fn no_short_name_is_given_twice() {
        let names: HashSet<String> = (0..300_000).map(short_name).collect();
        assert_eq!(names.len(), 300_000);
        assert_eq!(names.iter().filter(|name| name.len() == 1).count(), 54);
        assert!(names.iter().all(|name| !name.starts_with(|first: char| first.is_ascii_digit())));
    }
}
