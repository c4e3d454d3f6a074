//! What a deploy would break for pages that are open now: the manifest they came from against the app as it is.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use serde::{Deserialize, Serialize};
use ssbuild_diagnostic::{Code, Diagnostic, Place, Severity};
use ssbuild_script::Tree;
use ssbuild_server::manifest::{Action, Api, FILE_NAME, SCHEMA, Style};
use ssbuild_server::skew::{Fate, Signature};

use crate::{api_tree::spoken, nearest::did_you_mean};

/// What an open page may ask of a server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Offered {
    /// The trees.
    pub api: Api,
    /// Where each action's function stands, by its path.
    pub places: BTreeMap<String, Place>,
    /// Path in the tree to file, of server files.
    pub files: BTreeMap<String, String>,
    /// The app's name, which the session's cookie carries.
    pub app: String,
    /// Routes of the pages.
    pub routes: BTreeSet<String>,
    /// URL paths of the files that are served under their own names.
    pub served: BTreeSet<String>,
}

/// The manifest of a build that is in use, as much of it as is compared. What later versions add is passed over.
#[derive(Debug, Deserialize)]
pub struct Deployed {
    schema: u32,
    app: String,
    api: DeployedApi,
    pages: BTreeMap<String, serde::de::IgnoredAny>,
    files: BTreeMap<String, serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct DeployedApi {
    server: BTreeMap<String, DeployedAction>,
}

#[derive(Debug, Deserialize)]
struct DeployedAction {
    #[serde(flatten)]
    signature: Signature,
    style: Style,
    #[serde(default)]
    guard: bool,
}

impl Deployed {
    /// Reads a manifest; the error is a sentence.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let deployed: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("it is no manifest of a build: {error}"))?;
        if deployed.schema > SCHEMA {
            return Err(format!("it has schema {}, and this ssbuild knows schemas up to {SCHEMA}", deployed.schema));
        }
        Ok(deployed)
    }

    /// The file that is meant by a path to a manifest or to a folder of builds.
    pub fn file(path: &std::path::Path) -> std::path::PathBuf {
        if path.is_dir() { path.join(FILE_NAME) } else { path.to_owned() }
    }

    /// One finding for each thing that an open page would miss.
    pub fn compare(&self, now: &Offered) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (path, before) in &self.api.server {
            let after = now.api.server.get(path);
            match before.signature.fate(after) {
                Fate::Gone => found.push(removed(path, now)),
                Fate::Other => found.extend(after.map(|after| otherwise(path, &before.signature, after, now))),
                Fate::Same => {}
            }
            found.extend(after.into_iter().flat_map(|after| changed(path, before, after, now)));
        }
        if self.app != now.app {
            let message = format!(
                "the app's name was `{}` and is `{}` now: the session's cookie has another name",
                self.app, now.app
            );
            found.push(
                finding(message, Place::file("config"))
                    .help("Everybody is logged out. Keep the old name in `name` of the configuration."),
            );
        }
        for route in self.pages.keys().filter(|route| !now.routes.contains(*route)) {
            let place = Place::file("app/views");
            found.push(
                finding(format!("the page `{route}` is not there any more"), place)
                    .help("Who reloads it gets a 404; leave a page that leads on."),
            );
        }
        for path in self.files.keys().filter(|path| !now.served.contains(*path)) {
            let place = Place::file(format!("public{path}"));
            found.push(
                finding(format!("`{path}` is not served any more"), place)
                    .help("Open pages and bookmarks may ask for it; remove it with the next deploy but one."),
            );
        }
        found
    }
}

fn finding(message: String, place: Place) -> Diagnostic {
    Diagnostic::new(Code::BreaksOpenTabs, message).at(place, "")
}

fn removed(path: &str, now: &Offered) -> Diagnostic {
    // The place to look at is the file that had it, or the folder, as far as there is one.
    let file = path.match_indices('/').rev().find_map(|(end, _)| now.files.get(&path[..end]));
    let place = Place::file(file.map_or("app/server", String::as_str));
    let found = finding(format!("the action `{}` is not there any more", name(path)), place);
    let names: Vec<String> = now.api.server.keys().map(|path| name(path)).collect();
    let found = match did_you_mean(&name(path), names.iter().map(String::as_str)) {
        Some(near) => found.help(near),
        None => found,
    };
    found.help("Open pages that call it get `stale_client`; keep it until they have been reloaded.")
}

/// The parameters are others: what is said of them names the kind of the change.
fn otherwise(path: &str, before: &Signature, after: &Action, now: &Offered) -> Diagnostic {
    let (old, new) = (list(&before.params, before.rest), list(&after.params, after.rest));
    let what = match before.params.len().cmp(&after.params.len()) {
        _ if before.rest && !after.rest => "does not take any number of parameters now",
        _ if after.rest && !before.rest => "takes any number of parameters now",
        Ordering::Greater => "takes fewer parameters",
        Ordering::Less => "takes more parameters",
        Ordering::Equal if is_reordered(&before.params, &after.params) => "takes its parameters in another order",
        Ordering::Equal => "has other names for its parameters",
    };
    let message = format!("the action `{}` {what}: it took {old}, and takes {new} now", name(path));
    finding(message, place(path, now)).help(
        "Open pages that call it get `stale_client`; leave it as it was, and put a new action beside it until they have been reloaded.",
    )
}

fn changed(path: &str, before: &DeployedAction, after: &Action, now: &Offered) -> Vec<Diagnostic> {
    let name = name(path);
    let mut found = Vec::new();
    if after.guard && !before.guard {
        found.push(
            finding(format!("the action `{name}` wants a login now"), place(path, now))
                .help("Open pages without a login get `not_authenticated`."),
        );
    }
    if before.style != after.style {
        let word = |style| if style == Style::Callback { "through a callback" } else { "by value" };
        let message =
            format!("the action `{name}` answered {} and answers {} now", word(before.style), word(after.style));
        let mut note = finding(message, place(path, now));
        // The wire is the same for both.
        note.severity = Severity::Note;
        found.push(note.help("Open pages do not notice. Server code that calls it may."));
    }
    found
}

/// Where the action stands now.
fn place(path: &str, now: &Offered) -> Place {
    now.places.get(path).cloned().unwrap_or_else(|| Place::file("app/server"))
}

/// Whether the same names stand in another order.
fn is_reordered(before: &[String], after: &[String]) -> bool {
    let sorted = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>();
    before != after && sorted(before) == sorted(after)
}

fn list(params: &[String], rest: bool) -> String {
    let last = params.len().saturating_sub(1);
    let names =
        params.iter().enumerate().map(|(n, name)| if rest && n == last { format!("...{name}") } else { name.clone() });
    format!("({})", names.collect::<Vec<_>>().join(", "))
}

fn name(path: &str) -> String {
    spoken(Tree::Server, &path.split('/').collect::<Vec<_>>())
}
