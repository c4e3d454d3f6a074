//! The API trees: a file's path is its place in `SS.client`, `SS.shared` or `SS.server`.

use std::collections::BTreeMap;

use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_script::{ActionMeta, Exports, Tree};
use unicode_normalization::UnicodeNormalization;

use crate::project::Entry;

/// One tree: which file stands at which path.
#[derive(Debug, Clone)]
pub struct ApiTree {
    /// Which one.
    pub tree: Tree,
    /// Path (parts joined by `/`) to the file's path below the app, the aliases of names with `-` included.
    nodes: BTreeMap<String, Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    file: String,
    /// Whether this path is another spelling of the file's own.
    alias: bool,
}

/// Names that no folder, file, export or action can have: the language gives them a meaning of its own.
const RESERVED: &[(&str, &str)] = &[
    ("__proto__", "it is an object's prototype"),
    ("constructor", "every object has one already"),
    ("prototype", "it means something else on functions"),
    ("then", "`await` would take the node for a promise"),
];

impl ApiTree {
    /// Places the files of one tree, given in the tree's order; conflicts are found, not resolved.
    pub fn new(tree: Tree, entries: &[&Entry]) -> (Self, Vec<Diagnostic>) {
        let mut root = Folder::default();
        for entry in entries {
            root.insert(entry.tree_path(), &entry.path);
        }
        let mut found = Vec::new();
        root.check(tree, "", &mut found);
        let mut nodes = BTreeMap::new();
        for entry in entries {
            for path in spellings(entry.tree_path()) {
                let alias = path != entry.tree_path();
                nodes.entry(path).or_insert_with(|| Node { file: entry.path.clone(), alias });
            }
        }
        (Self { tree, nodes }, found)
    }

    /// Every path and its file, the aliases too.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node.file.as_str()))
    }

    /// Every path and its file, without aliases.
    pub fn own(&self) -> impl Iterator<Item = (&str, &str)> {
        self.nodes.iter().filter(|(_, node)| !node.alias).map(|(path, node)| (path.as_str(), node.file.as_str()))
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> Option<&str> {
        self.nodes.get(path).map(|node| node.file.as_str())
    }

    /// The file that a path leads to or through.
    pub fn file_above(&self, parts: &[String]) -> Option<&str> {
        (1..=parts.len()).rev().find_map(|count| self.file(&parts[..count].join("/")))
    }

    /// Whether a path leads to a folder of the tree.
    pub fn is_folder(&self, path: &str) -> bool {
        let prefix = format!("{path}/");
        self.nodes.range(prefix.clone()..).next().is_some_and(|(next, _)| next.starts_with(&prefix))
    }
}

/// A path as one writes it in code: `SS.client.geo['a.b']`.
pub fn spoken(tree: Tree, parts: &[&str]) -> String {
    let mut text = match tree {
        Tree::Client => "SS.client",
        Tree::Shared => "SS.shared",
        Tree::Server => "SS.server",
    }
    .to_owned();
    for part in parts {
        let mut chars = part.chars();
        let plain = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_' || c == '$')
            && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '$');
        if plain {
            text.push('.');
            text.push_str(part);
        } else {
            text.push_str(&format!("['{}']", part.replace('\'', "\\'")));
        }
    }
    text
}

/// Findings about the names a module exports.
pub fn check_exports(file: &str, exports: &Exports) -> Vec<Diagnostic> {
    let reserved = |name: &str| RESERVED.iter().find(|(reserved, _)| *reserved == name);
    let names = exports.names.iter().filter_map(|(name, place)| Some((reserved(name)?, place)));
    names
        .map(|(&(name, reason), place)| reserved_name(&format!("`{file}` exports `{name}`"), reason, place.clone()))
        .collect()
}

