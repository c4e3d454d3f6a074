use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use ssbuild_diagnostic::{Code, Diagnostic};

use super::html::Scan;

/// What the app says about its policy.
#[derive(Debug, Clone, Copy)]
pub struct CspInput<'a> {
    /// Whether pages carry a policy.
    pub enabled: bool,
    /// Sources added to the computed ones, by directive (`csp.extra`).
    pub extra: &'a BTreeMap<String, Vec<String>>,
}

impl CspInput<'_> {
    /// What is wrong with `csp.extra`.
    pub(super) fn check(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (directive, sources) in self.extra {
            if directive.is_empty() || !directive.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
                found.push(Diagnostic::new(
                    Code::ConfigInvalid,
                    format!("`csp.extra` has `{directive}`, which is no directive"),
                ));
            }
            for source in sources.iter().filter(|source| !is_source(source)) {
                found.push(
                    Diagnostic::new(
                        Code::ConfigInvalid,
                        format!("`csp.extra.{directive}` has `{source}`, which is no source"),
                    )
                    .help("Write each source as a text of its own, without spaces, `,` and `;`."),
                );
            }
        }
        found
    }
}

/// What scripts of a page do that its policy has to allow.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowed {
    /// They evaluate text as code.
    pub evals: bool,
    /// They compile WebAssembly.
    pub wasm: bool,
    /// They start workers of scripts that they make themselves.
    pub blob_workers: bool,
}

/// Directives that fall back to `default-src` when they are not there, so a source added to one keeps `'self'`.
const FETCH: [&str; 12] = [
    "child-src",
    "connect-src",
    "fenced-frame-src",
    "font-src",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "script-src",
    "style-src",
    "worker-src",
    "prefetch-src",
];

/// The policy of a page (Content Security Policy Level 3).
pub(super) fn policy(input: &CspInput<'_>, page: &Scan, allowed: Allowed) -> BTreeMap<String, Vec<String>> {
    let mut policy = Policy(BTreeMap::new());
    if !input.enabled {
        return policy.0;
    }
    for (directive, sources) in [
        ("default-src", &["'self'"][..]),
        ("base-uri", &["'self'"]),
        ("connect-src", &["'self'"]),
        ("font-src", &["'self'", "data:"]),
        ("frame-ancestors", &["'self'"]),
        ("img-src", &["'self'", "data:"]),
        ("object-src", &["'none'"]),
        ("script-src", &["'self'"]),
        ("style-src", &["'self'", "'unsafe-inline'"]),
    ] {
        for source in sources {
            policy.add(directive, source);
        }
    }
    for script in &page.scripts {
        policy.add("script-src", &hash(script));
    }
    if !page.handlers.is_empty() {
        policy.add("script-src", "'unsafe-hashes'");
    }
    for handler in &page.handlers {
        policy.add("script-src", &hash(handler));
    }
    for (directive, origins) in &page.origins {
        for origin in origins {
            policy.add(directive, origin);
        }
    }
    let Allowed { evals, wasm, blob_workers } = allowed;
    if blob_workers {
        policy.add("worker-src", "blob:");
    }
    if wasm {
        // Many packages have their file in the script, and fetch it from there.
        policy.add("connect-src", "data:");
    }
    if wasm && !evals {
        policy.add("script-src", "'wasm-unsafe-eval'");
    }
    if evals {
        policy.add("script-src", "'unsafe-eval'");
    }
    for (directive, sources) in input.extra {
        policy.extend(directive, sources.iter().filter(|source| is_source(source)));
    }
    policy.0
}

struct Policy(BTreeMap<String, Vec<String>>);

impl Policy {
    fn add(&mut self, directive: &str, source: &str) {
        let sources = self.0.entry(directive.to_owned()).or_insert_with(|| match FETCH.contains(&directive) {
            true => vec!["'self'".to_owned()],
            false => Vec::new(),
        });
        // `'none'` means nothing only when it stands alone.
        sources.retain(|there| there != "'none'" && there != source);
        sources.push(source.to_owned());
    }

    /// A directive may stand without any source (`upgrade-insecure-requests`).
    fn extend<'a>(&mut self, directive: &str, sources: impl Iterator<Item = &'a String>) {
        let mut sources = sources.peekable();
        if sources.peek().is_none() {
            self.0.entry(directive.to_owned()).or_default();
        }
        for source in sources {
            self.add(directive, source);
        }
    }
}

fn hash(code: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(code.as_bytes())))
}

fn is_source(source: &str) -> bool {
    !source.is_empty() && source.bytes().all(|b| b.is_ascii_graphic() && b != b';' && b != b',')
}
