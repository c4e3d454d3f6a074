//! CSS to CSS, through lightningcss: imports joined, URLs rewritten, lowered for the targets, printed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Range,
    path::Path,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use lightningcss::{
    bundler::{BundleErrorKind, Bundler, ResolveResult, SourceProvider},
    error::{Error, ErrorLocation, ParserError},
    printer::PrinterOptions,
    rules::CssRule,
    stylesheet::{MinifyOptions, ParserOptions, StyleSheet, ToCssResult},
    targets::Targets as Lowering,
    traits::ToCss,
};
use parcel_sourcemap::SourceMap;
use ssbuild_diagnostic::{Code, Diagnostic, Place};

use super::{
    ClassExport, MapSource, StyleForm, StyleMap, StyleMaps, StyleNames, StyleOptions,
    blank::{self, blanked},
    composes::{self, Composed},
    exports,
    files::Files,
    map::{self, Segment},
    origin::Origin,
    package,
    refs::{Naming, Refs, offset_of_utf16},
    urls::is_local,
};

/// How many warnings of one sheet are shown.
const WARNINGS: usize = 50;

/// How often a sheet is parsed again without what was not understood in it.
const ROUNDS: usize = 3;

/// What a sheet is made of: its own CSS and the files that it imports.
pub(super) struct Source<'a> {
    pub(super) entry: &'a str,
    /// What the sheet says, or what Sass made of it.
    pub(super) css: &'a str,
    pub(super) files: &'a Files<'a>,
    pub(super) naming: Naming<'a>,
    /// Where the CSS is from, when the sheet itself is no CSS and that is known.
    pub(super) origin: Option<&'a Origin>,
    /// What is composed of other sheets.
    pub(super) composed: Composed,
    /// What is taken out of each text.
    pub(super) blanks: RwLock<BTreeMap<String, Vec<Range<usize>>>>,
    /// Texts of imports, for as long as the syntax tree borrows from them.
    pub(super) texts: Texts,
}

/// Answers what to write for the URLs of a sheet.
pub(super) type Ask<'a> = dyn FnMut(Vec<super::message::FoundUrl>) -> Vec<Option<String>> + 'a;

/// A sheet in its final form.
#[derive(Default)]
pub(super) struct Printed {
    pub(super) css: String,
    /// Length of the `@import`s at its beginning.
    pub(super) lead_bytes: usize,
    /// Other hosts, by the directive that has to allow them.
    pub(super) origins: BTreeMap<String, BTreeSet<String>>,
    pub(super) exports: Vec<ClassExport>,
    pub(super) map: Option<StyleMap>,
    pub(super) warnings: Vec<Diagnostic>,
}

/// Compiles a sheet and all it imports. An error is everything that was found.
pub(super) fn compile(
    source: &Source<'_>,
    options: &StyleOptions,
    ask: &mut Ask<'_>,
) -> Result<Printed, Vec<Diagnostic>> {
    let css_modules = match options.names {
        StyleNames::Local => Some(exports::naming(source.entry, options.form)),
        StyleNames::Global => None,
    };
    let mut found: Option<Vec<Diagnostic>> = None;
    let mut rounds = 0;
    let sheet = loop {
        let warnings = Arc::new(RwLock::new(Vec::new()));
        let parser = ParserOptions {
            css_modules: css_modules.clone(),
            // As browsers do: what is not understood is left out. Old sheets are full of hacks that rely on it.
            error_recovery: true,
            warnings: Some(Arc::clone(&warnings)),
            ..ParserOptions::default()
        };
        let sheet = Bundler::new(source, None, parser).bundle(Path::new(source.entry));
        let warnings = warnings.read().unwrap_or_else(PoisonError::into_inner);
        // The first round tells all: what is taken out then is not warned of again.
        found.get_or_insert_with(|| {
            let told = warnings.iter().filter(|e| !(options.names == StyleNames::Local && is_export(&e.kind)));
            told.take(WARNINGS).map(|e| source.warning(e)).collect()
        });
        rounds += 1;
        if rounds > ROUNDS || !source.take_out(&warnings) {
            break sheet;
        }
    };
    let warnings = found.unwrap_or_default();
    match sheet.map_err(|e| source.error(e)).and_then(|sheet| source.print(sheet, options, ask)) {
        Ok(printed) => Ok(Printed { warnings, ..printed }),
        Err(diagnostic) => Err([vec![*diagnostic], warnings].concat()),
    }
}

