use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};
use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_server::manifest::Segment;

use super::{
    Allowed, CspInput, Head, Template, csp, head, html,
    jinja::{self, Rendered},
    pug,
    segments::cut,
};
use crate::{disk::Disk, project::without_bom, style::UrlResolver};

/// What all pages of an app are made of.
pub struct ViewInput<'a> {
    /// Reads what pages include and extend.
    pub disk: &'a dyn Disk,
    /// The app's folder, absolute.
    pub root: &'a std::path::Path,
    /// Name of the environment, for pages that ask.
    pub env: &'a str,
    /// `config.client`, for pages that ask.
    pub client_config: &'a Map<String, Value>,
    /// Answers `asset('images/logo.png')`: asked for `public/images/logo.png`, it gives a URL that begins with `/`.
    pub assets: Arc<dyn UrlResolver>,
    /// The client-side templates, which stand in every page.
    pub templates: &'a [Template],
    /// What the policy has to allow beside what the page itself shows.
    pub csp: CspInput<'a>,
    /// The pages.
    pub pages: Vec<PageInput>,
}

/// One page.
#[derive(Debug, Clone)]
pub struct PageInput {
    /// Where it is served: `/`, `/admin`.
    pub route: String,
    /// Path below the app folder, as in `app/views/app.html`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What goes into its head.
    pub head: Head,
    /// What the page's scripts make its policy allow.
    pub allowed: Allowed,
}

/// A page ready for the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedPage {
    /// Where it is served.
    pub route: String,
    /// Its text, cut where the base URL of the assets goes.
    pub segments: Vec<Segment>,
    /// Its policy: directive to sources. Empty when the app wants none.
    pub csp: BTreeMap<String, Vec<String>>,
    /// Files it includes or extends, sorted.
    pub files_read: Vec<String>,
    /// Files it looked for in vain, sorted.
    pub files_missed: Vec<String>,
}

/// Renders every page. A page that cannot be rendered is left out and told in the diagnostics.
pub fn render_pages(input: &ViewInput<'_>) -> (Vec<RenderedPage>, Vec<Diagnostic>) {
    let mut diagnostics = input.csp.check();
    let mut pages = Vec::new();
    for page in &input.pages {
        match render(input, page) {
            Ok(page) => pages.push(page),
            Err(found) => diagnostics.extend(found),
        }
    }
    (pages, diagnostics)
}

fn render(input: &ViewInput<'_>, page: &PageInput) -> Result<RenderedPage, Vec<Diagnostic>> {
    // Browsers read line ends as LF; so do the hashes of inline scripts.
    let text = without_bom(&page.text).replace("\r\n", "\n");
    let name = page.path.rsplit('/').next().unwrap_or_default();
    let rendered = match name.rsplit('.').next() {
        Some("html" | "htm") => plain(page, &text)?,
        Some("jinja" | "j2") => jinja::render(input, page, &text)?,
        Some("pug" | "jade") => pug::place(input, page, &text)?,
        other => {
            let language = other.unwrap_or(name);
            return Err(vec![
                Diagnostic::new(Code::LanguageUnsupported, format!("pages in `.{language}` are not compiled"))
                    .at(Place::file(&page.path), "")
                    .help("Write it as `.html`, `.html.jinja`, `.jinja`, `.j2`, `.pug` or `.jade`."),
            ]);
        }
    };
    let own = html::scan(&rendered.text);
    let loading = head::Loading::of(&own);
    let tags = head::tags(&page.head, input.templates, loading);
    // In a script or a handler, the base would change the text whose hash is in the policy.
    let bases = rendered.bases.iter().filter(|at| !own.is_code(**at)).map(|at| (*at, vec![Segment::AssetBase]));
    let cuts = [(rendered.tag_at, tags)].into_iter().chain(bases).collect();
    Ok(RenderedPage {
        route: page.route.clone(),
        segments: cut(&rendered.text, cuts),
        csp: csp::policy(&input.csp, &own, page.allowed),
        files_read: rendered.files_read,
        files_missed: rendered.files_missed,
    })
}

/// A page that is never rendered: only the tag is found.
fn plain(page: &PageInput, text: &str) -> Result<Rendered, Vec<Diagnostic>> {
    let Some(tag) = html::find_tag(text) else {
        return Err(vec![no_tag(&page.path, "<SocketStream>")]);
    };
    Ok(Rendered {
        text: format!("{}{}", &text[..tag.start], &text[tag.end..]),
        tag_at: tag.start,
        bases: Vec::new(),
        files_read: Vec::new(),
        files_missed: Vec::new(),
    })
}

/// The page does not say where its scripts and styles go.
pub(super) fn no_tag(path: &str, tag: &str) -> Diagnostic {
    Diagnostic::new(Code::ViewNoTag, format!("the page has no `{tag}`"))
        .at(Place::file(path), "")
        .help(format!("Write `{tag}` into its `<head>`, where scripts and styles shall go."))
}
