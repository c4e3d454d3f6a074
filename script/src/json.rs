use serde_json::Value;
use ssbuild_diagnostic::{Code, Diagnostic};

use crate::place::Places;
use crate::{CompiledModule, ExportForm, Exports, MapChunk, Options, Wrap};

/// Compiles a JSON file: a module whose exports are the value.
pub(crate) fn compile(places: &Places<'_>, options: &Options) -> Result<CompiledModule, Vec<Diagnostic>> {
    let text = places.text().trim_start_matches('\u{feff}');
    let value: Value = serde_json::from_str(text).map_err(|error| vec![diagnostic(places, &error)])?;
    let exports = match &value {
        Value::Object(object) => object.keys().map(|key| (key.clone(), places.of(Default::default()))).collect(),
        _ => Vec::new(),
    };
    let literal = if has_prototype_key(&value) {
        // As an object literal the key would set the prototype.
        format!("JSON.parse({})", serde_json::to_string(&value.to_string()).expect("a string is valid JSON"))
    } else {
        compact(text)
    };
    let code = match options.wrap {
        Wrap::Module | Wrap::Joined => format!("function(module,exports,require){{module.exports={literal}}}"),
        Wrap::Plain => format!("({literal});"),
    };
    let units = code.encode_utf16().count() as u32;
    Ok(CompiledModule {
        map: options.source_map.then(|| MapChunk { last_line_units: units, ..MapChunk::default() }),
        code,
        exports: Exports { form: ExportForm::CommonJs, names: exports, open: !value.is_object(), stars: Vec::new() },
        actions: options.read_actions.then(Vec::new),
        ..CompiledModule::default()
    })
}

/// The text without the white space between its tokens. Numbers stay as they are written.
fn compact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', ' ', '\t', '\n', '\r']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('"') {
            let end = string_end(rest);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else {
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// Where the string that starts a text ends.
fn string_end(text: &str) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return at + 1,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    text.len()
}

fn has_prototype_key(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.contains_key("__proto__") || object.values().any(has_prototype_key),
        Value::Array(items) => items.iter().any(has_prototype_key),
        _ => false,
    }
}

fn diagnostic(places: &Places<'_>, error: &serde_json::Error) -> Diagnostic {
    let text = error.to_string();
    let said = match text.rsplit_once(" at line ").map_or(text.as_str(), |(said, _)| said) {
        said if said.starts_with("EOF") => "it ends in the middle of something",
        said => said,
    };
    let lines = places.lines();
    let line = error.line().clamp(1, lines.len());
    let at = lines[line - 1] as usize + error.column().saturating_sub(1);
    let at = at.min(places.text().trim_end().len());
    let place = places.at(at, at + 1);
    if said.contains("recursion limit") {
        return Diagnostic::new(Code::NestedTooDeep, "this JSON is nested too deep").at(place, "here it goes too deep");
    }
    let found = Diagnostic::new(Code::SyntaxError, format!("this is not valid JSON: {said}")).at(place, "");
    match places.text().as_bytes().get(at) {
        Some(b'/') => found.help("JSON has no comments; remove it, or make the file a `.js` module."),
        Some(b'\'') => found.help("Strings in JSON stand in double quotes."),
        _ if said.contains("trailing comma") => found.help("Remove the comma before the closing bracket."),
        _ => found,
    }
}
