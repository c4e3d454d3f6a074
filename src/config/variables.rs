use std::collections::BTreeMap;

use ssbuild_diagnostic::{Code, Diagnostic, Place};

/// Prefix of the variables that a build may know, and a browser with it.
pub const PUBLIC_PREFIX: &str = "SS_PUBLIC_";

/// The part of a process's variables that may reach the output: all that begin with `SS_PUBLIC_`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicVariables(BTreeMap<String, String>);

impl PublicVariables {
    /// The public ones among these.
    pub fn among(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().filter(|(name, _)| name.starts_with(PUBLIC_PREFIX)).collect())
    }

    /// Name and value of each, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }
}

/// Variables that set keys which a build reads from files only: the output must not depend on who builds.
const BUILT: &[&str] = &["SS__BUILD__", "SS__CLIENT__", "SS__CSP__", "SS__CSS__", "SS__NAME"];

/// Whether a variable sets a key that is decided by the build, and is therefore not read.
pub fn is_unread(name: &str) -> bool {
    // The server fills this one in.
    if name == "SS__BUILD__CDN_BASE" {
        return false;
    }
    BUILT.iter().any(|start| if start.ends_with('_') { name.starts_with(start) } else { name == *start })
}

/// What is said of such a variable.
pub fn unread(name: &str) -> Diagnostic {
    let message = format!("the variable `{name}` has no effect: the app's files alone decide what a build holds");
    Diagnostic::new(Code::ConfigUnknown, message)
        .at(Place::file(name), "")
        .help("Set the key in `config`; a module there can read `process.env.SS_PUBLIC_…`.")
}
