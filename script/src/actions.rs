//! The actions of a server file, read from its syntax tree: server code is never run to find them.

use rustc_hash::FxHashMap;
use ssbuild_diagnostic::{Code, Diagnostic};
use swc_core::atoms::Atom;
use swc_core::common::{Span, Spanned};
use swc_core::ecma::ast::{
    AssignExpr, AssignTarget, Decl, Expr, Function, Id, Lit, MemberExpr, Module, ModuleDecl, ModuleExportName,
    ModuleItem, ObjectLit, Pat, Program, Prop, PropName, PropOrSpread, SimpleAssignTarget, Stmt,
};
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::answer::{self, Callable};
use crate::exports::{ExportNames, prop_name, static_name};
use crate::names::Names;
use crate::place::Places;
use crate::{ActionMeta, AnswerStyle};

/// How far a name is followed to the value it stands for, so that `const a = b, b = a` ends.
const FOLLOW_LIMIT: usize = 32;

/// Names that the runtime keeps for itself in `exports.actions`.
const RESERVED: [&str; 7] = ["session", "user", "request", "__proto__", "constructor", "prototype", "then"];

/// Reads `exports.actions`, `exports.authenticate` and `exports.style`; and what is wrong with them.
pub(crate) fn read(program: &Program, names: &Names, places: &Places<'_>) -> (Vec<ActionMeta>, Vec<Diagnostic>) {
    let mut file = ServerFile::new(names, places);
    match program {
        Program::Script(script) => file.declare_all(&script.body),
        Program::Module(module) => file.declare_module(module),
    }
    match program {
        Program::Script(script) => script.body.iter().for_each(|stmt| file.statement(stmt)),
        Program::Module(module) => module.body.iter().for_each(|item| file.item(item)),
    }
    file.finish()
}

