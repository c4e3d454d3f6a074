use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use oxc_resolver::{FileMetadata, FileSystem, ResolveError};

use crate::disk::{Disk, DiskError, Kind, RealDisk};

/// The file layer as the resolver library wants to see it. It shows no links: they are followed.
pub(super) struct DiskView {
    disk: Arc<dyn Disk>,
}

impl DiskView {
    pub(super) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk }
    }
}

impl FileSystem for DiskView {
    fn new() -> Self {
        Self { disk: Arc::new(RealDisk) }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.disk.read(path).map_err(DiskError::into_io)
    }

    fn read_to_string(&self, path: &Path) -> io::Result<String> {
        String::from_utf8(self.read(path)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        match self.disk.kind(path).map_err(DiskError::into_io)? {
            Some(Kind::File(_)) => Ok(FileMetadata::new(true, false, false)),
            Some(Kind::Folder) => Ok(FileMetadata::new(false, true, false)),
            Some(Kind::Other) | None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.metadata(path)
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, ResolveError> {
        self.canonicalize(path).map_err(ResolveError::from)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.disk.canonical(path).map_err(DiskError::into_io)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
