//! Source maps of whole bundles: a place in the code leads to the same word in the source.

use tempfile::TempDir;

use crate::app::{App, Dist, build, testdata};

/// One segment: line and column of the code; source, line and column.
type Segment = ([usize; 2], [usize; 3]);

fn segments(mappings: &str) -> Vec<Segment> {
    let mut found = Vec::new();
    let mut last = [0_i64; 4];
    for (line, groups) in mappings.split(';').enumerate() {
        let mut column = 0_i64;
        for fields in groups.split(',').filter(|group| !group.is_empty()).map(numbers) {
            column += fields[0];
            if fields.len() >= 4 {
                (1..4).for_each(|n| last[n] += fields[n]);
                let unsigned = |n: i64| usize::try_from(n).expect("no place is below zero");
                found.push(([line, unsigned(column)], [unsigned(last[1]), unsigned(last[2]), unsigned(last[3])]));
            }
        }
    }
    found
}

/// Base64 VLQ.
fn numbers(text: &str) -> Vec<i64> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut all, mut value, mut shift) = (Vec::new(), 0, 0);
    for c in text.chars() {
        let digit = DIGITS.find(c).expect("a digit of Base64");
        value |= (digit as i64 & 31) << shift;
        shift += 5;
        if digit & 32 == 0 {
            all.push(if value & 1 == 1 { -(value >> 1) } else { value >> 1 });
            (value, shift) = (0, 0);
        }
    }
    all
}

/// The word at a column, counted as source maps do, in UTF-16 units.
fn word(line: &str, column: usize) -> String {
    let units: Vec<u16> = line.encode_utf16().skip(column).collect();
    let rest = String::from_utf16_lossy(&units);
    rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '$').collect()
}

/// The lines of each source.
fn sources(map: &serde_json::Value) -> Vec<Vec<&str>> {
    let texts = map["sourcesContent"].as_array().expect("the sources are in the map");
    texts.iter().map(|text| text.as_str().expect("text").split('\n').collect()).collect()
}

fn check(code: &str, map: &str, names_stay: bool) {
    let map: serde_json::Value = serde_json::from_str(map).expect("a map is JSON");
    let lines: Vec<&str> = code.split('\n').collect();
    let texts = sources(&map);
    let (mut same, mut other) = (0, Vec::new());
    let segments = segments(map["mappings"].as_str().expect("text"));
    for ([line, column], [source, from_line, from_column]) in &segments {
        let (here, there) = (word(lines[*line], *column), word(texts[*source][*from_line], *from_column));
        // Keywords and short names change with the form of the code; long names do not, or are properties.
        if here.len() > 6 && there.len() > 2 {
            if here == there {
                same += 1;
            } else {
                other.push(format!("{}:{}: {here} is {there}", map["sources"][source], from_line + 1));
            }
        }
    }
    assert!(same > 200, "only {same} of {} segments lead to a word", segments.len());
    let limit = if names_stay { same / 50 } else { same / 10 };
    assert!(other.len() <= limit, "{same} lead to the same word, these do not: {other:#?}");
    assert_eq!(map["sources"].as_array().map(Vec::len), Some(texts.len()));
}

#[test]
fn places_in_the_code_lead_to_the_same_words_in_the_sources() {
    for (env, names_stay) in [("development", true), ("staging", false)] {
        let out = TempDir::new().expect("a folder");
        build(&testdata("apps/chat"), env, out.path()).expect("the machine does its part");
        let dist = Dist::read(out.path());
        for name in ["app.js", "lib.js"] {
            check(&dist.asset(name), &dist.asset(&format!("{name}.map")), names_stay);
        }
        let map = dist.manifest().server.map.expect("the server's code has a map").file;
        let map = String::from_utf8(dist.files[&map].clone()).expect("text");
        check(&dist.server(), &map, true);
    }
}

