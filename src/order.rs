//! Natural order: `2.jquery.js` before `10.plugin.js`, and `app` before everything else of its tree.

use std::cmp::Ordering;

/// Compares two paths part by part; runs of digits are compared as numbers.
pub fn natural(a: &str, b: &str) -> Ordering {
    let mut left = a.split('/');
    let mut right = b.split('/');
    loop {
        match (left.next(), right.next()) {
            (Some(l), Some(r)) => match natural_part(l, r) {
                Ordering::Equal => {}
                order => return order,
            },
            (l, r) => return l.is_some().cmp(&r.is_some()).then_with(|| a.cmp(b)),
        }
    }
}

/// The order of a tree's nodes: `app` first, then natural.
pub fn tree(a: &str, b: &str) -> Ordering {
    let not_app = |path: &str| path != "app" && !path.starts_with("app/");
    not_app(a).cmp(&not_app(b)).then_with(|| natural(a, b))
}

fn natural_part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let (Some(&x), Some(&y)) = (a.first(), b.first()) {
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (number_a, rest_a) = split_number(a);
            let (number_b, rest_b) = split_number(b);
            // Without leading zeros a longer number is a larger one.
            match number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b)) {
                Ordering::Equal => (a, b) = (rest_a, rest_b),
                order => return order,
            }
        } else if x == y {
            (a, b) = (&a[1..], &b[1..]);
        } else {
            return x.cmp(&y);
        }
    }
    a.len().cmp(&b.len())
}

fn split_number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len());
    let start = text[..end].iter().position(|&c| c != b'0').unwrap_or(end);
    (&text[start..end], &text[end..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{natural, tree};

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = ["10.plugin.js", "2.jquery.js", "1.a.js", "b.js", "02.z.js", "a/1.js", "a.js"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["1.a.js", "2.jquery.js", "02.z.js", "10.plugin.js", "a/1.js", "a.js", "b.js"]);
    }

    #[test]
    fn app_comes_first() {
        let mut names = ["a", "zoo", "app", "1", "app/x", "appendix"];
        names.sort_by(|a, b| tree(a, b));
        assert_eq!(names, ["app", "app/x", "1", "a", "appendix", "zoo"]);
    }

    proptest! {
        #[test]
        fn is_a_total_order(mut names in proptest::collection::vec("[ab0-2/.]{0,6}", 3)) {
            // Sorting panics, or differs by the start, when the relation is not a total order.
            names.sort_by(|a, b| natural(a, b));
            let sorted = names.clone();
            names.reverse();
            names.sort_by(|a, b| natural(a, b));
            prop_assert_eq!(names, sorted);
        }
    }
}
