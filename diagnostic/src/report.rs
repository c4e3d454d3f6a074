use crate::{Diagnostic, Severity};

/// Diagnostics collected over a run, in an order that does not depend on which thread found them first.
#[derive(Debug, Clone, Default)]
pub struct Report {
    found: Vec<Diagnostic>,
}

impl Report {
    /// An empty report.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Adds many findings.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.found.extend(diagnostics);
    }

    /// Whether any finding stops the build.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(Diagnostic::is_error)
    }

    /// How many findings there are of that severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|d| d.severity == severity).count()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All findings, sorted by file, line, column, code and message, without exact repeats.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<&Diagnostic> = self.found.iter().collect();
        all.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        all.dedup();
        all
    }

    /// The same findings less the notes.
    #[must_use]
    pub fn without_notes(mut self) -> Self {
        self.found.retain(|diagnostic| diagnostic.severity != Severity::Note);
        self
    }

    /// The same findings less the notes and the warnings.
    #[must_use]
    pub fn without_warnings(mut self) -> Self {
        self.found.retain(Diagnostic::is_error);
        self
    }

    /// The same findings with their files named from another folder: the one that has the app at `folder`.
    #[must_use]
    pub fn seen_from(mut self, folder: &str) -> Self {
        for label in self.found.iter_mut().flat_map(|diagnostic| &mut diagnostic.labels) {
            let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
            for part in label.place.file.split('/') {
                match (part, parts.last()) {
                    ("..", Some(last)) if *last != ".." => drop(parts.pop()),
                    _ => parts.push(part),
                }
            }
            label.place.file = parts.join("/");
        }
        self
    }

    /// Turns warnings into errors, for `--deny warnings`.
    pub fn deny_warnings(&mut self) {
        for diagnostic in &mut self.found {
            if diagnostic.severity == Severity::Warning {
                diagnostic.severity = Severity::Error;
            }
        }
    }
}

impl Extend<Diagnostic> for Report {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, iter: T) {
        self.found.extend(iter);
    }
}

impl FromIterator<Diagnostic> for Report {
    fn from_iter<T: IntoIterator<Item = Diagnostic>>(iter: T) -> Self {
        Self { found: iter.into_iter().collect() }
    }
}

fn sort_key(d: &Diagnostic) -> (Option<&crate::Place>, &'static str, &str) {
    (d.labels.first().map(|label| &label.place), d.code.as_str(), d.message.as_str())
}
