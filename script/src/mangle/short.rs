//! Short names, in the order in which they are given out.

/// Which letters names begin with. In the order of how often they stand in code anyway, which compressors like.
pub(crate) const ALL: &[u8] = b"etnriaoscludfpmhg_vybxSCwTEDOkAjMNPFILRzBVHUWGKqJYXZQ$";
/// For what is declared inside of functions that share their top level with others, whose names must be other ones.
pub(crate) const INNER: &[u8] = b"etnriaoscludfpmhg_vybxwkjzq";
/// For that top level.
pub(crate) const TOP: &[u8] = b"SCTEDOAMNPFILRBVHUWGKJYXZQ$";

const LATER: &[u8; 64] = b"etnriaoscludfpmhg_vybxSCwTEDOkAjMNPFILRzBVHUWGKqJYXZQ$1203456789";

/// Words of up to four letters that cannot be the name of a variable everywhere. Longer names are not given out before there are
/// some million variables.
const WORDS: &[&str] = &[
    "do", "if", "in", "of", "as", "for", "get", "let", "new", "set", "try", "var", "NaN", "case", "else", "enum",
    "eval", "null", "this", "true", "void", "with",
];

/// The next name that is not taken; `at` counts on.
pub(crate) fn next(first: &[u8], at: &mut usize, taken: impl Fn(&str) -> bool) -> String {
    loop {
        let name = short_name(first, *at);
        *at += 1;
        if !WORDS.contains(&&*name) && !taken(&name) {
            return name;
        }
    }
}

fn short_name(first: &[u8], mut n: usize) -> String {
    let mut name = String::new();
    name.push(char::from(first[n % first.len()]));
    n /= first.len();
    while n > 0 {
        n -= 1;
        name.push(char::from(LATER[n % LATER.len()]));
        n /= LATER.len();
    }
    name
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{ALL, INNER, TOP, short_name};

    #[test]
    fn no_short_name_is_given_twice() {
        let names: HashSet<String> = (0..300_000).map(|n| short_name(ALL, n)).collect();
        assert_eq!(names.len(), 300_000);
        assert_eq!(names.iter().filter(|name| name.len() == 1).count(), 54);
        assert!(names.iter().all(|name| !name.starts_with(|first: char| first.is_ascii_digit())));
    }

    #[test]
    fn a_shared_top_level_has_names_of_its_own() {
        assert!(INNER.iter().all(|letter| !TOP.contains(letter)));
        assert_eq!(INNER.len() + TOP.len(), ALL.len());
    }
}
