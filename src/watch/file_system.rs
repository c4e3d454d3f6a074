use std::path::{Path, PathBuf};

/// How changes are learned of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listening {
    /// The system tells.
    Events,
    /// By looking again and again; with the reason, in words.
    Polling(String),
}

/// How to learn of changes in a folder: by polling where the file system is known to tell nothing of what others write.
pub fn listening(folder: &Path) -> Listening {
    // Where there is no such table, the system's own events are the best guess.
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    match mounted(&table, folder) {
        Some(kind) if is_silent(&kind) => {
            Listening::Polling(format!("the folder is on `{kind}`, which does not tell of changes"))
        }
        _ => Listening::Events,
    }
}

/// File systems of other machines, or of the machine around this one: their changes happen elsewhere.
fn is_silent(kind: &str) -> bool {
    matches!(
        kind,
        "nfs"
            | "nfs4"
            | "cifs"
            | "smb3"
            | "smbfs"
            | "9p"
            | "v9fs"
            | "drvfs"
            | "afs"
            | "ceph"
            | "vboxsf"
            | "prl_fs"
            | "virtiofs"
            | "vmhgfs"
    ) || kind == "fuse"
        || kind.starts_with("fuse.")
        || kind == "fuseblk"
}

/// The type of the file system that holds `folder`, by a table in the form of proc(5) `mountinfo`.
fn mounted(table: &str, folder: &Path) -> Option<String> {
    let mounts = table.lines().filter_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let point = PathBuf::from(unescape(left.split(' ').nth(4)?));
        Some((point, right.split(' ').next()?.to_owned()))
    });
    // The longest one holds it; of two at one place, the later lies on top.
    let holding = mounts.filter(|(point, _)| folder.starts_with(point));
    holding.max_by_key(|(point, _)| point.components().count()).map(|(_, kind)| kind)
}

/// Spaces and the like stand as `\040`.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/share rw - cifs //server/share rw
31 22 0:41 / /mnt/two\\040words rw shared:2 master:1 - 9p host rw
32 30 0:42 / /mnt/share/local rw - tmpfs tmpfs rw
33 22 0:43 / /mnt/box rw - fuse.sshfs me@there: rw
";

    #[test]
    fn the_innermost_mount_decides() {
        let kind = |folder: &str| mounted(TABLE, Path::new(folder));
        assert_eq!(kind("/home/me/app").as_deref(), Some("ext4"));
        assert_eq!(kind("/mnt/share/app").as_deref(), Some("cifs"));
        assert_eq!(kind("/mnt/share/local/app").as_deref(), Some("tmpfs"));
        assert_eq!(kind("/mnt/two words/app").as_deref(), Some("9p"));
        assert_eq!(kind("/mnt/sharexyz").as_deref(), Some("ext4"));
        assert_eq!(mounted("", Path::new("/")), None);
    }

    #[test]
    fn what_lies_on_other_machines_is_polled() {
        for kind in ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse", "virtiofs"] {
            assert!(is_silent(kind), "{kind}");
        }
        for kind in ["ext4", "btrfs", "xfs", "tmpfs", "overlay", "zfs"] {
            assert!(!is_silent(kind), "{kind}");
        }
    }
}
