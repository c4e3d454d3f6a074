//! Loads a build and makes sure that it is whole before anything is served from it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::manifest::{self, CopiedPackage, Manifest};
use crate::{copied, hex};

/// A build on disk whose every file is there and has the bytes that the manifest promises.
#[derive(Debug, Clone)]
pub struct Build {
    /// The folder that the manifest's paths are relative to.
    pub dist: PathBuf,
    /// What the build holds.
    pub manifest: Manifest,
}

/// Why a build is not served.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file could not be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no manifest.
    #[error("there is no build in {}: `ssbuild build` makes one", dist.display())]
    Missing {
        /// The folder that was looked in.
        dist: PathBuf,
    },
    /// The manifest is not one.
    #[error("{} is not a manifest: {message}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The manifest is of another version.
    #[error(
        "the build was made for manifests of version {found}, this server reads version {}: use an ssserve of the same release as the ssbuild",
        manifest::SCHEMA
    )]
    Schema {
        /// Its version.
        found: u64,
    },
    /// The build was made for another environment.
    #[error(
        "the build in this folder is for `{built}`, not for `{wanted}`: build again with `--env {wanted}`, or serve it with `--env {built}`"
    )]
    Environment {
        /// The manifest's.
        built: String,
        /// The caller's.
        wanted: String,
    },
    /// A path in the manifest leads out of the folder.
    #[error("the manifest names `{file}`, which is not a path below the build's folder")]
    Escapes {
        /// The path.
        file: String,
    },
    /// A file has other bytes than the manifest says.
    #[error("`{file}` is not what the manifest promises: {message}: build again, or copy the whole folder again")]
    Damaged {
        /// The path, below `dist`.
        file: String,
        /// The difference.
        message: String,
    },
}

impl Build {
    /// Loads the build that is selected in `dist`; with `env`, only one for that environment.
    pub fn load(dist: &Path, env: Option<&str>) -> Result<Self, LoadError> {
        let path = dist.join(manifest::FILE_NAME);
        let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => LoadError::Missing { dist: dist.to_owned() },
            _ => LoadError::Read { path: path.clone(), error },
        })?;
        let malformed = |message: String| LoadError::Malformed { path: path.clone(), message };
        // The version first: of another one, nothing else can be read.
        let any: serde_json::Value = serde_json::from_str(&text).map_err(|e| malformed(e.to_string()))?;
        match any.get("schema").and_then(serde_json::Value::as_u64) {
            None => return Err(malformed("it has no `schema`".to_owned())),
            Some(found) if found != u64::from(manifest::SCHEMA) => return Err(LoadError::Schema { found }),
            Some(_) => {}
        }
        let manifest: Manifest = serde_json::from_str(&text).map_err(|e| malformed(e.to_string()))?;
        if let Some(wanted) = env.filter(|wanted| *wanted != manifest.env) {
            return Err(LoadError::Environment { built: manifest.env, wanted: wanted.to_owned() });
        }
        Self::check(dist, manifest)
    }

    /// A build of `dist` by its manifest, when every file of it is there.
    pub fn check(dist: &Path, manifest: Manifest) -> Result<Self, LoadError> {
        let build = Self { dist: dist.to_owned(), manifest };
        build.check_files()?;
        Ok(build)
    }

    /// Reads one of the build's files as text.
    pub fn read_text(&self, file: &str) -> Result<String, LoadError> {
        let path = self.dist.join(file);
        std::fs::read_to_string(&path).map_err(|error| LoadError::Read { path, error })
    }

    fn check_files(&self) -> Result<(), LoadError> {
        for (file, bytes, sha256) in self.files() {
            check_below(file)?;
            check_file(&self.dist.join(file), file, bytes, sha256)?;
        }
        self.manifest.server.packages.iter().try_for_each(|package| check_package(&self.dist, package))
    }

    /// Every file of the build: path, length and SHA-256.
    fn files(&self) -> impl Iterator<Item = (&str, u64, &str)> {
        let Manifest { assets, files, incompatible_browsers, server, .. } = &self.manifest;
        let public = assets.values().chain(files.values()).flat_map(|asset| {
            let encoded = asset.encodings.values().map(|e| (e.file.as_str(), e.bytes, e.sha256.as_str()));
            std::iter::once((asset.file.as_str(), asset.bytes, asset.sha256.as_str())).chain(encoded)
        });
        let private = std::iter::once(&server.bundle).chain(&server.map).chain(&server.config).chain(&server.files);
        let private = private.chain(incompatible_browsers.values());
        public.chain(private.map(|f| (f.file.as_str(), f.bytes, f.sha256.as_str())))
    }
}

fn check_below(file: &str) -> Result<(), LoadError> {
    let below = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    if below && !file.is_empty() { Ok(()) } else { Err(LoadError::Escapes { file: file.to_owned() }) }
}

fn check_package(dist: &Path, package: &CopiedPackage) -> Result<(), LoadError> {
    let CopiedPackage { folder, sha256, .. } = package;
    check_below(folder)?;
    let found = copied::hash_of(&dist.join(folder)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => LoadError::Damaged { file: folder.clone(), message: "it is not there".to_owned() },
        _ => LoadError::Read { path: dist.join(folder), error },
    })?;
    if found == *sha256 {
        return Ok(());
    }
    let message = "a file in it was changed, added or removed".to_owned();
    Err(LoadError::Damaged { file: folder.clone(), message })
}

fn check_file(path: &Path, file: &str, bytes: u64, sha256: &str) -> Result<(), LoadError> {
    let damaged = |message: String| LoadError::Damaged { file: file.to_owned(), message };
    let read = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => damaged("it is not there".to_owned()),
        _ => LoadError::Read { path: path.to_owned(), error },
    };
    let mut source = File::open(path).map_err(read)?;
    let metadata = source.metadata().map_err(read)?;
    if !metadata.is_file() {
        return Err(damaged("it is not a regular file".to_owned()));
    }
    if metadata.len() != bytes {
        return Err(damaged(format!("it has {} bytes instead of {bytes}", metadata.len())));
    }
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match source.read(&mut buffer).map_err(read)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    let found = hex::encode(&hash.finalize());
    if found == sha256 { Ok(()) } else { Err(damaged(format!("its SHA-256 is {found} instead of {sha256}"))) }
}
