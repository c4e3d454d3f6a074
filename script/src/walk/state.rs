use swc_core::ecma::ast::Stmt;

use super::Walk;
use super::early::is_strict;

/// Where the walk is.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct State {
    /// Functions around, which `await` and `return` belong to.
    pub(super) functions: u32,
    /// Functions around that do not run when the module is evaluated.
    pub(super) deferred: u32,
    /// Bodies around that have a `this` of their own.
    pub(super) receivers: u32,
    /// The expression is an inner part of a chain of members that was looked at already.
    pub(super) in_chain: bool,
    /// The next function is called where it stands.
    pub(super) immediate: bool,
    /// What fails here is caught.
    pub(super) tried: bool,
    /// The code is strict.
    pub(super) strict: bool,
    /// `super()` may be called.
    pub(super) constructs: bool,
    /// The next function is a method.
    pub(super) method: bool,
    /// A pattern is that of a declaration.
    pub(super) declares: bool,
}

impl Walk<'_> {
    /// Notes what the directives of a program that is no ES module say.
    pub(crate) fn read_directives(&mut self, body: &[Stmt]) {
        self.state.strict |= is_strict(body);
    }

    /// Whether no function is around.
    pub(crate) fn is_top_level(&self) -> bool {
        self.state.functions == 0
    }

    pub(super) fn inside(&mut self, enter: impl FnOnce(&mut State), walk: impl FnOnce(&mut Self)) {
        let outside = self.state;
        self.state.in_chain = false;
        self.state.immediate = false;
        self.state.declares = false;
        enter(&mut self.state);
        walk(self);
        self.state = outside;
    }

    /// A function: `receiver` when it has a `this` of its own.
    pub(super) fn function(&mut self, receiver: bool, walk: impl FnOnce(&mut Self)) {
        let immediate = self.state.immediate;
        self.inside(
            |state| {
                state.functions += 1;
                state.deferred += u32::from(!immediate);
                state.receivers += u32::from(receiver);
                state.tried &= immediate;
                state.constructs &= !receiver;
                state.method = false;
            },
            walk,
        );
    }
}

/// A field's value or a static block: `this` is its own, `await` is not allowed in it.
pub(super) fn field(state: &mut State, deferred: u32) {
    state.functions += 1;
    state.deferred += deferred;
    state.receivers += 1;
    state.constructs = false;
    state.method = false;
}
