//! One chunk of a joined map in the place of another: what changes in the map, so that the rest need not be joined again.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{MapJoiner, read_vlq, vlq};
use crate::MapChunk;

/// Where a joiner stands: all that the rest of its map depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapState {
    /// Bytes of mappings so far.
    pub mappings: usize,
    /// Bytes of names so far.
    pub names: usize,
    /// Sources so far.
    pub source_count: u32,
    pub(super) name_count: u32,
    pub(super) column: u32,
    pub(super) last_column: u32,
    pub(super) has_segment: bool,
    pub(super) mapped: bool,
    pub(super) last: [i64; 4],
}

/// Where the parts of a finished map lie in its text, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapPlaces {
    /// Where each source's text begins; one more for where the list ends. What lies between two is a comma.
    pub contents: Vec<usize>,
    /// Where the names begin.
    pub names: usize,
    /// Where the mappings begin.
    pub mappings: usize,
    /// Where the joiner stood at the end.
    pub end: MapState,
}

/// What takes the place of a chunk, and what becomes of the rest by it.
#[derive(Debug)]
pub struct Exchange {
    /// What is written over which bytes of the mappings, in rising order.
    pub mappings: Vec<(Range<usize>, String)>,
    /// What is written over which bytes of the names.
    pub names: (Range<usize>, String),
    after: MapState,
    now: MapState,
    /// Where the first segment behind it begins that has a source, and the first that has a name.
    first: [usize; 2],
}

/// A segment of the mappings behind a chunk, from its source on.
struct Segment {
    start: usize,
    fields: Vec<i64>,
    end: usize,
}

impl Exchange {
    /// Puts `chunk` in the place of the one that led from `before` to `after`; `follows` is the unmapped text between the chunk and
    /// the next. `rest` are the mappings from `after` on, or enough of them, `is_all` when there are no more.
    ///
    /// Nothing when the rest would not be the same but for the numbers that count from the chunk.
    pub fn of(
        (before, after): (MapState, MapState),
        chunk: &MapChunk,
        follows: &str,
        (rest, is_all): (&[u8], bool),
    ) -> Option<Self> {
        let mut joiner = MapJoiner::resumed(&before);
        joiner.push_chunk(chunk, "", None);
        joiner.push_text(follows);
        let reached = joiner.state();
        let shape = |state: &MapState| {
            let MapState { source_count, column, last_column, has_segment, mapped, .. } = *state;
            (source_count, column, last_column, has_segment, mapped)
        };
        let is_first_name = before.names == 0 && (after.names == 0) != joiner.names.is_empty();
        if shape(&reached) != shape(&after) || reached.last[0] != after.last[0] || is_first_name {
            return None;
        }
        let comma = if before.names > 0 && !joiner.names.is_empty() { "," } else { "" };
        let names = format!("{comma}{}", String::from_utf8(joiner.names).expect("JSON of names is text"));
        let now = MapState {
            mappings: before.mappings + joiner.mappings.len(),
            names: before.names + names.len(),
            ..reached
        };
        let mut exchange = Self {
            mappings: vec![(before.mappings..after.mappings, joiner.mappings)],
            names: (before.names..after.names, names),
            after,
            now,
            first: [usize::MAX; 2],
        };
        exchange.mend(rest, is_all)?;
        Some(exchange)
    }

    /// Where a joiner that was in some state behind the chunk is now.
    pub fn moved(&self, state: MapState) -> MapState {
        let by = |at: usize, from: usize, to: usize| at + to - from;
        let mut moved = state;
        for (range, text) in self.mappings.iter().filter(|(range, _)| range.end <= state.mappings) {
            moved.mappings = by(moved.mappings, range.len(), text.len());
        }
        moved.names = by(state.names, self.after.names, self.now.names);
        moved.name_count = state.name_count + self.now.name_count - self.after.name_count;
        if state.mappings <= self.first[0] {
            moved.last[..3].copy_from_slice(&self.now.last[..3]);
        }
        moved.last[3] =
            if state.mappings <= self.first[1] { self.now.last[3] } else { state.last[3] + self.more_names() };
        moved
    }

    fn more_names(&self) -> i64 {
        i64::from(self.now.name_count) - i64::from(self.after.name_count)
    }

    /// Writes the next numbers again that count from what the chunk ended with.
    fn mend(&mut self, rest: &[u8], is_all: bool) -> Option<()> {
        let by = |n: usize| self.after.last[n] - self.now.last[n];
        let (place, name) = ([by(0), by(1), by(2)], by(3) + self.more_names());
        let mut segments = Segments { rest, at: 0 };
        let mut open = [true, true];
        while open != [false, false] {
            let Some(mut segment) = segments.next() else {
                return is_all.then_some(());
            };
            if segment.end == rest.len() && !is_all {
                return None;
            }
            let before = segment.fields.clone();
            if std::mem::take(&mut open[0]) {
                self.first[0] = self.after.mappings + segment.start;
                (0..3).for_each(|n| segment.fields[n + 1] += place[n]);
            }
            if segment.fields.len() == 5 && std::mem::take(&mut open[1]) {
                self.first[1] = self.after.mappings + segment.start;
                segment.fields[4] += name;
            }
            if segment.fields != before {
                let mut text = String::new();
                segment.fields.iter().for_each(|field| vlq(&mut text, *field));
                self.mappings.push((self.after.mappings + segment.start..self.after.mappings + segment.end, text));
            }
        }
        Some(())
    }
}

