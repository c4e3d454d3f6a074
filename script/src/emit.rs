use swc_core::common::sync::Lrc;
use swc_core::common::{BytePos, FileName, SourceMap, Span};
use swc_core::ecma::ast::{Expr, Script};
use swc_core::ecma::codegen::text_writer::WriteJs;
use swc_core::ecma::codegen::{Config, Emitter, Node, Result};

use crate::joint::Hole;
use crate::mangle;
use crate::place::offset;

/// How the code is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Readable,
    Dense,
}

/// Code with the places that its parts come from.
#[derive(Debug)]
pub(crate) struct Emitted {
    pub(crate) code: String,
    pub(crate) marks: Vec<Mark>,
    /// Each is one byte of the code.
    pub(crate) holes: Vec<Hole>,
}

/// Byte `at` of the code comes from byte `from` of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) at: u32,
    pub(crate) from: u32,
    /// Whether an identifier of another name stood there.
    pub(crate) renamed: bool,
}

/// What is written.
pub(crate) enum Tree<'a> {
    Function(&'a Expr),
    Statements(&'a Script),
}

/// Writes a tree as text.
pub(crate) fn emit(tree: &Tree<'_>, source: &str, layout: Layout, with_marks: bool) -> Emitted {
    let files = Lrc::new(SourceMap::default());
    let dense = layout == Layout::Dense;
    if !dense {
        // The emitter looks whether a list had a comma at its end, which dense code has not.
        files.new_source_file(FileName::Anon.into(), source.to_owned());
    }
    let mut emitter = Emitter {
        cfg: Config::default().with_minify(dense),
        cm: files,
        comments: None,
        wr: Writer::new(source, dense, with_marks),
    };
    let written = match tree {
        Tree::Function(function) => function.emit_with(&mut emitter),
        Tree::Statements(script) => emitter.emit_script(script),
    };
    written.expect("writing to memory does not fail");
    let mut writer = emitter.wr;
    if matches!(tree, Tree::Statements(_)) {
        // Other programs may follow in the same file, and one of them may start with a bracket.
        writer.commit();
        writer.code.truncate(writer.code.trim_end().len());
    }
    // It is kept, and room was made for all of the source.
    writer.code.shrink_to_fit();
    Emitted { code: writer.code, marks: writer.marks, holes: writer.holes }
}

/// What stands in the code where something is to be filled in.
const HOLE: &str = "\u{1}";

struct Writer<'a> {
    source: &'a [u8],
    code: String,
    marks: Vec<Mark>,
    holes: Vec<Hole>,
    dense: bool,
    with_marks: bool,
    indent: usize,
    line_start: bool,
    /// A mark that waits for the indentation to be written.
    waiting: Option<BytePos>,
    /// In dense code a semicolon is written when something follows that needs it.
    semicolon: bool,
}

impl<'a> Writer<'a> {
    fn new(source: &'a str, dense: bool, with_marks: bool) -> Self {
        let marks = if with_marks { source.len() / 4 } else { 0 };
        Self {
            source: source.as_bytes(),
            code: String::with_capacity(source.len() + 256),
            marks: Vec::with_capacity(marks),
            holes: Vec::new(),
            dense,
            with_marks,
            indent: 0,
            line_start: true,
            waiting: None,
            semicolon: false,
        }
    }