/// Findings about actions whose alias is taken by another one of the same object.
pub fn check_actions(actions: &[ActionMeta]) -> Vec<Diagnostic> {
    // By object, each name with the first place below it.
    let mut objects: BTreeMap<&[String], BTreeMap<&str, &Place>> = BTreeMap::new();
    for action in actions {
        for (depth, name) in action.path.iter().enumerate() {
            objects.entry(&action.path[..depth]).or_default().entry(name).or_insert(&action.place);
        }
    }
    let mut found = Vec::new();
    for names in objects.values() {
        let mut aliases: BTreeMap<String, &str> = BTreeMap::new();
        for (name, &place) in names {
            let Some(alias) = alias(name) else { continue };
            let other =
                names.get_key_value(alias.as_str()).map(|(other, _)| *other).or_else(|| aliases.get(&alias).copied());
            if let Some(other) = other {
                let message =
                    format!("the action `{other}` has the name `{alias}`, which is also the alias of `{name}`");
                let message = if other == alias {
                    message
                } else {
                    format!("the actions `{other}` and `{name}` have the same alias, `{alias}`")
                };
                found.push(
                    Diagnostic::new(Code::NameConflict, message)
                        .at(place.clone(), "this one")
                        .at(names[other].clone(), "and this one")
                        .help("Rename one of them."),
                );
            }
            aliases.insert(alias, name);
        }
    }
    found
}

fn reserved_name(what: &str, reason: &str, place: Place) -> Diagnostic {
    Diagnostic::new(Code::NameReserved, format!("{what}, a name that is reserved: {reason}"))
        .at(place, "")
        .help("Choose another name.")
}

#[derive(Default)]
struct Folder {
    folders: BTreeMap<String, Folder>,
    files: BTreeMap<String, Vec<String>>,
}

impl Folder {
    fn insert(&mut self, path: &str, file: &str) {
        match path.split_once('/') {
            Some((folder, rest)) => self.folders.entry(folder.to_owned()).or_default().insert(rest, file),
            None => self.files.entry(path.to_owned()).or_default().push(file.to_owned()),
        }
    }

    /// The first file in it, to show where a folder is.
    fn witness(&self) -> &str {
        let direct = self.files.values().flatten().next();
        direct.map(String::as_str).unwrap_or_else(|| self.folders.values().next().map_or("", Self::witness))
    }

    fn check(&self, tree: Tree, prefix: &str, found: &mut Vec<Diagnostic>) {
        let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, files) in &self.files {
            names.entry(name).or_default().extend(files.iter().map(String::as_str));
        }
        for (name, folder) in &self.folders {
            names.entry(name).or_default().push(folder.witness());
        }
        let at = |name: &str| {
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            spoken(tree, &path.split('/').collect::<Vec<_>>())
        };
        for (name, places) in &names {
            if let Some((_, reason)) = RESERVED.iter().find(|(reserved, _)| reserved == name) {
                found.push(reserved_name(&format!("{} cannot be", at(name)), reason, Place::file(places[0])));
            }
            if let [first, second, ..] = places.as_slice() {
                let what = if self.folders.contains_key(*name) { "a file and a folder" } else { "two files" };
                found.push(conflict(format!("{what} claim {}", at(name)), first, second));
            }
        }
        // Each name claims its folded form, and with `-` its alias; whoever comes second conflicts.
        let mut claims: BTreeMap<String, &str> = BTreeMap::new();
        for name in names.keys() {
            if let Some(other) = claims.insert(fold(name), name) {
                let message = format!("{} and {} differ only by case or Unicode form", at(other), at(name));
                found.push(conflict(message, names[other][0], names[name][0]));
            }
        }
        let mut aliases: BTreeMap<String, &str> = BTreeMap::new();
        for name in names.keys() {
            let Some(alias) = alias(name) else { continue };
            let other = names.get_key_value(alias.as_str()).map(|(other, _)| *other);
            if let Some(other) = other.or_else(|| aliases.get(&alias).copied()) {
                let message = format!("{} is already taken, and is also the alias of {}", at(&alias), at(name));
                found.push(conflict(message, names[name][0], names[other][0]));
            }
            aliases.insert(alias, name);
        }
        for (name, folder) in &self.folders {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            folder.check(tree, &path, found);
        }
    }
}

fn conflict(message: String, first: &str, second: &str) -> Diagnostic {
    Diagnostic::new(Code::NameConflict, message)
        .at(Place::file(first), "this one")
        .at(Place::file(second), "and this one")
        .help("Rename one of them.")
}

/// What is equal on file systems that know no case or keep another Unicode form.
fn fold(name: &str) -> String {
    // Upper case after lower case is what folds `ß` with `ss` and `ς` with `σ`.
    name.nfd().collect::<String>().to_lowercase().to_uppercase().nfc().collect()
}

