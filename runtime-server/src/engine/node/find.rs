//! Whether there is a Node.js, and whether it is new enough.

use std::process::{Command, Stdio};

use crate::engine::EngineError;

/// The oldest version that is supported: major and minor.
const OLDEST: (u32, u32) = (20, 19);

/// Asks the program for its version.
pub(in crate::engine) fn check(command: &str) -> Result<(), EngineError> {
    let (major, minor) = OLDEST;
    let failed = |what: String| {
        Err(EngineError::Start(format!(
            "{what}. The server code needs Node.js {major}.{minor} or newer: install it, or name the program in `server.node`"
        )))
    };
    let output = Command::new(command).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return failed(format!("Node.js was not found: there is no program `{command}`"));
        }
        Err(error) => return failed(format!("Node.js cannot be run: `{command}`: {error}")),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let text = text.trim();
    match version(text) {
        Some(found) if found >= OLDEST => Ok(()),
        Some(_) => failed(format!("`{command}` is Node.js {text}")),
        None => failed(format!("`{command}` is not Node.js: asked for its version it said `{text}`")),
    }
}

/// Major and minor of `v20.19.4`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("v20.19.4"), Some((20, 19)));
        assert!(version("v20.9.0") < Some(OLDEST));
        assert!(version("v22.0.0") > Some(OLDEST));
        assert_eq!(version("1.2.3"), None);
        assert_eq!(version("v"), None);
    }

    #[test]
    fn what_is_not_node_is_refused_with_a_remedy() {
        let missing = check("/nowhere/node").unwrap_err().to_string();
        assert!(missing.contains("there is no program `/nowhere/node`"), "{missing}");
        assert!(missing.contains("`server.node`"), "{missing}");
        let other = check("true").unwrap_err().to_string();
        assert!(other.contains("`true` is not Node.js"), "{other}");
    }
}
