use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ssbuild_diagnostic::{Code, Diagnostic, Place};
use swc_core::common::comments::SingleThreadedComments;
use swc_core::common::{GLOBALS, Globals, Spanned};
use swc_core::ecma::ast::{Id, Module, ModuleItem, Program, Script, Stmt};
use swc_core::ecma::transforms::base::fixer::{fixer, paren_remover};
use swc_core::ecma::transforms::base::hygiene::hygiene;
use swc_core::ecma::transforms::base::resolver;
use swc_core::ecma::transforms::typescript as types;
use swc_core::ecma::visit::VisitMutWith;

use crate::defines::Defines;
use crate::depth::Depth;
use crate::emit::{Layout, Tree};
use crate::esm::Declarations;
use crate::fields::AssignedFields;
use crate::jsx::Jsx;
use crate::names::Names;
use crate::place::Places;
use crate::switches::SwitchScopes;
use crate::walk::Walk;
use crate::{
    CompiledModule, Fields, Joint, Language, Minify, Options, Parts, Shake, Source, Wrap, actions, depth, emit, esm,
    json, mangle, map, minify, parse, shake, syntax, typescript, without, wrap,
};

/// Most findings of a file with errors that are shown.
const FINDINGS_SHOWN: usize = 20;

/// Compiles one source. Whatever the source is, the result is a module or diagnostics; it does not panic.
pub fn compile(source: Source<'_>, options: &Options) -> CompiledModule {
    let outside = CAUGHT.replace(true);
    let compiled = catch_unwind(AssertUnwindSafe(|| stages(source, options)));
    CAUGHT.set(outside);
    let outcome = compiled.unwrap_or_else(|panic| Err(vec![gave_up(source, &*panic)]));
    outcome.unwrap_or_else(|diagnostics| CompiledModule { diagnostics, ..CompiledModule::default() })
}

