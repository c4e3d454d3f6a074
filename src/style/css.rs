//! CSS to CSS, through lightningcss: imports joined, URLs rewritten, lowered for the targets, printed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use lightningcss::{
    bundler::{BundleErrorKind, Bundler, ResolveResult, SourceProvider},
    error::{Error, ErrorLocation, ParserError},
    printer::PrinterOptions,
    rules::CssRule,
    stylesheet::{MinifyOptions, ParserOptions, StyleSheet},
    targets::Targets as Lowering,
    traits::ToCss,
};
use ssbuild_diagnostic::{Code, Diagnostic, Place};

use super::{
    StyleForm, StyleOptions,
    files::{Files, normalise},
    refs::{Naming, Refs, offset_of_utf16},
    urls::is_local,
};

/// How many warnings of one sheet are shown.
const WARNINGS: usize = 50;

/// What a sheet is made of: its own CSS and the files that it imports.
pub(super) struct Source<'a> {
    pub(super) entry: &'a str,
    /// What the sheet says, or what Sass made of it.
    pub(super) css: &'a str,
    pub(super) files: &'a Files<'a>,
    pub(super) naming: Naming<'a>,
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
    pub(super) warnings: Vec<Diagnostic>,
}

/// Compiles a sheet and all it imports. An error is everything that was found.
pub(super) fn compile(
    source: &Source<'_>,
    options: &StyleOptions,
    ask: &mut Ask<'_>,
) -> Result<Printed, Vec<Diagnostic>> {
    let warnings = Arc::new(RwLock::new(Vec::new()));
    let parser = ParserOptions {
        // As browsers do: what is not understood is left out. Old sheets are full of hacks that rely on it.
        error_recovery: true,
        warnings: Some(Arc::clone(&warnings)),
        ..ParserOptions::default()
    };
    let sheet = Bundler::new(source, None, parser).bundle(Path::new(source.entry));
    let warnings = warnings.read().unwrap_or_else(PoisonError::into_inner);
    let warnings: Vec<Diagnostic> = warnings.iter().take(WARNINGS).map(|e| source.warning(e)).collect();
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
        let mut refs = Refs::new(&self.naming, self.files, &sheet.sources);
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
        let print = |sheet: &StyleSheet<'_>| {
            let minify = options.form != StyleForm::Readable;
            let printer = PrinterOptions { minify, targets, ..PrinterOptions::default() };
            sheet.to_css(printer).map(|printed| printed.code).map_err(|e| failed(e.kind.to_string(), e.loc))
        };
        // Imports of other hosts' sheets are all that is left of imports, and stand first.
        let last = sheet.rules.0.iter().rposition(|rule| matches!(rule, CssRule::Import(_)));
        let rest = sheet.rules.0.split_off(last.map_or(0, |last| last + 1));
        let mut css = if last.is_some() { print(&sheet)? } else { String::new() };
        let lead_bytes = css.len();
        if last.is_some() {
            sheet.license_comments.clear();
        }
        sheet.rules.0 = rest;
        css.push_str(&print(&sheet)?);
        Ok(Printed { css, lead_bytes, origins: refs.origins(), warnings: Vec::new() })
    }

    fn warning(&self, e: &Error<ParserError<'_>>) -> Diagnostic {
        let what = match &e.kind {
            ParserError::UnexpectedToken(token) => {
                format!("unexpected `{}`", token.to_css_string(PrinterOptions::default()).unwrap_or_default())
            }
            kind => lower_first(&kind.to_string()),
        };
        Diagnostic::new(Code::StyleWarning, format!("{what}: browsers leave this out, and so does the build"))
            .at(self.place(e.loc.as_ref()), "")
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
        let generated = at.filename == self.entry && !matches!(self.naming, Naming::Css);
        match self.files.text(&at.filename) {
            Some(text) if !generated => {
                let offset = offset_of_utf16(&text, at.line as usize, at.column.saturating_sub(1) as usize);
                let offset = u32::try_from(offset).unwrap_or(u32::MAX);
                Place::new(&at.filename, &text, ssbuild_diagnostic::Span::new(offset, offset.saturating_add(1)))
            }
            // A place in what Sass made of the file would show a line that nobody wrote.
            _ => Place::file(self.entry),
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
        if path == self.entry {
            return Ok(self.css);
        }
        self.files.read(path).map(|text| self.texts.keep(text)).map_err(ImportError::Unreadable)
    }

    fn resolve(&self, specifier: &str, from: &Path) -> Result<ResolveResult, ImportError> {
        let from = from.to_str().expect("paths of sheets are text");
        let (from, specifier) = self.naming.origin(specifier).map_or((from, specifier), |(file, _, url)| (file, url));
        if !is_local(specifier) {
            return Ok(ResolveResult::External(specifier.to_owned()));
        }
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let beside = match specifier.strip_prefix('/') {
            Some(from_top) => format!("public/{from_top}"),
            None => format!("{folder}/{specifier}"),
        };
        // A package's sheet is named as in Sass, without its folder (`bootstrap/dist/css/bootstrap.css`).
        let candidates = [beside].into_iter().chain(super::IMPORT_ROOTS.map(|root| format!("{root}/{specifier}")));
        let mut paths: Vec<String> = Vec::new();
        for path in candidates.filter_map(|path| normalise(Path::new(&path))) {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        match paths.iter().find(|path| self.files.is_file(path)) {
            Some(path) if path.ends_with(".css") => Ok(ResolveResult::File(path.into())),
            Some(path) => {
                Err(ImportError::NotFound(format!("`{path}` is no CSS; rename the importing sheet to `.scss`.")))
            }
            None => Err(ImportError::NotFound(
                self.files.refusal().unwrap_or_else(|| format!("Looked for `{}`.", paths.join("`, `"))),
            )),
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

fn lower_first(message: &str) -> String {
    let mut chars = message.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
