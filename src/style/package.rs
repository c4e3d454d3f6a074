//! Where sheets are found: beside the one that names them, in the app's folders of styles, and in packages of npm.

use std::path::Path;

use serde_json::Value;

use super::{
    IMPORT_ROOTS,
    files::{Files, normalise},
};

/// Conditions of a package's `exports` that are for styles, likeliest first.
const CONDITIONS: [&str; 4] = ["sass", "style", "default", "import"];
/// Fields of `package.json` that name a package's sheet.
const FIELDS: [&str; 3] = ["sass", "style", "main"];

/// What a specifier names in a package: `~bootstrap/scss/x` and `pkg:bootstrap/scss/x` say so, and nothing else can be meant.
pub(super) fn in_package(specifier: &str) -> Option<&str> {
    let rest = specifier.strip_prefix("pkg:").or_else(|| specifier.strip_prefix('~'))?;
    // `~/` is the app's own folder to some, a home folder to others.
    Some(rest).filter(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

/// Files that an `@import` of CSS may mean, likeliest first; paths below the app.
pub(super) fn candidates(files: &Files<'_>, specifier: &str, from: &str) -> Vec<String> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut paths: Vec<String> = Vec::new();
    let mut add = |path: String| {
        if let Some(path) = normalise(Path::new(&path))
            && !paths.contains(&path)
        {
            paths.push(path);
        }
    };
    if let Some(name) = in_package(specifier) {
        add(format!("node_modules/{name}"));
        add(format!("node_modules/{name}.css"));
        entry(files, name).into_iter().for_each(&mut add);
        return paths;
    }
    match specifier.strip_prefix('/') {
        Some(from_top) => add(format!("public/{from_top}")),
        None => add(format!("{folder}/{specifier}")),
    }
    // A package's sheet is named as in Sass, without its folder (`bootstrap/dist/css/bootstrap.css`).
    IMPORT_ROOTS.iter().for_each(|root| add(format!("{root}/{specifier}")));
    entry(files, specifier).into_iter().for_each(&mut add);
    paths
}

/// The sheet that a package has for a name in it (`bootstrap`, `@scope/theme/dark`), by its `package.json`.
pub(super) fn entry(files: &Files<'_>, name: &str) -> Option<String> {
    let slashes = if name.starts_with('@') { 2 } else { 1 };
    let end = name.match_indices('/').nth(slashes - 1).map_or(name.len(), |(at, _)| at);
    let (package, below) = (&name[..end], name[end..].trim_matches('/'));
    if package.is_empty() || package.starts_with('.') {
        return None;
    }
    let folder = format!("node_modules/{package}");
    let manifest = format!("{folder}/package.json");
    if !files.is_file(&manifest) {
        return None;
    }
    let manifest: Value = serde_json::from_str(&files.read(&manifest).ok()?).ok()?;
    let key = if below.is_empty() { ".".to_owned() } else { format!("./{below}") };
    let exported = manifest.get("exports").and_then(|exports| exported(exports, &key));
    let field = || FIELDS.iter().find_map(|field| manifest.get(field)?.as_str()).filter(|_| below.is_empty());
    let file = exported.or_else(|| field().map(str::to_owned))?;
    let is_sheet = [".scss", ".sass", ".css"].iter().any(|ending| file.ends_with(ending));
    normalise(Path::new(&format!("{folder}/{file}"))).filter(|path| is_sheet && path.starts_with(&folder))
}

/// What `exports` has for a key, a pattern of one star included (Node.js, "Package entry points").
fn exported(exports: &Value, key: &str) -> Option<String> {
    let Value::Object(entries) = exports else { return target(exports, "").filter(|_| key == ".") };
    if !entries.keys().any(|entry| entry.starts_with('.')) {
        return target(exports, "").filter(|_| key == ".");
    }
    // A name without its ending is one with an ending, as in Sass.
    let endings = ["", ".scss", ".sass", ".css"];
    endings.iter().map(|ending| format!("{key}{ending}")).find_map(|key| {
        if let Some(found) = entries.get(&key) {
            return target(found, "");
        }
        entries.iter().find_map(|(pattern, found)| {
            let (head, tail) = pattern.split_once('*')?;
            let star = key.strip_prefix(head)?.strip_suffix(tail)?;
            target(found, star)
        })
    })
}

fn target(found: &Value, star: &str) -> Option<String> {
    match found {
        Value::String(file) => Some(file.replace('*', star)),
        Value::Object(conditions) => CONDITIONS.iter().find_map(|name| target(conditions.get(*name)?, star)),
        Value::Array(choices) => choices.iter().find_map(|choice| target(choice, star)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exports_are_read_as_node_reads_them() {
        let exports = json!({
            ".": {"types": "./x.d.ts", "style": "./dist/x.css", "default": "./x.js"},
            "./theme/*": {"sass": "./src/*.scss"},
            "./css": "./dist/all.css",
            "./private/*": null,
        });
        for (key, expected) in [
            (".", Some("./dist/x.css")),
            ("./theme/dark", Some("./src/dark.scss")),
            ("./css", Some("./dist/all.css")),
            ("./private/a", None),
            ("./other", None),
        ] {
            assert_eq!(exported(&exports, key).as_deref(), expected, "{key}");
        }
        assert_eq!(exported(&json!("./a.css"), ".").as_deref(), Some("./a.css"));
        assert_eq!(exported(&json!({"sass": "./a.scss"}), ".").as_deref(), Some("./a.scss"));
    }

    #[test]
    fn only_a_tilde_and_a_scheme_mean_a_package() {
        assert_eq!(in_package("~bootstrap/scss/x"), Some("bootstrap/scss/x"));
        assert_eq!(in_package("pkg:@a/b"), Some("@a/b"));
        for other in ["bootstrap", "~", "~/x", "./~x", "https://a"] {
            assert_eq!(in_package(other), None, "{other}");
        }
    }
}
