//! From places in the JavaScript that CoffeeScript made back to places in the source.

use ssbuild_diagnostic::Place;
use ssbuild_script::{CompiledModule, MapChunk};

use crate::mappings::numbers;

/// The map of one file, decoded.
pub(super) struct Trace<'a> {
    file: &'a str,
    source: Vec<&'a str>,
    made: Vec<&'a str>,
    /// By line of the JavaScript, in rising order of columns.
    segments: Vec<Vec<Segment>>,
}

/// Where a piece of JavaScript is from. All counted from 0, columns in UTF-16 units.
#[derive(Debug, Clone, Copy)]
struct Segment {
    made_column: u32,
    line: u32,
    column: u32,
}

impl<'a> Trace<'a> {
    /// `mappings` are those of a source map of one source.
    pub(super) fn new(file: &'a str, source: &'a str, made: &'a str, mappings: &str) -> Self {
        Self { file, source: source.lines().collect(), made: made.lines().collect(), segments: decode(mappings) }
    }

    /// Moves everything that is said of a module, and its map.
    pub(super) fn apply(&self, module: &mut CompiledModule) {
        let labels = module.diagnostics.iter_mut().flat_map(|found| &mut found.labels).map(|label| &mut label.place);
        let imports = module.imports.iter_mut().map(|import| &mut import.place);
        let exports = module.exports.names.iter_mut().map(|(_, place)| place);
        let references = module.references.iter_mut().map(|reference| &mut reference.place);
        let actions = module.actions.iter_mut().flatten().map(|action| &mut action.place);
        let places = labels
            .chain(imports)
            .chain(exports)
            .chain(references)
            .chain(&mut module.evals)
            .chain(&mut module.awaits)
            .chain(&mut module.wasm)
            .chain(&mut module.blob_worker)
            .chain(actions);
        places.filter(|place| place.file == self.file).for_each(|place| *place = self.place(place));
        if let Some(map) = &mut module.map {
            *map = self.chunk(map);
        }
    }

    /// A place in the JavaScript as one in the source.
    fn place(&self, made: &Place) -> Place {
        if made.line == 0 {
            return made.clone();
        }
        let line = made.line as usize - 1;
        let text = self.made.get(line).copied().unwrap_or_default();
        let from = text.char_indices().nth(column_in(text, made)).map_or(text.len(), |(at, _)| at);
        let Some(segment) = self.before(line, units(&text[..from])) else { return Place::file(self.file) };
        let Some(source) = self.source.get(segment.line as usize) else { return Place::file(self.file) };
        // The source map knows tokens; inside of one, the same word is looked for in the source.
        let word: String = text[from..].chars().take(made.length as usize).collect();
        let start = byte_of(source, segment.column);
        let (start, length) = match source[start..].find(&word).filter(|_| !word.trim().is_empty()) {
            Some(at) => (start + at, word.chars().count()),
            None => (start, source[start..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').count()),
        };
        let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place::at(self.file, segment.line + 1, to_u32(source[..start].chars().count() + 1), to_u32(length), source)
    }

    /// The last segment at or before a place, on its line or one above.
    fn before(&self, line: usize, column: u32) -> Option<Segment> {
        let here = self.on_line(line, column);
        let above = || self.segments.get(..line)?.iter().rev().find_map(|line| line.last().copied());
        here.or_else(above)
    }

    fn on_line(&self, line: usize, column: u32) -> Option<Segment> {
        let segments = self.segments.get(line)?;
        let behind = segments.partition_point(|segment| segment.made_column <= column);
        behind.checked_sub(1).map(|at| segments[at])
    }

    /// The map from final code to JavaScript as one from final code to the source.
    fn chunk(&self, chunk: &MapChunk) -> MapChunk {
        let mut written = Vec::new();
        let mut first_name_at = None;
        // Of final code and JavaScript, as read; of final code and the source, as written. The name's index is the same.
        let (mut read, mut last) = ([0_i64; 4], [0_i64; 4]);
        for (number, line) in chunk.mappings.split(';').enumerate() {
            if number > 0 {
                written.push(b';');
            }
            (read[0], last[0]) = (0, 0);
            let mut is_first = true;
            for fields in line.split(',').map(numbers) {
                let [column, _, made_line, made_column, ref name @ ..] = fields[..] else { continue };
                for (value, delta) in read.iter_mut().zip([column, made_line, made_column]) {
                    *value += delta;
                }
                read[3] += name.first().copied().unwrap_or(0);
                let (Ok(made_line), Ok(made_column)) = (usize::try_from(read[1]), u32::try_from(read[2])) else {
                    continue;
                };
                let Some(segment) = self.on_line(made_line, made_column) else { continue };
                if !std::mem::replace(&mut is_first, false) {
                    written.push(b',');
                }
                let now = [read[0], i64::from(segment.line), i64::from(segment.column), read[3]];
                encode(now[0] - last[0], &mut written);
                encode(0, &mut written);
                encode(now[1] - last[1], &mut written);
                encode(now[2] - last[2], &mut written);
                last[..3].copy_from_slice(&now[..3]);
                if !name.is_empty() {
                    first_name_at.get_or_insert(written.len());
                    encode(now[3] - last[3], &mut written);
                    last[3] = now[3];
                }
            }
        }
        let to_u32 = |n: i64| u32::try_from(n).unwrap_or(0);
        MapChunk {
            mappings: String::from_utf8(written).expect("base64 is ASCII"),
            names: chunk.names.clone(),
            end: last.map(to_u32),
            first_name_at: first_name_at.map(|at| u32::try_from(at).expect("maps are small")),
            ..*chunk
        }
    }
}

/// The column of a place in its line, in characters from 0. Places in long lines count from a window of the line.
fn column_in(line: &str, place: &Place) -> usize {
    let column = place.column as usize - 1;
    let shown = line.replace('\t', " ");
    match shown.find(&place.text) {
        Some(at) if !place.text.is_empty() => shown[..at].chars().count() + column,
        _ => column,
    }
}

fn units(text: &str) -> u32 {
    text.chars().map(|letter| u32::try_from(letter.len_utf16()).expect("one or two")).sum()
}

/// The byte at a column in UTF-16 units.
fn byte_of(line: &str, column: u32) -> usize {
    let mut passed = 0;
    for (at, letter) in line.char_indices() {
        if passed >= column {
            return at;
        }
        passed += units(letter.encode_utf8(&mut [0; 4]));
    }
    line.len()
}

fn decode(mappings: &str) -> Vec<Vec<Segment>> {
    let (mut line, mut column) = (0_i64, 0_i64);
    let lines = mappings.split(';').map(|text| {
        let mut made_column = 0_i64;
        let segments = text.split(',').map(numbers).filter_map(|fields| {
            made_column += fields.first()?;
            let [_, _, line_delta, column_delta, ..] = fields[..] else { return None };
            line += line_delta;
            column += column_delta;
            let segment = (u32::try_from(made_column).ok()?, u32::try_from(line).ok()?, u32::try_from(column).ok()?);
            Some(Segment { made_column: segment.0, line: segment.1, column: segment.2 })
        });
        segments.collect()
    });
    lines.collect()
}

fn encode(number: i64, to: &mut Vec<u8>) {
    vlq::encode(number, to).expect("writing to memory does not fail");
}
