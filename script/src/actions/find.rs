use std::cell::RefCell;

use rustc_hash::{FxHashMap, FxHashSet};
use ssbuild_diagnostic::{Code, Diagnostic};
use swc_core::common::{Span, Spanned};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith, noop_visit_type};

use super::strip;
use crate::exports::{prop_name, static_name};
use crate::names::Names;
use crate::place::Places;

/// What a name of the file stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Definition<'p> {
    Function(&'p Function),
    Value(&'p Expr),
}

/// The value of an export.
#[derive(Debug, Clone, Copy)]
pub(super) enum Exported<'p> {
    Value(&'p Expr),
    /// `export {name}`, `module.exports = {name}`.
    Name(&'p Ident),
    /// A method, or something of another file.
    Other(Span),
}

/// One definition of a name.
#[derive(Debug, Clone, Copy)]
struct Defined<'p> {
    definition: Definition<'p>,
    /// By an assignment, which is also counted as a write.
    assigned: bool,
}

/// A server file as far as its actions go: what its top level defines and exports.
pub(super) struct File<'p> {
    names: &'p Names,
    places: &'p Places<'p>,
    program: &'p Program,
    definitions: FxHashMap<Id, Vec<Defined<'p>>>,
    /// How often each name is written to, apart from declarations with a value.
    writes: FxHashMap<Id, u32>,
    aliases: FxHashSet<Id>,
    exported: Vec<(&'static str, Exported<'p>, Span)>,
    /// Constants that were read as objects of actions.
    read: RefCell<FxHashSet<Id>>,
}

/// The exports that mean something to the server.
const WORDS: [&str; 3] = ["actions", "authenticate", "style"];

impl<'p> File<'p> {
    pub(super) fn new(program: &'p Program, names: &'p Names, places: &'p Places<'p>) -> Self {
        let mut file = Self {
            names,
            places,
            program,
            definitions: FxHashMap::default(),
            writes: FxHashMap::default(),
            aliases: FxHashSet::default(),
            exported: Vec::new(),
            read: RefCell::default(),
        };
        let mut writes = Writes::default();
        program.visit_with(&mut writes);
        file.writes = writes.counts;
        match program {
            Program::Script(script) => script.body.iter().for_each(|stmt| file.statement(stmt)),
            Program::Module(module) => module.body.iter().for_each(|item| file.item(item)),
        }
        file
    }

    fn item(&mut self, item: &'p ModuleItem) {
        match item {
            ModuleItem::Stmt(stmt) => self.statement(stmt),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => {
                self.declaration(&export.decl);
                if let Decl::Var(var) = &export.decl {
                    for decl in &var.decls {
                        if let (Pat::Ident(name), Some(init)) = (&decl.name, &decl.init) {
                            self.export(&name.id.sym, Exported::Value(init), name.id.span);
                        }
                    }
                }
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) => self.export_list(export),
            ModuleItem::ModuleDecl(_) => {}
        }
    }

    fn export_list(&mut self, export: &'p NamedExport) {
        for specifier in &export.specifiers {
            let ExportSpecifier::Named(named) = specifier else { continue };
            let ModuleExportName::Ident(name) = named.exported.as_ref().unwrap_or(&named.orig) else { continue };
            let value = match &named.orig {
                ModuleExportName::Ident(local) if export.src.is_none() => Exported::Name(local),
                _ => Exported::Other(named.span),
            };
            self.export(&name.sym, value, name.span);
        }
    }

    /// A statement of the top level, or of a function that is called where it stands, as CoffeeScript writes files.
    fn statement(&mut self, stmt: &'p Stmt) {
        match stmt {
            Stmt::Decl(decl) => self.declaration(decl),
            Stmt::Expr(stmt) => self.expression(&stmt.expr),
            _ => {}
        }
    }

    fn declaration(&mut self, decl: &'p Decl) {
        match decl {
            Decl::Fn(function) => self.define(&function.ident, Definition::Function(&function.function), false),
            Decl::Var(var) => {
                for decl in &var.decls {
                    if let (Pat::Ident(name), Some(init)) = (&decl.name, &decl.init) {
                        self.define(&name.id, Definition::Value(init), false);
                        if self.is_exports(strip_assign(init)) {
                            self.aliases.insert(name.id.to_id());
                        }
                        self.expression(init);
                    }
                }
            }
            _ => {}
        }
    }

    fn define(&mut self, name: &Ident, definition: Definition<'p>, assigned: bool) {
        self.definitions.entry(name.to_id()).or_default().push(Defined { definition, assigned });
    }

    fn expression(&mut self, expr: &'p Expr) {
        match strip(expr) {
            Expr::Assign(assign) if assign.op == AssignOp::Assign => self.assignment(assign),
            Expr::Call(call) => {
                let body = call.callee.as_expr().and_then(|callee| immediate_body(callee));
                body.into_iter().flatten().for_each(|stmt| self.statement(stmt));
            }
            Expr::Seq(seq) => seq.exprs.iter().for_each(|expr| self.expression(expr)),
            Expr::Unary(unary) => self.expression(&unary.arg),
            _ => {}
        }
    }

