use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use ssbuild_diagnostic::{Code, Diagnostic};

use super::{StyleUrl, UrlResolver, message::FoundUrl};
use crate::zone::Zone;

/// Answers what to write for each `url()` of one sheet, and remembers the questions it had to ask for that.
pub(super) struct Urls<'a> {
    resolver: &'a dyn UrlResolver,
    asked: BTreeMap<String, Option<String>>,
    /// Files that are written into the sheet.
    data: BTreeMap<String, String>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Urls<'a> {
    pub(super) fn new(resolver: &'a dyn UrlResolver) -> Self {
        Self { resolver, asked: BTreeMap::new(), data: BTreeMap::new(), diagnostics: Vec::new() }
    }

    /// What to write for each; `None` to leave it as it is.
    pub(super) fn answer(&mut self, found: &[FoundUrl]) -> Vec<Option<String>> {
        found.iter().map(|url| self.answer_one(url)).collect()
    }

    /// The questions with their answers, and what was found wrong.
    pub(super) fn finish(self) -> (Vec<StyleUrl>, Vec<Diagnostic>) {
        let data = self.data.into_iter().map(|(file, data)| StyleUrl { file, url: Some(data) });
        let mut asked: Vec<StyleUrl> = self.asked.into_iter().map(|(file, url)| StyleUrl { file, url }).collect();
        asked.extend(data);
        asked.sort();
        (asked, self.diagnostics)
    }

    fn answer_one(&mut self, found: &FoundUrl) -> Option<String> {
        if !is_local(&found.written) {
            return None;
        }
        let (path, rest) = split_path(&found.written);
        let candidates = candidates(path, &found.bases);
        for file in &candidates {
            // A fragment names a part of a file, which data has not.
            let data = if rest.is_empty() { self.inlined(file) } else { None };
            if let Some(url) = data.or_else(|| Some(self.ask(file)? + rest)) {
                return Some(url);
            }
        }
        self.diagnostics.push(missing(found, path, &candidates));
        None
    }

    /// The file as data, when it is there and small.
    fn inlined(&mut self, file: &str) -> Option<String> {
        let data = self.resolver.inlined(file)?;
        self.data.insert(file.to_owned(), data.clone());
        Some(data)
    }

    fn ask(&mut self, file: &str) -> Option<String> {
        self.asked.entry(file.to_owned()).or_insert_with(|| self.resolver.url_of(file)).clone()
    }
}

fn missing(found: &FoundUrl, path: &str, candidates: &[String]) -> Diagnostic {
    // What stays is the file in `public`, where nothing else was possible.
    let beside = found.bases.iter().filter_map(|base| join(base, path)).find(|file| !may_be_served(file));
    let in_package = super::package::in_package(path).is_some() && !candidates.is_empty();
    let (code, message) = if path.starts_with('/') || candidates.len() > 1 || in_package {
        (Code::UrlUnresolved, format!("`{}` names no file", found.written))
    } else if let Some(file) = beside {
        (Code::UrlEscapes, format!("`{}` names `{file}`, which browsers never get", found.written))
    } else {
        (Code::UrlEscapes, format!("`{}` leaves the app folder", found.written))
    };
    let tried: Vec<String> = candidates.iter().map(|file| format!("`{file}`")).collect();
    let diagnostic = Diagnostic::new(code, message).at(found.place.clone(), "");
    if tried.is_empty() { diagnostic } else { diagnostic.help(format!("Looked for {}.", tried.join(", then "))) }
}

/// Where the file may be, likeliest first: beside the sheets that may be meant, then in `public`.
fn candidates(path: &str, bases: &[String]) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    if let Some(below) = super::package::in_package(path) {
        files.extend(join("node_modules/_", below).filter(|file| may_be_served(file)));
        return files;
    }
    if !path.starts_with('/') {
        files.extend(bases.iter().filter_map(|base| join(base, path)).filter(|file| may_be_served(file)));
    }
    // As a browser resolves it against a page: above the top is the top.
    files.push(normalise("public", path, Above::IsTop).expect("the top is always there"));
    let mut seen = Vec::new();
    files.retain(|file| {
        !seen.contains(file) && {
            seen.push(file.clone());
            true
        }
    });
    files
}

/// `path` seen from the folder of `base`; `None` when it leaves the app.
fn join(base: &str, path: &str) -> Option<String> {
    normalise(base.rsplit_once('/').map_or("", |(folder, _)| folder), path, Above::IsOutside)
}

/// What `..` at the top means.
#[derive(Clone, Copy)]
enum Above {
    IsTop,
    IsOutside,
}

fn normalise(folder: &str, path: &str, above: Above) -> Option<String> {
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let top = match above {
        Above::IsTop => parts.len(),
        Above::IsOutside => 0,
    };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.len() > top => {
                parts.pop();
            }
            ".." if matches!(above, Above::IsTop) => {}
            ".." => return None,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Server code and configuration never reach a browser, not even because a sheet names them.
fn may_be_served(file: &str) -> bool {
    let is_in = |folder: &str| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    (is_in("app") && !is_in("app/server"))
        || (is_in("lib") && !is_in("lib/server"))
        || is_in("public")
        || is_in("node_modules")
        // Of a package that several apps share, in a folder above them.
        || (file.starts_with("../") && Zone::of(file) == Zone::Package)
}

/// Whether it names a file of the app: no scheme (`data:`, `https:`), no host (`//cdn`), no mere fragment (`#clip`).
pub(super) fn is_local(written: &str) -> bool {
    let (path, _) = split_path(written);
    let scheme = path.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c));
    let has_scheme = scheme.is_some_and(|at| at > 0 && path[at..].starts_with(':'));
    !path.is_empty() && !path.starts_with("//") && !has_scheme
}

