//! Source maps: what the joiner makes of several chunks is decoded again and held against sources and code.

use std::sync::Arc;

use serde_json::Value;
use ssbuild_script::{Language, MapJoiner, Minify, Options, Shake, Source, TypeScript, Wrap, compile};

/// A decoded segment: where in the code, and for code that has one, the source, its line, its column and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    line: usize,
    column: usize,
    original: Option<(usize, usize, usize, Option<usize>)>,
}

fn decode(mappings: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut last = [0_i64; 4];
    for (line, text) in mappings.split(';').enumerate() {
        let mut column = 0;
        for field in text.split(',').filter(|field| !field.is_empty()) {
            let numbers = numbers(field);
            column += numbers[0];
            assert!(column >= 0 && matches!(numbers.len(), 1 | 4 | 5), "{field}");
            for (index, number) in numbers[1..].iter().enumerate() {
                last[index] += number;
                assert!(last[index] >= 0, "{field}");
            }
            let [source, line_there, column_there, name] = last.map(|number| number as usize);
            let name = (numbers.len() == 5).then_some(name);
            let original = (numbers.len() > 1).then_some((source, line_there, column_there, name));
            segments.push(Segment { line, column: column as usize, original });
        }
    }
    segments
}

fn numbers(field: &str) -> Vec<i64> {
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut numbers, mut value, mut shift) = (Vec::new(), 0_i64, 0);
    for letter in field.chars() {
        let digit = digits.find(letter).expect("Base64") as i64;
        value |= (digit & 31) << shift;
        shift += 5;
        if digit & 32 == 0 {
            numbers.push(if value & 1 == 1 { -(value >> 1) } else { value >> 1 });
            (value, shift) = (0, 0);
        }
    }
    assert_eq!(shift, 0, "{field} ends inside a number");
    numbers
}

/// The text at a line and a column in UTF-16 units.
fn text_at(text: &str, line: usize, column: usize) -> &str {
    let line = text.split('\n').nth(line).unwrap_or_else(|| panic!("no line {line}"));
    let mut units = 0;
    for (at, letter) in line.char_indices() {
        if units == column {
            return &line[at..];
        }
        units += letter.len_utf16();
    }
    assert_eq!(units, column, "column is in the line {line:?}");
    ""
}

fn word(text: &str) -> &str {
    let end =
        text.find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '$').unwrap_or(text.len());
    &text[..end]
}

const SOURCES: [(&str, &str); 5] = [
    (
        "app/shared/greet.js",
        "// says hello\nimport { name as person } from './who';\n\nexport function greet(greeting) {\n\tconst sentence = greeting + ', ' + person;\n\treturn sentence.toUpperCase();\n}\n",
    ),
    (
        "app/client/ünï.js",
        "exports.größe = function (breite, höhe) { return '😀😀' + breite * höhe; };\nexports.später = (wert) => wert ? `mehr\nzeilen ${wert} 😀` : größe(wert);\n",
    ),
    ("app/client/empty.js", "\n\n// nothing\n"),
    (
        "app/client/class.js",
        "class Point {\n  #x = 1;\n  constructor(first, second) { this.first = first; this.second = second; }\n  get sum() { return this.first + this.second + this.#x; }\n}\nmodule.exports = { Point, make: (a, b) => new Point(a, b) };\n",
    ),
    (
        "app/client/loop.js",
        "for (let index = 0; index < 10; index++) {\n  if (index % 2) continue;\n  console.log(index, [1, 2].map((value) => value + index));\n}\n",
    ),
];

fn join(minify: Minify) -> (String, Value) {
    let (mut code, mut joiner) = (String::new(), MapJoiner::new());
    let text = |joiner: &mut MapJoiner, code: &mut String, text: &str| {
        joiner.push_text(text);
        code.push_str(text);
    };
    text(&mut joiner, &mut code, "/* ü😀 */__ss.define({\n");
    for (index, (path, source)) in SOURCES.iter().enumerate() {
        let options = Options {
            wrap: Wrap::Module,
            minify,
            source_map: true,
            read_actions: false,
            defines: Vec::new(),
            typescript: TypeScript::default(),
            shake: Shake::No,
            side: ssbuild_script::Side::Browser,
            depth_limit: 500,
        };
        let module = compile(Source { path, text: source, language: Language::JavaScript }, &options);
        assert!(module.diagnostics.is_empty(), "{:?}", module.diagnostics);
        let map = module.map.expect("a map was asked for");
        text(&mut joiner, &mut code, &format!("{index}: ["));
        joiner.push_chunk(&map, path, Some(&Arc::from(*source)));
        code.push_str(&module.code);
        // Some follow on the same line, some on the next.
        text(&mut joiner, &mut code, if index % 2 == 0 { ", []], " } else { ", []],\n" });
    }
    text(&mut joiner, &mut code, "});\n");
    let json = joiner.finish(Some("app.js"));
    (code, serde_json::from_str(&json).expect("a map is JSON"))
}

