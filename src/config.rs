//! The app's configuration files as layers, checked key by key, each problem at its place.

mod source;

use serde_json::{Map, Value};
use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_server::config::{Config, Layer, Layers};

use crate::{
    disk::{Disk, DiskError},
    project::{Entry, Format, Project, Role},
};
use source::Source;

/// What the build knows of the configuration.
#[derive(Debug)]
pub struct Settings {
    /// The environment's name.
    pub env: String,
    /// All layers, typed.
    pub config: Config,
    /// The app's own files, lowest first, as the server will read them.
    pub sources: Vec<ConfigSource>,
}

/// One configuration file, as values.
#[derive(Debug)]
pub struct ConfigSource {
    /// Path below the app.
    pub file: String,
    /// Name in the build: `app.json`, then `env.json`.
    pub name: &'static str,
    /// The values, as written.
    pub values: Map<String, Value>,
}

/// Reads the layers that an environment has.
pub fn read(disk: &dyn Disk, project: &Project, env: &str) -> Result<(Settings, Vec<Diagnostic>), DiskError> {
    let mut found = Vec::new();
    let mut files_read: Vec<Source> = Vec::new();
    let mut sources = Vec::new();
    for (stem, name) in [("app", "app.json"), (&format!("environments/{env}") as &str, "env.json")] {
        let files: Vec<&Entry> = project.of(Role::Config).filter(|e| e.tree_path() == stem && is_config(e)).collect();
        if let [first, second, ..] = files.as_slice() {
            let message = format!("two files hold the configuration `{stem}`");
            let conflict = Diagnostic::new(Code::NameConflict, message).at(Place::file(&first.path), "this one");
            found.push(conflict.at(Place::file(&second.path), "and this one").help("Keep one of them."));
        }
        if let Some(file) = files.first() {
            let bytes = disk.read(&project.root.join(&file.path))?;
            match source::parse(&file.path, bytes) {
                Ok(source) => {
                    let values = source.values.clone();
                    sources.push(ConfigSource { file: file.path.clone(), name, values });
                    files_read.push(source);
                }
                Err(diagnostic) => found.push(*diagnostic),
            }
        }
    }
    let mut layers = Layers::default();
    layers.push(Layers::preset(env));
    for source in &sources {
        layers.push(Layer { origin: source.file.clone(), values: source.values.clone() });
    }
    let (config, problems) = layers.resolve();
    found.extend(problems.into_iter().map(|problem| {
        let code = if problem.warning { Code::ConfigUnknown } else { Code::ConfigInvalid };
        let source = files_read.iter().find(|source| source.file == problem.origin);
        let place = source.map_or_else(|| Place::file(&problem.origin), |source| source.place(&problem.key));
        let found = Diagnostic::new(code, format!("`{}`: {}", problem.key, problem.message)).at(place, "");
        if problem.message == "there is no such key" {
            found.help("Keys of the app's own belong below `app` (server) or `client` (browser).")
        } else {
            found
        }
    }));
    Ok((Settings { env: env.to_owned(), config, sources }, found))
}

/// The values of `config/app.*`, and those of each environment's file. Files that cannot be read are left out: an
/// environment that is not built is nobody's concern now.
pub fn written(disk: &dyn Disk, project: &Project) -> Result<(Value, Vec<Value>), DiskError> {
    let (mut app, mut environments) = (Value::Object(Map::new()), Vec::new());
    for entry in project.of(Role::Config).filter(|entry| is_config(entry)) {
        let is_app = entry.tree_path() == "app";
        if !is_app && !entry.tree_path().starts_with("environments/") {
            continue;
        }
        let Ok(source) = source::parse(&entry.path, disk.read(&project.root.join(&entry.path))?) else { continue };
        match is_app {
            true => app = Value::Object(source.values),
            false => environments.push(Value::Object(source.values)),
        }
    }
    Ok((app, environments))
}

fn is_config(entry: &Entry) -> bool {
    matches!(entry.format, Format::Script(_) | Format::Toml | Format::Coffee) || entry.path.ends_with(".jsonc")
}
