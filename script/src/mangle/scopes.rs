use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};
use swc_core::atoms::Atom;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith, noop_visit_type};

use super::{Id, Names, Open, hole, read_hole, short};
use crate::joint::{Symbol, What};
use crate::walk::Binding;
use crate::{Wrap, patterns::each_name};

/// The first walk: which variable is declared in which scope, and how often each is written.
pub(super) struct Scopes {
    wrap: Wrap,
    scopes: Vec<Scope>,
    current: usize,
    /// The scope that a `var` belongs to.
    function: usize,
    variables: FxHashMap<Id, Variable>,
    /// In the order in which they were first written, which does not depend on how they are hashed.
    order: Vec<Id>,
    privates: FxHashMap<Atom, u32>,
}

struct Scope {
    above: usize,
}

#[derive(Default)]
struct Variable {
    /// None for what nothing in the program declares.
    scope: Option<usize>,
    uses: u32,
    /// Scopes that it is written in; some of them more than once.
    seen: Vec<usize>,
}

/// The scope around all others.
const TOP: usize = 0;

impl Scopes {
    pub(super) fn new(wrap: Wrap) -> Self {
        let top = Scope { above: TOP };
        Self {
            wrap,
            scopes: vec![top],
            current: TOP,
            function: TOP,
            variables: FxHashMap::default(),
            order: Vec::new(),
            privates: FxHashMap::default(),
        }
    }

