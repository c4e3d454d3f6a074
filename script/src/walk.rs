//! The one walk over a module's tree that reads what others must know of it and writes its imports as numbers.

mod beside;
mod calls;
mod declared;
mod early;
mod globals;
mod imported;
mod members;
mod refuse;
mod state;
mod words;

use std::mem::take;

use rustc_hash::{FxHashMap, FxHashSet};
use ssbuild_diagnostic::{Code, Diagnostic, Place};
use swc_core::atoms::Atom;
use swc_core::common::Spanned;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{VisitMut, VisitMutWith, noop_visit_mut_type};

use self::declared::Declared;
pub(crate) use self::declared::Kind;
use self::early::{Blocks, is_strict};
use self::globals::Globals;
pub(crate) use self::imported::Binding;
use self::state::{State, field};
use crate::exports::ExportNames;
use crate::imports::Imports;
use crate::names::{Names, Parameters};
use crate::place::Places;
use crate::references::{self, Usage};
use crate::{Doubt, Language, Member, Minify, Options, Reference, Variable, Wrap, quote};

/// What the walk needs to know, and what it finds.
pub(crate) struct Walk<'a> {
    pub(crate) names: &'a Names,
    pub(crate) places: &'a Places<'a>,
    pub(crate) parameters: Parameters,
    pub(crate) language: Language,
    pub(crate) wrap: Wrap,
    pub(crate) minify: Minify,
    pub(crate) esm: bool,
    pub(crate) bindings: FxHashMap<Id, Binding>,
    pub(crate) imports: Imports<'a>,
    pub(crate) exports: ExportNames<'a>,
    pub(crate) references: Vec<Reference>,
    pub(crate) members: Vec<Member>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) evals: Vec<Place>,
    /// Where the module waits first.
    pub(crate) awaits: Option<Place>,
    /// Where WebAssembly is named first.
    pub(crate) wasm: Option<Place>,
    /// Where it starts a worker of a script that may be its own.
    pub(crate) blob_worker: Option<Place>,
    pub(crate) globals: Globals,
    pub(crate) found: Vec<Diagnostic>,
    /// Whether something inside is named like one of the parameters.
    pub(crate) shadowed: bool,
    /// Whether a block declares a function, which sloppy code also sees outside of the block.
    pub(crate) block_function: bool,
    /// Whether a `with` makes names mean what an object says.
    pub(crate) with: bool,
    /// Whether text is evaluated that sees the names around it.
    pub(crate) evaluates: bool,
    /// Why imported names that are used from here on may be missing.
    pub(crate) doubt: Option<Doubt>,
    /// Whether a function outside of all others asked for its `this`.
    pub(crate) wants_this: bool,
    /// Whether an ES module asks for the `module`, `exports` or `require` of the function that it becomes.
    pub(crate) adopts: bool,
    /// What is assigned to, when that matters to the passes after this.
    pub(crate) written: FxHashSet<Id>,
    /// What stands for `namespace.name` of an import.
    member_names: FxHashMap<(usize, Atom), Ident>,
    declared: Declared,
    blocks: Blocks,
    /// Whether a statement would be another one without an operator that does nothing else.
    pub(crate) guarded: bool,
    /// Whether the word `__proto__` is in the source.
    proto: bool,
    state: State,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(
        names: &'a Names,
        places: &'a Places<'a>,
        parameters: Parameters,
        language: Language,
        options: &Options,
        esm: bool,
    ) -> Self {
        Self {
            names,
            places,
            parameters,
            language,
            wrap: options.wrap,
            minify: options.minify,
            esm,
            bindings: FxHashMap::default(),
            imports: Imports::new(places),
            exports: ExportNames::new(names, places),
            references: Vec::new(),
            members: Vec::new(),
            variables: Vec::new(),
            evals: Vec::new(),
            awaits: None,
            wasm: None,
            blob_worker: None,
            globals: Globals::new(options.side),
            found: Vec::new(),
            shadowed: false,
            block_function: false,
            with: false,
            evaluates: false,
            doubt: None,
            wants_this: false,
            adopts: false,
            written: FxHashSet::default(),
            member_names: FxHashMap::default(),
            declared: Declared::default(),
            blocks: Blocks::default(),
            guarded: false,
            proto: memchr::memmem::find(places.text().as_bytes(), b"__proto__").is_some(),
            state: State { strict: esm, ..State::default() },
        }
    }

    fn is_module(&self) -> bool {
        self.wrap != Wrap::Plain
    }

    pub(crate) fn is_joined(&self) -> bool {
        self.wrap == Wrap::Joined
    }
}

