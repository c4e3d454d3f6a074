//! One script in, one compiled module out. The only crate that knows swc.
//!
//! [`compile`] is a pure function of its arguments: it reads nothing, knows no other module and names no id,
//! so its result can be cached under the hash of source and options, and modules compile in parallel.
//! Linking (which import is which module) is the caller's: compiled code asks for its n-th import by number.

#![expect(clippy::boxed_local, reason = "the tree hands its children over in boxes, and takes them back in the same")]

mod actions;
mod compile;
mod dead;
mod defines;
mod depth;
mod emit;
mod esm;
mod exports;
mod fields;
mod imports;
mod joint;
mod json;
mod jsx;
mod mangle;
mod map;
mod minify;
mod names;
mod options;
mod output;
mod parse;
mod parts;
mod patterns;
mod place;
mod pure;
mod quote;
mod references;
mod regex;
mod shake;
mod switches;
mod syntax;
mod typescript;
mod walk;
mod without;
mod wrap;

pub use compile::{compile, panics_are_caught};
pub use depth::{DEPTH_LIMIT, STACK_BYTES};
pub use joint::{Hole, Joint, Shifts, Symbol, TopNames, What};
pub use map::{Exchange, MapJoiner, MapPlaces, MapState};
pub use options::{Language, Minify, Options, Side, Source, Wrap};
pub use output::{
    ActionMeta, AnswerStyle, CompiledModule, Doubt, ExportForm, Exports, Global, Import, ImportKind, ImportedNames,
    MapChunk, Member, Need, Reference, Tree, Variable,
};
pub use parts::{Export, Keep, Part, Parts, Shake};
pub use typescript::{Decorators, Fields, JsxForm, TypeScript};
