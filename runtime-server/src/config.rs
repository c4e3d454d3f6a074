//! The configuration tree: every key with its default, declared once, for the compiler and the server alike.
//!
//! Layers, later wins: defaults < environment preset < `config/app.*` < `config/environments/<env>.*` <
//! `SS__HTTP__PORT=…` variables < flags. Objects are merged deeply, everything else is replaced.
//! The build reads what it needs (`build` keys and `client`); the server reads the rest when it starts, from the
//! config sources in the build, then variables and flags.

mod layers;
pub mod module;
mod schema;

pub use layers::{ConfigProblem, Layer, Layers, Origin, Resolved};
pub use schema::schema;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// The whole tree, typed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The app's name, part of the session cookie's name; by default that of `package.json`, else `app`; reduced to `[a-z0-9_]`.
    pub name: Option<String>,
    /// Passed to the browser as `SS.config`.
    pub client: serde_json::Map<String, serde_json::Value>,
    /// Compiling.
    pub build: Build,
    /// Styles.
    pub css: Css,
    /// The HTTP server.
    pub http: Http,
    /// TLS.
    pub https: Https,
    /// The server process.
    pub server: Server,
    /// Browsers that cannot run the app.
    pub browser_check: BrowserCheck,
    /// The HTTP API.
    pub api: Api,
    /// Logging.
    pub log: Log,
    /// Sessions.
    pub session: Session,
    /// Users online.
    pub users: Users,
    /// Redis or Valkey, for more than one server and for `R`.
    pub redis: Redis,
    /// Content-Security-Policy.
    pub csp: Csp,
    /// Working on the app.
    pub dev: Dev,
    /// Limits.
    pub limits: Limits,
    /// The app's own keys, for its server code (`SS.config.app`).
    pub app: serde_json::Map<String, serde_json::Value>,
    /// Where the app's databases are, for its server code: `config/db.*` reads `SS.config.db`.
    pub db: serde_json::Map<String, serde_json::Value>,
    /// What stands in the app's files under keys that the tree does not have: of no meaning here, but server code finds
    /// it where it was written, as in 2011.
    #[serde(skip)]
    pub others: serde_json::Map<String, serde_json::Value>,
}

impl Config {
    /// What server code finds as `SS.config`.
    pub fn for_server_code(&self) -> serde_json::Value {
        let Ok(serde_json::Value::Object(tree)) = serde_json::to_value(self) else {
            unreachable!("a configuration is a JSON object")
        };
        let mut all = self.others.clone();
        layers::merge(&mut all, &tree);
        serde_json::Value::Object(all)
    }
}

macro_rules! section {
    ($(#[doc = $about:literal])* $name:ident { $($(#[doc = $doc:literal])* $field:ident: $kind:ty = $value:expr,)* }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: $kind,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $value,)* }
            }
        }
    };
}

section! {
    /// Compiling.
    Build {
        /// `off`, `fast` (one syntax pass and short names) or `max` (swc's compressor as well).
        minify: Minify = Minify::Fast,
        /// `linked` beside the code, `private` in the build's folder only, or `off`.
        maps: Maps = Maps::Private,
        /// Whether to write `.br`, `.zst` and `.gz` beside text assets.
        compress: Compress = Compress::Fast,
        /// Base URL of the assets, when they are on another host.
        cdn_base: Option<String> = None,
        /// `auto`, `embedded` or `node`.
        engine: EngineChoice = EngineChoice::Auto,
        /// Most bytes as a browser gets them, by logical path (`app.js`) or by route for all that its page loads (`/`).
        budget_bytes: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new(),
        /// How many builds are kept, the new one included.
        keep: usize = 3,
        /// Builds that are younger than so many days are kept beyond `keep`: pages that are open for days ask for their files.
        keep_days: Option<u32> = None,
        /// Whether to write `.vite/manifest.json` beside the pages, in the shape of Vite's manifest.
        vite_manifest: bool = false,
        /// Largest size of the cache on disk (`.ssbuild/cache`), in MiB.
        cache_mib: u32 = 512,
        /// Files of `public` that pages ask for before anything names them, by `<link rel="preload">`.
        preload: Vec<String> = Vec::new(),
        /// Browsers to prefix and lower styles for, as browserslist queries.
        targets: Vec<String> = vec!["baseline widely available".to_owned()],
        /// Names, with dots, and the literal that stands for each in all code (`{"__VERSION__": "1.2", "import.meta.env.STAGE": 3}`).
        define: std::collections::BTreeMap<String, DefinedValue> = std::collections::BTreeMap::new(),
    }
}

