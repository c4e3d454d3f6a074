use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ssbuild_diagnostic::{Code, Diagnostic, Place};

use super::{IMPORT_ROOTS, READ_ROOTS, depth};
use crate::{
    asset::Fingerprint,
    disk::{Disk, Kind},
    project::without_bom,
};

/// The files that a sheet may read, and the record of those that it did. Paths are below the app, with `/`.
pub(super) struct Files<'a> {
    disk: &'a dyn Disk,
    root: PathBuf,
    /// The sheet itself, and its folder.
    entry: String,
    home: String,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    texts: BTreeMap<String, Arc<str>>,
    /// SHA-256 of the bytes of each that was read, in hex.
    hashes: BTreeMap<String, String>,
    /// Paths in the order in which they were first read.
    order: Vec<String>,
    missed: BTreeSet<String>,
    refused: BTreeSet<String>,
}

impl<'a> Files<'a> {
    pub(super) fn new(disk: &'a dyn Disk, root: &Path, entry: &str, text: &Arc<str>) -> Self {
        let home = entry.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let mut record = Record::default();
        record.texts.insert(entry.to_owned(), Arc::clone(text));
        record.order.push(entry.to_owned());
        Self { disk, root: root.to_owned(), entry: entry.to_owned(), home, record: Mutex::new(record) }
    }

    /// Whether there is such a file to be imported. A miss is remembered: the file may appear later.
    pub(super) fn is_file(&self, path: &str) -> bool {
        if self.record().texts.contains_key(path) {
            return true;
        }
        if !self.may_import(path) {
            self.record().refused.insert(path.to_owned());
            return false;
        }
        let found = matches!(self.disk.kind(&self.root.join(path)), Ok(Some(Kind::File(_))));
        if !found {
            self.record().missed.insert(path.to_owned());
        }
        found
    }

    /// Whether there is such a folder to import from.
    pub(super) fn is_folder(&self, path: &str) -> bool {
        self.may_import(path) && matches!(self.disk.kind(&self.root.join(path)), Ok(Some(Kind::Folder)))
    }

    /// The text of a file that [`Self::is_file`] found.
    pub(super) fn read(&self, path: &str) -> Result<Arc<str>, Box<Diagnostic>> {
        if let Some(text) = self.record().texts.get(path) {
            return Ok(Arc::clone(text));
        }
        let unreadable = |why: String| {
            Box::new(
                Diagnostic::new(Code::FileUnreadable, why)
                    .at(Place::file(path), "")
                    .at(Place::file(&self.entry), "imported by this sheet, or by one that it imports"),
            )
        };
        if !self.is_file(path) || !self.stays_inside(path) {
            return Err(unreadable(format!("`{path}` cannot be imported: it is not in {}", roots())));
        }
        let bytes = self
            .disk
            .read(&self.root.join(path))
            .map_err(|e| unreadable(format!("cannot read `{path}`: {}", e.source)))?;
        let hash = Fingerprint::of(&bytes).as_str().to_owned();
        let text = String::from_utf8(bytes)
            .map_err(|_| unreadable(format!("`{path}` is not text in UTF-8: save it as such")))?;
        let text: Arc<str> = without_bom(&text).into();
        if let Some(diagnostic) = depth::check(path, &text) {
            return Err(Box::new(diagnostic));
        }
        let mut record = self.record();
        record.texts.insert(path.to_owned(), Arc::clone(&text));
        record.hashes.insert(path.to_owned(), hash);
        record.order.push(path.to_owned());
        Ok(text)
    }

    /// The text of a file that was read, for places in it.
    pub(super) fn text(&self, path: &str) -> Option<Arc<str>> {
        self.record().texts.get(path).cloned()
    }

    /// The text of a file, which is read when it was not yet.
    pub(super) fn text_or_read(&self, path: &str) -> Option<Arc<str>> {
        self.text(path).or_else(|| self.read(path).ok())
    }

    /// Everything that was read, in that order, the sheet itself first.
    pub(super) fn in_order(&self) -> Vec<(String, Arc<str>)> {
        let record = self.record();
        record.order.iter().map(|path| (path.clone(), Arc::clone(&record.texts[path]))).collect()
    }

    /// What was read beside `entry`, and what was looked for in vain; both sorted.
    pub(super) fn finish(&self, entry: &str) -> (Vec<String>, Vec<String>) {
        let record = self.record();
        let read = record.texts.keys().filter(|path| *path != entry).cloned().collect();
        (read, record.missed.iter().cloned().collect())
    }

    /// Says that an import was looked for outside of the folders it may be in, if so.
    pub(super) fn refusal(&self) -> Option<String> {
        let first = self.record().refused.first()?.clone();
        let folder = first.rsplit_once('/').map_or("the app folder itself", |(folder, _)| folder);
        Some(format!("Imports are found in {}, but not in `{folder}`.", roots()))
    }

    /// The hash of each file that was read beside the sheet itself.
    pub(super) fn hashes(&self) -> Vec<(String, String)> {
        self.record().hashes.clone().into_iter().collect()
    }

    fn may_import(&self, path: &str) -> bool {
        let is_in =
            |folder: &str| path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        !path.contains('\0') && (is_in(&self.home) || READ_ROOTS.iter().any(|root| is_in(root)))
    }

    /// A link may lead out of `node_modules`, where package managers make such, but not out of the app's own folders.
    fn stays_inside(&self, path: &str) -> bool {
        if path.starts_with("node_modules/") {
            return true;
        }
        match (self.disk.canonical(&self.root), self.disk.canonical(&self.root.join(path))) {
            (Ok(Some(root)), Ok(Some(file))) => file.starts_with(root),
            _ => false,
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        // It is only held for single insertions, which a panic does not leave half done.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resolves `.` and `..` in a path below the app; `None` when it leaves the app, or is absolute.
pub(super) fn normalise(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    if text.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn roots() -> String {
    format!("`{}`", IMPORT_ROOTS.join("`, `"))
}
