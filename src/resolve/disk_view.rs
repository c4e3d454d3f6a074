use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use oxc_resolver::{FileMetadata, FileSystem, ResolveError};

use super::names::{Names, There};
use crate::disk::{Disk, DiskError, RealDisk};

/// The file layer as the resolver library wants to see it. It shows no links: they are followed.
pub(super) struct DiskView {
    names: Arc<Names>,
}

impl DiskView {
    pub(super) fn new(names: Arc<Names>) -> Self {
        Self { names }
    }
}

impl FileSystem for DiskView {
    fn new() -> Self {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        Self { names: Arc::new(Names::new(&disk, Path::new("/"))) }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // Mostly it is not there, which costs less to know than to try.
        if self.names.there(path).map_err(DiskError::into_io)? != There::File {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.names.disk().read(path).map_err(DiskError::into_io)
    }

    fn read_to_string(&self, path: &Path) -> io::Result<String> {
        String::from_utf8(self.read(path)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        match self.names.there(path).map_err(DiskError::into_io)? {
            There::File => Ok(FileMetadata::new(true, false, false)),
            There::Folder => Ok(FileMetadata::new(false, true, false)),
            There::Nothing => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.metadata(path)
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, ResolveError> {
        self.canonicalize(path).map_err(ResolveError::from)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.names.real(path).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
