//! The app's pages, put together once: text, base of the assets, policy, compressed copy.

use std::collections::BTreeMap;

use axum::body::Body;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, VARY, X_FRAME_OPTIONS,
};
use http::{HeaderMap, Response, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::hex;
use crate::manifest::{Encoding, Manifest, Page, Segment};
use crate::negotiate;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Directives whose sources may be on the host of the assets.
const ASSET_DIRECTIVES: &[&str] =
    &["default-src", "script-src", "style-src", "img-src", "font-src", "media-src", "connect-src"];

/// Pages by route.
#[derive(Debug)]
pub(crate) struct Pages {
    by_route: BTreeMap<String, Rendered>,
}

#[derive(Debug)]
struct Rendered {
    plain: Bytes,
    gzip: Bytes,
    tag: String,
    policy: Option<HeaderValue>,
}

/// A policy that cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("the policy of the page `{route}` cannot be sent as a header")]
pub struct PolicyError {
    /// Of which page.
    pub route: String,
}

impl Pages {
    /// Puts the pages of a build together, with the assets at `cdn_base` when there is one.
    pub(crate) fn render(manifest: &Manifest, cdn_base: Option<&str>, with_policy: bool) -> Result<Self, PolicyError> {
        let render = |(route, page): (&String, &Page)| {
            let text = text(page, cdn_base);
            let policy = HeaderValue::from_str(&policy(page, cdn_base));
            let policy = policy.map_err(|_| PolicyError { route: route.clone() })?;
            let tag = hex::encode(&Sha256::digest(text.as_bytes())[..16]);
            let rendered = Rendered {
                gzip: gzip(text.as_bytes()),
                plain: text.into(),
                tag,
                policy: with_policy.then_some(policy),
            };
            Ok((route.clone(), rendered))
        };
        Ok(Self { by_route: manifest.pages.iter().map(render).collect::<Result<_, _>>()? })
    }

    /// The page that answers for `path`: its own; below the route of a further page, that one; else the app's.
    pub(crate) fn answer(&self, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let page = self.by_route.get(&format!("/{first}")).or_else(|| self.by_route.get("/"))?;
        Some(page.answer(headers))
    }
}

impl Rendered {
    fn answer(&self, headers: &HeaderMap) -> Response<Body> {
        let coding = negotiate::encoding(headers, |encoding| encoding == Encoding::Gzip);
        let (body, tag) = match coding {
            None => (&self.plain, format!("\"{}\"", self.tag)),
            Some(_) => (&self.gzip, format!("\"{}-gzip\"", self.tag)),
        };
        let mut response = Response::new(Body::empty());
        let fields = response.headers_mut();
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        fields.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(policy) = &self.policy {
            fields.insert(CONTENT_SECURITY_POLICY, policy.clone());
        }
        fields.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        fields.insert(OPENER_POLICY, HeaderValue::from_static("same-origin-allow-popups"));
        fields.insert(ETAG, HeaderValue::from_str(&tag).expect("hex digits and quotes"));
        if negotiate::is_known(headers, &tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        fields.insert(CONTENT_LENGTH, body.len().into());
        if let Some(coding) = coding {
            fields.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
        }
        *response.body_mut() = Body::from(body.clone());
        response
    }
}

fn text(page: &Page, cdn_base: Option<&str>) -> String {
    let pieces = page.segments.iter().map(|segment| match (segment, cdn_base) {
        (Segment::Text(text), _) => text.as_str(),
        (Segment::AssetBase, base) => base.unwrap_or_default(),
        (Segment::CrossOrigin, Some(_)) => " crossorigin=\"anonymous\"",
        (Segment::CrossOrigin, None) => "",
    });
    pieces.collect()
}

/// The page's policy as a header's value, with the host of the assets among the sources.
pub fn policy(page: &Page, cdn_base: Option<&str>) -> String {
    let cdn = cdn_base.and_then(|base| {
        let (scheme, rest) = base.split_once("://")?;
        Some(format!("{scheme}://{}", rest.split('/').next()?))
    });
    let directives = page.csp.iter().map(|(directive, sources)| {
        let mut words: Vec<&str> = vec![directive];
        words.extend(sources.iter().map(String::as_str).filter(|source| *source != "'none'" || sources.len() == 1));
        if let Some(cdn) = cdn.as_deref().filter(|_| ASSET_DIRECTIVES.contains(&directive.as_str())) {
            words.retain(|word| *word != "'none'");
            words.push(cdn);
        }
        words.join(" ")
    });
    directives.collect::<Vec<_>>().join("; ")
}

fn gzip(text: &[u8]) -> Bytes {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut bytes = vec![0; compressor.gzip_compress_bound(text.len())];
    let length = compressor.gzip_compress(text, &mut bytes).expect("the bound is enough");
    bytes.truncate(length);
    bytes.into()
}
