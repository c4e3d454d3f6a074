//! The manifest of a build, and the files that are made of it.

use std::{collections::BTreeMap, sync::Arc};

use ssbuild_server::{
    manifest::{self, Bundle, Manifest, Page, Tool},
    openapi,
};

use super::{
    assembly::{INCOMPATIBLE, SERVER_BUNDLE, SERVER_MAP, config_path},
    chunk_path,
    compiled::Compiled,
};
use crate::{
    build::Sealed,
    disk::{DiskError, Kind},
    hosts,
    output::Bytes,
    pages::{page_file, page_text},
    scripts::Scripts,
};

impl Compiled<'_> {
    /// Adds to a sealed build what names its files: the pages, what static hosts and other tools want to know, and the
    /// description of the HTTP API. Returns the manifest.
    pub(super) fn complete(&self, sealed: &mut Sealed, scripts: &Scripts) -> Result<Manifest, DiskError> {
        let app = self.name()?;
        let chunks = chunk_table(scripts);
        let pages = self.views.pages(sealed, &app, &chunks, self.policy);
        self.add_pages(sealed, &pages);
        self.add_hosts(sealed, &pages, &chunks)?;
        let manifest = self.describe(sealed, scripts, Named { app, pages, chunks });
        let document = openapi::document(&manifest, &self.settings.config.api);
        let mut openapi = serde_json::to_vec_pretty(&document).expect("plain data");
        openapi.push(b'\n');
        sealed.files.build.insert("openapi.json".to_owned(), openapi.into());
        Ok(manifest)
    }

    fn add_pages(&self, sealed: &mut Sealed, pages: &BTreeMap<String, Page>) {
        for (route, page) in pages {
            let text: Bytes = page_text(page, self.settings.config.build.cdn_base.as_deref()).into_bytes().into();
            let name = page_file(route);
            sealed.files.build.insert(format!("root/{name}"), Arc::clone(&text));
            sealed.files.public.insert(name, text);
        }
    }

    fn add_hosts(
        &self,
        sealed: &mut Sealed,
        pages: &BTreeMap<String, Page>,
        chunks: &BTreeMap<String, String>,
    ) -> Result<(), DiskError> {
        let config = &self.settings.config;
        let cdn_base = config.build.cdn_base.as_deref();
        let mut headers = hosts::headers(pages, sealed, cdn_base, config.csp.enabled).into_bytes();
        // Names with `_` are no files of `public`, but for this one: what the app says itself comes last.
        let own_headers = self.project.root.join("public").join(hosts::HEADERS);
        if let Some(Kind::File(_)) = self.disk.kind(&own_headers)? {
            headers.extend(self.disk.read(&own_headers)?);
        }
        sealed.files.public.insert(hosts::HEADERS.to_owned(), headers.into());
        if config.build.vite_manifest {
            let vite = hosts::vite(sealed, self.project, self.trees, chunks).into_bytes();
            sealed.files.public.insert(hosts::VITE.to_owned(), vite.into());
        }
        Ok(())
    }

    fn describe(&self, sealed: &Sealed, scripts: &Scripts, named: Named) -> Manifest {
        let Named { app, pages, chunks } = named;
        let settings = self.settings;
        let bundle = |name: &str| {
            let there =
                |ending: &str| Some(format!("{name}.{ending}")).filter(|logical| sealed.assets.contains_key(logical));
            (name.to_owned(), Bundle { script: there("js"), style: there("css") })
        };
        let private = |path: String| sealed.private[&path].clone();
        let folder = format!("builds/{}/server", sealed.id);
        Manifest {
            schema: manifest::SCHEMA,
            build_id: sealed.id.clone(),
            env: settings.env.clone(),
            tool: Tool { name: "ssbuild".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            app,
            cdn_base: settings.config.build.cdn_base.clone(),
            pages,
            bundles: ["lib", "app"].into_iter().chain(scripts.pages.keys().map(String::as_str)).map(bundle).collect(),
            chunks,
            assets: sealed.assets.clone(),
            files: sealed.served.clone(),
            incompatible_browsers: sealed
                .private
                .iter()
                .filter_map(|(path, file)| Some((path.strip_prefix(INCOMPATIBLE)?.to_owned(), file.clone())))
                .collect(),
            server: manifest::Server {
                engine: scripts.engine.engine,
                engine_reason: scripts.engine.reason.clone(),
                bundle: private(SERVER_BUNDLE.to_owned()),
                map: sealed.private.get(SERVER_MAP).cloned(),
                config: settings.sources.iter().map(|source| private(config_path(&source.name))).collect(),
                hooks: self.project.hooks().into_iter().map(|(hook, _)| hook).collect(),
                files: scripts.server_files.keys().map(|path| private(format!("server/{path}"))).collect(),
                packages: scripts.packages.iter().map(|package| package.described(&folder)).collect(),
            },
            api: scripts.api.clone(),
            templates: self.views.template_ids(),
            client_config: settings.config.client.clone(),
        }
    }
}

/// What pages are called, and what they may ask for by name.
struct Named {
    app: String,
    pages: BTreeMap<String, Page>,
    /// Chunk id to the logical path of its asset.
    chunks: BTreeMap<String, String>,
}

/// Chunk id to the logical path of its asset. The script of a page can be a chunk as well.
fn chunk_table(scripts: &Scripts) -> BTreeMap<String, String> {
    let chunks = scripts.chunks.keys().map(|id| (id.clone(), chunk_path(id)));
    let pages = scripts.page_chunks.iter().map(|(id, page)| (id.clone(), format!("{page}.js")));
    chunks.chain(pages).collect()
}
