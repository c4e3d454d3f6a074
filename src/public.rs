//! Files that stylesheets and pages can name: those of `public`, and others of the app that only a stylesheet reaches.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rayon::prelude::*;

use crate::{
    asset::{Fingerprint, content_type, fingerprinted},
    disk::{Disk, DiskError, Kind},
    output::Bytes,
    project::{PUBLIC_BYTES_MAX, Project, Role},
    style::UrlResolver,
    zone::Zone,
};

/// What must be escaped in a path of a URL (RFC 3986 §3.3), and what would end a `url()` or an attribute.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// All files that can be named, and which of them are.
pub struct PublicFiles {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By path below the app; `None` when it was looked for and is not there.
    files: BTreeMap<String, Option<PublicFile>>,
    failed: Option<DiskError>,
}

/// One file.
#[derive(Debug, Clone)]
pub struct PublicFile {
    /// Its logical path: below `public`, or below the app when it is not in `public`.
    pub logical: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// The fingerprint of the bytes.
    pub fingerprint: Fingerprint,
    /// Whether a stylesheet or a page names it.
    pub named: bool,
}

impl PublicFiles {
    /// Reads `public`.
    pub fn read(disk: &Arc<dyn Disk>, project: &Project) -> Result<Self, DiskError> {
        let entries: Vec<_> = project.of(Role::Public).collect();
        let read = |path: &str| -> Result<(String, Option<PublicFile>), DiskError> {
            Ok((path.to_owned(), Some(PublicFile::new(path, disk.read(&project.root.join(path))?))))
        };
        let files = entries.par_iter().map(|entry| read(&entry.path)).collect::<Result<_, _>>()?;
        let state = Mutex::new(State { files, failed: None });
        Ok(Self { disk: Arc::clone(disk), root: project.root.clone(), state })
    }

    /// The files of `public`, by their path below it.
    pub fn public(&self) -> Vec<(String, Bytes)> {
        let state = self.state();
        let public =
            state.files.iter().filter_map(|(path, file)| Some((path.strip_prefix("public/")?, file.as_ref()?)));
        public.map(|(path, file)| (path.to_owned(), Arc::clone(&file.bytes))).collect()
    }

    /// Ends the time of asking: the files that were named, or what went wrong when one was read.
    pub fn named(&self) -> Result<Vec<PublicFile>, DiskError> {
        let mut state = self.state();
        if let Some(error) = state.failed.take() {
            return Err(error);
        }
        Ok(state.files.values().flatten().filter(|file| file.named).cloned().collect())
    }

    /// What a stylesheet would write for a file, which is not noted.
    pub fn peek_from_sheets(&self, path: &str) -> Option<String> {
        self.look_up(path, false).map(|name| url_path(&name))
    }

    /// Notes that a file is named.
    pub fn note(&self, path: &str) {
        self.look_up(path, true);
    }

    /// The fingerprinted path of a file below `assets`, noting that it is named.
    fn name(&self, path: &str) -> Option<String> {
        self.look_up(path, true)
    }

    /// Makes a file that code imports one that can be named, wherever it lies; whether it is there and may be served.
    pub fn admit(&self, path: &str) -> Result<bool, DiskError> {
        if self.state().files.get(path).is_some_and(Option::is_some) {
            return Ok(true);
        }
        let absolute = self.root.join(path);
        let fits = matches!(self.disk.kind(&absolute)?, Some(Kind::File(bytes)) if bytes <= PUBLIC_BYTES_MAX);
        if Zone::of(path).is_private() || !fits {
            return Ok(false);
        }
        let file = PublicFile::new(path, self.disk.read(&absolute)?);
        self.state().files.insert(path.to_owned(), Some(file));
        Ok(true)
    }

    fn look_up(&self, path: &str, noted: bool) -> Option<String> {
        self.with(path, |file| {
            file.named |= noted;
            fingerprinted(&file.logical, &file.fingerprint)
        })
    }

