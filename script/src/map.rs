mod contents;
mod exchange;

use std::sync::Arc;

use rustc_hash::FxHashMap;

pub use exchange::{Exchange, MapPlaces, MapState};

use crate::MapChunk;
use crate::emit::{Emitted, is_name_byte};
use crate::joint::{Hole, Shifts};
use crate::place::Places;

/// Makes the map of emitted code, and tells how it changes with what is filled into its holes.
pub(crate) fn chunk(emitted: &Emitted, places: &Places<'_>) -> (MapChunk, Shifts) {
    let mut generated = Generated::new(&emitted.code);
    let mut original = Original::new(places);
    let mut names = Names::default();
    let mut mappings = String::with_capacity(emitted.marks.len() * 6);
    let mut before = [0_u32; 4];
    let mut first_name_at = None;
    let mut line = 0;
    let mut first_on_line = true;
    let mut shifts = Shifts::default();
    let mut holes = Holes { holes: &emitted.holes, next: 0 };
    for mark in &emitted.marks {
        let (mark_line, column) = generated.position(mark.at as usize);
        if line < mark_line {
            holes.pass(generated.line_start as u32);
            shifts.last_line = (holes.next, holes.next);
        }
        while line < mark_line {
            mappings.push(';');
            line += 1;
            first_on_line = true;
            before[0] = 0;
        }
        if !first_on_line {
            mappings.push(',');
        }
        first_on_line = false;
        let (source_line, source_column) = original.position(mark.from as usize);
        let passed = holes.next;
        holes.pass(mark.at);
        if passed < holes.next {
            shifts.columns.push((mappings.len() as u32, passed, holes.next));
        }
        shifts.last_line.1 = holes.next;
        delta(&mut mappings, column, before[0]);
        mappings.push('A');
        delta(&mut mappings, source_line, before[1]);
        delta(&mut mappings, source_column, before[2]);
        before = [column, source_line, source_column, before[3]];
        if mark.renamed {
            let name = names.index(name_at(places.text(), mark.from as usize));
            first_name_at.get_or_insert(mappings.len() as u32);
            delta(&mut mappings, name, before[3]);
            before[3] = name;
        }
    }
    let (lines, last_line_units) = generated.position(emitted.code.len());
    if line < lines {
        holes.pass(generated.line_start as u32);
        shifts.last_line = (holes.next, holes.next);
    }
    while line < lines {
        mappings.push(';');
        line += 1;
        before[0] = 0;
    }
    let (name_count, names) = (names.indices.len() as u32, names.list);
    let names = String::from_utf8(names).expect("JSON of names is text");
    // It is kept, and was made larger than most are.
    mappings.shrink_to_fit();
    (MapChunk { mappings, lines, names, name_count, end: before, first_name_at, last_line_units }, shifts)
}

/// The holes of some code, passed in their order.
struct Holes<'a> {
    holes: &'a [Hole],
    next: u32,
}

impl Holes<'_> {
    fn pass(&mut self, at: u32) {
        while self.holes.get(self.next as usize).is_some_and(|hole| hole.at < at) {
            self.next += 1;
        }
    }
}

/// A map after each hole of its code, one unit wide until then, has become as wide as is said.
pub(crate) fn shifted(chunk: &MapChunk, shifts: &Shifts, widths: &[u32]) -> MapChunk {
    let added = |from: u32, to: u32| -> i64 {
        widths[from as usize..to as usize].iter().map(|&width| i64::from(width) - 1).sum()
    };
    let mut mappings = String::with_capacity(chunk.mappings.len() + shifts.columns.len());
    let mut first_name_at = chunk.first_name_at;
    let mut copied = 0;
    for &(at, from, to) in &shifts.columns {
        let at = at as usize;
        let (column, behind) = read_vlq(chunk.mappings.as_bytes(), at);
        mappings.push_str(&chunk.mappings[copied..at]);
        vlq(&mut mappings, column + added(from, to));
        copied = behind;
        if let (Some(name_at), Some(before)) = (&mut first_name_at, chunk.first_name_at)
            && behind <= before as usize
        {
            *name_at = (mappings.len() + before as usize - behind) as u32;
        }
    }
    mappings.push_str(&chunk.mappings[copied..]);
    let (first, behind) = shifts.last_line;
    let wider = |units: u32, by: i64| u32::try_from(i64::from(units) + by).expect("code is not shorter than its holes");
    let mut end = chunk.end;
    end[0] = wider(end[0], added(first, behind));
    let last_line_units = wider(chunk.last_line_units, added(first, widths.len() as u32));
    MapChunk { mappings, names: chunk.names.clone(), end, first_name_at, last_line_units, ..*chunk }
}

/// The identifier that stands at a byte of the source.
fn name_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    let end = rest.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(rest.len());
    &rest[..end]
}

/// Lines and columns of the generated code, asked for in rising order.
struct Generated<'a> {
    code: &'a str,
    ascii: bool,
    at: usize,
    line: u32,
    line_start: usize,
    column: u32,
}

impl<'a> Generated<'a> {
    fn new(code: &'a str) -> Self {
        Self { code, ascii: code.is_ascii(), at: 0, line: 0, line_start: 0, column: 0 }
    }

