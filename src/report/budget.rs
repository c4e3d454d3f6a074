//! Budgets: how large bundles and pages may be.

use ssbuild_diagnostic::{Code, Diagnostic, Place};

use super::{sent, size};
use crate::{build::Sealed, config::Settings, nearest::did_you_mean, pages::route};

/// What is larger than `build.budget_bytes` allows, and what it names that is not there.
pub(crate) fn check(settings: &Settings, sealed: &Sealed, pages: &[&str]) -> Vec<Diagnostic> {
    let of = |name: &str| -> Option<u64> {
        if let Some(asset) = sealed.assets.get(name) {
            return Some(sent(asset));
        }
        let page = pages.iter().find(|page| route(page) == name)?;
        let own = if *page == "app" { "app" } else { page };
        let mut bundles = vec!["lib", "app", own];
        bundles.dedup();
        let files = bundles.iter().flat_map(|bundle| [format!("{bundle}.js"), format!("{bundle}.css")]);
        Some(files.filter_map(|file| sealed.assets.get(&file)).map(sent).sum())
    };
    let mut found = Vec::new();
    for (name, &most) in &settings.config.build.budget_bytes {
        let key = format!("build.budget_bytes.{name}");
        let origin = settings.origins.iter().find(|value| value.origin.key == key);
        let place = origin.and_then(|value| value.place.clone()).unwrap_or_else(|| Place::file("config"));
        match of(name) {
            Some(bytes) if bytes > most => {
                let (over, most) = (size(bytes - most), size(most));
                let message =
                    format!("`{name}` has {} as it is sent: {over} more than the budget of {most}", size(bytes));
                let exceeded = Diagnostic::new(Code::BudgetExceeded, message).at(place, "");
                found.push(exceeded.help("`ssbuild report` shows what is in it."));
            }
            Some(_) => {}
            None => {
                let routes: Vec<String> = pages.iter().map(|page| route(page)).collect();
                let known = sealed.assets.keys().chain(&routes).map(String::as_str);
                let message = format!("`{key}` names neither a file of the build nor a page");
                let unknown = Diagnostic::new(Code::ConfigUnknown, message).at(place, "");
                found.push(match did_you_mean(name, known) {
                    Some(near) => unknown.help(near),
                    None => unknown,
                });
            }
        }
    }
    found
}
