use serde_json::{Map, Value};

use super::Config;
use crate::nearest::did_you_mean;

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
const FREE: &[&str] = &["client", "app", "db", "csp.extra", "build.define", "build.budget_bytes"];

/// Keys of 2011 that are gone, and why.
const GONE: &[(&str, &str)] = &[
    ("rtm", "realtime models were an experiment of 2011 and are not there any more"),
    ("ss_var", "the global is always `SS`"),
    ("throw_errors", "an error of an action goes to its caller and to the log, and never ends the server"),
    ("enable_color", "colour follows the terminal, `NO_COLOR` and `CLICOLOR_FORCE`"),
    ("pack_assets", "`build.minify` and `build.compress` say how assets are packed"),
    ("loaded", "it said that the configuration was read"),
    ("admin", "there was nothing behind it; health and metrics are at `server.admin`"),
    ("redis_pubsub", "one Redis does both, by `redis`"),
    ("redis.options", "`redis.username`, `redis.password` and `redis.tls` say how to reach it"),
    ("limiter", LIMITER),
    ("rate_limiter", LIMITER),
    ("users.online.keep_historic", "who was online when is for the app to keep"),
];

const LIMITER: &str = "`limits.messages_per_second` and its neighbours say how much a client may send";

/// Keys of 2011 that have another name, and it.
const MOVED: &[(&str, &str)] = &[
    ("port", "http.port"),
    ("hostname", "http.hostname"),
    ("ssl.enabled", "https.enabled"),
    ("redis.db_index", "redis.db"),
    ("limiter.websockets.rps", "limits.messages_per_second"),
    ("rate_limiter.websockets.rps", "limits.messages_per_second"),
    ("users_online.enabled", "users.online.enabled"),
    ("users_online.mins_until_offline", "users.online.mins_until_offline"),
    ("users_online.update_interval", "users.online.update_interval"),
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
        let Resolved { config, problems, .. } = self.resolved();
        (config, problems)
    }

    /// The same, and where each value came from.
    pub fn resolved(&self) -> Resolved {
        let Ok(Value::Object(defaults)) = serde_json::to_value(Config::default()) else {
            unreachable!("the tree of defaults is an object")
        };
        let mut problems = Vec::new();
        let mut merged = Map::new();
        let mut others = Map::new();
        let mut kept = Vec::new();
        for layer in &self.layers {
            let mut fitting = Map::new();
            let mut walk = Walk {
                origin: &layer.origin,
                fitting: &mut fitting,
                others: &mut others,
                problems: &mut problems,
                tree: &defaults,
            };
            walk.section(&mut Vec::new(), &layer.values, &defaults);
            merge(&mut merged, &fitting);
            kept.push((layer.origin.as_str(), fitting));
        }
        let mut config: Config =
            serde_json::from_value(Value::Object(merged)).expect("every value was tried on its own");
        config.others = others;
        let tree = serde_json::to_value(&config).expect("the tree is plain data");
        let mut origins = Vec::new();
        collect_origins(&tree, &mut Vec::new(), &kept, &mut origins);
        Resolved { config, problems, origins }
    }
}

/// The resolved configuration.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// All layers merged and typed.
    pub config: Config,
    /// What did not fit.
    pub problems: Vec<ConfigProblem>,
    /// Every value of the tree, in its order, and where it came from.
    pub origins: Vec<Origin>,
}

/// A value of the tree and the layer that it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// The key, with dots.
    pub key: String,
    /// The value.
    pub value: Value,
    /// The layer's name; `default` when no layer has the key.
    pub origin: String,
}

fn collect_origins(value: &Value, path: &mut Vec<String>, layers: &[(&str, Map<String, Value>)], to: &mut Vec<Origin>) {
    if let Value::Object(inner) = value
        && !inner.is_empty()
    {
        for (key, value) in inner {
            path.push(key.clone());
            collect_origins(value, path, layers, to);
            path.pop();
        }
        return;
    }
    let has = |values: &Map<String, Value>| {
        let mut parts = path.iter();
        let first = parts.next().and_then(|part| values.get(part));
        first.and_then(|first| parts.try_fold(first, |value, part| value.get(part))).is_some()
    };
    let layer = layers.iter().rev().find(|(_, values)| has(values));
    let origin = layer.map_or("default", |(origin, _)| origin).to_owned();
    to.push(Origin { key: path.join("."), value: value.clone(), origin });
}

/// One layer on its way into the tree.
struct Walk<'a> {
    origin: &'a str,
    fitting: &'a mut Map<String, Value>,
    /// Values of keys that the tree does not have.
    others: &'a mut Map<String, Value>,
    problems: &'a mut Vec<ConfigProblem>,
    /// The tree of defaults.
    tree: &'a Map<String, Value>,
}