    fn position(&mut self, at: usize) -> (u32, u32) {
        let passed = &self.code[self.at..at];
        let lines = memchr::memchr_iter(b'\n', passed.as_bytes()).count();
        let tail = if lines == 0 {
            passed
        } else {
            self.line += lines as u32;
            self.column = 0;
            let end = passed.rfind('\n').map_or(0, |end| end + 1);
            self.line_start = self.at + end;
            &passed[end..]
        };
        self.column += if self.ascii { tail.len() as u32 } else { units(tail) };
        self.at = at;
        (self.line, self.column)
    }
}

/// Lines and columns of the source, asked for in mostly rising order.
struct Original<'a> {
    text: &'a str,
    ascii: bool,
    lines: &'a [u32],
    line: usize,
    at: usize,
    column: u32,
}

impl<'a> Original<'a> {
    fn new(places: &'a Places<'_>) -> Self {
        Self { text: places.text(), ascii: places.is_ascii(), lines: places.lines(), line: 0, at: 0, column: 0 }
    }

    fn position(&mut self, at: usize) -> (u32, u32) {
        // The end of what ends with a name is one byte before its end, which a name like `π` has inside of a letter.
        let at = if self.ascii { at } else { self.text.floor_char_boundary(at) };
        let inside = |line: usize| {
            self.lines[line] as usize <= at && self.lines.get(line + 1).is_none_or(|&next| at < next as usize)
        };
        let line = if inside(self.line) {
            self.line
        } else if self.line + 1 < self.lines.len() && inside(self.line + 1) {
            self.line + 1
        } else {
            self.lines.partition_point(|&start| start as usize <= at) - 1
        };
        let start = self.lines[line] as usize;
        let column = if self.ascii {
            (at - start) as u32
        } else if line == self.line && at >= self.at {
            self.column + units(&self.text[self.at..at])
        } else {
            units(&self.text[start..at])
        };
        (self.line, self.at, self.column) = (line, at, column);
        (line as u32, column)
    }
}

/// Length in UTF-16 units, which the columns of a source map count.
fn units(text: &str) -> u32 {
    text.chars().map(|letter| letter.len_utf16() as u32).sum()
}

#[derive(Default)]
struct Names<'a> {
    /// As the members of a JSON list.
    list: Vec<u8>,
    indices: FxHashMap<&'a str, u32>,
}

impl<'a> Names<'a> {
    fn index(&mut self, name: &'a str) -> u32 {
        let next = self.indices.len() as u32;
        *self.indices.entry(name).or_insert_with(|| {
            member(&mut self.list, Some(name));
            next
        })
    }
}

fn delta(out: &mut String, now: u32, before: u32) {
    vlq(out, i64::from(now) - i64::from(before));
}

/// Appends a number in Base64 VLQ.
fn vlq(out: &mut String, value: i64) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rest = if value < 0 { (value.unsigned_abs() << 1) | 1 } else { value.unsigned_abs() << 1 };
    loop {
        let digit = (rest & 31) as usize;
        rest >>= 5;
        let digit = if rest > 0 { digit | 32 } else { digit };
        out.push(char::from(DIGITS[digit]));
        if rest == 0 {
            return;
        }
    }
}

/// Reads a number in Base64 VLQ at `at` of well-formed mappings; gives the place behind it.
fn read_vlq(mappings: &[u8], mut at: usize) -> (i64, usize) {
    let (mut value, mut shift) = (0_i64, 0);
    while let Some(&byte) = mappings.get(at) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        at += 1;
        value |= i64::from(digit & 31) << shift;
        shift = (shift + 5).min(60);
        if digit & 32 == 0 {
            break;
        }
    }
    (if value & 1 == 1 { -(value >> 1) } else { value >> 1 }, at)
}

/// Joins chunks and plain text into one source map, in the order in which their code stands in the file.
///
/// Nothing is decoded but the first segment of each chunk and its first name: the rest of a chunk counts from those.
/// The result depends on the calls alone.
#[derive(Debug)]
pub struct MapJoiner {
    mappings: String,
    contents: Vec<Option<Arc<str>>>,
    /// Members of two lists, as JSON.
    sources: Vec<u8>,
    names: Vec<u8>,
    source_count: u32,
    name_count: u32,
    /// Column that the next code starts at, in UTF-16 units.
    column: u32,
    /// Generated column of the last segment of the current line.
    last_column: u32,
    /// Whether the current line has a segment.
    has_segment: bool,
    /// Whether what comes next would be taken for the code of the last chunk.
    mapped: bool,
    /// Source, line, column and name of the last segment that had them.
    last: [i64; 4],
}

impl Default for MapJoiner {
    fn default() -> Self {
        Self::new()
    }
}

impl MapJoiner {
    /// A map of nothing.
    pub fn new() -> Self {
        Self {
            mappings: String::new(),
            contents: Vec::new(),
            sources: Vec::new(),
            names: Vec::new(),
            source_count: 0,
            name_count: 0,
            column: 0,
            last_column: 0,
            has_segment: false,
            mapped: false,
            last: [0; 4],
        }
    }

