//! The server's configuration: presets, the config files in the build, variables, flags.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::config::module::{self, Moment, Surroundings};
use crate::config::{Config, ConfigProblem, Layer, Layers};
use crate::load::{Build, LoadError};

/// What was said on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--host`.
    pub hostname: Option<String>,
    /// `--port`.
    pub port: Option<u16>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--redis`.
    pub redis: Option<String>,
    /// `--log-level`, as `log.level` counts.
    pub log_level: Option<u8>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file of the build cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A config file cannot be understood.
    #[error("{file}: {message}")]
    File {
        /// Which.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// Values do not fit.
    #[error("{}", list(.0))]
    Values(Vec<ConfigProblem>),
}

fn list(problems: &[ConfigProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Resolves the configuration for a build; also returns what deserves a warning.
pub fn resolve(
    build: &Build,
    variables: impl IntoIterator<Item = (String, String)>,
    flags: &Flags,
) -> Result<(Config, Vec<ConfigProblem>), SettingsError> {
    let variables: BTreeMap<String, String> = variables.into_iter().collect();
    let (env, moment) = (build.manifest.env.clone(), Moment::Start);
    let surroundings = Surroundings { env, variables, moment };
    let mut layers = Layers::default();
    layers.push(Layers::preset(&build.manifest.env));
    for file in &build.manifest.server.config {
        let text = build.read_text(&file.file)?;
        layers.push(Layer { origin: file.file.clone(), values: parse(&file.file, &text, &surroundings)? });
    }
    for layer in Layers::variables(surroundings.variables) {
        layers.push(layer);
    }
    flags.layers().into_iter().for_each(|layer| layers.push(layer));
    let (mut config, problems) = layers.resolve();
    let (warnings, errors): (Vec<_>, Vec<_>) = problems.into_iter().partition(|problem| problem.warning);
    if !errors.is_empty() {
        return Err(SettingsError::Values(errors));
    }
    // What the browser gets was decided by the build.
    config.client.clone_from(&build.manifest.client_config);
    Ok((config, warnings))
}

impl Flags {
    /// As layers, which win over all others.
    pub fn layers(&self) -> Vec<Layer> {
        let layer = |origin: &str, section: &str, key: &str, value: Value| Layer {
            origin: origin.to_owned(),
            values: Map::from_iter([(section.to_owned(), json!({key: value}))]),
        };
        let hostname = self.hostname.as_ref().map(|host| layer("--host", "http", "hostname", json!(host)));
        let port = self.port.map(|port| layer("--port", "http", "port", json!(port)));
        let state_dir = self.state_dir.as_ref().map(|dir| layer("--state-dir", "server", "state_dir", json!(dir)));
        let redis = self.redis.as_ref().map(|url| layer("--redis", "redis", "url", json!(url)));
        let log_level = self.log_level.map(|level| layer("--log-level", "log", "level", json!(level)));
        [hostname, port, state_dir, redis, log_level].into_iter().flatten().collect()
    }
}

fn parse(file: &str, text: &str, surroundings: &Surroundings) -> Result<Map<String, Value>, SettingsError> {
    let failed = |message: String| SettingsError::File { file: file.to_owned(), message };
    let value: Value = match file.rsplit_once('.').map(|(_, ending)| ending) {
        Some("json") => jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default())
            .map_err(|error| failed(error.to_string()))?,
        Some("js") => {
            let values = module::evaluate(file, text, surroundings).map_err(|error| failed(error.to_string()))?;
            Value::Object(values)
        }
        Some("toml") => toml::from_str(text).map_err(|error| failed(error.to_string()))?,
        _ => return Err(failed("a config file is JSON, TOML or a compiled module".to_owned())),
    };
    match value {
        Value::Object(values) => Ok(values),
        Value::Null => Ok(Map::new()),
        _ => Err(failed("a config file holds an object".to_owned())),
    }
}
