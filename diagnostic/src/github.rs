use std::fmt::Write;

use crate::{Diagnostic, Place, Report, Severity};

impl Report {
    /// The findings as workflow commands of GitHub Actions, which show them beside the lines of a change.
    pub fn to_github(&self) -> String {
        let mut text = String::new();
        for diagnostic in self.sorted() {
            diagnostic.write_github(&mut text).expect("writing to a string works");
        }
        text
    }
}

impl Diagnostic {
    fn write_github(&self, text: &mut String) -> std::fmt::Result {
        let level = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        write!(text, "::{level} ")?;
        if let Some(Place { file, line, column, length, .. }) = self.labels.first().map(|label| &label.place) {
            write!(text, "file={},", property(file))?;
            if *line > 0 {
                write!(text, "line={line},endLine={line},col={column},endColumn={},", column + length)?;
            }
        }
        writeln!(text, "title=ssbuild {}::{}", self.code.as_str(), data(&self.whole_message()))
    }

    /// The message, what is said of each place, and the remedy: for those who show one place only.
    pub(crate) fn whole_message(&self) -> String {
        let mut message = self.message.clone();
        for (n, label) in self.labels.iter().enumerate() {
            let Place { file, line, .. } = &label.place;
            let at = if *line == 0 { file.clone() } else { format!("{file}:{line}") };
            match (n, label.text.is_empty()) {
                (0, true) => {}
                (0, false) => message.push_str(&format!(": {}", label.text)),
                (_, true) => message.push_str(&format!("\n{at}")),
                (_, false) => message.push_str(&format!("\n{at}: {}", label.text)),
            }
        }
        for help in &self.help {
            message.push('\n');
            message.push_str(help);
        }
        message
    }
}

/// What stands behind the `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which `,` and `:` would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
