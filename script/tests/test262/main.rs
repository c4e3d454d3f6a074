//! The syntax cases of test262: what must parse is compiled in every way to code that an engine parses, what must fail gives a
//! diagnostic. Exceptions are listed with their reason.

mod exceptions;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::{env, fs};

use ssbuild_script::{Language, Minify, Options, Shake, Source, TypeScript, Wrap, compile};

fn folder(name: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/npm/node_modules/test262-parser-tests");
    assert!(root.is_dir(), "tests/npm/node_modules is missing: scripts/setup-tests.sh installs it");
    let mut files: Vec<PathBuf> =
        fs::read_dir(root.join(name)).expect("a folder of cases").map(|entry| entry.expect("a case").path()).collect();
    files.sort();
    let file = |path: PathBuf| {
        let text = String::from_utf8(fs::read(&path).expect("a case")).expect("UTF-8");
        (path.file_name().expect("a name").to_str().expect("UTF-8").to_owned(), text)
    };
    files.into_iter().map(file).collect()
}

/// Cases of modules are compiled as such whatever is in them.
fn path(name: &str) -> String {
    match name.strip_suffix(".module.js") {
        Some(name) => format!("{name}.mjs"),
        None => name.to_owned(),
    }
}

fn compiled(name: &str, text: &str, minify: Minify) -> (ssbuild_script::CompiledModule, Vec<String>) {
    let options = Options {
        wrap: Wrap::Module,
        side: ssbuild_script::Side::Browser,
        minify,
        source_map: false,
        read_actions: false,
        defines: Vec::new(),
        typescript: TypeScript::default(),
        shake: Shake::No,
        depth_limit: 500,
    };
    let compiled = compile(Source { path: &path(name), text, language: Language::JavaScript }, &options);
    let errors = compiled.diagnostics.iter().filter(|found| found.is_error()).map(|found| found.message.clone());
    let errors = errors.collect();
    (compiled, errors)
}

/// Names of those that are not as they should be, less the exceptions; an exception that is none any more counts, too.
fn surprises(wrong: &[(String, String)], exceptions: &[(&str, &[&str])]) -> String {
    let known: BTreeSet<&str> = exceptions.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let seen: BTreeSet<&str> = wrong.iter().map(|(name, _)| name.as_str()).collect();
    let new = wrong.iter().filter(|(name, _)| !known.contains(name.as_str()));
    let new = new.map(|(name, why)| format!("{name}: {why}\n")).collect::<String>();
    new + &known.difference(&seen).map(|name| format!("{name} is no exception any more\n")).collect::<String>()
}

#[test]
fn what_must_parse_is_compiled_to_code_that_parses() {
    let mut wrong = Vec::new();
    let mut codes = Vec::new();
    for folder_name in ["pass", "pass-explicit"] {
        let cases = folder(folder_name);
        assert!(cases.len() > 1500, "{} cases", cases.len());
        for (name, text) in cases {
            for minify in [Minify::Off, Minify::Fast, Minify::Max] {
                let (compiled, errors) = compiled(&name, &text, minify);
                if let Some(error) = errors.first() {
                    wrong.push((name.clone(), format!("{minify:?}: {error}")));
                    break;
                }
                codes.push((format!("{folder_name}/{name} {minify:?}"), compiled.esm, compiled.code));
            }
        }
    }
    let surprises = surprises(&wrong, exceptions::REFUSED);
    assert!(surprises.is_empty(), "must be accepted:\n{surprises}");
    let surprises = surprises_of_code(&unparsed(&codes));
    assert!(surprises.is_empty(), "what came out does not parse:\n{surprises}");
}

#[test]
fn what_must_fail_gives_a_diagnostic() {
    let mut wrong = Vec::new();
    for folder_name in ["fail", "early"] {
        let cases = folder(folder_name);
        assert!(cases.len() > 500, "{} cases", cases.len());
        for (name, text) in cases {
            let (_, errors) = compiled(&name, &text, Minify::Off);
            if errors.is_empty() {
                wrong.push((name, format!("{folder_name}: {text:?}")));
            }
        }
    }
    let surprises = surprises(&wrong, exceptions::ACCEPTED);
    assert!(surprises.is_empty(), "must be refused:\n{surprises}");
}

/// Lines that start with `folder/name mode: `.
fn surprises_of_code(said: &str) -> String {
    let name = |line: &str| Some(line.split_once('/')?.1.split_once(' ')?.0.to_owned());
    let wrong: Vec<(String, String)> = said.lines().filter_map(|line| Some((name(line)?, line.to_owned()))).collect();
    surprises(&wrong, exceptions::BROKEN)
}

/// What an engine says of codes that it cannot parse.
fn unparsed(codes: &[(String, bool, String)]) -> String {
    let file = env::temp_dir().join(format!("ssbuild-test262-{}.json", process::id()));
    fs::write(&file, serde_json::to_string(codes).expect("text is JSON")).expect("a temporary file");
    let check = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/test262/check.js");
    let output = Command::new("node").arg(check).arg(&file).output().expect("`node` must be installed");
    fs::remove_file(&file).expect("the temporary file");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
