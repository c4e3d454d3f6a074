use serde::{Deserialize, Serialize};
use ssbuild_diagnostic::{Diagnostic, Place};

/// One compiled module.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CompiledModule {
    /// With [`crate::Wrap::Module`]: a function expression `function(module,exports,require){…}` (parameter names may be shortened).
    /// `require(n)` inside it is import n of `imports`, and `require` has the helpers of the bundle format.
    /// With [`crate::Wrap::Plain`]: statements; with a `joint`, too, and there they have holes.
    pub code: String,
    /// Where its code came from.
    pub map: Option<MapChunk>,
    /// Whether the source is an ES module (its code is strict, its `exports` has live getters).
    pub esm: bool,
    /// What it imports, in order of first appearance; index = the number in the code.
    pub imports: Vec<Import>,
    /// What it exports, as far as the syntax tells.
    pub exports: Exports,
    /// Static `SS.client…`, `SS.server…`, `SS.shared…` paths that it mentions.
    pub references: Vec<Reference>,
    /// Other members of `SS` that it mentions.
    pub members: Vec<Member>,
    /// Variables of the environment that it reads, less those that were replaced by their values.
    pub variables: Vec<Variable>,
    /// Where it evaluates text as code (`eval(…)`, `new Function(…)`), which a Content-Security-Policy must allow.
    pub evals: Vec<Place>,
    /// Where it waits at its top level first: then its code is an `async` function.
    pub awaits: Option<Place>,
    /// Where it compiles WebAssembly, which a Content-Security-Policy must allow.
    pub wasm: Option<Place>,
    /// Where it starts a worker whose script it makes itself (`new Worker(URL.createObjectURL(…))`), which a policy must allow too.
    pub blob_worker: Option<Place>,
    /// With [`crate::Side::Server`]: each name of the host that is used and not asked for with `typeof`, at its first place.
    /// Beside globals: `require` (as a value), `require.resolve`, `import.meta.url` and the like.
    pub globals: Vec<Global>,
    /// With `read_actions`: the actions, the guard and the style.
    pub actions: Option<Vec<ActionMeta>>,
    /// With [`crate::Shake::Tell`], of an ES module: what can be left out of it.
    pub parts: Option<crate::Parts>,
    /// With [`crate::Wrap::Joined`], of an ES module that can be joined with others: what is open in its code.
    pub joint: Option<crate::Joint>,
    /// What was found. With an error among them the code is empty.
    pub diagnostics: Vec<Diagnostic>,
}

/// A source-map chunk that can be joined to others without being decoded (Source Map revision 3, ECMA-426).
///
/// `mappings` is relative to the chunk: its first segment counts from column 0, source 0, line 0, column 0, name 0.
/// [`crate::MapJoiner`] joins chunks: it writes the first segment and the first name again, counted from what went before,
/// and copies the rest byte by byte, since every later number counts from the one before it in the same chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapChunk {
    /// Base64 VLQ segments; one line of generated code per `;`.
    pub mappings: String,
    /// How many line ends the code has.
    pub lines: u32,
    /// Original names, in order of index, as the members of a JSON list.
    pub names: String,
    /// How many.
    pub name_count: u32,
    /// Absolute values after the last segment: generated column (0 when the code's last line has no segment), source
    /// line, source column, name. What the next chunk subtracts from its first segment.
    pub end: [u32; 4],
    /// Columns of the first segment that names something need no change, but its name index does: the byte offset of
    /// that field in `mappings`, if there is one.
    pub first_name_at: Option<u32>,
    /// Length of the code's last line, in UTF-16 units.
    pub last_line_units: u32,
}

/// One import of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// As written.
    pub specifier: String,
    /// How it is asked for.
    pub kind: ImportKind,
    /// Which names are used.
    pub names: ImportedNames,
    /// Names that may well be missing there, or that nothing uses.
    pub doubtful: Vec<(String, Doubt)>,
    /// Whether the module goes on when it is not there.
    pub need: Need,
    /// Where the specifier stands.
    pub place: Place,
}

/// Why a name that an import asks for is not like the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Doubt {
    /// It is asked of the namespace (`ns.name`), which may be to see whether it is there.
    Member,
    /// TypeScript passes it on, or keeps it for decorators: it may be a type, of which nothing is left.
    Type,
    /// It is imported and not used.
    Unused,
}

/// Whether a module can do without one that it imports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Need {
    /// It cannot.
    #[default]
    Needed,
    /// It asks only where a failure is caught: `try { require("x") } catch {}`, `import("x").catch(f)`.
    Tried,
}

/// A name that only the host can give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Global {
    /// The name.
    pub name: String,
    /// Where it is used first.
    pub place: Place,
}

/// How a module is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ImportKind {
    /// `import … from`, `export … from`, `import "x"`.
    Static,
    /// `require("x")`.
    Require,
    /// `import("x")`: a chunk of its own.
    Dynamic,
    /// `new URL("./x", import.meta.url)`: where the file is to be had.
    Url,
    /// `new Worker(new URL("./x", import.meta.url))`, or a `SharedWorker`: a program of its own.
    Worker,
}

/// Which exports of the imported module are used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportedNames {
    /// All, or it cannot be told.
    All,
    /// Only these; none for `import "x"`.
    Some(Vec<String>),
}

/// What a module exports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exports {
    /// In which form.
    pub form: ExportForm,
    /// Names with the place of each, in source order, without repeats.
    pub names: Vec<(String, Place)>,
    /// Whether there may be more than the names tell (`export *`, `module.exports = f()`, `exports[x] = …`).
    pub open: bool,
    /// Numbers of the imports that `export *` passes on.
    pub stars: Vec<u32>,
}

/// In which form a module exports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportForm {
    /// It exports nothing.
    #[default]
    None,
    /// `exports.x = …` and its relatives.
    CommonJs,
    /// `export …`.
    Esm,
}

/// A static mention of a place in an API tree, as in `SS.server.app.square`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Which tree.
    pub tree: Tree,
    /// The parts behind the tree's name, as far as they are static.
    pub path: Vec<String>,
    /// Whether the path goes on with something that cannot be told (`SS.server[name]`).
    pub dynamic: bool,
    /// Whether it is called where it stands.
    pub called: bool,
    /// Whether it stands in code that runs when the module is evaluated, outside all functions.
    pub top_level: bool,
    /// Where.
    pub place: Place,
}

/// A static mention of a member of `SS` that is no tree, as in `SS.templates['people-info']`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The parts behind `SS`, as far as they are static; at least one.
    pub path: Vec<String>,
    /// Where.
    pub place: Place,
}

/// A variable of the environment that is read, as in `process.env.HOME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Where.
    pub place: Place,
}

/// One of the API trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tree {
    /// `SS.client`.
    Client,
    /// `SS.shared`.
    Shared,
    /// `SS.server`.
    Server,
}

/// One action of a server file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionMeta {
    /// Keys from `exports.actions` down: `["square"]`, `["admin", "reset"]`.
    pub path: Vec<String>,
    /// Names of the data parameters (patterns are named `arg1`, `arg2`, …), without the callback.
    pub params: Vec<String>,
    /// Whether the last takes all further arguments.
    pub rest: bool,
    /// How it answers.
    pub style: AnswerStyle,
    /// Whether the file says `exports.authenticate = true`.
    pub guard: bool,
    /// Where the function stands.
    pub place: Place,
}

/// How an action answers its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnswerStyle {
    /// Through its last plain parameter.
    Callback,
    /// By its return value or promise.
    Value,
}
