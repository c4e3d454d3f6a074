use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rustc_hash::FxHashMap;

use crate::disk::{Disk, DiskError, Kind, NameKind};

/// What is where, as seen once per folder: a resolver asks for many names that are not there, and the names of a folder
/// answer for all of them.
///
/// Only folders below the app's own are listed: those above it belong to others, and the app's folder itself is where
/// builds are written.
pub(super) struct Names {
    disk: Arc<dyn Disk>,
    /// Absolute, every link resolved.
    root: PathBuf,
    folders: Mutex<FxHashMap<PathBuf, Option<Folder>>>,
    real: Mutex<FxHashMap<PathBuf, Option<PathBuf>>>,
}

type Folder = Arc<FxHashMap<OsString, NameKind>>;

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    Nothing,
    File,
    Folder,
}

impl Names {
    pub(super) fn new(disk: &Arc<dyn Disk>, root: &Path) -> Self {
        Self { disk: Arc::clone(disk), root: root.to_owned(), folders: Mutex::default(), real: Mutex::default() }
    }

    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// What is at a path, links followed.
    pub(super) fn there(&self, path: &Path) -> Result<There, DiskError> {
        match self.listed(path) {
            Some(Some(NameKind::File)) => return Ok(There::File),
            Some(Some(NameKind::Folder)) => return Ok(There::Folder),
            Some(None) => return Ok(There::Nothing),
            Some(Some(NameKind::Other)) | None => {}
        }
        Ok(match self.disk.kind(path)? {
            Some(Kind::File(_)) => There::File,
            Some(Kind::Folder) => There::Folder,
            Some(Kind::Other) | None => There::Nothing,
        })
    }

    /// The file or folder behind a path, every link resolved.
    pub(super) fn real(&self, path: &Path) -> Option<PathBuf> {
        if path == self.root {
            return Some(path.to_owned());
        }
        if let Some(known) = self.real.lock().unwrap_or_else(PoisonError::into_inner).get(path) {
            return known.clone();
        }
        let real = match self.listed(path) {
            Some(Some(NameKind::File | NameKind::Folder)) => {
                path.parent().zip(path.file_name()).and_then(|(folder, name)| Some(self.real(folder)?.join(name)))
            }
            Some(None) => None,
            Some(Some(NameKind::Other)) | None => self.disk.canonical(path).ok().flatten(),
        };
        self.real.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), real.clone());
        real
    }

    /// What the folder's names say of a path; nothing when they cannot be asked.
    fn listed(&self, path: &Path) -> Option<Option<NameKind>> {
        let (folder, name) = (path.parent()?, path.file_name()?);
        let below = folder.strip_prefix(&self.root).ok()?;
        if below == Path::new("") || below.components().any(|part| part.as_os_str() == "..") {
            return None;
        }
        if let Some(known) = self.folders.lock().unwrap_or_else(PoisonError::into_inner).get(folder) {
            return known.as_ref().map(|names| names.get(name).copied());
        }
        let names = self.disk.names(folder).ok().map(|names| -> Folder { Arc::new(names.into_iter().collect()) });
        let kind = names.as_ref().map(|names| names.get(name).copied());
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned(), names);
        kind
    }
}
