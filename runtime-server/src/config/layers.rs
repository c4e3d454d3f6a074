use serde_json::{Map, Value};

use super::Config;

/// One source of values: where it came from, and the values.
#[derive(Debug, Clone)]
pub struct Layer {
    /// As a person would name it: `config/app.json`, `SS__HTTP__PORT`, `--port`.
    pub origin: String,
    /// The values, nested as in the tree.
    pub values: Map<String, Value>,
}

/// Layers in order; later wins.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    layers: Vec<Layer>,
}

/// A value that does not fit the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The layer it came from.
    pub origin: String,
    /// The key, with dots.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// Whether it is only a warning (an unknown key).
    pub warning: bool,
}

impl Layers {
    /// The preset of an environment, below every file.
    pub fn preset(env: &str) -> Layer {
        let values = match env {
            "development" => serde_json::json!({
                "build": {"minify": "off", "maps": "linked", "compress": "off"},
                "http": {"hostname": "127.0.0.1"},
                "client": {"log": {"level": 2}},
            }),
            "production" => serde_json::json!({
                "log": {"level": 0, "format": "json"},
                "client": {"log": {"level": 0}},
            }),
            _ => serde_json::json!({"build": {"maps": "linked"}, "client": {"log": {"level": 2}}}),
        };
        let Value::Object(values) = values else { unreachable!("a preset is an object") };
        Layer { origin: format!("the preset of {env}"), values }
    }

    /// Puts a layer on top.
    pub fn push(&mut self, layer: Layer) {
        self.layers.push(layer);
    }

    /// The layers, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter()
    }

    /// All layers merged and typed, and what did not fit. A value that does not fit is left out.
    pub fn resolve(&self) -> (Config, Vec<ConfigProblem>) {
        let mut merged = Map::new();
        for layer in &self.layers {
            merge(&mut merged, &layer.values);
        }
        match serde_json::from_value(Value::Object(merged)) {
            Ok(config) => (config, Vec::new()),
            Err(error) => {
                let problem = ConfigProblem {
                    origin: String::new(),
                    key: String::new(),
                    message: error.to_string(),
                    warning: false,
                };
                (Config::default(), vec![problem])
            }
        }
    }
}

/// Deep merge: objects are merged, everything else is replaced.
fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}
