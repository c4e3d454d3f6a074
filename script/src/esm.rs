//! ES modules as functions of `(module, exports, require)`.
//!
//! The declarations of imports and exports are taken out first; what the rest means is settled by the walk, and then
//! the prelude is written: the getters of the exports, before anything runs, and the imports in their order.

use rustc_hash::{FxHashMap, FxHashSet};
use ssbuild_diagnostic::{Code, Diagnostic};
use swc_core::atoms::{Atom, atom};
use swc_core::common::{DUMMY_SP, Span, Spanned};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::VisitMutWith;

use crate::joint::{Joint, Symbol};
use crate::mangle::Open;
use crate::names::Names;
use crate::walk::{Binding, Kind, Walk, typed};
use crate::{Doubt, ImportKind, Language, Minify, patterns, quote};

/// The declarations of an ES module, apart from its code.
#[derive(Default)]
pub(crate) struct Declarations {
    /// In source order.
    evaluated: Vec<Evaluated>,
    /// Each exported name with the expression that reads it.
    getters: Vec<(Atom, Box<Expr>)>,
    /// Of those that are handed on from another module: by the exported name, what they are there.
    handed_on: FxHashMap<Atom, Binding>,
    /// The default export when it has no name of its own.
    unnamed_function: Option<Ident>,
    /// Names of imports, in source order.
    asked: Vec<(usize, Atom)>,
    /// The variable of a default export that is a value.
    value: Option<Id>,
    /// Functions that never ask for their `this`, as long as nothing else is assigned to them.
    plain: Vec<Id>,
}

enum Evaluated {
    /// `import …`, `export … from`.
    Import(usize),
    /// `export * from`.
    Star(usize),
}

/// Takes imports and exports out of a module and leaves its statements.
pub(crate) fn take_declarations(module: Module, walk: &mut Walk<'_>) -> (Vec<Stmt>, Declarations) {
    let mut taken = Declarations::default();
    let mut body = Vec::with_capacity(module.body.len() + 2);
    walk.exports.esm();
    for item in module.body {
        match item {
            ModuleItem::Stmt(stmt) => body.push(stmt),
            ModuleItem::ModuleDecl(decl) => taken.declaration(decl, walk, &mut body),
        }
    }
    (body, taken)
}

impl Declarations {
    fn declaration(&mut self, decl: ModuleDecl, walk: &mut Walk<'_>, body: &mut Vec<Stmt>) {
        match decl {
            ModuleDecl::Import(import) => self.import(&import, walk),
            ModuleDecl::ExportDecl(export) => {
                self.export_names(&export.decl, walk);
                body.push(Stmt::Decl(export.decl));
            }
            ModuleDecl::ExportNamed(export) => self.export_named(&export, walk),
            ModuleDecl::ExportDefaultDecl(export) => body.extend(self.export_default(export, walk)),
            ModuleDecl::ExportDefaultExpr(export) => body.push(self.export_value(export, walk)),
            ModuleDecl::ExportAll(export) => {
                let number = walk.imports.number(&export.src, ImportKind::Static);
                walk.imports.needs(number);
                walk.imports.use_all(number);
                walk.exports.star(number);
                self.evaluated.push(Evaluated::Star(number));
            }
            // What TypeScript adds is gone by now.
            ModuleDecl::TsImportEquals(_) | ModuleDecl::TsExportAssignment(_) | ModuleDecl::TsNamespaceExport(_) => {}
        }
    }

    fn import(&mut self, import: &ImportDecl, walk: &mut Walk<'_>) {
        if import.phase != ImportPhase::Evaluation {
            walk.found.push(
                Diagnostic::new(Code::SyntaxError, "`import defer` and `import source` are not linked")
                    .at(walk.places.of(import.span), "")
                    .help("Write a plain `import`."),
            );
        }
        let number = self.asks(&import.src, walk);
        for specifier in &import.specifiers {
            let (local, name) = match specifier {
                ImportSpecifier::Default(default) => (&default.local, Some(atom!("default"))),
                ImportSpecifier::Namespace(namespace) => (&namespace.local, None),
                ImportSpecifier::Named(named) => {
                    let name = named.imported.as_ref().map_or_else(|| named.local.sym.clone(), export_name);
                    (&named.local, Some(name))
                }
            };
            walk.declare(local, Kind::Once);
            if let Some(name) = &name {
                self.asked.push((number, name.clone()));
            }
            walk.bindings.insert(local.to_id(), Binding { number, name, member: false });
        }
    }

