//! Names that left their file in 2011: scripts in JavaScript were not wrapped then, and shared their top level with all others.

use std::collections::BTreeMap;

use ssbuild_script::Language;

use super::{Advice, Weight};
use crate::project::{Entry, Format, Role};

/// A file for browsers, and its text.
pub(super) struct Source<'a> {
    pub(super) entry: &'a Entry,
    pub(super) text: String,
}

/// What is declared at the top of one file in JavaScript and used in another.
pub(super) fn leaks(sources: &[Source<'_>]) -> Vec<Advice> {
    let mut declared: BTreeMap<&str, &Entry> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.entry.format == Format::Script(Language::JavaScript)) {
        source.text.lines().filter_map(name_of).for_each(|name| {
            declared.entry(name).or_insert(source.entry);
        });
    }
    let mut found = Vec::new();
    for source in sources {
        for (name, from) in declared.iter().filter(|(_, from)| from.path != source.entry.path) {
            let Some(line) = first_use(&source.text, name) else { continue };
            let side = if from.role == Role::Shared { "shared" } else { "client" };
            let place = from.tree_path().replace('/', ".");
            found.push(Advice {
                file: source.entry.path.clone(),
                line,
                weight: Weight::Must,
                what: format!("`{name}` is declared in `{}`, and every file is private to itself now", from.path),
                todo: format!("Export it there (`exports.{name} = …`), and use `SS.{side}.{place}.{name}` here."),
            });
        }
    }
    found
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '$')
}

/// The name that a line declares when it stands at the top: only what begins a line, so that the inside of functions is none.
fn name_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("function ").or_else(|| line.strip_prefix("var "))?;
    let end = rest.find(|letter| !is_of_name(letter)).unwrap_or(rest.len());
    // Short names are everybody's own.
    (end > 1).then(|| &rest[..end])
}

/// The line where a text calls a name or asks for a member of it, if nothing in it could be its own of that name.
fn first_use(text: &str, name: &str) -> Option<usize> {
    let mut line_of_use = None;
    for (number, line) in text.lines().enumerate() {
        let code = line.trim_start();
        if code.starts_with("//") || code.starts_with('#') || code.starts_with('*') {
            continue;
        }
        for (at, _) in line.match_indices(name) {
            let (before, after) = (&line[..at], &line[at + name.len()..]);
            let last = before.chars().next_back();
            if last.is_some_and(|c| is_of_name(c) || matches!(c, '.' | '@' | '\'' | '"' | '#' | '-' | '/'))
                || after.starts_with(is_of_name)
            {
                continue;
            }
            let word = before.trim_end();
            let declares = ["var ", "function", "->", "=>"].iter().any(|sign| line.contains(sign));
            let is_own =
                ["var", "function", "let", "const", "class", "for", "own"].iter().any(|end| word.ends_with(end))
                    || after.trim_start().starts_with(['=', ':'])
                    || (declares && word.ends_with(['(', ',']) && !after.starts_with('('));
            if is_own {
                return None;
            }
            if after.starts_with('(') || after.starts_with('.') {
                line_of_use.get_or_insert(number + 1);
            }
        }
    }
    line_of_use
}

#[cfg(test)]
mod tests {
    use super::{first_use, name_of};

    #[test]
    fn only_what_begins_a_line_is_declared_at_the_top() {
        assert_eq!(name_of("function shout(s) {"), Some("shout"));
        assert_eq!(name_of("var Board = {};"), Some("Board"));
        for none in ["var i = 0;", "  var inner = 1;", "shout();"] {
            assert_eq!(name_of(none), None, "{none}");
        }
    }

    #[test]
    fn a_use_is_a_call_or_a_member_of_what_is_not_the_files_own() {
        assert_eq!(first_use("a\n  x = shout('y')", "shout"), Some(2));
        assert_eq!(first_use("Board.draw()", "Board"), Some(1));
        assert_eq!(first_use("f = -> g(shout('x'))", "shout"), Some(1));
        for own in [
            "var shout = 1; shout()",
            "shout = -> 1\nshout()",
            "a.shout()",
            "f = (shout) -> shout(1)",
            "x = {shout: 1}",
            "// shout()",
            "'shout('",
            "outshout()",
        ] {
            assert_eq!(first_use(own, "shout"), None, "{own}");
        }
    }
}
