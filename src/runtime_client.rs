//! The browser half of the runtime: its TypeScript sources are part of this program and are compiled with each app.

use std::collections::BTreeSet;

use ssbuild_script::{Language, Minify, Options, Source, Wrap};

use crate::{
    graph::{Compile, Module},
    link::Linked,
};

macro_rules! sources {
    ($($name:literal)*) => {
        /// Name and text of every source.
        const SOURCES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../runtime-client/src/", $name, ".ts")))),*];
    };
}

sources! {
    "action" "answer" "client" "dev" "env" "events" "failure" "fallback" "hot" "index" "loader" "log" "overlay"
    "owners" "page" "protocol" "rpc" "session" "socket" "start" "streams" "templates" "tree" "waiting"
}

/// Where maps and findings say that it is.
const PATH: &str = "ssbuild/runtime-client/joined.ts";

/// What is started in a page, in this order.
pub const DEPLOYED: &[&str] = &["index"];
/// The same while the app is worked on.
pub const DEVELOPING: &[&str] = &["index", "dev"];

/// What of the runtime evaluates modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evaluation {
    /// The loader, before everything else.
    AtOnce,
    /// What evaluates modules that wait as well.
    Waiting,
}

impl Evaluation {
    /// What these modules need.
    pub fn of(linked: &Linked) -> Self {
        if linked.waiting.contains(&true) { Self::Waiting } else { Self::AtOnce }
    }
}

/// The sources that are programs of their own.
const LOADER: &str = "loader";
const WAITING: &str = "waiting";

/// Compiles the loader and these sources, with what they import, as one plain script: modules of their own would make the
/// script a fifth larger.
pub fn compile(options: &Options, compile: &Compile<'_>, entries: &[&str], evaluation: Evaluation) -> Module {
    let text = joined(entries, evaluation);
    // Every app has it. The compressor's slow passes gain nothing on so little code.
    let minify = if options.minify == Minify::Off { Minify::Off } else { Minify::Fast };
    let options = Options { wrap: Wrap::Plain, minify, ..options.clone() };
    let compiled = compile(Source { path: PATH, text: &text, language: Language::TypeScript }, &options);
    Module::embedded(PATH, &text, compiled, Vec::new())
}

/// The sources behind each other, those that are imported first, in one scope. A test sees to it that no two of them declare
/// the same name.
fn joined(entries: &[&str], evaluation: Evaluation) -> String {
    let mut joined = Joined { text: String::new(), done: BTreeSet::new() };
    entries.iter().for_each(|entry| joined.add(entry));
    let waiting = if evaluation == Evaluation::Waiting { source(WAITING) } else { "" };
    format!("{}\n{waiting}(function () {{\n\"use strict\";\n{}}})();\n", source(LOADER), joined.text)
}

struct Joined {
    text: String,
    done: BTreeSet<String>,
}

impl Joined {
    fn add(&mut self, name: &str) {
        if !self.done.insert(name.to_owned()) {
            return;
        }
        let (imported, body) = split(source(name));
        imported.iter().for_each(|name| self.add(name));
        self.text.push_str(&body);
    }
}

/// What a source imports that is more than types, and its text without words of modules.
fn split(text: &str) -> (Vec<&str>, String) {
    let (mut imported, mut body) = (Vec::new(), String::new());
    let mut rest = text;
    while let Some(end) = rest.find('\n') {
        let line = &rest[..=end];
        if line.starts_with("import ") {
            let end = rest.find(";\n").expect("an import ends") + 2;
            let from = rest[..end].rsplit_once("from \"./").and_then(|(_, from)| from.split('"').next());
            if !line.starts_with("import type ") {
                imported.push(from.expect("it imports only its own files"));
            }
            rest = &rest[end..];
        } else {
            body.push_str(line.strip_prefix("export ").unwrap_or(line));
            rest = &rest[end + 1..];
        }
    }
    (imported, body)
}

fn source(name: &str) -> &'static str {
    let found = SOURCES.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text).expect("it imports only what is embedded")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{LOADER, SOURCES, WAITING, split};

    #[test]
    fn every_source_of_the_folder_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/runtime-client/src");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .expect("the runtime client is in the repository")
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".ts").map(str::to_owned))
            .collect();
        there.sort();
        let embedded: Vec<&str> = SOURCES.iter().map(|(name, _)| *name).collect();
        assert_eq!(there, embedded);
    }

    #[test]
    fn sources_can_stand_in_one_scope() {
        let mut declared = BTreeMap::new();
        for (name, text) in SOURCES.iter().filter(|(name, _)| ![LOADER, WAITING].contains(name)) {
            assert!(text.ends_with('\n'), "{name} ends with a line");
            for line in text.lines().filter(|line| line.starts_with("import ") || line.starts_with("export ")) {
                let plain = !line.contains("* as ") && !line.contains(" as ") && !line.contains(" default ");
                assert!(plain && !line.starts_with("export {"), "{name} renames: {line}");
            }
            let (_, body) = split(text);
            for line in body.lines() {
                let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
                let Some("function" | "const" | "let" | "class" | "interface" | "type") = words.next() else {
                    continue;
                };
                let declares = words.next().expect("a declaration has a name");
                // An interface and a class of one file are one thing.
                let other = declared.insert(declares.to_owned(), *name);
                assert!(other.is_none_or(|other| other == *name), "{declares} is in {name} and {other:?}");
            }
        }
    }
}
