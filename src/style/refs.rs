//! The URLs of a parsed sheet: found with the file and place of each, and rewritten.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    vec,
};

use lightningcss::{
    dependencies::Location,
    properties::custom::{Function, Token, TokenOrValue},
    rules::CssRule,
    stylesheet::StyleSheet,
    values::{image::Image, string::CowArcStr, url::Url},
    visit_types,
    visitor::{Visit, VisitTypes, Visitor},
};
use ssbuild_diagnostic::{Place, Span};

use super::{
    files::Files,
    mark::without_marks,
    message::FoundUrl,
    origin::Origin,
    sass::Sources,
    urls::{is_local, origin},
};

/// How URLs are traced back to the file that says them.
pub(super) enum Naming<'a> {
    /// The syntax tree knows the file.
    Css,
    /// The sheet itself was made by another compiler: its own lines are none that anybody wrote.
    Made,
    /// The sheet itself was made by Sass: marks tell.
    Sass {
        /// What Sass read.
        sources: &'a Sources,
    },
}

impl<'a> Naming<'a> {
    /// File, offset and unmarked form of a marked URL.
    pub(super) fn origin<'u>(&self, url: &'u str) -> Option<(&'a str, usize, &'u str)> {
        match self {
            Self::Css | Self::Made => None,
            Self::Sass { sources } => sources.origin(url),
        }
    }
}

/// Walks a sheet twice in the same order: once to collect, once to rewrite.
pub(super) struct Refs<'a> {
    naming: &'a Naming<'a>,
    files: &'a Files<'a>,
    origin: Option<&'a Origin>,
    /// Paths of the joined sheets, by source index; the first is the entry.
    paths: Vec<String>,
    /// Source and line of the rule that is being visited.
    rule: lightningcss::rules::Location,
    /// Whether that rule is a `@font-face`.
    in_font: bool,
    /// Other hosts, by the directive that has to allow them.
    origins: BTreeMap<String, BTreeSet<String>>,
    work: Work,
}

enum Work {
    Collect(Vec<FoundUrl>),
    Rewrite(vec::IntoIter<Option<String>>),
}

impl<'a> Refs<'a> {
    pub(super) fn new(
        naming: &'a Naming<'a>,
        files: &'a Files<'a>,
        origin: Option<&'a Origin>,
        paths: &[String],
    ) -> Self {
        let rule = lightningcss::rules::Location { source_index: 0, line: 0, column: 1 };
        Self {
            naming,
            files,
            origin,
            paths: paths.to_vec(),
            rule,
            in_font: false,
            origins: BTreeMap::new(),
            work: Work::Collect(Vec::new()),
        }
    }

    /// The other hosts that were met while collecting.
    pub(super) fn origins(self) -> BTreeMap<String, BTreeSet<String>> {
        self.origins
    }

    /// Every URL that may have to be rewritten.
    pub(super) fn collect(&mut self, sheet: &mut StyleSheet<'_>) -> Vec<FoundUrl> {
        self.work = Work::Collect(Vec::new());
        let Ok(()) = sheet.visit(self);
        match std::mem::replace(&mut self.work, Work::Collect(Vec::new())) {
            Work::Collect(found) => found,
            Work::Rewrite(_) => unreachable!("it was collecting"),
        }
    }

    /// Writes the answers, one for each URL collected, in that order.
    pub(super) fn rewrite(&mut self, sheet: &mut StyleSheet<'_>, answers: Vec<Option<String>>) {
        self.work = Work::Rewrite(answers.into_iter());
        let Ok(()) = sheet.visit(self);
    }

    fn visit_text(&mut self, url: &mut CowArcStr<'_>, at: Location) {
        let origin = self.naming.origin(url);
        let directive = if self.in_font { "font-src" } else { "img-src" };
        self.note_origin(directive, origin.map_or(&**url, |(_, _, written)| written));
        if origin.is_none() && !is_local(url) {
            return;
        }
        match &mut self.work {
            Work::Rewrite(answers) => {
                let answer = answers.next().flatten();
                *url = answer.unwrap_or_else(|| without_marks(url)).into();
            }
            Work::Collect(_) => {
                let found = self.found(url, at);
                if let Work::Collect(all) = &mut self.work {
                    all.push(found);
                }
            }
        }
    }

