use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use super::{VerifyError, failed};

/// What is no source of an app: output, caches, state, history.
const LEFT_OUT: &[&str] = &["dist", ".ssbuild", ".ssserve", ".git"];
/// How far above an app packages are looked for.
const ABOVE_MAX: usize = 4;

/// Copies an app below `to`, with packages that lie above it at the same distance; returns the copy's root.
pub(super) fn app(root: &Path, to: &Path) -> Result<PathBuf, VerifyError> {
    let above: Vec<&Path> = root.ancestors().skip(1).take(ABOVE_MAX).collect();
    let farthest = above.iter().rposition(|folder| folder.join("node_modules").is_dir()).map(|at| above[at]);
    let base = farthest.unwrap_or_else(|| root.parent().unwrap_or(root));
    for folder in above.iter().filter(|folder| folder.starts_with(base)) {
        let packages = folder.join("node_modules");
        if packages.is_dir() {
            let below = packages.strip_prefix(base).expect("it is above the app");
            folder_to(&packages, &to.join(below), &[])?;
        }
    }
    let copy = to.join(root.strip_prefix(base).expect("the base is above the app"));
    folder_to(root, &copy, LEFT_OUT)?;
    Ok(copy)
}

fn folder_to(from: &Path, to: &Path, left_out: &[&str]) -> Result<(), VerifyError> {
    fs::create_dir_all(to).map_err(failed("make", to))?;
    for entry in fs::read_dir(from).map_err(failed("list", from))? {
        let entry = entry.map_err(failed("list", from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if left_out.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let kind = entry.file_type().map_err(failed("look at", &path))?;
        if kind.is_symlink() {
            link(&path, &target).map_err(failed("copy", &path))?;
        } else if kind.is_dir() {
            folder_to(&path, &target, &[])?;
        } else if kind.is_file() {
            // Packages are many and are only read: another name for the same file is enough where the disk allows it.
            let linked = if path.components().any(|part| part.as_os_str() == "node_modules") {
                fs::hard_link(&path, &target)
            } else {
                Err(io::ErrorKind::Unsupported.into())
            };
            linked.or_else(|_| fs::copy(&path, &target).map(|_| ())).map_err(failed("copy", &path))?;
        }
    }
    Ok(())
}

/// A link that leads elsewhere by a relative path leads elsewhere in the copy as well; an absolute one stays.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    symlink(fs::read_link(from)?, to)
}
