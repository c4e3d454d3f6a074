//! `types/ss.d.ts`: the API trees for editors and `tsc`, typed from the app's own sources.
//!
//! What the sources say is left to TypeScript (`typeof import("…")`), so that nothing has to be written again when a
//! function's parameters change. What only the compiler knows (paths, aliases, styles, templates, the configuration)
//! is written out.

mod module;
mod project;
mod shape;
mod text;
mod tree;

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use ssbuild_script::AnswerStyle;

use crate::{
    disk::{Disk, DiskError, Kind},
    half::Half,
    project::Project,
    trees::Trees,
};
use module::Module;
use shape::Shape;
use tree::Folder;

/// Where the declarations are, below the app's folder.
pub const FILE: &str = "types/ss.d.ts";

/// Where the declarations for tests are, in an app that has some.
pub const TEST_FILE: &str = "types/test.d.ts";

/// What tests find.
const TEST: &str = include_str!("types/test.d.ts");

/// The part that is the same for every app.
const BASE: &str = include_str!("types/base.d.ts");

/// What the scripts of an app declare.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Declared {
    client: Folder,
    shared: Folder,
    server: Folder,
    /// Path of each server file to the names of its actions at any depth.
    siblings: BTreeMap<String, Vec<String>>,
}

impl Declared {
    /// Reads the trees of compiled scripts.
    pub fn new(trees: &Trees, client: &Half, server: &Half) -> Self {
        let mut declared = Self::default();
        for (tree, folder) in [(&trees.client, &mut declared.client), (&trees.shared, &mut declared.shared)] {
            for (path, file) in tree.own() {
                folder.insert(path, Module::of_browser(file, client));
            }
        }
        for (path, file) in trees.server.own() {
            let module = server.module(file).map(|module| &*module.compiled);
            declared.server.insert(path, Module::of_server(file, module));
            let actions = module.and_then(|module| module.actions.as_deref()).unwrap_or_default();
            let names: Vec<String> = actions.iter().filter_map(|action| action.path.last().cloned()).collect();
            if !names.is_empty() {
                declared.siblings.insert(path.to_owned(), names);
            }
        }
        declared
    }

    /// The text of the declarations.
    pub fn text(&self, templates: &[String], config: &Configured) -> String {
        text::write(self, templates, config)
    }
}

/// What the configuration looks like in one environment or another.
#[derive(Debug, Clone, Default)]
pub struct Configured {
    client: Shape,
    app: Shape,
}

impl Configured {
    /// From the values of `config/app.*`, and those of each environment that differs from them.
    pub fn new(app: &serde_json::Value, environments: &[serde_json::Value]) -> Self {
        let of = |key: &str| {
            let base = app.get(key).cloned().unwrap_or_else(|| serde_json::json!({}));
            let merged = environments.iter().filter_map(|environment| environment.get(key));
            let merged = merged.map(|values| shape::merged(&base, values));
            let shapes: Vec<Shape> =
                std::iter::once(base.clone()).chain(merged).map(|value| Shape::of(&value)).collect();
            shapes.into_iter().reduce(Shape::or).unwrap_or_default()
        };
        Self { client: of("client"), app: of("app") }
    }
}

/// Which files were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Whether `types/ss.d.ts` had another text.
    pub declarations: bool,
    /// The configuration for editors that was made because the app had none.
    pub project: Option<&'static str>,
}

/// Writes the declarations when they have changed, and a `tsconfig.json` or `jsconfig.json` when the app has neither.
pub fn write(disk: &dyn Disk, root: &Path, text: &str) -> Result<Written, DiskError> {
    let mut written = Written { declarations: keep(disk, &root.join(FILE), text)?, project: None };
    if disk.kind(&root.join("test"))? == Some(Kind::Folder) {
        written.declarations |= keep(disk, &root.join(TEST_FILE), TEST)?;
    }
    written.project = write_project(disk, root)?;
    Ok(written)
}

/// Writes a `tsconfig.json` or `jsconfig.json` when the app has neither; returns the name of what was written. Builds follow
/// that file, so who builds again and again writes it first.
pub fn write_project(disk: &dyn Disk, root: &Path) -> Result<Option<&'static str>, DiskError> {
    let there = |name: &str| Ok::<bool, DiskError>(disk.kind(&root.join(name))?.is_some());
    if there(project::TYPESCRIPT)? || there(project::JAVASCRIPT)? {
        return Ok(None);
    }
    let (name, text) = project::file(&Project::scan(disk, root)?.0);
    replace(disk, &root.join(name), &text)?;
    Ok(Some(name))
}

/// Writes a file unless it is as it should be; whether it was written.
fn keep(disk: &dyn Disk, file: &Path, text: &str) -> Result<bool, DiskError> {
    let is_same =
        disk.kind(file)?.is_some_and(|kind| matches!(kind, Kind::File(_))) && disk.read(file)? == text.as_bytes();
    if !is_same {
        replace(disk, file, text)?;
    }
    Ok(!is_same)
}

/// Writes a file beside its place and renames it, so that an editor never reads half of it.
fn replace(disk: &dyn Disk, file: &Path, text: &str) -> Result<(), DiskError> {
    let folder = file.parent().expect("a file is in a folder");
    disk.create_folder(folder)?;
    let name = file.file_name().expect("a file has a name").to_string_lossy();
    let new = folder.join(format!(".{name}.{}", std::process::id()));
    // What an earlier run left behind.
    if disk.kind(&new)?.is_some() {
        disk.remove_file(&new)?;
    }
    disk.write_new(&new, text.as_bytes())?;
    disk.rename(&new, file)
}

/// How an action answers, as the declarations say it.
fn style_word(style: AnswerStyle) -> &'static str {
    match style {
        AnswerStyle::Callback => "callback",
        AnswerStyle::Value => "value",
    }
}
