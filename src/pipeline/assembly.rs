//! The files of a build, each in its place.

use std::sync::Arc;

use ssbuild_server::config::Maps;

use super::{Error, chunk_path, compiled::Compiled};
use crate::{
    build::{Build, Sealed},
    bundle::{Script, Staged},
    incompatible, licenses,
    scripts::Scripts,
    session::Session,
};

impl Compiled<'_> {
    /// Puts everything but the pages in its place, and hashes and compresses what is there.
    pub(super) fn seal(&self, scripts: &mut Scripts, texts: Texts, session: &Session) -> Result<Sealed, Error> {
        let Self { disk, project, settings, public, sheets, .. } = self;
        let mut build = Build::default();
        for (path, bytes) in public.public() {
            build.file(&path, bytes);
        }
        for file in public.named()? {
            build.asset(&file.logical, file.bytes);
        }
        let styles = sheets.bundles.iter().map(|(name, sheet)| {
            (format!("{name}.css"), sheet.css.clone().into_bytes(), sheet.map.clone().map(String::into_bytes))
        });
        let chunks = scripts.chunks.iter_mut().map(|(id, script)| (chunk_path(id), script));
        let bundles = [("lib.js".to_owned(), &mut scripts.lib), ("app.js".to_owned(), &mut scripts.app)];
        let pages = scripts.pages.iter_mut().map(|(page, script)| (format!("{page}.js"), script));
        let mut scripts_and_maps = Vec::new();
        for (name, script) in bundles.into_iter().chain(pages).chain(chunks) {
            let Staged { code: staged, map: staged_map } = std::mem::take(&mut script.staged);
            let (code, map) = texts.of(script);
            if let Some(file) = staged_map {
                build.staged_private(&format!("maps/{name}.map"), file);
            }
            match staged {
                Some((file, integrity)) => build.staged_asset(&name, code, file, integrity),
                None => scripts_and_maps.push((name, code, map)),
            }
        }
        let workers = scripts.workers.iter().map(|worker| {
            let (code, map) = worker.script.clone().take();
            (worker.logical.clone(), code, map)
        });
        for (name, code, map) in styles.chain(scripts_and_maps).chain(workers) {
            match (map, settings.config.build.maps) {
                (Some(map), Maps::Linked) => build.mapped_asset(&name, code, map),
                (Some(map), _) => {
                    build.asset(&name, code);
                    build.private(&format!("maps/{name}.map"), map);
                }
                (None, _) => build.asset(&name, code),
            }
        }
        if let Some(text) = licenses::text(&***disk, &project.root, scripts, sheets)? {
            build.private(licenses::FILE, text.into_bytes());
        }
        for (path, bytes) in incompatible::read(&***disk, &project.root)? {
            build.private(&format!("{INCOMPATIBLE}{path}"), bytes);
        }
        let Staged { code: staged, map: staged_map } = std::mem::take(&mut scripts.server.staged);
        let (code, map) = texts.of(&mut scripts.server);
        match staged {
            Some((file, _)) => build.staged_private(SERVER_BUNDLE, file),
            None => build.private(SERVER_BUNDLE, code),
        }
        match (map, staged_map) {
            (_, Some(file)) => build.staged_private(SERVER_MAP, file),
            (Some(map), None) => build.private(SERVER_MAP, map),
            (None, None) => {}
        }
        for (path, bytes) in &scripts.server_files {
            build.private(&format!("server/{path}"), bytes.clone());
        }
        for package in &scripts.packages {
            for (path, bytes) in &package.files {
                build.private(&format!("server/{}/{path}", package.folder), Arc::clone(bytes));
            }
            for path in &package.programs {
                build.program(&format!("server/{}/{path}", package.folder));
            }
        }
        for source in &settings.sources {
            build.private(&config_path(&source.name), source.text.clone().into_bytes());
        }
        let client = serde_json::to_string(&settings.config.client).expect("a configuration is JSON");
        let views = self.own.fingerprint();
        let salt = [env!("CARGO_PKG_VERSION"), &settings.env, &scripts.engine.reason, views.as_str(), &client];
        build.seal(settings.config.build.compress, &salt, session.cache()).map_err(Error::Compress)
    }
}

/// What becomes of the scripts' texts, which are large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    Taken,
    Copied,
}

impl Texts {
    fn of(self, script: &mut Script) -> (Vec<u8>, Option<Vec<u8>>) {
        match self {
            Self::Taken => script.take(),
            Self::Copied => script.clone().take(),
        }
    }
}

/// Where the files for browsers lie that cannot run the app.
pub(super) const INCOMPATIBLE: &str = "static/incompatible_browsers/";
pub(super) const SERVER_BUNDLE: &str = "server/server.js";
pub(super) const SERVER_MAP: &str = "maps/server.js.map";

pub(super) fn config_path(name: &str) -> String {
    format!("server/config/{name}")
}
