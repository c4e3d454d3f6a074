//! What an import makes of a file, by the file's ending and by what stands behind a `?`.

use std::path::Path;

use ssbuild_script::ImportKind;

use crate::project::Format;

/// What the importing module gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// What the file exports: it is a script, JSON, or a stylesheet.
    Module,
    /// Its address, or itself as an address when it is small.
    Url,
    /// Its address, however small it is.
    Served,
    /// Itself as an address; of a stylesheet, its text.
    Inline,
    /// Its text.
    Raw,
    /// The address of the program that it is the first module of.
    WorkerUrl,
    /// A function that starts that program.
    Worker,
    /// The same for a program that pages share.
    SharedWorker,
    /// What the WebAssembly module exports.
    Wasm,
    /// A function that makes an instance of the WebAssembly module.
    WasmInit,
    /// What Node.js shows an ES module of a CommonJS module.
    Node,
    /// The address as it is written: nothing is there.
    Absent,
}

/// Endings of files that are no code, and only named.
const ASSETS: &[&str] = &[
    "aac",
    "apng",
    "avif",
    "bin",
    "bmp",
    "csv",
    "cur",
    "dat",
    "eot",
    "exr",
    "fbx",
    "flac",
    "gif",
    "glb",
    "gltf",
    "glsl",
    "gz",
    "hdr",
    "ico",
    "jfif",
    "jpeg",
    "jpg",
    "jxl",
    "ktx2",
    "m4a",
    "m4v",
    "mov",
    "mp3",
    "mp4",
    "mtl",
    "obj",
    "ogg",
    "ogv",
    "onnx",
    "opus",
    "otf",
    "pdf",
    "pjp",
    "pjpeg",
    "png",
    "stl",
    "svg",
    "tif",
    "tiff",
    "ttc",
    "ttf",
    "txt",
    "vtt",
    "wav",
    "webm",
    "webmanifest",
    "webp",
    "woff",
    "woff2",
    "zip",
];

impl Form {
    /// Of an import, as it is written and as it was found; nothing for what cannot be imported like that.
    pub fn of(specifier: &str, path: &Path, kind: ImportKind) -> Option<Self> {
        match kind {
            ImportKind::Url => return Some(Self::Url),
            ImportKind::Worker => return Some(Self::WorkerUrl),
            ImportKind::Static | ImportKind::Require | ImportKind::Dynamic => {}
        }
        let words = || specifier.split_once('?').into_iter().flat_map(|(_, query)| query.split('&'));
        let has = |word: &str| words().any(|there| there == word);
        let form = match () {
            () if has("raw") => Self::Raw,
            () if has("worker") && has("url") => Self::WorkerUrl,
            () if has("worker") => Self::Worker,
            () if has("sharedworker") => Self::SharedWorker,
            () if has("inline") => Self::Inline,
            () if has("no-inline") => Self::Served,
            () if has("url") => Self::Url,
            () if has("init") => Self::WasmInit,
            () => return Self::of_file(path),
        };
        Some(form)
    }

    fn of_file(path: &Path) -> Option<Self> {
        let format = Format::of(&path.to_string_lossy());
        if format.language().is_some() || format.is_sheet() {
            return Some(Self::Module);
        }
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "wasm" => Some(Self::Wasm),
            ending => ASSETS.contains(&ending).then_some(Self::Url),
        }
    }

    /// What stands behind the name of a module that is not what its ending says.
    pub fn suffix(self, path: &Path) -> &'static str {
        match self {
            form if Self::of_file(path) == Some(form) => "",
            Self::Module => "?module",
            Self::Url => "?url",
            Self::Served => "?no-inline",
            Self::Inline => "?inline",
            Self::Raw => "?raw",
            Self::WorkerUrl => "?worker&url",
            Self::Worker => "?worker",
            Self::SharedWorker => "?sharedworker",
            Self::Wasm => "?wasm",
            Self::WasmInit => "?init",
            Self::Node => "?node",
            Self::Absent => "?absent",
        }
    }

    /// Whether it is a program of its own.
    pub fn is_worker(self) -> bool {
        matches!(self, Self::WorkerUrl | Self::Worker | Self::SharedWorker)
    }
}

/// The file's part of a module's name.
pub fn file_of(name: &str) -> &str {
    name.split('?').next().unwrap_or(name)
}
