//! Sheets that abort the compilers, never end, or eat all memory: each costs a diagnostic, and the pool lives on.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use ssbuild::style::{Sheet, StyleError, StyleForm, StyleLimits, Styles, WorkerCommand};
use ssbuild_diagnostic::Code;

use crate::styles::{Folder, STYLES, options};

/// The codes of what a sheet gives; also says that a harmless sheet compiles behind it.
fn codes(styles: &Styles, path: &str, text: &str) -> Vec<Code> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/styles/snapshots");
    let compile = |path: &str, text: String| {
        let sheet = Sheet { path: path.to_owned(), text, made: None };
        styles.compile(&sheet, &options(&root, StyleForm::Minified), &Folder(root.clone())).expect("the worker runs")
    };
    let output = compile(path, text.to_owned());
    assert!(output.diagnostics.is_empty() || output.css.is_empty() || !output.diagnostics[0].is_error());
    for diagnostic in &output.diagnostics {
        assert_eq!(diagnostic.labels[0].place.file, path, "it names the file");
    }
    let next = compile("app/css/next.scss", "a { b { color: red } }".to_owned());
    assert_eq!(next.css, "a b{color:red}", "the pool lives on");
    output.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn what_is_nested_too_deep_is_not_compiled() {
    let nested = |open: &str, close: &str, n| format!("{}{}", open.repeat(n), close.repeat(n));
    for (path, text) in [
        ("app/css/a.css", format!("{}a{}{{color:red}}", ":is(".repeat(2_000), ")".repeat(2_000))),
        ("app/css/a.css", nested("@media screen{", "}", 5_000)),
        ("app/css/a.css", nested("a{", "}", 5_000)),
        ("app/css/a.scss", nested("a{", "}", 5_000)),
        ("app/css/a.scss", format!("a{{b:{}1{}}}", "(".repeat(20_000), ")".repeat(20_000))),
        ("app/css/a.css", "[".repeat(100_000)),
    ] {
        assert_eq!(codes(&STYLES, path, &text), [Code::NestedTooDeep], "{}", &text[..20]);
    }
}

#[test]
fn what_the_depth_limit_lets_pass_compiles() {
    // As deep as it goes, in shapes that take much stack.
    let n = 95;
    for (path, text) in [
        ("app/css/a.css", format!("{}a{}{{color:red}}", ":is(".repeat(n), ")".repeat(n))),
        ("app/css/a.css", format!("{}a{{color:red}}{}", "@media screen{".repeat(n), "}".repeat(n))),
        ("app/css/a.css", format!("{}color:red{}", "a{".repeat(n), "}".repeat(n))),
        ("app/css/a.scss", format!("a{{b:{}1{}}}", "(".repeat(n), ")".repeat(n))),
        ("app/css/a.scss", format!("{}color:red{}", "a{".repeat(n), "}".repeat(n))),
    ] {
        assert_eq!(codes(&STYLES, path, &text), [], "{}", &text[..20]);
    }
}

#[test]
fn a_panic_of_a_compiler_is_told() {
    for text in ["a{opacity: sign(-50%)}", "a{color: hsl(0 abs(-50%) 0%)}"] {
        assert_eq!(codes(&STYLES, "app/css/a.css", text), [Code::CompilerPanic], "{text}");
    }
}

#[test]
fn what_does_not_end_is_ended() {
    let colours = format!("a{{color:{}", "light-dark(".repeat(90));
    let sheets = [
        ("app/css/a.scss", "@while true {}".to_owned(), Code::StyleLimit),
        ("app/css/a.scss", "@function f($n) { @return f($n + 1) } a { b: f(1) }".to_owned(), Code::StyleLimit),
        ("app/css/a.scss", "@mixin m { @include m } a { @include m }".to_owned(), Code::StyleLimit),
        ("app/css/a.scss", "$a: 'x'; @while true { $a: $a + $a }".to_owned(), Code::StyleLimit),
        ("app/css/a.css", colours, Code::StyleLimit),
        ("app/css/a.css", format!("{}color:red{}", "a,b,c{".repeat(40), "}".repeat(40)), Code::StyleLimit),
        ("app/css/a.scss", format!("{}color:red{}", "a,b,c{".repeat(40), "}".repeat(40)), Code::StyleLimit),
        ("app/css/a.scss", "@for $i from 1 through 3000000 { .a { b: url(x.png) } }".to_owned(), Code::StyleLimit),
    ];
    // At the same time, since each takes its whole deadline; with less memory, since each takes all it is given.
    let limits = StyleLimits { memory_bytes: 128 * 1024 * 1024, ..StyleLimits::default() };
    let styles = &Styles::new(WorkerCommand::of(env!("CARGO_BIN_EXE_ssbuild")), limits);
    thread::scope(|scope| {
        for (path, text, code) in &sheets {
            scope.spawn(move || assert_eq!(codes(styles, path, text), [*code], "{text:.40}"));
        }
    });
}

#[test]
fn no_worker_outlives_its_parent() {
    let mut worker = Command::new(env!("CARGO_BIN_EXE_ssbuild"))
        .arg(WorkerCommand::SUBCOMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    // As `message.rs` has it. The sheet never ends.
    let compile = r#"{"Compile":{"sheet":{"path":"a.scss","text":"@while true {}","made":null},"options":{"root":"/","form":"Minified","targets":{},"names":"Global","maps":"Off"}}}"#;
    let mut stdin = worker.stdin.take().expect("piped");
    writeln!(stdin, "{{\"Start\":{{\"memory_bytes\":1073741824}}}}\n{compile}").expect("it listens");
    // What the parent's death does.
    drop(stdin);
    assert!(worker.wait().expect("it ends").success());
}

#[test]
fn a_worker_that_cannot_be_started_is_the_machines_fault() {
    let sheet = Sheet { path: "app/css/a.css".to_owned(), text: "a{b:c}".to_owned(), made: None };
    let compile = |program: &str, args: &[&str]| {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let command = WorkerCommand { program: program.into(), args };
        let styles = Styles::new(command, StyleLimits::default());
        styles.compile(&sheet, &options(Path::new("/"), StyleForm::Kept), &Folder("/".into()))
    };
    let missing = compile("/no/such/program", &[]).expect_err("nothing to start");
    assert!(matches!(missing, StyleError::Start { .. }), "{missing}");
    let other = compile("/bin/sh", &["-c", "echo no >&2; exit 3"]).expect_err("another program");
    assert!(matches!(other, StyleError::Broken { .. }), "{other}");
    let babble = compile("/bin/sh", &["-c", "read line; echo hello; read line"]).expect_err("another language");
    assert!(babble.to_string().contains("hello"), "{babble}");
}

#[test]
fn many_threads_share_the_pool() {
    thread::scope(|scope| {
        for n in 0..8 {
            scope.spawn(move || {
                assert_eq!(codes(&STYLES, &format!("app/css/{n}.scss"), &format!("a {{ b {{ c: {n} }} }}")), []);
            });
        }
    });
}
