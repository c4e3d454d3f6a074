//! Each folder in `testdata/views` is an app; its page and templates are rendered and the whole outcome is a snapshot.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;
use ssbuild::{
    disk::RealDisk,
    view::{
        Allowed, CspInput, Head, HeadAsset, PageInput, RenderedPage, TemplateSource, ViewInput, collect_templates,
        render_pages,
    },
};
use ssbuild_diagnostic::Diagnostic;
use ssbuild_server::manifest::Segment;

use crate::styles::Folder;

/// All files below a folder, sorted, as paths with `/`.
fn files(folder: &Path, below: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.join(below)).into_iter().flatten() {
        let entry = entry.expect("a name");
        let path = format!("{below}/{}", entry.file_name().to_str().expect("a name"));
        if entry.path().is_dir() {
            found.extend(files(folder, &path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn is_ignored(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('_'))
}

fn asset(url: &str) -> HeadAsset {
    HeadAsset { url: format!("/assets/{url}"), integrity: format!("sha384-of-{url}") }
}

fn render(root: &Path, evals: bool, extra: &BTreeMap<String, Vec<String>>) -> (Vec<RenderedPage>, Vec<Diagnostic>) {
    let read = |path: &String| fs::read_to_string(root.join(path)).expect("a file");
    let all: Vec<String> = files(root, "app/views").into_iter().filter(|path| !is_ignored(path)).collect();
    let (pages, templates): (Vec<&String>, Vec<&String>) = all.iter().partition(|path| path.matches('/').count() == 2);
    let sources: Vec<TemplateSource> =
        templates.into_iter().map(|path| TemplateSource { path: path.clone(), text: read(path) }).collect();
    let (templates, mut diagnostics) = collect_templates(&sources);
    let head = Head {
        preloads: vec!["/assets/inter.woff2".to_owned(), "/assets/hero.png".to_owned()],
        styles: vec![asset("lib.css"), asset("app.css")],
        data: json!({"build": "0123", "text": "</script><!--"}),
        scripts: vec![asset("lib.js"), asset("app.js")],
    };
    let page = |path: &String| PageInput {
        route: "/".to_owned(),
        path: path.clone(),
        text: read(path),
        head: head.clone(),
        allowed: Allowed { evals, ..Allowed::default() },
    };
    let client_config = json!({"title": "A \"title\" & <more>"});
    let input = ViewInput {
        disk: &RealDisk,
        root,
        env: "production",
        client_config: client_config.as_object().expect("an object"),
        assets: Arc::new(Folder(root.to_owned())),
        templates: &templates,
        csp: CspInput { enabled: true, extra },
        pages: pages.into_iter().map(page).collect(),
    };
    let (pages, found) = render_pages(&input);
    diagnostics.extend(found);
    (pages, diagnostics)
}

fn shown(pages: &[RenderedPage], diagnostics: &[Diagnostic]) -> String {
    let mut shown = String::new();
    for page in pages {
        writeln!(shown, "page {}, reads {:?}, misses {:?}", page.route, page.files_read, page.files_missed)
            .expect("a string");
        for segment in &page.segments {
            match segment {
                Segment::Text(text) => shown.push_str(text),
                Segment::AssetBase => shown.push_str("⟦base⟧"),
                Segment::CrossOrigin => shown.push_str("⟦crossorigin⟧"),
            }
        }
        shown.push_str("\npolicy:\n");
        for (directive, sources) in &page.csp {
            writeln!(shown, "  {directive} {}", sources.join(" ")).expect("a string");
        }
    }
    for diagnostic in diagnostics {
        writeln!(shown, "\n{}", diagnostic.to_text(false)).expect("a string");
    }
    shown
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/views")
}

#[test]
fn every_page_has_its_outcome() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder().join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for case in fs::read_dir(folder()).expect("testdata/views is there") {
        let root = case.expect("a name").path();
        let name = root.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if name == "snapshots" {
            continue;
        }
        let (pages, diagnostics) = render(&root, false, &BTreeMap::new());
        assert_eq!((&pages, &diagnostics), (&render(&root, false, &BTreeMap::new()).0, &diagnostics), "{name}: twice");
        insta::assert_snapshot!(name, shown(&pages, &diagnostics));
    }
}

#[test]
fn the_policy_holds_what_the_app_adds() {
    let extra = BTreeMap::from([
        ("img-src".to_owned(), vec!["https://pics.example".to_owned(), "data:".to_owned()]),
        ("object-src".to_owned(), vec!["'self'".to_owned()]),
        ("worker-src".to_owned(), vec!["blob:".to_owned()]),
        ("upgrade-insecure-requests".to_owned(), Vec::new()),
        ("font-src".to_owned(), vec!["x; script-src *".to_owned()]),
        ("Bad Name".to_owned(), Vec::new()),
    ]);
    let (pages, diagnostics) = render(&folder().join("html"), true, &extra);
    let policy = |directive: &str| pages[0].csp[directive].join(" ");
    assert_eq!(policy("img-src"), "'self' https://img.example.com img.example.com https://pics.example data:");
    assert_eq!(policy("object-src"), "'self'");
    assert_eq!(policy("worker-src"), "'self' blob:");
    assert_eq!(policy("upgrade-insecure-requests"), "");
    assert_eq!(policy("script-src"), "'self' 'unsafe-eval'");
    assert_eq!(policy("font-src"), "'self' data:");
    assert_eq!(diagnostics.len(), 2, "{diagnostics:?}");
}
