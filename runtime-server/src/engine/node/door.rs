//! The place on disk where a worker process listens for requests that its middleware looks at.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::EngineError;
use crate::random;

/// Begins the names of such folders.
const PREFIX: &str = "ssserve-";
/// In the folder, and held as long as somebody listens there.
const LOCK: &str = "lock";

/// A folder that only this user can enter; gone with this.
pub(super) struct HttpDoor {
    folder: PathBuf,
    /// What a request that is passed on comes back with.
    pub(super) secret: Arc<str>,
    _lock: File,
}

impl HttpDoor {
    pub(super) fn new() -> Result<Self, EngineError> {
        let temporary = std::env::temp_dir();
        let folder = temporary.join(format!("{PREFIX}{}", random::hex::<8>()));
        let lock = open(&folder).map_err(|error| {
            EngineError::Start(format!("a folder for the socket of middleware, {}: {error}", folder.display()))
        })?;
        remove_abandoned(&temporary, &folder);
        Ok(Self { folder, secret: random::hex::<16>().into(), _lock: lock })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.join("http.sock")
    }

    /// How requests get there.
    pub(super) fn way(&self) -> (PathBuf, Arc<str>) {
        (self.path(), self.secret.clone())
    }
}

impl Drop for HttpDoor {
    fn drop(&mut self) {
        // Whoever removed it before has done no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Makes the folder and holds its lock.
fn open(folder: &Path) -> io::Result<File> {
    DirBuilder::new().mode(0o700).create(folder)?;
    // It gets its name when it is locked already, so that nobody takes it for abandoned between the two.
    let (draft, name) = (folder.join("lock.new"), folder.join(LOCK));
    let lock = File::create_new(&draft)?;
    lock.lock()?;
    fs::rename(draft, name)?;
    Ok(lock)
}

/// Removes the folders of this user's servers that were killed; whose `own` is. What cannot be looked at is left alone.
fn remove_abandoned(temporary: &Path, own: &Path) {
    let Ok(user) = fs::symlink_metadata(own).map(|about| about.uid()) else { return };
    for entry in fs::read_dir(temporary).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|about| about.is_dir() && about.uid() == user);
        if is_ours && File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok()) {
            // Another server may be doing the same.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_servers_that_were_killed_are_removed_and_others_stay() {
        let temporary = tempfile::tempdir().expect("a folder for the test");
        let [held, abandoned, foreign, young] =
            ["ssserve-held", "ssserve-abandoned", "other", "ssserve-young"].map(|name| temporary.path().join(name));
        let _lock = open(&held).expect("a folder");
        drop(open(&abandoned).expect("a folder"));
        fs::write(abandoned.join("http.sock"), "").expect("a file");
        drop(open(&foreign).expect("a folder"));
        fs::create_dir(&young).expect("a folder");
        remove_abandoned(temporary.path(), &held);
        assert_eq!([&held, &abandoned, &foreign, &young].map(|folder| folder.is_dir()), [true, false, true, true]);
    }
}