#[test]
fn every_segment_names_the_place_it_came_from() {
    for minify in [Minify::Off, Minify::Fast, Minify::Max] {
        let (code, map) = join(minify);
        assert_eq!(map["version"], 3);
        assert_eq!(map["file"], "app.js");
        let sources: Vec<&str> =
            map["sources"].as_array().unwrap().iter().map(|source| source.as_str().unwrap()).collect();
        let names: Vec<&str> = map["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let segments = decode(map["mappings"].as_str().unwrap());
        let (mut same, mut renamed) = (0, 0);
        for segment in &segments {
            let here = text_at(&code, segment.line, segment.column);
            let Some((source, line, column, name)) = segment.original else { continue };
            let (path, text) = SOURCES.iter().find(|(path, _)| *path == sources[source]).expect("a source of ours");
            let there = text_at(text, line, column);
            assert_eq!(map["sourcesContent"][source], **text, "{path}");
            let (new, old) = (word(here), word(there));
            if let Some(name) = name {
                assert_eq!(names[name], old, "{path}:{line}:{column} {here:?}");
                assert_ne!(new, old);
                renamed += 1;
            } else if ["return", "new", "this", "class", "if", "for", "function", "toUpperCase", "console"]
                .contains(&old)
                && new == old
            {
                same += 1;
            }
        }
        assert!(same >= 6, "{minify:?}: {same} of {} segments", segments.len());
        if minify == Minify::Off {
            assert_eq!(names, ["person"], "the import reads through its namespace");
        } else {
            assert!(renamed >= 10, "{minify:?}: {renamed}");
        }
    }
}

#[test]
fn every_identifier_of_readable_code_is_mapped() {
    let (code, map) = join(Minify::Off);
    let segments = decode(map["mappings"].as_str().unwrap());
    for wanted in ["sentence", "greeting", "größe", "breite", "Point", "index", "console", "toUpperCase"] {
        let (at, line) = code.lines().enumerate().find(|(_, line)| line.contains(wanted)).expect(wanted);
        let column = line[..line.find(wanted).unwrap()].encode_utf16().count();
        let segment = segments.iter().find(|segment| (segment.line, segment.column) == (at, column));
        let (source, line, column, _) =
            segment.and_then(|segment| segment.original).unwrap_or_else(|| panic!("{wanted} at {at}:{column}"));
        let path = map["sources"][source].as_str().unwrap();
        let (_, text) = SOURCES.iter().find(|(known, _)| *known == path).unwrap();
        assert!(text_at(text, line, column).starts_with(wanted), "{wanted} in {path}");
    }
}

#[test]
fn text_between_chunks_is_no_part_of_them() {
    let (code, map) = join(Minify::Fast);
    let segments = decode(map["mappings"].as_str().unwrap());
    for (line, text) in code.split('\n').enumerate() {
        for (at, _) in text.match_indices(", []],") {
            let column = text[..at].encode_utf16().count();
            let before = segments.iter().rfind(|segment| segment.line == line && segment.column <= column);
            assert!(before.is_none_or(|segment| segment.original.is_none()), "{line}:{column} {before:?}");
        }
    }
}

#[test]
fn joining_is_exact() {
    // Chunks that are joined alone and together have the same segments, moved by where they were put.
    let options = |minify| Options {
        wrap: Wrap::Plain,
        minify,
        source_map: true,
        read_actions: false,
        defines: Vec::new(),
        typescript: TypeScript::default(),
        shake: Shake::No,
        side: ssbuild_script::Side::Browser,
        depth_limit: 500,
    };
    for minify in [Minify::Off, Minify::Fast] {
        let mut joiner = MapJoiner::new();
        let mut expected = Vec::new();
        let (mut line, mut column, mut sources, mut names) = (0, 0, 0, 0);
        for (path, text) in SOURCES.iter().filter(|(_, text)| !text.contains("import")) {
            let module = compile(Source { path, text, language: Language::JavaScript }, &options(minify));
            let map = module.map.unwrap();
            for segment in decode(&map.mappings) {
                let shift = if segment.line == 0 { column } else { 0 };
                let original = segment.original.map(|(source, line, column, name)| {
                    (source + sources, line, column, name.map(|name| name + names))
                });
                expected.push(Segment { line: line + segment.line, column: segment.column + shift, original });
            }
            joiner.push_chunk(&map, path, None);
            sources += usize::from(!decode(&map.mappings).is_empty());
            names += map.name_count as usize;
            line += map.lines as usize;
            column = map.last_line_units as usize + if map.lines == 0 { column } else { 0 };
        }
        let json: Value = serde_json::from_str(&joiner.finish(None)).unwrap();
        assert_eq!(decode(json["mappings"].as_str().unwrap()), expected);
        assert!(json.get("sourcesContent").is_none());
    }
}

#[test]
fn a_map_is_the_same_every_time() {
    assert_eq!(join(Minify::Fast), join(Minify::Fast));
}
