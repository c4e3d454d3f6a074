//! Selects an earlier build that is still kept, by its manifest: servers that follow the folder serve it from then on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::load::{Build, LoadError};
use crate::manifest::{self, Manifest};

/// Where the compiler notes which builds are kept.
const GENERATIONS: &str = "generations.json";
/// Held by whoever changes the folder.
const LOCK: &str = ".lock";

/// Why nothing was selected.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// The earlier build is not whole, or none is selected now.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// There is no earlier build.
    #[error("there is no build before {selected} in {}: {kept}", dist.display())]
    First {
        /// The selected one.
        selected: String,
        /// Where.
        dist: PathBuf,
        /// Which there are.
        kept: String,
    },
    /// The build that was asked for is not kept.
    #[error("build {wanted} is not kept in {}: {kept}", dist.display())]
    Unknown {
        /// The one asked for.
        wanted: String,
        /// Where.
        dist: PathBuf,
        /// Which there are.
        kept: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} {}: {error}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// To which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

/// What was selected before, and what is selected now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack {
    /// Id of the build that was selected.
    pub from: String,
    /// Id of the one that is.
    pub to: String,
}

#[derive(Deserialize)]
struct Generations {
    builds: Vec<Kept>,
}

#[derive(Deserialize)]
struct Kept {
    build_id: String,
}

/// Selects the build of that id, or the one before the selected one. It is checked as at the start of a server, and
/// nothing is changed unless it is whole.
pub fn rollback(dist: &Path, wanted: Option<&str>) -> Result<RolledBack, RollbackError> {
    let lock = dist.join(LOCK);
    let _lock = locked(&lock).map_err(failed("lock", &lock))?;
    let path = dist.join(manifest::FILE_NAME);
    let selected = read_manifest(&path)?;
    let path = dist.join(GENERATIONS);
    let text = fs::read(&path).map_err(failed("read", &path))?;
    let known: Generations =
        serde_json::from_slice(&text).map_err(|error| failed("understand", &path)(io::Error::other(error)))?;
    let ids: Vec<String> = known.builds.into_iter().map(|build| build.build_id).collect();
    let kept = || format!("it keeps {}, oldest first", ids.join(", "));
    let to = match wanted {
        Some(wanted) => ids.iter().find(|id| *id == wanted).ok_or_else(|| RollbackError::Unknown {
            wanted: wanted.to_owned(),
            dist: dist.to_owned(),
            kept: kept(),
        })?,
        None => {
            let at = ids.iter().position(|id| *id == selected.build_id).unwrap_or(ids.len());
            at.checked_sub(1).map(|before| &ids[before]).ok_or_else(|| RollbackError::First {
                selected: selected.build_id.clone(),
                dist: dist.to_owned(),
                kept: kept(),
            })?
        }
    };
    let root = dist.join("builds").join(to);
    let path = root.join(manifest::FILE_NAME);
    let manifest = read_manifest(&path)?;
    let text = fs::read(&path).map_err(failed("read", &path))?;
    Build::check(dist, manifest)?;
    restore_named_files(&root.join("root"), &dist.join("public"))?;
    replace(&dist.join(manifest::FILE_NAME), &text)?;
    Ok(RolledBack { from: selected.build_id, to: to.clone() })
}

fn read_manifest(path: &Path) -> Result<Manifest, RollbackError> {
    let text = fs::read(path).map_err(failed("read", path))?;
    serde_json::from_slice(&text).map_err(|error| failed("understand", path)(io::Error::other(error)))
}

/// The copies for static hosts are those of the selected build.
fn restore_named_files(from: &Path, to: &Path) -> Result<(), RollbackError> {
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("list", from)(error)),
    };
    fs::create_dir_all(to).map_err(failed("create", to))?;
    for entry in entries {
        let entry = entry.map_err(failed("list", from))?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            restore_named_files(&path, &copy)?;
        } else {
            replace(&copy, &fs::read(&path).map_err(failed("read", &path))?)?;
        }
    }
    Ok(())
}

/// Writes beside its place, flushes, renames.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), RollbackError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let write = || -> io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        match path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    };
    write().map_err(failed("write", path))
}

fn locked(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.lock()?;
    Ok(file)
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RollbackError {
    let path = path.to_owned();
    move |error| RollbackError::File { doing, path, error }
}
