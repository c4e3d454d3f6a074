//! Where CSS that another compiler made is from.

use super::map::{Segment, decode};

/// Places of made CSS, and the places of the files that they are from.
#[derive(Debug, Default)]
pub(super) struct Origin {
    files: Vec<String>,
    segments: Vec<Segment>,
}

impl Origin {
    /// From a source map.
    pub(super) fn of_map(files: &[String], mappings: &str) -> Self {
        Self::new(files.to_vec(), decode(mappings))
    }

    /// From segments in any order.
    pub(super) fn new(files: Vec<String>, mut segments: Vec<Segment>) -> Self {
        segments.retain(|segment| (segment.source as usize) < files.len());
        segments.sort_by_key(|segment| (segment.made_line, segment.made_column));
        Self { files, segments }
    }

    /// File, line and column that a place is from, all counted from 0; of a place in between, that of what begins before it.
    pub(super) fn find(&self, line: u32, column: u32) -> Option<(&str, u32, u32)> {
        let behind = self.segments.partition_point(|s| (s.made_line, s.made_column) <= (line, column));
        let before = behind.checked_sub(1).map(|at| &self.segments[at]).filter(|s| s.made_line == line);
        // A rule that begins a line with spaces, or nothing on this line at all.
        let after = || self.segments.get(behind).filter(|s| s.made_line == line);
        let above = || behind.checked_sub(1).map(|at| &self.segments[at]);
        let segment = before.or_else(after).or_else(above)?;
        Some((self.files[segment.source as usize].as_str(), segment.line, segment.column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_from_what_begins_before_it() {
        let segment =
            |made_line, made_column, source, line| Segment { made_line, made_column, source, line, column: 4 };
        let segments = vec![segment(3, 8, 1, 70), segment(0, 2, 0, 7), segment(3, 2, 0, 9), segment(5, 0, 9, 0)];
        let origin = Origin::new(vec!["a.styl".to_owned(), "b.styl".to_owned()], segments);
        assert_eq!(origin.find(0, 0), Some(("a.styl", 7, 4)));
        assert_eq!(origin.find(1, 5), Some(("a.styl", 7, 4)));
        assert_eq!(origin.find(3, 7), Some(("a.styl", 9, 4)));
        assert_eq!(origin.find(3, 99), Some(("b.styl", 70, 4)));
        assert_eq!(Origin::default().find(0, 0), None);
    }
}
