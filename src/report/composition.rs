use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use ssbuild_script::ImportKind;

use super::sent;
use crate::{
    build::Sealed,
    bundle::Script,
    project::{Project, Role},
    scripts::Scripts,
};

/// What a build's scripts and stylesheets are made of, in the shape of esbuild's metafile; `bytesSent` is what a browser
/// of today gets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Composition {
    /// Sources, by name.
    pub inputs: BTreeMap<String, Input>,
    /// Bundles, by logical path.
    pub outputs: BTreeMap<String, Output>,
}

/// A source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// How long it is.
    pub bytes: u64,
    /// What it imports.
    #[serde(default)]
    pub imports: Vec<Imported>,
}

/// An import, resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// The source.
    pub path: String,
    /// `import-statement`, `require-call` or `dynamic-import`.
    #[serde(default)]
    pub kind: String,
}

/// A bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// How long it is.
    pub bytes: u64,
    /// What a browser gets of it, compressed.
    #[serde(default)]
    pub bytes_sent: u64,
    /// What went into it.
    pub inputs: BTreeMap<String, Share>,
    /// What it imports: nothing, since chunks are found by the page's table.
    #[serde(default)]
    pub imports: Vec<Imported>,
    /// What it exports: nothing, since bundles are plain scripts.
    #[serde(default)]
    pub exports: Vec<String>,
}

/// The share of a source in a bundle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// Its code in the bundle.
    pub bytes_in_output: u64,
    /// Its part of the compressed bundle, by how well its code compresses alone.
    #[serde(default)]
    pub bytes_sent_in_output: u64,
}

impl Composition {
    /// Of a build whose files are final.
    pub(crate) fn of(scripts: &Scripts, sealed: &Sealed, project: &Project) -> Self {
        let mut composition = Self::default();
        let chunks = scripts.chunks.iter().map(|(id, script)| (format!("chunks/{id}.js"), script));
        let pages = scripts.pages.iter().map(|(page, script)| (format!("{page}.js"), script));
        let bundles = [("lib.js".to_owned(), &scripts.lib), ("app.js".to_owned(), &scripts.app)];
        let workers = scripts.workers.iter().map(|worker| (worker.logical.clone(), &worker.script));
        for (name, script) in bundles.into_iter().chain(pages).chain(chunks).chain(workers) {
            composition.script(&name, script, sealed);
        }
        composition.sheets(sealed, project);
        composition
    }

    fn script(&mut self, name: &str, script: &Script, sealed: &Sealed) {
        let Some(asset) = sealed.assets.get(name) else { return };
        let code = |start: usize, bytes: usize| &script.code.as_bytes()[start..start + bytes];
        let weights: Vec<u64> = script.parts.par_iter().map(|part| compressed(code(part.start, part.bytes))).collect();
        let whole = compressed(script.code.as_bytes()).max(weights.iter().sum()).max(1);
        let bytes_sent = sent(asset);
        let mut output = Output { bytes: asset.bytes, bytes_sent, ..Output::default() };
        for (part, weight) in script.parts.iter().zip(weights) {
            let share = output.inputs.entry(part.name.clone()).or_default();
            share.bytes_in_output += part.bytes as u64;
            share.bytes_sent_in_output += bytes_sent * weight / whole;
            let imports = part.imports.iter().map(|(path, kind)| Imported { path: path.clone(), kind: of_kind(*kind) });
            let input = Input { bytes: part.source_bytes as u64, imports: imports.collect() };
            self.inputs.insert(part.name.clone(), input);
        }
        self.outputs.insert(name.to_owned(), output);
    }

    /// A stylesheet counts as its entry: what an entry imports has become part of it.
    fn sheets(&mut self, sealed: &Sealed, project: &Project) {
        let sheets = project.of(Role::Css).map(|entry| (format!("{}.css", entry.tree_path()), entry));
        let libs = project.of(Role::LibCss).map(|entry| ("lib.css".to_owned(), entry));
        let mut sources: BTreeMap<String, Vec<(&str, u64)>> = BTreeMap::new();
        for (name, entry) in sheets.chain(libs).filter(|(name, _)| sealed.assets.contains_key(name)) {
            sources.entry(name).or_default().push((&entry.path, entry.bytes));
        }
        for (name, sources) in sources {
            let asset = &sealed.assets[&name];
            let mut output = Output { bytes: asset.bytes, bytes_sent: sent(asset), ..Output::default() };
            let whole = sources.iter().map(|(_, bytes)| bytes).sum::<u64>().max(1);
            for (path, bytes) in sources {
                let share = Share {
                    bytes_in_output: asset.bytes * bytes / whole,
                    bytes_sent_in_output: output.bytes_sent * bytes / whole,
                };
                output.inputs.insert(path.to_owned(), share);
                self.inputs.insert(path.to_owned(), Input { bytes, imports: Vec::new() });
            }
            self.outputs.insert(name, output);
        }
    }
}

/// How well code compresses, quickly.
fn compressed(code: &[u8]) -> u64 {
    zstd::bulk::compress(code, 3).map_or(code.len(), |compressed| compressed.len()) as u64
}

fn of_kind(kind: ImportKind) -> String {
    match kind {
        ImportKind::Static => "import-statement",
        ImportKind::Require => "require-call",
        ImportKind::Dynamic => "dynamic-import",
        ImportKind::Url | ImportKind::Worker => "new-url",
    }
    .to_owned()
}

/// What a source belongs to: a package's name, or the folder of the app (`app/client`, `lib/client`).
pub fn package(source: &str) -> String {
    let parts: Vec<&str> = source.split('/').collect();
    let name = match parts.iter().rposition(|part| *part == "node_modules") {
        Some(at) => {
            let scoped = parts.get(at + 1).is_some_and(|name| name.starts_with('@'));
            &parts[(at + 1).min(parts.len())..(at + if scoped { 3 } else { 2 }).min(parts.len())]
        }
        None => &parts[..2.min(parts.len() - 1)],
    };
    if name.is_empty() { source.to_owned() } else { name.join("/") }
}

#[cfg(test)]
mod tests {
    use super::package;

    #[test]
    fn sources_belong_to_packages_or_folders() {
        assert_eq!(package("node_modules/react-dom/cjs/client.js"), "react-dom");
        assert_eq!(package("../node_modules/.pnpm/x@1/node_modules/@a/b/c.js"), "@a/b");
        assert_eq!(package("app/client/deep/x.js"), "app/client");
        assert_eq!(package("ssbuild/runtime-client/joined.ts"), "ssbuild/runtime-client");
        assert_eq!(package("x.js"), "x.js");
    }
}
