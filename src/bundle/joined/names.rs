//! What each variable of a shared function is called: the most used have the shortest names.

use std::collections::{BTreeSet, HashMap};

use ssbuild_script::{Joint, TopNames};

use super::{member, resolve::Named};

/// The names of a shared function.
pub(super) struct Names<'a> {
    taken: BTreeSet<&'a str>,
    uses: HashMap<Named<'a>, u32>,
    /// In the order in which they were first used.
    order: Vec<Named<'a>>,
    texts: HashMap<Named<'a>, String>,
    spare: String,
}

impl<'a> Names<'a> {
    pub(super) fn new() -> Self {
        let (taken, uses) = (BTreeSet::new(), HashMap::new());
        Self { taken, uses, order: Vec::new(), texts: HashMap::new(), spare: String::new() }
    }

    /// Leaves alone what a member takes from around the function.
    pub(super) fn take_no(&mut self, joint: &'a Joint) {
        self.taken.extend(joint.free.iter().map(String::as_str));
    }

    /// Notes that something is written so many times more.
    pub(super) fn used(&mut self, named: Named<'a>, times: u32) {
        let variable = match named {
            Named::Outside(number, _) => Named::Outside(number, None),
            Named::Method(at, _) => Named::Namespace(at),
            Named::Nothing => return,
            named => named,
        };
        let uses = self.uses.entry(variable).or_insert_with(|| {
            self.order.push(variable);
            0
        });
        *uses += times;
    }

    /// Gives out the names, now that all uses are noted.
    pub(super) fn settle(&mut self) {
        let mut order = self.order.clone();
        // Stable: what is used as often stays in the order in which it was found.
        order.sort_by_key(|named| std::cmp::Reverse(self.uses[named]));
        let mut names = TopNames::new(std::mem::take(&mut self.taken));
        self.texts = order.into_iter().map(|named| (named, names.take())).collect();
        self.spare = names.take();
    }

    /// Whether anything is called like that.
    pub(super) fn is_used(&self, named: Named<'a>) -> bool {
        self.uses.contains_key(&named)
    }

    /// A name that nothing has.
    pub(super) fn spare(&self) -> &str {
        &self.spare
    }

    /// What to write for something.
    pub(super) fn text(&self, named: Named<'a>) -> String {
        match named {
            Named::Outside(number, Some(name)) => {
                format!("{}{}", self.texts[&Named::Outside(number, None)], member(name))
            }
            Named::Method(at, name) => format!("{}{}", self.texts[&Named::Namespace(at)], member(name)),
            Named::Nothing => "(void 0)".to_owned(),
            named => self.texts[&named].clone(),
        }
    }

    /// The same where it is called without a `this`, when that is something else.
    pub(super) fn callee(&self, named: Named<'a>) -> Option<String> {
        match named {
            Named::Outside(_, Some(_)) => Some(format!("(0,{})", self.text(named))),
            _ => None,
        }
    }
}