    fn asks(&mut self, src: &Str, walk: &mut Walk<'_>) -> usize {
        let number = walk.imports.number(src, ImportKind::Static);
        walk.imports.needs(number);
        self.evaluated.push(Evaluated::Import(number));
        number
    }

    fn export(&mut self, name: Atom, span: Span, getter: Box<Expr>, walk: &mut Walk<'_>) {
        if !walk.exports.add_esm(&name, span) {
            walk.found.push(
                Diagnostic::new(Code::SyntaxError, format!("`{name}` is exported twice"))
                    .at(walk.places.of(span), "exported again here"),
            );
        }
        self.getters.push((name, getter));
    }

    fn export_local(&mut self, name: &Ident, walk: &mut Walk<'_>) {
        self.export(name.sym.clone(), name.span, Box::new(Expr::Ident(bare(name))), walk);
    }

    fn export_names(&mut self, decl: &Decl, walk: &mut Walk<'_>) {
        match decl {
            Decl::Class(class) => self.export_local(&class.ident, walk),
            Decl::Fn(function) => self.export_local(&function.ident, walk),
            Decl::Var(var) => {
                for decl in &var.decls {
                    patterns::each_name(&decl.name, &mut |name| self.export_local(name, walk));
                }
            }
            Decl::Using(_) | Decl::TsInterface(_) | Decl::TsTypeAlias(_) | Decl::TsEnum(_) | Decl::TsModule(_) => {}
        }
    }

    fn export_named(&mut self, export: &NamedExport, walk: &mut Walk<'_>) {
        let from = export.src.as_ref().map(|src| self.asks(src, walk));
        for specifier in &export.specifiers {
            match specifier {
                ExportSpecifier::Named(named) => {
                    let exported = named.exported.as_ref().unwrap_or(&named.orig);
                    let original = export_name(&named.orig);
                    let getter = match (from, &named.orig) {
                        (Some(number), _) => {
                            walk.pass_on(number, &original);
                            self.hand_on(export_name(exported), number, Some(&original));
                            quote::member(&walk.imports.namespace(number, DUMMY_SP), &original, DUMMY_SP)
                        }
                        (None, ModuleExportName::Ident(local)) => {
                            if walk.names.is_free(local) {
                                undeclared(local, walk);
                                continue;
                            }
                            Box::new(Expr::Ident(bare(local)))
                        }
                        // The parser refuses `export {"a b"}` without `from`.
                        (None, ModuleExportName::Str(_)) => Expr::undefined(DUMMY_SP),
                    };
                    self.export(export_name(exported), exported.span(), getter, walk);
                }
                ExportSpecifier::Namespace(namespace) => {
                    let Some(number) = from else { continue };
                    walk.imports.use_all(number);
                    self.hand_on(export_name(&namespace.name), number, None);
                    let getter = Box::new(Expr::Ident(walk.imports.namespace(number, DUMMY_SP)));
                    self.export(export_name(&namespace.name), namespace.span, getter, walk);
                }
                ExportSpecifier::Default(default) => {
                    let Some(number) = from else { continue };
                    walk.pass_on(number, &atom!("default"));
                    self.hand_on(default.exported.sym.clone(), number, Some(&atom!("default")));
                    let namespace = walk.imports.namespace(number, DUMMY_SP);
                    let getter = quote::member(&namespace, &atom!("default"), DUMMY_SP);
                    self.export(default.exported.sym.clone(), default.exported.span, getter, walk);
                }
            }
        }
    }

