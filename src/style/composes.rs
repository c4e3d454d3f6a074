//! `composes: name from '…'` and `:export`: what a CSS Module takes from others and gives to scripts beside its classes.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use lightningcss::{
    bundler::ResolveResult,
    printer::PrinterOptions,
    properties::{Property, css_modules::Specifier},
    rules::CssRule,
    stylesheet::{ParserOptions, StyleSheet},
    traits::ToCss,
    visit_types,
    visitor::{Visit, VisitTypes, Visitor},
};

use super::{ClassExport, ClassName, refs::location};

/// Stands before the path of a sheet that is composed of: its CSS is not joined to this one, since scripts import it as a module
/// of its own.
const MARK: &str = "composes:";

/// Which sheets a bundle composes of.
#[derive(Default)]
pub(super) struct Composed {
    /// By sheet: what `composes` names there and `@import` does not. Unused when names are not local.
    only: Option<Mutex<BTreeMap<String, BTreeSet<String>>>>,
}

impl Composed {
    /// For a CSS Module.
    pub(super) fn local() -> Self {
        Self { only: Some(Mutex::default()) }
    }

    /// The path that stands for a sheet that is only composed of.
    pub(super) fn mark(path: &Path) -> String {
        format!("{MARK}{}", path.display())
    }

    pub(super) fn is_mark(path: &str) -> bool {
        path.starts_with(MARK)
    }

    /// Looks through a sheet that is going to be joined.
    pub(super) fn note(&self, path: &str, text: &str) {
        let Some(only) = &self.only else { return };
        let options =
            ParserOptions { error_recovery: true, css_modules: Some(Default::default()), ..Default::default() };
        let Ok(mut sheet) = StyleSheet::parse(text, options) else { return };
        let mut names = Names::default();
        let Ok(()) = sheet.visit(&mut names);
        let composed = names.composed.difference(&names.imported).cloned().collect();
        lock(only).insert(path.to_owned(), composed);
    }

    /// Whether a sheet names another only to compose of it.
    pub(super) fn is_only_composed(&self, from: &str, specifier: &str) -> bool {
        let Some(only) = &self.only else { return false };
        lock(only).get(from).is_some_and(|composed| composed.contains(specifier))
    }

    /// Has every `composes … from` name the path of the sheet.
    pub(super) fn finish(&self, sheet: &mut StyleSheet<'_>, find: impl Fn(&str, &str) -> Option<ResolveResult>) {
        let sources = sheet.sources.clone();
        let Ok(()) = sheet.visit(&mut Finish { sources, source: 0, find });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // It is held for single look-ups and insertions only.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Names {
    composed: BTreeSet<String>,
    imported: BTreeSet<String>,
}

impl<'i> Visitor<'i> for Names {
    type Error = Infallible;

    fn visit_types(&self) -> VisitTypes {
        visit_types!(PROPERTIES | RULES)
    }

    fn visit_rule(&mut self, rule: &mut CssRule<'i>) -> Result<(), Infallible> {
        if let CssRule::Import(import) = rule {
            self.imported.insert(import.url.to_string());
        }
        rule.visit_children(self)
    }

    fn visit_property(&mut self, property: &mut Property<'i>) -> Result<(), Infallible> {
        if let Property::Composes(composes) = property
            && let Some(Specifier::File(file)) = &composes.from
        {
            self.composed.insert(file.to_string());
        }
        Ok(())
    }
}

struct Finish<F> {
    sources: Vec<String>,
    /// Index of the sheet that the rule being visited stands in.
    source: usize,
    find: F,
}

impl<'i, F: Fn(&str, &str) -> Option<ResolveResult>> Visitor<'i> for Finish<F> {
    type Error = Infallible;

    fn visit_types(&self) -> VisitTypes {
        visit_types!(PROPERTIES | RULES)
    }

    fn visit_rule(&mut self, rule: &mut CssRule<'i>) -> Result<(), Infallible> {
        let outer = self.source;
        self.source = location(rule).map_or(outer, |at| at.source_index as usize);
        rule.visit_children(self)?;
        self.source = outer;
        Ok(())
    }

    fn visit_property(&mut self, property: &mut Property<'i>) -> Result<(), Infallible> {
        let Property::Composes(composes) = property else { return Ok(()) };
        let path = match &composes.from {
            Some(Specifier::SourceIndex(at)) => {
                self.sources.get(*at as usize).and_then(|path| path.strip_prefix(MARK)).map(str::to_owned)
            }
            Some(Specifier::File(file)) => {
                match self.sources.get(self.source).and_then(|from| (self.find)(file, from)) {
                    Some(ResolveResult::File(path)) => Some(path.display().to_string()),
                    _ => None,
                }
            }
            _ => None,
        };
        if let Some(path) = path {
            composes.from = Some(Specifier::File(path.into()));
        }
        Ok(())
    }
}

/// Takes the `:export` rules out of a sheet: what they give to scripts.
pub(super) fn values(sheet: &mut StyleSheet<'_>) -> Vec<ClassExport> {
    let mut values = Vec::new();
    sheet.rules.0.retain(|rule| {
        let CssRule::Style(style) = rule else { return true };
        if style.selectors.to_css_string(PrinterOptions::default()).ok().as_deref() != Some(":export") {
            return true;
        }
        for property in &style.declarations.declarations {
            let value = property.value_to_css_string(PrinterOptions::default()).unwrap_or_default();
            let name = property.property_id().name().to_owned();
            values.push(ClassExport { name, classes: vec![ClassName::Own(value)] });
        }
        false
    });
    values
}
