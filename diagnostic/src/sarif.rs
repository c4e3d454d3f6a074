use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{Code, Diagnostic, Place, Report, Severity};

/// What a path keeps in a URI reference.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

impl Report {
    /// The findings as one log in SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format).
    pub fn to_sarif(&self, version: &str) -> Value {
        let mut codes: Vec<Code> = self.sorted().iter().map(|diagnostic| diagnostic.code).collect();
        codes.sort();
        codes.dedup();
        let rules: Vec<Value> = codes.iter().map(|&code| rule(code)).collect();
        let results = self.sorted().into_iter().map(|diagnostic| {
            let rule = codes.binary_search(&diagnostic.code).expect("the codes are those of the findings");
            result(diagnostic, rule)
        });
        json!({
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {"name": "ssbuild", "semanticVersion": version, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": results.collect::<Vec<_>>(),
            }],
        })
    }
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": {"text": code.about()},
        "defaultConfiguration": {"level": level(code.severity())},
    })
}

fn result(diagnostic: &Diagnostic, rule: usize) -> Value {
    let mut result = json!({
        "ruleId": diagnostic.code.as_str(),
        "ruleIndex": rule,
        "level": level(diagnostic.severity),
        "message": {"text": diagnostic.whole_message()},
    });
    let mut labels = diagnostic.labels.iter();
    if let Some(first) = labels.next() {
        result["locations"] = json!([{"physicalLocation": physical(&first.place)}]);
    }
    let related: Vec<Value> = labels
        .enumerate()
        .map(|(n, label)| {
            let text = if label.text.is_empty() { "here, too" } else { &label.text };
            json!({"id": n + 1, "message": {"text": text}, "physicalLocation": physical(&label.place)})
        })
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    result
}

fn physical(place: &Place) -> Value {
    let mut physical = json!({"artifactLocation": {"uri": utf8_percent_encode(&place.file, PATH).to_string()}});
    if place.line > 0 {
        physical["region"] = json!({
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.line,
            "endColumn": place.column + place.length,
        });
    }
    physical
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

#[cfg(test)]
mod tests {
    use crate::{Code, Diagnostic, Place, Report, Span};

    fn report() -> Report {
        let source = "a();\nSS.server.app.sqare(25)\n";
        [
            Diagnostic::new(Code::UnknownPath, "`100%: x,y` is not\nin the API tree")
                .at(Place::new("app/client/a b,c.js", source, Span::new(5, 24)), "")
                .help("Did you mean `square`?"),
            Diagnostic::new(Code::NameConflict, "two files claim SS.client.a")
                .at(Place::file("app/client/a.js"), "this one")
                .at(Place::file("app/client/a.ts"), "and this one"),
        ]
        .into_iter()
        .collect()
    }

    #[test]
    fn a_sarif_log_names_rules_places_and_related_places() {
        insta::assert_json_snapshot!(report().to_sarif("0.0.0"));
    }

    #[test]
    fn github_commands_escape_what_would_end_them() {
        insta::assert_snapshot!(report().to_github());
    }

    #[test]
    fn paths_are_shown_from_another_folder() {
        let files = |folder: &str| -> Vec<String> {
            let places = ["app/client/app.js", "../node_modules/x/index.js", "../../y.js"];
            let report: Report = places
                .iter()
                .map(|file| Diagnostic::new(Code::SyntaxError, *file).at(Place::file(*file), ""))
                .collect();
            report.seen_from(folder).sorted().iter().map(|found| found.labels[0].place.file.clone()).collect()
        };
        assert_eq!(files("apps/talk"), ["apps/node_modules/x/index.js", "apps/talk/app/client/app.js", "y.js"]);
        assert_eq!(files(""), ["../../y.js", "../node_modules/x/index.js", "app/client/app.js"]);
    }
}