    /// The bytes of a file that can be named.
    fn bytes(&self, path: &str) -> Option<Bytes> {
        self.with(path, |file| Arc::clone(&file.bytes))
    }

    fn with<T>(&self, path: &str, use_file: impl FnOnce(&mut PublicFile) -> T) -> Option<T> {
        let mut state = self.state();
        if !state.files.contains_key(path) {
            let file = self.look_for(path).unwrap_or_else(|error| {
                state.failed.get_or_insert(error);
                None
            });
            state.files.insert(path.to_owned(), file);
        }
        Some(use_file(state.files.get_mut(path)?.as_mut()?))
    }

    /// A file outside of `public`: an image beside a library's stylesheet, a font of a package.
    fn look_for(&self, path: &str) -> Result<Option<PublicFile>, DiskError> {
        let below = match Zone::of(path) {
            zone if zone.is_private() => return Ok(None),
            // Packages may be installed in a folder above, for several apps.
            Zone::Package => path.trim_start_matches("../"),
            _ => path,
        };
        if below.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Ok(None);
        }
        let absolute = self.root.join(path);
        match self.disk.kind(&absolute)? {
            Some(Kind::File(bytes)) if bytes <= PUBLIC_BYTES_MAX && self.is_inside(&absolute)? => {
                Ok(Some(PublicFile::new(path, self.disk.read(&absolute)?)))
            }
            _ => Ok(None),
        }
    }

    /// Links must not lead out of the app or to what is private; packages may be links to a store beside it.
    fn is_inside(&self, path: &Path) -> Result<bool, DiskError> {
        let Some(real) = self.disk.canonical(path)? else { return Ok(false) };
        let name = crate::zone::relative(&self.root, &real);
        Ok(!Zone::of(&name).is_private() && (!name.starts_with("../") || Zone::of(&name) == Zone::Package))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of it is a single insertion: it is whole even if a holder panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PublicFile {
    fn new(path: &str, bytes: Vec<u8>) -> Self {
        let fingerprint = Fingerprint::of(&bytes);
        let logical = path.strip_prefix("public/").unwrap_or(path).replace("../", "_/");
        Self { logical, bytes: bytes.into(), fingerprint, named: false }
    }
}

/// A path as it stands in a URL.
pub fn url_path(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// Names files relative to the stylesheets, which lie at the top of `assets`: right on every host.
#[derive(Clone, Copy)]
pub struct FromSheets<'a> {
    /// The files.
    pub files: &'a PublicFiles,
    /// Largest file that becomes a `data:` URL, in bytes; 0 for none.
    pub inline_bytes: u64,
}

impl FromSheets<'_> {
    /// Whether a sheet that once was told this would be told the same now. Nothing is noted.
    pub fn would_say(&self, file: &str, url: Option<&str>) -> bool {
        match url {
            Some(data) if data.starts_with("data:") => self.inlined(file).as_deref() == Some(data),
            url => self.files.peek_from_sheets(file).as_deref() == url,
        }
    }
}

impl UrlResolver for FromSheets<'_> {
    fn url_of(&self, file: &str) -> Option<String> {
        self.files.name(file).map(|name| url_path(&name))
    }

    fn inlined(&self, file: &str) -> Option<String> {
        if self.inline_bytes == 0 {
            return None;
        }
        let bytes = self.files.bytes(file).filter(|bytes| bytes.len() as u64 <= self.inline_bytes)?;
        let kind = content_type(file).header.replace(' ', "");
        Some(format!("data:{kind};base64,{}", STANDARD.encode(bytes.as_slice())))
    }
}

/// Names files from the root of the host that has the assets.
pub struct FromPages(pub Arc<PublicFiles>);

impl UrlResolver for FromPages {
    fn url_of(&self, file: &str) -> Option<String> {
        self.0.name(file).map(|name| format!("/assets/{}", url_path(&name)))
    }
}