    fn hand_on(&mut self, exported: Atom, number: usize, name: Option<&Atom>) {
        self.handed_on.insert(exported, Binding { number, name: name.cloned(), member: false });
    }

    /// `export default function …` and `export default class …`, which are declarations.
    fn export_default(&mut self, export: ExportDefaultDecl, walk: &mut Walk<'_>) -> Option<Stmt> {
        let span = export.span;
        let (decl, name) = match export.decl {
            DefaultDecl::Fn(FnExpr { ident, function }) => {
                let name = ident.clone().unwrap_or_else(default_name);
                if ident.is_none() && walk.minify == Minify::Off {
                    self.unnamed_function = Some(name.clone());
                }
                (Stmt::Decl(Decl::Fn(FnDecl { ident: name.clone(), declare: false, function })), name)
            }
            DefaultDecl::Class(ClassExpr { ident: Some(ident), class }) => {
                (Stmt::Decl(Decl::Class(ClassDecl { ident: ident.clone(), declare: false, class })), ident)
            }
            DefaultDecl::Class(class) => {
                let name = default_name();
                let value = default_value(Box::new(Expr::Class(class)), walk);
                (quote::constants(vec![quote::constant(name.clone(), value, span)], span), name)
            }
            DefaultDecl::TsInterfaceDecl(_) => return None,
        };
        self.export(atom!("default"), span.with_hi(span.lo), Box::new(Expr::Ident(bare(&name))), walk);
        Some(decl)
    }

    /// `export default value`.
    fn export_value(&mut self, export: ExportDefaultExpr, walk: &mut Walk<'_>) -> Stmt {
        let name = default_name();
        self.export(atom!("default"), export.span.with_hi(export.span.lo), Box::new(Expr::Ident(bare(&name))), walk);
        let value = default_value(export.expr, walk);
        self.value = Some(name.to_id());
        quote::constants(vec![quote::constant(name, value, export.span)], export.span)
    }

    /// Lets the walk see the getters' expressions, after the rest of the module.
    pub(crate) fn visit_getters(&mut self, walk: &mut Walk<'_>) {
        if typed(walk.language) {
            walk.doubt = Some(Doubt::Type);
        }
        self.getters.iter_mut().for_each(|(_, getter)| getter.visit_mut_with(walk));
        // Types among them are there to be not used.
        if !typed(walk.language) {
            self.asked.iter().for_each(|(number, name)| walk.imports.leave_name(*number, name));
        }
    }