impl Source<'_> {
    fn print(
        &self,
        mut sheet: StyleSheet<'_>,
        options: &StyleOptions,
        ask: &mut Ask<'_>,
    ) -> Result<Printed, Box<Diagnostic>> {
        let mut values = Vec::new();
        if options.names == StyleNames::Local {
            values = composes::values(&mut sheet);
            self.composed.finish(&mut sheet, |specifier, from| self.find(specifier, from).ok());
        }
        sheet.source_map_urls.clear();
        let mut refs = Refs::new(&self.naming, self.files, self.origin, &sheet.sources);
        let found = refs.collect(&mut sheet);
        let asked = found.len();
        if asked > 0 {
            let answers = ask(found);
            assert_eq!(answers.len(), asked, "every url is answered");
            refs.rewrite(&mut sheet, answers);
        }
        let failed = |what: String, at: Option<ErrorLocation>| {
            Box::new(Diagnostic::new(Code::StyleError, what).at(self.place(at.as_ref()), ""))
        };
        let targets = match options.form {
            StyleForm::Kept => Lowering::default(),
            StyleForm::Readable | StyleForm::Minified => Lowering::from(options.targets.to_browsers()),
        };
        if options.form != StyleForm::Kept {
            let minify = MinifyOptions { targets, ..MinifyOptions::default() };
            sheet.minify(minify).map_err(|e| failed(e.kind.to_string(), e.loc))?;
        }
        let print = |sheet: &StyleSheet<'_>, map: Option<&mut SourceMap>| {
            let minify = options.form != StyleForm::Readable;
            let printer = PrinterOptions { minify, targets, source_map: map, ..PrinterOptions::default() };
            sheet.to_css(printer).map_err(|e| failed(e.kind.to_string(), e.loc))
        };
        // Imports of other hosts' sheets are all that is left of imports, and stand first.
        let last = sheet.rules.0.iter().rposition(|rule| matches!(rule, CssRule::Import(_)));
        let rest = sheet.rules.0.split_off(last.map_or(0, |last| last + 1));
        let mut css = if last.is_some() { print(&sheet, None)?.code } else { String::new() };
        let lead_bytes = css.len();
        if last.is_some() {
            sheet.license_comments.clear();
        }
        sheet.rules.0 = rest;
        let mut map = (options.maps == StyleMaps::On).then(|| SourceMap::new(""));
        let ToCssResult { code, exports, .. } = print(&sheet, map.as_mut())?;
        css.push_str(&code);
        let map = map.map(|map| self.map(&map, &sheet.sources)).filter(|map| !map.sources.is_empty());
        let mut exports = exports.map(exports::exports).unwrap_or_default();
        exports.extend(values);
        exports.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Printed { css, lead_bytes, origins: refs.origins(), exports, map, warnings: Vec::new() })
    }

    /// The printer's map, in terms of what people wrote.
    fn map(&self, printed: &SourceMap, sheets: &[String]) -> StyleMap {
        let mut sources: Vec<MapSource> = Vec::new();
        let mut segments = Vec::new();
        let mut number = |file: &str| {
            let known = sources.iter().position(|source| source.file == file);
            let at = known.or_else(|| {
                let text = self.files.text_or_read(file)?.to_string();
                sources.push(MapSource { file: file.to_owned(), text });
                Some(sources.len() - 1)
            });
            at.and_then(|at| u32::try_from(at).ok())
        };
        for mapping in printed.get_mappings() {
            let Some(from) = mapping.original else { continue };
            let Some(sheet) = sheets.get(from.source as usize) else { continue };
            let (line, column) = (from.original_line, from.original_column);
            let (file, line, column) = match (sheet == self.entry && !matches!(self.naming, Naming::Css), self.origin) {
                (false, _) => (sheet.as_str(), line, column),
                (true, Some(origin)) => match origin.find(line, column) {
                    Some(found) => found,
                    None => continue,
                },
                (true, None) => continue,
            };
            let Some(source) = number(file) else { continue };
            let (made_line, made_column) = (mapping.generated_line, mapping.generated_column);
            segments.push(Segment { made_line, made_column, source, line, column });
        }
        segments.sort_by_key(|segment| (segment.made_line, segment.made_column));
        StyleMap { sources, mappings: map::encode(&segments) }
    }

    /// Takes out the declarations that the parser warned of; whether there was one that is not taken out yet.
    fn take_out(&self, warnings: &[Error<ParserError<'_>>]) -> bool {
        let mut blanks = self.blanks.write().unwrap_or_else(PoisonError::into_inner);
        let mut is_new = false;
        for at in warnings.iter().filter_map(|e| e.loc.as_ref()) {
            let text = match at.filename == self.entry {
                true => self.css.into(),
                false => self.files.text(&at.filename).unwrap_or_default(),
            };
            let offset = offset_of_utf16(&text, at.line as usize, at.column.saturating_sub(1) as usize);
            let taken = blanks.entry(at.filename.clone()).or_default();
            if let Some(range) = blank::declaration_at(&text, offset).filter(|range| !taken.contains(range)) {
                taken.push(range);
                is_new = true;
            }
        }
        is_new
    }

    fn warning(&self, e: &Error<ParserError<'_>>) -> Diagnostic {
        if matches!(e.kind, ParserError::DeprecatedCssModulesValueRule) {
            return Diagnostic::new(Code::StyleError, "`@value` of CSS Modules is not compiled")
                .at(self.place(e.loc.as_ref()), "")
                .help(
                    "Use a custom property (`--name: …` and `var(--name)`), or a variable of Sass in a `.module.scss`.",
                );
        }
        let what = match (self.hack(e), &e.kind) {
            (Some(name), _) => format!("`{name}` was for Internet Explorer 7"),
            (None, ParserError::UnexpectedToken(token)) => {
                format!("unexpected `{}`", token.to_css_string(PrinterOptions::default()).unwrap_or_default())
            }
            (None, kind) => lower_first(&kind.to_string()),
        };
        Diagnostic::new(Code::StyleWarning, format!("{what}: browsers leave this out, and so does the build"))
            .at(self.place(e.loc.as_ref()), "")
    }

    /// The name of the declaration that this is about, with the star before it that only old browsers do not mind.
    fn hack(&self, e: &Error<ParserError<'_>>) -> Option<String> {
        let at = e.loc.as_ref()?;
        let text = match at.filename == self.entry {
            true => self.css.into(),
            false => self.files.text(&at.filename)?,
        };
        let offset = offset_of_utf16(&text, at.line as usize, at.column.saturating_sub(1) as usize);
        let declaration = &text[blank::declaration_at(&text, offset)?];
        let name = declaration.trim_start().split(':').next()?.trim_end();
        name.starts_with('*').then(|| name.to_owned())
    }

    fn error(&self, e: Error<BundleErrorKind<'_, ImportError>>) -> Box<Diagnostic> {
        match e.kind {
            BundleErrorKind::ResolverError(ImportError::Unreadable(diagnostic)) => diagnostic,
            BundleErrorKind::ResolverError(ImportError::NotFound(help)) => Box::new(
                Diagnostic::new(Code::StyleError, "the stylesheet to import cannot be found")
                    .at(self.place(e.loc.as_ref()), "")
                    .help(help),
            ),
            kind => Box::new(
                Diagnostic::new(Code::StyleError, lower_first(&kind.to_string())).at(self.place(e.loc.as_ref()), ""),
            ),
        }
    }

    /// lightningcss counts lines from 0 and columns from 1, in UTF-16 units.
    fn place(&self, at: Option<&ErrorLocation>) -> Place {
        let Some(at) = at else { return Place::file(self.entry) };
        let (line, column) = (at.line, at.column.saturating_sub(1));
        let (file, line, column) = if at.filename == self.entry && !matches!(self.naming, Naming::Css) {
            // A place in what was made of the file would show a line that nobody wrote.
            match self.origin.and_then(|origin| origin.find(line, column)) {
                Some(found) => found,
                None => return Place::file(self.entry),
            }
        } else {
            (at.filename.as_str(), line, column)
        };
        let Some(text) = self.files.text_or_read(file) else { return Place::file(self.entry) };
        let offset = offset_of_utf16(&text, line as usize, column as usize);
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        Place::new(file, &text, ssbuild_diagnostic::Span::new(offset, offset.saturating_add(1)))
    }

    /// The sheet that an import means; `External` for other hosts'.
    fn find(&self, specifier: &str, from: &str) -> Result<ResolveResult, ImportError> {
        let (from, specifier) = self.naming.origin(specifier).map_or((from, specifier), |(file, _, url)| (file, url));
        if !is_local(specifier) && !specifier.starts_with("pkg:") {
            return Ok(ResolveResult::External(specifier.to_owned()));
        }
        let paths = package::candidates(self.files, specifier, from);
        match paths.iter().find(|path| self.files.is_file(path)) {
            Some(path) if path.ends_with(".css") => Ok(ResolveResult::File(path.into())),
            // What is composed of may be any CSS Module: its names come from the module, not from here.
            Some(path) if StyleNames::of(path) == StyleNames::Local => Ok(ResolveResult::File(path.into())),
            Some(path) => {
                Err(ImportError::NotFound(format!("`{path}` is no CSS; rename the importing sheet to `.scss`.")))
            }
            None => Err(ImportError::NotFound(
                self.files.refusal().unwrap_or_else(|| format!("Looked for `{}`.", paths.join("`, `"))),
            )),
        }
    }
}

