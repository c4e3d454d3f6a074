use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, RwLock},
};

use oxc_resolver::Resolution;

/// Packages that name one file for `import` (`"module"`) and another for `require` (`"main"`), as far as both were asked for.
#[derive(Default)]
pub(super) struct Twins {
    /// The file for `import`, and that for `require`.
    seen: Mutex<BTreeMap<PathBuf, PathBuf>>,
    /// Those of which only the second is taken.
    joined: RwLock<HashMap<PathBuf, PathBuf>>,
}

/// Whether two files are what one package without `exports` gives for its name.
pub(super) fn are(imported: &Resolution, required: &Resolution) -> bool {
    let packages = imported.package_json().zip(required.package_json());
    imported.path() != required.path()
        && packages.is_some_and(|(a, b)| a.directory() == b.directory() && a.exports().is_none())
}

impl Twins {
    pub(super) fn saw(&self, imported: PathBuf, required: &Path) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(imported, required.to_owned());
    }

    pub(super) fn instead_of(&self, path: PathBuf) -> PathBuf {
        self.joined.read().unwrap_or_else(PoisonError::into_inner).get(&path).cloned().unwrap_or(path)
    }

    /// Whether a file stands for the one that `import` would get.
    pub(super) fn is_joined(&self, path: &Path) -> bool {
        self.joined.read().unwrap_or_else(PoisonError::into_inner).values().any(|required| required == path)
    }

    /// Joins those of which both files are there; whether there were any.
    pub(super) fn join(&self, is_there: impl Fn(&Path) -> bool) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut joined = self.joined.write().unwrap_or_else(PoisonError::into_inner);
        let before = joined.len();
        let both = seen.iter().filter(|(imported, required)| is_there(imported) && is_there(required));
        joined.extend(both.map(|(imported, required)| (imported.clone(), required.clone())));
        joined.len() > before
    }
}
