//! Modules in one function: what each calls the names of the others, and the text of the whole.

mod names;
mod resolve;
mod stars;
mod uses;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;
use ssbuild_script::{Joint, MapChunk, What};

use crate::{
    graph::{Dep, Graph},
    link::{Asked, Step},
};
use names::Names;
use resolve::{Named, Resolve};
use uses::Uses;

/// A function of several modules.
pub(super) struct Joined<'a> {
    graph: &'a Graph,
    steps: &'a [Step],
    resolve: Resolve<'a>,
    /// What each exported name of the root stands for.
    exports: Vec<(&'a str, Named<'a>)>,
    /// Members that are used as a whole, with the same.
    namespaces: BTreeMap<usize, Vec<(&'a str, Named<'a>)>>,
    uses: Uses<'a>,
    names: Names<'a>,
}

/// A part of its text.
pub(super) enum Piece {
    /// What holds modules together.
    Text(String),
    /// A module's own code, with its map.
    Module(usize, String, Option<MapChunk>),
}

impl<'a> Joined<'a> {
    /// The function that takes these steps; the last is that of the root, of which others ask something.
    pub(super) fn new(graph: &'a Graph, steps: &'a [Step], asked: &Asked) -> Self {
        let member = |step: &Step| if let Step::Run(at) = step { Some(*at) } else { None };
        let resolve = Resolve::new(graph, steps.iter().filter_map(member).collect());
        let uses = Uses::of(graph, &resolve);
        let root = resolve.root();
        let mut exports = resolve.table(root);
        exports.retain(|(name, _)| asked.has(name));
        let mut namespaces = uses.namespaces(&resolve, &exports);
        if namespaces.remove(&root).is_some() {
            // Who has the root's namespace in the function itself may look for any of its names.
            exports = resolve.table(root);
            namespaces = uses.namespaces(&resolve, &exports);
            namespaces.remove(&root);
        }
        let mut names = Names::new();
        for &at in resolve.members() {
            names.take_no(joint(graph, at));
            for (named, times) in uses.symbols[&at].iter().filter(|(_, times)| *times > 0) {
                names.used(*named, *times);
            }
        }
        uses.methods.values().for_each(|(named, times)| names.used(*named, *times));
        exports.iter().chain(namespaces.values().flatten()).for_each(|(_, named)| names.used(*named, 1));
        namespaces.keys().for_each(|at| names.used(Named::Namespace(*at), 1));
        names.used(Named::Namespace(root), 1);
        names.used(Named::Require, 1 + uses.requires);
        names.settle();
        Self { graph, steps, resolve, exports, namespaces, uses, names }
    }

    /// The parameter that the root exports to, which is its namespace.
    fn exported_to(&self) -> String {
        self.names.text(Named::Namespace(self.resolve.root()))
    }

    /// What it asks for, by number.
    pub(super) fn into_deps(self) -> Vec<Dep> {
        self.resolve.into_deps()
    }

