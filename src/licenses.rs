//! The licences of the packages that were bundled, as one text.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::Write,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    disk::{Disk, DiskError, Kind, NO_LIMIT_BYTES},
    scripts::Scripts,
    sheets::Sheets,
};

/// Where the text lies in a build's folder.
pub const FILE: &str = "licenses.txt";

/// What Stylus reads before each sheet: functions of its own, of which nothing reaches the output.
const STYLUS: &str = "node_modules/stylus/lib/functions/";

/// How the names of files with a licence begin, in small letters.
const NAMES: &[&str] = &["license", "licence", "copying", "notice"];
/// Longest licence that is copied, in bytes.
const BYTES_MAX: u64 = NO_LIMIT_BYTES;

/// One package: its name and version, what it says of its licence, and the texts that lie in it. Nothing when no
/// package was bundled.
pub(crate) fn text(
    disk: &dyn Disk,
    root: &Path,
    scripts: &Scripts,
    sheets: &Sheets,
) -> Result<Option<String>, DiskError> {
    let bundles = [&scripts.lib, &scripts.app, &scripts.server].into_iter();
    let bundles = bundles.chain(scripts.pages.values()).chain(scripts.chunks.values());
    let bundles = bundles.chain(scripts.workers.iter().map(|worker| &worker.script));
    let modules = bundles.flat_map(|script| &script.parts).map(|part| part.name.as_str());
    let sheets = sheets.files.iter().map(String::as_str).filter(|name| !name.contains(STYLUS));
    let names = modules.chain(sheets).filter_map(folder);
    let mut packages: BTreeMap<(String, String), (String, Vec<String>)> = BTreeMap::new();
    let folders: std::collections::BTreeSet<&str> = names.collect();
    for folder in folders {
        let path = place(disk, root, folder)?;
        let package = match disk.kind(&path.join("package.json"))? {
            Some(Kind::File(_)) => {
                serde_json::from_slice::<Value>(&disk.read(&path.join("package.json"))?).unwrap_or_default()
            }
            _ => Value::Null,
        };
        let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        let own = folder.rsplit_once("node_modules/").map_or(folder, |(_, name)| name);
        let name = if text("name").is_empty() { own.to_owned() } else { text("name") };
        let key = (name, text("version"));
        if let Entry::Vacant(new) = packages.entry(key) {
            new.insert((licence(&package), texts(disk, &path)?));
        }
    }
    if packages.is_empty() {
        return Ok(None);
    }
    let mut all = "Packages in this build, and their licences.\n".to_owned();
    for ((name, version), (licence, texts)) in packages {
        let line = "-".repeat(72);
        writeln!(all, "\n{line}\n{name} {version}\nLicence: {licence}").expect("writing to a string works");
        texts.iter().for_each(|text| writeln!(all, "\n{}", text.trim()).expect("writing to a string works"));
    }
    Ok(Some(all))
}

/// Where a package's folder is: in the app, or above it, where modules are told by the same name.
fn place(disk: &dyn Disk, root: &Path, folder: &str) -> Result<PathBuf, DiskError> {
    for above in root.ancestors() {
        if disk.kind(&above.join(folder).join("package.json"))?.is_some() {
            return Ok(above.join(folder));
        }
    }
    Ok(root.join(folder))
}

/// The folder of the package that a module is in, from the app's.
fn folder(module: &str) -> Option<&str> {
    let start = module.rfind("node_modules/")? + "node_modules/".len();
    let mut parts = module[start..].match_indices('/').map(|(at, _)| start + at);
    let end = if module[start..].starts_with('@') { parts.nth(1) } else { parts.next() };
    Some(&module[..end?])
}

/// `license`, or the older forms: an object, a list.
fn licence(package: &Value) -> String {
    let one = |value: &Value| value.as_str().or_else(|| value["type"].as_str()).map(str::to_owned);
    let list = package["licenses"].as_array().map(|list| list.iter().filter_map(one).collect::<Vec<_>>().join(" OR "));
    one(&package["license"]).or(list).filter(|text| !text.is_empty()).unwrap_or_else(|| "not said".to_owned())
}

fn texts(disk: &dyn Disk, folder: &Path) -> Result<Vec<String>, DiskError> {
    let mut texts = Vec::new();
    for entry in disk.list(folder)? {
        let name = entry.name.to_lowercase();
        let is_text =
            NAMES.iter().any(|start| name.starts_with(start)) && matches!(entry.kind, Kind::File(0..=BYTES_MAX));
        if is_text && !name.ends_with(".js") && !name.ends_with(".ts") {
            texts.push(String::from_utf8_lossy(&disk.read(&folder.join(&entry.name))?).into_owned());
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{folder, licence};

    #[test]
    fn packages_are_found_by_the_names_of_their_modules() {
        assert_eq!(folder("node_modules/react/index.js"), Some("node_modules/react"));
        assert_eq!(folder("../node_modules/a/node_modules/@b/c/d.js"), Some("../node_modules/a/node_modules/@b/c"));
        assert_eq!(folder("app/client/app.js"), None);
        assert_eq!(licence(&json!({"license": "MIT"})), "MIT");
        assert_eq!(licence(&json!({"license": {"type": "BSD"}})), "BSD");
        assert_eq!(licence(&json!({"licenses": [{"type": "MIT"}, {"type": "GPL"}]})), "MIT OR GPL");
        assert_eq!(licence(&json!({})), "not said");
    }
}
