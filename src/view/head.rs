use std::fmt::Write;

use serde_json::Value;
use ssbuild_server::manifest::Segment;

use super::{
    Template,
    escape::{attribute, json},
    html::Scan,
};

/// What goes into a page's head, in this order: preloads, styles, data, scripts; templates follow.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// URLs of files that something will name later.
    pub preloads: Vec<String>,
    /// Stylesheets: `lib` before `app`.
    pub styles: Vec<HeadAsset>,
    /// What the runtime client reads from `#ss-data`.
    pub data: Value,
    /// Scripts: `lib` before `app`.
    pub scripts: Vec<HeadAsset>,
}

/// A file that the head names.
#[derive(Debug, Clone)]
pub struct HeadAsset {
    /// Its URL below the base of the assets, beginning with `/`.
    pub url: String,
    /// Value of the `integrity` attribute.
    pub integrity: String,
}

/// When the head's scripts run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loading {
    /// After the page is parsed, while it is already shown.
    Deferred,
    /// Where they stand. Pages of 2011 call jQuery from scripts of their own, which run as they are parsed: the
    /// libraries must be there by then.
    Blocking,
}

impl Loading {
    pub(super) fn of(page: &Scan) -> Self {
        if page.runs_while_parsed { Self::Blocking } else { Self::Deferred }
    }
}

/// The tags, cut where the base of the assets goes.
pub(super) fn tags(head: &Head, templates: &[Template], loading: Loading) -> Vec<Segment> {
    let defer = match loading {
        Loading::Deferred => " defer",
        Loading::Blocking => "",
    };
    let mut tags = Vec::new();
    for url in &head.preloads {
        preload(&mut tags, url);
    }
    for style in &head.styles {
        asset(&mut tags, r#"<link rel="stylesheet" href=""#, style, "", ">\n");
    }
    text(&mut tags, "<script type=\"application/json\" id=\"ss-data\">".to_owned());
    let data = json(&head.data);
    // The host of the assets may be said when the page is served: chunks are looked for there as well.
    match data.strip_suffix("\"\"}").filter(|data| data.ends_with("\"base\":")) {
        Some(data) => {
            text(&mut tags, format!("{data}\""));
            tags.push(Segment::AssetBase);
            text(&mut tags, "\"}</script>\n".to_owned());
        }
        None => text(&mut tags, format!("{data}</script>\n")),
    }
    for script in &head.scripts {
        asset(&mut tags, r#"<script src=""#, script, defer, "></script>\n");
    }
    let mut all = String::new();
    for template in templates {
        let id = attribute(&template.id);
        writeln!(all, "<script type=\"text/html\" id=\"{id}\">{}</script>", template.text)
            .expect("writing to a string works");
    }
    text(&mut tags, all);
    // The page has its own line end behind the tag.
    if let Some(Segment::Text(last)) = tags.iter_mut().rfind(|tag| **tag != Segment::Text(String::new())) {
        last.truncate(last.trim_end_matches('\n').len());
    }
    tags
}

/// Fonts are always asked for as of another host (HTML, "fetch a preload").
fn preload(tags: &mut Vec<Segment>, url: &str) {
    let kind = match url.rsplit('.').next().unwrap_or_default() {
        "woff2" | "woff" | "ttf" | "otf" => "font",
        "avif" | "gif" | "ico" | "jpeg" | "jpg" | "png" | "svg" | "webp" => "image",
        "css" => "style",
        "js" | "mjs" => "script",
        _ => "fetch",
    };
    text(tags, format!("<link rel=\"preload\" as=\"{kind}\" href=\""));
    tags.push(Segment::AssetBase);
    text(tags, format!("{}\"", attribute(url)));
    if matches!(kind, "font" | "fetch") {
        text(tags, " crossorigin".to_owned());
    } else {
        tags.push(Segment::CrossOrigin);
    }
    text(tags, ">\n".to_owned());
}

fn asset(tags: &mut Vec<Segment>, open: &str, asset: &HeadAsset, extra: &str, close: &str) {
    text(tags, open.to_owned());
    tags.push(Segment::AssetBase);
    text(tags, format!("{}\" integrity=\"{}\"", attribute(&asset.url), attribute(&asset.integrity)));
    tags.push(Segment::CrossOrigin);
    text(tags, format!("{extra}{close}"));
}

fn text(tags: &mut Vec<Segment>, text: String) {
    tags.push(Segment::Text(text));
}