/// Why an import failed.
#[derive(Debug)]
pub(super) enum ImportError {
    NotFound(String),
    Unreadable(Box<Diagnostic>),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the import failed")
    }
}

impl std::error::Error for ImportError {}

impl SourceProvider for Source<'_> {
    type Error = ImportError;

    fn read<'a>(&'a self, file: &Path) -> Result<&'a str, ImportError> {
        let path = file.to_str().expect("paths of sheets are text");
        let blanks = self.blanks.read().unwrap_or_else(PoisonError::into_inner);
        let blanks = blanks.get(path).filter(|blanks| !blanks.is_empty());
        let text = if path == self.entry {
            blanks.map_or(self.css, |blanks| self.texts.keep(blanked(self.css, blanks).into()))
        } else if Composed::is_mark(path) {
            // Its CSS comes with the module that scripts import.
            ""
        } else {
            let text = self.files.read(path).map_err(ImportError::Unreadable)?;
            self.texts.keep(blanks.map_or_else(|| Arc::clone(&text), |blanks| blanked(&text, blanks).into()))
        };
        self.composed.note(path, text);
        Ok(text)
    }

    fn resolve(&self, specifier: &str, from: &Path) -> Result<ResolveResult, ImportError> {
        let from = from.to_str().expect("paths of sheets are text");
        let found = self.find(specifier, from)?;
        match found {
            ResolveResult::File(path) if self.composed.is_only_composed(from, specifier) => {
                Ok(ResolveResult::File(Composed::mark(&path).into()))
            }
            ResolveResult::File(path) if path.extension().is_none_or(|ending| ending != "css") => {
                let path = path.display();
                Err(ImportError::NotFound(format!("`{path}` is no CSS; rename the importing sheet to `.scss`.")))
            }
            found => Ok(found),
        }
    }
}

/// Texts that live as long as the list does. It only grows, so what is in it can be lent without a lock.
#[derive(Default)]
pub(super) struct Texts(OnceLock<Box<(Arc<str>, Texts)>>);

impl Texts {
    fn keep(&self, text: Arc<str>) -> &str {
        let mut last = self;
        let mut kept = Box::new((text, Self::default()));
        loop {
            let Err(back) = last.0.set(kept) else { break };
            kept = back;
            last = &last.0.get().expect("it was set").1;
        }
        &last.0.get().expect("it was set").0
    }
}

/// `:export` is no pseudo-class that browsers know, and never reaches one.
fn is_export(kind: &ParserError<'_>) -> bool {
    matches!(kind, ParserError::SelectorError(error) if error.to_string().contains("'export'") || error.to_string().contains(":export"))
}

fn lower_first(message: &str) -> String {
    let mut chars = message.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