    fn note_origin(&mut self, directive: &str, url: &str) {
        if let Some(origin) = origin(url) {
            self.origins.entry(directive.to_owned()).or_default().insert(origin);
        }
    }

    fn found(&self, url: &str, at: Location) -> FoundUrl {
        let entry = self.paths[0].as_str();
        let source = self.paths.get(self.rule.source_index as usize).map_or(entry, String::as_str);
        if let Some((file, offset, written)) = self.naming.origin(url) {
            let bases = if file == entry { vec![file.to_owned()] } else { vec![file.to_owned(), entry.to_owned()] };
            let written = without_marks(written);
            return FoundUrl { bases, place: self.place(file, offset, &written), written };
        }
        if source == entry && matches!(self.naming, Naming::Sass { .. }) {
            return self.guessed(&without_marks(url), entry);
        }
        if source == entry && matches!(self.naming, Naming::Made) {
            return self.made(url, at, entry);
        }
        let offset = self.files.text(source).map_or(0, |text| {
            offset_of_utf16(&text, at.line.saturating_sub(1) as usize, at.column.saturating_sub(1) as usize)
        });
        FoundUrl { written: url.to_owned(), bases: vec![source.to_owned()], place: self.place(source, offset, url) }
    }

    /// A URL in what another compiler made: it is relative to the file that says it, or, as these compilers have it, to the entry.
    fn made(&self, url: &str, at: Location, entry: &str) -> FoundUrl {
        let from = self.origin.and_then(|origin| origin.find(at.line.saturating_sub(1), at.column.saturating_sub(1)));
        let Some((file, line, column)) = from else { return self.guessed(url, entry) };
        let Some(text) = self.files.text_or_read(file) else { return self.guessed(url, entry) };
        let start = offset_of_utf16(&text, line as usize, 0);
        // Behind the property's name, on the same line or one of the next.
        let offset = text[start..]
            .find(url)
            .map_or_else(|| offset_of_utf16(&text, line as usize, column as usize), |at| start + at);
        let bases = if file == entry { vec![entry.to_owned()] } else { vec![file.to_owned(), entry.to_owned()] };
        FoundUrl { bases, place: self.place(file, offset, url), written: url.to_owned() }
    }

    /// A URL that Sass computed: the files whose text has it are asked first, then the sheet itself.
    fn guessed(&self, url: &str, entry: &str) -> FoundUrl {
        let mut bases = Vec::new();
        let mut place = None;
        for (file, text) in self.files.in_order() {
            if let Some(at) = text.find(url) {
                place.get_or_insert_with(|| self.place(&file, at, url));
                bases.push(file);
            }
        }
        if !bases.iter().any(|base| base == entry) {
            bases.push(entry.to_owned());
        }
        FoundUrl { written: url.to_owned(), bases, place: place.unwrap_or_else(|| Place::file(entry)) }
    }

    /// The URL in the text of its file, at `from` or right behind.
    fn place(&self, file: &str, from: usize, url: &str) -> Place {
        let Some(text) = self.files.text(file) else { return Place::file(file) };
        let rest = text.get(from..).unwrap_or_default();
        let line_ends = rest.find('\n').unwrap_or(rest.len());
        let at = rest[..line_ends].find(url).map_or(from, |at| from + at);
        let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place::new(file, &text, Span::new(to_u32(at), to_u32(at + url.len())))
    }
}

