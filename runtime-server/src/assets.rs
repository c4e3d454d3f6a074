//! Files of the build, served by name: only those that the manifest names, and fingerprinted ones of earlier builds.

mod body;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, HeaderName, HeaderValue, VARY,
};
use http::{HeaderMap, Method, Response, StatusCode};

use crate::limits::Limits;
use crate::load::Build;
use crate::manifest::{Asset, Encoding, Manifest};
use crate::negotiate::{self, Part, Range};

/// Where fingerprinted files are, below `dist` and below the root of URLs.
const FOLDER: &str = "public/assets";
const URL_PREFIX: &str = "/assets/";
/// Not among the names that the library knows.
const SOURCE_MAP: HeaderName = HeaderName::from_static("sourcemap");
/// Hex digits of a fingerprint in a file's name.
const FINGERPRINT_DIGITS: usize = 16;

/// All files that are served.
#[derive(Debug)]
pub(crate) struct Assets {
    by_url: HashMap<String, Arc<Served>>,
    cache: Cache,
}

/// One file, with its compressed copies.
#[derive(Debug)]
struct Served {
    plain: Copy,
    encoded: Vec<(Encoding, Copy)>,
    content_type: HeaderValue,
    /// Its hash, the same for all copies.
    tag: String,
    /// Where its source map is (the `SourceMap` header of ECMA-426), when that is public.
    map_url: Option<HeaderValue>,
    lasting: Lasting,
}

/// Whether the bytes behind a name may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lasting {
    Immutable,
    Changing,
}

#[derive(Debug)]
struct Copy {
    path: PathBuf,
    bytes: u64,
    kept: OnceLock<Bytes>,
}

/// How much is kept in memory.
#[derive(Debug)]
struct Cache {
    used_bytes: AtomicUsize,
    file_bytes: usize,
    max_bytes: usize,
}

impl Assets {
    /// The files of a build, and those of earlier ones: what lies beside them, and what was served `before` from elsewhere.
    pub(crate) fn new(build: &Build, limits: &Limits, before: Option<&Self>) -> Self {
        let manifest = &build.manifest;
        // A deploy may put another folder in the place of this one, while files of this one are still asked for.
        let dist = build.dist.canonicalize().unwrap_or_else(|_| build.dist.clone());
        let fingerprinted = manifest.assets.values().filter_map(|asset| {
            let url = asset.file.strip_prefix("public")?;
            Some((url.to_owned(), Arc::new(Served::new(manifest, &dist, asset))))
        });
        let named =
            manifest.files.iter().map(|(url, asset)| (url.clone(), Arc::new(Served::new(manifest, &dist, asset))));
        let mut by_url: HashMap<String, Arc<Served>> = fingerprinted.chain(named).collect();
        let folder = dist.join(FOLDER);
        for name in list(&folder, "") {
            let url = format!("{URL_PREFIX}{name}");
            if !by_url.contains_key(&url)
                && let Some(old) = Served::old(&folder, &name)
            {
                by_url.insert(url, Arc::new(old));
            }
        }
        for (url, old) in before.into_iter().flat_map(|before| &before.by_url) {
            if old.lasting == Lasting::Immutable && !by_url.contains_key(url) && old.plain.path.is_file() {
                by_url.insert(url.clone(), Arc::clone(old));
            }
        }
        let cache = Cache {
            used_bytes: AtomicUsize::new(0),
            file_bytes: limits.cached_file_bytes,
            max_bytes: limits.cache_bytes,
        };
        Self { by_url, cache }
    }

    /// The answer for the file of that path; `None` when there is no such file.
    pub(crate) async fn answer(&self, path: &str, method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
        let served = match self.by_url.get(path) {
            Some(served) => served,
            None => self.by_url.get(percent_encoding::percent_decode_str(path).decode_utf8().ok()?.as_ref())?,
        };
        Some(served.answer(&self.cache, method, headers).await)
    }
}

