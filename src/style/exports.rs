//! CSS Modules: what the names of a sheet became, as a module for scripts.

use std::{collections::BTreeSet, fmt::Write, path::Path};

use lightningcss::css_modules::{Config, CssModuleExports, CssModuleReference, Pattern};
use serde::{Deserialize, Serialize};

use super::StyleForm;
use crate::zone::relative;

/// A name that a CSS Module exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassExport {
    /// As the sheet has it.
    pub name: String,
    /// What an element's `class` has to hold, in this order.
    pub classes: Vec<ClassName>,
}

/// A part of what a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClassName {
    /// A class as it stands in the CSS, or a value of `:export`.
    Own(String),
    /// What another sheet exports under a name (`composes: name from '…'`).
    Of {
        /// Path below the app.
        file: String,
        /// The name there.
        name: String,
    },
}

/// How names are made: from the sheet's path below the app, never from where the app lies. Readable CSS has the sheet's name in
/// it, too.
pub(super) fn naming(path: &str, form: StyleForm) -> Config {
    let file = path.rsplit('/').next().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    let stem: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let pattern = match form {
        StyleForm::Readable => format!("_{stem}_[local]_[hash]"),
        StyleForm::Minified | StyleForm::Kept => "[local]_[hash]".to_owned(),
    };
    let pattern = Pattern::parse(&pattern).expect("it is well formed");
    // As CSS Modules have it: classes, ids and animations are local. lightningcss renames uses of an animation only together with
    // those of counter styles.
    Config { pattern, grid: false, container: false, ..Config::default() }
}

/// What lightningcss exports, sorted.
pub(super) fn exports(made: CssModuleExports) -> Vec<ClassExport> {
    let mut exports: Vec<ClassExport> = made
        .into_iter()
        .map(|(name, export)| {
            let mut classes = vec![ClassName::Own(export.name)];
            classes.extend(export.composes.into_iter().map(|composed| match composed {
                CssModuleReference::Local { name } | CssModuleReference::Global { name } => ClassName::Own(name),
                CssModuleReference::Dependency { name, specifier } => ClassName::Of { file: specifier, name },
            }));
            ClassExport { name, classes }
        })
        .collect();
    exports.sort_by(|a, b| a.name.cmp(&b.name));
    exports
}

/// The module that scripts import for the sheet at `path`: each name by itself where JavaScript can call it so, and all of them as
/// `default`.
pub fn module_text(path: &str, exports: &[ClassExport]) -> String {
    let quoted = |text: &str| serde_json::to_string(text).expect("a string is JSON");
    let mut files: Vec<&str> = Vec::new();
    let mut text = String::new();
    for class in exports.iter().flat_map(|export| &export.classes) {
        if let ClassName::Of { file, .. } = class
            && !files.contains(&file.as_str())
        {
            let specifier = quoted(&way(path, file));
            writeln!(text, "import of{} from {specifier};", files.len()).expect("a string");
            files.push(file);
        }
    }
    text.push_str("var names = {\n  __proto__: null,\n");
    let mut named = BTreeSet::new();
    for export in exports {
        let parts = export.classes.iter().map(|class| match class {
            ClassName::Own(name) => quoted(name),
            ClassName::Of { file, name } => {
                let at = files.iter().position(|known| known == file).expect("every file was imported");
                format!("of{at}[{}]", quoted(name))
            }
        });
        let value = parts.collect::<Vec<_>>().join(" + \" \" + ");
        writeln!(text, "  [{}]: {value},", quoted(&export.name)).expect("a string");
        if is_identifier(&export.name) {
            named.insert(export.name.as_str());
        }
    }
    text.push_str("};\nexport default names;\n");
    for (at, name) in named.into_iter().enumerate() {
        // Names may be words of the language: only the exported name is theirs.
        writeln!(text, "var n{at} = names.{name};\nexport {{ n{at} as {name} }};").expect("a string");
    }
    text
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    name != "default"
        && chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}

/// How a script at `from` names a file.
fn way(from: &str, file: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let way = relative(Path::new(folder), Path::new(file));
    if way.starts_with("../") { way } else { format!("./{way}") }
}
