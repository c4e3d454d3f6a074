//! What the web's globals need of libraries: addresses and digests.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use url::{Url, quirks};

use crate::hex;

/// The parts of an address as a JSON array, in the order of `prelude/web/url.js`; nothing when it is none.
pub(crate) fn parse_url(input: &str, base: Option<String>) -> Option<String> {
    let base = base.map(|base| Url::parse(&base)).transpose().ok()?;
    let url = Url::options().base_url(base.as_ref()).parse(input).ok()?;
    Some(parts(&url))
}

/// The parts after one of them was set; a value that does not fit changes nothing, but an `href` that is none is nothing.
pub(crate) fn set_url(href: &str, part: &str, value: &str) -> Option<String> {
    let mut url = Url::parse(href).ok()?;
    match part {
        "href" => quirks::set_href(&mut url, value).ok()?,
        "protocol" => drop(quirks::set_protocol(&mut url, value)),
        "username" => drop(quirks::set_username(&mut url, value)),
        "password" => drop(quirks::set_password(&mut url, value)),
        "host" => drop(quirks::set_host(&mut url, value)),
        "hostname" => drop(quirks::set_hostname(&mut url, value)),
        "port" => drop(quirks::set_port(&mut url, value)),
        "pathname" => quirks::set_pathname(&mut url, value),
        "search" => quirks::set_search(&mut url, value),
        "hash" => quirks::set_hash(&mut url, value),
        _ => return None,
    }
    Some(parts(&url))
}

fn parts(url: &Url) -> String {
    let origin = quirks::origin(url);
    serde_json::json!([
        quirks::href(url),
        origin,
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
    ])
    .to_string()
}

/// The digest of bytes in hex, in hex; nothing for an algorithm that is not in the list of Web Crypto.
pub(crate) fn digest(algorithm: &str, bytes: &str) -> Option<String> {
    let bytes = hex::decode(bytes)?;
    Some(match algorithm {
        "SHA-1" => hex::encode(&Sha1::digest(&bytes)),
        "SHA-256" => hex::encode(&Sha256::digest(&bytes)),
        "SHA-384" => hex::encode(&Sha384::digest(&bytes)),
        "SHA-512" => hex::encode(&Sha512::digest(&bytes)),
        _ => return None,
    })
}
