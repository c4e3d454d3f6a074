//! What is left open in the code of a module that shares its function with others: the names of its top level, and what it imports.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::mangle::short;
use crate::{MapChunk, map};

/// What has to be known to put a module's statements into a function with those of others.
///
/// The code has one byte for each hole. What is declared inside of its functions and blocks is named already, by names that
/// [`TopNames`] never gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joint {
    /// Where something is to be filled in, in order.
    pub holes: Vec<Hole>,
    /// What the holes and exports are about.
    pub symbols: Vec<Symbol>,
    /// Each exported name, sorted, with the symbol that it stands for.
    pub exports: Vec<(String, u32)>,
    /// What runs before it: the numbers of its static imports, in order.
    pub evaluated: Vec<u32>,
    /// Which of them are `export * from`.
    pub stars: Vec<u32>,
    /// Its own functions that never ask for their `this`, sorted.
    pub plain: Vec<u32>,
    /// Names that its code takes from around it, sorted.
    pub free: Vec<String>,
    /// How the map changes with what is filled in.
    pub shifts: Shifts,
}

/// A place in the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// Its byte.
    pub at: u32,
    /// What belongs there.
    pub what: What,
}

/// What belongs into a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// What a symbol is called.
    Symbol(u32),
    /// The same where it is called as a function, without a `this`.
    Callee(u32),
    /// The same where it is called as a method of the namespace that it was imported with.
    Method(u32),
    /// The number of an import.
    Import(u32),
    /// The function's `require`.
    Require,
}

/// Something that the top level of a module has a name for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Symbol {
    /// It declares it.
    Own,
    /// It imports it: which import, and which name of it; no name stands for all of them.
    Import(u32, Option<String>),
}

/// Where a map's columns depend on what is filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shifts {
    /// Byte of a segment's column among the mappings; from and up to which hole the code before it, behind the last segment of its line, has holes.
    pub columns: Vec<(u32, u32, u32)>,
    /// The first hole of the last line, and the first behind the last segment.
    pub last_line: (u32, u32),
}

impl Joint {
    /// The code and its map, with `text` of each hole in it.
    pub fn fill<'a>(
        &self,
        code: &str,
        chunk: Option<&MapChunk>,
        mut text: impl FnMut(What) -> &'a str,
    ) -> (String, Option<MapChunk>) {
        let mut filled = String::with_capacity(code.len() + self.holes.len() * 2);
        let mut widths = Vec::with_capacity(self.holes.len());
        let mut from = 0;
        for hole in &self.holes {
            let at = hole.at as usize;
            filled.push_str(&code[from..at]);
            let text = text(hole.what);
            filled.push_str(text);
            widths.push(text.encode_utf16().count() as u32);
            from = at + 1;
        }
        filled.push_str(&code[from..]);
        (filled, chunk.map(|chunk| map::shifted(chunk, &self.shifts, &widths)))
    }
}

/// Short names for the top level of a function that modules share, the shortest first.
#[derive(Debug)]
pub struct TopNames<'a> {
    next: usize,
    taken: BTreeSet<&'a str>,
}

impl<'a> TopNames<'a> {
    /// All but those that are taken.
    pub fn new(taken: BTreeSet<&'a str>) -> Self {
        Self { next: 0, taken }
    }

    /// The next name.
    pub fn take(&mut self) -> String {
        short::next(short::TOP, &mut self.next, |name| self.taken.contains(name))
    }
}
