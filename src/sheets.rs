//! The app's stylesheets: `lib/css` joined into one, and one for each page: `app/css/NAME.*`, then what its scripts import.

mod browsers;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rayon::prelude::*;
use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_server::config::{Maps, Minify, SassCompiler};

use crate::{
    config::Settings,
    disk::{Disk, DiskError},
    libs::Lib,
    pipeline::Error,
    project::{Entry, Format, Project, Role},
    public::{FromSheets, PublicFiles},
    remembered::Compilers,
    style::{
        Sheet, StyleError, StyleForm, StyleMaps, StyleNames, StyleOptions, StyleOutput, Targets, join, module_text,
    },
};

/// Hosts by the directive of a Content-Security-Policy that has to allow them.
pub type Origins = BTreeMap<String, BTreeSet<String>>;

/// The stylesheets of a build.
#[derive(Debug, Default)]
pub struct Sheets {
    /// Name of a bundle to its sheet: `lib`, then the pages'; `app` is in every page.
    pub bundles: BTreeMap<String, Bundle>,
    /// Other hosts that they load from, for the policy.
    pub origins: Origins,
    /// Every file that they are made of, from the app's folder.
    pub files: BTreeSet<String>,
}

/// One sheet of the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Its text.
    pub css: String,
    /// The source map, as JSON, when one is wanted.
    pub map: Option<String>,
}

/// A stylesheet that a script imports.
#[derive(Debug, Clone)]
pub struct Imported {
    /// What the script gets: the source of a module.
    pub module: String,
    /// What goes into the page's sheet.
    pub output: Arc<StyleOutput>,
}

impl Imported {
    /// Of a sheet that a program imports which has no page.
    pub fn refused(path: &str) -> Self {
        let message = format!("`{path}` is a stylesheet, which there is no page for here");
        let diagnostic = Diagnostic::new(Code::ImportForbidden, message).at(Place::file(path), "");
        let output = StyleOutput { diagnostics: vec![diagnostic], ..StyleOutput::default() };
        Self { module: String::new(), output: Arc::new(output) }
    }
}

/// What compiling stylesheets needs to know.
pub struct Stylesheets<'a> {
    disk: &'a dyn Disk,
    project: &'a Project,
    public: &'a PublicFiles,
    compilers: Compilers<'a>,
    options: StyleOptions,
    sass: SassCompiler,
    inline_bytes: u64,
    /// The machine's fault, when a script imports a sheet: told when all is done.
    failed: Mutex<Option<StyleError>>,
}

impl<'a> Stylesheets<'a> {
    /// For one build. Every file that the sheets name is noted in `public`.
    pub fn new(
        disk: &'a dyn Disk,
        project: &'a Project,
        settings: &Settings,
        public: &'a PublicFiles,
        compilers: Compilers<'a>,
    ) -> Result<(Self, Vec<Diagnostic>), DiskError> {
        let (targets, found) = browsers::targets(disk, project, settings)?;
        let build = &settings.config.build;
        let form = if build.minify == Minify::Off { StyleForm::Readable } else { StyleForm::Minified };
        let maps = if build.maps == Maps::Off { StyleMaps::Off } else { StyleMaps::On };
        let options = StyleOptions { root: project.root.clone(), form, targets, names: StyleNames::Global, maps };
        let (sass, inline_bytes) = (settings.config.css.sass, settings.config.css.inline_bytes);
        Ok((Self { disk, project, public, compilers, options, sass, inline_bytes, failed: Mutex::default() }, found))
    }

    /// Compiles one.
    fn compile(&self, path: &str, text: &str, names: StyleNames) -> Result<StyleOutput, StyleError> {
        let mut sheet = Sheet { path: path.to_owned(), text: text.to_owned(), made: None };
        let mut processed = None;
        let by_dart = self.sass == SassCompiler::Dart && matches!(Format::of(path), Format::Scss | Format::Sass);
        if by_dart || Format::of(path) == Format::Stylus {
            let made = self.compilers.css(path, text);
            if made.diagnostics.iter().any(Diagnostic::is_error) {
                let mut failed = StyleOutput::default();
                made.put_into(&mut failed);
                return Ok(failed);
            }
            sheet.made = Some(made.css.clone());
            processed = Some(made);
        }
        let form = if path.contains(".min.") { StyleForm::Kept } else { self.options.form };
        let options = StyleOptions { form, names, ..self.options.clone() };
        let mut output = self.compilers.sheet(&sheet, &options, self.urls())?;
        if let Some(made) = processed {
            made.put_into(&mut output);
        }
        Ok(output)
    }

