//! The app's stylesheets: `lib/css` joined into one, and one for each page, `app/css/app.*` first.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_server::config::Minify;

use crate::{
    config::Settings,
    disk::Disk,
    pipeline::Error,
    project::{Entry, Format, Project, Role},
    public::PublicFiles,
    remembered::Compilers,
    style::{Sheet, StyleForm, StyleOptions, StyleOutput, Targets, join},
};

/// Hosts by the directive of a Content-Security-Policy that has to allow them.
pub type Origins = BTreeMap<String, BTreeSet<String>>;

/// The stylesheets of a build.
#[derive(Debug, Default)]
pub struct Sheets {
    /// All of `lib/css`; `None` when there is nothing.
    pub lib: Option<String>,
    /// Name of a page to what `app/css/NAME.*` comes to; `app` is in every page.
    pub pages: BTreeMap<String, String>,
    /// Other hosts that they load from, for the policy.
    pub origins: Origins,
}

/// Compiles them. Every file that they name is noted in `public`.
pub fn compile(
    disk: &dyn Disk,
    project: &Project,
    settings: &Settings,
    public: &PublicFiles,
    compilers: &Compilers<'_>,
) -> Result<(Sheets, Vec<Diagnostic>), Error> {
    let mut found = Vec::new();
    let targets = match Targets::parse(&settings.config.build.targets) {
        Ok(targets) => targets,
        Err(error) => {
            found.push(Diagnostic::new(Code::ConfigInvalid, format!("`build.targets`: {error}")));
            return Ok((Sheets::default(), found));
        }
    };
    let libs: Vec<&Entry> = project.of(Role::LibCss).filter(|entry| is_sheet(entry)).collect();
    let mut pages: Vec<&Entry> = Vec::new();
    for name in project.pages() {
        let mut sheets = project.of(Role::Css).filter(|entry| is_sheet(entry) && entry.tree_path() == name);
        pages.extend(sheets.next().inspect(|first| {
            let more = sheets.map(|second| two_sheets(name, first, second));
            found.extend(more);
        }));
    }
    let form = if settings.config.build.minify == Minify::Off { StyleForm::Readable } else { StyleForm::Minified };
    let entries: Vec<&Entry> = libs.iter().chain(&pages).copied().collect();
    let compile = |entry: &&Entry| -> Result<StyleOutput, Error> {
        let Ok(text) = String::from_utf8(disk.read(&project.root.join(&entry.path))?) else {
            let message = format!("`{}` is not UTF-8", entry.path);
            let diagnostic = Diagnostic::new(Code::FileUnreadable, message).at(Place::file(&entry.path), "");
            return Ok(StyleOutput { diagnostics: vec![diagnostic], ..StyleOutput::default() });
        };
        let made = match entry.format {
            Format::Stylus => Some(compilers.stylus(&entry.path, &text)),
            _ => None,
        };
        if let Some(made) = &made
            && made.diagnostics.iter().any(Diagnostic::is_error)
        {
            return Ok(StyleOutput { diagnostics: made.diagnostics.clone(), ..StyleOutput::default() });
        }
        let form = if entry.path.contains(".min.") { StyleForm::Kept } else { form };
        let options = StyleOptions { root: project.root.clone(), form, targets: targets.clone() };
        let css = made.as_ref().map_or(&text, |made| &made.text).clone();
        let mut output = compilers.sheet(&Sheet { path: entry.path.clone(), text: css }, &options, public)?;
        if let Some(made) = made {
            made.put_into(&mut output, &entry.path, &text, |file| disk.read(&project.root.join(file)).ok());
        }
        Ok(output)
    };
    let mut outputs: Vec<StyleOutput> = entries.par_iter().map(compile).collect::<Result<_, _>>()?;
    found.extend(outputs.iter_mut().flat_map(|output| output.diagnostics.drain(..)));
    let mut origins: Origins = BTreeMap::new();
    for (directive, hosts) in outputs.iter().flat_map(|output| &output.origins) {
        origins.entry(directive.clone()).or_default().extend(hosts.iter().cloned());
    }
    let page_css = outputs.split_off(libs.len());
    let pages = pages.iter().zip(page_css).map(|(entry, output)| (entry.tree_path().to_owned(), output.css)).collect();
    let lib = (!libs.is_empty()).then(|| join(&outputs));
    Ok((Sheets { lib, pages, origins }, found))
}

fn two_sheets(page: &str, first: &Entry, second: &Entry) -> Diagnostic {
    Diagnostic::new(Code::NameConflict, format!("two files are the stylesheet of the page `{page}`"))
        .at(Place::file(&first.path), "this one")
        .at(Place::file(&second.path), "and this one")
        .help("Keep one of them; it can import the other.")
}

fn is_sheet(entry: &Entry) -> bool {
    matches!(entry.format, Format::Css | Format::Scss | Format::Sass | Format::Stylus)
}
