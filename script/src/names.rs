use swc_core::atoms::{Atom, atom};
use swc_core::common::{DUMMY_SP, Mark, SyntaxContext};
use swc_core::ecma::ast::{Decl, Ident, ModuleItem, Program, Stmt, VarDeclKind};

/// What tells the names of one program apart: its free names, its own, and those of the function it is put into.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) unresolved_mark: Mark,
    pub(crate) top_mark: Mark,
    /// The context of names that nothing in the program declares.
    pub(crate) free: SyntaxContext,
}

/// The three parameters of a module's function.
#[derive(Debug, Clone)]
pub(crate) struct Parameters {
    pub(crate) module: Ident,
    pub(crate) exports: Ident,
    pub(crate) require: Ident,
}

impl Names {
    pub(crate) fn new() -> Self {
        let unresolved_mark = Mark::new();
        let top_mark = Mark::new();
        Self { unresolved_mark, top_mark, free: SyntaxContext::empty().apply_mark(unresolved_mark) }
    }

    /// Whether an identifier means a global, or one of the names that a CommonJS module is given.
    pub(crate) fn is_free(&self, ident: &Ident) -> bool {
        ident.ctxt == self.free
    }

    /// The parameters for a program. `var exports` at the top level of a CommonJS module *is* the parameter, as it is
    /// in Node; a `const exports`, or any of them in an ES module, is another variable.
    pub(crate) fn parameters(&self, program: &Program, esm: bool) -> Parameters {
        let own = esm || declares_lexically(program);
        let name = |name: Atom| {
            if own {
                Ident::new_private(name, DUMMY_SP)
            } else {
                Ident::new(name, DUMMY_SP, SyntaxContext::empty().apply_mark(self.top_mark))
            }
        };
        Parameters { module: name(atom!("module")), exports: name(atom!("exports")), require: name(atom!("require")) }
    }
}

fn declares_lexically(program: &Program) -> bool {
    let is_parameter = |ident: &Ident| matches!(&*ident.sym, "module" | "exports" | "require");
    let declares = |stmt: &Stmt| match stmt {
        Stmt::Decl(Decl::Class(class)) => is_parameter(&class.ident),
        Stmt::Decl(Decl::Var(var)) if var.kind != VarDeclKind::Var => var.decls.iter().any(|decl| {
            let mut found = false;
            crate::patterns::each_name(&decl.name, &mut |ident| found |= is_parameter(ident));
            found
        }),
        _ => false,
    };
    match program {
        Program::Script(script) => script.body.iter().any(declares),
        Program::Module(module) => module.body.iter().filter_map(ModuleItem::as_stmt).any(declares),
    }
}
