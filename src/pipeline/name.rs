//! What an app is called.

use super::compiled::Compiled;
use crate::disk::{DiskError, Kind};

impl Compiled<'_> {
    /// The app's name: as configured, else that of its package, else `app`. Not the folder's: it is no part of the app, and
    /// would make the build depend on where it was checked out.
    pub(super) fn name(&self) -> Result<String, DiskError> {
        let Self { disk, project, settings, .. } = self;
        let package = project.root.join("package.json");
        let package_name = || -> Result<Option<String>, DiskError> {
            if !matches!(disk.kind(&package)?, Some(Kind::File(_))) {
                return Ok(None);
            }
            let value = serde_json::from_slice::<serde_json::Value>(&disk.read(&package)?).unwrap_or_default();
            Ok(value["name"].as_str().map(str::to_owned))
        };
        let name = match &settings.config.name {
            Some(name) => Some(name.clone()),
            None => package_name()?,
        };
        let reduced: String = name
            .unwrap_or_default()
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' })
            .collect();
        let reduced = reduced.trim_matches('_');
        Ok(if reduced.is_empty() { "app".to_owned() } else { reduced.to_owned() })
    }
}
