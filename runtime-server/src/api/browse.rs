//! `/api` in development: every action with a form to call it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::body::Body;
use base64::Engine as _;
use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use sha2::{Digest as _, Sha256};

use super::escape;
use crate::manifest::Action;

const STYLE: &str = include_str!("browse.css");
const SCRIPT: &str = include_str!("browse.js");

/// The page.
pub(super) fn page(app: &str, prefix: &str, tree: &BTreeMap<String, Action>) -> Response<Body> {
    let mut rows = String::new();
    let mut file = "";
    for (path, action) in tree {
        let (of, name) = path.rsplit_once('/').unwrap_or(("", path));
        if of != file {
            file = of;
            writeln!(rows, "<h2>{}</h2>", escape(&file.replace('/', "."))).expect("a string takes all text");
        }
        rows.push_str(&row(&format!("/{prefix}/{path}"), name, action));
    }
    let count = match tree.len() {
        1 => "1 action".to_owned(),
        count => format!("{count} actions"),
    };
    let name = escape(app);
    let text = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{name}: API</title>\n<style>{STYLE}</style>\n\
         <h1>{name}: {count}</h1>\n<p>Arguments are JSON; what is not JSON is text. \
         <a href=\"/{prefix}/openapi.json\">openapi.json</a></p>\n{rows}<script>{SCRIPT}</script>\n",
        prefix = escape(prefix),
    );
    let hash = |text: &str| format!("'sha256-{}'", base64::prelude::BASE64_STANDARD.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    let mut response = Response::new(Body::from(text));
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).expect("hashes and words"));
    response
}

/// One action, with a field for each parameter.
fn row(url: &str, name: &str, action: &Action) -> String {
    let guard = if action.guard { " <b>guarded</b>" } else { "" };
    let last = action.params.len().saturating_sub(1);
    let (mut fields, mut names) = (String::new(), Vec::new());
    for (n, param) in action.params.iter().enumerate() {
        let (dots, rest) = if action.rest && n == last { ("...", " data-rest") } else { ("", "") };
        let param = escape(&format!("{dots}{param}"));
        fields.push_str(&format!("<input aria-label=\"{param}\" placeholder=\"{param}\" autocomplete=\"off\"{rest}>"));
        names.push(param);
    }
    format!(
        "<form action=\"{}\"><div><code>{}({})</code>{guard}</div><span>{fields}</span><button>Call</button><output></output></form>\n",
        escape(url),
        escape(name),
        names.join(", "),
    )
}
