//! What the app's `tsconfig.json`, or `jsconfig.json`, says about its code.

use std::path::{Path, PathBuf};

use oxc_resolver::{ResolveError, TsConfig};
use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_script::{Decorators, Fields, JsxForm, TypeScript};

use crate::disk::{Disk, Kind};

/// The file, if the app has one.
pub(crate) fn find(disk: &dyn Disk, root: &Path) -> Option<PathBuf> {
    let mut files = ["tsconfig.json", "jsconfig.json"].into_iter().map(|name| root.join(name));
    files.find(|file| matches!(disk.kind(file), Ok(Some(Kind::File(_)))))
}

/// What it decides about code.
pub(crate) fn typescript(config: &TsConfig) -> TypeScript {
    let options = &config.compiler_options;
    let on = |option: Option<bool>| option == Some(true);
    let decorators = match (on(options.experimental_decorators), on(options.emit_decorator_metadata)) {
        (true, true) => Decorators::ExperimentalWithMetadata,
        (true, false) => Decorators::Experimental,
        (false, _) => Decorators::Standard,
    };
    // Without a word on it the target decides: fields came with ES2022.
    let old = options.target.as_deref().is_some_and(is_before_fields);
    let defined = options.use_define_for_class_fields.unwrap_or(!old);
    let jsx = match (options.jsx.as_deref(), &options.jsx_factory, &options.jsx_import_source) {
        (Some("react"), factory, _) => {
            let fragment = options.jsx_fragment_factory.clone().unwrap_or_else(|| "React.Fragment".to_owned());
            JsxForm::Call(factory.clone().unwrap_or_else(|| "React.createElement".to_owned()), fragment)
        }
        (_, _, Some(source)) => JsxForm::Of(source.clone()),
        _ => JsxForm::React,
    };
    TypeScript { decorators, fields: if defined { Fields::Defined } else { Fields::Assigned }, jsx }
}

fn is_before_fields(target: &str) -> bool {
    let target = target.to_ascii_lowercase();
    match target.strip_prefix("es") {
        Some(year) => year.parse::<u32>().is_ok_and(|year| year < 2022),
        None => false,
    }
}

/// The finding for one that cannot be read; the build goes on without it.
pub(crate) fn unreadable(root: &Path, file: &Path, error: &ResolveError) -> Diagnostic {
    let name = file.strip_prefix(root).unwrap_or(file).to_string_lossy().into_owned();
    let said = error.to_string().replace(&format!("{}/", root.display()), "");
    let mut found = Diagnostic::new(Code::ConfigInvalid, format!("`{name}` cannot be read: {said}"));
    found.severity = ssbuild_diagnostic::Severity::Warning;
    found.at(Place::file(&name), "").help("Its `paths`, decorators and JSX settings are not followed.")
}