    fn assignment(&mut self, assign: &'p AssignExpr) {
        match &assign.left {
            AssignTarget::Simple(SimpleAssignTarget::Ident(name)) => {
                self.define(&name.id, Definition::Value(&assign.right), true);
                if self.is_exports(strip_assign(&assign.right)) {
                    self.aliases.insert(name.id.to_id());
                }
            }
            AssignTarget::Simple(SimpleAssignTarget::Member(member)) => {
                if self.is_module_exports(member) {
                    self.whole(&assign.right);
                } else if self.is_exports(&member.obj)
                    && let Some(name) = static_name(&member.prop)
                {
                    self.export(&name, Exported::Value(&assign.right), member.span);
                }
            }
            _ => {}
        }
        self.expression(&assign.right);
    }

    /// `module.exports = {actions: …}`
    fn whole(&mut self, value: &'p Expr) {
        let Expr::Object(object) = strip(value) else { return };
        for prop in object.props.iter().filter_map(|prop| prop.as_prop()) {
            match &**prop {
                Prop::KeyValue(pair) => {
                    if let Some((name, span)) = prop_name(&pair.key) {
                        self.export(&name, Exported::Value(&pair.value), span);
                    }
                }
                Prop::Shorthand(name) => self.export(&name.sym, Exported::Name(name), name.span),
                Prop::Method(method) => {
                    if let Some((name, span)) = prop_name(&method.key) {
                        self.export(&name, Exported::Other(span), span);
                    }
                }
                _ => {}
            }
        }
    }

    fn export(&mut self, name: &str, value: Exported<'p>, span: Span) {
        if let Some(word) = WORDS.into_iter().find(|word| *word == name) {
            self.exported.push((word, value, span));
        }
    }

    /// The value of an export: the last one, as it is when the server runs.
    pub(super) fn exported(&self, word: &str) -> Option<Result<&'p Expr, Span>> {
        let (_, value, _) = self.exported.iter().rev().find(|(name, ..)| *name == word)?;
        Some(match *value {
            Exported::Value(value) => Ok(value),
            Exported::Other(span) => Err(span),
            Exported::Name(name) => match self.definition(name) {
                Some(Definition::Value(value)) => {
                    self.read.borrow_mut().insert(name.to_id());
                    Ok(value)
                }
                _ => Err(name.span),
            },
        })
    }

    /// What a name is, when the file says so once and for all.
    pub(super) fn definition(&self, name: &Ident) -> Option<Definition<'p>> {
        let id = name.to_id();
        let [defined] = self.definitions.get(&id)?.as_slice() else { return None };
        let writes = self.writes.get(&id).copied().unwrap_or(0);
        (writes <= u32::from(defined.assigned)).then_some(defined.definition)
    }

    /// Follows names of constants to the value they stand for.
    pub(super) fn resolve(&self, value: &'p Expr) -> &'p Expr {
        let mut value = strip(value);
        let mut seen = FxHashSet::default();
        loop {
            match value {
                Expr::Ident(name) if seen.insert(name.to_id()) => match self.definition(name) {
                    Some(Definition::Value(next)) => {
                        self.read.borrow_mut().insert(name.to_id());
                        value = strip(next);
                    }
                    _ => return value,
                },
                // `exports.actions = actions = {…}`
                Expr::Assign(assign) if assign.op == AssignOp::Assign => value = strip(&assign.right),
                value => return value,
            }
        }
    }

    fn is_free(&self, expr: &Expr, word: &str) -> bool {
        matches!(strip(expr), Expr::Ident(name) if self.names.is_free(name) && name.sym == *word)
    }

    fn is_module_exports(&self, member: &MemberExpr) -> bool {
        self.is_free(&member.obj, "module") && static_name(&member.prop).is_some_and(|name| name == *"exports")
    }

    fn is_exports(&self, expr: &Expr) -> bool {
        match strip(expr) {
            Expr::Member(member) => self.is_module_exports(member),
            Expr::Ident(name) => self.is_free(expr, "exports") || self.aliases.contains(&name.to_id()),
            _ => false,
        }
    }

    /// Whether an expression is `exports.actions`, or a constant that was read as a part of it.
    fn is_actions(&self, expr: &Expr) -> bool {
        match strip(expr) {
            Expr::Member(member) => {
                let exported =
                    self.is_exports(&member.obj) && static_name(&member.prop).is_some_and(|name| name == *"actions");
                exported || self.is_actions(&member.obj)
            }
            Expr::Ident(name) => self.read.borrow().contains(&name.to_id()),
            _ => false,
        }
    }

    /// What changes the exports where the reader did not look.
    pub(super) fn finish(&self) -> Vec<Diagnostic> {
        let mut changes = Changes { file: self, found: Vec::new() };
        for word in WORDS {
            let all: Vec<Span> =
                self.exported.iter().filter(|(name, ..)| *name == word).map(|(.., span)| *span).collect();
            if let [first, .., last] = all.as_slice() {
                changes.found.push(
                    Diagnostic::new(Code::ActionsNotStatic, format!("`exports.{word}` is set twice"))
                        .at(self.places.of(*last), "set again here")
                        .at(self.places.of(*first), "set here first")
                        .help("Keep one; spread several objects into it: `{...a, ...b}`."),
                );
            }
        }
        self.program.visit_with(&mut changes);
        changes.found
    }
}

