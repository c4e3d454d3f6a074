use std::{collections::BTreeMap, ops::Range};

use jsonc_parser::{CollectOptions, ParseOptions, ast};
use serde_json::{Map, Value};
use ssbuild_diagnostic::{Code, Diagnostic, Place, Span};

use crate::project::without_bom;

/// Objects and arrays in a configuration are not nested deeper than this.
const DEPTH_MAX: usize = 64;

/// A configuration file's values, and where each key stands.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: String,
    text: String,
    places: Places,
    pub(super) values: Map<String, Value>,
}

#[derive(Debug)]
enum Places {
    /// By key, with dots.
    Known(BTreeMap<String, Span>),
    /// The file is a program: a key is looked for in its text.
    Searched,
}

impl Source {
    /// A file that was evaluated.
    pub(super) fn of_module(file: &str, text: String, values: Map<String, Value>) -> Self {
        Self { file: file.to_owned(), text, places: Places::Searched, values }
    }

    /// Where a key stands.
    pub(super) fn place(&self, key: &str) -> Place {
        let span = match &self.places {
            Places::Known(places) => places.get(key).copied(),
            Places::Searched => search(&self.text, key),
        };
        match span {
            Some(span) => Place::new(&self.file, &self.text, span),
            None => Place::file(&self.file),
        }
    }
}

/// Where a program most likely writes a key: each part of it as a word before `:` or `=`, one behind the other.
fn search(text: &str, key: &str) -> Option<Span> {
    let mut from = 0;
    let mut found = None;
    for part in key.split('.') {
        let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$' | '-');
        let at = text[from..].match_indices(part).map(|(at, _)| from + at).find(|&at| {
            let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
            let is_comment = line.trim_start().starts_with("//") || line.trim_start().starts_with('#');
            let behind = text[at + part.len()..].trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']);
            !is_comment && !line.ends_with(is_word) && behind.starts_with([':', '='])
        });
        // Shorthand, a spread: the section is near enough.
        let Some(at) = at else { break };
        from = at + part.len();
        found = Some(span(at..from));
    }
    found
}

/// Reads one file, JSON with comments or TOML by its ending.
pub(super) fn parse(file: &str, bytes: Vec<u8>) -> Result<Source, Box<Diagnostic>> {
    let text = String::from_utf8(bytes).map_err(|_| {
        Box::new(Diagnostic::new(Code::FileUnreadable, format!("`{file}` is not UTF-8")).at(Place::file(file), ""))
    })?;
    let mut source = Source { file: file.to_owned(), text, places: Places::Searched, values: Map::new() };
    let text = source.text.clone();
    let text = without_bom(&text);
    source.text = text.to_owned();
    if depth(text) > DEPTH_MAX {
        let message = format!("`{file}` is nested more than {DEPTH_MAX} deep");
        return Err(Box::new(Diagnostic::new(Code::NestedTooDeep, message).at(Place::file(file), "")));
    }
    match file.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "json" | "jsonc" => parse_json(&mut source, text)?,
        "toml" => parse_toml(&mut source, text)?,
        _ => unreachable!("modules are evaluated"),
    }
    Ok(source)
}

/// An upper bound of the nesting: brackets in strings and comments count too, which no sane file minds.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn invalid(source: &Source, message: impl std::fmt::Display, span: Span) -> Box<Diagnostic> {
    let message = format!("`{}` cannot be read: {message}", source.file);
    Box::new(Diagnostic::new(Code::ConfigInvalid, message).at(Place::new(&source.file, &source.text, span), ""))
}

fn parse_json(source: &mut Source, text: &str) -> Result<(), Box<Diagnostic>> {
    // JSON with comments and trailing commas; the parser's further liberties would not survive another tool.
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
    };
    let parsed = jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &options)
        .map_err(|error| invalid(source, error.kind(), span(error.range().start..error.range().end)))?;
    match parsed.value {
        None => {}
        Some(ast::Value::Object(object)) => {
            let mut places = BTreeMap::new();
            json_places(&object, &mut Vec::new(), &mut places);
            source.places = Places::Known(places);
            source.values = jsonc_parser::parse_to_serde_value(text, &options)
                .map_err(|error| invalid(source, error.kind(), span(error.range().start..error.range().end)))?;
        }
        Some(_) => return Err(invalid(source, "it must hold an object", Span::new(0, 1))),
    }
    Ok(())
}

fn json_places(object: &ast::Object<'_>, key: &mut Vec<String>, places: &mut BTreeMap<String, Span>) {
    for property in &object.properties {
        key.push(property.name.as_str().to_owned());
        places.insert(key.join("."), span(property.range.start..property.range.end));
        if let ast::Value::Object(inner) = &property.value {
            json_places(inner, key, places);
        }
        key.pop();
    }
}

fn parse_toml(source: &mut Source, text: &str) -> Result<(), Box<Diagnostic>> {
    let at = |error: &toml::de::Error| error.span().map_or(Span::new(0, 1), span);
    let table: toml::Table = toml::from_str(text).map_err(|error| invalid(source, error.message(), at(&error)))?;
    let spanned = toml::de::DeTable::parse(text).map_err(|error| invalid(source, error.message(), at(&error)))?;
    let mut places = BTreeMap::new();
    toml_places(spanned.get_ref(), &mut Vec::new(), &mut places);
    source.places = Places::Known(places);
    source.values = table.into_iter().map(|(key, value)| (key, toml_value(value))).collect();
    Ok(())
}

fn toml_places(table: &toml::de::DeTable<'_>, key: &mut Vec<String>, places: &mut BTreeMap<String, Span>) {
    for (name, value) in table {
        key.push(name.get_ref().to_string());
        places.insert(key.join("."), span(name.span().start..value.span().end));
        if let toml::de::DeValue::Table(inner) = value.get_ref() {
            toml_places(inner, key, places);
        }
        key.pop();
    }
}

fn toml_value(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(moment) => Value::String(moment.to_string()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(toml_value).collect()),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, toml_value(value))).collect())
        }
    }
}

fn span(range: Range<usize>) -> Span {
    let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Span::new(at(range.start), at(range.end))
}