/// What a name of `build.define` stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum DefinedValue {
    /// `true` or `false`.
    Truth(bool),
    /// A number.
    Number(serde_json::Number),
    /// A string; it is a string in the code as well, not code itself.
    Text(String),
    /// `null`.
    Null(()),
}

section! {
    /// Styles.
    Css {
        /// Who compiles SCSS and Sass: `grass`, which is built in, or `dart`, the app's own package `sass-embedded` or `sass`.
        sass: SassCompiler = SassCompiler::Grass,
        /// Files of at most so many bytes are written into the stylesheet that names them, as `data:` URLs.
        inline_bytes: u64 = 0,
    }
}

/// Who compiles SCSS and Sass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SassCompiler {
    /// grass, which is built in.
    Grass,
    /// Dart Sass: the app's own package, run by Node.js.
    Dart,
}

/// How small code is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Minify {
    /// Readable.
    Off,
    /// One syntax pass and short names.
    Fast,
    /// swc's compressor as well.
    Max,
}

/// Where source maps go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Maps {
    /// Nowhere.
    Off,
    /// Below `public`, named by a header, so that browsers find them.
    Linked,
    /// In the build's folder, for the server's log.
    Private,
}

/// How assets are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compress {
    /// Not at all.
    Off,
    /// brotli 9, zstd 15, gzip 9.
    Fast,
    /// brotli 11, zstd 19, gzip 12.
    Max,
}

/// Which engine to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// By what the server code uses.
    Auto,
    /// QuickJS in the server's process.
    Embedded,
    /// Node.js workers.
    Node,
}

section! {
    /// The HTTP server.
    Http {
        /// TCP port.
        port: u16 = 3000,
        /// Address to bind.
        hostname: String = "0.0.0.0".to_owned(),
        /// Origins, beside the server's own, whose pages may open sockets and post (`https://app.example.com`).
        allowed_origins: Vec<String> = Vec::new(),
        /// Whether `X-Forwarded-For` and `X-Forwarded-Proto` are believed: only behind a proxy that sets them.
        trust_proxy: bool = false,
    }
}

section! {
    /// TLS.
    Https {
        /// Whether the app is served over TLS; the plain port then sends browsers there.
        enabled: bool = false,
        /// TCP port for TLS.
        port: u16 = 443,
        /// Address to bind for TLS; by default that of `http.hostname`.
        hostname: Option<String> = None,
        /// Name of the certificate for clients that name no host: `site` is `site.key.pem`, `site.cert.pem` and, when there is one, `site.ca.pem`.
        cert_name: String = "site".to_owned(),
        /// Folder of the certificates; by default `config/ssl_certs` beside the build's folder.
        cert_dir: Option<String> = None,
        /// Host name of the app, with its port when the browser sees another one than `https.port`.
        domain: Option<String> = None,
        /// Whether requests for another host are sent to `https.domain`.
        ensure_domain: bool = true,
        /// Whether `http.port` stays open, and sends browsers to TLS; the HTTP API answers there unless `api.https_only`.
        redirect_http: bool = true,
        /// Seconds for which browsers are told to insist on TLS, once `https.domain` is set and its certificate is not our own; 0 for never.
        hsts_seconds: u32 = 31_536_000,
        /// Folder whose `.well-known/acme-challenge` the plain port serves, for `certbot --webroot`.
        acme_webroot: Option<String> = None,
    }
}

