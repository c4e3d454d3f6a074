//! What browsers get that cannot run the app: `static/incompatible_browsers`.

use std::{collections::BTreeMap, path::Path};

use crate::{
    disk::{Disk, DiskError, Kind},
    project::is_ignored,
};

const FOLDER: &str = "static/incompatible_browsers";

/// The folder's files, by their path below it.
pub(crate) fn read(disk: &dyn Disk, root: &Path) -> Result<BTreeMap<String, Vec<u8>>, DiskError> {
    let mut files = BTreeMap::new();
    add(disk, &root.join(FOLDER), "", &mut files)?;
    Ok(files)
}

fn add(disk: &dyn Disk, folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), DiskError> {
    for entry in disk.list(folder)? {
        let name = entry.name;
        if is_ignored(&name) {
            continue;
        }
        let (path, logical) = (folder.join(&name), format!("{prefix}{name}"));
        match disk.kind(&path)? {
            Some(Kind::Folder) => add(disk, &path, &format!("{logical}/"), files)?,
            Some(Kind::File(_)) => drop(files.insert(logical, disk.read(&path)?)),
            _ => {}
        }
    }
    Ok(())
}
