//! The contract between the compiler and the server: what a build holds and how it is to be served.
//!
//! `ssbuild` writes it, `ssserve` loads it; the types live here so that neither can drift. Paths in it are
//! relative to `dist`, with `/`. Every map is sorted, so the same build gives the same text.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of this layout. A server refuses a manifest of another version.
pub const SCHEMA: u32 = 1;

/// File name of the manifest in `dist`; it is renamed into place last, which selects the build.
pub const FILE_NAME: &str = "manifest.json";

/// One build, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA`] of the tool that wrote it.
    pub schema: u32,
    /// First 16 hex digits of the SHA-256 over everything in the build but this file and the heads of pages.
    pub build_id: String,
    /// Environment the app was compiled for.
    pub env: String,
    /// What wrote it.
    pub tool: Tool,
    /// The app's name, part of the session cookie's name: `[a-z0-9_]+`.
    pub app: String,
    /// Base URL of the assets when they are on another host, without a trailing slash.
    pub cdn_base: Option<String>,
    /// Route (`/`, `/admin`) to page.
    pub pages: BTreeMap<String, Page>,
    /// Bundle name (`lib`, `app`, `admin`) to the logical paths of its assets.
    pub bundles: BTreeMap<String, Bundle>,
    /// Stable chunk id to the logical path of its asset.
    pub chunks: BTreeMap<String, String>,
    /// Logical path (`app.js`, `images/logo.png`) to the fingerprinted file below `public/assets/`.
    pub assets: BTreeMap<String, Asset>,
    /// URL path (`/favicon.ico`) to the file served under its own name.
    pub files: BTreeMap<String, Asset>,
    /// Files of `static/incompatible_browsers` by their path below it, for browsers that cannot run the app.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub incompatible_browsers: BTreeMap<String, PrivateFile>,
    /// The server half of the app.
    pub server: Server,
    /// The three API trees.
    pub api: Api,
    /// Ids of the client-side templates.
    pub templates: Vec<String>,
    /// `config.client` as the build evaluated it.
    pub client_config: serde_json::Map<String, serde_json::Value>,
}

/// Name and version of the program that made the build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `ssbuild`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One page of the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The page's text, cut where the base URL of the assets belongs.
    pub segments: Vec<Segment>,
    /// Content-Security-Policy computed from the page: directive to sources. The CDN's origin is added when served.
    pub csp: BTreeMap<String, Vec<String>>,
}

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Segment {
    /// Text as it stands.
    Text(String),
    /// Where the base URL of the assets goes; nothing when there is none.
    AssetBase,
    /// An attribute that is wanted only when assets come from another host.
    CrossOrigin,
}

/// The assets that a page loads under one name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Logical path of the script.
    pub script: Option<String>,
    /// Logical path of the stylesheet.
    pub style: Option<String>,
}

/// Bytes ready to serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Where the bytes are, below `dist`.
    pub file: String,
    /// How many there are.
    pub bytes: u64,
    /// Their SHA-256 in lower-case hex; its first 16 digits are in the name when fingerprinted.
    pub sha256: String,
    /// Their SHA-384 in the form of an `integrity` attribute (W3C Subresource Integrity).
    pub integrity: String,
    /// Value of the `Content-Type` header.
    pub content_type: String,
    /// Logical path of its source map, sent as the `SourceMap` header: maps are hashed before code, and code does not name them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<String>,
    /// Whether the name is fingerprinted, so that the bytes behind it never change.
    pub immutable: bool,
    /// The same bytes, compressed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub encodings: BTreeMap<Encoding, EncodedFile>,
}

/// A content coding (RFC 9110 §8.4.1), in the server's order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Encoding {
    /// Brotli (RFC 7932).
    #[serde(rename = "br")]
    Brotli,
    /// Zstandard (RFC 8878).
    #[serde(rename = "zstd")]
    Zstd,
    /// gzip (RFC 1952).
    #[serde(rename = "gzip")]
    Gzip,
}

impl Encoding {
    /// All of them, preferred first.
    pub const ALL: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// The token of `Content-Encoding`.
    pub fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The ending of the file beside the plain one.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zst",
            Self::Gzip => "gz",
        }
    }
}

/// A compressed file beside its plain one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EncodedFile {
    /// Where it is, below `dist`.
    pub file: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hex.
    pub sha256: String,
}

/// A file that the server reads for itself and never serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrivateFile {
    /// Where it is, below `dist`.
    pub file: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hex.
    pub sha256: String,
}

/// The server half of the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Which engine runs the actions.
    pub engine: EngineKind,
    /// Why that one, in a sentence for the log.
    pub engine_reason: String,
    /// All server modules, linked: one script in the bundle format of the book.
    pub bundle: PrivateFile,
    /// Its source map, for stacks in the log.
    pub map: Option<PrivateFile>,
    /// The app's config files, in the order in which later wins.
    pub config: Vec<PrivateFile>,
    /// What of `config/{db,events,http}.*` the app has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
    /// Files that lie beside the app's own server code, which asks where it lies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PrivateFile>,
    /// Packages that are not linked but copied, since they need a folder of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<CopiedPackage>,
}

/// A file of `config` that runs in the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Hook {
    /// Start-up code.
    Db,
    /// Handlers of events.
    Events,
    /// Middleware.
    Http,
}

/// A package of npm that is copied into the build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopiedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it is, below `dist`.
    pub folder: String,
    /// Why it is not linked.
    pub reason: String,
    /// How many files it has.
    pub files: usize,
    /// SHA-256 over paths and bytes of its files, in lower-case hex.
    pub sha256: String,
}

/// What runs the app's server code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// QuickJS inside the server process.
    Embedded,
    /// Supervised Node.js worker processes.
    Node,
}

/// The API trees, flat. A path is its parts joined by `/`: `geo/code/lookup` is `SS.server.geo.code.lookup`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Nodes of `SS.client` and what they export, as far as the syntax tells.
    pub client: BTreeMap<String, Vec<String>>,
    /// Nodes of `SS.shared` and what they export, as far as the syntax tells.
    pub shared: BTreeMap<String, Vec<String>>,
    /// Actions of `SS.server`. Nothing else of the server can be called.
    pub server: BTreeMap<String, Action>,
}

/// One callable action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Names of its data parameters, without the callback.
    pub params: Vec<String>,
    /// Whether the last of them takes all further arguments.
    #[serde(default)]
    pub rest: bool,
    /// How it answers.
    pub style: Style,
    /// Whether only a logged-in user may call it (`exports.authenticate = true`).
    #[serde(default)]
    pub guard: bool,
}

/// How an action answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Through a callback that stands right behind the data parameters.
    Callback,
    /// By its return value or the promise it returns.
    Value,
}

/// The layout as a JSON Schema (draft 2020-12), for whoever reads manifests with other tools.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Manifest).to_value();
    schema["title"] = "The manifest of a build of ssbuild".into();
    schema["properties"]["schema"]["const"] = SCHEMA.into();
    schema
}