/// Scheme, host and port of a URL on another host; without a scheme when it has none (`//cdn.example/x`).
pub(crate) fn origin(url: &str) -> Option<String> {
    let url = url.trim();
    let (scheme, rest) = match url.split_once("//") {
        Some(("", rest)) => ("", rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https:") => ("https://", rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http:") => ("http://", rest),
        _ => return None,
    };
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    // Anything else would be another source, or another directive, in the policy.
    let is_sound = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b));
    is_sound.then(|| format!("{scheme}{host}"))
}

/// The path, and the query and fragment with their marks.
fn split_path(written: &str) -> (&str, &str) {
    written.split_at(written.find(['?', '#']).unwrap_or(written.len()))
}

#[cfg(test)]
mod tests {
    use ssbuild_diagnostic::Place;

    use super::*;

    struct Files(&'static [&'static str]);

    impl UrlResolver for Files {
        fn url_of(&self, file: &str) -> Option<String> {
            self.0.contains(&file).then(|| format!("/assets/{}", file.replace(['/', ' '], "_")))
        }
    }

    /// What is written for a URL in `app/css/deep/part.scss`, imported by `app/css/app.scss`.
    fn written(url: &str) -> Result<Option<String>, (Code, String)> {
        let files = Files(&[
            "public/logo.png",
            "public/images/a b.png",
            "app/css/deep/here.png",
            "app/css/entry.png",
            "node_modules/x/font.woff2",
            "app/server/secret.txt",
            "config/app.json",
        ]);
        let mut urls = Urls::new(&files);
        let bases = vec!["app/css/deep/part.scss".to_owned(), "app/css/app.scss".to_owned()];
        let found = FoundUrl { written: url.to_owned(), bases, place: Place::file("app/css/deep/part.scss") };
        let answer = urls.answer(&[found]).remove(0);
        match urls.finish().1.pop() {
            None => Ok(answer),
            Some(diagnostic) => Err((diagnostic.code, diagnostic.message)),
        }
    }

    #[test]
    fn what_is_no_file_of_the_app_is_left_alone() {
        for url in [
            "data:image/png;base64,AA==",
            "#clip",
            "",
            "https://a.b/c.png",
            "//a.b/c.png",
            "HTTP://a",
            "?q",
            "about:blank",
        ] {
            assert_eq!(written(url), Ok(None), "{url}");
        }
    }

    #[test]
    fn files_are_found_beside_the_sheets_then_in_public() {
        for (url, file) in [
            ("here.png", "app_css_deep_here.png"),
            ("./here.png?v=1#x", "app_css_deep_here.png?v=1#x"),
            ("entry.png", "app_css_entry.png"),
            ("../entry.png", "app_css_entry.png"),
            ("/logo.png", "public_logo.png"),
            ("/x/../../../logo.png", "public_logo.png"),
            ("../logo.png", "public_logo.png"),
            ("../../../../../logo.png", "public_logo.png"),
            ("/images/a%20b.png", "public_images_a_b.png"),
            ("images/a b.png?#iefix", "public_images_a_b.png?#iefix"),
            ("../../../node_modules/x/font.woff2", "node_modules_x_font.woff2"),
        ] {
            assert_eq!(written(url), Ok(Some(format!("/assets/{file}"))), "{url}");
        }
    }

    #[test]
    fn what_is_not_there_or_not_to_be_had_is_an_error() {
        for (url, code) in [
            ("nowhere.png", Code::UrlUnresolved),
            ("/nowhere.png", Code::UrlUnresolved),
            ("../../../../etc/passwd", Code::UrlEscapes),
            ("%2e%2e/%2e%2e/../../etc/passwd", Code::UrlEscapes),
            ("../../server/secret.txt", Code::UrlEscapes),
            ("../../../config/app.json", Code::UrlEscapes),
        ] {
            let found = written(url).expect_err(url);
            assert_eq!(found.0, code, "{url}: {}", found.1);
        }
    }

    #[test]
    fn origins_are_schemes_and_hosts() {
        for (url, expected) in [
            ("https://A.example/x?y", Some("https://a.example")),
            ("//cdn.example:8080/x", Some("cdn.example:8080")),
            ("http://user:pass@a.example/x", Some("http://a.example")),
            ("HTTPS://a.example", Some("https://a.example")),
            ("/x//y", None),
            ("x//y", None),
            ("data:text/plain,//a", None),
            ("https://a.example;script-src", None),
            ("https://*/x", None),
            ("https:///x", None),
            ("mailto:a@b", None),
        ] {
            assert_eq!(origin(url).as_deref(), expected, "{url}");
        }
    }
}
