use serde::Deserialize;

/// A source map (ECMA-426) to be asked where a place of the generated code is from.
pub(super) struct Positions {
    sources: Vec<String>,
    /// For each generated line, in order: column, source, line and column there, all from 0.
    lines: Vec<Vec<(u32, usize, u32, u32)>>,
}

#[derive(Deserialize)]
struct Map {
    sources: Vec<String>,
    mappings: String,
}

impl Positions {
    /// Reads a map; none when it is not one.
    pub(super) fn read(text: &str) -> Option<Self> {
        let map: Map = serde_json::from_str(text).ok()?;
        let (mut source, mut row, mut place) = (0i64, 0i64, 0i64);
        let mut lines = Vec::new();
        for line in map.mappings.split(';') {
            let mut column = 0i64;
            let mut segments = Vec::new();
            for segment in line.split(',').filter(|segment| !segment.is_empty()) {
                let mut digits = segment.bytes();
                let mut numbers = Vec::with_capacity(5);
                while digits.len() > 0 {
                    numbers.push(vlq::decode(&mut digits).ok()?);
                }
                column += numbers.first()?;
                if let [_, more @ ..] = numbers.as_slice()
                    && let [in_source, in_row, in_column, ..] = more
                {
                    (source, row, place) = (source + in_source, row + in_row, place + in_column);
                    let unsigned = |n: i64| u32::try_from(n).ok();
                    segments.push((unsigned(column)?, usize::try_from(source).ok()?, unsigned(row)?, unsigned(place)?));
                }
            }
            lines.push(segments);
        }
        Some(Self { sources: map.sources, lines })
    }

    /// Where a line of a stack, as in `at f (server.js:12:5)`, is from: file, line and column, from 1.
    pub(super) fn of_frame(&self, frame: &str) -> Option<(String, u32, u32)> {
        let frame = frame.trim_end().trim_end_matches(')');
        let (rest, column) = frame.rsplit_once(':')?;
        let (_, line) = rest.rsplit_once(':')?;
        let (line, column): (usize, u32) = (line.parse().ok()?, column.parse().ok()?);
        let segments = self.lines.get(line.checked_sub(1)?)?;
        let at = segments.partition_point(|segment| segment.0 < column);
        let (_, source, row, place) = segments.get(at.checked_sub(1)?)?;
        Some((self.sources.get(*source)?.clone(), row + 1, place + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::Positions;

    #[test]
    fn a_frame_is_found_in_its_source() {
        // Line 2: column 4 is line 1, column 1 of `a.js`; column 10 is line 3, column 3.
        let map = Positions::read(r#"{"version":3,"sources":["a.js"],"mappings":";IAAA,MAEE"}"#).expect("a map");
        assert_eq!(map.of_frame("    at f (builds/1/server.js:2:6)"), Some(("a.js".to_owned(), 1, 1)));
        assert_eq!(map.of_frame("    at builds/1/server.js:2:11"), Some(("a.js".to_owned(), 3, 3)));
        assert_eq!(map.of_frame("    at f (builds/1/server.js:1:6)"), None);
        assert_eq!(map.of_frame("Error: nothing"), None);
    }
}
