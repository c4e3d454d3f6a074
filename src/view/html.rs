//! What a policy has to know of a page, read by a real tokenizer of HTML.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    ops::Range,
};

use crate::style::origin;
use html5gum::{DefaultEmitter, HtmlString, Spanned, StartTag, Token, Tokenizer};

/// What a page does by itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// Texts of the scripts that stand in the page.
    pub(super) scripts: BTreeSet<String>,
    /// Texts of its event-handler attributes.
    pub(super) handlers: BTreeSet<String>,
    /// Sources that it loads from beside its scripts and styles, by the directive that has to allow them.
    pub(super) origins: BTreeMap<&'static str, BTreeSet<String>>,
    /// Whether a script of its own runs while the page is parsed.
    pub(super) runs_while_parsed: bool,
    /// Where its code stands.
    code: Vec<Range<usize>>,
}

impl Scan {
    /// Whether an offset is inside of a script or a handler.
    pub(super) fn is_code(&self, at: usize) -> bool {
        self.code.iter().any(|range| range.contains(&at))
    }

    fn start_tag(&mut self, tag: &StartTag<usize>) {
        for (name, value) in &tag.attributes {
            // All of them begin so, and what only looks like one does no harm in a policy.
            if name.starts_with(b"on") && !value.is_empty() {
                self.handlers.insert(text_of(value));
                self.code.push(value.span.start..value.span.end);
            }
        }
        let attribute = |name: &[u8]| tag.attributes.get(name).map(text_of);
        match tag.name.as_slice() {
            b"script" => self.external("script-src", attribute(b"src")),
            b"link" if is_stylesheet(&attribute(b"rel").unwrap_or_default()) => {
                self.external("style-src", attribute(b"href"));
            }
            b"link" if attribute(b"rel").is_some_and(|rel| rel.to_ascii_lowercase().contains("icon")) => {
                self.external("img-src", attribute(b"href"));
            }
            b"img" => {
                self.external("img-src", attribute(b"src"));
                for candidate in attribute(b"srcset").unwrap_or_default().split(',') {
                    self.external("img-src", candidate.split_ascii_whitespace().next().map(str::to_owned));
                }
            }
            b"iframe" | b"frame" => self.external("frame-src", attribute(b"src")),
            b"audio" | b"video" | b"source" | b"track" => {
                self.external("media-src", attribute(b"src"));
                self.external("img-src", attribute(b"poster"));
            }
            b"base" => self.external("base-uri", attribute(b"href")),
            // Plugins are off but for a page that has one.
            b"object" => self.plugin(attribute(b"data")),
            b"embed" => self.plugin(attribute(b"src")),
            _ => {}
        }
    }

    fn plugin(&mut self, url: Option<String>) {
        if let Some(url) = url {
            let source = origin(&url).unwrap_or_else(|| "'self'".to_owned());
            self.origins.entry("object-src").or_default().insert(source);
        }
    }

    fn external(&mut self, directive: &'static str, url: Option<String>) {
        if let Some(origin) = url.as_deref().and_then(origin) {
            self.origins.entry(directive).or_default().insert(origin);
        }
    }
}

/// Reads a page.
pub(super) fn scan(page: &str) -> Scan {
    let mut scan = Scan::default();
    let mut script: Option<(StartTag<usize>, String)> = None;
    for token in tokens(page) {
        match token {
            Token::StartTag(tag) => {
                scan.start_tag(&tag);
                if tag.name.as_slice() == b"script" {
                    script = Some((tag, String::new()));
                }
            }
            Token::String(text) => {
                if let Some((_, code)) = &mut script {
                    code.push_str(&text_of(&text));
                }
            }
            Token::EndTag(end) if end.name.as_slice() == b"script" => {
                let Some((tag, code)) = script.take() else { continue };
                let kind = kind(&tag);
                if kind != Kind::Data && !tag.attributes.contains_key(b"src".as_slice()) {
                    scan.runs_while_parsed |= kind == Kind::Classic;
                    scan.code.push(tag.span.end..end.span.start);
                    scan.scripts.insert(code);
                }
            }
            _ => {}
        }
    }
    scan
}

/// Where `<SocketStream>` or `<SocketStream/>` first stands as a tag: not in a comment, not in a script.
pub(super) fn find_tag(page: &str) -> Option<Range<usize>> {
    tokens(page).find_map(|token| match token {
        Token::StartTag(tag) if tag.name.as_slice() == b"socketstream" => Some(tag.span.start..tag.span.end),
        _ => None,
    })
}