/// `topBar` for `top-bar`; nothing for names without `-`. The same rule as in the two runtimes: `-+(.)`.
pub(crate) fn alias(name: &str) -> Option<String> {
    let mut alias = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(dash) = rest.find('-') {
        alias.push_str(&rest[..dash]);
        let after = rest[dash..].trim_start_matches('-');
        match after.chars().next() {
            Some(c) => {
                alias.extend(c.to_uppercase());
                rest = &after[c.len_utf8()..];
            }
            None => {
                alias.push('-');
                rest = "";
            }
        }
    }
    alias.push_str(rest);
    (alias != name).then_some(alias)
}

/// Every spelling of a path: each part as it is or as its alias. At most eight parts have an alias in a sane app;
/// beyond that only the path itself and the whole alias are offered.
fn spellings(path: &str) -> Vec<String> {
    let parts: Vec<(&str, Option<String>)> = path.split('/').map(|part| (part, alias(part))).collect();
    if parts.iter().filter(|(_, alias)| alias.is_some()).count() > 8 {
        let aliased: Vec<&str> = parts.iter().map(|(part, alias)| alias.as_deref().unwrap_or(part)).collect();
        return vec![path.to_owned(), aliased.join("/")];
    }
    let mut all = vec![String::new()];
    for (part, alias) in &parts {
        let with = |name: &str, all: &[String]| -> Vec<String> {
            all.iter().map(|path| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }).collect()
        };
        let mut next = with(part, &all);
        if let Some(alias) = alias {
            next.extend(with(alias, &all));
        }
        all = next;
    }
    all
}

#[cfg(test)]
mod tests {
    use ssbuild_script::{Language, Tree};

    use super::{ApiTree, spoken};
    use crate::project::{Entry, Format, Role};

    fn tree(files: &[&str]) -> (ApiTree, Vec<String>) {
        let entries: Vec<Entry> = files
            .iter()
            .map(|file| Entry {
                path: format!("app/client/{file}"),
                role: Role::Client,
                format: Format::Script(Language::JavaScript),
                bytes: 1,
            })
            .collect();
        let (tree, found) = ApiTree::new(Tree::Client, &entries.iter().collect::<Vec<_>>());
        (tree, found.into_iter().map(|d| d.message).collect())
    }

    #[test]
    fn dashes_have_an_alias_in_every_part() {
        let (tree, found) = tree(&["top-bar/left-side.js", "a.b.js"]);
        assert_eq!(found, [""; 0]);
        let all: Vec<&str> = tree.all().map(|(path, _)| path).collect();
        let expected = ["a.b", "top-bar/left-side", "top-bar/leftSide", "topBar/left-side", "topBar/leftSide"];
        assert_eq!(all, expected);
        assert_eq!(tree.own().count(), 2);
        assert!(tree.is_folder("topBar") && !tree.is_folder("top"));
    }

    #[test]
    fn whoever_claims_a_taken_place_conflicts() {
        let cases: &[(&[&str], &str)] = &[
            (&["geo.js", "geo/code.js"], "a file and a folder claim SS.client.geo"),
            (&["a.js", "a.ts"], "two files claim SS.client.a"),
            (&["Nav.js", "nav.js"], "SS.client.Nav and SS.client.nav differ only by case or Unicode form"),
            (
                &["caf\u{e9}.js", "cafe\u{301}.js"],
                "SS.client['cafe\u{301}'] and SS.client.caf\u{e9} differ only by case or Unicode form",
            ),
            (
                &["top-bar.js", "topBar.js"],
                "SS.client.topBar is already taken, and is also the alias of SS.client['top-bar']",
            ),
            (
                &["x/then.js"],
                "SS.client.x.then cannot be, a name that is reserved: `await` would take the node for a promise",
            ),
        ];
        for (files, message) in cases {
            assert_eq!(tree(files).1, [*message], "{files:?}");
        }
    }

    #[test]
    fn paths_are_spoken_as_code() {
        assert_eq!(spoken(Tree::Server, &["a.b", "it's", "x"]), "SS.server['a.b']['it\\'s'].x");
    }
}
