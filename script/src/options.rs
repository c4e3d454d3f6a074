use serde::{Deserialize, Serialize};

/// One script, as it was read.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Path below the app (or `node_modules/…`, or below a linked folder), with `/`: used in diagnostics and maps.
    pub path: &'a str,
    /// The text.
    pub text: &'a str,
    /// What to parse it as.
    pub language: Language,
}

/// What a script is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// `.js`, `.mjs`, `.cjs`: whether it is a module is seen from its `import`, `export` and `import.meta`. JSX is accepted in `.js`.
    JavaScript,
    /// `.jsx`.
    Jsx,
    /// `.ts`, `.mts`, `.cts`.
    TypeScript,
    /// `.tsx`.
    Tsx,
    /// `.json`: a module whose exports are the value.
    Json,
}

/// How to compile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Options {
    /// What the code becomes.
    pub wrap: Wrap,
    /// How small.
    pub minify: Minify,
    /// Whether to make a [`crate::MapChunk`].
    pub source_map: bool,
    /// Whether to read `exports.actions`, `exports.authenticate` and `exports.style`.
    pub read_actions: bool,
    /// Expressions replaced by a value while compiling: `process.env.NODE_ENV` to `"production"`. Values are JavaScript text.
    /// A `*` at the end stands for any end; the first that fits is taken.
    pub defines: Vec<(String, String)>,
    /// What the app's `tsconfig.json` decides.
    pub typescript: crate::TypeScript,
    /// Whether what nobody uses is left out.
    pub shake: crate::Shake,
    /// Where the code will run.
    pub side: Side,
    /// Brackets deeper than this are refused before the parser sees them.
    pub depth_limit: u32,
}

/// Where code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// In a browser.
    Browser,
    /// Behind the server: what it needs of the host is noted, and `__dirname` and `__filename` are known.
    Server,
}

/// What the code becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Wrap {
    /// `function(module,exports,require){…}`: private to itself, the form of every app module.
    Module,
    /// Statements that can share one function with those of others: [`crate::Joint`] tells what is left open in them. What cannot be
    /// written like that becomes a [`Wrap::Module`].
    Joined,
    /// The program's own text, for `lib/client`: top-level names stay global and are not mangled.
    Plain,
}

/// How small the code is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Minify {
    /// Readable.
    Off,
    /// One syntax pass and short names: most of the gain for a fraction of the time.
    Fast,
    /// swc's compressor as well.
    Max,
}
