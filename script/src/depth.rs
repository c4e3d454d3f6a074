//! Refuses what is nested too deep before the parser sees it: parsing and every pass after it recurse, and a stack that
//! overflows ends the process.
//!
//! The scan knows strings, templates, comments and, as well as can be seen from one token back, regular expressions. It
//! errs to the safe side: what it takes for nesting may be less deep than it thinks.

use ssbuild_diagnostic::{Code, Diagnostic};

use crate::Language;
use crate::emit::is_name_byte;
use crate::place::Places;

/// Stack that a thread needs to call [`crate::compile`] with a depth limit of up to [`DEPTH_LIMIT`]. It is reserved, and
/// only what deep sources touch of it becomes memory.
pub const STACK_BYTES: usize = 512 << 20;

/// The deepest nesting of brackets that fits [`STACK_BYTES`] in every kind of build.
pub const DEPTH_LIMIT: u32 = 5_000;

/// Operators and keywords in one expression or statement, all brackets around it included. `a + a + …` is a tree as deep
/// as it is long.
const CHAIN_LIMIT: u32 = 10_000;

/// From here on swc's compressor takes seconds for one expression.
const COMPRESSED_CHAIN_LIMIT: u32 = 500;

/// How much a label counts: the parser compares each with all that are around it, more than once.
const LABEL_WEIGHT: u32 = 100;

/// How much an opening of type arguments counts: the parser tries each as a comparison too.
const TYPE_WEIGHT: u32 = 20;

/// How much a class counts that another one extends where it stands: with each the compiler takes twice the time and the
/// memory.
const CLASS_WEIGHT: u32 = 600;

/// How deep a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Depth {
    chain: u32,
}

impl Depth {
    /// Whether it is so deep that it is better not compressed.
    pub(crate) fn is_extreme(self) -> bool {
        self.chain > COMPRESSED_CHAIN_LIMIT
    }
}

/// Finds nesting deeper than `limit`.
pub(crate) fn check(places: &Places<'_>, language: Language, limit: u32) -> Result<Depth, Diagnostic> {
    let limit = limit.min(DEPTH_LIMIT);
    let mut scan = Scan::new(places.text(), language, limit);
    match scan.run() {
        None => Ok(Depth { chain: scan.deepest }),
        Some((at, excess)) => Err(diagnostic(places, limit, at, excess)),
    }
}

fn diagnostic(places: &Places<'_>, limit: u32, at: usize, excess: Excess) -> Diagnostic {
    let (message, help) = match excess {
        Excess::Brackets => (
            format!("brackets are nested more than {limit} deep"),
            "Split the code into functions or files; generated data is better kept as JSON in flat arrays.",
        ),
        Excess::Chain => (
            format!("one expression or statement has more than {CHAIN_LIMIT} parts inside each other"),
            "Split it into several; long sums of strings are better written as an array and `join`.",
        ),
    };
    Diagnostic::new(Code::NestedTooDeep, message).at(places.at(at, at + 1), "here it goes too deep").help(help)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excess {
    Brackets,
    Chain,
}

/// What the last token was, which decides what a `/` or a new line means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// The end of a value: a name, a literal, a closing bracket.
    Value,
    /// An operator, or a keyword that a value follows.
    Operator,
    /// The end of a statement: `;`, `}` of a block, or the start of the text.
    Statement,
    /// The `)` of `if (…)` and its like.
    Head,
}

