//! What the packages say, and what becomes of the helper, as diagnostics.

use ssbuild_diagnostic::{Code, Diagnostic, Label, Place, Span};

use super::{
    Limits,
    helper::Fate,
    message::{Complaint, Failed, Job, Language},
    node::OLDEST,
    outdated,
};

/// Most files that are listed for one missing package.
const LISTED: usize = 5;

impl Language {
    /// Its name, as people write it.
    fn name(self, file: &str) -> &'static str {
        match self {
            Self::Coffee => "CoffeeScript",
            Self::Stylus => "Stylus",
            Self::Sass => "Sass",
            Self::Pug if file.ends_with(".jade") => "Jade",
            Self::Pug => "Pug",
        }
    }

    /// What npm is to install. The newest `coffeescript` in name is not the language; version 2 is.
    fn install(self) -> &'static str {
        match self {
            Self::Coffee => "npm install --save-dev coffeescript@2",
            Self::Stylus => "npm install --save-dev stylus",
            Self::Sass => "npm install --save-dev sass-embedded",
            Self::Pug => "npm install --save-dev pug",
        }
    }

    /// The finding that its own mistakes are.
    fn code(self) -> Code {
        match self {
            Self::Coffee => Code::SyntaxError,
            Self::Stylus | Self::Sass => Code::StyleError,
            Self::Pug => Code::ViewError,
        }
    }
}

/// The package is missing, or refuses the file.
pub(super) fn failed(job: &Job<'_>, failed: Failed) -> Diagnostic {
    let language = job.language.name(job.file);
    let complaint = match failed {
        Failed::Missing { missing } => {
            return Diagnostic::new(
                Code::PreprocessorMissing,
                format!("{language} needs the package `{missing}`, which the app does not have"),
            )
            .at(Place::file(job.file), "")
            .help(format!("Install it in the app's folder: `{}`.", job.language.install()));
        }
        Failed::Refused(complaint) => complaint,
    };
    let code = match job.language {
        _ if complaint.broken => Code::PreprocessorMissing,
        _ if complaint.refused => Code::UrlEscapes,
        Language::Coffee | Language::Pug if complaint.deep => Code::NestedTooDeep,
        language => language.code(),
    };
    let mut diagnostic = Diagnostic::new(code, message(&complaint, language)).at(place(&complaint), "");
    if complaint.broken {
        return diagnostic.help(format!("Install it again: `{}`.", job.language.install()));
    }
    for help in outdated::help(job, &complaint) {
        diagnostic = diagnostic.help(help);
    }
    diagnostic
}

fn message(complaint: &Complaint, language: &str) -> String {
    if complaint.deep && complaint.message.starts_with("Maximum call stack") {
        return format!("the file is nested deeper than the compiler of {language} can follow");
    }
    let absent = complaint.message.strip_prefix("ENOENT: no such file or directory, open '");
    match absent.and_then(|rest| rest.split_once('\'')) {
        Some((file, _)) => format!("`{file}` is not there"),
        None => complaint.message.clone(),
    }
}

fn place(complaint: &Complaint) -> Place {
    match complaint.line {
        0 => Place::file(&complaint.file),
        line => Place::at(&complaint.file, line, complaint.column, complaint.length, &complaint.source),
    }
}

/// Brackets deeper than this are refused at once: the packages take minutes for ten times as many.
const DEPTH: usize = 1_000;

/// Refuses a file that is nested too deep. Brackets in strings and comments count too, which no sane file minds.
pub(super) fn depth(job: &Job<'_>) -> Option<Diagnostic> {
    let mut depth = 0_usize;
    for (at, byte) in job.text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            let place = Place::new(job.file, job.text, Span::new(at, at.saturating_add(1)));
            let message = format!("the file is nested more than {DEPTH} brackets deep");
            return Some(Diagnostic::new(Code::NestedTooDeep, message).at(place, ""));
        }
    }
    None
}

