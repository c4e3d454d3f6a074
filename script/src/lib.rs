//! One script in, one compiled module out. The only crate that knows swc.
//!
//! [`compile`] is a pure function of its arguments: it reads nothing, knows no other module and names no id,
//! so its result can be cached under the hash of source and options, and modules compile in parallel.
//! Linking (which import is which module) is the caller's: compiled code asks for its n-th import by number.

mod options;
mod output;

pub use options::{Language, Minify, Options, Source, Wrap};
pub use output::{
    ActionMeta, AnswerStyle, CompiledModule, ExportForm, Exports, Import, ImportKind, ImportedNames, MapChunk,
    Reference, Tree,
};