    /// Adds code that comes from no source.
    pub fn push_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.mapped {
            self.separate();
            delta(&mut self.mappings, self.column, self.last_column);
            self.last_column = self.column;
            self.mapped = false;
        }
        match text.rfind('\n') {
            None => self.column += units(text),
            Some(end) => {
                self.break_lines(text.bytes().filter(|&byte| byte == b'\n').count());
                self.column = units(&text[end + 1..]);
            }
        }
    }

    /// Adds the code of a chunk, whose source is named `source` in the map.
    pub fn push_chunk(&mut self, chunk: &MapChunk, source: &str, content: Option<&Arc<str>>) {
        let index = i64::from(self.source_count);
        let mappings = chunk.mappings.as_bytes();
        let first = mappings.iter().position(|&byte| byte != b';').unwrap_or(mappings.len());
        if first < mappings.len() {
            member(&mut self.sources, Some(source));
            self.contents.push(content.cloned());
            self.source_count += 1;
        }
        self.break_lines(first);
        if first == mappings.len() {
            self.finish_chunk(chunk, first as u32);
            return;
        }
        self.separate();
        let (column, at) = read_vlq(mappings, first);
        let (_, at) = read_vlq(mappings, at);
        let (line, at) = read_vlq(mappings, at);
        let (source_column, at) = read_vlq(mappings, at);
        // The column counts from the start of the chunk, so only on its first line from where the chunk was put.
        let column = i64::from(self.column) + column - i64::from(self.last_column);
        for (value, before) in [(column, 0), (index, self.last[0]), (line, self.last[1]), (source_column, self.last[2])]
        {
            vlq(&mut self.mappings, value - before);
        }
        let base = i64::from(self.name_count);
        let rest = match chunk.first_name_at {
            None => at,
            Some(name_at) => {
                self.mappings.push_str(&chunk.mappings[at..name_at as usize]);
                let (name, behind) = read_vlq(mappings, name_at as usize);
                vlq(&mut self.mappings, base + name - self.last[3]);
                behind
            }
        };
        self.mappings.push_str(&chunk.mappings[rest..]);
        if !self.names.is_empty() && !chunk.names.is_empty() {
            self.names.push(b',');
        }
        self.names.extend_from_slice(chunk.names.as_bytes());
        self.name_count += chunk.name_count;
        let [column, line, source_column, name] = chunk.end;
        let name = if chunk.first_name_at.is_some() { base + i64::from(name) } else { self.last[3] };
        self.last = [index, i64::from(line), i64::from(source_column), name];
        let start = if chunk.lines == first as u32 { self.column } else { 0 };
        self.last_column = start + column;
        self.has_segment = !chunk.mappings.ends_with(';');
        self.mapped = self.has_segment;
        if chunk.lines > first as u32 {
            self.column = 0;
        }
        self.column += chunk.last_line_units;
    }

    /// A chunk without segments moves the place and nothing else.
    fn finish_chunk(&mut self, chunk: &MapChunk, broken: u32) {
        debug_assert_eq!(chunk.lines, broken);
        self.column += chunk.last_line_units;
    }

    fn separate(&mut self) {
        if self.has_segment {
            self.mappings.push(',');
        }
        self.has_segment = true;
    }

    fn break_lines(&mut self, count: usize) {
        if count > 0 {
            self.mappings.extend(std::iter::repeat_n(';', count));
            self.column = 0;
            self.last_column = 0;
            self.has_segment = false;
            self.mapped = false;
        }
    }

    /// The map as JSON; `file` is the name of the generated file when it is to be in the map.
    pub fn finish(self, file: Option<&str>) -> String {
        self.finish_with_places(file).0
    }

    /// The same, and where its parts lie.
    pub fn finish_with_places(self, file: Option<&str>) -> (String, MapPlaces) {
        let name = file.map(|file| serde_json::to_vec(file).expect("a name is JSON")).unwrap_or_default();
        let label: &[u8] = if name.is_empty() { b"\"" } else { b"\",\"file\":" };
        let end = self.state();
        let (json, contents) = contents::between(
            b"{\"version\":3",
            &self.contents,
            &[
                b",\"sources\":[",
                &self.sources,
                b"],\"names\":[",
                &self.names,
                MAPPINGS,
                self.mappings.as_bytes(),
                label,
                &name,
                b"}",
            ],
        );
        let mappings = json.len() - 1 - name.len() - label.len() - self.mappings.len();
        let names = mappings - MAPPINGS.len() - self.names.len();
        (json, MapPlaces { contents, names, mappings, end })
    }
}

/// What stands between the names and the mappings.
const MAPPINGS: &[u8] = b"],\"mappings\":\"";

/// Adds a member to a list that is written as JSON.
fn member(list: &mut Vec<u8>, text: Option<&str>) {
    if !list.is_empty() {
        list.push(b',');
    }
    match text {
        Some(text) => quote(list, text),
        None => list.extend_from_slice(b"null"),
    }
}

fn quote(json: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(json, text).expect("writing to memory does not fail");
}