section! {
    /// The server process.
    Server {
        /// Folder for sessions and other state, locked by one process; by default `.ssserve` beside `dist`.
        state_dir: Option<String> = None,
        /// Engines that run actions, beside the warm spare. Module-level state is shared by all users only with one.
        workers: usize = 1,
        /// The Node.js program, for server code that needs it: a path, or a name on the `PATH`.
        node: String = "node".to_owned(),
        /// Whether another build is served as soon as the manifest names it; SIGHUP always makes the server look.
        follow: bool = true,
        /// Address of health, readiness and metrics; `off` for none. When it is the default one and taken, there is none either.
        admin: String = "127.0.0.1:9321".to_owned(),
    }
}

section! {
    /// Browsers that cannot run the app.
    BrowserCheck {
        /// Whether browsers that are known to be too old get `static/incompatible_browsers` instead of pages.
        enabled: bool = true,
        /// Whether those that are not known to be able get it as well: robots, and programs without a name.
        strict: bool = false,
    }
}

section! {
    /// The HTTP API.
    Api {
        /// Whether actions can be called over HTTP.
        enabled: bool = true,
        /// First segment of its URLs.
        prefix: String = "api".to_owned(),
        /// Whether to refuse it without TLS.
        https_only: bool = false,
        /// How its callers log in.
        auth: ApiAuth = ApiAuth::default(),
    }
}

/// How callers of the HTTP API log in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiAuth {
    /// HTTP Basic (RFC 7617).
    pub basic: BasicAuth,
}

section! {
    /// HTTP Basic authentication.
    BasicAuth {
        /// Module whose `authenticate(params, cb)` is asked; none refuses guarded actions over HTTP.
        module_name: Option<String> = None,
        /// Realm told to the client.
        realm: String = "Secure API".to_owned(),
    }
}

section! {
    /// Logging.
    Log {
        /// 0 errors, 1 warnings, 2 calls and events, 3 with parameters, 4 everything.
        level: u8 = 3,
        /// `text` for a person, `json` for a machine.
        format: LogFormat = LogFormat::Text,
    }
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for a person.
    Text,
    /// One JSON object a line.
    Json,
}

section! {
    /// Sessions.
    Session {
        /// Days after its last use that a session ends.
        expires_days: u32 = 30,
    }
}

section! {
    /// Redis or Valkey, for more than one server and for `R`: used when `url` or `host` is set.
    Redis {
        /// Its address, as `redis://user:password@host:6379/0`, `rediss://…` with TLS, or `unix:/path`.
        url: Option<String> = None,
        /// Its host, instead of `url`.
        host: Option<String> = None,
        /// Its TCP port, with `host`.
        port: u16 = 6379,
        /// Whether to use TLS, with `host`.
        tls: bool = false,
        /// Name to log in with.
        username: Option<String> = None,
        /// Password to log in with.
        password: Option<String> = None,
        /// Number of its database.
        db: Option<i64> = None,
        /// Beginning of all keys and channels; apps that share a Redis need different ones.
        key_prefix: String = "ss".to_owned(),
    }
}

/// Users online.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Users {
    /// The list of users that are connected.
    pub online: Online,
}

section! {
    /// The list of users that are connected.
    Online {
        /// Whether it is kept.
        enabled: bool = true,
        /// Minutes without a heartbeat after which a user is no longer online.
        mins_until_offline: u32 = 2,
        /// Seconds between two looks at the list.
        update_interval: u32 = 60,
    }
}

section! {
    /// Working on the app.
    Dev {
        /// Address that opens a file in the editor, with `{file}` (its whole path), `{line}` and `{column}`; for the overlay of `ssbuild watch`.
        editor_url: String = "vscode://file/{file}:{line}:{column}".to_owned(),
    }
}

section! {
    /// Content-Security-Policy.
    Csp {
        /// Whether pages carry one.
        enabled: bool = true,
        /// `warn` or `deny`: what happens when a bundle evaluates text as code.
        eval: CspEval = CspEval::Warn,
        /// Sources added to the computed ones, by directive.
        extra: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new(),
    }
}

/// What to do when a bundle evaluates text as code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CspEval {
    /// Allow it, with a warning.
    Warn,
    /// Make it an error.
    Deny,
}
