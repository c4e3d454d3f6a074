//! Sass and SCSS to CSS, through grass.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt, io,
    path::{Path, PathBuf},
};

use codemap::SpanLoc;
use ssbuild_diagnostic::{Code, Diagnostic, Place, Severity, Span};

use super::{
    IMPORT_ROOTS,
    files::{Files, normalise},
    mark::{mark, unmark, without_marks},
};

/// How many warnings of one sheet are shown: a loop may warn each time.
const WARNINGS: usize = 50;

/// What grass made of a sheet.
pub(super) struct SassOutput {
    /// With marks, when there are sources.
    pub(super) css: String,
    pub(super) sources: Sources,
    pub(super) warnings: Vec<Diagnostic>,
}

/// Compiles a sheet; its imports come from `files`.
pub(super) fn compile(entry: &str, files: &Files<'_>) -> Result<SassOutput, Vec<Diagnostic>> {
    let plain = Host::new(files, Marking::Off);
    let css = plain.run(entry)?;
    let warnings = plain.warnings.into_inner();
    if !css.contains("url(") {
        return Ok(SassOutput { css, sources: Sources::default(), warnings });
    }
    let marking = Host::new(files, Marking::On);
    match marking.run(entry) {
        Ok(marked) if without_marks(&marked) == css => {
            Ok(SassOutput { css: marked, sources: marking.sources.into_inner(), warnings })
        }
        _ => Ok(SassOutput { css, sources: Sources::default(), warnings }),
    }
}

/// Whether grass sees sources with marks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marking {
    On,
    Off,
}

/// The sources of a sheet, in the order of the numbers in their marks.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<String>);

impl Sources {
    /// The file that a marked URL stands in, the offset there, and the URL as written.
    pub(super) fn origin<'a>(&self, marked: &'a str) -> Option<(&str, usize, &'a str)> {
        let (file, offset, written) = unmark(marked)?;
        Some((self.0.get(file)?, offset, written))
    }

    fn number(&mut self, path: &str) -> usize {
        self.0.iter().position(|source| source == path).unwrap_or_else(|| {
            self.0.push(path.to_owned());
            self.0.len() - 1
        })
    }
}

/// What grass may touch: files to read, and somebody to warn.
struct Host<'a> {
    files: &'a Files<'a>,
    marking: Marking,
    sources: RefCell<Sources>,
    /// Files that could not be read.
    unreadable: RefCell<Vec<Diagnostic>>,
    warnings: RefCell<Vec<Diagnostic>>,
    /// Imports that were written with their endings.
    whole_names: RefCell<BTreeSet<String>>,
}

impl<'a> Host<'a> {
    fn new(files: &'a Files<'a>, marking: Marking) -> Self {
        Self {
            files,
            marking,
            sources: RefCell::default(),
            unreadable: RefCell::default(),
            warnings: RefCell::default(),
            whole_names: RefCell::default(),
        }
    }

    fn run(&self, entry: &str) -> Result<String, Vec<Diagnostic>> {
        let options = grass::Options::default().fs(self).logger(self).load_paths(&IMPORT_ROOTS).allows_charset(false);
        let css = grass::from_path(entry, &options);
        let mut found = self.unreadable.take();
        match css {
            Ok(css) if found.is_empty() => Ok(css),
            // What grass says after a file could not be read only follows from it.
            Err(e) if found.is_empty() => {
                found.push(self.error(*e, entry));
                found.extend(self.warnings.take());
                Err(found)
            }
            _ => Err(found),
        }
    }

    /// Only asked while sources are as they were written.
    fn place(&self, at: &SpanLoc) -> Place {
        let (path, text) = (at.file.name(), at.file.source());
        let span =
            Span::new(offset_of(text, at.begin.line, at.begin.column), offset_of(text, at.end.line, at.end.column));
        Place::new(path, text, span)
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
        // Before a name with its ending, `a.scss`, grass asks for `a..importscss`.
        if let Some((name, ending)) = path.split_once("..import") {
            self.whole_names.borrow_mut().insert(format!("{name}.{ending}"));
            return None;
        }
        if self.files.is_file(&path) {
            return Some(path);
        }
        // For such a name it does not look into the load paths (`bootstrap/scss/bootstrap.scss`), only beside the file
        // that says it, whose folders we have to guess away.
        if !self.whole_names.borrow().contains(&path) {
            return None;
        }
        let below = IMPORT_ROOTS.iter().find_map(|root| path.strip_prefix(root)?.strip_prefix('/'))?;
        let mut rest = Some(below);
        while let Some(name) = rest {
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
            self.unreadable.borrow_mut().push(*diagnostic);
            "".into()
        });
        let marked = match self.marking {
            Marking::On => mark(&text, self.sources.borrow_mut().number(&path)),
            Marking::Off => None,
        };
        Ok(marked.unwrap_or_else(|| text.to_string()).into_bytes())
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
fn offset_of(text: &str, line: usize, column: usize) -> u32 {
    let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    let offset = text[start..].char_indices().nth(column).map_or(text.len(), |(at, _)| start + at);
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// grass shows what is warned of as Sass writes it: a text in quotes.
fn unquoted(message: &str) -> &str {
    message.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(message)
}

/// grass ends its sentences with a full stop, a diagnostic does not.
fn sentence(message: &str) -> &str {
    message.trim_end_matches('.')
}