fn strip_assign(expr: &Expr) -> &Expr {
    match strip(expr) {
        Expr::Assign(assign) => strip_assign(&assign.right),
        expr => expr,
    }
}

/// The statements of a function that is called where it is written.
fn immediate_body(callee: &Expr) -> Option<&[Stmt]> {
    match strip(callee) {
        Expr::Fn(function) => function.function.body.as_ref().map(|body| body.stmts.as_slice()),
        Expr::Arrow(arrow) => match &*arrow.body {
            ArrowFunctionBody::FunctionBody(body) => Some(&body.stmts),
            ArrowFunctionBody::Expr(_) => None,
        },
        Expr::Member(member) if static_name(&member.prop).is_some_and(|name| matches!(&*name, "call" | "apply")) => {
            immediate_body(&member.obj)
        }
        _ => None,
    }
}

/// Counts the writes to each name.
#[derive(Default)]
struct Writes {
    counts: FxHashMap<Id, u32>,
}

impl Writes {
    fn write(&mut self, name: &Ident) {
        *self.counts.entry(name.to_id()).or_default() += 1;
    }
}

impl Visit for Writes {
    noop_visit_type!();

    fn visit_assign_target(&mut self, target: &AssignTarget) {
        match target {
            AssignTarget::Simple(SimpleAssignTarget::Ident(name)) => self.write(&name.id),
            AssignTarget::Pat(AssignTargetPat::Array(array)) => {
                array
                    .elems
                    .iter()
                    .flatten()
                    .for_each(|pat| crate::patterns::each_name(pat, &mut |name| self.write(name)));
            }
            AssignTarget::Pat(AssignTargetPat::Object(object)) => {
                let pat = Pat::Object(object.clone());
                crate::patterns::each_name(&pat, &mut |name| self.write(name));
            }
            _ => {}
        }
        target.visit_children_with(self);
    }

    fn visit_update_expr(&mut self, update: &UpdateExpr) {
        if let Expr::Ident(name) = strip(&update.arg) {
            self.write(name);
        }
        update.visit_children_with(self);
    }

    fn visit_for_head(&mut self, head: &ForHead) {
        if let ForHead::Pat(pat) = head {
            crate::patterns::each_name(pat, &mut |name| self.write(name));
        }
        head.visit_children_with(self);
    }
}

/// Finds what adds or replaces actions outside of the literal.
struct Changes<'a, 'p> {
    file: &'a File<'p>,
    found: Vec<Diagnostic>,
}

impl Changes<'_, '_> {
    fn report(&mut self, span: Span, message: &str) {
        self.found.push(
            Diagnostic::new(Code::ActionsNotStatic, message)
                .at(self.file.places.of(span), "server code is not run at build time")
                .help("Write all actions in the object itself; spread others into it: `{...a, b() {}}`."),
        );
    }
}

impl Visit for Changes<'_, '_> {
    noop_visit_type!();

    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        if let AssignTarget::Simple(SimpleAssignTarget::Member(member)) = &assign.left {
            if self.file.is_actions(&member.obj) {
                self.report(member.span, "an action is added by an assignment");
            } else if self.file.is_exports(&member.obj) {
                let name = static_name(&member.prop);
                let word = name.as_deref().and_then(|name| WORDS.into_iter().find(|word| *word == name));
                let seen = self.file.exported.iter().any(|(.., span)| *span == member.span);
                if let Some(word) = word.filter(|_| !seen) {
                    self.report(member.span, &format!("`exports.{word}` is not set at the top level of the file"));
                }
            }
        }
        assign.visit_children_with(self);
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let Some(Expr::Member(callee)) = call.callee.as_expr().map(|callee| strip(callee))
            && self.file.is_free(&callee.obj, "Object")
            && static_name(&callee.prop).is_some_and(|name| matches!(&*name, "assign" | "defineProperty"))
            && let Some(first) = call.args.first()
            && self.file.is_actions(&first.expr)
        {
            self.report(first.expr.span(), "actions are added by a call");
        }
        call.visit_children_with(self);
    }
}