impl<'i> Visitor<'i> for Refs<'_> {
    type Error = Infallible;

    fn visit_types(&self) -> VisitTypes {
        visit_types!(URLS | RULES | FUNCTIONS | IMAGES)
    }

    fn visit_rule(&mut self, rule: &mut CssRule<'i>) -> Result<(), Infallible> {
        if let CssRule::Import(import) = rule {
            self.note_origin("style-src", &import.url);
        }
        let outer = (self.rule, self.in_font);
        self.rule = location(rule).unwrap_or(outer.0);
        self.in_font = matches!(rule, CssRule::FontFace(_));
        rule.visit_children(self)?;
        (self.rule, self.in_font) = outer;
        Ok(())
    }

    fn visit_url(&mut self, url: &mut Url<'i>) -> Result<(), Infallible> {
        self.visit_text(&mut url.url, url.loc);
        Ok(())
    }

    fn visit_image(&mut self, image: &mut Image<'i>) -> Result<(), Infallible> {
        match image {
            // The library's own walk leaves these out.
            Image::ImageSet(set) => set.options.iter_mut().try_for_each(|option| self.visit_image(&mut option.image)),
            _ => image.visit_children(self),
        }
    }

    /// `src("a.png")`, and `image-set("a.png" 1x)` where it stands among variables: strings that are URLs.
    fn visit_function(&mut self, function: &mut Function<'i>) -> Result<(), Infallible> {
        let name = function.name.0.to_ascii_lowercase();
        if ["src", "image-set", "-webkit-image-set"].contains(&name.as_str()) {
            for argument in &mut function.arguments.0 {
                if let TokenOrValue::Token(Token::String(url)) = argument {
                    let at = Location { line: self.rule.line + 1, column: self.rule.column };
                    self.visit_text(url, at);
                }
            }
        }
        function.visit_children(self)
    }
}

pub(super) fn location(rule: &CssRule<'_>) -> Option<lightningcss::rules::Location> {
    Some(match rule {
        CssRule::Media(rule) => rule.loc,
        CssRule::Import(rule) => rule.loc,
        CssRule::Style(rule) => rule.loc,
        CssRule::Keyframes(rule) => rule.loc,
        CssRule::FontFace(rule) => rule.loc,
        CssRule::FontPaletteValues(rule) => rule.loc,
        CssRule::FontFeatureValues(rule) => rule.loc,
        CssRule::Page(rule) => rule.loc,
        CssRule::Supports(rule) => rule.loc,
        CssRule::CounterStyle(rule) => rule.loc,
        CssRule::Namespace(rule) => rule.loc,
        CssRule::MozDocument(rule) => rule.loc,
        CssRule::Nesting(rule) => rule.loc,
        CssRule::NestedDeclarations(rule) => rule.loc,
        CssRule::Viewport(rule) => rule.loc,
        CssRule::CustomMedia(rule) => rule.loc,
        CssRule::LayerStatement(rule) => rule.loc,
        CssRule::LayerBlock(rule) => rule.loc,
        CssRule::Property(rule) => rule.loc,
        CssRule::Container(rule) => rule.loc,
        CssRule::Scope(rule) => rule.loc,
        CssRule::StartingStyle(rule) => rule.loc,
        CssRule::ViewTransition(rule) => rule.loc,
        CssRule::PositionTry(rule) => rule.loc,
        CssRule::Unknown(rule) => rule.loc,
        CssRule::Ignored | CssRule::Custom(_) => return None,
    })
}

/// The byte at a line and column, both from 0, the column in UTF-16 units.
pub(super) fn offset_of_utf16(text: &str, line: usize, column: usize) -> usize {
    // CSS ends lines at CR, LF, CR LF and FF.
    let mut start = 0;
    for _ in 0..line {
        let rest = &text[start..];
        let Some(end) = rest.find(['\n', '\r', '\u{c}']) else { return text.len() };
        start += end + if rest[end..].starts_with("\r\n") { 2 } else { 1 };
    }
    let mut units = 0;
    for (at, c) in text[start..].char_indices() {
        if units >= column {
            return start + at;
        }
        units += c.len_utf16();
    }
    text.len()
}
