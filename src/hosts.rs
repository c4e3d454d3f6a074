//! What other servers than `ssserve` are told of a build: `_headers` for static hosts, a manifest in Vite's shape.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::{Value, json};
use ssbuild_server::{
    manifest::{Asset, Page},
    page_policy,
};

use crate::{build::Sealed, project::Project, trees::Trees};

/// Name of the file of headers, which many static hosts read.
pub const HEADERS: &str = "_headers";
/// Where Vite writes its manifest.
pub const VITE: &str = ".vite/manifest.json";

/// The headers that `ssserve` would send, by path.
pub(crate) fn headers(pages: &BTreeMap<String, Page>, sealed: &Sealed, cdn_base: Option<&str>, csp: bool) -> String {
    let mut text = "/*\n  X-Content-Type-Options: nosniff\n".to_owned();
    let mut block = |path: &str, lines: &[String]| {
        writeln!(text, "{path}").expect("writing to a string works");
        lines.iter().for_each(|line| writeln!(text, "  {line}").expect("writing to a string works"));
    };
    block("/assets/*", &["Cache-Control: public, max-age=31536000, immutable".to_owned()]);
    for asset in sealed.assets.values() {
        if let Some(map) = asset.map.as_ref().and_then(|map| sealed.assets.get(map)) {
            block(&url(asset), &[format!("SourceMap: {}", url(map))]);
        }
    }
    for (route, page) in pages {
        let mut lines = vec!["Cache-Control: no-cache".to_owned()];
        if csp && !page.csp.is_empty() {
            lines.push(format!("Content-Security-Policy: {}", page_policy(page, cdn_base)));
        }
        block(route, &lines);
    }
    text
}

fn url(asset: &Asset) -> String {
    crate::public::url_path(asset.file.strip_prefix("public").unwrap_or(&asset.file))
}

/// Entries, chunks and stylesheets by source, as tools that know Vite's manifest look them up.
pub(crate) fn vite(sealed: &Sealed, project: &Project, trees: &Trees, chunks: &BTreeMap<String, String>) -> String {
    let file = |logical: &str| {
        let asset = sealed.assets.get(logical)?;
        Some(asset.file.strip_prefix("public/").unwrap_or(&asset.file).to_owned())
    };
    let css = |name: &str| -> Vec<String> { file(&format!("{name}.css")).into_iter().collect() };
    let mut entries: BTreeMap<String, Value> = BTreeMap::new();
    if let Some(lib) = file("lib.js") {
        entries.insert("_lib.js".to_owned(), json!({"file": lib, "name": "lib", "css": css("lib")}));
    }
    let app = trees.client.file("app").unwrap_or("app/client/app.js");
    let dynamic: Vec<String> = chunks.keys().map(|id| format!("_chunks/{id}.js")).collect();
    for page in project.pages() {
        let (Some(source), Some(script)) = (trees.client.file(page), file(&format!("{page}.js"))) else { continue };
        let mut entry = json!({"file": script, "name": page, "src": source, "isEntry": true, "css": css(page)});
        let imports = if page == "app" { vec!["_lib.js"] } else { vec!["_lib.js", app] };
        entry["imports"] = json!(imports);
        if !dynamic.is_empty() {
            entry["dynamicImports"] = json!(dynamic);
        }
        entries.insert(source.to_owned(), entry);
    }
    for (id, logical) in chunks {
        if let Some(script) = file(logical) {
            entries.insert(format!("_chunks/{id}.js"), json!({"file": script, "name": id, "isDynamicEntry": true}));
        }
    }
    format!("{:#}\n", json!(entries))
}
