use serde::Deserialize;

#[derive(Deserialize)]
struct SourceMap {
    sources: Vec<String>,
    mappings: String,
}

/// Where a line and a column of generated code (from 1, in UTF-16 units) come from by a source map: source, line and column.
/// A place in front of a line's first mapping is that of the mapping before it.
pub(crate) fn original(map: &str, (line, column): (u32, u32)) -> Option<(String, u32, u32)> {
    let map: SourceMap = serde_json::from_str(map).ok()?;
    let [mut source, mut from_line, mut from_column] = [0_i64; 3];
    let mut last = None;
    for (number, mappings) in (1..=line).zip(map.mappings.split(';')) {
        let mut made_column = 0_i64;
        for segment in mappings.split(',').filter(|segment| !segment.is_empty()) {
            let fields = numbers(segment)?;
            made_column += fields.first()?;
            if number == line && made_column >= i64::from(column) {
                break;
            }
            if let [_, source_delta, line_delta, column_delta, ..] = fields[..] {
                source += source_delta;
                from_line += line_delta;
                from_column += column_delta;
                last = Some((source, from_line, from_column));
            }
        }
    }
    let (source, line, column) = last?;
    let at = |n: i64| u32::try_from(n + 1).ok();
    Some((map.sources.get(usize::try_from(source).ok()?)?.clone(), at(line)?, at(column)?))
}

fn numbers(segment: &str) -> Option<Vec<i64>> {
    let mut bytes = segment.bytes().peekable();
    let mut numbers = Vec::new();
    while bytes.peek().is_some() {
        numbers.push(vlq::decode(&mut bytes).ok()?);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::original;

    #[test]
    fn the_nearest_mapping_before_a_place_tells() {
        let map = r#"{"version":3,"sources":["a.js","b.js"],"names":[],"mappings":"AAAA,IAAI;ACCF;;"}"#;
        let at = |line, column| {
            original(map, (line, column)).map(|(source, line, column)| format!("{source}:{line}:{column}"))
        };
        assert_eq!(at(1, 1).as_deref(), Some("a.js:1:1"));
        assert_eq!(at(1, 5).as_deref(), Some("a.js:1:5"));
        assert_eq!(at(2, 9).as_deref(), Some("b.js:2:3"));
        assert_eq!(at(3, 1).as_deref(), Some("b.js:2:3"));
        assert_eq!(original("no map", (1, 1)), None);
    }
}
