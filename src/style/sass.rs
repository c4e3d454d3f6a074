//! Sass and SCSS to CSS, through grass.

use std::{
    cell::RefCell,
    fmt, io,
    path::{Path, PathBuf},
};

use codemap::SpanLoc;
use ssbuild_diagnostic::{Code, Diagnostic, Place, Severity, Span};

use super::{
    IMPORT_ROOTS,
    files::{Files, normalise},
    mark::{Marked, unmark},
};

/// How many warnings of one sheet are shown: a loop may warn each time.
const WARNINGS: usize = 50;

/// Whether sources are marked, so that their URLs are known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marking {
    On,
    Off,
}

/// What grass made of a sheet.
pub(super) struct SassOutput {
    pub(super) css: String,
    pub(super) sources: Sources,
    pub(super) warnings: Vec<Diagnostic>,
}

/// Compiles a sheet; its imports come from `files`.
pub(super) fn compile(entry: &str, files: &Files<'_>, marking: Marking) -> Result<SassOutput, Vec<Diagnostic>> {
    let host =
        Host { files, marking, sources: RefCell::default(), found: RefCell::default(), warnings: RefCell::default() };
    let options = grass::Options::default().fs(&host).logger(&host).load_paths(&IMPORT_ROOTS).allows_charset(false);
    let css = grass::from_path(entry, &options);
    let (css, failed) = match css {
        Ok(css) => (css, None),
        Err(e) => (String::new(), Some(host.error(*e, entry))),
    };
    let mut found = host.found.into_inner();
    // An import that could not be read came first; what grass says after it only follows from it.
    if found.is_empty() {
        found.extend(failed);
    }
    let warnings = host.warnings.into_inner();
    if found.is_empty() {
        Ok(SassOutput { css, sources: host.sources.into_inner(), warnings })
    } else {
        found.extend(warnings);
        Err(found)
    }
}

/// The sources of a sheet as grass saw them, in the order in which it first did.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<(String, Marked)>);

impl Sources {
    /// The file that a marked URL stands in, the offset there, and the URL as written.
    pub(super) fn origin<'a>(&self, marked: &'a str) -> Option<(&str, usize, &'a str)> {
        let (file, offset, written) = unmark(marked)?;
        let (path, _) = self.0.get(file)?;
        Some((path, offset, written))
    }

    fn get(&self, path: &str) -> Option<&Marked> {
        self.0.iter().find(|source| source.0 == path).map(|source| &source.1)
    }
}

/// What grass may touch: files to read, and somebody to warn.
struct Host<'a> {
    files: &'a Files<'a>,
    marking: Marking,
    sources: RefCell<Sources>,
    /// Files that could not be read.
    found: RefCell<Vec<Diagnostic>>,
    warnings: RefCell<Vec<Diagnostic>>,
}

impl Host<'_> {
    fn see(&self, path: &str, text: &str) -> String {
        let mut sources = self.sources.borrow_mut();
        if let Some(source) = sources.get(path) {
            return source.text.clone();
        }
        let marked = match self.marking {
            Marking::On => Marked::new(text, sources.0.len()),
            Marking::Off => Marked { text: text.to_owned(), marks: Vec::new() },
        };
        let text = marked.text.clone();
        sources.0.push((path.to_owned(), marked));
        text
    }

    fn place(&self, at: &SpanLoc) -> Place {
        let path = at.file.name();
        let (sources, text) = (self.sources.borrow(), self.files.text(path));
        let (Some(source), Some(text)) = (sources.get(path), text) else {
            return Place::file(path);
        };
        let offset = |line, column| {
            let offset = source.source_offset(offset_of(&source.text, line, column));
            u32::try_from(offset).unwrap_or(u32::MAX)
        };
        let span = Span::new(offset(at.begin.line, at.begin.column), offset(at.end.line, at.end.column));
        Place::new(path, &text, span)
    }

    fn error(&self, error: grass::Error, entry: &str) -> Diagnostic {
        match error.kind() {
            grass::ErrorKind::ParseError { message, loc, .. } => {
                let diagnostic = Diagnostic::new(Code::StyleError, sentence(&message)).at(self.place(&loc), "");
                match self.files.refusal().filter(|_| message.starts_with("Can't find stylesheet")) {
                    Some(refusal) => diagnostic.help(refusal),
                    None => diagnostic,
                }
            }
            other => Diagnostic::new(Code::StyleError, format!("{other:?}")).at(Place::file(entry), ""),
        }
    }

    fn say(&self, severity: Severity, at: &SpanLoc, message: &str) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() < WARNINGS {
            let mut warning = Diagnostic::new(Code::StyleWarning, unquoted(message)).at(self.place(at), "");
            warning.severity = severity;
            warnings.push(warning);
        }
    }

    /// Where a path that grass made up leads, if there is such a file.
    fn find(&self, path: &Path) -> Option<String> {
        let path = normalise(path)?;
        if self.files.is_file(&path) {
            return Some(path);
        }
        // grass does not look into the load paths for a name with an ending (`bootstrap/scss/bootstrap.scss`), only
        // beside the file that names it, whose folders we have to guess away.
        let below = IMPORT_ROOTS.iter().find_map(|root| path.strip_prefix(root)?.strip_prefix('/'))?;
        let mut rest = Some(below).filter(|rest| !rest.contains(".import."));
        while let Some(name) = rest.filter(|name| name.contains('/')) {
            let found = IMPORT_ROOTS.iter().map(|root| format!("{root}/{name}")).find(|file| self.files.is_file(file));
            if found.is_some() {
                return found;
            }
            rest = name.split_once('/').map(|(_, name)| name);
        }
        None
    }
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host")
    }
}

impl grass::Fs for Host<'_> {
    fn is_dir(&self, path: &Path) -> bool {
        normalise(path).is_some_and(|path| self.files.is_folder(&path))
    }

    fn is_file(&self, path: &Path) -> bool {
        self.find(path).is_some()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let path = self.find(path).unwrap_or_default();
        // grass panics when a file cannot be read, so it gets an empty one.
        let text = self.files.read(&path).unwrap_or_else(|diagnostic| {
            self.found.borrow_mut().push(*diagnostic);
            "".into()
        });
        Ok(self.see(&path, &text).into_bytes())
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(self.find(path).map_or_else(|| path.to_owned(), PathBuf::from))
    }
}

impl grass::Logger for Host<'_> {
    fn debug(&self, at: SpanLoc, message: &str) {
        self.say(Severity::Note, &at, message);
    }

    fn warn(&self, at: SpanLoc, message: &str) {
        self.say(Severity::Warning, &at, message);
    }
}

/// The byte at a line and column, both from 0, the column in characters.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    text[start..].char_indices().nth(column).map_or(text.len(), |(at, _)| start + at)
}

/// grass shows what is warned of as Sass writes it: a text in quotes.
fn unquoted(message: &str) -> &str {
    message.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(message)
}

/// grass ends its sentences with a full stop, a diagnostic does not.
fn sentence(message: &str) -> &str {
    message.trim_end_matches('.')
}
