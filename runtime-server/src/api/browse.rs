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
    for (path, action) in tree {
        let guard = if action.guard { " <b>guarded</b>" } else { "" };
        let params = escape(&action.params.join(", "));
        writeln!(
            rows,
            "<form action=\"/{}/{}\"><code>{}({params})</code>{guard}<span><textarea name=\"args\" rows=\"1\" \
             aria-label=\"Arguments, a JSON array\">[]</textarea> <button>Call</button></span><output></output></form>",
            escape(prefix),
            escape(path),
            escape(&path.replace('/', ".")),
        )
        .expect("a string takes all text");
    }
    let count = tree.len();
    let name = escape(app);
    let text = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{name}: API</title>\n<style>{STYLE}</style>\n\
         <h1>{name}: {count} actions</h1>\n<p>Arguments are a JSON array. <a href=\"/{prefix}/openapi.json\">openapi.json</a></p>\n\
         {rows}<script>{SCRIPT}</script>\n",
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
