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

impl std::fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: `{}`: {}", self.origin, self.key, self.message)
    }
}

/// Prefix of the variables that set keys: `SS__HTTP__PORT=8080` is `http.port`.
const VARIABLE_PREFIX: &str = "SS__";

/// Objects that hold what the app likes.
const FREE: &[&str] = &["client", "app", "csp.extra", "build.define"];

/// Keys of 2011 that are gone, and why.
const GONE: &[(&str, &str)] = &[
    ("rtm", "realtime models were an experiment of 2011 and are not there any more"),
    ("ss_var", "the global is always `SS`"),
    ("throw_errors", "an error of an action goes to its caller and to the log, and never ends the server"),
    ("enable_color", "colour follows the terminal, `NO_COLOR` and `CLICOLOR_FORCE`"),
    ("pack_assets", "`build.minify` and `build.compress` say how assets are packed"),
];

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

    /// A layer for each `SS__…` variable. Values are JSON where they can be read as such, else strings.
    pub fn variables(variables: impl IntoIterator<Item = (String, String)>) -> Vec<Layer> {
        let mut found: Vec<(String, String)> =
            variables.into_iter().filter(|(name, _)| name.starts_with(VARIABLE_PREFIX)).collect();
        found.sort();
        found.into_iter().map(|(name, text)| Self::variable(name, &text)).collect()
    }

    fn variable(name: String, text: &str) -> Layer {
        let mut value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        let path = name[VARIABLE_PREFIX.len()..].to_lowercase();
        for part in path.rsplit("__") {
            value = Value::Object(Map::from_iter([(part.to_owned(), value)]));
        }
        let Value::Object(values) = value else { unreachable!("a path has at least one part") };
        Layer { origin: name, values }
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
        let Ok(Value::Object(defaults)) = serde_json::to_value(Config::default()) else {
            unreachable!("the tree of defaults is an object")
        };
        let mut problems = Vec::new();
        let mut merged = Map::new();
        for layer in &self.layers {
            let mut fitting = Map::new();
            let mut walk = Walk { origin: &layer.origin, fitting: &mut fitting, problems: &mut problems };
            walk.section(&mut Vec::new(), &layer.values, &defaults);
            merge(&mut merged, &fitting);
        }
        let config = serde_json::from_value(Value::Object(merged)).expect("every value was tried on its own");
        (config, problems)
    }
}

/// One layer on its way into the tree.
struct Walk<'a> {
    origin: &'a str,
    fitting: &'a mut Map<String, Value>,
    problems: &'a mut Vec<ConfigProblem>,
}

impl Walk<'_> {
    fn section(&mut self, path: &mut Vec<String>, values: &Map<String, Value>, known: &Map<String, Value>) {
        for (key, value) in values {
            path.push(key.clone());
            let dotted = path.join(".");
            match (known.get(key), value) {
                (None, _) => self.unknown(dotted, key, known),
                (Some(Value::Object(known)), Value::Object(values)) if !FREE.contains(&dotted.as_str()) => {
                    self.section(path, values, known);
                }
                (Some(Value::Object(_)), value) if !value.is_object() => {
                    self.problem(dotted, "this is a section: it holds an object".to_owned(), false);
                }
                (Some(_), value) => self.leaf(path, dotted, value),
            }
            path.pop();
        }
    }

    /// Keeps a value when the tree with nothing but it can be read.
    fn leaf(&mut self, path: &[String], key: String, value: &Value) {
        let nested =
            path.iter().rev().fold(value.clone(), |inner, part| Value::Object(Map::from_iter([(part.clone(), inner)])));
        match serde_json::from_value::<Config>(nested.clone()) {
            Ok(_) => {
                let Value::Object(nested) = nested else { unreachable!("a path has at least one part") };
                merge(self.fitting, &nested);
            }
            Err(error) => self.problem(key, error.to_string(), false),
        }
    }

    fn unknown(&mut self, dotted: String, key: &str, known: &Map<String, Value>) {
        let message = match GONE.iter().find(|(gone, _)| *gone == dotted) {
            Some((_, why)) => format!("this key of 2011 has no meaning any more: {why}"),
            None => match nearest(key, known.keys()) {
                Some(near) => format!("there is no such key; did you mean `{near}`?"),
                None => "there is no such key".to_owned(),
            },
        };
        self.problem(dotted, message, true);
    }

    fn problem(&mut self, key: String, message: String, warning: bool) {
        self.problems.push(ConfigProblem { origin: self.origin.to_owned(), key, message, warning });
    }
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    known
        .map(|near| (strsim::osa_distance(name, near), near.as_str()))
        .filter(|(distance, near)| *distance <= near.len().max(name.len()) / 3)
        .min()
        .map(|(_, near)| near)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(origin: &str, values: Value) -> Layer {
        let Value::Object(values) = values else { panic!("a layer is an object") };
        Layer { origin: origin.to_owned(), values }
    }

    fn resolve(layers: impl IntoIterator<Item = Layer>) -> (Config, Vec<String>) {
        let mut all = Layers::default();
        layers.into_iter().for_each(|layer| all.push(layer));
        let (config, problems) = all.resolve();
        (config, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn later_layers_win_and_free_objects_merge() {
        let (config, problems) = resolve([
            Layers::preset("production"),
            layer(
                "config/app.json",
                serde_json::json!({"http": {"port": 1, "hostname": "::1"}, "client": {"a": {"b": 1}}}),
            ),
            layer("config/environments/x.json", serde_json::json!({"http": {"port": 2}, "client": {"a": {"c": [9]}}})),
        ]);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!((config.http.port, config.http.hostname.as_str(), config.log.level), (2, "::1", 0));
        assert_eq!(config.client["a"], serde_json::json!({"b": 1, "c": [9]}));
    }

    #[test]
    fn variables_are_layers() {
        let variables = [("SS__HTTP__PORT", "8080"), ("SS__NAME", "chat"), ("SS_ENV", "x"), ("PATH", "y")];
        let layers = Layers::variables(variables.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(layers.len(), 2);
        let (config, problems) = resolve(layers);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!((config.http.port, config.name.as_deref()), (8080, Some("chat")));
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_and_left_out() {
        let (config, problems) = resolve([
            layer("config/app.json", serde_json::json!({"http": {"port": 4000}, "rtm": {"enabled": true}})),
            layer("SS__HTTP__PORT", serde_json::json!({"http": {"port": "many"}})),
            layer(
                "--x",
                serde_json::json!({"htp": 1, "log": {"levle": 1}, "session": 5, "csp": {"extra": {"img-src": 1}}}),
            ),
        ]);
        assert_eq!(config.http.port, 4000);
        insta::assert_snapshot!(problems.join("\n"), @r#"
        config/app.json: `rtm`: this key of 2011 has no meaning any more: realtime models were an experiment of 2011 and are not there any more
        SS__HTTP__PORT: `http.port`: invalid type: string "many", expected u16
        --x: `htp`: there is no such key; did you mean `http`?
        --x: `log.levle`: there is no such key; did you mean `level`?
        --x: `session`: this is a section: it holds an object
        --x: `csp.extra`: invalid type: integer `1`, expected a sequence
        "#);
    }
}
