//! Runs compiled modules. Each file in `cases/` holds small modules that log; they are compiled in every way, linked by a
//! tiny loader that keeps the rules of the bundle format, and must log what the sources log when Node itself runs them,
//! or what the case expects where Node has no answer (TypeScript, JSX, mixed modules).

mod case;
mod node;

use std::collections::BTreeMap;
use std::fmt::Write;

use case::Case;
use ssbuild_script::{CompiledModule, ImportKind, Minify, Options, Shake, Source, TypeScript, Wrap, compile};

#[test]
fn compiled_modules_do_what_their_sources_do() {
    let cases = case::read_all();
    assert!(cases.len() >= 80, "only {} cases", cases.len());
    let expected = node::run_sources(&cases);
    let mut script = String::new();
    let mut failures = String::new();
    for case in &cases {
        for (mode, minify) in case.modes() {
            match bundle(case, minify) {
                Ok(bundle) => writeln!(script, "await run({:?}, {bundle});", format!("{} {mode}", case.name)).unwrap(),
                Err(error) => writeln!(failures, "{} {mode}: {error}", case.name).unwrap(),
            }
        }
    }
    let logs = node::run_script(&script);
    for case in &cases {
        let Some(expected) = expected.get(&case.name) else {
            writeln!(failures, "{}: Node did not run its sources", case.name).unwrap();
            continue;
        };
        for (mode, _) in case.modes() {
            let name = format!("{} {mode}", case.name);
            let got = logs.get(&name).map_or("(nothing was run)", String::as_str);
            if got != expected {
                writeln!(failures, "{name}\n  expected:\n{}  got:\n{}", indent(expected), indent(got)).unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

impl Case {
    /// The ways to compile it. swc's compressor takes it that nobody reads a variable too early, and says so.
    fn modes(&self) -> impl Iterator<Item = (&'static str, Minify)> {
        let modes = [("off", Minify::Off), ("fast", Minify::Fast), ("max", Minify::Max)];
        let skips_max = self.name.ends_with("(not max)");
        modes.into_iter().filter(move |(_, minify)| !skips_max || *minify != Minify::Max)
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// The modules of a case as an object for the loader.
fn bundle(case: &Case, minify: Minify) -> Result<String, String> {
    let ids: BTreeMap<&str, usize> =
        case.modules.iter().enumerate().map(|(id, module)| (module.name.as_str(), id)).collect();
    let mut bundle = String::from("{\n");
    for (id, module) in case.modules.iter().enumerate() {
        let compiled = compile_module(case, &module.name, &module.text, minify)?;
        let dependencies: Vec<String> =
            compiled.imports.iter().map(|import| link(&ids, &import.specifier, import.kind)).collect();
        let code = if compiled.esm {
            format!("(function(){{\"use strict\";return {}}})()", compiled.code)
        } else {
            compiled.code
        };
        writeln!(bundle, "{id}: [{code},\n[{}], {}],", dependencies.join(", "), compiled.esm).unwrap();
    }
    bundle.push('}');
    Ok(bundle)
}

fn link(ids: &BTreeMap<&str, usize>, specifier: &str, kind: ImportKind) -> String {
    let id = ids.get(specifier.trim_start_matches("./"));
    match (id, kind) {
        (Some(id), ImportKind::Dynamic) => format!("[\"c0\", {id}]"),
        (Some(id), _) => id.to_string(),
        (None, _) => format!("{specifier:?}"),
    }
}

fn compile_module(case: &Case, name: &str, text: &str, minify: Minify) -> Result<CompiledModule, String> {
    let options = Options {
        wrap: Wrap::Module,
        minify,
        source_map: true,
        read_actions: false,
        defines: vec![("process.env.NODE_ENV".to_owned(), "\"production\"".to_owned())],
        typescript: TypeScript::default(),
        shake: Shake::No,
        side: ssbuild_script::Side::Browser,
        depth_limit: 1000,
    };
    let compiled = compile(Source { path: name, text, language: case::language(name) }, &options);
    let errors: String =
        compiled.diagnostics.iter().filter(|found| found.is_error()).map(|found| found.to_text(false)).collect();
    if errors.is_empty() { Ok(compiled) } else { Err(format!("{}: {name}: {errors}", case.name)) }
}