thread_local! {
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread now would become a diagnostic, so that a panic hook need not print it.
pub fn panics_are_caught() -> bool {
    CAUGHT.get()
}

/// The compiler's table of contents.
fn stages(source: Source<'_>, options: &Options) -> Result<CompiledModule, Vec<Diagnostic>> {
    let places = Places::new(source.path, source.text);
    let depth = depth::check(&places, source.language, options.depth_limit).map_err(|found| vec![found])?;
    if source.language == Language::Json {
        return json::compile(&places, options);
    }
    let stages =
        |options: &Options| GLOBALS.set(&Globals::new(), || script_stages(&places, source.language, depth, options));
    match stages(options)? {
        Some(compiled) => Ok(compiled),
        None => {
            let alone = Options { wrap: Wrap::Module, ..options.clone() };
            Ok(stages(&alone)?.expect("every program can be a module of its own"))
        }
    }
}

/// One way of compiling; nothing when the program turns out not to be one that can be joined with others.
fn script_stages(
    places: &Places<'_>,
    language: Language,
    depth: Depth,
    options: &Options,
) -> Result<Option<CompiledModule>, Vec<Diagnostic>> {
    let jsx = Jsx::of(places.text(), language, &options.typescript.jsx);
    let comments = (options.shake != Shake::No).then(SingleThreadedComments::default);
    let comments = jsx.as_ref().and_then(Jsx::comments).cloned().or(comments);
    let mut program = parse::parse(places, language, comments.as_ref())?;
    let names = Names::new();
    let typed = matches!(language, Language::TypeScript | Language::Tsx);
    program.mutate(resolver(names.unresolved_mark, names.top_mark, typed));
    if places.text().contains("switch") {
        program.visit_mut_with(&mut SwitchScopes);
    }
    let common_types = typed && has_common_types(&program);
    // Before types are gone: decorators may ask for them.
    if places.text().contains('@') && places.text().contains("class") {
        typescript::write_decorators(&mut program, &options.typescript, &names);
    }
    if typed {
        if options.typescript.fields == Fields::Assigned {
            program.visit_mut_with(&mut AssignedFields);
        }
        let config = typescript::config(&options.typescript);
        match &jsx {
            Some(jsx) => jsx.strip_types(&mut program, config, &names),
            None => program.mutate(types::typescript(config, names.unresolved_mark, names.top_mark)),
        }
    }
    let has_jsx = jsx.is_some();
    if let Some(jsx) = jsx {
        jsx.write_calls(&mut program, &names);
    }
    if let Some(mut defines) = Defines::new(&options.defines, places.text(), &names) {
        program.visit_mut_with(&mut defines);
    }

    let actions = options.read_actions.then(|| actions::read(&program, &names, places));

    let esm = is_esm(&program, common_types);
    let left_out = match (&options.shake, &comments) {
        (Shake::Without(without), Some(comments)) => {
            without::leave_out(&mut program, without, &names, places, comments)
        }
        _ => Vec::new(),
    };
    let parts = match (&mut program, &comments) {
        (Program::Module(module), Some(comments)) if esm => shake_stage(module, &options.shake, &names, comments),
        _ => None,
    };
    let parameters = names.parameters(&program, esm);
    let done = minify::is_minified(places.text());
    let wrap = match options.wrap {
        // What stays as it is has names of its own, and swc's compressor sees whole functions only.
        Wrap::Joined if !esm || done || options.minify != Minify::Fast => Wrap::Module,
        wrap => wrap,
    };
    let mut walk = Walk::new(&names, places, parameters, language, options, esm);
    walk.wrap = wrap;
    let (body, declarations) = link(program, &mut walk);
    let actions = actions.map(|(actions, found)| {
        walk.found.extend(found);
        actions
    });
    if walk.found.iter().any(Diagnostic::is_error) {
        walk.found.truncate(FINDINGS_SHOWN);
        return Err(walk.found);
    }

    if walk.is_joined() && (walk.evaluates || walk.with || walk.adopts || walk.awaits.is_some()) {
        return Ok(None);
    }

    let mut script = match wrap {
        Wrap::Module => wrap::wrap(body, &walk.parameters, walk.awaits.is_some()),
        Wrap::Joined | Wrap::Plain => Script { body, ..Script::default() },
    };
    let mut open = None;
    if options.minify == Minify::Off || done {
        // The fixer looks through one pair of brackets, not through several.
        script.visit_mut_with(&mut paren_remover(None));
        if typed || has_jsx || walk.shadowed || walk.imports.are_ambiguous() {
            script.visit_mut_with(&mut hygiene());
        }
    } else {
        // swc's compressor takes functions out of blocks, where they are seen too early, and constants for never written.
        // It also moves writes to globals past code that may read them.
        let is_global = |(name, ctxt): &Id| *ctxt == names.free && !matches!(&**name, "exports" | "module" | "require");
        let careful = depth.is_extreme()
            || walk.guarded
            || walk.evaluates
            || (walk.block_function && !esm)
            || walk.written.iter().any(is_global);
        let level = if careful && options.minify == Minify::Max { Minify::Fast } else { options.minify };
        if !walk.with {
            // Text that is evaluated may write to any name in sight.
            syntax::shorten(&mut script, &names, (!walk.evaluates).then_some(&walk.written));
        }
        if typed && level == Minify::Max {
            // TypeScript's transform marks a namespace and the parameter of its function alike, which the compressor
            // takes for one variable.
            script.visit_mut_with(&mut hygiene());
            script.visit_mut_with(&mut resolver(names.unresolved_mark, names.top_mark, false));
        }
        if walk.is_joined() {
            open = Some(mangle::open(&mut script, &walk.bindings, &walk.parameters.require));
        } else if level == Minify::Fast && !walk.evaluates && !walk.with {
            mangle::mangle(&mut script, wrap);
        } else {
            script = minify::minify(script, level, &names);
        }
    }
    script.visit_mut_with(&mut fixer(None));

    let layout = if options.minify == Minify::Off && !done { Layout::Readable } else { Layout::Dense };
    let tree = match wrap {
        Wrap::Module => Tree::Function(wrap::unwrap(&script)),
        Wrap::Joined | Wrap::Plain => Tree::Statements(&script),
    };
    let emitted = emit::emit(&tree, places.text(), layout, options.source_map);
    let (map, shifts) = options.source_map.then(|| map::chunk(&emitted, places)).unzip();
    let shifts = shifts.unwrap_or_default();
    let joint = open.zip(declarations).map(|(open, declarations)| Joint {
        holes: emitted.holes,
        shifts,
        ..declarations.joint(open, &walk)
    });
    let mut exports = walk.exports.finish();
    for (name, place) in left_out {
        if exports.names.iter().all(|(known, _)| *known != name) {
            exports.names.push((name, place));
        }
    }
    Ok(Some(CompiledModule {
        map,
        joint,
        code: emitted.code,
        esm,
        imports: walk.imports.finish(),
        exports,
        references: walk.references,
        members: walk.members,
        variables: walk.variables,
        evals: walk.evals,
        awaits: walk.awaits,
        wasm: walk.wasm,
        blob_worker: walk.blob_worker,
        globals: walk.globals.finish(),
        actions,
        parts,
        diagnostics: walk.found,
    }))
}

/// Tells a module's parts, or leaves out those that are not needed.
fn shake_stage(module: &mut Module, shake: &Shake, names: &Names, comments: &SingleThreadedComments) -> Option<Parts> {
    match shake {
        Shake::No | Shake::Without(_) => None,
        Shake::Tell => shake::read(module, names, comments),
        Shake::Keep(keep) => {
            if let Some(parts) = shake::read(module, names, comments) {
                shake::shake(module, &parts, keep);
            }
            None
        }
    }
}

/// Writes imports as numbers and an ES module as a function's statements; of one that may be joined with others, its declarations
/// are kept apart.
fn link(program: Program, walk: &mut Walk<'_>) -> (Vec<Stmt>, Option<Declarations>) {
    match program {
        Program::Module(module) if walk.esm && walk.wrap != Wrap::Plain => {
            let (body, mut declarations) = esm::take_declarations(module, walk);
            let (directives, mut body) = wrap::split_directives(body);
            walk.declare_functions(&body);
            for stmt in &mut body {
                walk.wants_this = false;
                stmt.visit_mut_with(walk);
                if walk.is_joined() && !walk.wants_this {
                    declarations.note_plain(stmt);
                }
            }
            declarations.visit_getters(walk);
            if walk.is_joined() {
                declarations.drop_default(&mut body, walk);
                return (body, Some(declarations));
            }
            let mut whole = directives;
            whole.extend(declarations.prelude(walk));
            whole.append(&mut body);
            (whole, None)
        }
        program => {
            let mut body = statements(program, walk);
            walk.read_directives(&body);
            walk.exports.find_aliases(&body);
            walk.declare_functions(&body);
            body.visit_mut_with(walk);
            (body, None)
        }
    }
}

/// The statements of a program that has no `import` and `export`, or must not have them.
fn statements(program: Program, walk: &mut Walk<'_>) -> Vec<Stmt> {
    match program {
        Program::Script(script) => script.body,
        Program::Module(module) => module.body.into_iter().filter_map(|item| statement(item, walk)).collect(),
    }
}

fn statement(item: ModuleItem, walk: &mut Walk<'_>) -> Option<Stmt> {
    match item {
        ModuleItem::Stmt(stmt) => Some(stmt),
        ModuleItem::ModuleDecl(decl) => {
            walk.reject_plain(decl.span());
            None
        }
    }
}

/// Whether a program is an ES module, now that types are gone.
fn is_esm(program: &Program, common_types: bool) -> bool {
    match program {
        Program::Script(_) => false,
        // What the parser calls a module has `import`, `export` or `import.meta`, or waits at its top level.
        Program::Module(module) => !common_types || module.body.iter().any(ModuleItem::is_module_decl),
    }
}

/// Whether a program uses TypeScript's words for CommonJS: `import x = require("x")`, `export = x`, `import a = b.c`.
fn has_common_types(program: &Program) -> bool {
    let is_common = |item: &ModuleItem| {
        let decl = item.as_module_decl();
        decl.is_some_and(|decl| {
            decl.is_ts_import_equals() || decl.is_ts_export_assignment() || decl.is_ts_namespace_export()
        })
    };
    matches!(program, Program::Module(module) if module.body.iter().any(is_common))
}

fn gave_up(source: Source<'_>, panic: &(dyn std::any::Any + Send)) -> Diagnostic {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Diagnostic::new(Code::CompilerPanic, "the JavaScript compiler gave up on this file")
        .at(Place::file(source.path), said.unwrap_or("it did not say why"))
        .help("This is a defect of the compiler, not of the file; report it with the file when you can.")
}
