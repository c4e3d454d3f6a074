//! Files in the app's folders of which nothing is made.

use ssbuild_diagnostic::{Code, Diagnostic, Place};

use crate::{
    nearest::did_you_mean,
    project::{Entry, Format, Project, Role},
};

/// Endings of files that lie beside code and are for people and tools.
const QUIET: &[&str] = &["md", "markdown", "txt", "map", "snap"];
/// Endings of what stylesheets may name with `url()`; scripts import stylesheets.
const NAMED: &[&str] =
    &["avif", "eot", "gif", "ico", "jpeg", "jpg", "otf", "png", "svg", "ttf", "webp", "woff", "woff2"];
/// Endings of stylesheets in languages that are not compiled.
const STYLES: &[&str] = &["less", "pcss", "postcss", "sss"];
/// Endings of views in languages that are not rendered.
const VIEWS: &[&str] = &["ejs", "haml", "handlebars", "hbs", "mustache", "slim", "eco", "liquid", "njk"];
/// The folders of `app`.
const FOLDERS: [&str; 5] = ["client", "css", "server", "shared", "views"];

/// A finding for each file that is passed over; `is_linked` says whether a module imports it.
pub fn check(project: &Project, is_linked: impl Fn(&str) -> bool) -> Vec<Diagnostic> {
    let unused = project.entries.iter().filter_map(|entry| {
        let help = help(entry)?;
        let message = format!("nothing is made of `{}`", entry.path);
        (!is_linked(&entry.path))
            .then(|| Diagnostic::new(Code::FileUnused, message).at(Place::file(&entry.path), "").help(help))
    });
    unused.collect()
}

/// What is said of a folder of `app` that is none of the five, when it is likely a misspelt one.
pub fn folder(name: &str) -> Option<Diagnostic> {
    let near = did_you_mean(name, FOLDERS).filter(|_| !FOLDERS.contains(&name))?;
    let path = format!("app/{name}");
    let found = Diagnostic::new(Code::FileUnused, format!("nothing is made of the folder `{path}`"));
    Some(found.at(Place::file(path), "").help(near))
}

fn help(entry: &Entry) -> Option<String> {
    let name = entry.path.rsplit('/').next().expect("a path has a last part");
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match (entry.role, entry.format) {
        (Role::Client | Role::Shared | Role::Server, Format::Other) if ending.is_empty() || QUIET.contains(&ending) => {
            None
        }
        (Role::Client | Role::Shared, Format::Other) if NAMED.contains(&ending) => None,
        (Role::Client | Role::Shared | Role::Server, Format::Other) => Some(format!(
            "`.{ending}` is no language of scripts that ssbuild compiles. Compile it to JavaScript first, move it to `public` when it is to be served, or begin its name with `_`."
        )),
        (Role::Client | Role::Shared | Role::Server, Format::Html | Format::Jinja | Format::Pug) => {
            Some("Pages and templates belong in `app/views`.".to_owned())
        }
        (Role::Client | Role::Shared | Role::Server, Format::Css | Format::Scss | Format::Sass | Format::Stylus) => {
            Some("Stylesheets belong in `app/css`, where `app.*` imports them.".to_owned())
        }
        (Role::Css, Format::Other) if STYLES.contains(&ending) => {
            Some(format!("`.{ending}` is not compiled. Write it as `.scss`, `.sass`, `.css` or `.styl`."))
        }
        (Role::View, Format::Other) if VIEWS.contains(&ending) && !entry.below_role().contains('/') => {
            Some(format!("`.{ending}` is not rendered. Write the page as `.html`, `.jinja` or `.pug`."))
        }
        _ => None,
    }
}
