use std::path::Path;

use crate::{
    cache::{Key, Keyed},
    disk::{Disk, DiskError, Kind},
};

/// The packages that the helper runs, and what they load beside.
const NAMES: &[&str] = &["coffee-script", "coffeescript", "jade", "nib", "pug", "sass", "sass-embedded", "stylus"];
/// Where package managers write what is installed: the versions of what those packages need in turn.
const LOCKS: &[&str] = &[
    "node_modules/.package-lock.json",
    "node_modules/.yarn-integrity",
    "node_modules/.modules.yaml",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
];

/// Which versions of the languages' packages an app has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packages(Key);

impl Packages {
    /// Those that Node.js finds from the app's folder: in it and above it.
    pub fn read(disk: &dyn Disk, root: &Path) -> Result<Self, DiskError> {
        let mut key = Keyed::new("packages");
        for (level, folder) in root.ancestors().enumerate() {
            if disk.kind(&folder.join("node_modules"))? != Some(Kind::Folder) {
                continue;
            }
            key = key.with_value(&level);
            let manifests = NAMES.iter().map(|name| format!("node_modules/{name}/package.json"));
            for name in manifests.chain(LOCKS.iter().map(|&name| name.to_owned())) {
                let file = folder.join(&name);
                if let Some(Kind::File(_)) = disk.kind(&file)? {
                    key = key.with(name).with(disk.read(&file)?);
                }
            }
        }
        Ok(Self(key.done()))
    }

    /// What stands for them in the keys of results.
    pub fn identity(&self) -> Key {
        self.0
    }
}
