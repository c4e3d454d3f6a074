use std::borrow::Cow;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::{Diagnostic, Place, Report, Severity};

impl Report {
    /// The findings as text with the line and carets, one after the other, with a closing line of counts.
    ///
    /// With `color`, ANSI escapes; the caller decides by terminal and `NO_COLOR`.
    pub fn to_text(&self, color: bool) -> String {
        let mut text = String::new();
        for diagnostic in self.sorted() {
            text.push_str(&diagnostic.to_text(color));
            text.push_str("\n\n");
        }
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        if errors + warnings > 0 {
            let counts = [count(errors, "error"), count(warnings, "warning")];
            text.push_str(&counts.into_iter().flatten().collect::<Vec<_>>().join(", "));
            text.push('\n');
        }
        text
    }

    /// The findings as JSON, one object a line.
    pub fn to_json_lines(&self) -> String {
        let mut lines = String::new();
        for diagnostic in self.sorted() {
            lines.push_str(&serde_json::to_string(diagnostic).expect("a diagnostic is plain data"));
            lines.push('\n');
        }
        lines
    }
}

impl Diagnostic {
    /// This finding as text with the line and carets.
    pub fn to_text(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let code = self.code.as_str();
        let mut group = Group::with_title(level.primary_title(self.message.as_str()).id(code));
        for (index, label) in self.labels.iter().enumerate() {
            // A file as a whole has no line to show: its path, then what is said of it.
            if label.place.line == 0 {
                let file = printable(&label.place.file);
                group = group.element(Origin::path(file.clone()));
                if !label.text.is_empty() {
                    group = group.element(Level::NOTE.message(format!("{file}: {}", label.text)));
                }
            } else {
                group = group.element(snippet(&label.place, &label.text, index == 0));
            }
        }
        for help in &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

fn snippet<'a>(place: &'a Place, text: &'a str, primary: bool) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let kind = if primary { AnnotationKind::Primary } else { AnnotationKind::Context };
    // The renderer counts columns itself: what was cut is put back as blanks, which it does not show.
    let line = " ".repeat(place.cut as usize) + &place.text;
    let start = byte_of_column(&line, place.column);
    let end = byte_of_column(&line, place.column + place.length).max(start);
    Snippet::source(line)
        .line_start(place.line as usize)
        .path(printable(&place.file))
        .annotation(kind.span(start..end).label(text))
}

/// A path in one line: names of files may hold anything.
fn printable(path: &str) -> Cow<'_, str> {
    match path.contains(char::is_control) {
        false => Cow::Borrowed(path),
        true => {
            path.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
        }
    }
}

fn byte_of_column(line: &str, column: u32) -> usize {
    line.char_indices().nth(column.saturating_sub(1) as usize).map_or(line.len(), |(at, _)| at)
}

fn count(n: usize, noun: &str) -> Option<String> {
    match n {
        0 => None,
        1 => Some(format!("1 {noun}")),
        n => Some(format!("{n} {noun}s")),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Code, Diagnostic, Place, Report, Span};

    #[test]
    fn a_long_line_is_named_by_its_true_column() {
        let source = format!("first\n{}wrong{}\n", "a ".repeat(200), " b".repeat(200));
        let found = Diagnostic::new(Code::SyntaxError, "expected nothing")
            .at(Place::new("app/client/app.js", &source, Span::new(406, 411)), "here");
        insta::assert_snapshot!(found.to_text(false));
    }

    #[test]
    fn carets_stand_below_what_they_mean_whatever_is_before_it() {
        let sources = [
            "\tif (x) {\twrong }",
            "const 漢字 = wrong;",
            "const e\u{301} = '👩‍👩‍👧' + wrong;",
            "\u{feff}wrong\r\nright\r\n",
            "a\u{1b}[31m\u{0}wrong",
        ];
        let found = sources.iter().enumerate().map(|(n, source)| {
            let at = source.find("wrong").expect("each has the word") as u32;
            Diagnostic::new(Code::SyntaxError, format!("case {n}"))
                .at(Place::new("a.js", source, Span::new(at, at + 5)), "here")
        });
        insta::assert_snapshot!(found.map(|found| found.to_text(false) + "\n\n").collect::<String>());
    }

    #[test]
    fn a_path_stays_in_its_line() {
        let file = Place::file("public/new\nline\u{1b}[31m.png");
        let text = Diagnostic::new(Code::NameInvalid, "a name").at(file, "this one").to_text(false);
        assert_eq!(text.matches("public/new\\nline\\u{1b}[31m.png").count(), 2, "{text}");
    }

    #[test]
    fn text_shows_line_carets_and_remedy() {
        let source = "exports.a = 1;\nexports.b = ;\n";
        let report: Report = [
            Diagnostic::new(Code::SyntaxError, "expected an expression, found `;`")
                .at(Place::new("app/client/app.js", source, Span::new(27, 28)), "here")
                .help("Write a value after the `=`."),
            Diagnostic::new(Code::NameConflict, "`geo.ts` and the folder `geo` both claim SS.client.geo")
                .at(Place::file("app/client/geo.ts"), "this file")
                .at(Place::file("app/client/geo/code.ts"), "and this one")
                .help("Rename one of them."),
        ]
        .into_iter()
        .collect();
        insta::assert_snapshot!(report.to_text(false));
        insta::assert_snapshot!(report.to_json_lines());
    }
}