    fn urls(&self) -> FromSheets<'_> {
        FromSheets { files: self.public, inline_bytes: self.inline_bytes }
    }

    fn compile_file(&self, name: &str, path: &Path) -> Result<StyleOutput, Error> {
        let Ok(text) = String::from_utf8(self.disk.read(path)?) else {
            let message = format!("`{name}` is not UTF-8");
            let diagnostic = Diagnostic::new(Code::FileUnreadable, message).at(Place::file(name), "");
            return Ok(StyleOutput { diagnostics: vec![diagnostic], ..StyleOutput::default() });
        };
        Ok(self.compile(name, &text, StyleNames::Global)?)
    }

    /// Compiles a sheet that a script imports. What is wrong with it is in its output.
    pub fn import(&self, path: &str, text: &str) -> Imported {
        let output = self.compile(path, text, StyleNames::of(path)).unwrap_or_else(|error| {
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            StyleOutput::default()
        });
        Imported { module: module_text(path, &output.exports), output: Arc::new(output) }
    }

    /// Compiles those that stand by themselves: those of packages, `lib/css` and the pages' own.
    pub fn entries(&self, libs: &[Lib]) -> Result<(Entries, Vec<Diagnostic>), Error> {
        let mut found = Vec::new();
        let named = libs.iter().filter(|lib| lib.format().is_sheet()).map(|lib| (lib.name.as_str(), lib.path.clone()));
        let own = |entry: &'a Entry| (entry.path.as_str(), self.project.root.join(&entry.path));
        let lib_css = self.project.of(Role::LibCss).filter(|entry| entry.format.is_sheet()).map(own);
        let libs: Vec<(&str, PathBuf)> = named.chain(lib_css).collect();
        let mut pages: Vec<&Entry> = Vec::new();
        for name in self.project.pages() {
            let css = self.project.of(Role::Css);
            let mut sheets = css.filter(|entry| entry.format.is_sheet() && entry.tree_path() == name);
            pages.extend(sheets.next().inspect(|first| {
                let more = sheets.map(|second| two_sheets(name, first, second));
                found.extend(more);
            }));
        }
        let count = libs.len();
        let files: Vec<(&str, PathBuf)> = libs.into_iter().chain(pages.iter().map(|page| own(page))).collect();
        let mut outputs: Vec<StyleOutput> =
            files.par_iter().map(|(name, path)| self.compile_file(name, path)).collect::<Result<_, _>>()?;
        found.extend(outputs.iter_mut().flat_map(|output| output.diagnostics.drain(..)));
        let names = files.iter().map(|(name, _)| (*name).to_owned()).collect();
        let page_css = outputs.split_off(count);
        let pages = pages.iter().zip(page_css).map(|(entry, output)| (entry.tree_path().to_owned(), output)).collect();
        Ok((Entries { libs: outputs, pages, names }, found))
    }

    /// Joins everything: page name to what its scripts import, in the order of evaluation.
    pub fn join(&self, entries: Entries, imported: &BTreeMap<String, Vec<Arc<StyleOutput>>>) -> Result<Sheets, Error> {
        if let Some(error) = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error.into());
        }
        let mut parts: BTreeMap<&str, Vec<&StyleOutput>> = BTreeMap::new();
        parts.insert("lib", entries.libs.iter().collect());
        for (page, output) in &entries.pages {
            parts.entry(page).or_default().push(output);
        }
        for (page, outputs) in imported {
            parts.entry(page).or_default().extend(outputs.iter().map(|output| &**output));
        }
        let mut sheets = Sheets { files: entries.names, ..Sheets::default() };
        for (name, parts) in parts.into_iter().filter(|(_, parts)| !parts.is_empty()) {
            for (directive, hosts) in parts.iter().flat_map(|output| &output.origins) {
                sheets.origins.entry(directive.clone()).or_default().extend(hosts.iter().cloned());
            }
            sheets.files.extend(parts.iter().flat_map(|output| output.files_read.iter().cloned()));
            let (css, map) = join(parts, &format!("{name}.css"));
            sheets.bundles.insert(name.to_owned(), Bundle { css, map });
        }
        Ok(sheets)
    }
}

/// The sheets that stand by themselves.
#[derive(Debug, Default)]
pub struct Entries {
    libs: Vec<StyleOutput>,
    pages: BTreeMap<String, StyleOutput>,
    /// Their paths.
    names: BTreeSet<String>,
}

fn two_sheets(page: &str, first: &Entry, second: &Entry) -> Diagnostic {
    Diagnostic::new(Code::NameConflict, format!("two files are the stylesheet of the page `{page}`"))
        .at(Place::file(&first.path), "this one")
        .at(Place::file(&second.path), "and this one")
        .help("Keep one of them; it can import the other.")
}
