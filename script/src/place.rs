use ssbuild_diagnostic::Place;
use swc_core::common::{BytePos, Span};

/// Longest stretch of a line that is looked at to show a place in it.
const WINDOW_BYTES: usize = 160;

/// Makes the places of one source, without reading the source again for each.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    path: &'a str,
    text: &'a str,
    ascii: bool,
    lines: std::cell::OnceCell<Vec<u32>>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(path: &'a str, text: &'a str) -> Self {
        Self { path, text, ascii: text.is_ascii(), lines: std::cell::OnceCell::new() }
    }

    pub(crate) fn path(&self) -> &'a str {
        self.path
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    pub(crate) fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// Where each line starts.
    pub(crate) fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let mut lines = Vec::with_capacity(self.text.len() / 32 + 1);
            lines.push(0);
            lines.extend(memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at as u32 + 1));
            lines
        })
    }

    /// The place of a node; the file as a whole when the node was made by a transform.
    pub(crate) fn of(&self, span: Span) -> Place {
        if span.lo.is_dummy() {
            return Place::file(self.path);
        }
        self.at(offset(span.lo), offset(span.hi))
    }

    /// The place of a range of bytes.
    pub(crate) fn at(&self, start: usize, end: usize) -> Place {
        let lines = self.lines();
        let start = floor_boundary(self.text, start);
        let end = floor_boundary(self.text, end).max(start);
        let line = lines.partition_point(|&at| at as usize <= start) - 1;
        let line_start = lines[line] as usize;
        let line_end = lines.get(line + 1).map_or(self.text.len(), |&next| next as usize - 1);
        let number = line as u32 + 1;
        let stop = end.min(line_end).max(start);
        if !self.ascii {
            let column = self.text[line_start..start].chars().count() as u32 + 1;
            let length = self.text[start..stop].chars().count() as u32;
            return Place::at(
                self.path,
                number,
                column,
                length,
                self.text[line_start..line_end].trim_end_matches('\r'),
            );
        }
        let column = start - line_start + 1;
        let length = (stop - start) as u32;
        if line_end - line_start <= WINDOW_BYTES {
            let line = self.text[line_start..line_end].trim_end_matches('\r');
            return Place::at(self.path, number, column as u32, length, line);
        }
        // A minified line is cut here: handing it on whole would cost its length for every place in it.
        let shift = column.saturating_sub(WINDOW_BYTES / 2);
        let from = line_start + shift;
        let to = (from + WINDOW_BYTES).min(line_end);
        let shown = self.text[from..to].trim_end_matches('\r');
        let place = Place::at(self.path, number, (column - shift) as u32, length, shown);
        Place { column: column as u32, cut: shift as u32, ..place }
    }
}

/// The byte a position stands for. The one file of a compilation starts at position 1.
pub(crate) fn offset(pos: BytePos) -> usize {
    pos.0.saturating_sub(1) as usize
}

fn floor_boundary(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use ssbuild_diagnostic::{Place, Span};

    use super::Places;

    #[test]
    fn places_are_those_of_the_diagnostic_crate() {
        let long = format!("{}x = 1{}\n", "y = 2; ".repeat(60), "; z = 3".repeat(60));
        let texts = ["one\n\ttwo é three\nlast", "a\r\nbc\r\n", "", "\n\n", &long];
        for text in texts {
            let places = Places::new("a.js", text);
            for start in (0..=text.len()).step_by(3) {
                for length in [0, 1, 4] {
                    let span = Span::new(start as u32, (start + length) as u32);
                    assert_eq!(places.at(start, start + length), Place::new("a.js", text, span), "{start}+{length}");
                }
            }
        }
    }
}