    /// Its text, in order.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let (exports, require) = (self.exported_to(), self.names.text(Named::Require));
        let mut text = format!("function({},{exports},{require}){{", self.names.spare());
        self.write_table(&mut text, &exports, &self.exports);
        for (at, table) in &self.namespaces {
            let name = self.names.text(Named::Namespace(*at));
            text.push_str(&format!("let {name}={{}};"));
            self.write_table(&mut text, &name, table);
        }
        let filled: Vec<(String, Option<MapChunk>)> =
            self.resolve.members().par_iter().map(|&at| self.fill(at)).collect();
        let mut filled = filled.into_iter();
        let mut pieces = Vec::with_capacity(filled.len() * 2 + 1);
        let (mut asked, mut declares) = (BTreeSet::new(), false);
        for step in self.steps {
            match *step {
                Step::Ask(at, import) => declares = self.write_import(&mut text, (at, import), &mut asked, declares),
                Step::Run(at) => {
                    declares = false;
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                    }
                    let (code, map) = filled.next().expect("each member is filled once");
                    pieces.push(Piece::Module(at, code, map));
                }
            }
        }
        pieces.push(Piece::Text("}".to_owned()));
        pieces
    }

    fn write_table(&self, text: &mut String, object: &str, table: &[(&str, Named<'_>)]) {
        let getter = |(name, named): &(&str, Named<'_>)| format!("{}:()=>{}", key(name), self.names.text(*named));
        let getters: Vec<String> = table.iter().map(getter).collect();
        text.push_str(&format!("{}.e({object},{{{}}});", self.names.text(Named::Require), getters.join(",")));
    }

    /// Makes an import run that leads to no member, the first time that it stands there. Tells whether the text ends in a declaration,
    /// and is told.
    fn write_import(
        &self,
        text: &mut String,
        (at, import): (usize, u32),
        asked: &mut BTreeSet<usize>,
        declares: bool,
    ) -> bool {
        let Some(number) = self.resolve.asks(at, import) else { return declares };
        let (require, module) = (self.names.text(Named::Require), Named::Outside(number, None));
        let is_open = self.resolve.is_open() && joint(self.graph, at).stars.contains(&import);
        if is_open {
            text.push_str(&format!("{require}.s({},{number});", self.exported_to()));
        }
        let is_new = asked.insert(number);
        if is_new && self.names.is_used(module) {
            if declares && !is_open {
                text.pop();
            }
            let word = if declares && !is_open { "," } else { "let " };
            text.push_str(&format!("{word}{}={require}.i({number});", self.names.text(module)));
            return true;
        }
        if is_new && !is_open {
            text.push_str(&format!("{require}({number});"));
        }
        declares && !is_new && !is_open
    }

    fn fill(&self, at: usize) -> (String, Option<MapChunk>) {
        let compiled = &self.graph.modules[at].compiled;
        let joint = joint(self.graph, at);
        // What is only handed on has no name.
        let mut texts: Vec<(String, Option<String>)> = vec![Default::default(); joint.symbols.len()];
        let (mut methods, mut numbers) = (HashMap::<u32, String>::new(), HashMap::<u32, String>::new());
        for hole in &joint.holes {
            match hole.what {
                What::Symbol(symbol) | What::Callee(symbol) => {
                    let ((named, _), text) = (self.uses.symbols[&at][symbol as usize], &mut texts[symbol as usize]);
                    if text.0.is_empty() {
                        *text = (self.names.text(named), self.names.callee(named));
                    }
                }
                What::Method(symbol) => {
                    let text = || self.names.text(self.uses.methods[&(at, symbol)].0);
                    methods.entry(symbol).or_insert_with(text);
                }
                What::Import(import) => {
                    numbers.insert(import, self.resolve.number(at, import).to_string());
                }
                What::Require => {}
            }
        }
        let require = self.names.text(Named::Require);
        joint.fill(&compiled.code, compiled.map.as_ref(), |what| match what {
            What::Symbol(symbol) => &texts[symbol as usize].0,
            What::Callee(symbol) => {
                let (plain, callee) = &texts[symbol as usize];
                callee.as_ref().unwrap_or(plain)
            }
            What::Method(symbol) => &methods[&symbol],
            What::Import(import) => &numbers[&import],
            What::Require => &require,
        })
    }
}

/// What is open in the code of a member.
fn joint(graph: &Graph, at: usize) -> &Joint {
    graph.modules[at].compiled.joint.as_ref().expect("only what can be joined is a member")
}

/// A name as the key of an object literal.
fn key(name: &str) -> String {
    match name {
        "__proto__" => "[\"__proto__\"]".to_owned(),
        name if is_word(name) => name.to_owned(),
        name => quoted(name),
    }
}

/// A name behind an object.
fn member(name: &str) -> String {
    if is_word(name) { format!(".{name}") } else { format!("[{}]", quoted(name)) }
}

fn quoted(name: &str) -> String {
    serde_json::to_string(name).expect("a string is JSON")
}

/// Whether a name needs no quotes. Letters beyond ASCII may have them.
fn is_word(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$';
    name.bytes().next().is_some_and(is_letter) && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}
