//! Splits an ES module into parts that can be left out one by one, and leaves out those that nobody needs.

use rustc_hash::{FxHashMap, FxHashSet};
use swc_core::atoms::{Atom, atom};
use swc_core::common::Spanned;
use swc_core::common::comments::SingleThreadedComments;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith, noop_visit_type};

use crate::exports::static_name;
use crate::names::Names;
use crate::parts::{Export, Keep, Part, Parts};
use crate::patterns;
use crate::pure::Purity;

/// The parts of a module; nothing when it evaluates text, which may name anything.
pub(crate) fn read(module: &Module, names: &Names, comments: &SingleThreadedComments) -> Option<Parts> {
    let mut reader = Reader::new(module, names, comments);
    let parts = each_part(module).map(|piece| reader.part(&piece)).collect();
    reader.parts.parts = parts;
    reader.exports(module);
    (!reader.evaluates).then_some(reader.parts)
}

/// Takes out of a module what is not needed for what is kept.
pub(crate) fn shake(module: &mut Module, parts: &Parts, keep: &Keep) {
    let live = parts.live(keep);
    let mut next = live.iter().copied();
    let mut is_live = || next.next().unwrap_or(true);
    module.body.retain_mut(|item| match item {
        ModuleItem::Stmt(Stmt::Decl(Decl::Var(var))) => {
            var.decls.retain(|_| is_live());
            !var.decls.is_empty()
        }
        ModuleItem::Stmt(_) => is_live(),
        ModuleItem::ModuleDecl(decl) => match decl {
            ModuleDecl::Import(_) | ModuleDecl::TsImportEquals(_) => true,
            ModuleDecl::ExportAll(all) => keep.stars.iter().any(|star| all.src.value == **star),
            ModuleDecl::ExportNamed(named) => {
                named.specifiers.retain(|specifier| is_kept(&exported(specifier), keep));
                // Without a name left it still makes the other module run.
                !named.specifiers.is_empty() || named.src.is_some()
            }
            ModuleDecl::ExportDecl(export) => match &mut export.decl {
                Decl::Var(var) => {
                    var.decls.retain(|_| is_live());
                    !var.decls.is_empty()
                }
                _ => is_live(),
            },
            ModuleDecl::ExportDefaultDecl(_) | ModuleDecl::ExportDefaultExpr(_) => is_live(),
            ModuleDecl::TsExportAssignment(_) | ModuleDecl::TsNamespaceExport(_) => true,
        },
    });
    for item in &mut module.body {
        unexport(item, keep);
    }
}

/// A declaration that stays for others of its module, but is not used by name from outside, is exported no more.
fn unexport(item: &mut ModuleItem, keep: &Keep) {
    let ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) = item else { return };
    let mut used = false;
    declared(&export.decl, &mut |name| used |= is_kept(&name.sym, keep));
    if !used {
        *item = ModuleItem::Stmt(Stmt::Decl(export.decl.clone()));
    }
}

fn is_kept(name: &Atom, keep: &Keep) -> bool {
    keep.names.binary_search_by(|kept| kept.as_str().cmp(name)).is_ok()
}

fn exported(specifier: &ExportSpecifier) -> Atom {
    match specifier {
        ExportSpecifier::Named(named) => name_of(named.exported.as_ref().unwrap_or(&named.orig)),
        ExportSpecifier::Namespace(namespace) => name_of(&namespace.name),
        ExportSpecifier::Default(default) => default.exported.sym.clone(),
    }
}

fn name_of(name: &ModuleExportName) -> Atom {
    match name {
        ModuleExportName::Ident(ident) => ident.sym.clone(),
        ModuleExportName::Str(text) => text.value.to_atom_lossy().into_owned(),
    }
}

fn declared<'a>(decl: &'a Decl, see: &mut impl FnMut(&'a Ident)) {
    match decl {
        Decl::Class(class) => see(&class.ident),
        Decl::Fn(function) => see(&function.ident),
        Decl::Var(var) => var.decls.iter().for_each(|decl| patterns::each_name(&decl.name, see)),
        _ => {}
    }
}