impl VisitMut for Walk<'_> {
    noop_visit_mut_type!();

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        let in_chain = take(&mut self.state.in_chain);
        match expr {
            Expr::Ident(name) => {
                self.check_word(name);
                if self.names.is_free(name) {
                    if let Some(file) = self.file_name(name) {
                        *expr = *file;
                        return;
                    }
                    let Expr::Ident(name) = expr else { return };
                    self.free_name(name);
                } else if let Some(binding) = self.binding(expr).cloned() {
                    *expr = *self.imported(&binding, expr, expr.span());
                } else {
                    self.note_shadow(expr);
                }
                return;
            }
            Expr::Member(member) => {
                if let Some(name) = self.joined_member(member) {
                    *expr = name;
                } else if in_chain {
                    self.member(member);
                } else {
                    self.refer(expr, Usage::Read);
                    let Expr::Member(member) = expr else { return };
                    self.member(member);
                }
                return;
            }
            Expr::OptChain(chain) if !in_chain && matches!(&*chain.base, OptChainBase::Member(_)) => {
                self.refer(expr, Usage::Read);
            }
            Expr::Call(call) => {
                if let Callee::Expr(callee) = &call.callee {
                    self.refer_callee(callee);
                }
                if let Some(replaced) = self.call(call) {
                    *expr = *replaced;
                    return;
                }
                if call.callee.is_super_() {
                    self.call_super(call.span);
                }
                self.visit_call(call);
                return;
            }
            Expr::New(new) if self.free_word(&new.callee, "Function") => {
                self.evals.push(self.places.of(new.span));
            }
            Expr::New(new) if self.is_browser() => {
                self.note_blob_worker(new);
                if self.is_module() {
                    self.file_beside(new);
                }
            }
            Expr::This(this) => {
                self.wants_this |= self.state.receivers == 1;
                if self.esm && self.is_module() && self.state.receivers == 0 {
                    *expr = *Expr::undefined(this.span);
                }
                return;
            }
            Expr::MetaProp(meta) => {
                if meta.kind != MetaPropKind::ImportMeta {
                    return;
                }
                if self.is_module() {
                    let require = self.require(meta.span);
                    *expr = *quote::member(&require, &"m".into(), meta.span);
                } else {
                    self.reject_plain(meta.span);
                }
                return;
            }
            Expr::Lit(lit) => {
                if let Lit::Regex(regex) = lit {
                    self.check_regex(regex);
                }
                return;
            }
            Expr::PrivateName(name) => self.lone_private(name.span),
            Expr::Bin(BinExpr { op: BinaryOp::In, left, right, .. }) if left.is_private_name() => {
                left.visit_mut_children_with(self);
                right.visit_mut_with(self);
                return;
            }
            Expr::Await(wait) => self.top_level_await(wait.span),
            Expr::Unary(unary)
                if unary.op == UnaryOp::Delete && self.state.strict && unary.arg.unwrap_parens().is_ident() =>
            {
                self.refuse(
                    unary.span,
                    "a variable cannot be deleted in strict code",
                    "Assign `undefined` to it instead.",
                );
            }
            Expr::Unary(unary) if unary.op == UnaryOp::Minus => quote::move_minus(expr),
            Expr::Unary(unary) if unary.op == UnaryOp::Delete && self.is_joined() => {
                if let Expr::Member(member) = unary.arg.unwrap_parens_mut() {
                    self.member(member);
                    return;
                }
            }
            Expr::Unary(unary) if unary.op == UnaryOp::TypeOf => return self.type_of(unary),
            Expr::Bin(bin) if self.is_module() && compares(bin.op) => {
                for side in [&mut bin.left, &mut bin.right] {
                    let compared = self.exports.is_exports(side) || self.free_word(side, "module");
                    if compared { self.quiet_exports(side) } else { side.visit_mut_with(self) }
                }
                return;
            }
            _ => {}
        }
        expr.visit_mut_children_with(self);
    }

    fn visit_mut_opt_call(&mut self, call: &mut OptCall) {
        self.refer_callee(&call.callee);
        if let Some(binding) = self.binding(&call.callee).cloned() {
            call.callee = self.imported_callee(&binding, &call.callee);
        } else {
            self.state.in_chain = matches!(&*call.callee, Expr::Member(_) | Expr::OptChain(_));
            call.callee.visit_mut_with(self);
            self.state.in_chain = false;
        }
        call.args.visit_mut_with(self);
    }

    fn visit_mut_opt_chain_base(&mut self, base: &mut OptChainBase) {
        match base {
            OptChainBase::Member(member) => self.member(member),
            OptChainBase::Call(call) => call.visit_mut_with(self),
        }
    }

    fn visit_mut_tagged_tpl(&mut self, tagged: &mut TaggedTpl) {
        if let Some(binding) = self.binding(&tagged.tag).cloned() {
            tagged.tag = self.imported_callee(&binding, &tagged.tag);
        } else {
            tagged.tag.visit_mut_with(self);
        }
        tagged.tpl.visit_mut_with(self);
    }

    fn visit_mut_assign_expr(&mut self, assign: &mut AssignExpr) {
        let at_top = self.state.receivers == 0;
        let exports = self.is_module() && self.exports.read_assign(assign, at_top);
        match &mut assign.left {
            AssignTarget::Simple(SimpleAssignTarget::Ident(name)) => {
                self.write(&name.id);
                if self.names.is_free(&name.id) {
                    // `exports = …` changes a variable, not what is exported.
                    self.adopt(&mut name.id);
                }
            }
            AssignTarget::Simple(SimpleAssignTarget::Member(member)) => {
                if exports {
                    self.quiet_exports(&mut member.obj);
                    member.prop.visit_mut_with(self);
                } else {
                    self.member(member);
                }
            }
            left => left.visit_mut_with(self),
        }
        // `e = exports` at the top level was seen as an alias; so was `exports = module.exports = …`.
        if self.is_module() && self.exports.is_exports(&assign.right) && self.is_alias_target(&assign.left) {
            self.quiet_exports(&mut assign.right);
        } else {
            assign.right.visit_mut_with(self);
        }
    }

    fn visit_mut_var_declarator(&mut self, decl: &mut VarDeclarator) {
        self.read_required_names(decl);
        self.variables.extend(references::read_declared(decl, self.names, self.places));
        self.state.declares = true;
        decl.name.visit_mut_with(self);
        self.state.declares = false;
        let Some(init) = &mut decl.init else { return };
        let alias = matches!(&decl.name, Pat::Ident(name) if self.exports.is_exports(&Expr::Ident(name.id.clone())));
        if alias && self.is_module() && self.exports.is_exports(init) {
            self.quiet_exports(init);
        } else {
            init.visit_mut_with(self);
        }
    }

    fn visit_mut_pat(&mut self, pat: &mut Pat) {
        match pat {
            Pat::Ident(name) if !self.state.declares => self.write(&name.id),
            Pat::Expr(target) if self.is_joined() => {
                if let Expr::Member(member) = &mut **target {
                    return self.member(member);
                }
            }
            _ => {}
        }
        pat.visit_mut_children_with(self);
    }

    fn visit_mut_object_pat_prop(&mut self, prop: &mut ObjectPatProp) {
        if let ObjectPatProp::Assign(name) = prop
            && !self.state.declares
        {
            self.write(&name.key.id);
        }
        prop.visit_mut_children_with(self);
    }

    fn visit_mut_update_expr(&mut self, update: &mut UpdateExpr) {
        match &mut *update.arg {
            Expr::Ident(name) => self.write(name),
            Expr::Member(member) if self.is_joined() => return self.member(member),
            _ => {}
        }
        update.visit_mut_children_with(self);
    }

    fn visit_mut_prop(&mut self, prop: &mut Prop) {
        if let Prop::Assign(assign) = prop {
            self.default_in_object(assign.span);
        }
        if let Prop::Shorthand(name) = prop {
            let key = PropName::Ident(IdentName::new(name.sym.clone(), name.span));
            if let Some(value) = self.shorthand(name) {
                *prop = Prop::KeyValue(KeyValueProp { key, value });
            }
            return;
        }
        prop.visit_mut_children_with(self);
    }

    fn visit_mut_ident(&mut self, name: &mut Ident) {
        self.check_word(name);
        if matches!(&*name.sym, "require" | "exports" | "module") && !self.names.is_free(name) {
            self.shadowed |= name.ctxt != self.parameters.require.ctxt;
        }
    }

    fn visit_mut_var_decl(&mut self, decl: &mut VarDecl) {
        self.declare_variables(decl);
        decl.visit_mut_children_with(self);
    }

    fn visit_mut_class_decl(&mut self, decl: &mut ClassDecl) {
        self.declare(&decl.ident, Kind::Once);
        decl.visit_mut_children_with(self);
    }

    fn visit_mut_class(&mut self, class: &mut Class) {
        self.enter_class(class);
        let strict = std::mem::replace(&mut self.state.strict, true);
        class.visit_mut_children_with(self);
        self.state.strict = strict;
        self.leave_class();
    }

    fn visit_mut_fn_decl(&mut self, decl: &mut FnDecl) {
        self.check_function_name(&decl.ident, &decl.function);
        decl.visit_mut_children_with(self);
    }

    fn visit_mut_fn_expr(&mut self, expr: &mut FnExpr) {
        if let Some(name) = &expr.ident {
            self.check_function_name(name, &expr.function);
        }
        expr.visit_mut_children_with(self);
    }

    fn visit_mut_method_prop(&mut self, method: &mut MethodProp) {
        method.key.visit_mut_with(self);
        self.state.method = true;
        method.function.visit_mut_with(self);
        self.state.method = false;
    }

    fn visit_mut_object_lit(&mut self, object: &mut ObjectLit) {
        if self.proto {
            self.check_proto(object);
        }
        object.visit_mut_children_with(self);
    }

    fn visit_mut_stmt(&mut self, stmt: &mut Stmt) {
        if !self.state.strict {
            self.check_body(stmt);
        }
        stmt.visit_mut_children_with(self);
    }

    fn visit_mut_switch_stmt(&mut self, switch: &mut SwitchStmt) {
        switch.discriminant.visit_mut_with(self);
        self.enter_block(switch.cases.iter().flat_map(|case| &case.cons));
        switch.cases.visit_mut_with(self);
        self.leave_block();
    }

    fn visit_mut_for_stmt(&mut self, stmt: &mut ForStmt) {
        self.enter_head(stmt.init.as_ref().and_then(VarDeclOrExpr::as_var_decl).map(|var| &**var));
        stmt.visit_mut_children_with(self);
        self.leave_block();
    }

    fn visit_mut_for_in_stmt(&mut self, stmt: &mut ForInStmt) {
        self.enter_head(stmt.left.as_var_decl().map(|var| &**var));
        stmt.visit_mut_children_with(self);
        self.leave_block();
    }

    fn visit_mut_catch_clause(&mut self, clause: &mut CatchClause) {
        self.enter_catch(clause);
        clause.visit_mut_children_with(self);
        self.leave_block();
    }

    fn visit_mut_private_name(&mut self, name: &mut PrivateName) {
        self.use_private(name);
    }

    fn visit_mut_function_body(&mut self, body: &mut FunctionBody) {
        self.declare_functions(&body.stmts);
        body.visit_mut_children_with(self);
    }

    fn visit_mut_function(&mut self, function: &mut Function) {
        function.params.iter().for_each(|param| self.declare_parameter(&param.pat));
        let method = self.state.method;
        self.function(true, |walk| {
            walk.state.strict |= function.body.as_ref().is_some_and(|body| is_strict(&body.stmts));
            walk.check_parameters(function.params.iter().map(|param| &param.pat), method || walk.state.strict);
            function.visit_mut_children_with(walk);
        });
    }

    fn visit_mut_constructor(&mut self, constructor: &mut Constructor) {
        for param in &constructor.params {
            if let ParamOrTsParamProp::Param(param) = param {
                self.declare_parameter(&param.pat);
            }
        }
        let derived = self.is_derived();
        self.function(true, |walk| {
            walk.state.constructs = derived;
            let params = constructor.params.iter().filter_map(ParamOrTsParamProp::as_param);
            walk.check_parameters(params.map(|param| &param.pat), true);
            constructor.visit_mut_children_with(walk);
        });
    }

    fn visit_mut_arrow_expr(&mut self, arrow: &mut ArrowExpr) {
        arrow.params.iter().for_each(|pat| self.declare_parameter(pat));
        self.function(false, |walk| {
            walk.state.strict |=
                matches!(&*arrow.body, ArrowFunctionBody::FunctionBody(body) if is_strict(&body.stmts));
            walk.check_parameters(arrow.params.iter(), true);
            arrow.visit_mut_children_with(walk);
        });
    }

    fn visit_mut_class_prop(&mut self, prop: &mut ClassProp) {
        prop.key.visit_mut_with(self);
        let deferred = u32::from(!prop.is_static);
        self.inside(|state| field(state, deferred), |walk| prop.value.visit_mut_with(walk));
    }

    fn visit_mut_private_prop(&mut self, prop: &mut PrivateProp) {
        let deferred = u32::from(!prop.is_static);
        self.inside(|state| field(state, deferred), |walk| prop.value.visit_mut_with(walk));
    }

    fn visit_mut_auto_accessor(&mut self, accessor: &mut AutoAccessor) {
        accessor.key.visit_mut_with(self);
        let deferred = u32::from(!accessor.is_static);
        self.inside(|state| field(state, deferred), |walk| accessor.value.visit_mut_with(walk));
    }

    fn visit_mut_static_block(&mut self, block: &mut StaticBlock) {
        self.inside(|state| field(state, 0), |walk| block.visit_mut_children_with(walk));
    }

    fn visit_mut_expr_stmt(&mut self, stmt: &mut ExprStmt) {
        // Without the brackets, which do not survive, the text would be a directive.
        if let Expr::Paren(paren) = &*stmt.expr
            && matches!(paren.expr.unwrap_parens(), Expr::Lit(Lit::Str(_)))
        {
            stmt.expr = Expr::undefined(stmt.span);
        }
        if self.begins_like_let(&stmt.expr) {
            let arg = std::mem::replace(&mut stmt.expr, Expr::undefined(stmt.span));
            self.guarded = true;
            *stmt.expr = Expr::Unary(UnaryExpr { span: stmt.span, op: UnaryOp::Void, arg });
        }
        stmt.visit_mut_children_with(self);
    }

    fn visit_mut_block_stmt(&mut self, block: &mut BlockStmt) {
        self.block_function |= block.stmts.iter().any(|stmt| matches!(stmt, Stmt::Decl(Decl::Fn(_))));
        self.enter_block(block.stmts.iter());
        block.visit_mut_children_with(self);
        self.leave_block();
    }

    fn visit_mut_try_stmt(&mut self, stmt: &mut TryStmt) {
        let outside = self.state;
        self.state.tried |= stmt.handler.is_some();
        stmt.block.visit_mut_with(self);
        self.state = outside;
        stmt.handler.visit_mut_with(self);
        stmt.finalizer.visit_mut_with(self);
    }

    fn visit_mut_with_stmt(&mut self, stmt: &mut WithStmt) {
        self.with = true;
        stmt.visit_mut_children_with(self);
    }

    fn visit_mut_for_of_stmt(&mut self, stmt: &mut ForOfStmt) {
        if stmt.is_await {
            self.top_level_await(stmt.span);
        }
        self.enter_head(stmt.left.as_var_decl().map(|var| &**var));
        stmt.visit_mut_children_with(self);
        self.leave_block();
    }

    fn visit_mut_using_decl(&mut self, decl: &mut UsingDecl) {
        if decl.is_await {
            self.top_level_await(decl.span);
        }
        decl.visit_mut_children_with(self);
    }

    fn visit_mut_decorator(&mut self, decorator: &mut Decorator) {
        self.found.push(
            Diagnostic::new(Code::SyntaxError, "decorators are not compiled")
                .at(self.places.of(decorator.span), "a decorator")
                .help("Call the decorator as a function on the class instead."),
        );
        decorator.visit_mut_children_with(self);
    }
}

/// Whether types are written in it.
pub(crate) fn typed(language: Language) -> bool {
    matches!(language, Language::TypeScript | Language::Tsx)
}

fn compares(op: BinaryOp) -> bool {
    use BinaryOp::{EqEq, EqEqEq, In, InstanceOf, NotEq, NotEqEq};
    matches!(op, EqEq | EqEqEq | NotEq | NotEqEq | In | InstanceOf)
}
