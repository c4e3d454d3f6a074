use globset::{GlobBuilder, GlobMatcher};
use oxc_resolver::{PackageJson, Resolution, SideEffects};

/// Whether the package of a file says that nobody notices when the file does not run (`"sideEffects"`).
pub(super) fn is_free(resolution: &Resolution) -> bool {
    let Some(package) = resolution.package_json() else { return false };
    match package.side_effects() {
        None => false,
        Some(SideEffects::Bool(has)) => !has,
        Some(SideEffects::String(pattern)) => !matches(package, resolution, pattern),
        Some(SideEffects::Array(patterns)) => !patterns.iter().any(|pattern| matches(package, resolution, pattern)),
    }
}

fn matches(package: &PackageJson, resolution: &Resolution, pattern: &str) -> bool {
    let Ok(file) = resolution.path().strip_prefix(package.directory()) else { return true };
    // What cannot be understood counts as having effects.
    glob(pattern).is_none_or(|glob| glob.is_match(file))
}

/// A pattern without a folder is about names in all folders.
fn glob(pattern: &str) -> Option<GlobMatcher> {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern).trim_start_matches('/');
    let anywhere = if pattern.contains('/') { pattern.to_owned() } else { format!("**/{pattern}") };
    let glob = GlobBuilder::new(&anywhere).literal_separator(true).build().ok()?;
    Some(glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn patterns_are_those_of_bundlers() {
        let cases = [
            ("*.css", "dist/a/b.css", true),
            ("./src/polyfill.js", "src/polyfill.js", true),
            ("./src/polyfill.js", "lib/src/polyfill.js", false),
            ("polyfill.js", "deep/polyfill.js", true),
            ("dist/**/*.js", "dist/a/b.js", true),
            ("dist/*.js", "dist/a/b.js", false),
            ("./src/{a,b}.js", "src/b.js", true),
        ];
        for (pattern, file, expected) in cases {
            let glob = glob(pattern).expect("a pattern");
            assert_eq!(glob.is_match(file), expected, "{pattern} {file}");
        }
    }
}