/// One part, in the syntax.
enum Piece<'a> {
    Variable(&'a VarDeclarator),
    Statement(&'a Stmt),
    Declaration(&'a Decl),
    DefaultDecl(&'a DefaultDecl),
    DefaultExpr(&'a Expr),
}

/// The parts in the order in which [`shake`] counts them.
fn each_part(module: &Module) -> impl Iterator<Item = Piece<'_>> {
    fn of_decl<'a>(decl: &'a Decl) -> Vec<Piece<'a>> {
        match decl {
            Decl::Var(var) => var.decls.iter().map(Piece::Variable).collect(),
            decl => vec![Piece::Declaration(decl)],
        }
    }
    module.body.iter().flat_map(|item| match item {
        ModuleItem::Stmt(Stmt::Decl(decl @ Decl::Var(_))) => of_decl(decl),
        ModuleItem::Stmt(Stmt::Decl(decl)) => vec![Piece::Declaration(decl)],
        ModuleItem::Stmt(stmt) => vec![Piece::Statement(stmt)],
        ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => of_decl(&export.decl),
        ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => vec![Piece::DefaultDecl(&export.decl)],
        ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) => vec![Piece::DefaultExpr(&export.expr)],
        ModuleItem::ModuleDecl(_) => Vec::new(),
    })
}

struct Reader<'a> {
    purity: Purity<'a>,
    parts: Parts,
    numbers: FxHashMap<Atom, u32>,
    /// Imported names: which specifier, and which name of it.
    bindings: FxHashMap<Id, (u32, Option<Atom>)>,
    /// Which parts declare a name.
    owners: FxHashMap<Id, Vec<u32>>,
    /// Names whose value is new, so that only who uses them sees what is put on it.
    fresh: FxHashSet<Id>,
    /// Which part is the default export.
    default: Option<u32>,
    evaluates: bool,
}

impl<'a> Reader<'a> {
    fn new(module: &Module, names: &'a Names, comments: &'a SingleThreadedComments) -> Self {
        let mut reader = Self {
            purity: Purity { names, comments, quiet: FxHashSet::default(), namespaces: FxHashSet::default() },
            parts: Parts::default(),
            numbers: FxHashMap::default(),
            bindings: FxHashMap::default(),
            owners: FxHashMap::default(),
            fresh: FxHashSet::default(),
            default: None,
            evaluates: false,
        };
        for item in &module.body {
            if let ModuleItem::ModuleDecl(ModuleDecl::Import(import)) = item {
                reader.import(import);
            }
            let at = item.span().lo;
            if reader.purity.marked(at, "__NO_SIDE_EFFECTS__") {
                reader.quiet_names(item);
            }
        }
        for (at, piece) in each_part(module).enumerate() {
            reader.own(&piece, at as u32);
        }
        reader
    }

    fn quiet_names(&mut self, item: &ModuleItem) {
        let quiet = &mut self.purity.quiet;
        let mut see = |name: &Ident| {
            quiet.insert(name.to_id());
        };
        match item {
            ModuleItem::Stmt(Stmt::Decl(decl)) => declared(decl, &mut see),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => declared(&export.decl, &mut see),
            _ => {}
        }
    }

    fn specifier(&mut self, src: &Str) -> u32 {
        let specifier = src.value.to_atom_lossy().into_owned();
        let (numbers, specifiers) = (&mut self.numbers, &mut self.parts.specifiers);
        *numbers.entry(specifier.clone()).or_insert_with(|| {
            specifiers.push(specifier.to_string());
            specifiers.len() as u32 - 1
        })
    }

    fn import(&mut self, import: &ImportDecl) {
        let from = self.specifier(&import.src);
        for specifier in &import.specifiers {
            let (local, name) = match specifier {
                ImportSpecifier::Default(default) => (&default.local, Some(atom!("default"))),
                ImportSpecifier::Namespace(namespace) => {
                    self.purity.namespaces.insert(namespace.local.to_id());
                    (&namespace.local, None)
                }
                ImportSpecifier::Named(named) => {
                    (&named.local, Some(named.imported.as_ref().map_or_else(|| named.local.sym.clone(), name_of)))
                }
            };
            self.bindings.insert(local.to_id(), (from, name));
        }
    }