impl Walk<'_> {
    fn section(&mut self, path: &mut Vec<String>, values: &Map<String, Value>, known: &Map<String, Value>) {
        for (key, value) in values {
            path.push(key.clone());
            let dotted = path.join(".");
            match (known.get(key), value) {
                // An editor's way to the schema.
                (None, Value::String(_)) if dotted == "$schema" => {}
                (None, _) if self.is_off(&dotted, value) => {}
                (None, _) => {
                    merge(self.others, &nested(path, value));
                    if !self.moved(&dotted, value) {
                        self.unknown(dotted, key, known);
                    }
                }
                (Some(Value::Object(known)), Value::Object(values)) if !FREE.contains(&dotted.as_str()) => {
                    self.section(path, values, known);
                }
                (Some(Value::Object(_)), value) if !value.is_object() => {
                    self.problem(dotted, "this is a section: it holds an object".to_owned(), false);
                }
                // In 2011 `false` said that there is none.
                (Some(Value::Null), Value::Bool(false)) => self.leaf(path, dotted, &Value::Null),
                (Some(_), value) => self.leaf(path, dotted, value),
            }
            path.pop();
        }
    }

    /// Keeps a value when the tree with nothing but it can be read.
    fn leaf(&mut self, path: &[String], key: String, value: &Value) {
        let fits = |value: &Value| {
            let nested = nested(path, value);
            serde_json::from_value::<Config>(Value::Object(nested.clone())).map(|_| nested)
        };
        let fitting = fits(value).or_else(|error| match value {
            // A variable is text: a password of digits is no number.
            Value::Number(_) | Value::Bool(_) if self.origin.starts_with(VARIABLE_PREFIX) => {
                fits(&Value::String(value.to_string())).map_err(|_| error)
            }
            _ => Err(error),
        });
        match fitting {
            Ok(nested) => merge(self.fitting, &nested),
            Err(error) => self.problem(key, error.to_string(), false),
        }
    }

    /// Whether this is a limiter of 2011 that is switched off, as the generated configurations have it.
    fn is_off(&self, dotted: &str, value: &Value) -> bool {
        ["limiter", "rate_limiter"].contains(&dotted) && value.get("enabled") == Some(&Value::Bool(false))
    }

    /// Takes the values of keys that have another name now; whether there were any.
    fn moved(&mut self, dotted: &str, value: &Value) -> bool {
        let mut any = false;
        for (old, new) in MOVED {
            let inner = match old.strip_prefix(dotted) {
                Some("") => Some(value),
                Some(rest) if rest.starts_with('.') => value.pointer(&rest.replace('.', "/")),
                _ => None,
            };
            let Some(inner) = inner else { continue };
            any = true;
            self.problem((*old).to_owned(), format!("this key of 2011 is `{new}` now, which it sets"), true);
            let path: Vec<String> = new.split('.').map(str::to_owned).collect();
            self.leaf(&path, (*old).to_owned(), inner);
        }
        any
    }

    fn unknown(&mut self, dotted: String, key: &str, known: &Map<String, Value>) {
        let message = match GONE.iter().find(|(gone, _)| *gone == dotted) {
            Some((_, why)) => format!("this key of 2011 has no meaning any more: {why}"),
            None => {
                let mut elsewhere = Vec::new();
                places_of(key, self.tree, &mut Vec::new(), &mut elsewhere);
                let near = elsewhere
                    .first()
                    .map(|place| format!("did you mean `{place}`?"))
                    .or_else(|| did_you_mean(key, known.keys().map(String::as_str)).map(|near| lower_first(&near)));
                near.map_or_else(|| "there is no such key".to_owned(), |near| format!("there is no such key; {near}"))
            }
        };
        self.problem(dotted, message, true);
    }

    fn problem(&mut self, key: String, message: String, warning: bool) {
        self.problems.push(ConfigProblem { origin: self.origin.to_owned(), key, message, warning });
    }
}

/// Where else in the tree there is a key of that name, with dots.
fn places_of(key: &str, tree: &Map<String, Value>, path: &mut Vec<String>, found: &mut Vec<String>) {
    for (name, value) in tree {
        path.push(name.clone());
        if name == key {
            found.push(path.join("."));
        }
        if let Value::Object(inner) = value {
            places_of(key, inner, path, found);
        }
        path.pop();
    }
}

