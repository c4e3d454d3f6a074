//! Cases that are not treated as test262 wants them, each list with its reason.

/// What must parse and is refused.
pub(crate) const REFUSED: &[(&str, &[&str])] = &[];

/// What must fail and is accepted.
pub(crate) const ACCEPTED: &[(&str, &[&str])] = &[
    (
        "A module is the body of a function, in which `return` is allowed.",
        &["02e5861a1ef10c42.js", "7187f0675eb38279.js", "7bfaaa1e80d6255f.js", "8beaabe25ab7e0a8.js"],
    ),
    (
        "An import or export makes a file an ES module; nothing says that it is a script.",
        &[
            "0f8806b7b4358487.js",
            "4554c00dbb28cad8.js",
            "7fdf990c6f42edcd.js",
            "80da22a7d2a15fc5.js",
            "975d02f132c05a98.js",
        ],
    ),
    (
        "The language has changed since: line separators in strings, fields of classes, newer letters.",
        &[
            "647e21f8f157c338.js",
            "8af69d8f15295ed2.js",
            "98204d734f8c72b3.js",
            "c060a3014ad24dfd.js",
            "ef81b93cf9bdb4ec.js",
        ],
    ),
    ("Engines take it in sloppy code: an initial value in `for (var x = 1 in y)`.", &["e3fbcf63d7e43ead.js"]),
    (
        "Escapes in strings that strict code does not have are written as the characters they mean.",
        &[
            "0d5e450f1da8a92a.js",
            "147fa078a7436e0e.js",
            "15a6123f6b825c38.js",
            "3bc2b27a7430f818.js",
            "748656edbfb2d0bb.js",
            "79f882da06f88c9f.js",
            "92b6af54adef3624.js",
        ],
    ),
    (
        "Functions of one name in a block of sloppy code, which engines take; loops over what `catch` names, or over `let.a`.",
        &[
            "0f5f47108da5c34e.js",
            "12a74c60f52a60de.js",
            "1aff49273f3e3a98.js",
            "be7329119eaa3d47.js",
            "ec31fa5e521c5df4.js",
            "ef2d369cccc5386c.js",
        ],
    ),
    (
        "`yield` in the parameters of an arrow inside a generator.",
        &[
            "12956d61ed0275e7.js",
            "301abb5ba3b6506a.js",
            "3190762e2e329b66.js",
            "7958864040a4f3c1.js",
            "aca2b59599b813df.js",
        ],
    ),
    (
        "Finer points of regular expressions with the flag `u`.",
        &["4de83a7417cd30dd.js", "66e383bfd18e66ab.js", "bf49ec8d96884562.js"],
    ),
];

/// What comes out as code that does not parse.
pub(crate) const BROKEN: &[(&str, &[&str])] = &[];
