use std::collections::BTreeMap;

use ssbuild_diagnostic::{Code, Diagnostic, Place, Span};

use super::html;

/// A file in a folder below `app/views`.
#[derive(Debug, Clone)]
pub struct TemplateSource {
    /// Path below the app folder, as in `app/views/people/info.html`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A client-side template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its folders and its name less the last ending, joined by `-`.
    pub id: String,
    /// Where it is from.
    pub path: String,
    /// Its text, untouched.
    pub text: String,
}

/// Names every template and checks that it can stand in a page. Sorted by id; what cannot be used is left out.
pub fn collect_templates(sources: &[TemplateSource]) -> (Vec<Template>, Vec<Diagnostic>) {
    let mut found: BTreeMap<String, &TemplateSource> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    let mut sorted: Vec<&TemplateSource> = sources.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    for source in sorted {
        if let Some(diagnostic) = check(source) {
            diagnostics.push(diagnostic);
            continue;
        }
        let id = id(&source.path);
        if let Some(other) = found.get(&id) {
            diagnostics.push(
                Diagnostic::new(Code::NameConflict, format!("two templates have the id `{id}`"))
                    .at(Place::file(&other.path), "this file")
                    .at(Place::file(&source.path), "and this one")
                    .help("Rename one of them."),
            );
            continue;
        }
        found.insert(id, source);
    }
    let templates =
        found.into_iter().map(|(id, source)| Template { id, path: source.path.clone(), text: source.text.clone() });
    (templates.collect(), diagnostics)
}

fn id(path: &str) -> String {
    let below = path.strip_prefix("app/views/").unwrap_or(path);
    let (folders, name) = below.rsplit_once('/').unwrap_or(("", below));
    // A leading dot would be a hidden file, not an ending.
    let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
    folders.split('/').filter(|part| !part.is_empty()).chain([name]).collect::<Vec<_>>().join("-")
}

fn check(source: &TemplateSource) -> Option<Diagnostic> {
    if html::fits_in_script(&source.text) {
        return None;
    }
    let lower = source.text.to_ascii_lowercase();
    let (at, length, message) = match (lower.find("</script"), lower.find("<!--")) {
        (Some(at), _) => (at, "</script".len(), "`</script` would end the element that the template stands in"),
        (None, Some(at)) => {
            (at, "<!--".len(), "`<script` in a comment that is not closed would hide the end of the template")
        }
        (None, None) => (0, 0, "the template cannot stand in a page"),
    };
    let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let place = match source.path.rsplit_once('.') {
        // The text is what was made of the file: its lines are none that anybody wrote.
        Some((_, "jade" | "pug")) => Place::file(&source.path),
        _ => Place::new(&source.path, &source.text, Span::new(to_u32(at), to_u32(at + length))),
    };
    Some(
        Diagnostic::new(Code::TemplateInvalid, message)
            .at(place, "")
            .help("Keep scripts out of templates, in `app/client`."),
    )
}