/// Whether a text can stand in a script element: whether the element ends where it shall.
pub(super) fn fits_in_script(text: &str) -> bool {
    const OPEN: &str = "<script type=\"text/html\">";
    let page = format!("{OPEN}{text}</script>");
    let end = tokens(&page).find_map(|token| match token {
        Token::EndTag(tag) if tag.name.as_slice() == b"script" => Some(tag.span.start),
        _ => None,
    });
    end == Some(OPEN.len() + text.len())
}

/// What a script element is to the browser.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Runs where it stands.
    Classic,
    /// Runs, or steers what runs, later.
    Module,
    /// Is not run.
    Data,
}

fn kind(tag: &StartTag<usize>) -> Kind {
    let kind = tag.attributes.get(b"type".as_slice()).map(|value| text_of(value).trim().to_ascii_lowercase());
    match kind.as_deref() {
        None | Some("") => Kind::Classic,
        Some("module" | "importmap" | "speculationrules") => Kind::Module,
        // JavaScript's names in the HTML standard, https://mimesniff.spec.whatwg.org/#javascript-mime-type
        Some(mime) => {
            let name = mime.split_once('/').filter(|(group, _)| matches!(*group, "text" | "application"));
            match name {
                Some((_, "javascript" | "ecmascript" | "x-javascript" | "x-ecmascript" | "jscript" | "livescript")) => {
                    Kind::Classic
                }
                Some(("text", version)) if version.starts_with("javascript1.") => Kind::Classic,
                _ => Kind::Data,
            }
        }
    }
}

fn is_stylesheet(rel: &str) -> bool {
    rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("stylesheet"))
}

fn tokens(page: &str) -> impl Iterator<Item = Token<usize>> {
    let mut emitter = DefaultEmitter::<usize>::new_with_span();
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(page, emitter).map(|token: Result<_, Infallible>| {
        let Ok(token) = token;
        token
    })
}

fn text_of(value: &Spanned<HtmlString, usize>) -> String {
    String::from_utf8_lossy(value).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces that make tokenizers change their minds.
    fn page() -> impl Strategy<Value = String> {
        let pieces = [
            "<SocketStream>",
            "<socketstream a='é' b",
            "/>",
            ">",
            "<",
            "<!--",
            "-->",
            "<script>",
            "</script",
            "é",
            "\r",
            "\n",
            "\0",
            "\"",
            "'",
            "=",
            "<title>",
            "</title>",
            "<img onerror=x ",
            "&amp;",
            "&#x0;",
            "<![CDATA[",
            "<!doctype",
            "😀",
            " ",
        ];
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_tag_is_where_it_is_said_to_be(page in page()) {
            let scan = scan(&page);
            prop_assert!(!scan.is_code(page.len() + 1));
            if let Some(tag) = find_tag(&page) {
                let tag = page.get(tag).expect("whole characters").to_ascii_lowercase();
                prop_assert!(tag.starts_with("<socketstream") && tag.ends_with('>'), "{tag:?}");
            }
        }

        #[test]
        fn what_fits_in_a_script_leaves_what_follows_alone(text in page()) {
            let text = text.replace('\r', "");
            let follows = scan(&format!("<script type=\"text/html\">{text}</script><script>mine()</script>"));
            let alone = follows.scripts == BTreeSet::from(["mine()".to_owned()]) && follows.handlers.is_empty();
            prop_assert!(!fits_in_script(&text) || alone, "{text:?}");
        }
    }

    #[test]
    fn only_what_browsers_run_is_code() {
        for (kind, expected) in [
            ("", Kind::Classic),
            ("type=''", Kind::Classic),
            ("type=' Text/JavaScript '", Kind::Classic),
            ("type=text/javascript1.5", Kind::Classic),
            ("type=application/ecmascript", Kind::Classic),
            ("type=module", Kind::Module),
            ("type=importmap", Kind::Module),
            ("type=text/html", Kind::Data),
            ("type=application/json", Kind::Data),
            ("type=text/x-jquery-tmpl", Kind::Data),
            ("type=image/javascript", Kind::Data),
        ] {
            let scan = scan(&format!("<script {kind}>x()</script>"));
            assert_eq!(scan.scripts.len(), usize::from(expected != Kind::Data), "{kind}");
            assert_eq!(scan.runs_while_parsed, expected == Kind::Classic, "{kind}");
        }
    }

    #[test]
    fn line_ends_are_read_as_browsers_read_them() {
        let scan = scan("<script>\r\na()\rb()\n</script>");
        assert_eq!(scan.scripts, BTreeSet::from(["\na()\nb()\n".to_owned()]));
    }
}
