//! More mistakes that the parser lets through and that keep an engine from loading the script: what strict code forbids,
//! names that a block and a `var` both declare, calls of `super` where there is none.

use ssbuild_diagnostic::{Code, Diagnostic};
use swc_core::atoms::Atom;
use swc_core::common::Span;
use swc_core::ecma::ast::*;

use super::{Walk, typed};
use crate::patterns;

/// What the blocks around declare for themselves, which a `var` inside of them must not declare for the function.
#[derive(Default)]
pub(crate) struct Blocks {
    open: Vec<Block>,
}

struct Block {
    /// Functions around it.
    functions: u32,
    names: Vec<Lexical>,
}

struct Lexical {
    name: Atom,
    span: Span,
    declared: Declares,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Declares {
    /// `let`, `const`, `class`, or a name that `catch` takes out of an error.
    Value,
    /// A plain function: sloppy code may declare it again in the same block.
    Function,
    /// An asynchronous function or a generator.
    SpecialFunction,
}

/// Whether a body starts with `"use strict"`.
pub(crate) fn is_strict(stmts: &[Stmt]) -> bool {
    let directives = stmts.iter().map_while(|stmt| match stmt {
        Stmt::Expr(stmt) => match &*stmt.expr {
            Expr::Lit(Lit::Str(text)) => Some(text),
            _ => None,
        },
        _ => None,
    });
    directives
        .into_iter()
        .any(|text| text.raw.as_ref().is_some_and(|raw| raw.get(1..raw.len() - 1) == Some("use strict")))
}

impl Walk<'_> {
    /// The parameters of a function, whose names must differ in strict code, in methods and arrows, and when there are patterns.
    pub(super) fn check_parameters<'p>(&mut self, params: impl Iterator<Item = &'p Pat> + Clone, unique: bool) {
        let simple = params.clone().all(|pat| matches!(pat, Pat::Ident(_)));
        let mut seen: Vec<&Ident> = Vec::new();
        for pat in params {
            patterns::each_name(pat, &mut |name| {
                if (unique || !simple) && !name.span.is_dummy() && seen.iter().any(|before| before.sym == name.sym) {
                    let message = format!("two parameters are named `{}`", name.sym);
                    self.refuse(name.span, &message, "Rename one of them.");
                }
                if self.state.strict && !self.esm && is_strict_word(&name.sym) {
                    self.refuse_strict(name);
                }
                seen.push(name);
            });
        }
    }

    /// The name of a function that is strict by itself.
    pub(super) fn check_function_name(&mut self, name: &Ident, function: &Function) {
        if !self.state.strict && function.body.as_ref().is_some_and(|body| is_strict(&body.stmts)) {
            let reserved = matches!(
                &*name.sym,
                "implements"
                    | "interface"
                    | "let"
                    | "package"
                    | "private"
                    | "protected"
                    | "public"
                    | "static"
                    | "yield"
            );
            if reserved || is_strict_word(&name.sym) {
                self.refuse_strict(name);
            }
        }
    }

    fn refuse_strict(&mut self, name: &Ident) {
        self.refuse(name.span, &format!("`{}` cannot be a name in strict code", name.sym), "Choose another name.");
    }

    /// A statement that has another as its body.
    pub(super) fn check_body(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::For(ForStmt { body, .. })
            | Stmt::ForIn(ForInStmt { body, .. })
            | Stmt::ForOf(ForOfStmt { body, .. })
            | Stmt::While(WhileStmt { body, .. })
            | Stmt::DoWhile(DoWhileStmt { body, .. })
            | Stmt::With(WithStmt { body, .. }) => self.check_no_function(body),
            Stmt::If(IfStmt { cons, alt, .. }) => {
                for body in [Some(cons), alt.as_ref()].into_iter().flatten() {
                    match &**body {
                        Stmt::Labeled(_) => self.check_no_function(body),
                        body => self.check_plain(body),
                    }
                }
            }
            Stmt::Labeled(labeled) => self.check_plain(&labeled.body),
            _ => {}
        }
    }

    fn check_no_function(&mut self, body: &Stmt) {
        match body {
            Stmt::Labeled(labeled) => self.check_no_function(&labeled.body),
            Stmt::Decl(Decl::Fn(function)) if !function.ident.span.is_dummy() => {
                self.refuse(function.ident.span, "a function cannot be declared here", "Put it into a block: `{ … }`.");
            }
            _ => {}
        }
    }

    fn check_plain(&mut self, body: &Stmt) {
        if let Stmt::Decl(Decl::Fn(FnDecl { function, .. })) = body
            && (function.is_async || function.is_generator)
        {
            self.check_no_function(body);
        }
    }

    /// Enters a block with these statements. Types may stand beside values of their name, so typed sources are left alone.
    pub(super) fn enter_block<'s>(&mut self, stmts: impl Iterator<Item = &'s Stmt>) {
        let mut names = Vec::new();
        if !typed(self.language) {
            for stmt in stmts {
                let Stmt::Decl(decl) = stmt else { continue };
                match decl {
                    Decl::Class(class) => names.push(Lexical::of(&class.ident, Declares::Value)),
                    Decl::Fn(FnDecl { ident, function, .. }) => {
                        let special = function.is_async || function.is_generator;
                        let declared = if special { Declares::SpecialFunction } else { Declares::Function };
                        names.push(Lexical::of(ident, declared));
                    }
                    Decl::Var(var) => names.extend(Lexical::of_variables(var)),
                    _ => {}
                }
            }
        }
        for (n, again) in names.iter().enumerate() {
            let first = names[..n].iter().find(|first| first.name == again.name);
            if let Some(first) = first
                // Two values are found where names are declared.
                && (first.declared, again.declared) != (Declares::Value, Declares::Value)
                && (self.state.strict || (first.declared, again.declared) != (Declares::Function, Declares::Function))
            {
                self.found.extend(self.declared_twice(&again.name, first.span, again.span));
            }
        }
        self.blocks.open.push(Block { functions: self.state.functions, names });
    }

    /// Enters a loop whose head declares names.
    pub(super) fn enter_head(&mut self, var: Option<&VarDecl>) {
        let names = var.filter(|_| !typed(self.language)).map(|var| Lexical::of_variables(var).collect());
        self.blocks.open.push(Block { functions: self.state.functions, names: names.unwrap_or_default() });
    }

    /// Enters a `catch`, whose names are those of a block, but for a single one, which a `var` may have as well.
    pub(super) fn enter_catch(&mut self, clause: &CatchClause) {
        let mut names: Vec<Lexical> = Vec::new();
        if let Some(param) = clause.param.as_ref().filter(|_| !typed(self.language)) {
            let body = |name: &Ident| {
                let mut declared = clause.body.stmts.iter().filter_map(Stmt::as_decl).flat_map(|decl| match decl {
                    Decl::Class(class) => vec![Lexical::of(&class.ident, Declares::Value)],
                    Decl::Fn(function) => vec![Lexical::of(&function.ident, Declares::Function)],
                    Decl::Var(var) => Lexical::of_variables(var).collect(),
                    _ => Vec::new(),
                });
                declared.find(|lexical| lexical.name == name.sym)
            };
            patterns::each_name(param, &mut |name| {
                let twice = names.iter().find(|first| first.name == name.sym).map(|first| (first.span, name.span));
                let twice = twice.or_else(|| body(name).map(|again| (name.span, again.span)));
                if let Some((first, again)) = twice {
                    self.found.extend(self.declared_twice(&name.sym, first, again));
                }
                names.push(Lexical::of(name, Declares::Value));
            });
            if param.is_ident() {
                names.clear();
            }
        }
        self.blocks.open.push(Block { functions: self.state.functions, names });
    }

    /// Leaves the innermost block.
    pub(super) fn leave_block(&mut self) {
        self.blocks.open.pop();
    }

    /// A name that `var` declares, through all the blocks around it.
    pub(super) fn check_var(&mut self, name: &Ident) {
        let around = self.blocks.open.iter().rev().take_while(|block| block.functions == self.state.functions);
        let first = around.flat_map(|block| &block.names).find(|lexical| lexical.name == name.sym);
        if let Some(span) = first.map(|first| first.span) {
            self.found.extend(self.declared_twice(&name.sym, span, name.span));
        }
    }

    fn declared_twice(&self, name: &Atom, first: Span, again: Span) -> Option<Diagnostic> {
        // What a transform wrote is right.
        if first.is_dummy() || again.is_dummy() || first == again {
            return None;
        }
        let (first, again) = if first.lo <= again.lo { (first, again) } else { (again, first) };
        Some(
            Diagnostic::new(Code::SyntaxError, format!("`{name}` is declared twice"))
                .at(self.places.of(again), "declared again here")
                .at(self.places.of(first), "declared here first")
                .help("Rename one of them, or assign to the first."),
        )
    }

    /// Whether a statement begins with a variable named `let` and a bracket, which only brackets around it keep from being
    /// a declaration.
    pub(super) fn begins_like_let(&self, expr: &Expr) -> bool {
        if self.state.strict {
            return false;
        }
        match expr {
            Expr::Paren(paren) => self.begins_like_let(&paren.expr),
            Expr::Member(MemberExpr { obj, prop, .. }) => {
                let is_let = matches!(&**obj, Expr::Ident(name) if name.sym == *"let");
                (is_let && prop.is_computed()) || self.begins_like_let(obj)
            }
            Expr::Call(CallExpr { callee: Callee::Expr(callee), .. }) => self.begins_like_let(callee),
            Expr::Bin(bin) => self.begins_like_let(&bin.left),
            Expr::Cond(cond) => self.begins_like_let(&cond.test),
            Expr::Seq(seq) => seq.exprs.first().is_some_and(|first| self.begins_like_let(first)),
            Expr::TaggedTpl(tagged) => self.begins_like_let(&tagged.tag),
            Expr::Update(update) => !update.prefix && self.begins_like_let(&update.arg),
            Expr::Assign(AssignExpr { left: AssignTarget::Simple(SimpleAssignTarget::Member(member)), .. }) => {
                matches!(&*member.obj, Expr::Ident(name) if name.sym == *"let") && member.prop.is_computed()
            }
            _ => false,
        }
    }

    /// `{__proto__: a, __proto__: b}`.
    pub(super) fn check_proto(&mut self, object: &ObjectLit) {
        let mut again = object.props.iter().filter_map(|prop| match prop {
            PropOrSpread::Prop(prop) => match &**prop {
                Prop::KeyValue(KeyValueProp { key: PropName::Ident(name), .. }) if name.sym == *"__proto__" => {
                    Some(name.span)
                }
                Prop::KeyValue(KeyValueProp { key: PropName::Str(name), .. }) if name.value == *"__proto__" => {
                    Some(name.span)
                }
                _ => None,
            },
            PropOrSpread::Spread(_) => None,
        });
        if let (Some(_), Some(span)) = (again.next(), again.next()) {
            self.refuse(span, "an object has one prototype, but `__proto__` is given twice", "Remove one of them.");
        }
    }

    /// `static prototype`, and fields named `constructor`.
    pub(super) fn check_member_name(&mut self, member: &ClassMember) {
        let (key, is_static, is_field) = match member {
            ClassMember::Method(method) => (&method.key, method.is_static, false),
            ClassMember::ClassProp(prop) => (&prop.key, prop.is_static, true),
            _ => return,
        };
        let (name, span) = match key {
            PropName::Ident(name) => (&*name.sym, name.span),
            PropName::Str(name) => (name.value.as_str().unwrap_or_default(), name.span),
            _ => return,
        };
        if (is_static && name == "prototype") || (is_field && name == "constructor") {
            self.refuse(span, &format!("a class has its own `{name}`"), "Choose another name.");
        }
    }
}

impl Lexical {
    fn of(name: &Ident, declared: Declares) -> Self {
        Self { name: name.sym.clone(), span: name.span, declared }
    }

    fn of_variables(var: &VarDecl) -> impl Iterator<Item = Self> {
        let mut names = Vec::new();
        if var.kind != VarDeclKind::Var {
            let mut add = |name: &Ident| names.push(Self::of(name, Declares::Value));
            var.decls.iter().for_each(|decl| patterns::each_name(&decl.name, &mut add));
        }
        names.into_iter()
    }
}

fn is_strict_word(name: &str) -> bool {
    matches!(name, "eval" | "arguments")
}
