//! Texts that nobody would write: whatever a source is, compiling it gives a module or diagnostics, and what it gives as
//! code is code.

use std::cell::RefCell;
use std::path::Path;
use std::process::{self, Command};
use std::{env, fs};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use ssbuild_diagnostic::Code;
use ssbuild_script::{Language, Minify, Options, Shake, Source, TypeScript, Wrap, compile};

/// One change of a text: where (in thousandths), what is put there, how many bytes it replaces.
type Change = (u16, usize, u8);

const TOKENS: &[&str] = &[
    "",
    " ",
    "\n",
    ";",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ".",
    "=",
    "=>",
    "?",
    ":",
    "?.",
    "...",
    "`",
    "${",
    "'",
    "\"",
    "/",
    "*",
    "/*",
    "//",
    "\\",
    "#",
    "@",
    "<",
    ">",
    "</",
    "!",
    "+",
    "--",
    "**",
    "0",
    "1n",
    "0x",
    "a",
    "_",
    "é",
    "\u{1F600}",
    "\u{2028}",
    "\0",
    "async ",
    "await ",
    "yield ",
    "let ",
    "const ",
    "var ",
    "class ",
    "function ",
    "return ",
    "new ",
    "import ",
    "export ",
    "default ",
    "from ",
    "of ",
    "in ",
    "get ",
    "set ",
    "static ",
    "super",
    "this",
    "null",
    "eval",
    "arguments",
    "exports",
    "module",
    "require",
    "typeof ",
    "delete ",
    "void ",
    "if ",
    "else ",
    "for ",
    "while ",
    "do ",
    "switch ",
    "case ",
    "break ",
    "continue ",
    "try ",
    "catch ",
    "finally ",
    "throw ",
    "with ",
    "enum ",
    "interface ",
    "type ",
    "as ",
    "declare ",
    "namespace ",
    "abstract ",
    "SS.server.a",
    "exports.actions = ",
    "import.meta",
    "new.target",
];

fn sources() -> Vec<(Language, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/run/cases");
    let mut files: Vec<_> = fs::read_dir(folder).expect("the cases").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().map(|file| fs::read_to_string(file).expect("a case"));
    let modules = texts.flat_map(|text| text.split("//// ").skip(1).map(str::to_owned).collect::<Vec<_>>());
    let sources = modules.filter_map(|module| {
        let (name, text) = module.split_once('\n')?;
        let language = match name.trim().rsplit_once('.')?.1 {
            "ts" => Language::TypeScript,
            "tsx" => Language::Tsx,
            "json" => Language::Json,
            _ => Language::JavaScript,
        };
        Some((language, text.split("#### ").next()?.to_owned()))
    });
    sources.collect()
}

fn mutate(text: &str, changes: &[Change]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (place, token, removed) in changes {
        let at = bytes.len() * usize::from(*place % 1000) / 1000;
        let end = (at + usize::from(*removed)).min(bytes.len());
        bytes.splice(at..end, TOKENS[token % TOKENS.len()].bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn options(minify: Minify) -> Options {
    Options {
        wrap: Wrap::Module,
        minify,
        source_map: true,
        read_actions: true,
        defines: vec![("process.env.NODE_ENV".to_owned(), "'production'".to_owned())],
        typescript: TypeScript::default(),
        shake: Shake::No,
        side: ssbuild_script::Side::Browser,
        depth_limit: 300,
    }
}

/// A runner whose cases are the same every time.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// A program that was compiled: its source, the mode, whether it is strict, its code.
type Program = (String, String, bool, String);

#[test]
fn changed_sources_are_compiled_or_refused() {
    let sources = sources();
    let programs = RefCell::new(Vec::new());
    let cases = (0..sources.len(), vec((0_u16..1000, 0..TOKENS.len(), 0_u8..4), 1..3));
    let outcome = runner(1_500).run(&cases, |(index, changes)| {
        let (language, text) = &sources[index];
        let text = mutate(text, &changes);
        for minify in [Minify::Off, Minify::Fast, Minify::Max] {
            let module = compile(Source { path: "changed.js", text: &text, language: *language }, &options(minify));
            let panic = module.diagnostics.iter().find(|found| found.code == Code::CompilerPanic);
            prop_assert!(panic.is_none_or(|found| is_check(&found.labels[0].text)), "{minify:?} {panic:?}\n{text}");
            let errors = module.diagnostics.iter().any(|found| found.is_error());
            prop_assert!(errors == module.code.is_empty(), "{minify:?}\n{text}");
            if errors {
                break;
            }
            programs.borrow_mut().push((text.clone(), format!("{minify:?}"), module.esm, module.code));
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    let programs = programs.into_inner();
    assert!(programs.len() > 300, "{} of the changed sources are programs", programs.len());
    check_syntax(&programs);
}

#[test]
fn any_bytes_are_compiled_or_refused() {
    let outcome = runner(500).run(&vec(any::<u8>(), 0..200), |bytes| {
        let text = String::from_utf8_lossy(&bytes);
        for language in [Language::JavaScript, Language::Tsx, Language::TypeScript, Language::Json] {
            let module = compile(Source { path: "bytes.js", text: &text, language }, &options(Minify::Fast));
            let panic = module.diagnostics.iter().find(|found| found.code == Code::CompilerPanic);
            prop_assert!(panic.is_none_or(|found| is_check(&found.labels[0].text)), "{panic:?}\n{text:?}");
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Checks of itself that the parser makes in debug builds only, some of which fail where it goes on soundly.
fn is_check(text: &str) -> bool {
    text.starts_with("assertion") || text.starts_with("parser should not call")
}

fn check_syntax(programs: &[Program]) {
    let file = env::temp_dir().join(format!("ssbuild-script-mutations-{}.json", process::id()));
    fs::write(&file, serde_json::to_string(programs).expect("text is JSON")).expect("a temporary file");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mutations/check.js");
    let output = Command::new("node").arg(script).arg(&file).output();
    let _ = fs::remove_file(&file);
    let output = output.expect("these tests check compiled code with `node`, which must be installed");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
