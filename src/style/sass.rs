//! Sass and SCSS to CSS, through grass.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use codemap::SpanLoc;
use ssbuild_diagnostic::{Code, Diagnostic, Place, Severity, Span};

use super::{
    IMPORT_ROOTS, StyleMaps,
    files::{Files, normalise},
    map::Segment,
    mark::{mark, unmark, without_marks},
    origin::Origin,
    package,
    rules::{self, Syntax},
};

/// How to have a sheet compiled that needs more than grass knows.
const TOO_OLD: &str = "SCSS is compiled by grass, which is at about the level of Dart Sass 1.5x. To compile it with the newest Dart Sass, run \
    `npm install --save-dev sass-embedded` and set `css.sass = \"dart\"` in the configuration.";

/// How many warnings of one sheet are shown: a loop may warn each time.
const WARNINGS: usize = 50;

/// What grass made of a sheet.
pub(super) struct SassOutput {
    /// With marks of URLs, when there are sources.
    pub(super) css: String,
    pub(super) sources: Sources,
    /// Where its lines are from, when that is wanted and can be told.
    pub(super) origin: Option<Origin>,
    pub(super) warnings: Vec<Diagnostic>,
}

/// Compiles a sheet; its imports come from `files`.
pub(super) fn compile(entry: &str, files: &Files<'_>, maps: StyleMaps) -> Result<SassOutput, Vec<Diagnostic>> {
    let plain = Host::new(files, Marking::Off);
    let css = plain.run(entry)?;
    let warnings = plain.warnings.into_inner();
    let with_urls = css.contains("url(");
    if maps == StyleMaps::On {
        let marking = Host::new(files, Marking::On { rules: true });
        if let Some((css, origin)) = marking.run(entry).ok().and_then(|marked| traced(&marked, &css, &marking)) {
            let sources = if with_urls { marking.sources.into_inner() } else { Sources::default() };
            return Ok(SassOutput { css, sources, origin: Some(origin), warnings });
        }
    }
    if with_urls {
        let marking = Host::new(files, Marking::On { rules: false });
        if let Ok(marked) = marking.run(entry)
            && without_marks(&marked) == css
        {
            return Ok(SassOutput { css: marked, sources: marking.sources.into_inner(), origin: None, warnings });
        }
    }
    Ok(SassOutput { css, sources: Sources::default(), origin: None, warnings })
}

/// The output with the marks of URLs but not those of rules, and where its lines are from; `None` when the marks changed anything
/// else.
fn traced(marked: &str, plain: &str, host: &Host<'_>) -> Option<(String, Origin)> {
    let lines = rules::lines(marked)?;
    let mut lines = lines.iter();
    let sources = host.sources.borrow();
    let texts: Vec<Option<Arc<str>>> = sources.0.iter().map(|path| host.files.text(path)).collect();
    let starts: Vec<Vec<usize>> =
        texts.iter().map(|text| text.as_deref().map(line_starts).unwrap_or_default()).collect();
    let (mut css, mut segments) = (String::with_capacity(plain.len()), Vec::new());
    for (made_line, plain) in plain.lines().enumerate() {
        if plain.trim().is_empty() {
            css.push_str(plain);
        } else {
            let line = lines.next().filter(|line| without_marks(line.text) == plain)?;
            css.push_str(line.text);
            if let Some((file, offset)) = line.from
                && let (Some(Some(text)), Some(starts)) = (texts.get(file), starts.get(file))
            {
                let at = starts.partition_point(|start| *start <= offset).checked_sub(1)?;
                let units = text.get(starts[at]..offset)?.encode_utf16().count();
                let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                let (source, line, column) = (to_u32(file), to_u32(at), to_u32(units));
                segments.push(Segment { made_line: to_u32(made_line), made_column: 0, source, line, column });
            }
        }
        css.push('\n');
    }
    lines.next().is_none().then(|| (css, Origin::new(sources.0.clone(), segments)))
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect()
}