    /// Notes what a part declares.
    fn own(&mut self, piece: &Piece<'_>, at: u32) {
        let mut owned = Vec::new();
        let mut fresh = false;
        match piece {
            Piece::Variable(var) => {
                patterns::each_name(&var.name, &mut |name| owned.push(name.to_id()));
                fresh = var.name.is_ident()
                    && matches!(
                        var.init.as_deref(),
                        Some(Expr::Fn(_) | Expr::Arrow(_) | Expr::Class(_) | Expr::Object(_))
                    );
            }
            Piece::Declaration(decl) => {
                declared(decl, &mut |name| owned.push(name.to_id()));
                fresh = true;
            }
            Piece::DefaultDecl(decl) => {
                self.default = Some(at);
                match decl {
                    DefaultDecl::Fn(FnExpr { ident: Some(name), .. })
                    | DefaultDecl::Class(ClassExpr { ident: Some(name), .. }) => owned.push(name.to_id()),
                    _ => {}
                }
                fresh = true;
            }
            Piece::DefaultExpr(_) => self.default = Some(at),
            Piece::Statement(_) => {}
        }
        for name in owned {
            if fresh && !self.owners.contains_key(&name) {
                self.fresh.insert(name.clone());
            } else {
                self.fresh.remove(&name);
            }
            self.owners.entry(name).or_default().push(at);
        }
        if let Some(name) = self.put_on(piece) {
            // It is there for whoever needs what it is put on.
            self.owners.entry(name).or_default().push(at);
        }
    }

    /// The name that `name.x = value` and `name.prototype.x = value` put something on, when nothing else comes of it.
    fn put_on(&self, piece: &Piece<'_>) -> Option<Id> {
        let Piece::Statement(Stmt::Expr(stmt)) = piece else { return None };
        let assign = stmt.expr.as_assign().filter(|assign| assign.op == AssignOp::Assign)?;
        let AssignTarget::Simple(SimpleAssignTarget::Member(target)) = &assign.left else { return None };
        let object = match &*target.obj {
            Expr::Member(inner) if static_name(&inner.prop).is_some_and(|name| name == *"prototype") => &inner.obj,
            _ => &target.obj,
        };
        let name = object.as_ident()?.to_id();
        let plain = static_name(&target.prop).is_some_and(|name| name != *"__proto__");
        (plain && self.fresh.contains(&name) && self.purity.expr(&assign.right)).then_some(name)
    }

    fn part(&mut self, piece: &Piece<'_>) -> Part {
        let mut mentions = Mentions { reader: self, part: Part::default(), evaluates: false };
        let pure = match piece {
            Piece::Variable(var) => {
                var.visit_with(&mut mentions);
                let purity = &mentions.reader.purity;
                var.name.is_ident() && var.init.as_ref().is_none_or(|init| purity.expr(init))
            }
            Piece::Declaration(decl) => {
                decl.visit_with(&mut mentions);
                match decl {
                    Decl::Fn(_) => true,
                    Decl::Class(class) => mentions.reader.purity.class(&class.class),
                    _ => false,
                }
            }
            Piece::DefaultDecl(decl) => {
                decl.visit_with(&mut mentions);
                match decl {
                    DefaultDecl::Class(class) => mentions.reader.purity.class(&class.class),
                    _ => true,
                }
            }
            Piece::DefaultExpr(expr) => {
                expr.visit_with(&mut mentions);
                mentions.reader.purity.expr(expr)
            }
            Piece::Statement(stmt) => {
                stmt.visit_with(&mut mentions);
                match stmt {
                    // A directive is no code.
                    Stmt::Expr(expr) if matches!(*expr.expr, Expr::Lit(Lit::Str(_))) => false,
                    Stmt::Expr(expr) => {
                        mentions.reader.put_on(piece).is_some() || mentions.reader.purity.expr(&expr.expr)
                    }
                    Stmt::Empty(_) => true,
                    _ => false,
                }
            }
        };
        let Mentions { mut part, evaluates, .. } = mentions;
        self.evaluates |= evaluates;
        part.effect = !pure;
        part.needs.sort_unstable();
        part.needs.dedup();
        part.imports.sort_unstable();
        part.imports.dedup();
        part
    }

