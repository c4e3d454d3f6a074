//! The manifest of a build, from all that is known of it.

use std::collections::BTreeMap;

use ssbuild_server::manifest::{self, Api, Bundle, Manifest, Tool};

use super::assembly::{INCOMPATIBLE, SERVER_BUNDLE, SERVER_MAP, config_path};
use crate::{build::Sealed, bundle::Script, config::Settings, copies::Copied, needs::Chosen};

/// What lies beside the server's bundle.
pub(super) struct Beside {
    pub hooks: Vec<manifest::Hook>,
    pub files: Vec<String>,
    pub packages: Vec<Copied>,
}

/// All that a manifest says and the sealed files do not.
pub(super) struct Described<'a> {
    pub app: String,
    pub pages: BTreeMap<String, manifest::Page>,
    pub chunks: BTreeMap<String, String>,
    pub templates: Vec<String>,
    pub page_scripts: BTreeMap<String, Script>,
    pub api: Api,
    pub engine: Chosen,
    pub beside: Beside,
    pub settings: &'a Settings,
}

/// The manifest of a build whose files are final.
pub(super) fn describe(sealed: &Sealed, described: Described<'_>) -> Manifest {
    let Described { app, pages, chunks, templates, page_scripts, api, engine, beside, settings } = described;
    let bundle = |name: &str| {
        let there =
            |ending: &str| Some(format!("{name}.{ending}")).filter(|logical| sealed.assets.contains_key(logical));
        (name.to_owned(), Bundle { script: there("js"), style: there("css") })
    };
    let Beside { hooks, files, packages } = beside;
    let folder = format!("builds/{}/server", sealed.id);
    Manifest {
        schema: manifest::SCHEMA,
        build_id: sealed.id.clone(),
        env: settings.env.clone(),
        tool: Tool { name: "ssbuild".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        app,
        cdn_base: settings.config.build.cdn_base.clone(),
        pages,
        bundles: ["lib", "app"].into_iter().chain(page_scripts.keys().map(String::as_str)).map(bundle).collect(),
        chunks,
        assets: sealed.assets.clone(),
        files: sealed.served.clone(),
        incompatible_browsers: sealed
            .private
            .iter()
            .filter_map(|(path, file)| Some((path.strip_prefix(INCOMPATIBLE)?.to_owned(), file.clone())))
            .collect(),
        server: manifest::Server {
            engine: engine.engine,
            engine_reason: engine.reason,
            bundle: sealed.private[SERVER_BUNDLE].clone(),
            map: sealed.private.get(SERVER_MAP).cloned(),
            config: settings.sources.iter().map(|source| sealed.private[&config_path(&source.name)].clone()).collect(),
            hooks,
            files: files.iter().map(|path| sealed.private[&format!("server/{path}")].clone()).collect(),
            packages: packages.iter().map(|package| package.described(&folder)).collect(),
        },
        api,
        templates,
        client_config: settings.config.client.clone(),
    }
}
