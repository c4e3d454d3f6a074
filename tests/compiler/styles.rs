//! Each folder in `testdata/styles` is an app; its `app/css/app.*` is compiled and the whole outcome is a snapshot.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use ssbuild::style::{
    Sheet, StyleForm, StyleLimits, StyleMaps, StyleNames, StyleOptions, StyleOutput, Styles, Targets, UrlResolver,
    WorkerCommand,
};

/// One pool for all tests, as a build has one for all sheets.
pub(crate) static STYLES: LazyLock<Styles> =
    LazyLock::new(|| Styles::new(WorkerCommand::of(env!("CARGO_BIN_EXE_ssbuild")), StyleLimits::default()));

/// Every file there is has a URL that shows which it is.
pub(crate) struct Folder(pub(crate) PathBuf);

impl UrlResolver for Folder {
    fn url_of(&self, file: &str) -> Option<String> {
        self.0.join(file).is_file().then(|| format!("/assets/{}", file.replace(['/', ' '], "_")))
    }
}

pub(crate) fn options(root: &Path, form: StyleForm) -> StyleOptions {
    let targets = Targets::parse(&["baseline widely available"]).expect("understood");
    StyleOptions { root: root.to_owned(), form, targets, names: StyleNames::Global, maps: StyleMaps::On }
}

fn compile(root: &Path, path: &str, form: StyleForm) -> StyleOutput {
    let text = fs::read_to_string(root.join(path)).expect("the sheet is there");
    let sheet = Sheet { path: path.to_owned(), text, made: None };
    STYLES.compile(&sheet, &options(root, form), &Folder(root.to_owned())).expect("the worker runs")
}

fn shown(output: &StyleOutput) -> String {
    let mut shown = String::new();
    for (title, lines) in [("read", &output.files_read), ("missed", &output.files_missed)] {
        writeln!(shown, "{title}:").expect("a string");
        lines.iter().for_each(|line| writeln!(shown, "  {line}").expect("a string"));
    }
    writeln!(shown, "urls:").expect("a string");
    for url in &output.urls {
        writeln!(shown, "  {} = {}", url.file, url.url.as_deref().unwrap_or("(none)")).expect("a string");
    }
    for (directive, origins) in &output.origins {
        writeln!(shown, "  {directive} {origins:?}").expect("a string");
    }
    for diagnostic in &output.diagnostics {
        writeln!(shown, "\n{}", diagnostic.to_text(false)).expect("a string");
    }
    shown
}

#[test]
fn every_sheet_has_its_outcome() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/styles");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder.join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for case in fs::read_dir(&folder).expect("testdata/styles is there") {
        let root = case.expect("a name").path();
        let name = root.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let Some(path) = ["app.css", "app.scss", "app.sass"]
            .map(|name| format!("app/css/{name}"))
            .into_iter()
            .find(|path| root.join(path).is_file())
        else {
            assert_eq!(name, "snapshots", "a case without a sheet");
            continue;
        };
        let readable = compile(&root, &path, StyleForm::Readable);
        let minified = compile(&root, &path, StyleForm::Minified);
        assert_eq!(readable.diagnostics, minified.diagnostics, "{name}");
        assert_eq!(readable, compile(&root, &path, StyleForm::Readable), "{name}: the same twice");
        let text = format!("{}\n{}\nminified:\n{}", shown(&readable), readable.css, minified.css);
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn what_its_author_minified_keeps_its_form() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    fs::create_dir_all(root.join("lib/css")).expect("a folder");
    fs::write(root.join("lib/css/x.png"), "x").expect("a file");
    let text = "@import \"//fonts.example/a.css\";.b{*zoom:1;margin:0px 0px;background:url(x.png)}.b{margin:0 0}";
    fs::write(root.join("lib/css/1.old.min.css"), text).expect("a file");
    let output = compile(root, "lib/css/1.old.min.css", StyleForm::Kept);
    assert_eq!(
        output.css,
        "@import \"//fonts.example/a.css\";.b{margin:0;background:url(/assets/lib_css_x.png)}.b{margin:0}"
    );
}

#[test]
fn joined_sheets_keep_their_imports_first() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sheet = |text: &str, form| {
        let sheet = Sheet { path: "lib/css/a.css".to_owned(), text: text.to_owned(), made: None };
        STYLES.compile(&sheet, &options(folder.path(), form), &Folder("/".into())).expect("the worker runs")
    };
    let first = sheet("/*! A */ a{b:c}", StyleForm::Kept);
    let second =
        sheet("/*! B */ @import url(//x.example/1.css) print; @layer l; a { color: red }", StyleForm::Readable);
    assert_eq!(
        ssbuild::style::join(&[first, second], "x.css").0,
        "/*! B */\n@import \"//x.example/1.css\" print;\n/*! A */\na{b:c}\n@layer l;\n\na {\n  color: red;\n}\n"
    );
}

#[test]
fn links_out_of_the_app_are_not_followed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("app-folder");
    fs::create_dir_all(root.join("app/css")).expect("a folder");
    fs::write(folder.path().join("secret.scss"), "$key: 1").expect("a file");
    std::os::unix::fs::symlink("../../../secret.scss", root.join("app/css/_link.scss")).expect("a link");
    fs::write(root.join("app/css/app.scss"), "@import 'link'; a { b: $key }").expect("a file");
    let output = compile(&root, "app/css/app.scss", StyleForm::Readable);
    assert_eq!(output.css, "");
    assert!(shown(&output).contains("`app/css/_link.scss` cannot be imported"), "{}", shown(&output));
}
