use std::{
    env,
    ffi::OsString,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The oldest Node.js that the helper is run by.
pub(super) const OLDEST: (u32, u32) = (20, 19);

/// Where Node.js is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePath(Option<OsString>);

impl NodePath {
    /// In the folders of this process's `PATH`.
    pub fn of_process() -> Self {
        Self(env::var_os("PATH"))
    }

    /// In these folders, joined as in `PATH`.
    pub fn new(folders: impl Into<OsString>) -> Self {
        Self(Some(folders.into()))
    }

    /// The program and its size, which another version does not share.
    pub fn identity(&self) -> Option<(PathBuf, u64)> {
        let node = self.find()?;
        let node = node.canonicalize().unwrap_or(node);
        let bytes = node.metadata().map_or(0, |metadata| metadata.len());
        Some((node, bytes))
    }

    /// The folders, for the process's own environment.
    pub(super) fn folders(&self) -> OsString {
        self.0.clone().unwrap_or_default()
    }

    /// The first program called `node`.
    pub(super) fn find(&self) -> Option<PathBuf> {
        let folders = self.0.as_ref()?;
        // An empty name would mean the working folder, which is the app's: nothing there is started by chance.
        env::split_paths(folders)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("node"))
            .find(|node| is_program(node))
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Whether a version, as in `20.20.2`, is new enough.
pub(super) fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    (major, minor) >= OLDEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for new in ["20.19.0", "20.20.2", "22.1.0", "100.0.0"] {
            assert!(is_new_enough(new), "{new}");
        }
        for old in ["20.18.9", "9.30.0", "0.4.12", "", "x.y"] {
            assert!(!is_new_enough(old), "{old}");
        }
    }

    #[test]
    fn node_is_a_program_in_an_absolute_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let node = folder.path().join("node");
        std::fs::write(&node, "").expect("a file");
        assert_eq!(NodePath::new(folder.path()).find(), None, "nobody may run it");
        std::fs::set_permissions(&node, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        assert_eq!(NodePath::new(folder.path()).find(), Some(node));
        assert_eq!(NodePath::new("").find(), None);
        assert_eq!(NodePath::new(".:bin").find(), None);
    }
}
