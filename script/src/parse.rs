use ssbuild_diagnostic::{Code, Diagnostic};
use swc_core::common::comments::{Comments, SingleThreadedComments};
use swc_core::common::{BytePos, Spanned};
use swc_core::ecma::ast::{EsVersion, Program};
use swc_core::ecma::parser::error::{Error, SyntaxError};
use swc_core::ecma::parser::{EsSyntax, Lexer, Parser, StringInput, Syntax, TsSyntax};

use crate::Language;
use crate::place::{Places, offset};

/// Most errors of one file that are shown: what follows a mistake is mostly its echo.
const ERRORS_SHOWN: usize = 10;

/// The syntax tree of a script.
pub(crate) fn parse(
    places: &Places<'_>,
    language: Language,
    comments: Option<&SingleThreadedComments>,
) -> Result<Program, Vec<Diagnostic>> {
    let text = places.text();
    let input = StringInput::new(text, BytePos(1), BytePos(1 + text.len() as u32));
    let comments = comments.map(|comments| -> &dyn Comments { comments });
    let mut parser = Parser::new_from(Lexer::new(syntax(language), EsVersion::latest(), input, comments));
    // These endings say that it is one; of others it is seen from what is in the file.
    let parsed = match places.path().rsplit_once('.') {
        Some((_, "mjs" | "mts")) => parser.parse_module().map(Program::Module),
        _ => parser.parse_program(),
    };
    let mut errors = parser.take_errors();
    if matches!(parsed, Ok(Program::Script(_))) {
        errors.retain(|error| !is_sloppy_function(error, text));
    }
    match parsed {
        Ok(program) if errors.is_empty() => Ok(program),
        Ok(_) => Err(diagnostics(places, errors)),
        Err(fatal) => {
            errors.push(fatal);
            Err(diagnostics(places, errors))
        }
    }
}

/// `if (x) function f() {}` is allowed in sloppy scripts, which the parser does not know.
fn is_sloppy_function(error: &Error, text: &str) -> bool {
    matches!(error.kind(), SyntaxError::DeclNotAllowed)
        && text.get(offset(error.span().lo)..).is_some_and(|rest| rest.starts_with("function"))
        && memchr::memmem::find(text.as_bytes(), b"use strict").is_none()
}

fn syntax(language: Language) -> Syntax {
    match language {
        // No expression of plain JavaScript starts with `<`, so reading JSX in every file changes no other.
        Language::JavaScript | Language::Jsx | Language::Json => Syntax::Es(EsSyntax {
            jsx: true,
            decorators: true,
            decorators_before_export: true,
            import_attributes: true,
            allow_return_outside_function: true,
            explicit_resource_management: true,
            ..EsSyntax::default()
        }),
        Language::TypeScript => Syntax::Typescript(TsSyntax { decorators: true, ..TsSyntax::default() }),
        Language::Tsx => Syntax::Typescript(TsSyntax { tsx: true, decorators: true, ..TsSyntax::default() }),
    }
}

fn diagnostics(places: &Places<'_>, mut errors: Vec<Error>) -> Vec<Diagnostic> {
    errors.sort_by_key(|error| (error.span().lo, error.span().hi));
    errors.dedup_by_key(|error| error.span().lo);
    errors.truncate(ERRORS_SHOWN);
    errors.iter().map(|error| diagnostic(places, error)).collect()
}

fn diagnostic(places: &Places<'_>, error: &Error) -> Diagnostic {
    let span = error.span();
    let text = places.text();
    let (start, end) = (offset(span.lo).min(text.len()), offset(span.hi).min(text.len()));
    // The end of the file is shown behind its last character, not on an empty line after it.
    let at_end = start >= text.trim_end().len();
    let (start, end) = if at_end { (text.trim_end().len(), text.trim_end().len()) } else { (start, end) };
    let found = Diagnostic::new(Code::SyntaxError, message(error.kind(), at_end)).at(places.at(start, end), "");
    match remedy(error.kind()) {
        Some(help) => found.help(help),
        None => found,
    }
}

fn message(error: &SyntaxError, at_end: bool) -> String {
    if at_end {
        return "the file ends in the middle of something".to_owned();
    }
    let text = match error {
        SyntaxError::TS1109 => "expected an expression".to_owned(),
        error => error.msg().into_owned(),
    };
    // A long list of what could stand there helps nobody.
    let text = match text.split_once(". Expected ") {
        Some((said, expected)) if expected.matches(", ").count() > 2 => said.to_owned(),
        _ => text,
    };
    let text = text.trim_end_matches('.').replace("<eof>", "the end of the file");
    // Sentences of the parser start large, ours do not; code at the start stays as it is.
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text,
    }
}

fn remedy(error: &SyntaxError) -> Option<&'static str> {
    match error {
        SyntaxError::ImportExportInScript | SyntaxError::NonTopLevelImportExport => {
            Some("Write `import` and `export` at the top level of the file, outside of all blocks.")
        }
        SyntaxError::AwaitInFunction => Some("Mark the function around it `async`."),
        _ => None,
    }
}
