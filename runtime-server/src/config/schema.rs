use serde_json::{Value, json};

use super::Config;

/// The tree as a JSON Schema (draft 2020-12), for editors: types, defaults and what each key means, as declared.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Config).to_value();
    schema["title"] = json!("Configuration of an ssbuild app");
    // Editors find the schema by it; the layers pass over it.
    schema["properties"]["$schema"] = json!({"type": "string", "description": "Where this schema is."});
    schema
}

#[cfg(test)]
mod tests {
    use super::schema;

    #[test]
    fn the_schema_has_types_defaults_and_meanings() {
        let schema = schema();
        let http = &schema["$defs"]["Http"]["properties"]["port"];
        assert_eq!((&http["type"], &http["default"]), (&"integer".into(), &3000.into()));
        assert_eq!(http["description"], "TCP port.");
        assert_eq!(schema["$defs"]["Minify"]["oneOf"][0]["const"], "off");
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["$defs"]["Limits"]["properties"]["message_bytes"]["default"], 65536);
    }
}
