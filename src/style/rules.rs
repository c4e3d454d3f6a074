//! Marks of rules: which file and which byte a line of Sass's output came from.
//!
//! grass makes no source maps. So comments that say where they stand are put before declarations and behind the opening brackets
//! of rules, and are taken out of the output again. As with the marks of URLs, they are only believed when the output without
//! them is what unmarked sources give; else there is no map.

use super::indented;

/// The two ways to write Sass.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// SCSS.
    Brackets,
    /// `.sass`.
    Indented,
}

/// How a mark begins.
const MARK: &str = "/*ss-at-";

/// Where to put which mark: an offset of the source, and what to insert there. None for a source that has such comments itself.
pub(super) fn marks(source: &str, syntax: Syntax, file: usize) -> Vec<(usize, String)> {
    if source.contains(MARK) {
        return Vec::new();
    }
    if syntax == Syntax::Indented {
        let marks = indented::marks(source).into_iter();
        return marks.map(|(at, indent, says)| (at, format!("{indent}{MARK}{file}-{says}*/\n"))).collect();
    }
    let mut scan = Scan { bytes: source.as_bytes(), at: 0, open: Vec::new(), statement: None, marks: Vec::new() };
    scan.run();
    scan.marks.into_iter().map(|(at, says)| (at, format!("{MARK}{file}-{says}*/"))).collect()
}

/// A line of output, and the file and byte that it came from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) from: Option<(usize, usize)>,
}

/// The lines of a marked output that are not empty, without the marks and without the rules that hold nothing else.
/// `None` when a mark stands where none was put.
pub(super) fn lines(marked: &str) -> Option<Vec<Line<'_>>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    // For each line: whether a mark stood behind it.
    let mut marked_behind: Vec<bool> = Vec::new();
    let mut last = None;
    for text in marked.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(says) = text.trim().strip_prefix(MARK) {
            let (file, offset) = says.strip_suffix("*/")?.split_once('-')?;
            last = Some((file.parse().ok()?, offset.parse().ok()?));
            // The first mark behind an opening bracket is that of the rule, and of the lines of its selector.
            let is_opened = lines.last().is_some_and(|line| line.text.ends_with('{'));
            if is_opened && !marked_behind.last().copied().unwrap_or(false) {
                let mut head = lines.iter_mut().rev();
                let opener = head.next();
                opener
                    .into_iter()
                    .chain(head.take_while(|line| line.text.ends_with(',')))
                    .for_each(|line| line.from = last);
            }
            if let Some(behind) = marked_behind.last_mut() {
                *behind = true;
            }
            continue;
        }
        if text.contains(MARK) {
            return None;
        }
        let is_hollow = text.trim() == "}"
            && lines.last().is_some_and(|line| line.text.ends_with('{'))
            && marked_behind.last().copied().unwrap_or(false);
        if is_hollow {
            // Sass leaves such a rule out, with all lines of its selector.
            lines.pop();
            marked_behind.pop();
            while lines.last().is_some_and(|line| line.text.ends_with(',')) {
                lines.pop();
                marked_behind.pop();
            }
            // What holds it may hold nothing else.
            if let Some(behind) = marked_behind.last_mut() {
                *behind = true;
            }
            continue;
        }
        lines.push(Line { text, from: last });
        marked_behind.push(false);
    }
    Some(lines)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// `{` of a rule or a directive.
    Block,
    /// `{` of nested properties, as in `font: { size: 1em }`: no place for comments.
    Properties,
    /// `#{`.
    Interpolation,
    /// `(` or `[`.
    Group,
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    open: Vec<Open>,
    /// Where the statement that is being read begins.
    statement: Option<usize>,
    /// Where to put a mark, and the offset that it tells.
    marks: Vec<(usize, usize)>,
}

