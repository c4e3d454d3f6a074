use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The hash of everything that a result depends on: this program among it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub(super) [u8; 32]);

/// A key in the making.
#[derive(Debug, Clone)]
pub struct Keyed(Sha256);

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Keyed {
    /// Begins the key of a result of this kind.
    pub fn new(kind: &str) -> Self {
        Self(Sha256::new()).with(env!("CARGO_PKG_VERSION")).with(env!("SSBUILD_SOURCES")).with(kind)
    }

    /// Adds text or bytes that the result depends on. Where one part ends and the next begins counts.
    #[must_use]
    pub fn with(mut self, part: impl AsRef<[u8]>) -> Self {
        let part = part.as_ref();
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    /// Adds a value that the result depends on.
    #[must_use]
    pub fn with_value(self, value: &impl Serialize) -> Self {
        self.with(postcard::to_stdvec(value).expect("values in keys are plain data"))
    }

    /// The key.
    pub fn done(self) -> Key {
        Key(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::Keyed;

    #[test]
    fn where_a_part_ends_counts() {
        let key = |parts: &[&str]| parts.iter().fold(Keyed::new("kind"), |key, part| key.with(part)).done();
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["ab"]), key(&["ab", ""]));
    }
}
