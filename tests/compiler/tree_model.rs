//! The API tree against a model that knows nothing of its code: tables instead of rules, pairs instead of maps.

use proptest::{prelude::*, test_runner::TestRunner};
use ssbuild::{
    api_tree::ApiTree,
    order,
    project::{Entry, Format, Role, is_ignored},
};
use ssbuild_script::{Language, Tree};

/// A name for files and folders: itself, its alias, what it is equal to when case and Unicode form are not seen, and
/// whether it is reserved or ignored.
struct Name(&'static str, Option<&'static str>, &'static str, Kind);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Reserved,
    Ignored,
}

use Kind::{Ignored, Plain, Reserved};

const NAMES: &[Name] = &[
    Name("a", None, "a", Plain),
    Name("A", None, "a", Plain),
    Name("app", None, "app", Plain),
    Name("index", None, "index", Plain),
    Name("2", None, "2", Plain),
    Name("10", None, "10", Plain),
    Name("1.x", None, "1.x", Plain),
    Name("a.b", None, "a.b", Plain),
    Name("top-bar", Some("topBar"), "top-bar", Plain),
    Name("top--bar", Some("topBar"), "top--bar", Plain),
    Name("topBar", None, "topbar", Plain),
    Name("-x", Some("X"), "-x", Plain),
    Name("X", None, "x", Plain),
    Name("x", None, "x", Plain),
    Name("x-", None, "x-", Plain),
    Name("caf\u{e9}", None, "cafe'", Plain),
    Name("cafe\u{301}", None, "cafe'", Plain),
    Name("CAF\u{c9}", None, "cafe'", Plain),
    Name("stra\u{df}e", None, "strasse", Plain),
    Name("STRASSE", None, "strasse", Plain),
    Name("\u{3c3}\u{3c2}", None, "ss-greek", Plain),
    Name("\u{3a3}\u{3a3}", None, "ss-greek", Plain),
    Name("then", None, "then", Reserved),
    Name("prototype", None, "prototype", Reserved),
    Name("constructor", None, "constructor", Reserved),
    Name("__proto__", None, "__proto__", Ignored),
    Name("_draft", None, "_draft", Ignored),
    Name(".hidden", None, ".hidden", Ignored),
    Name("old~", None, "old~", Ignored),
];

const ENDINGS: &[(&str, Format)] = &[
    ("js", Format::Script(Language::JavaScript)),
    ("ts", Format::Script(Language::TypeScript)),
    ("coffee", Format::Coffee),
];

/// A file: its folders and its name by number in the table, and its ending.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct File {
    parts: Vec<usize>,
    ending: usize,
}

impl File {
    fn tree_path(&self) -> String {
        self.parts.iter().map(|&part| NAMES[part].0).collect::<Vec<_>>().join("/")
    }

    fn path(&self) -> String {
        format!("app/client/{}.{}", self.tree_path(), ENDINGS[self.ending].0)
    }

    fn has(&self, kind: Kind) -> bool {
        self.parts.iter().any(|&part| NAMES[part].3 == kind)
    }
}

/// Whether two files cannot both be in a tree: at the first part where they part, their names claim one place.
fn conflict(one: &File, other: &File) -> bool {
    let shared = one.parts.iter().zip(&other.parts).take_while(|(a, b)| a == b).count();
    let (Some(&a), Some(&b)) = (one.parts.get(shared), other.parts.get(shared)) else {
        // One is a folder of the other's name, or both have the same name.
        return one.parts.len() == shared || other.parts.len() == shared;
    };
    // A file's name and a folder's of the same name differ in length only, and were seen above, unless both go on.
    let (a, b) = (&NAMES[a], &NAMES[b]);
    a.2 == b.2 || a.1 == Some(b.0) || b.1 == Some(a.0) || (a.1.is_some() && a.1 == b.1)
}

/// Whether one is a file where the other has a folder of the very same name.
fn file_and_folder(one: &File, other: &File) -> bool {
    let (short, long) = if one.parts.len() < other.parts.len() { (one, other) } else { (other, one) };
    long.parts.starts_with(&short.parts) && long != short
}

/// Every way to spell a path with aliases.
fn spellings(file: &File) -> Vec<String> {
    file.parts.iter().fold(vec![String::new()], |paths, &part| {
        let Name(name, alias, ..) = NAMES[part];
        let with = |path: &String, name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
        paths
            .iter()
            .flat_map(|path| std::iter::once(name).chain(alias).map(|name| with(path, name)).collect::<Vec<_>>())
            .collect()
    })
}

