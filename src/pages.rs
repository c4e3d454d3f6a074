//! The app's pages and client-side templates, read and rendered.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::json;
use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_server::manifest::{Asset, Page, Segment};

use crate::{
    asset::Fingerprint,
    build::Sealed,
    config::Settings,
    disk::{Disk, DiskError},
    project::{Entry, Format, Project, Role},
    public::{FromPages, PublicFiles, url_path},
    remembered::Compilers,
    sheets::Origins,
    style::UrlResolver,
    view::{
        Allowed, CspInput, Head, HeadAsset, PageInput, RenderedPage, Template, TemplateSource, ViewInput,
        collect_templates, render_pages,
    },
};

/// What the views are, before they know what they will name.
pub struct Views<'a> {
    disk: &'a dyn Disk,
    project: &'a Project,
    settings: &'a Settings,
    public: Arc<PublicFiles>,
    pages: Vec<Source>,
    templates: Vec<Template>,
}

/// What scripts and stylesheets make the policy allow.
#[derive(Debug)]
pub struct Policy {
    /// Whether a script evaluates text as code.
    pub evals: bool,
    /// Pages whose scripts compile WebAssembly; `app` is part of all.
    pub wasm: BTreeSet<String>,
    /// Pages whose scripts start workers of scripts that they make themselves.
    pub blobs: BTreeSet<String>,
    /// Hosts that stylesheets load from.
    pub origins: Origins,
}

/// What views are apart from the head that a build gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnViews {
    /// Route to the hash of the page's own text and policy.
    pub pages: BTreeMap<String, Fingerprint>,
    /// Id to text.
    pub templates: BTreeMap<String, String>,
}

impl OwnViews {
    /// Of all of them.
    pub fn fingerprint(&self) -> Fingerprint {
        let pages: BTreeMap<&str, &str> =
            self.pages.iter().map(|(route, page)| (route.as_str(), page.as_str())).collect();
        Fingerprint::of(&serde_json::to_vec(&(pages, &self.templates)).expect("texts are plain data"))
    }
}

/// One page.
struct Source {
    name: String,
    path: String,
    text: String,
}

impl<'a> Views<'a> {
    /// Reads pages and templates.
    pub fn read(
        disk: &'a dyn Disk,
        project: &'a Project,
        settings: &'a Settings,
        public: &Arc<PublicFiles>,
        compilers: &Compilers<'_>,
    ) -> Result<(Self, Vec<Diagnostic>), DiskError> {
        let mut found = Vec::new();
        let mut pages: Vec<Source> = Vec::new();
        let names = project.pages();
        let mut templates = Vec::new();
        for entry in project.of(Role::View) {
            let is_page = !entry.below_role().contains('/');
            // What stands beside the pages is for them to include and extend.
            if is_page && !(entry.is_page_view() && names.contains(&entry.tree_path())) {
                continue;
            }
            let Ok(mut text) = String::from_utf8(disk.read(&project.root.join(&entry.path))?) else {
                let message = format!("`{}` is not UTF-8", entry.path);
                found.push(Diagnostic::new(Code::FileUnreadable, message).at(Place::file(&entry.path), ""));
                continue;
            };
            if entry.format == Format::Pug {
                let made = match is_page {
                    true => compilers.page(&entry.path, &text, &settings.env, &settings.config.client),
                    false => compilers.template(&entry.path, &text),
                };
                let failed = made.diagnostics.iter().any(Diagnostic::is_error);
                found.extend(made.diagnostics);
                if failed {
                    continue;
                }
                text = made.text;
            }
            if !is_page {
                templates.push(TemplateSource { path: entry.path.clone(), text });
                continue;
            }
            if let Some(other) = pages.iter().find(|page| page.name == entry.tree_path()) {
                found.push(two_pages(other, entry));
                continue;
            }
            pages.push(Source { name: entry.tree_path().to_owned(), path: entry.path.clone(), text });
        }
        let (templates, problems) = collect_templates(&templates);
        found.extend(problems);
        Ok((Self { disk, project, settings, public: Arc::clone(public), pages, templates }, found))
    }

    /// Ids of the templates.
    pub fn template_ids(&self) -> Vec<String> {
        self.templates.iter().map(|template| template.id.clone()).collect()
    }

    /// Renders the pages for what is wrong with them, and so that the files they name are known before the build is sealed.
    pub fn rehearse(&self, policy: &Policy) -> (OwnViews, Vec<Diagnostic>) {
        let (_, mut found) = self.preloads();
        let (pages, more) = self.render(|_| Head::default(), &[], policy);
        found.extend(more);
        let pages = pages.into_iter().map(|page| {
            let bytes = serde_json::to_vec(&(&page.segments, &page.csp)).expect("a page is plain data");
            (page.route, Fingerprint::of(&bytes))
        });
        let templates = self.templates.iter().map(|template| (template.id.clone(), template.text.clone()));
        (OwnViews { pages: pages.collect(), templates: templates.collect() }, found)
    }

