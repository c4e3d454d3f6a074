//! `client.libs`: files of npm packages that come before those of `lib/client` and `lib/css`.

use std::path::{Path, PathBuf};

use serde_json::Value;
use ssbuild_diagnostic::{Code, Diagnostic, Place};

use crate::{
    config::Settings,
    disk::{Disk, DiskError, Kind},
    project::Format,
    zone::relative,
};

/// Fields of `package.json` that name a file for a browser's `<script>`, likeliest first.
const FIELDS: [&str; 4] = ["jsdelivr", "unpkg", "browser", "main"];

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lib {
    /// Path from the app's folder, with `/`.
    pub name: String,
    /// Where it is, every link resolved.
    pub path: PathBuf,
}

impl Lib {
    /// What it is written in.
    pub fn format(&self) -> Format {
        Format::of(&self.name)
    }
}

/// Finds them, in the order in which the configuration has them.
pub fn find(disk: &dyn Disk, root: &Path, settings: &Settings) -> Result<(Vec<Lib>, Vec<Diagnostic>), DiskError> {
    let (mut libs, mut found) = (Vec::new(), Vec::new());
    for name in &settings.libs {
        let says = |code, message: String, help: &str| {
            let place = Place::file(settings.sources.first().map_or("config", |source| source.file.as_str()));
            Diagnostic::new(code, message).at(place, "").help(help)
        };
        if name.is_empty() || name.starts_with('/') || name.split('/').any(|part| matches!(part, "" | "." | "..")) {
            found.push(says(
                Code::ConfigInvalid,
                format!("`client.libs` has `{name}`, which is no file of a package"),
                "Write it as `package/path/to/file.js`. Files of the app's own belong in `lib/client` and `lib/css`.",
            ));
            continue;
        }
        match look_up(disk, root, name)? {
            Some(path) => {
                let lib = Lib { name: relative(root, &path), path };
                if lib.format().language().is_some() || lib.format().is_sheet() {
                    libs.push(lib);
                } else {
                    let message = format!("`client.libs` has `{name}`, which is neither a script nor a stylesheet");
                    found.push(says(Code::ConfigInvalid, message, "Name the file that browsers are given."));
                }
            }
            None => {
                let package = package_of(name);
                found.push(says(
                    Code::ImportUnresolved,
                    format!("`client.libs` has `{name}`, which is not there"),
                    &format!("Install the package in the app's folder: `npm install {package}`."),
                ));
            }
        }
    }
    Ok((libs, found))
}

/// The package that a name begins with.
fn package_of(name: &str) -> &str {
    let slashes = if name.starts_with('@') { 2 } else { 1 };
    name.match_indices('/').nth(slashes - 1).map_or(name, |(at, _)| &name[..at])
}

/// As Node.js looks for packages: in the app's folder, then above it.
fn look_up(disk: &dyn Disk, root: &Path, name: &str) -> Result<Option<PathBuf>, DiskError> {
    for folder in root.ancestors() {
        let path = folder.join("node_modules").join(name);
        let file = match disk.kind(&path)? {
            Some(Kind::File(_)) => path,
            Some(Kind::Folder) => match entry(disk, &path)? {
                Some(file) => file,
                None => continue,
            },
            _ => continue,
        };
        return disk.canonical(&file);
    }
    Ok(None)
}

/// The file that a package has for browsers.
fn entry(disk: &dyn Disk, package: &Path) -> Result<Option<PathBuf>, DiskError> {
    let manifest = package.join("package.json");
    if !matches!(disk.kind(&manifest)?, Some(Kind::File(_))) {
        return Ok(None);
    }
    let described: Value = serde_json::from_slice(&disk.read(&manifest)?).unwrap_or_default();
    let named = FIELDS.iter().find_map(|field| described.get(field)?.as_str());
    let below = named.unwrap_or("index.js");
    if below.split('/').any(|part| part == "..") {
        return Ok(None);
    }
    for file in [package.join(below), package.join(format!("{below}.js"))] {
        if let Some(Kind::File(_)) = disk.kind(&file)? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}