fn files() -> impl Strategy<Value = Vec<File>> {
    let file = (prop::collection::vec(0..NAMES.len(), 1..4), 0..ENDINGS.len());
    let file = file.prop_map(|(parts, ending)| File { parts, ending });
    prop::collection::btree_set(file, 0..8).prop_map(|files| files.into_iter().collect()).prop_shuffle()
}

fn holds(files: &[File]) -> Result<(), TestCaseError> {
    for name in NAMES {
        prop_assert_eq!(is_ignored(name.0), name.3 == Ignored);
    }
    let kept: Vec<&File> = files.iter().filter(|file| !file.has(Ignored)).collect();
    let mut entries: Vec<Entry> = kept
        .iter()
        .map(|file| Entry { path: file.path(), role: Role::Client, format: ENDINGS[file.ending].1, bytes: 1 })
        .collect();
    entries.sort_by(|a, b| order::tree(a.tree_path(), b.tree_path()));
    let (tree, found) = ApiTree::new(Tree::Client, &entries.iter().collect::<Vec<_>>());

    let by_path = |path: &str| kept.iter().find(|file| file.path() == path).copied();
    let pairs = kept.iter().enumerate().flat_map(|(n, one)| kept[n + 1..].iter().map(move |other| (*one, *other)));
    let conflicts: Vec<(&File, &File)> = pairs.filter(|(one, other)| conflict(one, other)).collect();
    let reserved: Vec<&&File> = kept.iter().filter(|file| file.has(Reserved)).collect();

    // Each finding is right: it shows two files that do conflict, or one with a reserved name.
    for finding in &found {
        let shown: Vec<&File> = finding.labels.iter().filter_map(|label| by_path(&label.place.file)).collect();
        match shown.as_slice() {
            [one] => prop_assert!(one.has(Reserved), "{}", finding.message),
            [one, other] => prop_assert!(one != other && conflict(one, other), "{}", finding.message),
            _ => prop_assert!(false, "a finding shows one file or two: {:?}", finding),
        }
    }
    // None is missing: with a conflict or a reserved name there is a finding, and every file in one is refused by name.
    prop_assert_eq!(found.is_empty(), conflicts.is_empty() && reserved.is_empty());
    let mentions =
        |file: &File| found.iter().any(|finding| finding.labels.iter().any(|label| label.place.file == file.path()));
    for (one, other) in &conflicts {
        let twins =
            |file: &File| kept.iter().filter(|kept| conflict(kept, file) || file_and_folder(kept, file)).count();
        // Where more than two claim a place, the first two are shown.
        if twins(one) == 1 && twins(other) == 1 {
            prop_assert!(mentions(one) && mentions(other), "{} and {}", one.path(), other.path());
        }
    }
    if !found.is_empty() {
        return Ok(());
    }

    // A tree without conflicts has exactly the paths and aliases of its files.
    let mut own: Vec<(String, String)> = kept.iter().map(|file| (file.tree_path(), file.path())).collect();
    own.sort();
    prop_assert_eq!(tree.own().map(|(path, file)| (path.to_owned(), file.to_owned())).collect::<Vec<_>>(), own);
    let mut all: Vec<(String, String)> =
        kept.iter().flat_map(|file| spellings(file).into_iter().map(|path| (path, file.path()))).collect();
    all.sort();
    prop_assert_eq!(tree.all().map(|(path, file)| (path.to_owned(), file.to_owned())).collect::<Vec<_>>(), all.clone());
    for (path, file) in &all {
        prop_assert_eq!(tree.file(path), Some(file.as_str()));
        for (end, _) in path.match_indices('/') {
            prop_assert!(tree.is_folder(&path[..end]) && tree.file(&path[..end]).is_none());
        }
    }
    // The order is total, begins with `app`, and takes numbers for numbers.
    let order: Vec<&str> = entries.iter().map(Entry::tree_path).collect();
    let place = |path: &str| order.iter().position(|other| *other == path);
    for (before, after) in [("app", "10"), ("2", "10"), ("10", "a"), ("app", "a"), ("1.x", "2")] {
        if let (Some(before), Some(after)) = (place(before), place(after)) {
            prop_assert!(before < after, "{:?}", order);
        }
    }
    Ok(())
}

#[test]
fn the_tree_is_what_the_model_says() {
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() });
    runner.run(&files(), |files| holds(&files)).unwrap();
}
