//! The place on disk where a worker process listens for requests that its middleware looks at.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::EngineError;
use crate::random;

/// A folder that only this user can enter; gone with this.
pub(super) struct HttpDoor {
    folder: PathBuf,
    /// What a request that is passed on comes back with.
    pub(super) secret: Arc<str>,
}

impl HttpDoor {
    pub(super) fn new() -> Result<Self, EngineError> {
        let folder = std::env::temp_dir().join(format!("ssserve-{}", random::hex::<8>()));
        DirBuilder::new().mode(0o700).create(&folder).map_err(|error| {
            EngineError::Start(format!("a folder for the socket of middleware, {}: {error}", folder.display()))
        })?;
        Ok(Self { folder, secret: random::hex::<16>().into() })
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
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
