//! Bytes ready to serve: their fingerprint, integrity and content type.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256, Sha384};
use ssbuild_server::hex;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The SHA-256 of some bytes, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

/// How many hex digits of a fingerprint stand in a file's name.
const NAME_DIGITS: usize = 16;

impl Fingerprint {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(&Sha256::digest(bytes)))
    }

    /// From the hash itself.
    pub fn from_digest(digest: &[u8; 32]) -> Self {
        Self(hex::encode(digest))
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits that stand in names.
    pub fn short(&self) -> &str {
        &self.0[..NAME_DIGITS]
    }
}

/// The SHA-256 of some bytes.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A checksum that is quick to take: for what nobody is asked to trust, and only time or chance may have changed.
#[derive(Default)]
pub struct Sum(Xxh3);

impl Sum {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Of all that was added.
    pub fn done(&self) -> u128 {
        self.0.digest128()
    }
}

/// The checksum of some bytes.
pub fn sum(bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
}

/// The bytes of a SHA-256 that is written in hex.
pub(crate) fn from_hex(hash: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hash.len() != 64 || !hash.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hash[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// The value of an `integrity` attribute for these bytes.
pub fn integrity(bytes: &[u8]) -> String {
    format!("sha384-{}", STANDARD.encode(Sha384::digest(bytes)))
}

/// The fingerprinted name of a logical path: `images/logo.png` → `images/logo-0123456789abcdef.png`.
pub fn fingerprinted(logical: &str, fingerprint: &Fingerprint) -> String {
    let name_at = logical.rfind('/').map_or(0, |at| at + 1);
    let dot = logical[name_at..].rfind('.').filter(|&dot| dot > 0).map_or(logical.len(), |dot| name_at + dot);
    format!("{}-{}{}", &logical[..dot], fingerprint.short(), &logical[dot..])
}

/// What to do with a file of some ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentType {
    /// Value of the `Content-Type` header.
    pub header: &'static str,
    /// Whether compressing such bytes is worth a try.
    pub compressible: bool,
}

/// Ending, header and whether such files compress. Others are served as bytes.
const TYPES: &[(&str, &str, bool)] = &[
    ("js", "text/javascript; charset=utf-8", true),
    ("mjs", "text/javascript; charset=utf-8", true),
    ("css", "text/css; charset=utf-8", true),
    ("html", "text/html; charset=utf-8", true),
    ("htm", "text/html; charset=utf-8", true),
    ("txt", "text/plain; charset=utf-8", true),
    ("md", "text/markdown; charset=utf-8", true),
    ("csv", "text/csv; charset=utf-8", true),
    ("vtt", "text/vtt; charset=utf-8", true),
    ("xml", "application/xml", true),
    ("json", "application/json", true),
    ("map", "application/json", true),
    ("geojson", "application/geo+json", true),
    ("webmanifest", "application/manifest+json", true),
    ("wasm", "application/wasm", true),
    ("pdf", "application/pdf", false),
    ("zip", "application/zip", false),
    ("gz", "application/gzip", false),
    ("svg", "image/svg+xml", true),
    ("ico", "image/x-icon", true),
    ("bmp", "image/bmp", true),
    ("png", "image/png", false),
    ("apng", "image/apng", false),
    ("jpg", "image/jpeg", false),
    ("jpeg", "image/jpeg", false),
    ("gif", "image/gif", false),
    ("webp", "image/webp", false),
    ("avif", "image/avif", false),
    ("jxl", "image/jxl", false),
    ("mp3", "audio/mpeg", false),
    ("ogg", "audio/ogg", false),
    ("opus", "audio/ogg", false),
    ("wav", "audio/wav", true),
    ("flac", "audio/flac", false),
    ("m4a", "audio/mp4", false),
    ("mp4", "video/mp4", false),
    ("webm", "video/webm", false),
    ("woff", "font/woff", false),
    ("woff2", "font/woff2", false),
    ("ttf", "font/ttf", true),
    ("otf", "font/otf", true),
    ("eot", "application/vnd.ms-fontobject", true),
];

/// By a file's name.
pub fn content_type(name: &str) -> ContentType {
    let ending = name.rsplit_once('.').map_or_else(String::new, |(_, ending)| ending.to_ascii_lowercase());
    TYPES.iter().find(|(known, ..)| *known == ending).map_or(
        ContentType { header: "application/octet-stream", compressible: false },
        |&(_, header, compressible)| ContentType { header, compressible },
    )
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, fingerprinted, integrity};

    #[test]
    fn digests_are_those_of_the_standards() {
        // FIPS 180-2 appendix B.1 and D.1: the digests of "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Fingerprint::of(b"abc").as_str(), expected);
        assert_eq!(integrity(b"abc"), "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn");
    }

    #[test]
    fn the_fingerprint_stands_before_the_ending() {
        let print = Fingerprint::of(b"abc");
        assert_eq!(fingerprinted("a.b/logo.min.png", &print), "a.b/logo.min-ba7816bf8f01cfea.png");
        assert_eq!(fingerprinted("a.b/LICENSE", &print), "a.b/LICENSE-ba7816bf8f01cfea");
    }
}
