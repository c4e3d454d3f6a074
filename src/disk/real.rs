use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

#[cfg(unix)]
use std::os::unix::fs::PermissionsExt as _;

use super::{Disk, DiskError, Edit, Entry, Kind, Lock, NameKind, Passed, edited::pass};
use crate::asset::Sum;

/// "Too many levels of symbolic links" on Linux; the standard library's name for it is not stable yet.
const ELOOP: i32 = 40;

/// The machine's own disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, DiskError> {
        fs::read(path).map_err(failed("read", path))
    }

    fn kind(&self, path: &Path) -> Result<Option<Kind>, DiskError> {
        match fs::metadata(path) {
            Ok(meta) => Ok(Some(kind_of(&meta))),
            Err(e) if is_absent(&e) => match fs::symlink_metadata(path) {
                Ok(_) => Ok(Some(Kind::Other)),
                Err(_) => Ok(None),
            },
            // A loop of links is a thing that is neither file nor folder.
            Err(e) if e.raw_os_error() == Some(ELOOP) => Ok(Some(Kind::Other)),
            Err(e) => Err(failed("look at", path)(e)),
        }
    }

    fn modified(&self, path: &Path) -> Result<Option<SystemTime>, DiskError> {
        match fs::metadata(path).and_then(|meta| meta.modified()) {
            Ok(moment) => Ok(Some(moment)),
            Err(e) if is_absent(&e) => Ok(None),
            Err(e) => Err(failed("look at", path)(e)),
        }
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>, DiskError> {
        let names = match fs::read_dir(path) {
            Ok(names) => names,
            Err(e) if is_absent(&e) => return Ok(Vec::new()),
            Err(e) => return Err(failed("list", path)(e)),
        };
        let mut entries = Vec::new();
        for name in names {
            let name = name.map_err(failed("list", path))?;
            let kind = self.kind(&name.path())?.unwrap_or(Kind::Other);
            let os_name = name.file_name();
            let utf8 = os_name.to_str().is_some();
            let link = name.file_type().is_ok_and(|file_type| file_type.is_symlink());
            entries.push(Entry { name: os_name.to_string_lossy().into_owned(), utf8, kind, link });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn names(&self, path: &Path) -> Result<Vec<(OsString, NameKind)>, DiskError> {
        let names = match fs::read_dir(path) {
            Ok(names) => names,
            Err(e) if is_absent(&e) => return Ok(Vec::new()),
            Err(e) => return Err(failed("list", path)(e)),
        };
        let name = |name: io::Result<fs::DirEntry>| -> io::Result<(OsString, NameKind)> {
            let name = name?;
            let kind = match name.file_type()? {
                kind if kind.is_file() => NameKind::File,
                kind if kind.is_dir() => NameKind::Folder,
                _ => NameKind::Other,
            };
            Ok((name.file_name(), kind))
        };
        names.map(name).collect::<io::Result<_>>().map_err(failed("list", path))
    }

    fn canonical(&self, path: &Path) -> Result<Option<PathBuf>, DiskError> {
        match fs::canonicalize(path) {
            Ok(path) => Ok(Some(path)),
            Err(e) if is_absent(&e) => Ok(None),
            Err(e) => Err(failed("resolve", path)(e)),
        }
    }

    fn create_folder(&self, path: &Path) -> Result<(), DiskError> {
        fs::create_dir_all(path).map_err(failed("create the folder", path))
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
            file.write_all(bytes)?;
            file.sync_data()
        };
        write().map_err(failed("write", path))
    }

    fn read_part(&self, path: &Path, from: usize, bytes: usize) -> Result<Vec<u8>, DiskError> {
        let read = || -> io::Result<Vec<u8>> {
            let (mut file, mut part) = (File::open(path)?, Vec::new());
            file.seek(SeekFrom::Start(from as u64))?;
            file.take(bytes as u64).read_to_end(&mut part)?;
            Ok(part)
        };
        read().map_err(failed("read", path))
    }

    fn sum(&self, path: &Path) -> Result<u128, DiskError> {
        let sum = || -> io::Result<u128> {
            let mut sum = Sum::default();
            pass(&mut File::open(path)?, &[], &mut |passed| {
                sum.add(passed.read());
                Ok(())
            })?;
            Ok(sum.done())
        };
        sum().map_err(failed("read", path))
    }

    fn write_edited(
        &self,
        from: &Path,
        edits: &[Edit],
        to: &Path,
        tell: &mut dyn FnMut(Passed<'_>),
    ) -> Result<(), DiskError> {
        let mut write = || -> io::Result<()> {
            let (mut old, mut new) = (File::open(from)?, OpenOptions::new().write(true).create_new(true).open(to)?);
            pass(&mut old, edits, &mut |passed| {
                tell(passed);
                new.write_all(passed.written())
            })?;
            new.sync_data()
        };
        write().map_err(failed("write", to))
    }

    #[cfg(unix)]
    fn is_executable(&self, path: &Path) -> Result<bool, DiskError> {
        let meta = fs::metadata(path).map_err(failed("look at", path))?;
        Ok(meta.permissions().mode() & 0o100 != 0)
    }

    #[cfg(unix)]
    fn make_executable(&self, path: &Path) -> Result<(), DiskError> {
        let change = || -> io::Result<()> {
            let mode = fs::metadata(path)?.permissions().mode();
            // Where one may read, one may run.
            fs::set_permissions(path, fs::Permissions::from_mode(mode | (mode & 0o444) >> 2))
        };
        change().map_err(failed("make executable", path))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        fs::rename(from, to).map_err(failed("rename into place", to))
    }

    fn sync_folder(&self, path: &Path) -> Result<(), DiskError> {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(failed("flush the folder", path))
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        match fs::remove_file(path) {
            Err(e) if !is_absent(&e) => Err(failed("remove", path)(e)),
            _ => Ok(()),
        }
    }

    fn remove_folder(&self, path: &Path) -> Result<(), DiskError> {
        match fs::remove_dir_all(path) {
            Err(e) if !is_absent(&e) => Err(failed("remove the folder", path)(e)),
            _ => Ok(()),
        }
    }

    fn lock(&self, path: &Path) -> Result<Lock, DiskError> {
        let lock = || -> io::Result<File> {
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            file.lock()?;
            Ok(file)
        };
        Ok(Box::new(lock().map_err(failed("lock", path))?))
    }
}

fn kind_of(meta: &fs::Metadata) -> Kind {
    if meta.is_file() {
        Kind::File(meta.len())
    } else if meta.is_dir() {
        Kind::Folder
    } else {
        Kind::Other
    }
}

fn is_absent(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
    let path = path.to_path_buf();
    move |source| DiskError { doing, path, source }
}
