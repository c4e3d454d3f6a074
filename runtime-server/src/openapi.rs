//! The HTTP API of an app as an OpenAPI 3.1 document: what a build writes, and what is shown in development.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::config::Api;
use crate::manifest::{Action, Manifest};

/// The document for a build.
pub fn document(manifest: &Manifest, config: &Api) -> Value {
    let actions = &manifest.api.server;
    let paths: Map<String, Value> = actions
        .iter()
        .map(|(path, action)| (format!("/{}/{}", config.prefix, encoded(path)), path_item(path, action)))
        .collect();
    let tags: BTreeSet<&str> = actions.keys().map(|path| tag(path)).collect();
    let tags: Vec<Value> = tags.into_iter().map(|name| json!({"name": name})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {"title": manifest.app, "version": manifest.build_id},
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": {"Error": error_schema()},
            "responses": {
                "Error": {
                    "description": "The call failed.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                },
            },
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
        },
    })
}

fn path_item(path: &str, action: &Action) -> Value {
    let mut item = Map::new();
    // By GET an action gets one argument at most.
    let most = action.params.len();
    if most <= 1 || action.rest {
        item.insert("get".to_owned(), get(path, action));
    }
    item.insert("post".to_owned(), post(path, action));
    Value::Object(item)
}

fn get(path: &str, action: &Action) -> Value {
    let mut operation = operation(path, action, "get");
    if let Some(name) = action.params.first() {
        let description = "The fields of one object, as strings; or one text without a name: `?25`.";
        operation["parameters"] = json!([{
            "name": name, "in": "query", "description": description, "style": "form", "explode": true,
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        }]);
    }
    operation
}

fn post(path: &str, action: &Action) -> Value {
    let mut operation = operation(path, action, "post");
    let named = if action.rest { action.params.len().saturating_sub(1) } else { action.params.len() };
    let items: Vec<Value> = action.params.iter().take(named).map(|name| json!({"title": name})).collect();
    let mut arguments = json!({"type": "array", "description": "The arguments, in order."});
    // An empty list is not a list of schemas.
    if !items.is_empty() {
        arguments["prefixItems"] = Value::Array(items);
    }
    operation["requestBody"] = json!({
        "content": {
            "application/json": {"schema": {
                "description": "An array is the arguments, anything else the only one.",
                "anyOf": [arguments, {"type": ["object", "string", "number", "boolean", "null"]}],
            }},
            "application/x-www-form-urlencoded": {"schema": {"type": "object", "additionalProperties": {"type": "string"}}},
        },
    });
    operation
}

fn operation(path: &str, action: &Action, method: &str) -> Value {
    let params = action.params.join(", ");
    let mut operation = json!({
        "operationId": format!("{method}.{}", path.replace('/', ".")),
        "summary": format!("SS.server.{}({params})", path.replace('/', ".")),
        "tags": [tag(path)],
        "responses": {
            "200": {"description": "What the action answered.", "content": {"application/json": {"schema": {}}}},
            "default": {"$ref": "#/components/responses/Error"},
        },
    });
    if action.guard {
        operation["security"] = json!([{"basic": []}]);
    }
    operation
}

/// The file that an action stands in, or the folder above it.
fn tag(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(file, _)| file)
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["code", "message", "retryable"],
            "properties": {
                "code": {"type": "string", "description": "One of the error table, such as `bad_request`."},
                "message": {"type": "string"},
                "retryable": {"type": "boolean"},
                "stack": {"type": "string", "description": "In development only."},
            },
        }},
    })
}

/// A path with what a template of OpenAPI or a URL would read otherwise written in hex.
fn encoded(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'~' | b'$');
    path.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
