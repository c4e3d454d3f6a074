//! Imported names that the module at the other end does not export.

use std::collections::{HashMap, HashSet};

use ssbuild_diagnostic::{Code, Diagnostic, Place, Severity, Span};
use ssbuild_script::{Doubt, ExportForm, Exports, Import, ImportKind, ImportedNames};

use super::{Dep, Graph, Module, Whole};
use crate::{
    nearest::{did_you_mean, nearest},
    zone::Zone,
};

/// What is found of names that are certainly not there: in the app's own code an error, in packages a warning.
pub(super) fn names(graph: &Graph, whole: &Whole, is_live: impl Fn(usize) -> bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut exported = Exported { graph, whole, names: HashMap::new() };
    for (_, module) in graph.modules.iter().enumerate().filter(|(at, _)| is_live(*at)) {
        for (import, dep) in module.compiled.imports.iter().zip(&module.deps) {
            let (Dep::Module(to), ImportKind::Static) = (dep, import.kind) else { continue };
            let used = match &import.names {
                ImportedNames::Some(names) => names.as_slice(),
                ImportedNames::All => &[],
            };
            let doubt =
                |name: &str| import.doubtful.iter().find(|(doubtful, _)| doubtful == name).map(|(_, doubt)| *doubt);
            let unused = import.doubtful.iter().filter(|(_, doubt)| *doubt == Doubt::Unused).map(|(name, _)| name);
            for name in used.iter().chain(unused) {
                let severity = match (module.zone, doubt(name)) {
                    (_, Some(Doubt::Type)) | (Zone::Package, Some(_)) => continue,
                    (Zone::Package, None) | (_, Some(Doubt::Member)) => Severity::Warning,
                    (_, None | Some(Doubt::Unused)) => Severity::Error,
                };
                if !exported.has(*to, name, &mut HashSet::new()) {
                    let (target, exports) = (&graph.modules[*to], exported.of(*to));
                    found.push(Diagnostic { severity, ..finding(module, import, name, (target, exports)) });
                }
            }
        }
    }
    found
}

/// So many names are looked through faster than they are put in order.
const FEW_NAMES: usize = 16;

/// Names of the modules that were asked for some.
struct Exported<'a> {
    graph: &'a Graph,
    whole: &'a Whole,
    names: HashMap<usize, HashSet<&'a str>>,
}

impl Exported<'_> {
    fn of(&self, at: usize) -> &Exports {
        let compiled = self.whole.get(&at).map_or(&self.graph.modules[at].compiled, |(compiled, _)| compiled);
        &compiled.exports
    }

    /// Whether a module exports a name, or may do so.
    fn has(&mut self, at: usize, name: &str, seen: &mut HashSet<usize>) -> bool {
        let module = &self.graph.modules[at];
        let (compiled, deps) =
            self.whole.get(&at).map_or((&module.compiled, &module.deps), |(compiled, deps)| (compiled, deps));
        let exports = &compiled.exports;
        let broken = compiled.diagnostics.iter().any(Diagnostic::is_error);
        if exports.form != ExportForm::Esm || broken {
            return true;
        }
        let is_there = match exports.names.len() {
            0..=FEW_NAMES => exports.names.iter().any(|(exported, _)| exported == name),
            _ => {
                let names = exports.names.iter().map(|(name, _)| name.as_str());
                self.names.entry(at).or_insert_with(|| names.collect()).contains(name)
            }
        };
        if is_there {
            return true;
        }
        if name == "default" || !seen.insert(at) {
            return false;
        }
        exports.stars.iter().any(|&star| match deps.get(star as usize) {
            Some(Dep::Module(to)) => self.has(*to, name, seen),
            Some(Dep::Host(_) | Dep::Missing) | None => true,
        })
    }
}

fn finding(module: &Module, import: &Import, name: &str, (target, exports): (&Module, &Exports)) -> Diagnostic {
    let known = || exports.names.iter().map(|(name, _)| name.as_str());
    let what = if name == "default" { "nothing as its default".to_owned() } else { format!("no `{name}`") };
    let place = place_of(module, import, name).unwrap_or_else(|| import.place.clone());
    let found =
        Diagnostic::new(Code::ExportMissing, format!("`{}` exports {what}", target.name)).at(place, "imported here");
    let near = nearest(name, known());
    let meant = near.first().and_then(|near| exports.names.iter().find(|(name, _)| name == near));
    match meant {
        _ if name == "default" => {
            let first = exports.names.first().map(|(name, place)| (format!("Write `import {{ {name} }}`"), place));
            match first {
                Some((help, place)) => {
                    found.at(place.clone(), "exported by name").help(format!("{help}, or add `export default` there."))
                }
                None => found.at(Place::file(&target.name), "").help("Add `export default` there."),
            }
        }
        Some((_, place)) => {
            let found = found.at(place.clone(), "exported here");
            match did_you_mean(name, known()) {
                Some(help) => found.help(help),
                None => found,
            }
        }
        None => found
            .at(Place::file(&target.name), "the module that is asked")
            .help("Export it there, or take it out of the import."),
    }
}

/// Where the name stands in the import's own statement, which ends with the specifier.
fn place_of(module: &Module, import: &Import, name: &str) -> Option<Place> {
    let line =
        module.text.split_inclusive('\n').take(import.place.line.checked_sub(1)? as usize).map(str::len).sum::<usize>();
    let column = module.text[line..].chars().take(import.place.column as usize - 1).map(char::len_utf8).sum::<usize>();
    let before = module.text.get(..line + column)?;
    let start = before.rfind("import").max(before.rfind("export"))?;
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$');
    let (at, _) = before[start..].match_indices(name).find(|(at, _)| {
        let (left, right) = before[start..].split_at(*at);
        !left.ends_with(is_part) && !right[name.len()..].starts_with(is_part)
    })?;
    let span = |at: usize| u32::try_from(start + at).ok();
    Some(Place::new(&module.name, &module.text, Span::new(span(at)?, span(at + name.len())?)))
}
