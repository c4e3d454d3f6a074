//! Sources that nest without end cost a diagnostic, not the process.

use std::thread;

use ssbuild_diagnostic::Code;
use ssbuild_script::{DEPTH_LIMIT, Language, Minify, Options, STACK_BYTES, Shake, Source, TypeScript, Wrap, compile};

/// Opening, innermost and closing text of a shape; open and close are repeated.
const SHAPES: [(&str, &str, &str, &str, Language); 32] = [
    ("parentheses", "(", "1", ")", Language::JavaScript),
    ("arrays", "[", "", "]", Language::JavaScript),
    ("objects", "({a:", "1", "})", Language::JavaScript),
    ("calls", "f(", "", ")", Language::JavaScript),
    ("functions", "(function(){", "", "})()", Language::JavaScript),
    ("declared functions", "function f(){", "", "}", Language::JavaScript),
    ("arrows with brackets", "(()=>", "1", ")", Language::JavaScript),
    ("arrows", "a=>", "1", "", Language::JavaScript),
    ("blocks", "{", "", "}", Language::JavaScript),
    ("templates", "`${", "1", "}`", Language::JavaScript),
    ("classes", "(class{m(){", "", "}})", Language::JavaScript),
    ("extended classes", "(class extends ", "null", "{})", Language::JavaScript),
    ("extended mixins", "(class extends f(", "null", "){})", Language::JavaScript),
    ("if", "if(a)", "b", "", Language::JavaScript),
    ("if on lines", "if(a)\n", "b", "", Language::JavaScript),
    ("else if", "if(a){}else ", "b", "", Language::JavaScript),
    ("else if with statements", "if(a)b;else ", "b", "", Language::JavaScript),
    ("loops", "for(;;)while(1)do ", ";", " while(0)", Language::JavaScript),
    ("labels", "a:", "1", "", Language::JavaScript),
    ("unary", "!", "1", "", Language::JavaScript),
    ("typeof", "typeof ", "1", "", Language::JavaScript),
    ("sums", "a+", "1", "", Language::JavaScript),
    ("powers", "a**", "1", "", Language::JavaScript),
    ("conditions", "a?b:", "1", "", Language::JavaScript),
    ("assignments", "a=", "1", "", Language::JavaScript),
    ("members", "", "x", ".y", Language::JavaScript),
    ("call chains", "", "x", ".y()", Language::JavaScript),
    ("optional chains", "", "x", "?.y", Language::JavaScript),
    ("elements", "<a>", "", "</a>", Language::Jsx),
    ("elements with text", "<a>;b,", "", "</a>", Language::Jsx),
    ("type arguments", "A<", "B", ">", Language::TypeScript),
    ("patterns", "[", "a", "]=b", Language::JavaScript),
];

#[test]
fn bombs_end_with_a_module_or_a_diagnostic() {
    for (name, open, middle, close, language) in SHAPES {
        for depth in [100, 1_000, 10_000, 100_000] {
            for (whole, text) in [
                ("closed", format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))),
                ("open", format!("{}{middle}", open.repeat(depth))),
            ] {
                if open.is_empty() && whole == "open" {
                    continue;
                }
                let codes = codes(text, language, Minify::Fast);
                let sound = codes.iter().all(|code| matches!(code, Code::NestedTooDeep | Code::SyntaxError));
                assert!(sound, "{name} {whole} x {depth}: {codes:?}");
                if depth == 100_000 {
                    assert!(!codes.is_empty(), "{name} {whole} x {depth} was compiled");
                }
            }
        }
    }
}

/// What the deepest sources that are let through need of the stack.
#[test]
fn the_stack_holds_what_the_limits_allow() {
    for (name, open, middle, close, language) in SHAPES {
        let mut depths = (0..).map(|halved| (DEPTH_LIMIT as usize * 4) >> halved);
        let held = depths.find(|&depth| {
            let text = format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
            !codes(text, language, Minify::Max).contains(&Code::NestedTooDeep)
        });
        // Nobody extends a class that extends a class that … in one expression.
        let least = if name.starts_with("extended") { 8 } else { 50 };
        assert!(held >= Some(least), "{name}: {held:?}");
    }
}

#[test]
fn long_flat_sources_are_not_deep() {
    let sources = [
        "a.b(c[d], function () { return e + 1; });\n".repeat(30_000),
        "a.b(c[d], function () { return e + 1 })\n".repeat(30_000),
        "x = y\n".repeat(30_000),
        "if (a < b) { c() } else { d() }\n".repeat(30_000),
        format!("x = [{}]", "1 + 2, ".repeat(30_000)),
        format!("x = {{{}}}", "a: b.c.d, ".repeat(30_000)),
        "var a=/[(]/,b='(',c=`(`;// (((\n/* ((( */\n".repeat(10_000),
        "for(i=0;i<n;i++)if(a<b)c=d<e?f:g;\n".repeat(5_000),
        "var f = () => {\n  return { a }\n}\n".repeat(30_000),
        "var a: Map<string, Array<number>> = new Map<string, number[]>();\n".repeat(3_000),
    ];
    for (index, text) in sources.into_iter().enumerate() {
        let language = if index == 9 { Language::TypeScript } else { Language::JavaScript };
        let found = codes(text, language, Minify::Off);
        assert_eq!(found.first(), None, "{index}");
    }
}

fn codes(mut text: String, language: Language, minify: Minify) -> Vec<Code> {
    // One long line would be taken for code that was minified before.
    text.push_str(&"\n".repeat(text.len() / 100));
    let run = move || {
        let options = Options {
            wrap: Wrap::Module,
            minify,
            source_map: true,
            read_actions: true,
            defines: vec![("a.b".to_owned(), "1".to_owned())],
            typescript: TypeScript::default(),
            shake: Shake::No,
            side: ssbuild_script::Side::Browser,
            depth_limit: DEPTH_LIMIT,
        };
        let compiled = compile(Source { path: "bomb.js", text: &text, language }, &options);
        compiled.diagnostics.iter().filter(|found| found.is_error()).map(|found| found.code).collect()
    };
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(run).expect("a thread with a large stack");
    thread.join().expect("compiling does not panic")
}