    fn variable(&mut self, ident: &Ident) -> &mut Variable {
        match self.variables.entry((ident.sym.clone(), ident.ctxt)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                self.order.push(new.key().clone());
                new.insert(Variable::default())
            }
        }
    }

    fn declare(&mut self, ident: &Ident, scope: usize) {
        let variable = self.variable(ident);
        variable.scope = match variable.scope {
            // Declared twice under one identity: as a whole it belongs where all of it is seen.
            Some(before) if before != scope => Some(TOP),
            _ => Some(scope),
        };
    }

    fn declare_pattern(&mut self, pat: &Pat, scope: usize) {
        each_name(pat, &mut |ident| self.declare(ident, scope));
    }

    fn inside(&mut self, walk: impl FnOnce(&mut Self)) {
        let above = self.current;
        self.scopes.push(Scope { above });
        self.current = self.scopes.len() - 1;
        walk(self);
        self.current = above;
    }

    fn inside_function(&mut self, walk: impl FnOnce(&mut Self)) {
        let above = self.function;
        self.inside(|scopes| {
            scopes.function = scopes.current;
            walk(scopes);
        });
        self.function = above;
    }

    /// Gives out the names.
    pub(super) fn names(mut self) -> Names {
        // What is declared nowhere here is declared elsewhere, and its name must not be hidden.
        let kept = |variable: &Variable, name: &Atom| match variable.scope {
            None => true,
            Some(TOP) => self.wrap == Wrap::Plain,
            Some(_) => false,
        } || &**name == "arguments";
        let (kept, renamed): (Vec<Id>, Vec<Id>) =
            std::mem::take(&mut self.order).into_iter().partition(|id| kept(&self.variables[id], &id.0));
        let taken = kept.into_iter().map(|(name, _)| name).collect();
        Names { idents: self.short(&renamed, &taken, short::ALL), ..self.privates() }
    }

    /// Gives names to what is declared inside, and a number to what is declared at the top level or imported.
    pub(super) fn open(mut self, imported: &FxHashMap<Id, Binding>, require: &Id) -> (Names, Open) {
        let mut open = Open { symbols: Vec::new(), numbers: FxHashMap::default(), free: Vec::new() };
        let mut names = self.privates();
        let (mut renamed, mut taken) = (Vec::new(), FxHashSet::default());
        for id in std::mem::take(&mut self.order) {
            let symbol = match self.variables[&id].scope {
                _ if id == *require => {
                    names.idents.insert(id, hole(What::Require));
                    continue;
                }
                _ if read_hole(&id.0).is_some() => continue,
                None => match imported.get(&id) {
                    Some(binding) => binding.symbol(),
                    None => {
                        taken.insert(id.0);
                        continue;
                    }
                },
                Some(_) if *id.0 == *"arguments" => {
                    taken.insert(id.0);
                    continue;
                }
                Some(TOP) => Symbol::Own,
                Some(_) => {
                    renamed.push(id);
                    continue;
                }
            };
            let number = open.symbols.len() as u32;
            let name = hole(What::Symbol(number));
            if let Some(binding) = imported.get(&id).filter(|binding| binding.name.is_some()) {
                let called = if binding.member { What::Method(number) } else { What::Callee(number) };
                names.callees.insert(name.clone(), hole(called));
            }
            open.symbols.push(symbol);
            names.idents.insert(id.clone(), name);
            open.numbers.insert(id, number);
        }
        open.free = taken.iter().map(ToString::to_string).collect();
        open.free.sort_unstable();
        names.idents.extend(self.short(&renamed, &taken, short::INNER));
        (names, open)
    }

    /// Names for variables, none of them taken, by how often they are written.
    fn short(&mut self, renamed: &[Id], taken: &FxHashSet<Atom>, first: &[u8]) -> FxHashMap<Id, Atom> {
        let slots = self.slots(renamed);
        let mut uses = vec![0_u32; slots.iter().max().map_or(0, |last| last + 1)];
        for (id, slot) in renamed.iter().zip(&slots) {
            uses[*slot] += self.variables[id].uses;
        }

        let mut next = 0;
        let mut by_use: Vec<usize> = (0..uses.len()).collect();
        by_use.sort_by_key(|&slot| (std::cmp::Reverse(uses[slot]), slot));
        let mut names = vec![Atom::default(); uses.len()];
        for slot in by_use {
            names[slot] = short::next(first, &mut next, |name| taken.contains(&Atom::from(name))).into();
        }
        renamed.iter().zip(slots).map(|(id, slot)| (id.clone(), names[slot].clone())).collect()
    }

    /// A slot for each variable: the lowest that no other variable of its scope has, and none from around that is seen in there.
    /// One that is not seen in there may be hidden: functions that do alike are then written alike, which compressors like.
    fn slots(&self, renamed: &[Id]) -> Vec<usize> {
        let mut declared: Vec<Vec<usize>> = vec![Vec::new(); self.scopes.len()];
        let mut from_around: Vec<Vec<usize>> = vec![Vec::new(); self.scopes.len()];
        for (at, id) in renamed.iter().enumerate() {
            let variable = &self.variables[id];
            let scope = variable.scope.expect("what is renamed is declared");
            // What is seen outside of where it is declared is declared around all.
            let scope = if variable.seen.iter().all(|&seen| self.is_in(seen, scope)) { scope } else { TOP };
            declared[scope].push(at);
            for &seen in &variable.seen {
                let mut inner = seen;
                while inner != scope && from_around[inner].last() != Some(&at) {
                    from_around[inner].push(at);
                    inner = self.scopes[inner].above;
                }
            }
        }
        let mut slots = vec![0; renamed.len()];
        // By slot, the last scope in which it could not be given out.
        let mut closed_in: Vec<usize> = vec![usize::MAX; renamed.len()];
        // A scope comes after the one that it is in.
        for (scope, declared) in declared.iter().enumerate() {
            from_around[scope].iter().for_each(|&at| closed_in[slots[at]] = scope);
            let mut slot = 0;
            for &at in declared {
                while closed_in[slot] == scope {
                    slot += 1;
                }
                closed_in[slot] = scope;
                slots[at] = slot;
            }
        }
        slots
    }

    fn is_in(&self, mut inner: usize, scope: usize) -> bool {
        // Scopes around another come before it.
        while inner > scope {
            inner = self.scopes[inner].above;
        }
        inner == scope
    }

    /// Private names are a world of their own. Classes that name theirs alike do so afterwards.
    fn privates(&mut self) -> Names {
        let mut by_use: Vec<(Atom, u32)> = std::mem::take(&mut self.privates).into_iter().collect();
        by_use.sort_by(|(a, uses_a), (b, uses_b)| uses_b.cmp(uses_a).then_with(|| a.cmp(b)));
        let mut next = 0;
        let short = |(name, _)| (name, short::next(short::ALL, &mut next, |_| false).into());
        let privates = by_use.into_iter().map(short).collect();
        Names { idents: FxHashMap::default(), privates, callees: FxHashMap::default() }
    }
}