/// What a top-level name stands for.
#[derive(Clone, Copy)]
enum Value<'a> {
    Expr(&'a Expr),
    Function(&'a Function),
}

/// One action found, before its file's guard and style are known.
struct Found {
    path: Vec<String>,
    signature: answer::Signature,
    span: Span,
}

struct ServerFile<'a> {
    places: &'a Places<'a>,
    exports: ExportNames<'a>,
    values: FxHashMap<Id, Value<'a>>,
    /// Variables that are part of the actions: what is put into them later would be missed.
    followed: Vec<Id>,
    actions: Vec<Found>,
    guard: bool,
    style: Option<AnswerStyle>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> ServerFile<'a> {
    fn new(names: &'a Names, places: &'a Places<'a>) -> Self {
        Self {
            places,
            exports: ExportNames::new(names, places),
            values: FxHashMap::default(),
            followed: Vec::new(),
            actions: Vec::new(),
            guard: false,
            style: None,
            diagnostics: Vec::new(),
        }
    }

    fn finish(mut self) -> (Vec<ActionMeta>, Vec<Diagnostic>) {
        let (guard, style) = (self.guard, self.style);
        let mut actions = Vec::with_capacity(self.actions.len());
        for found in &self.actions {
            let signature = &found.signature;
            if style.is_none()
                && let Some(unused) = &signature.unused_callback
            {
                self.diagnostics.push(
                    Diagnostic::new(Code::ActionNeverAnswers, format!("`{}` never answers", found.path.join(".")))
                        .at(self.places.of(found.span), format!("`{unused}` is its callback, and is never used"))
                        .help(format!(
                            "Answer with `{unused}(value)`; or take the parameter away, and what is returned is the answer."
                        )),
                );
            }
            let (style, params) = signature.answer(style);
            actions.push(ActionMeta {
                path: found.path.clone(),
                params,
                rest: signature.rest,
                style,
                guard,
                place: self.places.of(found.span),
            });
        }
        (actions, self.diagnostics)
    }

    fn declare_module(&mut self, module: &'a Module) {
        for item in &module.body {
            match item {
                ModuleItem::Stmt(stmt) => self.declare(stmt),
                ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => self.declare_decl(&export.decl),
                ModuleItem::ModuleDecl(_) => {}
            }
        }
    }

    fn declare_all(&mut self, body: &'a [Stmt]) {
        body.iter().for_each(|stmt| self.declare(stmt));
    }

    fn declare(&mut self, stmt: &'a Stmt) {
        self.exports.find_alias(stmt);
        if let Stmt::Decl(decl) = stmt {
            self.declare_decl(decl);
        }
    }

    fn declare_decl(&mut self, decl: &'a Decl) {
        match decl {
            Decl::Fn(function) => {
                self.values.insert(function.ident.to_id(), Value::Function(&function.function));
            }
            Decl::Var(var) => {
                for decl in &var.decls {
                    if let (Pat::Ident(name), Some(init)) = (&decl.name, &decl.init) {
                        self.values.insert(name.id.to_id(), Value::Expr(init));
                    }
                }
            }
            _ => {}
        }
    }

    fn item(&mut self, item: &'a ModuleItem) {
        match item {
            ModuleItem::Stmt(stmt) => self.statement(stmt),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => self.export_decl(&export.decl),
            ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) => {
                for specifier in export.specifiers.iter().filter_map(|specifier| specifier.as_named()) {
                    let exported = specifier.exported.as_ref().unwrap_or(&specifier.orig);
                    let Some(name) = export_name(exported).filter(|name| is_special(name)) else { continue };
                    match &specifier.orig {
                        ModuleExportName::Ident(local) if export.src.is_none() => {
                            match self.values.get(&local.to_id()).copied() {
                                Some(Value::Expr(value)) => {
                                    self.followed.push(local.to_id());
                                    self.special(&name, value);
                                }
                                _ => self.not_static(specifier.span, "this cannot be followed to an object"),
                            }
                        }
                        _ => self.not_static(specifier.span, "this comes from another file"),
                    }
                }
            }
            ModuleItem::ModuleDecl(_) => {}
        }
    }

    fn export_decl(&mut self, decl: &'a Decl) {
        match decl {
            Decl::Var(var) => {
                for decl in &var.decls {
                    if let (Pat::Ident(name), Some(init)) = (&decl.name, &decl.init)
                        && is_special(&name.sym)
                    {
                        self.followed.push(name.id.to_id());
                        self.special(&name.sym, init);
                    }
                }
            }
            Decl::Fn(function) if function.ident.sym == *"actions" => {
                self.not_static(function.span(), "this is a function");
            }
            _ => {}
        }
    }

    fn statement(&mut self, stmt: &'a Stmt) {
        if let Stmt::Expr(stmt) = stmt
            && let Expr::Assign(assign) = unwrap(&stmt.expr)
        {
            self.assignment(assign);
            return;
        }
        // Anywhere else an assignment runs at a time that the syntax does not tell.
        let mut hidden = HiddenAssignments { exports: &self.exports, found: Vec::new() };
        stmt.visit_with(&mut hidden);
        for span in hidden.found {
            self.not_static(span, "this is set somewhere inside other code");
        }
    }

    fn assignment(&mut self, assign: &'a AssignExpr) {
        let AssignTarget::Simple(SimpleAssignTarget::Member(target)) = &assign.left else {
            // `exports = module.exports = {…}`
            if let Expr::Assign(inner) = unwrap(&assign.right) {
                self.assignment(inner);
            }
            return;
        };
        if self.exports.is_module_exports(target) {
            match unwrap(&assign.right) {
                Expr::Object(object) => self.whole(object),
                Expr::Assign(inner) => self.assignment(inner),
                _ => {}
            }
        } else if self.exports.is_exports(&target.obj) {
            if let Some(name) = static_name(&target.prop).filter(|name| is_special(name)) {
                self.special(&name, &assign.right);
            }
        } else if self.is_inside_actions(&target.obj) {
            self.not_static(assign.span, "this is put into the actions after they were written down");
        }
    }

    /// Whether `object` is `exports.actions`, something in it, or a variable that is part of the actions.
    fn is_inside_actions(&self, object: &Expr) -> bool {
        match unwrap(object) {
            Expr::Ident(name) => self.followed.contains(&name.to_id()),
            Expr::Member(member) => is_actions_of(&self.exports, member) || self.is_inside_actions(&member.obj),
            _ => false,
        }
    }

    /// `module.exports = {actions: …, authenticate: true}`
    fn whole(&mut self, object: &'a ObjectLit) {
        for prop in &object.props {
            let PropOrSpread::Prop(prop) = prop else { continue };
            match &**prop {
                Prop::KeyValue(pair) => {
                    if let Some((name, _)) = prop_name(&pair.key).filter(|(name, _)| is_special(name)) {
                        self.special(&name, &pair.value);
                    }
                }
                Prop::Shorthand(name) if is_special(&name.sym) => match self.values.get(&name.to_id()).copied() {
                    Some(Value::Expr(value)) => {
                        self.followed.push(name.to_id());
                        self.special(&name.sym, value);
                    }
                    _ => self.not_static(name.span, "this cannot be followed to an object"),
                },
                _ => {}
            }
        }
    }

    fn special(&mut self, name: &str, value: &'a Expr) {
        match name {
            "actions" => self.object(value, &mut Vec::new(), 0),
            "authenticate" => match unwrap(value) {
                Expr::Lit(Lit::Bool(guard)) => self.guard = guard.value,
                other => self.literal_wanted(other.span(), "exports.authenticate", "`true` or `false`"),
            },
            "style" => match unwrap(value) {
                Expr::Lit(Lit::Str(style)) if style.value == *"callback" => self.style = Some(AnswerStyle::Callback),
                Expr::Lit(Lit::Str(style)) if style.value == *"value" => self.style = Some(AnswerStyle::Value),
                other => self.literal_wanted(other.span(), "exports.style", "'callback' or 'value'"),
            },
            _ => unreachable!("only special names are read"),
        }
    }

    /// Reads an object of actions: a literal, or a name that stands for one.
    fn object(&mut self, value: &'a Expr, path: &mut Vec<String>, followed: usize) {
        match unwrap(value) {
            Expr::Object(object) => self.literal(object, path, followed),
            Expr::Ident(name) if followed < FOLLOW_LIMIT => match self.values.get(&name.to_id()).copied() {
                Some(Value::Expr(value)) => {
                    self.followed.push(name.to_id());
                    self.object(value, path, followed + 1);
                }
                _ => self.not_static(name.span, "this cannot be followed to an object in this file"),
            },
            other => self.not_static(other.span(), "this is known only when the code runs"),
        }
    }

    fn literal(&mut self, object: &'a ObjectLit, path: &mut Vec<String>, followed: usize) {
        for prop in &object.props {
            let prop = match prop {
                PropOrSpread::Spread(spread) => {
                    self.object(&spread.expr, path, followed + 1);
                    continue;
                }
                PropOrSpread::Prop(prop) => &**prop,
            };
            match prop {
                Prop::Shorthand(name) => match self.values.get(&name.to_id()).copied() {
                    Some(value) => self.keyed(&name.sym, name.span, value, path, followed),
                    None => self.not_static(name.span, "this cannot be followed to a function in this file"),
                },
                Prop::KeyValue(pair) => self.with_key(&pair.key, Value::Expr(&pair.value), path, followed),
                Prop::Method(method) => self.with_key(&method.key, Value::Function(&method.function), path, followed),
                Prop::Getter(getter) => self.not_static(getter.span, "a getter is no action"),
                Prop::Setter(setter) => self.not_static(setter.span, "a setter is no action"),
                Prop::Assign(assign) => self.not_static(assign.span, "this is no action"),
            }
        }
    }

    fn with_key(&mut self, key: &'a PropName, value: Value<'a>, path: &mut Vec<String>, followed: usize) {
        match prop_name(key) {
            Some((name, span)) => self.keyed(&name, span, value, path, followed),
            None => self.not_static(key.span(), "this name is known only when the code runs"),
        }
    }

    fn keyed(&mut self, name: &Atom, span: Span, value: Value<'a>, path: &mut Vec<String>, followed: usize) {
        if RESERVED.contains(&name.as_str()) {
            self.diagnostics.push(
                Diagnostic::new(Code::NameReserved, format!("an action cannot be called `{name}`"))
                    .at(self.places.of(span), "the runtime keeps this name for itself")
                    .help("Give the action another name."),
            );
            return;
        }
        if name.is_empty() || name.contains('/') {
            self.diagnostics.push(
                Diagnostic::new(Code::NameInvalid, format!("an action cannot be called `{name}`"))
                    .at(self.places.of(span), "a name is at least one character, without `/`")
                    .help("Give the action another name."),
            );
            return;
        }
        path.push(name.to_string());
        match value {
            Value::Function(function) => self.action(Callable::Function(function), span, path),
            Value::Expr(expr) => self.value(expr, span, path, followed),
        }
        path.pop();
    }

    fn value(&mut self, value: &'a Expr, span: Span, path: &mut Vec<String>, followed: usize) {
        match unwrap(value) {
            Expr::Fn(function) => self.action(Callable::Function(&function.function), span, path),
            Expr::Arrow(arrow) => self.action(Callable::Arrow(arrow), span, path),
            Expr::Object(object) => {
                self.forget(path);
                self.literal(object, path, followed);
            }
            Expr::Ident(name) if followed < FOLLOW_LIMIT => match self.values.get(&name.to_id()).copied() {
                Some(Value::Function(function)) => self.action(Callable::Function(function), span, path),
                Some(Value::Expr(value)) => {
                    self.followed.push(name.to_id());
                    self.value(value, span, path, followed + 1);
                }
                None => self.not_static(name.span, "this cannot be followed to a function in this file"),
            },
            other => self.not_static(other.span(), "this is not a function that can be read here"),
        }
    }

    fn action(&mut self, function: Callable<'a>, span: Span, path: &[String]) {
        self.forget(path);
        self.actions.push(Found { path: path.to_vec(), signature: answer::Signature::of(function), span });
    }

    /// A later property of the same name takes the place of an earlier one, and of all in it.
    fn forget(&mut self, path: &[String]) {
        self.actions.retain(|found| !found.path.starts_with(path));
    }

    fn not_static(&mut self, span: Span, why: &str) {
        self.diagnostics.push(
            Diagnostic::new(Code::ActionsNotStatic, "the actions cannot be read without running the file")
                .at(self.places.of(span), why)
                .help("Write `exports.actions = { name: function (…) {…} }`: an object of functions, of constants of this file that stand for them, and of spreads of such objects."),
        );
    }

    fn literal_wanted(&mut self, span: Span, name: &str, wanted: &str) {
        self.diagnostics.push(
            Diagnostic::new(Code::ActionsNotStatic, format!("`{name}` cannot be read without running the file"))
                .at(self.places.of(span), "this is known only when the code runs")
                .help(format!("Write {wanted}.")),
        );
    }
}

