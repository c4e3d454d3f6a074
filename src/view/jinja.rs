//! Pages that are rendered, through minijinja.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context, syntax::SyntaxConfig, value::Serde,
};
use ssbuild_diagnostic::{Code, Diagnostic, Place, Span};

use super::{
    marks::{self, HEAD},
    page::{PageInput, ViewInput, no_tag},
};
use crate::{
    disk::{Disk, Kind},
    project::without_bom,
};

/// The folder that pages stand in, and include and extend from.
const VIEWS: &str = "app/views";

/// Steps of the template engine that a page may take.
const FUEL: u64 = 5_000_000;

/// How deep includes, blocks and macros may call each other: they share the stack of the thread that renders.
const RECURSION: usize = 60;

/// Largest page, in bytes.
const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// Stands where the base of the assets goes, in the rendered text.
const BASE: &str = "\u{fdd0}ss-base\u{fdd1}";

/// A page's text without the tag, and where things go in it.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) text: String,
    /// Where the head's tags go.
    pub(super) tag_at: usize,
    /// Where the base of the assets goes.
    pub(super) bases: Vec<usize>,
    pub(super) files_read: Vec<String>,
    pub(super) files_missed: Vec<String>,
}

/// What one rendering asked for.
#[derive(Default)]
struct Asked {
    /// Texts by name below `app/views`; the page's own is among them.
    texts: BTreeMap<String, String>,
    /// Names that were not in `texts`.
    wanted: BTreeSet<String>,
    /// Arguments of `asset()` that name no file.
    no_assets: Vec<String>,
}

pub(super) fn render(input: &ViewInput<'_>, page: &PageInput, text: &str) -> Result<Rendered, Vec<Diagnostic>> {
    let name = page.path.strip_prefix(VIEWS).map_or(page.path.as_str(), |name| name.trim_start_matches('/'));
    let mut texts = BTreeMap::from([(name.to_owned(), text.to_owned())]);
    let mut missed = BTreeSet::new();
    // The engine cannot be lent our disk, so it says which files it wants and renders again when it has them.
    let (rendered, asked) = loop {
        let (rendered, asked) = render_with(input, name, texts);
        texts = asked.texts;
        let mut grew = false;
        for wanted in &asked.wanted {
            let asked_by = |found: Box<Diagnostic>| vec![found.at(Place::file(&page.path), "for this page")];
            match load(input, wanted).map_err(asked_by)? {
                Some(text) => grew |= texts.insert(wanted.clone(), text).is_none(),
                None => drop(missed.insert(format!("{VIEWS}/{wanted}"))),
            }
        }
        if !grew {
            break (rendered, Asked { texts, ..asked });
        }
    };
    let mut files_read: Vec<String> = asked.texts.keys().map(|name| format!("{VIEWS}/{name}")).collect();
    files_read.retain(|file| *file != page.path);
    let text = rendered.map_err(|e| vec![diagnostic(&e, page, &asked)])?;
    let (text, tag_at, bases) = find_marks(&text, &page.path).map_err(|diagnostic| vec![*diagnostic])?;
    Ok(Rendered { text, tag_at, bases, files_read, files_missed: missed.into_iter().collect() })
}

fn render_with(input: &ViewInput<'_>, name: &str, texts: BTreeMap<String, String>) -> (Result<String, Error>, Asked) {
    let asked = Arc::new(Mutex::new(Asked { texts, ..Asked::default() }));
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION);
    environment.set_syntax(SyntaxConfig::builder().keep_trailing_newline(true).build().expect("the usual delimiters"));
    let loader = Arc::clone(&asked);
    environment.set_loader(move |name| {
        let mut asked = lock(&loader);
        let text = asked.texts.get(name).cloned();
        if text.is_none() {
            asked.wanted.insert(name.to_owned());
        }
        Ok(text)
    });
    let (assets, finder) = (Arc::clone(&input.assets), Arc::clone(&asked));
    environment.add_function("asset", move |path: &str| {
        let file = format!("public/{}", path.trim_start_matches('/'));
        match assets.url_of(&file) {
            // Marked as safe, since escaping would change the base's mark; the URL itself is escaped here.
            Some(url) => Ok(Value::from_safe_string(format!("{BASE}{}", super::escape::attribute(&url)))),
            None => {
                lock(&finder).no_assets.push(path.to_owned());
                Err(Error::new(ErrorKind::InvalidOperation, format!("`{file}` is not there")))
            }
        }
    });
    let context = context! {
        SocketStream => Value::from_safe_string(HEAD.to_owned()),
        env => input.env,
        config => context! { client => Value::from(Serde(input.client_config)) },
    };
    let mut output = Limited(Vec::new());
    let rendered = environment
        .get_template(name)
        .and_then(|template| template.render_captured_to(context, &mut output).map(drop))
        .map(|()| String::from_utf8(output.0).expect("the engine writes UTF-8"));
    let asked = std::mem::take(&mut *lock(&asked));
    (rendered, asked)
}

