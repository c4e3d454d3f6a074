use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the helper is asked for: one file.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Job<'a> {
    pub(super) language: Language,
    /// Path below the app.
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    /// What a page may name; templates may name nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) locals: Option<Value>,
}

/// The helper's languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    Coffee,
    Stylus,
    /// Dart Sass.
    Sass,
    /// Jade too: the file's ending tells.
    Pug,
}

/// What the helper says when it is ready.
#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    /// Of Node.js.
    pub(super) version: String,
}

/// What became of a job.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) files_read: Vec<String>,
    pub(super) files_missed: Vec<String>,
    pub(super) files_hashed: Vec<(String, String)>,
    /// What the package said by the way.
    pub(super) warnings: Vec<String>,
    #[serde(flatten)]
    pub(super) result: Outcome,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Done(Done),
    Failed(Failed),
}

#[derive(Debug, Deserialize)]
pub(super) struct Done {
    pub(super) text: String,
    /// Of a source map, for scripts and sheets.
    pub(super) mappings: Option<String>,
    /// The files that it names; a script's is its own.
    #[serde(default)]
    pub(super) sources: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Failed {
    /// The app does not have this package.
    Missing { missing: String },
    /// The package refused the file.
    Refused(Complaint),
}

/// What a package has to say against a file.
#[derive(Debug, Deserialize)]
pub(super) struct Complaint {
    pub(super) message: String,
    /// Path below the app; not always that of the job.
    pub(super) file: String,
    /// Counted from 1, as all here, in characters.
    #[serde(default)]
    pub(super) line: u32,
    #[serde(default)]
    pub(super) column: u32,
    #[serde(default)]
    pub(super) length: u32,
    /// The line itself.
    #[serde(default)]
    pub(super) source: String,
    /// Whether it named a file that it may not read.
    #[serde(default)]
    pub(super) refused: bool,
    /// Whether the package itself does not work.
    #[serde(default)]
    pub(super) broken: bool,
    /// Whether the stack was used up.
    #[serde(default)]
    pub(super) deep: bool,
}