/// The segments with a source.
struct Segments<'a> {
    rest: &'a [u8],
    at: usize,
}

impl Iterator for Segments<'_> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        loop {
            while matches!(self.rest.get(self.at)?, b',' | b';') {
                self.at += 1;
            }
            let (start, mut fields) = (self.at, Vec::with_capacity(5));
            while !matches!(self.rest.get(self.at), None | Some(b',' | b';')) {
                let (field, behind) = read_vlq(self.rest, self.at);
                fields.push(field);
                self.at = behind;
            }
            if fields.len() >= 4 {
                return Some(Segment { start, fields, end: self.at });
            }
        }
    }
}

impl MapJoiner {
    /// Where it stands.
    pub fn state(&self) -> MapState {
        MapState {
            mappings: self.mappings.len(),
            names: self.names.len(),
            source_count: self.source_count,
            name_count: self.name_count,
            column: self.column,
            last_column: self.last_column,
            has_segment: self.has_segment,
            mapped: self.mapped,
            last: self.last,
        }
    }

    /// One that goes on from there; what it has already written is left out.
    fn resumed(state: &MapState) -> Self {
        Self {
            source_count: state.source_count,
            name_count: state.name_count,
            column: state.column,
            last_column: state.last_column,
            has_segment: state.has_segment,
            mapped: state.mapped,
            last: state.last,
            ..Self::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exchange, MapPlaces, MapState};
    use crate::{Language, MapChunk, MapJoiner, Minify, Options, Shake, Side, Source, TypeScript, Wrap, compile};

    fn module(text: &str) -> (String, MapChunk) {
        let options = Options {
            wrap: Wrap::Module,
            minify: Minify::Fast,
            source_map: true,
            read_actions: false,
            defines: Vec::new(),
            typescript: TypeScript::default(),
            shake: Shake::No,
            side: Side::Browser,
            depth_limit: crate::DEPTH_LIMIT,
        };
        let compiled = compile(Source { path: "a.js", text, language: Language::JavaScript }, &options);
        (compiled.code, compiled.map.expect("a map was asked for"))
    }

    /// A map of modules, each on a line of its own, and where the joiner stood before each and at the end.
    fn joined(modules: &[(String, MapChunk)]) -> (String, MapPlaces, Vec<MapState>) {
        let mut joiner = MapJoiner::new();
        let mut states = Vec::new();
        for (n, (_, chunk)) in modules.iter().enumerate() {
            joiner.push_text(&format!("{n}:["));
            states.push(joiner.state());
            joiner.push_chunk(chunk, &format!("m{n}.js"), Some(&"text".into()));
            joiner.push_text(FOLLOWS);
        }
        let (json, places) = joiner.finish_with_places(None);
        states.push(places.end);
        (json, places, states)
    }

    const FOLLOWS: &str = ",[1]],\n";

    #[test]
    fn a_map_with_an_exchanged_chunk_is_the_map_that_is_joined_with_it() {
        let texts = [
            "export const plain = 1;",
            "export function f(first, second) { return [first, second, first]; }",
            "x();",
            "export const g = (value) => {\n  const other = value;\n  return [other, '\\n', `\n`];\n};",
            "y(1);\nz(2);",
            "export let last = (argument) => argument;",
        ];
        let modules: Vec<(String, MapChunk)> = texts.iter().map(|text| module(text)).collect();
        let mut exchanged = 0;
        // Each in the place of each, and then another one in a third place.
        for (at, next, third, last) in
            (0..6).flat_map(|a| (0..6).flat_map(move |b| (0..6).map(move |c| (a, b, c, (a + b + c) % 6))))
        {
            let mut now = modules.clone();
            let (mut json, mut places, mut states) = joined(&now);
            for (at, next) in [(at, next), (third, last)] {
                let end = places.mappings + places.end.mappings;
                let after = |n: usize| if n + 1 == now.len() { places.end } else { states_after(&states, n) };
                let rest = &json.as_bytes()[places.mappings + after(at).mappings..end];
                let exchange =
                    Exchange::of((states[at], after(at)), &modules[next].1, &follows(at, now.len()), (rest, true));
                let Some(exchange) = exchange else { continue };
                exchanged += 1;
                let edits = exchange.mappings.iter().rev().map(|(range, text)| (places.mappings, range, text));
                for (from, range, text) in edits.chain([(places.names, &exchange.names.0, &exchange.names.1)]) {
                    json.replace_range(from + range.start..from + range.end, text);
                }
                for state in &mut states[at + 1..] {
                    *state = exchange.moved(*state);
                }
                now[at] = modules[next].clone();
                let (expected, new_places, new_states) = joined(&now);
                assert_eq!(json, expected, "{next} in the place of {at}");
                assert_eq!(states, new_states, "{next} in the place of {at}");
                places = new_places;
            }
        }
        assert!(exchanged > 200, "{exchanged} were exchanged");
    }

    /// Where the joiner stands before the next module's chunk.
    fn states_after(states: &[MapState], n: usize) -> MapState {
        states[n + 1]
    }

    /// What stands between a module's code and the next one's, or the end.
    fn follows(n: usize, count: usize) -> String {
        if n + 1 == count { FOLLOWS.to_owned() } else { format!("{FOLLOWS}{}:[", n + 1) }
    }
}