    #[inline]
    fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.semicolon {
            self.commit();
        }
        self.raw(text);
    }

    #[inline]
    fn raw(&mut self, text: &str) {
        if self.line_start {
            self.line_start = false;
            for _ in 0..self.indent {
                self.code.push_str("    ");
            }
        }
        if let Some(pos) = self.waiting.take() {
            self.mark(pos);
        }
        self.code.push_str(text);
    }

    fn commit(&mut self) {
        if self.semicolon {
            self.semicolon = false;
            // Not through `raw`: a mark that waits belongs to what comes after the semicolon.
            self.code.push(';');
        }
    }

    fn mark(&mut self, pos: BytePos) {
        let mark = Mark { at: self.code.len() as u32, from: offset(pos) as u32, renamed: false };
        match self.marks.last_mut() {
            // Of several positions for one spot the last is that of the innermost node that starts there.
            Some(last) if last.at == mark.at => *last = mark,
            Some(last) if last.from == mark.from && !last.renamed => {}
            _ => self.marks.push(mark),
        }
    }

    /// Whether the source says something else where this name stands.
    fn note_rename(&mut self, name: &str) {
        let at = self.code.len() as u32;
        let Some(last) = self.marks.last_mut().filter(|last| last.at == at) else { return };
        let there = &self.source[(last.from as usize).min(self.source.len())..];
        let starts_name = there.first().is_some_and(|&byte| is_name_byte(byte) && !byte.is_ascii_digit());
        let same = there.starts_with(name.as_bytes()) && !there.get(name.len()).is_some_and(|&byte| is_name_byte(byte));
        last.renamed = starts_name && !same;
    }
}

/// Whether a byte can be part of an identifier; letters beyond ASCII count.
pub(crate) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl WriteJs for Writer<'_> {
    fn increase_indent(&mut self) -> Result {
        self.indent += 1;
        Ok(())
    }

    fn decrease_indent(&mut self) -> Result {
        self.indent -= 1;
        Ok(())
    }

    fn write_semi(&mut self, _: Option<Span>) -> Result {
        if self.dense {
            self.semicolon = true;
        } else {
            self.raw(";");
        }
        Ok(())
    }

    fn write_space(&mut self) -> Result {
        self.write(" ");
        Ok(())
    }

    fn write_keyword(&mut self, _: Option<Span>, text: &'static str) -> Result {
        self.write(text);
        Ok(())
    }

    fn write_operator(&mut self, _: Option<Span>, text: &str) -> Result {
        self.write(text);
        Ok(())
    }

    fn write_param(&mut self, text: &str) -> Result {
        self.write(text);
        Ok(())
    }

    fn write_property(&mut self, text: &str) -> Result {
        self.write(text);
        Ok(())
    }

    fn write_line(&mut self) -> Result {
        self.commit();
        if !self.line_start {
            self.code.push('\n');
            self.line_start = true;
        }
        Ok(())
    }

    fn write_lit(&mut self, _: Span, text: &str) -> Result {
        self.write(text);
        Ok(())
    }

    fn write_comment(&mut self, text: &str) -> Result {
        // Comments of the source were not read; what comes here are hints that transforms leave for minifiers.
        if !self.dense {
            self.write(text);
        }
        Ok(())
    }

    fn write_str_lit(&mut self, _: Span, text: &str) -> Result {
        self.write(text);
        Ok(())
    }

    fn write_str(&mut self, text: &str) -> Result {
        self.write(text);
        Ok(())
    }

    fn write_symbol(&mut self, _: Span, text: &str) -> Result {
        self.commit();
        if self.with_marks {
            if self.line_start || self.waiting.is_some() {
                self.raw("");
            }
            self.note_rename(text);
        }
        match mangle::read_hole(text) {
            Some(what) => {
                self.holes.push(Hole { at: self.code.len() as u32, what });
                self.raw(HOLE);
            }
            None => self.raw(text),
        }
        Ok(())
    }

    fn write_punct(&mut self, _: Option<Span>, text: &'static str, commit_pending_semi: bool) -> Result {
        if !commit_pending_semi {
            self.semicolon = false;
        }
        self.write(text);
        Ok(())
    }

    fn care_about_srcmap(&self) -> bool {
        self.with_marks
    }

    fn add_srcmap(&mut self, pos: BytePos) -> Result {
        if self.with_marks && !pos.is_dummy() && offset(pos) <= self.source.len() {
            if self.line_start || self.semicolon {
                self.waiting = Some(pos);
            } else {
                self.mark(pos);
            }
        }
        Ok(())
    }

    fn commit_pending_semi(&mut self) -> Result {
        self.commit();
        Ok(())
    }
}
