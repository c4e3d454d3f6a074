//! Which part of the world a module comes from, by its path from the app's folder.

use std::path::{Component, Path};

/// Where a module lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zone {
    /// `app/client`.
    Client,
    /// `app/shared`.
    Shared,
    /// `app/server`.
    Server,
    /// `lib/server`, `vendor/*/lib` and `config`: never in a browser, not called from one.
    Private,
    /// Below a `node_modules`.
    Package,
    /// Anywhere else, in the app's folder or beside it.
    Elsewhere,
}

impl Zone {
    /// By a path from the app's folder.
    pub fn of(name: &str) -> Self {
        if name.split('/').any(|part| part == "node_modules") {
            return Self::Package;
        }
        let vendored = name.strip_prefix("vendor/").and_then(|below| below.split_once('/'));
        if vendored.is_some_and(|(_, below)| below.starts_with("lib/")) {
            return Self::Private;
        }
        let starts = [
            ("app/client/", Self::Client),
            ("app/shared/", Self::Shared),
            ("app/server/", Self::Server),
            ("lib/server/", Self::Private),
            ("config/", Self::Private),
        ];
        starts.into_iter().find(|(start, _)| name.starts_with(start)).map_or(Self::Elsewhere, |(_, zone)| zone)
    }

    /// Whether its modules stand in an API tree.
    pub fn is_tree(self) -> bool {
        matches!(self, Self::Client | Self::Shared | Self::Server)
    }

    /// Whether its modules are the app's own code, which knows `SS`.
    pub fn is_own(self) -> bool {
        self.is_tree() || self == Self::Private
    }

    /// Whether nothing of it may reach a browser.
    pub fn is_private(self) -> bool {
        matches!(self, Self::Server | Self::Private)
    }
}

/// The way from one folder to a path, with `/`. Both absolute and free of links.
pub fn relative(from: &Path, to: &Path) -> String {
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) = (from.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    let down = to[shared..].iter().map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Zone, relative};

    #[test]
    fn names_are_paths_from_the_app() {
        let app = Path::new("/srv/shop/app1");
        assert_eq!(relative(app, Path::new("/srv/shop/app1/app/client/app.js")), "app/client/app.js");
        assert_eq!(relative(app, Path::new("/srv/vendor/three/x.js")), "../../vendor/three/x.js");
        assert_eq!(Zone::of("../node_modules/app/client/x.js"), Zone::Package);
        assert_eq!(Zone::of("lib/server/auth.js"), Zone::Private);
        assert_eq!(Zone::of("vendor/clock/lib/clock.js"), Zone::Private);
        assert_eq!(Zone::of("vendor/three/src/three.js"), Zone::Elsewhere);
        assert_eq!(Zone::of("../lib/server/auth.js"), Zone::Elsewhere);
    }
}
