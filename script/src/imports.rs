use rustc_hash::{FxHashMap, FxHashSet};
use ssbuild_diagnostic::Place;
use swc_core::atoms::Atom;
use swc_core::common::{DUMMY_SP, Span};
use swc_core::ecma::ast::{Ident, Str};

use crate::emit::is_name_byte;
use crate::place::Places;
use crate::{Doubt, Import, ImportKind, ImportedNames, Need};

/// What a module asks for, numbered in order of first appearance. One specifier asked for in one way has one number.
pub(crate) struct Imports<'a> {
    places: &'a Places<'a>,
    numbers: FxHashMap<(Atom, ImportKind), usize>,
    asked: Vec<Asked>,
}

/// A longer name is not looked for in the program: it may be there.
const LONGEST_NAME_BYTES: usize = 64;

struct Asked {
    specifier: String,
    kind: ImportKind,
    place: Place,
    names: Vec<Atom>,
    doubtful: Vec<(Atom, Doubt)>,
    need: Need,
    all: bool,
    namespace: Ident,
    used: bool,
}

impl Asked {
    /// Notes a name; whether it is new.
    fn name(&mut self, name: &Atom) -> bool {
        self.used = true;
        let new = !self.all && !self.names.contains(name);
        if new {
            self.names.push(name.clone());
        }
        new
    }
}

impl<'a> Imports<'a> {
    pub(crate) fn new(places: &'a Places<'a>) -> Self {
        Self { places, numbers: FxHashMap::default(), asked: Vec::new() }
    }

    /// The number of an import that stands at `src`.
    pub(crate) fn number(&mut self, src: &Str, kind: ImportKind) -> usize {
        let specifier = src.value.to_atom_lossy().into_owned();
        if let Some(&number) = self.numbers.get(&(specifier.clone(), kind)) {
            return number;
        }
        let number = self.asked.len();
        let namespace = Ident::new_private(namespace_name(&specifier).into(), DUMMY_SP);
        self.asked.push(Asked {
            specifier: specifier.to_string(),
            kind,
            place: self.places.of(src.span),
            names: Vec::new(),
            doubtful: Vec::new(),
            need: Need::Tried,
            all: false,
            namespace,
            used: false,
        });
        self.numbers.insert((specifier, kind), number);
        number
    }

    /// Notes that the module cannot do without an import.
    pub(crate) fn needs(&mut self, number: usize) {
        self.asked[number].need = Need::Needed;
    }

    /// Notes that one name of an import is used, where it has to be there.
    pub(crate) fn use_name(&mut self, number: usize, name: &Atom) {
        let asked = &mut self.asked[number];
        asked.doubtful.retain(|(doubtful, doubt)| doubtful != name || *doubt == Doubt::Type);
        asked.name(name);
    }

    /// Notes that one name of an import is used, which may be missing.
    pub(crate) fn use_doubtful(&mut self, number: usize, name: &Atom, doubt: Doubt) {
        let asked = &mut self.asked[number];
        if asked.name(name) {
            asked.doubtful.push((name.clone(), doubt));
        }
    }

    /// Notes that one name of an import is asked for and not used.
    pub(crate) fn leave_name(&mut self, number: usize, name: &Atom) {
        let asked = &mut self.asked[number];
        if !asked.names.contains(name) && !asked.doubtful.iter().any(|(doubtful, _)| doubtful == name) {
            asked.doubtful.push((name.clone(), Doubt::Unused));
        }
    }

    /// Notes that an import is used in a way that may reach every name.
    pub(crate) fn use_all(&mut self, number: usize) {
        let asked = &mut self.asked[number];
        asked.used = true;
        asked.all = true;
    }

    /// The variable that holds an import's namespace, at a place of the source.
    pub(crate) fn namespace(&self, number: usize, span: Span) -> Ident {
        Ident { span, ..self.asked[number].namespace.clone() }
    }

    /// Whether anything of the import is used, so that its namespace has to be kept.
    pub(crate) fn is_used(&self, number: usize) -> bool {
        self.asked[number].used
    }

    /// Whether a namespace's name may be that of another one, or of something in the program.
    pub(crate) fn are_ambiguous(&self) -> bool {
        let mut names: FxHashSet<&[u8]> = FxHashSet::default();
        let mut statics = self.asked.iter().filter(|asked| asked.kind == ImportKind::Static);
        let longest = statics.clone().map(|asked| asked.namespace.sym.len()).max().unwrap_or(0);
        if longest > LONGEST_NAME_BYTES || !statics.all(|asked| names.insert(asked.namespace.sym.as_bytes())) {
            return true;
        }
        if names.is_empty() {
            return false;
        }
        let text = self.places.text().as_bytes();
        // Each of them starts with `_`.
        memchr::memchr_iter(b'_', text).any(|at| {
            let rest = &text[at..text.len().min(at + longest)];
            let end = rest.iter().position(|&byte| !is_name_byte(byte)).unwrap_or(rest.len());
            (1..=end).any(|end| names.contains(&rest[..end]))
        })
    }

    pub(crate) fn finish(self) -> Vec<Import> {
        let import = |asked: Asked| Import {
            specifier: asked.specifier,
            kind: asked.kind,
            names: if asked.all {
                ImportedNames::All
            } else {
                ImportedNames::Some(asked.names.iter().map(ToString::to_string).collect())
            },
            doubtful: asked.doubtful.into_iter().map(|(name, doubt)| (name.to_string(), doubt)).collect(),
            need: asked.need,
            place: asked.place,
        };
        self.asked.into_iter().map(import).collect()
    }
}

/// A name that shows where a value comes from: `_lodash_es` for `lodash-es`, `_navbar` for `./ui/navbar.js`.
fn namespace_name(specifier: &str) -> String {
    let file =
        specifier.trim_end_matches('/').rsplit('/').find(|part| !part.is_empty() && *part != "." && *part != "..");
    let file = file.unwrap_or("module");
    let stem = match file.rsplit_once('.') {
        Some((stem, "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" | "json")) if !stem.is_empty() => stem,
        _ => file,
    };
    let letters = stem.chars().map(|letter| if Ident::is_valid_continue(letter) { letter } else { '_' });
    std::iter::once('_').chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::namespace_name;

    #[test]
    fn namespaces_are_named_after_files() {
        let cases = [
            ("lodash-es", "_lodash_es"),
            ("./ui/navbar.js", "_navbar"),
            ("@scope/pkg", "_pkg"),
            ("..", "_module"),
            ("", "_module"),
            ("./a.b.ts", "_a_b"),
            ("1", "_1"),
        ];
        for (specifier, name) in cases {
            assert_eq!(namespace_name(specifier), name);
        }
    }
}
