//! A build: everything that will lie in `dist`, by place, before it is written.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use ssbuild_server::{
    config::Compress,
    manifest::{Asset, EncodedFile, Encoding, PrivateFile},
};

use crate::{
    asset::{Fingerprint, content_type, fingerprinted, integrity},
    cache::{Cache, Keyed},
    compress,
    output::{Bytes, Files, StagedFile},
};

/// Collects the files of one build.
#[derive(Debug, Default)]
pub struct Build {
    /// Logical path to bytes.
    assets: BTreeMap<String, Draft>,
    /// URL path, with its leading `/`, to bytes.
    files: BTreeMap<String, Draft>,
    /// Path below the build's folder to bytes.
    private: BTreeMap<String, Draft>,
    /// Those of them that are programs.
    programs: BTreeSet<String>,
}

#[derive(Debug)]
struct Draft {
    bytes: Bytes,
    map: Option<String>,
    /// When it is written and hashed already; with its integrity, if it is served. Then `bytes` may be left out.
    staged: Option<(StagedFile, Option<String>)>,
}

/// A draft and its hashes.
struct Hashed {
    bytes: Bytes,
    length: u64,
    staged: Option<StagedFile>,
    map: Option<String>,
    fingerprint: Fingerprint,
    /// Nothing for what no browser is given.
    integrity: Option<String>,
}

/// A build whose files are final: it has an id, and what the manifest says of them.
#[derive(Debug)]
pub struct Sealed {
    /// The build's id.
    pub id: String,
    /// Logical path to what is served.
    pub assets: BTreeMap<String, Asset>,
    /// URL path to what is served under its own name.
    pub served: BTreeMap<String, Asset>,
    /// Path below the build's folder to what only the server reads.
    pub private: BTreeMap<String, PrivateFile>,
    /// The bytes of all of them.
    pub files: Files,
}

impl Build {
    /// Adds a fingerprinted asset.
    pub fn asset(&mut self, logical: &str, bytes: impl Into<Bytes>) {
        self.assets.insert(logical.to_owned(), Draft::new(bytes.into(), None));
    }

    /// Adds a fingerprinted asset that is written already.
    pub fn staged_asset(&mut self, logical: &str, bytes: impl Into<Bytes>, file: StagedFile, integrity: String) {
        let draft = Draft { staged: Some((file, Some(integrity))), ..Draft::new(bytes.into(), None) };
        self.assets.insert(logical.to_owned(), draft);
    }

    /// Adds a file that is written already and that only the server reads.
    pub fn staged_private(&mut self, path: &str, file: StagedFile) {
        let draft = Draft { staged: Some((file, None)), ..Draft::new(Bytes::default(), None) };
        self.private.insert(path.to_owned(), draft);
    }

    /// Adds a fingerprinted asset and its source map, which is an asset too.
    pub fn mapped_asset(&mut self, logical: &str, bytes: impl Into<Bytes>, map: impl Into<Bytes>) {
        let map_path = format!("{logical}.map");
        self.asset(&map_path, map);
        self.assets.insert(logical.to_owned(), Draft::new(bytes.into(), Some(map_path)));
    }

    /// Adds a file that is served under its own name.
    pub fn file(&mut self, path: &str, bytes: impl Into<Bytes>) {
        self.files.insert(format!("/{path}"), Draft::new(bytes.into(), None));
    }

    /// Adds a file that only the server reads.
    pub fn private(&mut self, path: &str, bytes: impl Into<Bytes>) {
        self.private.insert(path.to_owned(), Draft::new(bytes.into(), None));
    }

    /// A file that only the server reads is a program.
    pub fn program(&mut self, path: &str) {
        self.programs.insert(path.to_owned());
    }

    /// Compresses, names and counts everything. `salt` is what else makes two builds different.
    pub fn seal(self, how: Compress, salt: &[&str], cache: &Cache) -> std::io::Result<Sealed> {
        let Self { assets, files, private, programs } = self;
        let ((assets, files), private) =
            rayon::join(|| rayon::join(|| hashed(assets, true), || hashed(files, true)), || hashed(private, false));
        let mut sealed = HashedBuild { assets, files, private }.seal(how, salt, cache)?;
        sealed.files.programs = programs;
        Ok(sealed)
    }
}

/// All files of a build, with their hashes.
struct HashedBuild {
    assets: BTreeMap<String, Hashed>,
    files: BTreeMap<String, Hashed>,
    private: BTreeMap<String, Hashed>,
}

