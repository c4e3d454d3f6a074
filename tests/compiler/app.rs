//! An app in a folder of its own, built by the library as the program does it.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ssbuild::{
    asset::Fingerprint,
    config::PublicVariables,
    disk::{Disk, RealDisk},
    pipeline::{self, Error, Outcome, Purpose, Request, Warnings},
    session::Session,
    style::WorkerCommand,
};
use ssbuild_server::manifest::Manifest;
use tempfile::TempDir;

/// The `ssbuild` that belongs to these tests.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ssbuild");

/// A file of the repository's `testdata`.
pub(crate) fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}

/// What to do with an app, with the disk of the machine.
pub(crate) fn request(root: &Path, env: &str, purpose: Purpose) -> Request {
    let style_worker = WorkerCommand::of(PROGRAM);
    let (warnings, variables) = (Warnings::Allow, PublicVariables::default());
    Request { root: root.to_owned(), env: env.to_owned(), purpose, warnings, style_worker, variables }
}

/// Builds into `out`.
pub(crate) fn build(root: &Path, env: &str, out: &Path) -> Result<Outcome, Error> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    pipeline::build(&disk, &request(root, env, Purpose::Publish(out.to_owned())), &Session::once())
}

/// Compares a text with its snapshot in `snapshots/FOLDER`.
pub(crate) fn snapshot(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// What is wrong with the build that is selected in a folder, told from its bytes alone.
pub(crate) fn broken(dist: &Path) -> Option<String> {
    let manifest = match fs::read(dist.join("manifest.json")) {
        Ok(manifest) => manifest,
        Err(error) => return Some(format!("no manifest: {error}")),
    };
    let manifest: Manifest = match serde_json::from_slice(&manifest) {
        Ok(manifest) => manifest,
        Err(error) => return Some(format!("the manifest is not one: {error}")),
    };
    let assets = manifest.assets.values().chain(manifest.files.values());
    let private = std::iter::once(&manifest.server.bundle).chain(&manifest.server.map).chain(&manifest.server.config);
    let files = assets
        .flat_map(|asset| {
            let encoded = asset.encodings.values().map(|encoded| (&encoded.file, encoded.bytes, &encoded.sha256));
            std::iter::once((&asset.file, asset.bytes, &asset.sha256)).chain(encoded)
        })
        .chain(private.map(|private| (&private.file, private.bytes, &private.sha256)));
    for (file, length, sha256) in files {
        let Ok(bytes) = fs::read(dist.join(file)) else { return Some(format!("`{file}` is not there")) };
        if bytes.len() as u64 != length || Fingerprint::of(&bytes).as_str() != sha256 {
            return Some(format!("`{file}` has other bytes than the manifest says"));
        }
    }
    manifest.pages.is_empty().then(|| "there is no page".to_owned())
}

/// What is found in an app, as text.
pub(crate) fn findings(root: &Path) -> String {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let outcome = pipeline::build(&disk, &request(root, "production", Purpose::Check), &Session::once())
        .expect("the machine does its part");
    outcome.report.to_text(false)
}

/// An app that a test writes itself.
pub(crate) struct App {
    folder: TempDir,
}

impl App {
    /// The least that is an app, and these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let app = Self { folder: TempDir::new().expect("a folder for the app") };
        app.write("app/client/app.js", "exports.init = function () {};\n");
        app.write("app/views/app.html", "<html><head><SocketStream></head><body></body></html>\n");
        files.iter().for_each(|(path, text)| app.write(path, text));
        app
    }

    /// Writes a file below the app's folder, or beside it with `../`.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// The app's folder.
    pub(crate) fn root(&self) -> PathBuf {
        let root = self.folder.path().join("app");
        fs::create_dir_all(&root).expect("a folder");
        root
    }

    /// What is found in it.
    pub(crate) fn findings(&self) -> String {
        findings(&self.root())
    }

    /// Builds it for production; every file of the build by its path.
    pub(crate) fn built(&self) -> Dist {
        self.built_for("production")
    }

    /// Builds it for an environment.
    pub(crate) fn built_for(&self, env: &str) -> Dist {
        self.built_saying(env).0
    }

    /// Builds it for an environment; also what was found on the way.
    pub(crate) fn built_saying(&self, env: &str) -> (Dist, String) {
        let out = self.root().join("dist");
        let outcome = build(&self.root(), env, &out).expect("the machine does its part");
        let said = outcome.report.to_text(false);
        assert!(outcome.manifest.is_some(), "the app has errors:\n{said}");
        (Dist::read(&out), said)
    }
}

/// A folder of output, read whole.
pub(crate) struct Dist {
    /// Path below it to bytes, sorted.
    pub(crate) files: std::collections::BTreeMap<String, Vec<u8>>,
}

