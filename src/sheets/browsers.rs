//! The browsers that styles must work in, from where people write such queries.

use serde_json::Value;
use ssbuild_diagnostic::{Code, Diagnostic, Place, Span};

use super::Targets;
use crate::{
    config::Settings,
    disk::{Disk, DiskError, Kind},
    project::Project,
};

const RC: &str = ".browserslistrc";
const PACKAGE: &str = "package.json";

/// `build.targets` when the app's configuration has it, else `.browserslistrc`, else `browserslist` in `package.json`, else the
/// default of `build.targets`.
pub(super) fn targets(
    disk: &dyn Disk,
    project: &Project,
    settings: &Settings,
) -> Result<(Targets, Vec<Diagnostic>), DiskError> {
    let configured = settings
        .sources
        .iter()
        .rev()
        .find(|source| source.values.get("build").and_then(|build| build.get("targets")).is_some());
    let read = |name: &str| -> Result<Option<String>, DiskError> {
        let path = project.root.join(name);
        match disk.kind(&path)? {
            Some(Kind::File(_)) => Ok(String::from_utf8(disk.read(&path)?).ok()),
            _ => Ok(None),
        }
    };
    let mut asked =
        (configured.map(|source| source.file.clone()), settings.config.build.targets.clone(), String::new());
    if configured.is_none() {
        if let Some(text) = read(RC)? {
            asked = (Some(RC.to_owned()), of_rc(&text, &settings.env), text);
        } else if let Some(text) = read(PACKAGE)?
            && let Some(queries) = of_package(&text, &settings.env)
        {
            asked = (Some(PACKAGE.to_owned()), queries, text);
        }
    }
    let (file, queries, text) = asked;
    Ok(match Targets::parse(&queries) {
        Ok(targets) => (targets, Vec::new()),
        Err(error) => {
            let name = if configured.is_some() || file.is_none() { "`build.targets`" } else { "browserslist" };
            let file = file.unwrap_or_default();
            let written = queries.iter().find(|query| Targets::parse(&[query]).is_err());
            let at = written.and_then(|query| Some((u32::try_from(text.find(query.as_str())?).ok()?, query.len())));
            let place = match at {
                Some((at, length)) => {
                    Place::new(&file, &text, Span::new(at, at + u32::try_from(length).unwrap_or_default()))
                }
                None => Place::file(&file),
            };
            (Targets::default(), vec![Diagnostic::new(Code::ConfigInvalid, format!("{name}: {error}")).at(place, "")])
        }
    })
}

/// One query a line, in sections by environment; those without one, or of `defaults`, hold where there is none of that name.
fn of_rc(text: &str, env: &str) -> Vec<String> {
    let mut sections: Vec<(Vec<&str>, Vec<String>)> = vec![(vec!["defaults"], Vec::new())];
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(names) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            sections.push((names.split_ascii_whitespace().collect(), Vec::new()));
        } else if !line.is_empty()
            && let Some((_, queries)) = sections.last_mut()
        {
            queries.push(line.to_owned());
        }
    }
    let of = |name: &str| -> Vec<String> {
        let fitting = sections.iter().filter(|(names, _)| names.contains(&name));
        fitting.flat_map(|(_, queries)| queries.iter().cloned()).collect()
    };
    let own = of(env);
    if own.is_empty() { of("defaults") } else { own }
}

/// A text, a list, or lists by environment.
fn of_package(text: &str, env: &str) -> Option<Vec<String>> {
    let package: Value = serde_json::from_str(text).ok()?;
    let of = |value: &Value| -> Vec<String> {
        match value {
            Value::String(query) => vec![query.clone()],
            Value::Array(queries) => queries.iter().filter_map(|query| query.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        }
    };
    match package.get("browserslist")? {
        Value::Object(by_env) => by_env.get(env).or_else(|| by_env.get("defaults")).map(of),
        value => Some(of(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_of_environments() {
        let text = "# all\nchrome 80\n[production staging]\nie 11 # old\nsafari 12\n[ssr]\nnode 12\n";
        assert_eq!(of_rc(text, "production"), ["ie 11", "safari 12"]);
        assert_eq!(of_rc(text, "staging"), ["ie 11", "safari 12"]);
        assert_eq!(of_rc(text, "development"), ["chrome 80"]);
    }

    #[test]
    fn a_package_says_it_in_three_ways() {
        let of = |text: &str| of_package(text, "production");
        assert_eq!(of(r#"{"browserslist": "ie 11, chrome 80"}"#), Some(vec!["ie 11, chrome 80".to_owned()]));
        assert_eq!(of(r#"{"browserslist": ["ie 11"]}"#), Some(vec!["ie 11".to_owned()]));
        assert_eq!(
            of(r#"{"browserslist": {"production": "ie 11", "development": []}}"#),
            Some(vec!["ie 11".to_owned()])
        );
        assert_eq!(of(r#"{"name": "x"}"#), None);
    }
}
