//! Names this program by its sources, so that what another state of them has remembered is never taken for its own.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

/// Everything that the compiler is made of.
const SOURCES: &[&str] =
    &["build.rs", "Cargo.lock", "Cargo.toml", "diagnostic/src", "runtime-server/src", "script/src", "src"];

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        collect(Path::new(source), &mut files)?;
    }
    files.sort();
    let mut hash = DefaultHasher::new();
    for file in files {
        file.hash(&mut hash);
        fs::read(&file)?.hash(&mut hash);
    }
    println!("cargo::rustc-env=SSBUILD_SOURCES={:016x}", hash.finish());
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        // The lock file is not part of a published package.
        files.extend(path.exists().then(|| path.to_owned()));
        return Ok(());
    }
    fs::read_dir(path)?.try_for_each(|entry| collect(&entry?.path(), files))
}