/// The helper could not be started, or ended.
pub(super) fn fate(job: &Job<'_>, fate: Fate, limits: Limits) -> Diagnostic {
    let language = job.language.name(job.file);
    let (major, minor) = OLDEST;
    let needs = |what: &str| {
        let message = format!("{language} is compiled by Node.js {major}.{minor} or newer, {what}");
        Diagnostic::new(Code::PreprocessorMissing, message).at(Place::file(job.file), "").help(format!(
            "Install Node.js so that `node` is on the `PATH`, then the package: `{}`.",
            job.language.install()
        ))
    };
    // Scripts have no loops when they are compiled: the compiler of the language is at fault then.
    let limit_code = match job.language {
        Language::Coffee => Code::CompilerPanic,
        Language::Stylus | Language::Sass => Code::StyleLimit,
        Language::Pug => Code::ViewError,
    };
    let look = match job.language {
        Language::Coffee => "Make it smaller until it passes, to see what its compiler trips over.",
        Language::Stylus | Language::Sass | Language::Pug => "Look for a loop, a function or a mixin that never ends.",
    };
    let limit =
        |what: String| Diagnostic::new(limit_code, format!("the file {what}")).at(Place::file(job.file), "").help(look);
    match fate {
        Fate::NoNode => needs("and there is no `node` on the `PATH`"),
        Fate::NotStarted(error) => needs(&format!("and `node` cannot be started: {error}")),
        Fate::TooOld(version) => needs(&format!("and `node` is version {version}")),
        Fate::TimedOut => limit(format!("was not compiled within {} ms", limits.deadline_ms_of(job.language))),
        Fate::OutOfMemory => limit(format!("took more memory than it is given ({} MiB)", limits.memory_mib)),
        Fate::TooLong => limit("comes to more than 64 MiB".to_owned()),
        Fate::Died(said) => {
            let last: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
            let last = last.iter().rev().take(3).rev().copied().collect::<Vec<_>>().join("\n");
            let message = format!("the process that compiles {language} ended while it compiled the file");
            Diagnostic::new(Code::CompilerPanic, message)
                .at(Place::file(job.file), "")
                .help(format!("The last that it said: {last}"))
        }
    }
}

/// Says once for all files of a language what is missing, instead of once for each.
pub fn merged(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut kept: Vec<Diagnostic> = Vec::new();
    for diagnostic in found {
        let same = kept.iter_mut().find(|other| {
            other.code == Code::PreprocessorMissing
                && diagnostic.code == other.code
                && other.message == diagnostic.message
        });
        match same {
            Some(same) => same.labels.extend(diagnostic.labels),
            None => kept.push(diagnostic),
        }
    }
    for diagnostic in kept.iter_mut().filter(|diagnostic| diagnostic.code == Code::PreprocessorMissing) {
        diagnostic.labels.sort_by(|a, b| a.place.cmp(&b.place));
        diagnostic.labels.dedup();
        let more = diagnostic.labels.len().saturating_sub(LISTED);
        if more > 0 {
            diagnostic.labels.truncate(LISTED);
            let files = if more == 1 { "one more file" } else { &format!("{more} more files") };
            let Some(Label { text, .. }) = diagnostic.labels.last_mut() else { continue };
            *text = format!("and {files}");
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_once() {
        let missing = |file: &str| Diagnostic::new(Code::PreprocessorMissing, "no `x`").at(Place::file(file), "");
        let other = Diagnostic::new(Code::SyntaxError, "no `x`").at(Place::file("a"), "");
        let mut found: Vec<Diagnostic> = (0..9).rev().map(|n| missing(&format!("{n}.coffee"))).collect();
        found.insert(3, other.clone());
        found.push(missing("0.coffee"));
        let merged = merged(found);
        let [first, second] = merged.as_slice() else { panic!("{merged:?}") };
        assert_eq!(*second, other);
        let files: Vec<&str> = first.labels.iter().map(|label| label.place.file.as_str()).collect();
        assert_eq!(files, ["0.coffee", "1.coffee", "2.coffee", "3.coffee", "4.coffee"]);
        assert_eq!(first.labels[4].text, "and 4 more files");
    }
}