impl HashedBuild {
    fn seal(self, how: Compress, salt: &[&str], cache: &Cache) -> std::io::Result<Sealed> {
        let encoded = self.encode(how, cache)?;
        let none = BTreeMap::new();
        let encodings = |path: &str, draft: &Hashed| match content_type(path).compressible {
            true => encoded.get(&draft.fingerprint).unwrap_or(&none),
            false => &none,
        };
        let id = self.id(&encoded, salt);

        let mut files = Files::default();
        let mut place = |folder: Folder<'_>, path: &str, name: &str, draft: &Hashed| {
            let target = match folder {
                Folder::Assets => &mut files.assets,
                Folder::Build(_) => &mut files.build,
            };
            let on_disk = |name: &str| match folder {
                Folder::Assets => format!("public/assets/{name}"),
                Folder::Build(id) => format!("builds/{id}/{name}"),
            };
            target.insert(name.to_owned(), Arc::clone(&draft.bytes));
            files.staged.extend(draft.staged.iter().map(|file| (on_disk(name), file.clone())));
            let encodings = encodings(path, draft).iter().map(|(&encoding, bytes)| {
                let name = format!("{name}.{}", encoding.extension());
                target.insert(name.clone(), Arc::clone(bytes));
                let sha256 = Fingerprint::of(bytes).as_str().to_owned();
                (encoding, EncodedFile { file: on_disk(&name), bytes: bytes.len() as u64, sha256 })
            });
            Asset {
                encodings: encodings.collect(),
                file: on_disk(name),
                bytes: draft.length,
                sha256: draft.fingerprint.as_str().to_owned(),
                integrity: draft.integrity.clone().expect("what is served has one"),
                content_type: content_type(path).header.to_owned(),
                map: draft.map.clone(),
                immutable: matches!(folder, Folder::Assets),
            }
        };
        let assets = self.assets.iter().map(|(logical, draft)| {
            (logical.clone(), place(Folder::Assets, logical, &fingerprinted(logical, &draft.fingerprint), draft))
        });
        let assets = assets.collect();
        let served = self
            .files
            .iter()
            .map(|(path, draft)| (path.clone(), place(Folder::Build(&id), path, &format!("root{path}"), draft)));
        let served = served.collect();
        let private = self.private.iter().map(|(path, draft)| {
            files.build.insert(path.clone(), Arc::clone(&draft.bytes));
            let (file, sha256) = (format!("builds/{id}/{path}"), draft.fingerprint.as_str().to_owned());
            files.staged.extend(draft.staged.iter().map(|staged| (file.clone(), staged.clone())));
            (path.clone(), PrivateFile { file, bytes: draft.length, sha256 })
        });
        let private = private.collect();
        for (path, draft) in &self.files {
            files.public.insert(path[1..].to_owned(), Arc::clone(&draft.bytes));
        }
        Ok(Sealed { id, assets, served, private, files })
    }

    /// Each text that is served, compressed once however many places it has.
    fn encode(
        &self,
        how: Compress,
        cache: &Cache,
    ) -> std::io::Result<BTreeMap<Fingerprint, BTreeMap<Encoding, Bytes>>> {
        if how == Compress::Off {
            return Ok(BTreeMap::new());
        }
        let texts: BTreeMap<&Fingerprint, &Bytes> = self
            .assets
            .iter()
            .chain(&self.files)
            .filter(|(path, _)| content_type(path).compressible)
            .map(|(_, draft)| (&draft.fingerprint, &draft.bytes))
            .collect();
        texts
            .into_par_iter()
            .map(|(fingerprint, bytes)| {
                let key = Keyed::new("encodings").with(fingerprint.as_str()).with_value(&how).done();
                let encoded: Arc<BTreeMap<Encoding, Vec<u8>>> = match cache.get(key) {
                    Some(known) => known,
                    None => {
                        let made = Arc::new(compress::encodings(bytes, how)?);
                        cache.put(key, &made);
                        made
                    }
                };
                let encoded = Arc::unwrap_or_clone(encoded);
                Ok((
                    fingerprint.clone(),
                    encoded.into_iter().map(|(encoding, bytes)| (encoding, bytes.into())).collect(),
                ))
            })
            .collect()
    }

    fn id(&self, encoded: &BTreeMap<Fingerprint, BTreeMap<Encoding, Bytes>>, salt: &[&str]) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        salt.iter().for_each(|text| part(text));
        for (kind, drafts) in [("assets", &self.assets), ("files", &self.files), ("private", &self.private)] {
            part(kind);
            for (path, draft) in drafts {
                part(path);
                part(draft.fingerprint.as_str());
            }
        }
        // Levels of compression make other files of the same bytes.
        for bytes in encoded.values().flat_map(BTreeMap::values) {
            part(Fingerprint::of(bytes).as_str());
        }
        Fingerprint::of(&hash.finalize()).short().to_owned()
    }
}

#[derive(Clone, Copy)]
enum Folder<'a> {
    Assets,
    Build(&'a str),
}

impl Draft {
    fn new(bytes: Bytes, map: Option<String>) -> Self {
        Self { bytes, map, staged: None }
    }
}

/// Hashes every file, the parts of the work spread over all threads.
fn hashed(drafts: BTreeMap<String, Draft>, served: bool) -> BTreeMap<String, Hashed> {
    let hash = |(path, Draft { bytes, map, staged }): (String, Draft)| {
        if let Some((file, integrity)) = staged {
            let (length, fingerprint) = (file.bytes, Fingerprint::from_digest(&file.sha256));
            return (path, Hashed { bytes, length, staged: Some(file), map, fingerprint, integrity });
        }
        let (fingerprint, integrity) = rayon::join(|| Fingerprint::of(&bytes), || served.then(|| integrity(&bytes)));
        (path, Hashed { length: bytes.len() as u64, staged: None, bytes, map, fingerprint, integrity })
    };
    drafts.into_par_iter().map(hash).collect()
}