impl Served {
    fn new(manifest: &Manifest, dist: &Path, asset: &Asset) -> Self {
        let copy = |file: &str, bytes| Copy { path: dist.join(file), bytes, kept: OnceLock::new() };
        let map = asset.map.as_ref().and_then(|map| manifest.assets.get(map));
        Self {
            plain: copy(&asset.file, asset.bytes),
            encoded: asset.encodings.iter().map(|(encoding, e)| (*encoding, copy(&e.file, e.bytes))).collect(),
            content_type: HeaderValue::from_str(&asset.content_type).unwrap_or_else(|_| content_type("")),
            tag: asset.sha256.chars().take(32).collect(),
            map_url: map.and_then(|map| HeaderValue::from_str(map.file.strip_prefix("public")?).ok()),
            lasting: if asset.immutable { Lasting::Immutable } else { Lasting::Changing },
        }
    }

    /// A fingerprinted file of an earlier build: pages that are still open may ask for it.
    fn old(folder: &Path, name: &str) -> Option<Self> {
        let tag = fingerprint(name)?.to_owned();
        let copy = |path: PathBuf| {
            let bytes = path.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
            Some(Copy { path, bytes, kept: OnceLock::new() })
        };
        let path = folder.join(name);
        let encoded = Encoding::ALL.into_iter().filter_map(|encoding| {
            let path = folder.join(format!("{name}.{}", encoding.extension()));
            Some((encoding, copy(path)?))
        });
        let encoded = encoded.collect();
        let content_type = content_type(name.rsplit_once('.').map_or("", |(_, ending)| ending));
        Some(Self { plain: copy(path)?, encoded, content_type, tag, map_url: None, lasting: Lasting::Immutable })
    }