impl Scan<'_> {
    fn run(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'/' if self.starts("/*") => self.skip_to("*/", 2),
                b'/' if self.starts("//") => self.skip_to("\n", 2),
                _ if byte.is_ascii_whitespace() => self.at += 1,
                _ => self.token(byte),
            }
        }
    }

    fn token(&mut self, byte: u8) {
        let between = matches!(self.open.last(), None | Some(Open::Block | Open::Properties));
        if between && self.statement.is_none() && !b"{};".contains(&byte) {
            self.statement = Some(self.at);
            let in_rule = self.open.last() == Some(&Open::Block);
            if in_rule && !b"@$#/".contains(&byte) && self.is_declaration() {
                self.marks.push((self.at, self.at));
            }
        }
        match byte {
            b'\\' => self.at += 2,
            b'"' | b'\'' => self.string(byte),
            b'u' | b'U' if self.bytes[self.at..].get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"url(")) => {
                self.url();
            }
            b'#' if self.bytes.get(self.at + 1) == Some(&b'{') => self.opened(Open::Interpolation, 2),
            b'(' | b'[' => self.opened(Open::Group, 1),
            b'{' => self.block(),
            b')' | b']' | b'}' => {
                let closed = self.open.pop();
                if matches!(closed, Some(Open::Block | Open::Properties)) {
                    self.statement = None;
                }
                self.at += 1;
            }
            b';' => {
                if between {
                    self.statement = None;
                }
                self.at += 1;
            }
            _ => self.at += 1,
        }
    }

    fn opened(&mut self, open: Open, length: usize) {
        self.open.push(open);
        self.at += length;
    }

    fn block(&mut self) {
        let start = self.statement.unwrap_or(self.at);
        let head = self.bytes[start..self.at].trim_ascii_end();
        let open = if head.ends_with(b":") { Open::Properties } else { Open::Block };
        self.opened(open, 1);
        if open == Open::Block && !head.starts_with(b"@") && !head.is_empty() {
            self.marks.push((self.at, start));
        }
        self.statement = None;
    }

    /// Whether what begins here ends with a semicolon or with the rule, and not with a block.
    fn is_declaration(&self) -> bool {
        let (mut at, mut depth) = (self.at, 0_usize);
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'\\' => at += 1,
                b'(' | b'[' => depth += 1,
                b'{' if depth > 0 || self.bytes[at - 1] == b'#' => depth += 1,
                b'{' => return false,
                b'}' if depth == 0 => return true,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b';' if depth == 0 => return true,
                _ => {}
            }
            at += 1;
        }
        false
    }

    fn string(&mut self, quote: u8) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 2,
                b'\n' => return,
                b'#' if self.bytes.get(self.at + 1) == Some(&b'{') => self.skip_to("}", 2),
                _ => {
                    self.at += 1;
                    if byte == quote {
                        return;
                    }
                }
            }
        }
    }

    /// `url(a//b;c)` is one word.
    fn url(&mut self) {
        let from = self.at + 4 + self.bytes[self.at + 4..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let is_quoted = matches!(self.bytes.get(from), Some(b'"' | b'\'' | b'$' | b'#'));
        if is_quoted { self.opened(Open::Group, 4) } else { self.skip_to(")", 4) }
    }

    fn starts(&self, text: &str) -> bool {
        self.bytes[self.at..].starts_with(text.as_bytes())
    }

    fn skip_to(&mut self, end: &str, from: usize) {
        let from = (self.at + from).min(self.bytes.len());
        self.at = memchr::memmem::find(&self.bytes[from..], end.as_bytes())
            .map_or(self.bytes.len(), |found| from + found + end.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(source: &str) -> String {
        let mut marked = source.to_owned();
        for (at, mark) in marks(source, Syntax::Brackets, 0).into_iter().rev() {
            marked.insert_str(at, &mark.replace("/*ss-at-0-", "‹").replace("*/", "›"));
        }
        marked
    }

    #[test]
    fn rules_and_declarations_are_marked() {
        assert_eq!(marked("a { b: c; d: e }"), "a {‹0› ‹4›b: c; ‹10›d: e }");
        assert_eq!(marked("a { b { c: d } }"), "a {‹0› b {‹4› ‹8›c: d } }");
        assert_eq!(
            marked("a { b: url(x;y//z); &:hover { c: #{$d} } }"),
            "a {‹0› ‹4›b: url(x;y//z); &:hover {‹20› ‹30›c: #{$d} } }"
        );
        for same in [
            "$a: (b: c, d: e);",
            "@function f($x) { $y: 1; @return $y }",
            "/* a { b: c } */",
            "// a { b: c }",
            "@use 'a' with ($b: c);",
        ] {
            assert_eq!(marked(same), same);
        }
        assert_eq!(marked("a { font: { size: 1px } }"), "a {‹0› font: { size: 1px } }");
        assert_eq!(marked("@media x { a { b: c } }"), "@media x { a {‹11› ‹15›b: c } }");
    }

    #[test]
    fn marks_become_the_places_of_lines() {
        let marked = "a,\nb {\n  /*ss-at-0-0*/\n  /*ss-at-0-7*/\n  c: d;\n}\nx {\n  /*ss-at-0-20*/\n}\n\ny {\n  /*ss-at-1-3*/\n  e: f;\n}\n";
        let lines = lines(marked).expect("sound");
        let shown: Vec<(&str, Option<(usize, usize)>)> =
            lines.iter().map(|line| (line.text.trim(), line.from)).collect();
        assert_eq!(
            shown,
            [
                ("a,", Some((0, 0))),
                ("b {", Some((0, 0))),
                ("c: d;", Some((0, 7))),
                ("}", Some((0, 7))),
                ("y {", Some((1, 3))),
                ("e: f;", Some((1, 3))),
                ("}", Some((1, 3))),
            ]
        );
        assert_eq!(super::lines("a { b: c /*ss-at-0-0*/ }"), None);
    }
}
