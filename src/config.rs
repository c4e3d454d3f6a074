//! The app's configuration files as layers, checked key by key, each problem at its place.

mod module;
mod source;
mod variables;

use std::sync::Arc;

use serde_json::{Map, Value};
use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_server::config::{Config, Layer, Layers, Origin};

use crate::{
    disk::{Disk, DiskError},
    graph::Compile,
    project::{Entry, Format, Project, Role},
};
use module::Evaluated;
use source::Source;
pub use variables::{PUBLIC_PREFIX, PublicVariables, is_unread, unread};

/// What the build knows of the configuration.
#[derive(Debug)]
pub struct Settings {
    /// The environment's name.
    pub env: String,
    /// The variables that the output may depend on.
    pub variables: PublicVariables,
    /// All layers, typed.
    pub config: Config,
    /// Every value of the tree, and where it came from.
    pub origins: Vec<Provenance>,
    /// Files of packages that come before those of `lib` (`client.libs`).
    pub libs: Vec<String>,
    /// The app's own files, lowest first, as the server will read them.
    pub sources: Vec<ConfigSource>,
}

/// Where a value of the tree came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// The value, its key and the name of its layer.
    pub origin: Origin,
    /// Where it stands, when the layer is a file.
    pub place: Option<Place>,
}

/// One configuration file, as values.
#[derive(Debug)]
pub struct ConfigSource {
    /// Path below the app.
    pub file: String,
    /// Name in the build: `app.json` and `env.json`, or `app.js` and `env.js`.
    pub name: String,
    /// The values, as the build evaluated them.
    pub values: Map<String, Value>,
    /// What the server reads when it starts.
    pub text: String,
}

/// What reading the configuration needs to know.
pub struct Reader<'a> {
    /// Where files are read.
    pub disk: &'a Arc<dyn Disk>,
    /// The app.
    pub project: &'a Project,
    /// The environment's name.
    pub env: &'a str,
    /// The variables that a configuration may see.
    pub variables: &'a PublicVariables,
    /// The compiler of single scripts.
    pub compile: &'a Compile<'a>,
}

impl Reader<'_> {
    /// Reads the layers that the environment has: those of the build. What is in `above` wins over them.
    pub fn read(&self, above: Vec<Layer>) -> Result<(Settings, Vec<Diagnostic>), DiskError> {
        let mut found = Vec::new();
        let mut files_read: Vec<Source> = Vec::new();
        let mut sources = Vec::new();
        let environment = format!("environments/{}", self.env);
        for (stem, name) in [("app", "app"), (&environment as &str, "env")] {
            let Some(file) = self.file(stem, &mut found) else { continue };
            let Some((source, text)) = self.source(file, &mut found)? else { continue };
            let name = format!("{name}.{}", if is_module(file) { "js" } else { "json" });
            sources.push(ConfigSource { file: file.path.clone(), name, values: source.values.clone(), text });
            files_read.push(source);
        }
        let mut layers = Layers::default();
        layers.push(Layers::preset(self.env));
        for source in &sources {
            layers.push(Layer { origin: source.file.clone(), values: source.values.clone() });
        }
        above.into_iter().for_each(|layer| layers.push(layer));
        let mut resolved = layers.resolved();
        let libs = take_libs(&mut resolved.config.client);
        let place = |origin: &str, key: &str| {
            files_read.iter().find(|source| source.file == origin).map(|source| source.place(key))
        };
        found.extend(resolved.problems.into_iter().map(|problem| {
            let code = if problem.warning { Code::ConfigUnknown } else { Code::ConfigInvalid };
            let place = place(&problem.origin, &problem.key).unwrap_or_else(|| Place::file(&problem.origin));
            let found = Diagnostic::new(code, format!("`{}`: {}", problem.key, problem.message)).at(place, "");
            if problem.message == "there is no such key" {
                found.help("Keys of the app's own belong below `app` (server) or `client` (browser).")
            } else {
                found
            }
        }));
        let origins = resolved.origins.into_iter();
        let origins = origins.map(|origin| Provenance { place: place(&origin.origin, &origin.key), origin }).collect();
        let (env, variables) = (self.env.to_owned(), self.variables.clone());
        Ok((Settings { env, variables, config: resolved.config, origins, libs, sources }, found))
    }

    /// The values of `config/app.*`, and those of each environment's file. Files that cannot be read are left out: an
    /// environment that is not built is nobody's concern now.
    pub fn written(&self) -> Result<(Value, Vec<Value>), DiskError> {
        let (mut app, mut environments) = (Value::Object(Map::new()), Vec::new());
        for entry in self.project.of(Role::Config).filter(|entry| is_config(entry)) {
            let environment = entry.tree_path().strip_prefix("environments/");
            if entry.tree_path() != "app" && environment.is_none() {
                continue;
            }
            let reader = Reader { env: environment.unwrap_or(self.env), ..*self };
            let Some((source, _)) = reader.source(entry, &mut Vec::new())? else { continue };
            match environment {
                None => app = Value::Object(source.values),
                Some(_) => environments.push(Value::Object(source.values)),
            }
        }
        Ok((app, environments))
    }

    /// The values of a file, and what the server reads of it. Without them there are errors among the findings.
    fn source(&self, file: &Entry, found: &mut Vec<Diagnostic>) -> Result<Option<(Source, String)>, DiskError> {
        if is_module(file) {
            let (evaluated, more) = module::read(self, &file.path)?;
            found.extend(more);
            return Ok(evaluated.map(|evaluated| {
                let Evaluated { text, values, bundle } = evaluated;
                (Source::of_module(&file.path, text, values), bundle)
            }));
        }
        match source::parse(&file.path, self.disk.read(&self.project.root.join(&file.path))?) {
            Ok(source) => {
                let text = serde_json::to_string_pretty(&source.values).expect("values are plain data");
                Ok(Some((source, text)))
            }
            Err(diagnostic) => {
                found.push(*diagnostic);
                Ok(None)
            }
        }
    }

    /// The file of a layer.
    fn file(&self, stem: &str, found: &mut Vec<Diagnostic>) -> Option<&Entry> {
        let entries = self.project.of(Role::Config);
        let files: Vec<&Entry> = entries.filter(|entry| entry.tree_path() == stem && is_config(entry)).collect();
        if let [first, second, ..] = files.as_slice() {
            let message = format!("two files hold the configuration `{stem}`");
            let conflict = Diagnostic::new(Code::NameConflict, message).at(Place::file(&first.path), "this one");
            found.push(conflict.at(Place::file(&second.path), "and this one").help("Keep one of them."));
        }
        files.first().copied()
    }
}

/// `client.libs` is for the build: browsers need not know it.
fn take_libs(client: &mut Map<String, Value>) -> Vec<String> {
    let names = client
        .get("libs")
        .and_then(Value::as_array)
        .and_then(|names| names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
    if names.is_some() {
        client.shift_remove("libs");
    }
    names.unwrap_or_default()
}

fn is_config(entry: &Entry) -> bool {
    is_module(entry) || entry.format == Format::Toml || entry.path.ends_with(".json") || entry.path.ends_with(".jsonc")
}

/// Whether a configuration is a program.
fn is_module(entry: &Entry) -> bool {
    entry.is_script() && !entry.path.ends_with(".json")
}