    fn exports(&mut self, module: &Module) {
        for item in &module.body {
            let ModuleItem::ModuleDecl(decl) = item else { continue };
            match decl {
                ModuleDecl::ExportDecl(export) => declared(&export.decl, &mut |name| {
                    let parts = self.owners.get(&name.to_id()).cloned().unwrap_or_default();
                    self.parts.exports.push((name.sym.to_string(), Export::Parts(parts)));
                }),
                ModuleDecl::ExportDefaultDecl(_) | ModuleDecl::ExportDefaultExpr(_) => {
                    let mut parts: Vec<u32> = self.default.into_iter().collect();
                    if let ModuleDecl::ExportDefaultDecl(ExportDefaultDecl {
                        decl:
                            DefaultDecl::Fn(FnExpr { ident: Some(name), .. })
                            | DefaultDecl::Class(ClassExpr { ident: Some(name), .. }),
                        ..
                    }) = decl
                    {
                        parts.extend(self.owners.get(&name.to_id()).into_iter().flatten());
                    }
                    self.parts.exports.push(("default".to_owned(), Export::Parts(parts)));
                }
                ModuleDecl::ExportNamed(named) => self.export_named(named),
                ModuleDecl::ExportAll(all) => {
                    let from = self.specifier(&all.src);
                    self.parts.stars.push(from);
                }
                _ => {}
            }
        }
    }

    fn export_named(&mut self, named: &NamedExport) {
        let from = named.src.as_ref().map(|src| self.specifier(src));
        for specifier in &named.specifiers {
            let export = match (specifier, from) {
                (ExportSpecifier::Named(named), Some(from)) => {
                    Export::From(from, Some(name_of(&named.orig).to_string()))
                }
                (ExportSpecifier::Named(named), None) => match &named.orig {
                    ModuleExportName::Ident(local) => match self.bindings.get(&local.to_id()) {
                        Some((from, name)) => Export::From(*from, name.as_ref().map(ToString::to_string)),
                        None => Export::Parts(self.owners.get(&local.to_id()).cloned().unwrap_or_default()),
                    },
                    ModuleExportName::Str(_) => continue,
                },
                (ExportSpecifier::Namespace(_), Some(from)) => Export::From(from, None),
                (ExportSpecifier::Default(_), Some(from)) => Export::From(from, Some("default".to_owned())),
                (_, None) => continue,
            };
            self.parts.exports.push((exported(specifier).to_string(), export));
        }
    }
}

/// Collects the names that a part mentions.
struct Mentions<'a, 'b> {
    reader: &'a Reader<'b>,
    part: Part,
    evaluates: bool,
}

impl Visit for Mentions<'_, '_> {
    noop_visit_type!();

    fn visit_member_expr(&mut self, member: &MemberExpr) {
        // `ns.name` uses that name only.
        if let Expr::Ident(object) = &*member.obj
            && let Some((from, None)) = self.reader.bindings.get(&object.to_id())
            && let Some(name) = static_name(&member.prop)
        {
            self.part.imports.push((*from, Some(name.to_string())));
            return;
        }
        member.visit_children_with(self);
    }

    fn visit_ident(&mut self, name: &Ident) {
        if self.reader.purity.names.is_free(name) {
            self.evaluates |= *name.sym == *"eval";
            return;
        }
        let id = name.to_id();
        if let Some((from, imported)) = self.reader.bindings.get(&id) {
            self.part.imports.push((*from, imported.as_ref().map(ToString::to_string)));
        } else if let Some(owners) = self.reader.owners.get(&id) {
            self.part.needs.extend(owners);
        }
    }
}
