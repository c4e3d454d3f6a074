use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};
use percent_encoding::percent_decode_str;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::Format;
use crate::engine::{CallError, ErrorCode, Json};
use crate::http::is_type;
use crate::manifest::Action;

/// What a URL asks for.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) action: String,
    pub(super) format: Format,
}

impl Target {
    /// Reads the path below the API's prefix: an action, and perhaps `.json` or `.html`.
    pub(super) fn parse(tree: &BTreeMap<String, Action>, path: &str, headers: &HeaderMap) -> Self {
        let path = percent_decode_str(path).decode_utf8_lossy();
        let accepts_html = headers
            .get(ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.split(',').any(|item| item.trim().starts_with("text/html")));
        let preferred = if accepts_html { Format::Html } else { Format::Json };
        if tree.contains_key(path.as_ref()) {
            return Self { action: path.into_owned(), format: preferred };
        }
        let (action, format) = match path.rsplit_once('.') {
            Some((action, ending)) if ending.eq_ignore_ascii_case("json") => (action, Format::Json),
            Some((action, ending)) if ending.eq_ignore_ascii_case("html") => (action, Format::Html),
            _ => (path.as_ref(), preferred),
        };
        Self { action: action.to_owned(), format }
    }
}

/// What a request brings for the action.
#[derive(Debug)]
pub(super) struct Form {
    /// The data arguments: a JSON array.
    pub(super) args: Json,
    /// The body, for `this.request.post`.
    pub(super) post: Option<Value>,
}

impl Form {
    /// A body decides over a query. JSON keeps its types, all else is strings.
    pub(super) fn read(query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Result<Self, CallError> {
        let refused = |text: String| CallError::new(ErrorCode::BadRequest, text);
        if body.is_empty() {
            return Ok(Self { args: array(&query_args(query.unwrap_or_default())?), post: None });
        }
        if is_type(headers, "application/json") {
            let broken = |error: serde_json::Error| refused(format!("the body is not JSON: {error}"));
            let post: Value = serde_json::from_slice(body).map_err(broken)?;
            let raw: &RawValue = serde_json::from_slice(body).map_err(broken)?;
            let args = if post.is_array() { raw.to_owned() } else { array(&[raw]) };
            return Ok(Self { args, post: Some(post) });
        }
        if is_type(headers, "application/x-www-form-urlencoded") {
            let post = Value::Object(fields(body));
            return Ok(Self { args: array(std::slice::from_ref(&post)), post: Some(post) });
        }
        let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
        Err(refused(format!("the body must be application/json or application/x-www-form-urlencoded, not {named}")))
    }
}

/// `?25` is one string, `?a=1&b=2` one object of strings, no query is no argument.
fn query_args(query: &str) -> Result<Vec<Value>, CallError> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    if query.contains('=') {
        return Ok(vec![Value::Object(fields(query.as_bytes()))]);
    }
    let text = percent_decode_str(query).decode_utf8();
    let text = text.map_err(|_| CallError::new(ErrorCode::BadRequest, "the query is not text in UTF-8"))?;
    Ok(vec![Value::String(text.into_owned())])
}

fn fields(text: &[u8]) -> Map<String, Value> {
    form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
}

fn array<T: serde::Serialize>(values: &[T]) -> Json {
    to_raw_value(values).expect("values made of JSON are JSON")
}
