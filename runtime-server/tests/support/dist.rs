use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) const BUILD_ID: &str = "5f3c9a1be2d40718";

/// A build, written by hand.
pub(crate) struct Dist {
    manifest: Value,
    files: BTreeMap<String, Vec<u8>>,
}

pub(crate) const SCRIPT: &str = "console.log(\"hello\");\n";

impl Dist {
    /// One page, a few files, and the actions that [`super::script::Script`] knows.
    pub(crate) fn new() -> Self {
        let mut dist = Self { manifest: json!({}), files: BTreeMap::new() };
        let asset = |dist: &mut Self, name: &str, file: &str, content_type: &str, bytes: &[u8], immutable: bool| {
            (name.to_owned(), dist.asset(file, content_type, bytes, immutable))
        };
        let script = SCRIPT.as_bytes();
        let assets: serde_json::Map<String, Value> = [
            asset(
                &mut dist,
                "app.js",
                "public/assets/app-0123456789abcdef.js",
                "text/javascript; charset=utf-8",
                script,
                true,
            ),
            asset(
                &mut dist,
                "images/dot.png",
                "public/assets/images/dot-00112233445566ff.png",
                "image/png",
                &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
                true,
            ),
            asset(
                &mut dist,
                "big.bin",
                "public/assets/big-aaaaaaaaaaaaaaaa.bin",
                "application/octet-stream",
                &big(),
                true,
            ),
        ]
        .into_iter()
        .collect();
        let mut assets = Value::Object(assets);
        for (token, ending) in [("br", "br"), ("gzip", "gz")] {
            let bytes = format!("{token} of app.js");
            let file = format!("public/assets/app-0123456789abcdef.js.{ending}");
            assets["app.js"]["encodings"][token] = dist.private(&file, bytes.as_bytes());
        }
        let named = format!("builds/{BUILD_ID}/root");
        let files = json!({
            "/robots.txt": dist.asset(&format!("{named}/robots.txt"), "text/plain; charset=utf-8", b"User-agent: *\n", false),
            "/with space.txt": dist.asset(&format!("{named}/with space.txt"), "text/plain; charset=utf-8", b"space", false),
        });
        let action = |guard: bool| json!({"params": [], "rest": true, "style": "value", "guard": guard});
        let actions: serde_json::Map<String, Value> = super::script::ACTIONS
            .iter()
            .map(|name| ((*name).to_owned(), action(name.starts_with("secret/"))))
            .collect();
        let bundle = dist.private(
            &format!("builds/{BUILD_ID}/server/server.js"),
            b"__ss.start({shared:{},server:{},named:{}}, []);",
        );
        let config = dist.private(&format!("builds/{BUILD_ID}/server/config/0.json"), b"{/* nothing */}");
        dist.manifest = json!({
            "schema": 1, "build_id": BUILD_ID, "env": "test", "tool": {"name": "ssbuild", "version": "0.1.0"}, "app": "chat",
            "cdn_base": null,
            "pages": {
                "/": {
                    "segments": [
                        {"text": "<!doctype html><script src=\""}, "asset_base", {"text": "/assets/app.js\""},
                        "cross_origin", {"text": "></script>"},
                    ],
                    "csp": {"default-src": ["'self'"], "script-src": ["'self'", "'sha256-abc='"], "object-src": ["'none'"]},
                },
                "/admin": {"segments": [{"text": "admin"}], "csp": {}},
            },
            "bundles": {}, "chunks": {}, "assets": assets, "files": files,
            "server": {"engine": "embedded", "engine_reason": "it is", "bundle": bundle, "map": null, "config": [config]},
            "api": {"client": {}, "shared": {}, "server": actions},
            "templates": [], "client_config": {"a": 1},
        });
        dist
    }

    /// Changes the manifest.
    pub(crate) fn change(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.manifest);
        self
    }

    /// Changes what is on disk, behind the manifest's back.
    pub(crate) fn file(mut self, path: &str, bytes: &[u8]) -> Self {
        self.files.insert(path.to_owned(), bytes.to_vec());
        self
    }

    /// Other server code, with its actions.
    pub(crate) fn server(self, actions: Value, code: &str) -> Self {
        self.server_in(BUILD_ID, actions, code)
    }

    /// Other server code, in the folder of that build.
    pub(crate) fn server_in(mut self, build_id: &str, actions: Value, code: &str) -> Self {
        let file = format!("builds/{build_id}/server/server.js");
        self.manifest["server"]["bundle"] = self.private(&file, code.as_bytes());
        self.manifest["api"]["server"] = actions;
        self
    }

    /// A file of `static/incompatible_browsers`.
    pub(crate) fn incompatible(mut self, path: &str, text: &str) -> Self {
        let file = format!("builds/{BUILD_ID}/static/incompatible_browsers/{path}");
        self.manifest["incompatible_browsers"][path] = self.private(&file, text.as_bytes());
        self
    }

    /// Other configuration.
    pub(crate) fn config(mut self, file: &str, text: &str) -> Self {
        let file = format!("builds/{BUILD_ID}/server/config/{file}");
        self.manifest["server"]["config"] = json!([self.private(&file, text.as_bytes())]);
        self
    }

    pub(crate) fn without(mut self, path: &str) -> Self {
        assert!(self.files.remove(path).is_some(), "{path} is not there anyway");
        self
    }

    pub(crate) fn write(&self, folder: &Path) {
        for (path, bytes) in &self.files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
            std::fs::write(path, bytes).expect("a file");
        }
        std::fs::write(folder.join("manifest.json"), self.manifest.to_string()).expect("the manifest");
    }

    /// As the compiler does it: the manifest lies in the build's folder as well, and is renamed into its place last.
    pub(crate) fn publish(&self, folder: &Path) {
        for (path, bytes) in &self.files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
            std::fs::write(path, bytes).expect("a file");
        }
        let own = folder.join("builds").join(self.manifest["build_id"].as_str().expect("an id"));
        std::fs::create_dir_all(&own).expect("a folder");
        std::fs::write(own.join("manifest.json"), self.manifest.to_string()).expect("a copy");
        std::fs::write(folder.join("manifest.json.new"), self.manifest.to_string()).expect("the manifest");
        std::fs::rename(folder.join("manifest.json.new"), folder.join("manifest.json")).expect("the manifest in place");
    }

    fn asset(&mut self, file: &str, content_type: &str, bytes: &[u8], immutable: bool) -> Value {
        let mut asset = self.private(file, bytes);
        asset["integrity"] = json!("sha384-");
        asset["content_type"] = json!(content_type);
        asset["immutable"] = json!(immutable);
        asset
    }

    fn private(&mut self, file: &str, bytes: &[u8]) -> Value {
        self.files.insert(file.to_owned(), bytes.to_vec());
        let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        json!({"file": file, "bytes": bytes.len(), "sha256": sha256})
    }
}

/// Larger than what is kept in memory.
pub(crate) fn big() -> Vec<u8> {
    (0..1_000_003_u32).map(|n| (n % 251) as u8).collect()
}
