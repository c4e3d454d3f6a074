//! The app's configuration files as layers, checked key by key, each problem at its place.

mod source;

use serde_json::{Map, Value};
use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_server::config::{Config, Layer, Layers};

use crate::{
    disk::{Disk, DiskError},
    nearest::did_you_mean,
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
    /// The values that fit.
    pub values: Map<String, Value>,
}

/// Keys of 2011 that have no successor, and why.
const GONE: &[(&str, &str)] = &[
    ("rtm", "models called from the browser are no longer part of the framework"),
    ("ss_var", "the global is always called `SS`"),
    ("throw_errors", "an error in the app always fails the build"),
];

/// Reads the layers that an environment has.
pub fn read(disk: &dyn Disk, project: &Project, env: &str) -> Result<(Settings, Vec<Diagnostic>), DiskError> {
    let mut found = Vec::new();
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
                    let values = checked(&source, &mut found);
                    sources.push(ConfigSource { file: file.path.clone(), name, values });
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
    // Each value fits by itself; what is left can only come from two layers that disagree on a key's kind.
    found.extend(problems.into_iter().map(|problem| {
        let code = if problem.warning { Code::ConfigUnknown } else { Code::ConfigInvalid };
        let message =
            if problem.key.is_empty() { problem.message } else { format!("`{}`: {}", problem.key, problem.message) };
        Diagnostic::new(code, message).at(Place::file(problem.origin), "")
    }));
    Ok((Settings { env: env.to_owned(), config, sources }, found))
}

fn is_config(entry: &Entry) -> bool {
    matches!(entry.format, Format::Script(_) | Format::Toml | Format::Foreign) || entry.path.ends_with(".jsonc")
}

/// The values of one file that fit the tree; a finding for each that does not.
fn checked(source: &Source, found: &mut Vec<Diagnostic>) -> Map<String, Value> {
    let known = serde_json::to_value(Config::default()).expect("the configuration's defaults are plain data");
    let Value::Object(known) = known else { unreachable!("the configuration is an object") };
    check_object(source, &known, &mut Vec::new(), &source.values, found)
}

/// Keys below which the app may write what it likes.
fn is_open(key: &[String]) -> bool {
    matches!(key, [top] if top == "client" || top == "app") || matches!(key, [a, b] if a == "csp" && b == "extra")
}

fn check_object(
    source: &Source,
    known: &Map<String, Value>,
    key: &mut Vec<String>,
    values: &Map<String, Value>,
    found: &mut Vec<Diagnostic>,
) -> Map<String, Value> {
    let mut fits = Map::new();
    for (name, value) in values {
        key.push(name.clone());
        match (known.get(name), value) {
            (None, _) => found.push(unknown_key(source, key, known)),
            (Some(Value::Object(known)), Value::Object(inner)) if !is_open(key) => {
                let inner = check_object(source, known, key, inner, found);
                fits.insert(name.clone(), Value::Object(inner));
            }
            _ => match misfit(key, value) {
                None => {
                    fits.insert(name.clone(), value.clone());
                }
                Some(reason) => found.push(
                    Diagnostic::new(
                        Code::ConfigInvalid,
                        format!("`{}` has a value that does not fit: {reason}", key.join(".")),
                    )
                    .at(source.place(key), ""),
                ),
            },
        }
        key.pop();
    }
    fits
}

/// Why the value cannot stand at this key: the typed tree is asked with nothing else in it.
fn misfit(key: &[String], value: &Value) -> Option<String> {
    let tree = key
        .iter()
        .rev()
        .fold(value.clone(), |value, name| Value::Object([(name.clone(), value)].into_iter().collect()));
    serde_json::from_value::<Config>(tree).err().map(|error| error.to_string())
}

fn unknown_key(source: &Source, key: &[String], known: &Map<String, Value>) -> Diagnostic {
    let name = key.last().expect("a key has a name");
    let spoken = key.join(".");
    let place = source.place(key);
    if let ([_], Some((_, reason))) = (key, GONE.iter().find(|(gone, _)| gone == name)) {
        let message = format!("the configuration key `{spoken}` is gone: {reason}");
        return Diagnostic::new(Code::ConfigUnknown, message).at(place, "").help("Remove it.");
    }
    let found = Diagnostic::new(Code::ConfigUnknown, format!("`{spoken}` is not a configuration key")).at(place, "");
    match did_you_mean(name, known.keys().map(String::as_str)) {
        Some(help) => found.help(help),
        None => found.help("Keys of your own belong below `app` (server) or `client` (browser)."),
    }
}
