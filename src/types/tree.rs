use std::{collections::BTreeMap, fmt::Write};

use serde::{Deserialize, Serialize};

use super::module::Module;
use crate::api_tree::alias;

/// A folder of a tree: modules and folders by name.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Folder {
    places: BTreeMap<String, Place>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Place {
    Folder(Folder),
    Module(Module),
}

impl Folder {
    /// Puts a module at a path. Where names conflict the first stays; that is an error which is told elsewhere.
    pub(super) fn insert(&mut self, path: &str, module: Module) {
        match path.split_once('/') {
            None => {
                self.places.entry(path.to_owned()).or_insert(Place::Module(module));
            }
            Some((name, rest)) => {
                let place = self.places.entry(name.to_owned()).or_insert_with(|| Place::Folder(Self::default()));
                if let Place::Folder(folder) = place {
                    folder.insert(rest, module);
                }
            }
        }
    }

    /// Writes the members; `own` is the type of this folder, for aliases to refer to.
    pub(super) fn write(&self, text: &mut String, own: &str, indent: usize) {
        for (name, place) in &self.places {
            let blank = " ".repeat(indent);
            let key = key(name);
            let mark = if place.is_always_there() { "" } else { "?" };
            write!(text, "{blank}readonly {key}{mark}: ").expect("writing to a string works");
            match place {
                Place::Module(module) => module.write(text),
                Place::Folder(folder) => {
                    text.push_str("{\n");
                    let inner = match mark {
                        "" => format!("{own}[{}]", quoted(name)),
                        _ => format!("NonNullable<{own}[{}]>", quoted(name)),
                    };
                    folder.write(text, &inner, indent + 2);
                    write!(text, "{blank}}}").expect("writing to a string works");
                }
            }
            text.push_str(";\n");
            if let Some(alias) = alias(name).filter(|alias| !self.places.contains_key(alias)) {
                let alias = self::key(&alias);
                writeln!(text, "{blank}readonly {alias}{mark}: {own}[{}];", quoted(name))
                    .expect("writing to a string works");
            }
        }
    }
}

impl Place {
    /// Whether it is in the tree from the start: what is loaded on demand is absent until then.
    fn is_always_there(&self) -> bool {
        match self {
            Self::Module(module) => !module.on_demand,
            Self::Folder(folder) => folder.places.values().any(Self::is_always_there),
        }
    }
}

/// A name as the key of a type's member.
pub(super) fn key(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { quoted(name) }
}

/// A text as a literal.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// Whether a name needs no quotes: ASCII is enough, the others get some.
pub(super) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$'))
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'))
}