/// The text of a file below `app/views`; `None` when it is not there, or not below.
fn load(input: &ViewInput<'_>, name: &str) -> Result<Option<String>, Box<Diagnostic>> {
    let is_below = name.split('/').all(|part| !matches!(part, "" | "." | "..")) && !name.contains(['\\', '\0']);
    if !is_below {
        return Ok(None);
    }
    let file = format!("{VIEWS}/{name}");
    let path = input.root.join(&file);
    let failed = |why: &str| {
        Box::new(Diagnostic::new(Code::FileUnreadable, format!("`{file}` {why}")).at(Place::file(&file), ""))
    };
    match input.disk.kind(&path) {
        Ok(Some(Kind::File(bytes))) if bytes <= PAGE_BYTES as u64 && stays_inside(input.disk, input.root, &path) => {
            let bytes = input.disk.read(&path).map_err(|e| failed(&format!("cannot be read: {}", e.source)))?;
            let text = String::from_utf8(bytes).map_err(|_| failed("is not text in UTF-8"))?;
            Ok(Some(without_bom(&text).replace("\r\n", "\n")))
        }
        Ok(Some(_)) => Err(failed("is no file of a page's size in the app")),
        Ok(None) | Err(_) => Ok(None),
    }
}

fn stays_inside(disk: &dyn Disk, root: &Path, path: &Path) -> bool {
    match (disk.canonical(root), disk.canonical(path)) {
        (Ok(Some(root)), Ok(Some(path))) => path.starts_with(root),
        _ => false,
    }
}

/// Takes the marks out of the rendered text: the text, where the head goes, where the base goes.
fn find_marks(rendered: &str, path: &str) -> Result<(String, usize, Vec<usize>), Box<Diagnostic>> {
    let mut bases = Vec::new();
    let taken = marks::take_out(rendered, |text, rest| {
        let behind = rest.strip_prefix(BASE)?;
        bases.push(text.len());
        Some(behind)
    });
    match taken {
        Some((text, Some(head))) => Ok((text, head, bases)),
        Some((_, None)) => Err(Box::new(no_tag(path, "{{ SocketStream }}"))),
        None => Err(Box::new(marks::changed(
            path,
            "Write them without filters: `{{ SocketStream }}`, `{{ asset('images/logo.png') }}`.",
        ))),
    }
}

/// The innermost error that knows its place: an included file's, not that of the page that includes it.
fn diagnostic(error: &Error, page: &PageInput, asked: &Asked) -> Diagnostic {
    let mut innermost = error;
    while let Some(source) = std::error::Error::source(innermost).and_then(|source| source.downcast_ref::<Error>()) {
        innermost = source;
    }
    let name = innermost.name().or_else(|| error.name());
    let place = match name.and_then(|name| Some((name, asked.texts.get(name)?))) {
        Some((name, text)) => place(&format!("{VIEWS}/{name}"), text, innermost),
        None => Place::file(&page.path),
    };
    let detail = innermost.detail().map_or_else(|| innermost.kind().to_string(), str::to_owned);
    let (code, message) = match (innermost.kind(), asked.no_assets.last()) {
        (ErrorKind::OutOfFuel, _) => (Code::ViewError, "the page takes too many steps to render".to_owned()),
        (ErrorKind::WriteFailure, _) => (Code::ViewError, format!("the page is larger than {PAGE_BYTES} bytes")),
        (ErrorKind::InvalidOperation, Some(asset)) if detail.contains(asset.as_str()) => {
            (Code::UrlUnresolved, format!("`asset('{asset}')` names no file: {detail}"))
        }
        (kind, _) if innermost.detail().is_some() => (Code::ViewError, format!("{kind}: {detail}")),
        _ => (Code::ViewError, detail),
    };
    let diagnostic = Diagnostic::new(code, message).at(place, "");
    match innermost.kind() {
        ErrorKind::TemplateNotFound => {
            diagnostic.help(format!("Files are included and extended from `{VIEWS}`, by their path below it."))
        }
        _ => diagnostic,
    }
}

fn place(file: &str, text: &str, error: &Error) -> Place {
    let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    match (error.range(), error.line()) {
        (Some(range), _) => Place::new(file, text, Span::new(to_u32(range.start), to_u32(range.end))),
        (None, Some(line)) => {
            let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
            Place::at(file, to_u32(line), 1, to_u32(shown.chars().count()), shown)
        }
        (None, None) => Place::file(file),
    }
}

/// Output that ends where no page does.
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > PAGE_BYTES {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lock(asked: &Mutex<Asked>) -> MutexGuard<'_, Asked> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}
