//! Folders of packages in a build: one hash stands for all files of one, since there may be thousands.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::hex;

/// The hash over the files of a folder, added in the order of their paths.
#[derive(Debug, Clone, Default)]
pub struct FolderHash(Sha256);

impl FolderHash {
    /// Adds a file by its path below the folder, with `/`.
    pub fn add(&mut self, path: &str, bytes: &[u8]) {
        for part in [path.as_bytes(), bytes] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }

    /// In lower-case hex.
    pub fn finish(self) -> String {
        hex::encode(&self.0.finalize())
    }
}

/// The hash of a folder on disk. Packages inside it have one of their own.
pub(crate) fn hash_of(folder: &Path) -> io::Result<String> {
    let mut paths = Vec::new();
    collect(folder, "", &mut paths)?;
    paths.sort();
    let mut hash = FolderHash::default();
    for path in paths {
        hash.add(&path, &fs::read(folder.join(&path))?);
    }
    Ok(hash.finish())
}

fn collect(folder: &Path, below: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        // What is not text is not of the build, and makes another hash.
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        if !entry.file_type()?.is_dir() {
            paths.push(path);
        } else if name != "node_modules" {
            collect(folder, &path, paths)?;
        }
    }
    Ok(())
}