    async fn answer(&self, cache: &Cache, method: &Method, headers: &HeaderMap) -> Response<Body> {
        let plain_tag = format!("\"{}\"", self.tag);
        let part = negotiate::part(headers, &plain_tag, self.plain.bytes);
        let coding = match part {
            Part::Whole => negotiate::encoding(headers, |wanted| self.encoded.iter().any(|(e, _)| *e == wanted)),
            // Ranges are of the plain bytes.
            Part::Ranges(_) | Part::Unsatisfiable => None,
        };
        let copy = coding.and_then(|coding| self.encoded.iter().find(|(e, _)| *e == coding));
        let (copy, tag) = match copy {
            Some((coding, copy)) => (copy, format!("\"{}-{}\"", self.tag, coding.token())),
            None => (&self.plain, plain_tag),
        };
        let mut response = Response::new(Body::empty());
        let fields = response.headers_mut();
        self.describe(fields);
        fields.insert(ETAG, HeaderValue::from_str(&tag).expect("hex digits and quotes"));
        if negotiate::is_other(headers, &tag) {
            *response.status_mut() = StatusCode::PRECONDITION_FAILED;
            return response;
        }
        if negotiate::is_known(headers, &tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        fields.insert(CONTENT_TYPE, self.content_type.clone());
        if let Some(map) = &self.map_url {
            fields.insert(SOURCE_MAP, map.clone());
        }
        if let Some(coding) = coding {
            fields.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
        }
        let whole = copy.bytes;
        let ranges = match part {
            Part::Whole => None,
            Part::Ranges(ranges) => Some(ranges),
            Part::Unsatisfiable => {
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                response.headers_mut().insert(CONTENT_RANGE, text(&format!("bytes */{whole}")));
                return response;
            }
        };
        let pieces = match ranges.as_deref() {
            None => vec![Piece::Bytes(0, whole)],
            Some([(first, last)]) => {
                response.headers_mut().insert(CONTENT_RANGE, text(&format!("bytes {first}-{last}/{whole}")));
                vec![Piece::Bytes(*first, last - first + 1)]
            }
            // What a fingerprint is of never contains it.
            Some(ranges) => {
                let kind = format!("multipart/byteranges; boundary={}", self.tag);
                let of_part = response.headers_mut().insert(CONTENT_TYPE, text(&kind));
                multipart(&self.tag, of_part.as_ref(), ranges, whole)
            }
        };
        if ranges.is_some() {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        let length: u64 = pieces.iter().map(Piece::length).sum();
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        if method != Method::HEAD {
            match copy.open_all(cache, pieces).await {
                Ok(body) => *response.body_mut() = body,
                Err(_) => {
                    response = Response::new(Body::empty());
                    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                }
            }
        }
        response
    }

    fn describe(&self, fields: &mut HeaderMap) {
        let lasting = match self.lasting {
            Lasting::Immutable => "public, max-age=31536000, immutable",
            Lasting::Changing => "no-cache",
        };
        fields.insert(CACHE_CONTROL, HeaderValue::from_static(lasting));
        fields.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if !self.encoded.is_empty() {
            fields.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        if self.lasting == Lasting::Immutable {
            // Public bytes; a page elsewhere needs this for fonts and for `integrity`.
            fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
    }
}

/// What an answer consists of.
enum Piece {
    /// Bytes of the file: from, and how many.
    Bytes(u64, u64),
    /// What stands between them.
    Text(Bytes),
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(_, length) => *length,
            Self::Text(text) => text.len() as u64,
        }
    }
}

/// Several ranges in one answer (RFC 9110 §14.6).
fn multipart(boundary: &str, kind: Option<&HeaderValue>, ranges: &[Range], whole: u64) -> Vec<Piece> {
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("application/octet-stream");
    let mut pieces = Vec::with_capacity(2 * ranges.len() + 1);
    for (first, last) in ranges {
        let head =
            format!("\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: bytes {first}-{last}/{whole}\r\n\r\n");
        pieces.extend([Piece::Text(head.into()), Piece::Bytes(*first, last - first + 1)]);
    }
    pieces.push(Piece::Text(format!("\r\n--{boundary}--\r\n").into()));
    pieces
}

impl Copy {
    /// One piece after the other.
    async fn open_all(&self, cache: &Cache, pieces: Vec<Piece>) -> std::io::Result<Body> {
        let mut bodies = Vec::with_capacity(pieces.len());
        for piece in pieces {
            bodies.push(match piece {
                Piece::Bytes(from, length) => self.open(cache, from, length).await?,
                Piece::Text(text) => Body::from(text),
            });
        }
        Ok(if bodies.len() == 1 { bodies.remove(0) } else { body::chain(bodies) })
    }

    /// The bytes from `from`, `length` of them: from memory, or read as they are sent.
    async fn open(&self, cache: &Cache, from: u64, length: u64) -> std::io::Result<Body> {
        if let Some(kept) = self.kept.get() {
            return Ok(Body::from(slice(kept, from, length)));
        }
        if cache.takes(self.bytes) {
            let kept = Bytes::from(tokio::fs::read(&self.path).await?);
            if kept.len() as u64 != self.bytes {
                return Err(std::io::Error::other("the file has changed"));
            }
            return Ok(Body::from(slice(self.kept.get_or_init(|| kept), from, length)));
        }
        body::stream(&self.path, from, length).await
    }
}

impl Cache {
    /// Whether one more file of that size is kept; when it is, it counts.
    fn takes(&self, bytes: u64) -> bool {
        let Ok(bytes) = usize::try_from(bytes) else { return false };
        if bytes > self.file_bytes {
            return false;
        }
        let taken = self.used_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.max_bytes;
        if !taken {
            self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        taken
    }
}

/// A header of our own making.
fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("digits, letters and a few signs")
}

fn slice(bytes: &Bytes, from: u64, length: u64) -> Bytes {
    let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(at(from)..at(from + length))
}

/// The fingerprint in a name like `images/logo-0123456789abcdef.png`.
fn fingerprint(name: &str) -> Option<&str> {
    let file = name.rsplit('/').next()?;
    let compressed = Encoding::ALL.iter().any(|e| file.ends_with(&format!(".{}", e.extension())));
    let mut stems = file.split('.').filter_map(|part| part.rsplit_once('-')).map(|(_, digits)| digits);
    let is_hex = |digits: &&str| {
        digits.len() == FINGERPRINT_DIGITS && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    stems.find(is_hex).filter(|_| !compressed)
}

/// Names of the files in a folder and those below, with `/`. What cannot be read is not there.
fn list(folder: &Path, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => names.extend(list(&entry.path(), &format!("{prefix}{name}/"))),
            Ok(kind) if kind.is_file() => names.push(format!("{prefix}{name}")),
            _ => {}
        }
    }
    names
}

/// The type of an earlier build's file, whose manifest is not at hand.
pub(crate) fn content_type(ending: &str) -> HeaderValue {
    HeaderValue::from_static(match ending {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "json" | "map" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "wasm" => "application/wasm",
        "pdf" => "application/pdf",
        "xml" => "application/xml",
        _ => "application/octet-stream",
    })
}
