//! Marks of rules in the indented syntax of Sass, line by line: a comment on a line of its own, where [`rules`](super::rules) puts
//! one between brackets.

/// Where to put a line with a mark, the white space before it, and the offset that it tells.
pub(super) fn marks(source: &str) -> Vec<(usize, &str, usize)> {
    let lines: Vec<Line<'_>> = lines(source);
    let mut marks = Vec::new();
    let mut open: Vec<(usize, Open)> = Vec::new();
    // Where a selector of several lines begins.
    let mut head: Option<usize> = None;
    for (number, line) in lines.iter().enumerate() {
        while open.last().is_some_and(|(width, _)| *width >= line.indent.len()) {
            open.pop();
        }
        let parent = open.last().map(|(_, kind)| *kind);
        if parent == Some(Open::Other) {
            continue;
        }
        let start = head.take().unwrap_or(line.text_at());
        let child = lines.get(number + 1).filter(|next| next.indent.len() > line.indent.len());
        match (line.kind(), child) {
            (Kind::Selector, Some(child)) => {
                marks.push((child.at, child.indent, start));
                open.push((line.indent.len(), Open::Block));
            }
            (Kind::Selector, None) if line.text.ends_with(',') => head = Some(start),
            (Kind::Selector | Kind::Declaration, None) if parent.is_some() && line.text.contains(':') => {
                marks.push((line.at, line.indent, start));
            }
            (Kind::Directive, Some(_)) => open.push((line.indent.len(), Open::Block)),
            (Kind::Comment | Kind::Declaration, Some(_)) => open.push((line.indent.len(), Open::Other)),
            _ => {}
        }
    }
    marks
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// Of a rule or a directive.
    Block,
    /// A comment, nested properties, or a value that goes on: no place for comments.
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Also a declaration without a space, `a:b`, when nothing stands below it.
    Selector,
    Declaration,
    /// `@media`, `+mixin`, `=mixin`, `$variable:`.
    Directive,
    Comment,
}

struct Line<'a> {
    at: usize,
    indent: &'a str,
    text: &'a str,
}

impl Line<'_> {
    fn text_at(&self) -> usize {
        self.at + self.indent.len()
    }

    fn kind(&self) -> Kind {
        let text = self.text;
        let is_include = |text: &str| text.as_bytes().get(1).is_some_and(|next| !next.is_ascii_whitespace());
        match text.as_bytes()[0] {
            b'/' => Kind::Comment,
            b'@' | b'=' | b'$' => Kind::Directive,
            // `+ a` is a selector.
            b'+' if is_include(text) => Kind::Directive,
            _ => {
                let name = text.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).unwrap_or(text.len());
                let rest = &text[name..];
                if rest == ":" || rest.starts_with(": ") { Kind::Declaration } else { Kind::Selector }
            }
        }
    }
}

/// The lines that are not blank.
fn lines(source: &str) -> Vec<Line<'_>> {
    let mut at = 0;
    let mut lines = Vec::new();
    for whole in source.split_inclusive('\n') {
        let text = whole.trim();
        if !text.is_empty() {
            let indent = &whole[..whole.len() - whole.trim_start_matches([' ', '\t']).len()];
            lines.push(Line { at, indent, text });
        }
        at += whole.len();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(source: &str) -> String {
        let mut marked = source.to_owned();
        for (at, indent, says) in marks(source).into_iter().rev() {
            marked.insert_str(at, &format!("{indent}‹{says}›\n"));
        }
        marked
    }

    #[test]
    fn rules_and_declarations_are_marked() {
        assert_eq!(marked("a\n  b: c\n  d:e\n"), "a\n  ‹0›\n  ‹4›\n  b: c\n  ‹11›\n  d:e\n");
        assert_eq!(marked("a,\nb\n\t&:hover\n\t\tb: c"), "a,\nb\n\t‹0›\n\t&:hover\n\t\t‹6›\n\t\t‹16›\n\t\tb: c");
        assert_eq!(marked("@media x\n  a\n    b: c\n"), "@media x\n  a\n    ‹11›\n    ‹17›\n    b: c\n");
        assert_eq!(marked("=m($a)\n  b: $a\n\nc\n  +m(1)\n"), "=m($a)\n  ‹9›\n  b: $a\n\nc\n  ‹16›\n  +m(1)\n");
        for same in ["$a: 1\n", "@use 'a'\n", "// a\n  b: c\n", "/* a\n   b: c\n", "@function f($x)\n  @return $x\n"] {
            assert_eq!(marked(same), same);
        }
        assert_eq!(marked("a\n  font:\n    size: 1px\n"), "a\n  ‹0›\n  font:\n    size: 1px\n");
    }
}
