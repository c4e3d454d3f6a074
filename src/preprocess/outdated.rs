//! What changed in these languages since 2011, and what to write instead.

use std::convert::Infallible;

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use ssbuild_diagnostic::{Code, Diagnostic, Place, Severity};

use super::message::{Complaint, Job, Language};

/// What to do about something that a package refuses, where that is known.
pub(super) fn help(job: &Job<'_>, complaint: &Complaint) -> Vec<&'static str> {
    let said = complaint.message.as_str();
    let says = |part: &str| said.contains(part);
    if complaint.refused {
        return vec!["Move what is included there, or copy it."];
    }
    match job.language {
        Language::Coffee if has_bare_super(job.text, complaint.line) && (says("unexpected") || says("super")) => vec![
            "CoffeeScript 2 has no bare `super`: write `super arguments...` to pass everything on, or `super()`.",
            KEEP_1,
        ],
        Language::Coffee if says("before calling super") || says("without calling super") => vec![
            "In CoffeeScript 2 the constructor of a derived class calls `super` before it uses `@`: move that line up.",
            KEEP_1,
        ],
        Language::Coffee if says("outside of an instance method") => {
            vec!["Name the parent's method: `Parent::method.call this, …`, or `Parent.method.call this, …`."]
        }
        Language::Coffee if says("reserved word") || (says("keyword") && says("assigned")) => {
            vec!["It is a word of the language now: choose another name, or write it as a property (`@name`)."]
        }
        Language::Coffee
            if says("JSX")
                || (says("unmatched") && has_tight_less(&complaint.source))
                || says("missing />")
                || says("missing </")
                || says("corresponding") =>
        {
            vec!["CoffeeScript 2 reads `<name` as JSX: put a space behind the `<`."]
        }
        Language::Coffee if says("indentation") => {
            vec!["Indent the lines of a block alike, with spaces or with tabs and not with both."]
        }
        Language::Pug if complaint.source.trim_start().starts_with("!!!") => {
            let mut all = vec!["Write `doctype html` instead."];
            all.extend(complaint.file.ends_with(".jade").then_some(KEEP_JADE));
            all
        }
        Language::Pug if says("unknown filter") || says("apply the transform") => vec![
            "Filters are packages of their own now: for `:markdown-it` run `npm install --save-dev jstransformer-markdown-it`.",
        ],
        Language::Pug if says("declared without body") => vec!["Mixins are called with a plus: `+name(…)`."],
        Language::Pug if says("with expression") || says("Unexpected token") || says("Unterminated") => {
            vec!["Look at the JavaScript behind `-`, `=`, `if` and `each`, and in attributes."]
        }
        Language::Pug if says("of undefined") || says("of null") || says("is not defined") => match job.locals {
            Some(_) => vec![
                "A page is rendered when the app is built. It knows `SocketStream`, `asset(…)`, `env` and `config.client`.",
            ],
            None => vec![
                "A template is rendered without values when the app is built; they come in the browser (`${name}`).",
            ],
        },
        Language::Sass if says("find stylesheet to import") => {
            vec!["Sheets are found beside the one that imports them, in `app/css`, `lib/css` and `node_modules`."]
        }
        Language::Stylus if says("@import file nib") => vec!["Install it: `npm install --save-dev nib`."],
        Language::Stylus if says("failed to locate") => {
            vec!["Sheets are found beside the one that imports them, in `app/css`, `lib/css` and `node_modules`."]
        }
        Language::Stylus if job.text.contains("progid:") && (says("expected") || says("unexpected")) => {
            vec!["Today's Stylus wants old filters as text: `filter unquote('progid:…')`."]
        }
        Language::Stylus if says("stack size") => vec!["Look for a function or mixin that calls itself without end."],
        _ => Vec::new(),
    }
}

const KEEP_1: &str =
    "Or keep CoffeeScript 1: `npm uninstall coffeescript`, then `npm install --save-dev coffee-script@1.12.7`.";

const KEEP_JADE: &str = "Or keep the Jade of 2011, which understands it: `npm install --save-dev jade@0.12`.";

/// Whether a line compares as in `a <b`, which reads as the start of an element now.
fn has_tight_less(line: &str) -> bool {
    line.match_indices(" <")
        .any(|(at, _)| line[at + 2..].starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '@'))
}

