//! What a build prints when it is done, and what it is made of.

pub mod budget;
mod composition;
mod diff;
mod table;
mod treemap;

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use ssbuild_server::manifest::{Asset, EngineKind, Manifest};

pub use composition::{Composition, Input, Output, Share, package};
pub use diff::{Change, diff, diff_text};
pub use table::{Detail, table};
pub use treemap::treemap;

/// The table and the counts, for a person.
pub fn text(manifest: &Manifest, modules: &BTreeMap<String, usize>, elapsed: Duration) -> String {
    let mut text = String::new();
    let rows = rows(manifest, modules);
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default().max("bundle".len());
    writeln!(text, "  {:<width$}  {:>10}  {:>10}  {:>7}", "bundle", "raw", "sent", "files")
        .expect("writing to a string works");
    for Row { name, raw, sent, files } in rows {
        let files = files.map(|files| files.to_string()).unwrap_or_default();
        let (raw, sent) = (size(raw), size(sent));
        writeln!(text, "  {name:<width$}  {raw:>10}  {sent:>10}  {files:>7}").expect("writing to a string works");
    }
    let engine = match manifest.server.engine {
        EngineKind::Embedded => "embedded",
        EngineKind::Node => "node",
    };
    writeln!(text, "  {}", counts(manifest)).expect("writing to a string works");
    writeln!(text, "  engine {engine}: {}", manifest.server.engine_reason).expect("writing to a string works");
    for package in &manifest.server.packages {
        let (name, version, reason) = (&package.name, &package.version, &package.reason);
        writeln!(text, "  copied {name} {version}: {reason}").expect("writing to a string works");
    }
    let (id, env, seconds) = (&manifest.build_id, &manifest.env, elapsed.as_secs_f64());
    writeln!(text, "  build {id} for {env} in {seconds:.2} s").expect("writing to a string works");
    text
}

/// How much of what there is, in a line.
pub fn counts(manifest: &Manifest) -> String {
    let api = &manifest.api;
    let counts = [
        count(api.client.len(), "client module"),
        count(api.shared.len(), "shared module"),
        count(api.server.len(), "action"),
        count(manifest.templates.len(), "template"),
        count(manifest.pages.len(), "page"),
    ];
    counts.join(", ")
}

/// The same as one JSON object.
pub fn json(manifest: &Manifest, modules: &BTreeMap<String, usize>, elapsed: Duration) -> serde_json::Value {
    let bundles: serde_json::Map<String, serde_json::Value> = rows(manifest, modules)
        .into_iter()
        .map(|row| (row.name, serde_json::json!({"bytes": row.raw, "sent_bytes": row.sent, "files": row.files})))
        .collect();
    serde_json::json!({
        "build_id": manifest.build_id,
        "env": manifest.env,
        "engine": manifest.server.engine,
        "engine_reason": manifest.server.engine_reason,
        "packages": manifest.server.packages.iter().map(|package| &package.name).collect::<Vec<_>>(),
        "bundles": bundles,
        "actions": manifest.api.server.len(),
        "templates": manifest.templates.len(),
        "elapsed_ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
    })
}

struct Row {
    name: String,
    raw: u64,
    /// What a browser of today gets.
    sent: u64,
    files: Option<usize>,
}

fn rows(manifest: &Manifest, modules: &BTreeMap<String, usize>) -> Vec<Row> {
    let bundles = manifest.bundles.values().flat_map(|bundle| bundle.style.iter().chain(&bundle.script));
    let mut names: Vec<&String> = bundles.chain(manifest.chunks.values()).collect();
    names.sort();
    let row = |name: &&String| {
        let asset = manifest.assets.get(*name)?;
        Some(Row { name: (*name).clone(), raw: asset.bytes, sent: sent(asset), files: modules.get(*name).copied() })
    };
    names.iter().filter_map(row).collect()
}

/// Bytes of an asset as a browser of today gets it.
pub(crate) fn sent(asset: &Asset) -> u64 {
    asset.encodings.values().map(|encoded| encoded.bytes).min().unwrap_or(asset.bytes)
}

/// Bytes for a person.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{:02} MB", bytes / 1_000_000, bytes % 1_000_000 / 10_000),
    }
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