#[test]
fn modules_in_one_function_are_mapped_each_to_its_source() {
    let app = App::new(&[
        (
            "app/client/app.js",
            "import { total, Shape } from 'p'; exports.init = () => total(new Shape('é').firstProperty);",
        ),
        ("node_modules/p/package.json", r#"{"module":"index.js"}"#),
        (
            "node_modules/p/index.js",
            "import { Shape, helperFunction } from './shape.js';\nimport common from './common.cjs';\nimport * as numbers from './numbers.js';\nexport { Shape };\nexport function total(argument) {\n  const text = `größe ${helperFunction(argument)}\n  second ${common.secondProperty}`; return text.thirdProperty + numbers.firstNumber(common(argument).fourthProperty);\n}\n",
        ),
        (
            "node_modules/p/shape.js",
            "const secretTable = { 'é': 'ü' }, ß = secretTable.fifthProperty;\nexport class Shape {\n  constructor(letter) { this.firstProperty = secretTable[letter].sixthProperty; }\n}\nexport const helperFunction = (value) => value?.seventhProperty ?? ß.eighthProperty; export default `\n\n${helperFunction(secretTable.ninthProperty)}`;\n",
        ),
        ("node_modules/p/common.cjs", "module.exports = (x) => x.tenthProperty;\n"),
        (
            "node_modules/p/numbers.js",
            "/* é */ export function firstNumber(number) { return number.eleventhProperty; } globalThis.twelfthProperty = firstNumber;\n",
        ),
    ]);
    let dist = app.built_for("staging");
    let (code, map) = (dist.asset("app.js"), dist.asset("app.js.map"));
    let map: serde_json::Value = serde_json::from_str(&map).expect("a map is JSON");
    let lines: Vec<&str> = code.split('\n').collect();
    let texts = sources(&map);
    let (mut properties, mut names) = (std::collections::BTreeSet::new(), 0);
    let mut last = [0_i64; 5];
    for (line, groups) in map["mappings"].as_str().expect("text").split(';').enumerate() {
        last[0] = 0;
        for fields in groups.split(',').filter(|group| !group.is_empty()).map(numbers) {
            fields.iter().enumerate().for_each(|(n, field)| last[n] += field);
            if fields.len() < 4 {
                continue;
            }
            let [column, source, from_line, from_column, name] =
                last.map(|n| usize::try_from(n).expect("no place is below zero"));
            assert!(column <= lines[line].encode_utf16().count(), "column {column} of line {line}");
            let (here, there) = (word(lines[line], column), word(texts[source][from_line], from_column));
            if fields.len() == 5 {
                names += 1;
                assert_eq!(map["names"][name], there.as_str(), "{here} in {}", map["sources"][source]);
                assert!(here.len() <= 2, "`{here}` stands for `{there}`");
            }
            if there.ends_with("Property") || here.ends_with("Property") {
                assert_eq!(here, there, "{}", map["sources"][source]);
                properties.insert(here);
            }
        }
    }
    assert_eq!(properties.len(), 12, "{properties:?}");
    assert!(names > 20, "{names} names");
}

#[test]
fn rules_lead_to_both_ways_to_write_sass() {
    let brackets = [
        (
            "app/css/app.scss",
            "@use \"box\";\n$wide: 10px;\n.outer,\n.other {\n  color: red;\n  &:hover {\n    margin: $wide;\n  }\n  @media print {\n    display: none;\n  }\n  font: {\n    size: 2em;\n  }\n  width: 1px;\n}\n",
        ),
        (
            "app/css/_box.scss",
            "@mixin rounded($by) {\n  border-radius: $by;\n}\n.box {\n  @include rounded(3px);\n  height: 4px;\n}\n",
        ),
    ];
    let indented = [
        (
            "app/css/app.sass",
            "@use \"box\"\n$wide: 10px\n.outer,\n.other\n  color: red\n  &:hover\n    margin: $wide\n  @media print\n    display: none\n  font:\n    size: 2em\n  width: 1px\n",
        ),
        (
            "app/css/_box.sass",
            "// a comment\n  with more: of it\n=rounded($by)\n  border-radius: $by\n.box\n  +rounded(3px)\n  height: 4px\n",
        ),
    ];
    for files in [brackets, indented] {
        let app = App::new(&[("app/client/app.js", "exports.init = () => {};"), files[0], files[1]]);
        let dist = app.built_for("development");
        let css = dist.asset("app.css");
        let map: serde_json::Value = serde_json::from_str(&dist.asset("app.css.map")).expect("JSON");
        let texts = sources(&map);
        let segments = segments(map["mappings"].as_str().expect("text"));
        let from = |word: &str| {
            let line = css.split('\n').position(|line| line.trim_start().starts_with(word)).expect(word);
            let (_, [source, line, column]) = segments.iter().find(|([made, _], _)| *made == line).expect(word);
            texts[*source][*line][*column..].to_owned()
        };
        for (made, written) in [(".box", ".box"), (".outer, .other {", ".outer,"), (".outer:hover", "&:hover")] {
            let found = from(made);
            assert!(found.starts_with(written), "{made} in {css}\nleads to {found}");
        }
    }
}