    /// Notes the functions that a statement declares at the top level, none of which asks for its `this`.
    pub(crate) fn note_plain(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Decl(Decl::Fn(function)) => self.plain.push(function.ident.to_id()),
            Stmt::Decl(Decl::Class(class)) => self.plain.push(class.ident.to_id()),
            Stmt::Decl(Decl::Var(var)) => {
                let is_function = |init: &Expr| matches!(init.unwrap_parens(), Expr::Fn(_) | Expr::Arrow(_));
                let functions = var.decls.iter().filter(|decl| decl.init.as_deref().is_some_and(is_function));
                self.plain.extend(functions.filter_map(|decl| Some(decl.name.as_ident()?.id.to_id())));
            }
            _ => {}
        }
    }

    /// `export default x` of a variable that keeps its value needs no variable of its own.
    pub(crate) fn drop_default(&mut self, body: &mut Vec<Stmt>, walk: &Walk<'_>) {
        let Some(default) = self.value.take() else { return };
        let function = |stmt: &Stmt| match stmt {
            Stmt::Decl(Decl::Fn(function)) => Some(function.ident.to_id()),
            _ => None,
        };
        // Functions have their value from the start, others from where they are declared.
        let mut settled: FxHashSet<Id> = body.iter().filter_map(function).collect();
        for at in 0..body.len() {
            match &body[at] {
                Stmt::Decl(Decl::Class(class)) => {
                    settled.insert(class.ident.to_id());
                }
                Stmt::Decl(Decl::Var(var)) => {
                    for decl in &var.decls {
                        let (Pat::Ident(name), Some(init)) = (&decl.name, &decl.init) else { continue };
                        if name.id.to_id() != default {
                            settled.insert(name.id.to_id());
                            continue;
                        }
                        let Some(value) = init.as_ident().filter(|value| settled.contains(&value.to_id())) else {
                            return;
                        };
                        if walk.written.contains(&value.to_id()) {
                            return;
                        }
                        let is_default = |getter: &Expr| matches!(getter, Expr::Ident(name) if name.to_id() == default);
                        let value = bare(value);
                        for (_, getter) in self.getters.iter_mut().filter(|(_, getter)| is_default(getter)) {
                            **getter = Expr::Ident(value.clone());
                        }
                        body.remove(at);
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    /// The same as [`Self::prelude`], for those who join modules.
    pub(crate) fn joint(mut self, open: Open, walk: &Walk<'_>) -> Joint {
        let bindings = &walk.bindings;
        let Open { mut symbols, numbers, free } = open;
        let mut known: FxHashMap<Symbol, u32> = FxHashMap::default();
        self.getters.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut exports = Vec::with_capacity(self.getters.len());
        for (name, getter) in self.getters {
            let imported = match (self.handed_on.get(&name), &*getter) {
                (Some(binding), _) => binding.symbol(),
                (None, Expr::Ident(local)) => match (numbers.get(&local.to_id()), bindings.get(&local.to_id())) {
                    (Some(&number), _) => {
                        exports.push((name.to_string(), number));
                        continue;
                    }
                    (None, Some(binding)) => binding.symbol(),
                    (None, None) => unreachable!("what is exported is declared or imported"),
                },
                _ => unreachable!("what is exported has a name, or is handed on"),
            };
            let number = *known.entry(imported).or_insert_with_key(|symbol| {
                symbols.push(symbol.clone());
                symbols.len() as u32 - 1
            });
            exports.push((name.to_string(), number));
        }
        let (mut evaluated, mut stars) = (Vec::new(), Vec::new());
        for import in self.evaluated {
            let number = match import {
                Evaluated::Import(number) => number as u32,
                Evaluated::Star(number) => {
                    stars.push(number as u32);
                    number as u32
                }
            };
            if !evaluated.contains(&number) {
                evaluated.push(number);
            }
        }
        let kept = self.plain.iter().filter(|name| !walk.written.contains(*name));
        let mut plain: Vec<u32> = kept.filter_map(|name| numbers.get(name).copied()).collect();
        plain.sort_unstable();
        Joint { symbols, exports, evaluated, stars, plain, free, ..Joint::default() }
    }

    /// What runs before the module's own statements.
    pub(crate) fn prelude(mut self, walk: &Walk<'_>) -> Vec<Stmt> {
        let mut prelude = Vec::with_capacity(self.evaluated.len() + 2);
        // The names of a namespace are in alphabetical order.
        self.getters.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        let getters = self.getters.into_iter().map(|(name, getter)| quote::property(&name, quote::thunk(getter)));
        let exports = Box::new(Expr::Ident(walk.parameters.exports.clone()));
        let arguments = vec![quote::arg(exports.clone()), quote::arg(quote::object(getters.collect()))];
        prelude.push(quote::statement(helper(walk, "e", arguments)));
        if let Some(name) = self.unnamed_function {
            prelude.push(quote::statement(name_default(&name, walk.names)));
        }
        let mut bound = FxHashSet::default();
        let mut decls = Vec::new();
        for evaluated in self.evaluated {
            match evaluated {
                Evaluated::Import(number) if !bound.insert(number) => {}
                Evaluated::Import(number) if walk.imports.is_used(number) => {
                    let namespace = walk.imports.namespace(number, DUMMY_SP);
                    let value = helper(walk, "i", vec![number_arg(number)]);
                    decls.push(quote::constant(namespace, value, DUMMY_SP));
                }
                Evaluated::Import(number) => {
                    flush(&mut decls, &mut prelude);
                    let require = Box::new(Expr::Ident(walk.parameters.require.clone()));
                    prelude.push(quote::statement(quote::call(require, vec![number_arg(number)], DUMMY_SP)));
                }
                Evaluated::Star(number) => {
                    flush(&mut decls, &mut prelude);
                    let arguments = vec![quote::arg(exports.clone()), number_arg(number)];
                    prelude.push(quote::statement(helper(walk, "s", arguments)));
                }
            }
        }
        flush(&mut decls, &mut prelude);
        prelude
    }
}

fn flush(decls: &mut Vec<VarDeclarator>, prelude: &mut Vec<Stmt>) {
    if !decls.is_empty() {
        prelude.push(quote::constants(std::mem::take(decls), DUMMY_SP));
    }
}

/// `require.name(arguments)`
fn helper(walk: &Walk<'_>, name: &str, arguments: Vec<ExprOrSpread>) -> Box<Expr> {
    quote::call(quote::member(&walk.parameters.require, &name.into(), DUMMY_SP), arguments, DUMMY_SP)
}

fn number_arg(number: usize) -> ExprOrSpread {
    quote::arg(quote::number(number as f64, DUMMY_SP))
}

/// An identifier that a getter reads: without a place, since the getter is not in the source.
fn bare(name: &Ident) -> Ident {
    Ident { span: DUMMY_SP, ..name.clone() }
}

fn default_name() -> Ident {
    Ident::new_private(atom!("_default"), DUMMY_SP)
}

fn export_name(name: &ModuleExportName) -> Atom {
    match name {
        ModuleExportName::Ident(ident) => ident.sym.clone(),
        ModuleExportName::Str(text) => text.value.to_atom_lossy().into_owned(),
    }
}

/// Whether a function or class expression takes its name from where it is put.
fn is_unnamed(expr: &Expr) -> bool {
    match expr {
        Expr::Arrow(_) => true,
        Expr::Fn(function) => function.ident.is_none(),
        Expr::Class(class) => class.ident.is_none(),
        Expr::Paren(paren) => is_unnamed(&paren.expr),
        _ => false,
    }
}

/// `{default: value}.default` for a function without a name, whose `name` is then `default`, as the language asks. Names of
/// functions are not kept in minified code, so it is spared there.
fn default_value(value: Box<Expr>, walk: &Walk<'_>) -> Box<Expr> {
    if walk.minify != Minify::Off || !is_unnamed(&value) {
        return value;
    }
    let object = quote::object(vec![quote::property(&atom!("default"), value)]);
    let prop = MemberProp::Ident(IdentName::new(atom!("default"), DUMMY_SP));
    Box::new(Expr::Member(MemberExpr { span: DUMMY_SP, obj: object, prop }))
}

/// `Object.defineProperty(_default, "name", {value: "default", configurable: true})`, for a function that is hoisted.
fn name_default(name: &Ident, names: &Names) -> Box<Expr> {
    let object = Ident::new(atom!("Object"), DUMMY_SP, names.free);
    let define = quote::member(&object, &atom!("defineProperty"), DUMMY_SP);
    let yes = Box::new(Expr::Lit(Lit::Bool(Bool { span: DUMMY_SP, value: true })));
    let value = quote::object(vec![
        quote::property(&atom!("value"), quote::string("default")),
        quote::property(&atom!("configurable"), yes),
    ]);
    let target = Box::new(Expr::Ident(name.clone()));
    quote::call(define, vec![quote::arg(target), quote::arg(quote::string("name")), quote::arg(value)], DUMMY_SP)
}

/// `export {x}` of a name that nothing declares is a mistake, but in TypeScript, where it may be a type.
fn undeclared(local: &Ident, walk: &mut Walk<'_>) {
    if !matches!(walk.language, Language::TypeScript | Language::Tsx) {
        walk.found.push(
            Diagnostic::new(Code::SyntaxError, format!("`{}` is exported but not declared", local.sym))
                .at(walk.places.of(local.span), "")
                .help("Declare or import it in this file."),
        );
    }
}