impl Dist {
    /// Reads every file.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut files = std::collections::BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).expect("the folder is there") {
                let path = entry.expect("a name").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(folder).expect("it is below").to_str().expect("UTF-8").to_owned();
                    files.insert(name, fs::read(&path).expect("a file"));
                }
            }
        }
        Self { files }
    }

    /// The manifest.
    pub(crate) fn manifest(&self) -> Manifest {
        serde_json::from_slice(&self.files["manifest.json"]).expect("a manifest")
    }

    /// The text of an asset.
    pub(crate) fn asset(&self, logical: &str) -> String {
        self.text(&self.manifest().assets[logical].file)
    }

    /// The text of the server's bundle.
    pub(crate) fn server(&self) -> String {
        self.text(&self.manifest().server.bundle.file)
    }

    fn text(&self, file: &str) -> String {
        String::from_utf8(self.files[file].clone()).expect("text")
    }

    /// Everything as one text. What comes of the runtime client is left out, so that its edits do not touch every
    /// snapshot: the lib bundle's text and hashes, and the id of the build.
    pub(crate) fn shown(&self) -> String {
        let manifest = self.manifest();
        let lib = &manifest.assets["lib.js"];
        let mut hidden = vec![
            (manifest.build_id.clone(), "[build]"),
            (lib.sha256[..16].to_owned(), "[lib]"),
            (lib.integrity.clone(), "[lib integrity]"),
        ];
        if let Some(map) = manifest.assets.get("lib.js.map") {
            hidden.push((map.sha256[..16].to_owned(), "[lib map]"));
        }
        let hide = |text: &str| hidden.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        let mut shown = String::new();
        // By the names that are shown: hashes that are not shown have no say in the order.
        let mut files: Vec<(String, &String, &Vec<u8>)> =
            self.files.iter().map(|(path, bytes)| (hide(path), path, bytes)).collect();
        files.sort();
        for (shown_path, path, bytes) in files {
            if path.starts_with("builds/") && path.ends_with("/manifest.json") {
                assert_eq!(bytes, &self.files["manifest.json"], "the build keeps a copy of its manifest");
                continue;
            }
            let name = path.rsplit('/').next().expect("a name");
            writeln!(shown, "=== {shown_path}").expect("a string");
            match name.rsplit('.').next().expect("an ending") {
                "map" => {
                    let map: serde_json::Value = serde_json::from_slice(bytes).expect("a map is JSON");
                    writeln!(shown, "sources: {}", map["sources"]).expect("a string");
                }
                "js" | "css" | "html" | "json" | "txt" | "svg"
                    if !name.starts_with("lib-") || name.ends_with(".css") =>
                {
                    let text = std::str::from_utf8(bytes).expect("text");
                    let text = match name {
                        "manifest.json" => hide(&without_lib(text)),
                        "generations.json" => with_sorted_lists(&hide(text)),
                        _ => hide(text),
                    };
                    writeln!(shown, "{}", text.trim_end()).expect("a string");
                }
                _ => {}
            }
        }
        shown
    }
}

/// JSON with every list of names in the order of the names that are shown.
fn with_sorted_lists(json: &str) -> String {
    fn sort(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Array(items) => {
                items.iter_mut().for_each(sort);
                if items.iter().all(serde_json::Value::is_string) {
                    items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
                }
            }
            serde_json::Value::Object(fields) => fields.values_mut().for_each(sort),
            _ => {}
        }
    }
    let mut value = serde_json::from_str(json).expect("JSON");
    sort(&mut value);
    serde_json::to_string_pretty(&value).expect("JSON")
}

/// A manifest less what it says of the lib bundle's bytes.
fn without_lib(manifest: &str) -> String {
    let mut manifest: serde_json::Value = serde_json::from_str(manifest).expect("a manifest");
    for name in ["lib.js", "lib.js.map"] {
        if let Some(asset) = manifest["assets"].get_mut(name) {
            *asset = serde_json::json!({"file": asset["file"]});
        }
    }
    for asset in ["assets", "files"] {
        for asset in manifest[asset].as_object_mut().expect("an object").values_mut() {
            // How small a compressor gets a file is the compressor's business.
            if let Some(encodings) = asset.get_mut("encodings") {
                let names: Vec<String> = encodings.as_object().expect("an object").keys().cloned().collect();
                *encodings = serde_json::json!(names);
            }
        }
    }
    let private = manifest["server"]["map"].as_object_mut();
    private.map(|map| map.remove("sha256"));
    serde_json::to_string_pretty(&manifest).expect("JSON")
}
