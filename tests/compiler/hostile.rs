//! Sources made to harm: nested without end, or naming what is none of their business. Each costs a diagnostic that names the file.

use std::{
    fs,
    io::Read,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use crate::app::{App, PROGRAM};

/// A source that nests: its file, what it begins with, what is repeated, what is in the middle, what is repeated behind that, and
/// its end.
type Shape = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

const SHAPES: &[Shape] = &[
    ("app/client/parentheses.js", "x = ", "(", "1", ")", ";"),
    ("app/client/arrays.js", "x = ", "[", "", "]", ";"),
    ("app/client/objects.js", "x = ", "{a:", "1", "}", ";"),
    ("app/client/functions.js", "", "function f(){", "", "}", ""),
    ("app/client/arrows.js", "x = ", "()=>", "1", "", ";"),
    ("app/client/ifs.js", "", "if(x)", "x()", "", ";"),
    ("app/client/blocks.js", "", "{", "", "}", ""),
    ("app/client/unary.js", "x = ", "!", "1", "", ";"),
    ("app/client/sums.js", "x = 1", "+1", "", "", ";"),
    ("app/client/templates.js", "x = ", "`${", "1", "}`", ";"),
    ("app/client/ternaries.js", "x = ", "1?1:", "1", "", ";"),
    ("app/client/members.js", "x = a", ".b", "", "", ";"),
    ("app/client/calls.js", "x = a", "()", "", "", ";"),
    ("app/client/classes.js", "x = ", "class extends ", "null", " {}", ";"),
    ("app/client/jsx.jsx", "x = ", "<a>", "", "</a>", ";"),
    ("app/client/types.ts", "let x: ", "Array<", "1", ">", ";"),
    ("app/client/rules.module.css", "", "a{", "b:c", "}", ""),
    ("app/client/is.module.css", "", ":is(", "a", ")", "{b:c}"),
    ("app/client/media.module.css", "", "@media screen{", "a{b:c}", "}", ""),
    ("app/client/calc.module.css", "a{width:", "calc(", "1px", ")", "}"),
    ("app/client/brackets.module.css", "", "[", "a", "]", "{b:c}"),
    ("app/client/rules.module.scss", "", "a{", "b:c", "}", ""),
    ("app/client/groups.module.scss", "a{b:", "(", "1", ")", "}"),
    ("app/client/ifs.module.scss", "", "@if true {", "a{b:c}", "}", ""),
    ("app/client/maps.module.scss", "$x: ", "(a:", "1", ")", ";"),
    ("app/client/colours.module.css", "a{color:", "light-dark(", "red", ",red)", "}"),
    ("app/client/open.module.css", "a{color:", "color-mix(in srgb,", "red", "", ""),
    ("app/views/page-parentheses.jinja", "{{ SocketStream }}{{ ", "(", "1", ")", " }}"),
    ("app/views/page-ifs.jinja", "{{ SocketStream }}", "{% if true %}", "", "{% endif %}", ""),
    ("app/views/page-lists.jinja", "{{ SocketStream }}{{ ", "[", "1", "]", " }}"),
    ("app/views/page-tags.html", "<SocketStream>", "<a>", "", "</a>", ""),
];

/// An app of all shapes, nested so deep, checked by the program: what it said.
fn checked(depth: usize, shapes: &[Shape]) -> String {
    let app = App::new(&[]);
    let mut imports = String::new();
    for (file, start, open, middle, close, end) in shapes {
        let text = [*start, &open.repeat(depth), middle, &close.repeat(depth), end].concat();
        app.write(file, &text);
        let name = file.rsplit('/').next().expect("a name");
        if file.contains(".module.") {
            imports += &format!("import './{name}';\n");
        }
        // A further page is one with an entry of its name.
        if file.starts_with("app/views/") {
            app.write(&format!("app/client/{}.js", name.split('.').next().expect("a stem")), "");
        }
    }
    app.write("app/client/sheets.js", &imports);
    let mut child = Command::new(PROGRAM)
        .args(["check", "--no-cache"])
        .arg(app.root())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut said = String::new();
    let status = format!("/proc/{}/status", child.id());
    let peak_kib = std::thread::spawn(move || {
        let mut peak = 0_u64;
        // The file is gone when the program is.
        while let Ok(status) = fs::read_to_string(&status) {
            let high = status
                .lines()
                .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok());
            let Some(high) = high else { break };
            peak = peak.max(high);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        peak
    });
    let began = Instant::now();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
    let status = child.wait().expect("it ends");
    assert!(matches!(status.code(), Some(0 | 1)), "{depth}: {status}\n{said}");
    let peak_mib = peak_kib.join().expect("it ends with the program") / 1024;
    assert!(peak_mib <= 1024, "{depth}: {peak_mib} MiB");
    if std::env::var_os("SSBUILD_SOAK").is_some() {
        #[expect(clippy::print_stderr, reason = "the figures are for a person who asks for them")]
        {
            eprintln!("{depth}: {} ms, {peak_mib} MiB", began.elapsed().as_millis());
        }
    }
    said
}

#[test]
fn what_nests_without_end_is_told_file_by_file() {
    for depth in [100, 1_000, 10_000, 100_000] {
        let said = checked(depth, SHAPES);
        for (file, _, open, ..) in SHAPES {
            // Chains are no nesting: they may be as long as they like.
            let may_pass = depth <= 1_000 || matches!(*open, "+1" | ".b" | "()" | "<a>");
            assert!(
                may_pass || said.contains(&format!("--> {file}")),
                "{depth}: {file} is not among the findings:\n{said:.2000}"
            );
        }
        assert!(!said.contains("compiler-panic"), "{depth}: {said:.2000}");
    }
}

/// Ways in which a sheet or a script names a file: the ending of its own name, and its text; `PATH` is where the path goes.
const SOURCES: &[(&str, &str)] = &[
    ("css", "@import \"PATH.css\"; a { b: c }"),
    ("css", "@import url(PATH.css); a { b: c }"),
    ("css", "a { background: url(\"PATH.css\") }"),
    ("scss", "@use \"PATH\" as x; a { b: c }"),
    ("scss", "@import \"PATH\"; a { b: c }"),
    ("scss", "a { background: url(PATH.css); src: image-set(\"PATH.css\" 1x) }"),
    ("styl", "@import 'PATH'\na\n  b c\n"),
    ("module.css", ".a { composes: secret from \"PATH.css\" }"),
    ("css", "a { b: c }\n/*# sourceMappingURL=PATH.css */"),
    ("js", "1;\n//# sourceMappingURL=PATH.css\n"),
];

/// Ways in which a page does.
const PAGES: &[(&str, &str)] = &[
    ("jinja", "{{ SocketStream }}{% include \"PATH.css\" %}"),
    ("jinja", "{{ SocketStream }}{{ asset('PATH.css') }}"),
    ("pug", "html\n  != SocketStream\n  include PATH.css\n"),
    ("pug", "html\n  != SocketStream\n  img(src=asset('PATH.css'))\n"),
];

/// Paths to a file `secret` beside the app's folder, in its configuration and in its server code. `TOP` is the absolute path of the
/// folder that holds the app.
const PATHS: &[&str] = &[
    "../../../secret",
    "../../../../../../../../../../TOP/secret",
    "TOP/secret",
    "file://TOP/secret",
    "//TOP/secret",
    "./../../../secret",
    "..//..//..//secret",
    "a/../../../../secret",
    "../css/../../../secret",
    "%2e%2e/%2e%2e/%2e%2e/secret",
    "..%2f..%2f..%2fsecret",
    "\\2e\\2e/\\2e\\2e/\\2e\\2e/secret",
    "..\\\\..\\\\..\\\\secret",
    "~/../../secret",
    "~../../secret",
    "~x/../../../secret",
    "pkg:../../secret",
    "pkg:x/../../../secret",
    "x/../../../secret",
    "node_modules/../../secret",
    "../../config/secret",
    "../../app/server/secret",
    "../server/secret",
    "/../../secret",
    "/config/secret",
    "_linked",
    "_folder/secret",
    "_loop",
    "_loop/secret",
    "_chain",
];

const TOKEN: &str = "hush-it-is-a-secret";

/// An app that lies among secrets, and has links to them.
fn among_secrets() -> App {
    let app = App::new(&[]);
    let root = app.root();
    let top = root.parent().expect("the app is in a folder");
    for folder in ["..", "config", "app/server", "lib/server"] {
        for ending in ["css", "scss", "styl"] {
            app.write(&format!("{folder}/secret.{ending}"), &format!(".secret {{ content: '{TOKEN}' }}"));
        }
    }
    for folder in ["app/css", "app/client", "app/views"] {
        let at = |name: &str| root.join(folder).join(name);
        fs::create_dir_all(root.join(folder)).expect("a folder");
        for ending in ["css", "scss", "styl"] {
            symlink(top.join(format!("secret.{ending}")), at(&format!("_linked.{ending}"))).expect("a link");
            symlink(at(&format!("_loop.{ending}")), at(&format!("_loop.{ending}"))).expect("a link");
            symlink(format!("_linked.{ending}"), at(&format!("_chain.{ending}"))).expect("a link");
        }
        symlink(top, at("_folder")).expect("a link");
        symlink(".", at("_loop")).expect("a link");
    }
    fs::create_dir_all(root.join("node_modules/x")).expect("a folder");
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/node_modules");
    for name in ["stylus", "pug"] {
        symlink(packages.join(name), root.join("node_modules").join(name)).expect("a link");
    }
    app
}

#[test]
fn nothing_outside_of_what_browsers_may_have_is_read_or_written() {
    let mut kept: Option<Vec<String>> = None;
    // First all of them; then those that nothing is said of, which are built.
    loop {
        let app = among_secrets();
        let top = app.root().parent().expect("the app is in a folder").to_str().expect("UTF-8").to_owned();
        let mut files = Vec::new();
        for (p, path) in PATHS.iter().enumerate() {
            let path = path.replace("../TOP", &format!("..{top}")).replace("TOP", &top);
            for (n, (ending, text)) in SOURCES.iter().enumerate() {
                files.push((format!("app/client/s{n}_{p}.{ending}"), text.replace("PATH", &path)));
            }
            for (n, (ending, text)) in PAGES.iter().enumerate() {
                files.push((format!("app/views/v{n}_{p}.{ending}"), text.replace("PATH", &path)));
            }
        }
        files.retain(|(file, _)| kept.as_ref().is_none_or(|kept| kept.contains(file)));
        let mut imports = String::new();
        for (file, text) in &files {
            app.write(file, text);
            let name = file.rsplit('/').next().expect("a name");
            if file.starts_with("app/views/") {
                app.write(&format!("app/client/{}.js", name.split('.').next().expect("a stem")), "");
            } else {
                imports += &format!("import './{name}';\n");
            }
        }
        app.write("app/client/app.js", &imports);
        let before = names(Path::new(&top));
        let out = app.root().join("dist");
        let outcome = crate::app::build(&app.root(), "development", &out).expect("the machine does its part");
        let said = outcome.report.to_text(false);
        assert!(!said.contains(TOKEN), "the findings show the file:\n{said}");
        assert_eq!(names(Path::new(&top)), before, "something was written");
        if outcome.manifest.is_some() {
            for (name, bytes) in &crate::app::Dist::read(&out).files {
                let text = String::from_utf8_lossy(bytes);
                assert!(
                    !text.contains(TOKEN),
                    "`{name}` holds what the file says, with\n{}",
                    kept.unwrap_or_default().join("\n")
                );
            }
            break;
        }
        let sound = files.iter().map(|(file, _)| file).filter(|file| !said.contains(file.as_str()));
        let sound: Vec<String> = sound.cloned().collect();
        assert!(sound.len() < files.len(), "there are errors, and none names its file:\n{said}");
        kept = Some(sound);
    }
    let names = PATHS.iter().map(|path| format!("\"{}.js\"", path.replace('\\', "\\\\"))).collect::<Vec<_>>().join(",");
    let app = among_secrets();
    app.write("../secret.js", TOKEN);
    app.write("config/app.json", &format!("{{\"client\": {{\"libs\": [{names}]}}}}"));
    let said = app.findings();
    assert!(!said.contains(TOKEN), "{said}");
    assert_eq!(said.matches("error[").count(), PATHS.len(), "{said}");
}

/// What lies in a folder.
fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a name").file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}