/// Whether `super` stands alone in the line or one beside it: the parser stumbles over what follows.
fn has_bare_super(text: &str, line: u32) -> bool {
    let line = line as usize;
    let near = text.lines().enumerate().filter(|(at, _)| (*at + 1).abs_diff(line) <= 1);
    near.into_iter().any(|(_, line)| {
        line.match_indices("super").any(|(at, word)| {
            let before = line[..at].chars().next_back();
            let is_word = !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '.' | ':'));
            let rest = line[at + word.len()..].trim_start();
            is_word
                && (rest.is_empty()
                    || [")", "#", ";", "if ", "unless ", "and ", "or "].iter().any(|end| rest.starts_with(end)))
        })
    })
}

/// What today's Pug and Jade accept, but read in another way than the Jade of 2011.
pub(super) fn silent(file: &str, source: &str, html: &str) -> Vec<Diagnostic> {
    let warning = |message: String, is_line: &dyn Fn(&str) -> bool, help: &str| {
        let mut found = Diagnostic::new(Code::ViewError, message).at(line_place(file, source, is_line), "").help(help);
        found.severity = Severity::Warning;
        found
    };
    // The Jade of 2011 understands all of these but colons, which were gone before it.
    let kept = |found: Diagnostic| if file.ends_with(".jade") { found.help(KEEP_JADE) } else { found };
    let mut found = Vec::new();
    let mut in_code: Option<String> = None;
    let mut emitter = DefaultEmitter::<usize>::new_with_span();
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok::<_, Infallible>(token) = token;
        match token {
            Token::Doctype(doctype) if doctype.name.as_slice() == b"5" => found.push(kept(warning(
                "`doctype 5` is not HTML 5 any more".to_owned(),
                &|line| line.trim_start().starts_with("doctype"),
                "Write `doctype html`.",
            ))),
            Token::StartTag(tag) => {
                in_code = code_tag(&tag);
                for (name, value) in &tag.attributes {
                    let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
                    if value.contains("#{") {
                        found.push(kept(warning(
                            "`#{…}` is not replaced in an attribute any more".to_owned(),
                            &|line| line.contains("#{"),
                            "Write an expression: `href='/user/' + id`.",
                        )));
                    } else if name.ends_with(':') && name == value {
                        found.push(warning(
                            format!("`{name}` became an attribute of that name: values are set with `=` now"),
                            &|line| line.contains(&*name),
                            &format!("Write `{}=`.", name.trim_end_matches(':')),
                        ));
                    }
                }
            }
            Token::String(text) => {
                if let Some(tag) = in_code.take()
                    && text.trim_ascii_start().starts_with(b"<")
                    && !text.trim_ascii_start().starts_with(b"<!--")
                {
                    found.push(kept(warning(
                        format!("the lines below `{tag}` became tags"),
                        &|line| line.trim() == tag || line.trim_start().starts_with(&format!("{tag}(")),
                        &format!("Write a dot behind it, `{tag}.`, when they are text."),
                    )));
                }
            }
            _ => in_code = None,
        }
    }
    found.dedup();
    found
}

/// The name of a tag whose text is code for the browser.
fn code_tag(tag: &StartTag<usize>) -> Option<String> {
    let kind = tag.attributes.get(b"type".as_slice()).map(|kind| String::from_utf8_lossy(kind).to_ascii_lowercase());
    let is_code = match tag.name.as_slice() {
        b"script" => kind.is_none_or(|kind| kind.contains("javascript") || kind == "module"),
        b"style" => true,
        _ => false,
    };
    is_code.then(|| String::from_utf8_lossy(&tag.name).into_owned())
}

fn line_place(file: &str, source: &str, is_line: &dyn Fn(&str) -> bool) -> Place {
    let found = source.lines().enumerate().find(|(_, line)| is_line(line));
    found.map_or_else(
        || Place::file(file),
        |(at, line)| {
            let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let indent = line.chars().take_while(|c| c.is_whitespace()).count();
            let length = line.trim().chars().count();
            Place::at(file, to_u32(at + 1), to_u32(indent + 1), to_u32(length), line)
        },
    )
}