impl Visit for Scopes {
    noop_visit_type!();

    fn visit_ident(&mut self, ident: &Ident) {
        let current = self.current;
        let variable = self.variable(ident);
        variable.uses += 1;
        if variable.seen.last() != Some(&current) {
            variable.seen.push(current);
        }
    }

    fn visit_private_name(&mut self, private: &PrivateName) {
        *self.privates.entry(private.name.clone()).or_default() += 1;
    }

    fn visit_var_decl(&mut self, decl: &VarDecl) {
        let scope = if decl.kind == VarDeclKind::Var { self.function } else { self.current };
        decl.decls.iter().for_each(|decl| self.declare_pattern(&decl.name, scope));
        decl.visit_children_with(self);
    }

    fn visit_using_decl(&mut self, decl: &UsingDecl) {
        decl.decls.iter().for_each(|decl| self.declare_pattern(&decl.name, self.current));
        decl.visit_children_with(self);
    }

    fn visit_fn_decl(&mut self, decl: &FnDecl) {
        // In sloppy code a function in a block is seen outside of it, too.
        self.declare(&decl.ident, self.function);
        decl.visit_children_with(self);
    }

    fn visit_class_decl(&mut self, decl: &ClassDecl) {
        self.declare(&decl.ident, self.current);
        decl.visit_children_with(self);
    }

    fn visit_fn_expr(&mut self, function: &FnExpr) {
        self.inside(|scopes| {
            function.ident.iter().for_each(|ident| scopes.declare(ident, scopes.current));
            function.visit_children_with(scopes);
        });
    }

    fn visit_class_expr(&mut self, class: &ClassExpr) {
        self.inside(|scopes| {
            class.ident.iter().for_each(|ident| scopes.declare(ident, scopes.current));
            class.visit_children_with(scopes);
        });
    }

    fn visit_function(&mut self, function: &Function) {
        self.inside_function(|scopes| {
            function.params.iter().for_each(|param| scopes.declare_pattern(&param.pat, scopes.current));
            function.visit_children_with(scopes);
        });
    }

    fn visit_arrow_expr(&mut self, arrow: &ArrowExpr) {
        self.inside_function(|scopes| {
            arrow.params.iter().for_each(|pat| scopes.declare_pattern(pat, scopes.current));
            arrow.visit_children_with(scopes);
        });
    }

    fn visit_constructor(&mut self, constructor: &Constructor) {
        self.inside_function(|scopes| {
            for param in &constructor.params {
                if let ParamOrTsParamProp::Param(param) = param {
                    scopes.declare_pattern(&param.pat, scopes.current);
                }
            }
            constructor.visit_children_with(scopes);
        });
    }

    fn visit_static_block(&mut self, block: &StaticBlock) {
        self.inside_function(|scopes| block.body.stmts.visit_with(scopes));
    }

    fn visit_block_stmt(&mut self, block: &BlockStmt) {
        self.inside(|scopes| block.visit_children_with(scopes));
    }

    fn visit_switch_stmt(&mut self, switch: &SwitchStmt) {
        self.inside(|scopes| switch.visit_children_with(scopes));
    }

    fn visit_for_stmt(&mut self, stmt: &ForStmt) {
        self.inside(|scopes| stmt.visit_children_with(scopes));
    }

    fn visit_for_in_stmt(&mut self, stmt: &ForInStmt) {
        self.inside(|scopes| stmt.visit_children_with(scopes));
    }

    fn visit_for_of_stmt(&mut self, stmt: &ForOfStmt) {
        self.inside(|scopes| stmt.visit_children_with(scopes));
    }

    fn visit_catch_clause(&mut self, clause: &CatchClause) {
        self.inside(|scopes| {
            clause.param.iter().for_each(|param| scopes.declare_pattern(param, scopes.current));
            clause.param.visit_with(scopes);
            // What is declared in the block may not have the name of the parameter.
            clause.body.stmts.visit_with(scopes);
        });
    }

    fn visit_labeled_stmt(&mut self, labeled: &LabeledStmt) {
        labeled.body.visit_with(self);
    }

    fn visit_break_stmt(&mut self, _: &BreakStmt) {}

    fn visit_continue_stmt(&mut self, _: &ContinueStmt) {}
}
