//! Apps of 2011: what changed since, file by file, and what to do.

mod leaks;
mod rules;

use std::collections::BTreeSet;

use ssbuild_diagnostic::{Diagnostic, Report, Severity};

use crate::{
    disk::{Disk, DiskError, Kind},
    order,
    project::{Entry, Format, Project, Role},
};

/// How much a change matters to an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The app does not work before it is done.
    Must,
    /// Something is in the way, or works otherwise than it reads.
    Should,
    /// Good to know.
    Know,
}

impl Weight {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Know => "know",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Advice {
    /// Which file or folder, below the app.
    pub file: String,
    /// Which line, from 1; 0 for the whole.
    pub line: usize,
    /// How much it matters.
    pub weight: Weight,
    /// What changed.
    pub what: String,
    /// What to do.
    pub todo: String,
}

/// Largest file that is looked into, in bytes.
const BYTES_MAX: u64 = 1024 * 1024;

/// Looks at an app's files, and at what its check has found; the advice is in the order of files and lines.
pub fn advice(disk: &dyn Disk, project: &Project, report: &Report) -> Result<Vec<Advice>, DiskError> {
    let mut all: BTreeSet<Advice> = packages(disk, project)?.into_iter().collect();
    let checked = if all.is_empty() { rules::Checked::Whole } else { rules::Checked::WithoutPackages };
    let mut of_browsers = Vec::new();
    for entry in project.entries.iter().filter(|entry| is_own_text(entry)) {
        let text = String::from_utf8_lossy(&disk.read(&project.root.join(&entry.path))?).into_owned();
        all.extend(rules::lines(&entry.path, entry.role, &text, checked));
        if matches!(entry.role, Role::Client | Role::Shared) {
            of_browsers.push(leaks::Source { entry, text });
        }
    }
    all.extend(leaks::leaks(&of_browsers));
    all.extend(folders(disk, project)?);
    all.extend(libraries(project));
    all.extend(environments(project));
    all.extend(report.sorted().into_iter().filter(|found| found.severity != Severity::Note).map(found));
    Ok(all.into_iter().collect())
}

fn is_own_text(entry: &Entry) -> bool {
    let own =
        matches!(entry.role, Role::Shared | Role::Client | Role::Server | Role::View | Role::LibServer | Role::Config);
    own && entry.bytes <= BYTES_MAX && entry.format != Format::Other
}

fn of_file(file: &str, weight: Weight, what: &str, todo: &str) -> Advice {
    Advice { file: file.to_owned(), line: 0, weight, what: what.to_owned(), todo: todo.to_owned() }
}

/// What the check says, as advice.
fn found(diagnostic: &Diagnostic) -> Advice {
    let place = diagnostic.labels.first().map(|label| &label.place);
    Advice {
        file: place.map_or_else(String::new, |place| place.file.clone()),
        line: place.map_or(0, |place| place.line as usize),
        weight: if diagnostic.is_error() { Weight::Must } else { Weight::Should },
        what: diagnostic.message.clone(),
        todo: diagnostic.help.join(" "),
    }
}

/// Files and folders that have another meaning, or none.
fn folders(disk: &dyn Disk, project: &Project) -> Result<Vec<Advice>, DiskError> {
    let mut found = Vec::new();
    for (path, weight, what, todo) in rules::FOLDERS {
        if disk.kind(&project.root.join(path))?.is_some() {
            found.push(of_file(path, *weight, what, todo));
        }
    }
    if disk.kind(&project.root.join(".gitignore"))?.is_none() {
        let what = "builds, caches and sessions lie in folders of the app";
        found.push(of_file(
            ".gitignore",
            Weight::Should,
            what,
            "Have git pass over /dist, /.ssbuild, /.ssserve and /node_modules.",
        ));
    }
    Ok(found)
}

/// The languages of 2011 are compiled by packages of the app's own.
fn packages(disk: &dyn Disk, project: &Project) -> Result<Vec<Advice>, DiskError> {
    let has = |format: Format| project.entries.iter().any(|entry| entry.format == format);
    let has_package = |names: &[&str]| -> Result<bool, DiskError> {
        for folder in project.root.ancestors() {
            for name in names {
                if disk.kind(&folder.join("node_modules").join(name))? == Some(Kind::Folder) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    };
    let (mut missing, mut then) = (Vec::new(), Vec::new());
    // The newest `coffeescript` in number is not the language; version 2 is.
    let languages: [(Format, &[&str], &str, &str); 3] = [
        (Format::Coffee, &["coffeescript", "coffee-script"], "coffeescript@2", "coffee-script@1.1.1"),
        (Format::Stylus, &["stylus"], "stylus", "stylus@0.13"),
        (Format::Pug, &["pug", "jade"], "pug", "jade@0.12"),
    ];
    for (format, names, today, of_2011) in languages {
        if has(format) && !has_package(names)? {
            missing.push(today);
            then.push(of_2011);
        }
    }
    Ok(match missing.is_empty() {
        true => Vec::new(),
        false => vec![of_file(
            "package.json",
            Weight::Must,
            "CoffeeScript, Stylus and Jade are compiled by packages of the app's own",
            &format!(
                "Run `npm install --save-dev {}`. To change no line for now, `npm install --save-dev {}`.",
                missing.join(" "),
                then.join(" "),
            ),
        )],
    })
}

/// Libraries are in natural order now.
fn libraries(project: &Project) -> Vec<Advice> {
    let mut found = Vec::new();
    for (role, folder) in [(Role::LibClient, "lib/client"), (Role::LibCss, "lib/css")] {
        let names: Vec<&str> = project.of(role).map(Entry::below_role).collect();
        let (mut then, mut now) = (names.clone(), names);
        then.sort_unstable();
        now.sort_by(|a, b| order::natural(a, b));
        if then != now {
            let what =
                format!("numbers order libraries as numbers: {}; in 2011 it was {}", now.join(", "), then.join(", "));
            found.push(of_file(
                folder,
                Weight::Should,
                &what,
                "Number the files anew if they relied on the order of 2011.",
            ));
        }
        for name in now.iter().filter(|name| name.contains("jquery") && name.contains("tmpl")) {
            let what = "jQuery templates evaluate text as code, which the page's policy then has to allow";
            found.push(of_file(
                &format!("{folder}/{name}"),
                Weight::Know,
                what,
                "Nothing: the build sees it, warns, and allows it.",
            ));
        }
    }
    found
}

/// Files of environments are chosen by their whole name now.
fn environments(project: &Project) -> Vec<Advice> {
    let files =
        project.of(Role::Config).filter_map(|entry| Some((entry, entry.tree_path().strip_prefix("environments/")?)));
    let other = files.filter(|(_, name)| !["development", "staging", "production"].contains(name));
    let advice = other.map(|(entry, name)| {
        let what =
            format!("it is read when the environment is exactly `{name}`; in 2011 a part of the name was enough");
        of_file(&entry.path, Weight::Know, &what, &format!("Call it by `--env {name}` or `SS_ENV={name}`."))
    });
    advice.collect()
}