/// Finds assignments to `exports.actions` and its relatives wherever they stand.
struct HiddenAssignments<'e, 'a> {
    exports: &'e ExportNames<'a>,
    found: Vec<Span>,
}

impl Visit for HiddenAssignments<'_, '_> {
    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        assign.visit_children_with(self);
        if let AssignTarget::Simple(SimpleAssignTarget::Member(target)) = &assign.left {
            let special = static_name(&target.prop).is_some_and(|name| is_special(&name));
            let whole = matches!(&*target.obj, Expr::Member(object) if is_actions_of(self.exports, object));
            if (special && self.exports.is_exports(&target.obj)) || whole {
                self.found.push(assign.span);
            }
        }
    }
}

fn is_actions_of(exports: &ExportNames<'_>, member: &MemberExpr) -> bool {
    exports.is_exports(&member.obj) && static_name(&member.prop).is_some_and(|name| name == *"actions")
}

fn is_special(name: &str) -> bool {
    matches!(name, "actions" | "authenticate" | "style")
}

fn export_name(name: &ModuleExportName) -> Option<Atom> {
    match name {
        ModuleExportName::Ident(name) => Some(name.sym.clone()),
        ModuleExportName::Str(name) => name.value.as_atom().cloned(),
    }
}

fn unwrap(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(paren) => unwrap(&paren.expr),
        expr => expr,
    }
}
