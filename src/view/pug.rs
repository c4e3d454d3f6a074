//! Pages that Pug or Jade rendered: what their marks stand for.

use percent_encoding::percent_decode_str;
use ssbuild_diagnostic::{Code, Diagnostic, Place, Span};

use super::{
    escape,
    jinja::Rendered,
    marks,
    page::{PageInput, ViewInput, no_tag},
};

/// Begins the mark of a file of `public`, whose name follows, percent-encoded.
const ASSET: &str = "\u{fdd0}ss-asset:";
/// Ends each mark.
const END: char = '\u{fdd1}';

/// Takes the marks out of a page: where the head goes, where the base goes, and the URLs of the files that are named.
pub(super) fn place(input: &ViewInput<'_>, page: &PageInput, rendered: &str) -> Result<Rendered, Vec<Diagnostic>> {
    let (mut bases, mut found) = (Vec::new(), Vec::new());
    let taken = marks::take_out(rendered, |text, rest| {
        let (name, behind) = rest.strip_prefix(ASSET)?.split_once(END)?;
        let name = percent_decode_str(name).decode_utf8_lossy();
        let file = format!("public/{}", name.trim_start_matches('/'));
        match input.assets.url_of(&file) {
            Some(url) => {
                bases.push(text.len());
                text.push_str(&escape::attribute(&url));
            }
            None => found.push(
                Diagnostic::new(Code::UrlUnresolved, format!("`asset('{name}')` names no file: `{file}` is not there"))
                    .at(place_of(input, page, &name), ""),
            ),
        }
        Some(behind)
    });
    if taken.is_none() {
        found
            .push(marks::changed(&page.path, "Write them as they are: `!= SocketStream`, `asset('images/logo.png')`."));
    }
    match taken {
        Some((text, Some(tag_at))) if found.is_empty() => {
            Ok(Rendered { text, tag_at, bases, files_read: Vec::new(), files_missed: Vec::new() })
        }
        Some((_, None)) if found.is_empty() => Err(vec![no_tag(&page.path, "!= SocketStream")]),
        _ => Err(found),
    }
}

/// Where the page's own text says this.
fn place_of(input: &ViewInput<'_>, page: &PageInput, said: &str) -> Place {
    let source = input.disk.read(&input.root.join(&page.path)).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let found = source.and_then(|source| {
        let start = u32::try_from(source.find(said)?).ok()?;
        Some(Place::new(&page.path, &source, Span::new(start, start + u32::try_from(said.len()).ok()?)))
    });
    found.unwrap_or_else(|| Place::file(&page.path))
}