/// An open bracket.
#[derive(Debug, Clone, Copy)]
struct Level {
    kind: Bracket,
    /// Operators so far in the expression that is open here.
    chain: u32,
    /// Elements and type arguments opened here; semicolons do not end them.
    angles: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    File,
    Round,
    /// The head of a statement: `if (…)`.
    Head,
    Square,
    /// A block, or a body.
    Block,
    /// An object literal.
    Object,
    /// `${…}`
    Template,
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    levels: Vec<Level>,
    last: Last,
    /// The last word was one that a statement's head follows.
    head_word: bool,
    /// The last token was a word at the start of a statement: a label when a colon follows.
    label_word: bool,
    /// Parts of all levels together.
    chain: u32,
    /// The most parts that were open together.
    deepest: u32,
    limit: u32,
    angle_weight: u32,
    /// Whether there may be JSX, whose text has semicolons of its own.
    elements: bool,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str, language: Language, limit: u32) -> Self {
        let file = Level { kind: Bracket::File, chain: 0, angles: 0 };
        let text = text.as_bytes();
        let angle_weight = match language {
            Language::TypeScript | Language::Tsx => TYPE_WEIGHT,
            Language::JavaScript | Language::Jsx | Language::Json => 1,
        };
        let elements = language != Language::TypeScript;
        Self {
            text,
            at: 0,
            levels: vec![file],
            last: Last::Statement,
            head_word: false,
            label_word: false,
            chain: 0,
            deepest: 0,
            limit,
            angle_weight,
            elements,
        }
    }

    /// Where it gets too deep, if it does.
    fn run(&mut self) -> Option<(usize, Excess)> {
        while let Some(&byte) = self.text.get(self.at) {
            let start = self.at;
            self.at += 1;
            if byte.is_ascii_whitespace() {
                continue;
            }
            let label_word = std::mem::take(&mut self.label_word);
            match byte {
                b':' if label_word => self.label(),
                b'"' | b'\'' => self.string(byte),
                b'`' => self.template(),
                b'/' => self.slash(),
                b'(' | b'[' | b'{' => self.open(byte),
                b')' | b']' | b'}' => self.close(byte),
                b';' => self.end_statement(),
                b',' => self.comma(),
                b'0'..=b'9' => self.word(start),
                byte if is_name_byte(byte) => self.word(start),
                b'<' => self.angle(),
                b'#' | b'@' | b'\\' => {}
                _ => self.operator(),
            }
            if self.levels.len() > self.limit as usize {
                return Some((start, Excess::Brackets));
            }
            self.deepest = self.deepest.max(self.chain);
            if self.chain > CHAIN_LIMIT {
                return Some((start, Excess::Chain));
            }
        }
        None
    }

    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the level of the file stays")
    }

    fn string(&mut self, quote: u8) {
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                // Text in JSX has single apostrophes; a string does not cross lines.
                b'\n' => break,
                byte if byte == quote => break,
                _ => {}
            }
        }
        self.value();
    }

    /// The text of a template up to its end or to `${`.
    fn template(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'`' => {
                    self.value();
                    return;
                }
                b'$' if self.peek() == b'{' => {
                    self.at += 1;
                    self.push(Bracket::Template);
                    return;
                }
                _ => {}
            }
        }
    }

    fn slash(&mut self) {
        match self.peek() {
            b'/' => {
                let rest = &self.text[self.at..];
                self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            }
            b'*' => {
                let rest = &self.text[self.at + 1..];
                self.at += memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 3);
            }
            // The end of an element: `</a>` or `/>`.
            b'>' => self.close_angle(),
            _ if self.last == Last::Value => self.operator(),
            _ => self.regex(),
        }
    }

    fn regex(&mut self) {
        let mut class = false;
        let mut at = self.at;
        while let Some(&byte) = self.text.get(at) {
            at += 1;
            match byte {
                b'\\' => at += 1,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => {
                    self.at = at;
                    self.value();
                    return;
                }
                // It was a division, or text in JSX.
                b'\n' => break,
                _ => {}
            }
        }
        self.operator();
    }

    fn push(&mut self, kind: Bracket) {
        self.levels.push(Level { kind, chain: 1, angles: 0 });
        self.chain += 1;
        self.last = if kind == Bracket::Block { Last::Statement } else { Last::Operator };
        self.head_word = false;
    }

    fn pop(&mut self) -> Bracket {
        if self.levels.len() == 1 {
            return Bracket::File;
        }
        let level = self.levels.pop().expect("more than the level of the file");
        self.chain -= level.chain + level.angles;
        level.kind
    }

    fn open(&mut self, byte: u8) {
        let kind = match byte {
            b'(' if self.head_word => Bracket::Head,
            b'(' => Bracket::Round,
            b'[' => Bracket::Square,
            _ if self.last == Last::Operator => Bracket::Object,
            _ => Bracket::Block,
        };
        if matches!(kind, Bracket::Round | Bracket::Square) && self.last == Last::Value {
            // A call or an index: part of a chain.
            self.add(1);
        }
        self.push(kind);
    }

    fn close(&mut self, byte: u8) {
        let kind = self.pop();
        match kind {
            Bracket::Template if byte == b'}' => self.template(),
            Bracket::Head => {
                self.last = Last::Head;
                self.head_word = false;
            }
            Bracket::Block => self.block_ended(),
            _ => self.value(),
        }
    }

    fn value(&mut self) {
        self.last = Last::Value;
        self.head_word = false;
    }

    fn add(&mut self, count: u32) {
        self.level().chain += count;
        self.chain += count;
    }

    fn operator(&mut self) {
        self.add(1);
        self.last = Last::Operator;
        self.head_word = false;
    }

    fn label(&mut self) {
        self.add(LABEL_WEIGHT);
        self.last = Last::Statement;
    }

    fn comma(&mut self) {
        self.reset();
        self.last = Last::Operator;
    }

    fn end_statement(&mut self) {
        if !self.continues_with_else() {
            self.reset();
            if !self.elements {
                self.chain -= std::mem::take(&mut self.level().angles);
            }
        }
        self.last = Last::Statement;
        self.head_word = false;
    }

    /// A `}` ends a statement unless it ends a function or class that is a value, which an operator would show.
    fn block_ended(&mut self) {
        let next = self.text[self.at..].iter().find(|byte| !byte.is_ascii_whitespace()).copied().unwrap_or(b';');
        let continues =
            matches!(next, b'.' | b'(' | b'[' | b'?' | b'+' | b'-' | b'*' | b'&' | b'|' | b'=' | b'<' | b'`');
        if continues || self.continues_with_else() {
            self.last = if continues { Last::Value } else { Last::Statement };
        } else {
            self.reset();
            self.last = Last::Statement;
        }
        self.head_word = false;
    }

    fn continues_with_else(&self) -> bool {
        let rest = &self.text[self.at..];
        let start = rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len());
        // A comment may stand before it.
        rest[start..].starts_with(b"else") || rest[start..].starts_with(b"/") || rest[start..].starts_with(b"while")
    }

    fn reset(&mut self) {
        let level = self.level();
        let base = u32::from(level.kind != Bracket::File);
        let dropped = level.chain - base;
        level.chain = base;
        self.chain -= dropped;
    }

    /// `<`: less than, an element, or type arguments.
    fn angle(&mut self) {
        match self.peek() {
            b'/' => {
                self.at += 1;
                self.close_angle();
            }
            byte if is_name_byte(byte) || byte == b'>' => {
                let weight = self.angle_weight;
                self.level().angles += weight;
                self.chain += weight;
                self.last = Last::Operator;
                self.head_word = false;
            }
            _ => self.operator(),
        }
    }

    fn close_angle(&mut self) {
        let weight = self.angle_weight;
        let level = self.level();
        if level.angles >= weight {
            level.angles -= weight;
            self.chain -= weight;
        }
        self.last = Last::Operator;
        self.head_word = false;
    }

    /// Whether a class that begins here is what another one extends, maybe as an argument of a function.
    fn is_extended(&self, start: usize) -> bool {
        let mut before = self.text[..start].trim_ascii_end();
        while let Some(outside) = before.strip_suffix(b"(") {
            before = outside.trim_ascii_end();
            let name = before.iter().rev().take_while(|byte| is_name_byte(**byte)).count();
            if !before.ends_with(b"extends") {
                before = before[..before.len() - name].trim_ascii_end();
            }
        }
        before.ends_with(b"extends")
    }

    fn word(&mut self, start: usize) {
        while is_name_byte(self.peek()) {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        // Two values side by side: a statement ended without a semicolon.
        let after_value = self.last == Last::Value;
        match word {
            b"if" | b"while" | b"for" | b"with" | b"switch" | b"catch" => {
                self.statement_word(after_value);
                self.head_word = true;
            }
            b"else" | b"do" | b"try" | b"finally" => {
                self.add(1);
                self.last = Last::Statement;
                self.head_word = false;
            }
            b"await" if self.head_word => {}
            b"typeof" | b"void" | b"delete" | b"new" | b"await" | b"yield" | b"return" | b"throw" | b"case" | b"in"
            | b"of" | b"instanceof" | b"extends" | b"keyof" | b"infer" | b"readonly" | b"unique" | b"as"
            | b"satisfies" | b"async" => {
                self.add(1);
                self.last = Last::Operator;
                self.head_word = false;
            }
            b"class" if self.is_extended(start) => {
                self.add(CLASS_WEIGHT);
                self.head_word = false;
            }
            _ => {
                if after_value {
                    self.reset();
                }
                self.label_word = after_value || self.last != Last::Operator;
                self.value();
            }
        }
    }

    fn statement_word(&mut self, after_value: bool) {
        if after_value {
            self.reset();
        }
        self.add(1);
        self.last = Last::Operator;
    }
}