    /// Renders the pages of a sealed build: route to page. What is wrong with them has been said at the rehearsal.
    pub fn pages(
        &self,
        sealed: &Sealed,
        app: &str,
        chunks: &BTreeMap<String, String>,
        policy: &Policy,
    ) -> BTreeMap<String, Page> {
        let asset = |logical: &str| sealed.assets.get(logical).map(head_asset);
        let chunks: BTreeMap<&str, [String; 2]> = chunks
            .iter()
            .map(|(id, logical)| {
                let HeadAsset { url, integrity } = head_asset(&sealed.assets[logical]);
                (id.as_str(), [url, integrity])
            })
            .collect();
        let data = json!({
                "build": sealed.id,
                "env": self.settings.env,
                "app": app,
                "socket": null,
                "config": self.settings.config.client,
                "chunks": chunks,
                // Last, and empty: where the base of the assets is filled in.
                "base": "",
        });
        let (preloads, _) = self.preloads();
        let head = |page: &str| {
            // A page has what all pages have, and its own.
            let bundles: Vec<&str> = ["lib", "app", page].into_iter().take(if page == "app" { 2 } else { 3 }).collect();
            let assets = |ending: &str| bundles.iter().filter_map(|name| asset(&format!("{name}.{ending}"))).collect();
            Head { preloads: preloads.clone(), styles: assets("css"), scripts: assets("js"), data: data.clone() }
        };
        let (pages, _) = self.render(head, &self.templates, policy);
        pages.into_iter().map(|page| (page.route, Page { segments: page.segments, csp: page.csp })).collect()
    }

    /// The URLs of `build.preload`.
    fn preloads(&self) -> (Vec<String>, Vec<Diagnostic>) {
        let (mut urls, mut found) = (Vec::new(), Vec::new());
        for name in &self.settings.config.build.preload {
            let file = format!("public/{}", name.trim_start_matches('/'));
            match FromPages(Arc::clone(&self.public)).url_of(&file) {
                Some(url) => urls.push(url),
                None => {
                    let place = Place::file(self.settings.sources.first().map_or("config", |source| &source.file));
                    let message = format!("`build.preload` has `{name}`, and `{file}` is not there");
                    found.push(Diagnostic::new(Code::UrlUnresolved, message).at(place, ""));
                }
            }
        }
        (urls, found)
    }

    fn render(
        &self,
        head: impl Fn(&str) -> Head,
        templates: &[Template],
        policy: &Policy,
    ) -> (Vec<RenderedPage>, Vec<Diagnostic>) {
        let pages = self.pages.iter().map(|source| PageInput {
            route: route(&source.name),
            path: source.path.clone(),
            text: source.text.clone(),
            head: head(&source.name),
            allowed: Allowed {
                evals: policy.evals,
                wasm: is_of(&policy.wasm, &source.name),
                blob_workers: is_of(&policy.blobs, &source.name),
            },
        });
        let csp = &self.settings.config.csp;
        let mut extra = csp.extra.clone();
        for (directive, origins) in &policy.origins {
            extra.entry(directive.clone()).or_default().extend(origins.iter().cloned());
        }
        render_pages(&ViewInput {
            disk: self.disk,
            root: &self.project.root,
            env: &self.settings.env,
            client_config: &self.settings.config.client,
            assets: Arc::new(FromPages(Arc::clone(&self.public))),
            templates,
            csp: CspInput { enabled: csp.enabled, extra: &extra },
            pages: pages.collect(),
        })
    }
}

/// Whether something is among the scripts of a page.
fn is_of(pages: &BTreeSet<String>, page: &str) -> bool {
    ["app", page].iter().any(|name| pages.contains(*name))
}

fn head_asset(asset: &Asset) -> HeadAsset {
    let below = asset.file.strip_prefix("public").expect("assets lie below `public`");
    HeadAsset { url: url_path(below), integrity: asset.integrity.clone() }
}

fn two_pages(first: &Source, second: &Entry) -> Diagnostic {
    Diagnostic::new(Code::NameConflict, format!("two files are the page `{}`", first.name))
        .at(Place::file(&first.path), "this one")
        .at(Place::file(&second.path), "and this one")
        .help("Keep one of them, or begin the other's name with `_`.")
}

/// Where a page of that name is served.
pub fn route(page: &str) -> String {
    if page == "app" { "/".to_owned() } else { format!("/{page}") }
}

/// Where a page lies among the files of a static host.
pub fn page_file(route: &str) -> String {
    match route.trim_start_matches('/') {
        "" => "index.html".to_owned(),
        route => format!("{route}/index.html"),
    }
}

/// A page as a static host serves it.
pub fn page_text(page: &Page, cdn_base: Option<&str>) -> String {
    page.segments
        .iter()
        .map(|segment| match (segment, cdn_base) {
            (Segment::Text(text), _) => text.as_str(),
            (Segment::AssetBase, Some(base)) => base,
            (Segment::CrossOrigin, Some(_)) => " crossorigin",
            (Segment::AssetBase | Segment::CrossOrigin, None) => "",
        })
        .collect()
}