fn lower_first(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// A tree with one value in it.
fn nested(path: &[String], value: &Value) -> Map<String, Value> {
    let mut parts = path.iter().rev();
    let last = parts.next().expect("a path has at least one part");
    let wrap = |inner, part: &String| Map::from_iter([(part.clone(), Value::Object(inner))]);
    parts.fold(Map::from_iter([(last.clone(), value.clone())]), wrap)
}

/// Deep merge: objects are merged, everything else is replaced.
pub(super) fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
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

    #[test]
    fn every_value_knows_where_it_came_from() {
        let mut layers = Layers::default();
        layers.push(Layers::preset("development"));
        layers.push(layer(
            "config/app.json",
            serde_json::json!({"$schema": "./x.json", "http": {"port": 1}, "client": {"a": {"b": [1]}}}),
        ));
        layers.push(layer("SS__HTTP__PORT", serde_json::json!({"http": {"port": 2}})));
        let Resolved { problems, origins, .. } = layers.resolved();
        assert_eq!(problems, Vec::new());
        let of = |key: &str| {
            let origin = origins.iter().find(|origin| origin.key == key).expect("the key is in the tree");
            (origin.value.to_string(), origin.origin.as_str())
        };
        assert_eq!(of("http.port"), ("2".to_owned(), "SS__HTTP__PORT"));
        assert_eq!(of("http.hostname"), ("\"127.0.0.1\"".to_owned(), "the preset of development"));
        assert_eq!(of("client.a.b"), ("[1]".to_owned(), "config/app.json"));
        assert_eq!(of("client.log.level"), ("2".to_owned(), "the preset of development"));
        assert_eq!(of("session.expires_days"), ("30".to_owned(), "default"));
        assert_eq!(of("app"), ("{}".to_owned(), "default"));
    }

    #[test]
    fn text_in_variables_and_false_in_files_of_2011_are_understood() {
        let (config, problems) = resolve([
            layer("SS__NAME", serde_json::json!({"name": 2011})),
            layer("config/app.json", serde_json::json!({"api": {"auth": {"basic": {"module_name": false}}}})),
            layer("--x", serde_json::json!({"prefix": "x", "admin": {}})),
        ]);
        assert_eq!((config.name.as_deref(), config.api.auth.basic.module_name), (Some("2011"), None));
        assert_eq!(
            problems,
            [
                "--x: `prefix`: there is no such key; did you mean `api.prefix`?",
                "--x: `admin`: this key of 2011 has no meaning any more: there was nothing behind it; health and metrics are at `server.admin`",
            ]
        );
    }

    #[test]
    fn keys_of_2011_that_have_another_name_hold() {
        let (config, problems) = resolve([
            layer("preset", serde_json::json!({"http": {"hostname": "127.0.0.1"}})),
            layer(
                "config/app.json",
                serde_json::json!({
                    "port": 8080,
                    "hostname": "0.0.0.0",
                    "ssl": {"enabled": true},
                    "redis": {"host": "r", "db_index": 3},
                    "limiter": {"enabled": true, "websockets": {"rps": 15}},
                    "rate_limiter": {"enabled": false, "websockets": {"rps": 1}},
                }),
            ),
        ]);
        assert_eq!((config.http.port, config.http.hostname.as_str(), config.https.enabled), (8080, "0.0.0.0", true));
        assert_eq!((config.redis.db, config.limits.messages_per_second), (Some(3), 15));
        let told =
            |old: &str, new: &str| format!("config/app.json: `{old}`: this key of 2011 is `{new}` now, which it sets");
        assert_eq!(
            problems,
            [
                told("port", "http.port"),
                told("hostname", "http.hostname"),
                told("ssl.enabled", "https.enabled"),
                told("redis.db_index", "redis.db"),
                told("limiter.websockets.rps", "limits.messages_per_second"),
            ]
        );
    }

    #[test]
    fn server_code_finds_keys_of_the_apps_own_where_they_were_written() {
        let (config, problems) = resolve([
            layer(
                "config/app.json",
                serde_json::json!({"db": {"mongo": {"host": "a", "port": 1}}, "twitter": {"a": 1}}),
            ),
            layer(
                "config/environments/x.json",
                serde_json::json!({"db": {"mongo": {"host": "b"}}, "twitter": {"b": 2}}),
            ),
            layer("config/environments/x.json", serde_json::json!({"redis": {"options": {"x": 1}}, "port": 1})),
        ]);
        let seen = config.for_server_code();
        assert_eq!(seen["db"], serde_json::json!({"mongo": {"host": "b", "port": 1}}));
        assert_eq!(seen["twitter"], serde_json::json!({"a": 1, "b": 2}));
        assert_eq!((&seen["redis"]["options"], &seen["redis"]["port"]), (&serde_json::json!({"x": 1}), &6379.into()));
        assert_eq!((&seen["port"], &seen["http"]["port"]), (&1.into(), &1.into()));
        assert!(problems.iter().all(|problem| !problem.contains("`db`")), "{problems:?}");
    }
}