/// Whether grass sees sources with marks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marking {
    /// Of URLs, and maybe of rules.
    On {
        rules: bool,
    },
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

    /// What grass sees of a source: packages named as it can find them, and marks.
    fn edited(&self, path: &str, text: &str) -> String {
        let mut edits: Vec<(usize, usize, String)> =
            package_names(text).into_iter().map(|(at, length)| (at, length, String::new())).collect();
        if let Marking::On { rules } = self.marking {
            let file = self.sources.borrow_mut().number(path);
            edits.extend(mark(text, file).into_iter().map(|(at, mark)| (at, 0, mark)));
            let syntax = match path.rsplit_once('.') {
                Some((_, "scss")) => Some(Syntax::Brackets),
                Some((_, "sass")) => Some(Syntax::Indented),
                _ => None,
            };
            if rules && let Some(syntax) = syntax {
                edits.extend(rules::marks(text, syntax, file).into_iter().map(|(at, mark)| (at, 0, mark)));
            }
            edits.sort_by_key(|edit| edit.0);
        }
        let mut edited = String::with_capacity(text.len());
        let mut done = 0;
        for (at, length, inserted) in edits {
            edited.push_str(&text[done..at]);
            edited.push_str(&inserted);
            done = at + length;
        }
        edited + &text[done..]
    }

    /// Only asked while sources are, line by line, as they were written.
    fn place(&self, at: &SpanLoc) -> Place {
        let path = at.file.name();
        let written = self.files.text(path);
        let text = written.as_deref().unwrap_or(at.file.source());
        let span =
            Span::new(offset_of(text, at.begin.line, at.begin.column), offset_of(text, at.end.line, at.end.column));
        Place::new(path, text, span)
    }

    fn error(&self, error: grass::Error, entry: &str) -> Diagnostic {
        match error.kind() {
            grass::ErrorKind::ParseError { message, loc, .. } => {
                let place = self.place(&loc);
                let mut said = sentence(&message).to_owned();
                if message.starts_with("Undefined function") {
                    let name = place.text.chars().skip((place.column as usize).saturating_sub(1)).collect::<String>();
                    said = format!("grass has no function `{}`", name.split('(').next().unwrap_or_default().trim());
                }
                let mut diagnostic = Diagnostic::new(Code::StyleError, said).at(place, "");
                // A package was written for Dart Sass, and a module of Sass has what it has: neither is a slip of the pen.
                let is_package = loc.file.name().starts_with("node_modules/");
                if is_package || message.starts_with("Undefined function") || message.contains("built-in module") {
                    diagnostic = diagnostic.help(TOO_OLD);
                }
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
        // The last that grass tries for a name in a package, whose `package.json` may say which sheet it is.
        if let Some(name) = path.strip_prefix("node_modules/").and_then(|below| below.strip_suffix(".css")) {
            let name = match name.rsplit_once('/') {
                Some((folder, name)) => format!("{folder}/{}", name.strip_prefix('_')?),
                None => name.strip_prefix('_')?.to_owned(),
            };
            let index = ["_index.scss", "index.scss", "_index.sass", "index.sass"];
            let has_index = index.iter().any(|index| self.files.is_file(&format!("node_modules/{name}/{index}")));
            return package::entry(self.files, &name).filter(|file| !has_index && self.files.is_file(file));
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
        Ok(self.edited(&path, &text).into_bytes())
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

/// Where `@use`, `@forward` and `@import` write `~` or `pkg:` before a package: offset and length. grass knows neither, but finds
/// packages among its load paths.
fn package_names(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for rule in ["@use", "@forward", "@import"] {
        for (at, _) in text.match_indices(rule) {
            let from = at + rule.len();
            let end = text[from..].find([';', '\n', '{']).map_or(text.len(), |end| from + end);
            for (quote, _) in text[from..end].match_indices(['"', '\'']) {
                let name = from + quote + 1;
                let is_css = text[name..end].split(['"', '\'']).next().is_some_and(|name| name.ends_with(".css"));
                if let Some(rest) = package::in_package(&text[name..end]).filter(|_| !is_css || rule != "@import") {
                    found.push((name, end - name - rest.len()));
                }
            }
        }
    }
    found.sort_unstable();
    found
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
