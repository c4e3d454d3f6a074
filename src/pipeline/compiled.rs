//! An app whose sources are compiled.

use std::sync::Arc;

use crate::{
    check::against::Offered,
    config::Settings,
    disk::{Disk, DiskError},
    pages::{OwnViews, Policy, Views, route},
    project::Project,
    public::PublicFiles,
    scripts::Scripts,
    sheets::Sheets,
    trees::Trees,
};

/// What the stages made of the sources, but for the scripts, which are taken apart at the end.
pub(super) struct Compiled<'a> {
    pub disk: &'a Arc<dyn Disk>,
    pub project: &'a Project,
    pub settings: &'a Settings,
    pub trees: &'a Trees,
    pub public: &'a PublicFiles,
    pub views: &'a Views<'a>,
    pub sheets: &'a Sheets,
    pub policy: &'a Policy,
    pub own: &'a OwnViews,
}

impl Compiled<'_> {
    /// What pages of this app may ask for, without building it.
    pub(super) fn offered(&self, scripts: Scripts) -> Result<Offered, DiskError> {
        Ok(Offered {
            api: scripts.api,
            places: scripts.places,
            files: self.trees.server.own().map(|(path, file)| (path.to_owned(), file.to_owned())).collect(),
            app: self.name()?,
            routes: self.project.pages().into_iter().map(route).collect(),
            served: self.public.public().into_iter().map(|(path, _)| format!("/{path}")).collect(),
        })
    }
}
