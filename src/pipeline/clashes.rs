//! Files of `public` against what the build makes under the same names.

use ssbuild_diagnostic::{Code, Diagnostic, Place};

use super::chunk_path;
use crate::{
    disk::DiskError,
    pages::{page_file, route},
    project::Project,
    public::PublicFiles,
    scripts::Scripts,
};

/// Files of `public` that would take the place of something that the build makes.
pub(super) fn clashes(
    public: &PublicFiles,
    project: &Project,
    scripts: &Scripts,
) -> Result<Vec<Diagnostic>, DiskError> {
    let pages = project.pages();
    let bundles = pages.iter().chain(&["lib"]).flat_map(|name| [format!("{name}.js"), format!("{name}.css")]);
    let made: Vec<String> = bundles
        .chain(scripts.chunks.keys().map(|id| chunk_path(id)))
        .flat_map(|name| [format!("{name}.map"), name])
        .collect();
    let page_files: Vec<String> = pages.iter().map(|page| page_file(&route(page))).collect();
    let named = public.named()?.into_iter().map(|file| file.logical).filter(|name| made.contains(name));
    let shadowed = public.public().into_iter().map(|(path, _)| path).filter(|path| page_files.contains(path));
    let clash = |path: String, what: &str| {
        Diagnostic::new(Code::NameConflict, format!("`public/{path}` has the name of {what}"))
            .at(Place::file(format!("public/{path}")), "")
            .help("Rename it.")
    };
    let named = named.map(|path| clash(path, "a bundle, and is named by a stylesheet or page"));
    Ok(named.chain(shadowed.map(|path| clash(path, "a page of the app"))).collect())
}
