//! What was computed once is not computed again: results by the hash of everything that they depend on.
//!
//! A result is asked for by its [`Key`] and nothing else, so that it can come from this process or from an earlier one
//! and is the same either way.

mod key;
mod memory;

pub use key::{Key, Keyed};

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use memory::Memory;

/// Remembers results. Can be used from several threads.
#[derive(Debug, Default)]
pub struct Cache {
    memory: Option<Memory>,
}

/// What can be remembered: plain data.
pub trait Stored: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Stored for T {}

impl Cache {
    /// A cache that remembers as long as it lives.
    pub fn in_memory() -> Self {
        Self { memory: Some(Memory::default()) }
    }

    /// What is known under a key.
    pub fn get<T: Stored>(&self, key: Key) -> Option<Arc<T>> {
        self.memory.as_ref()?.get(key)
    }

    /// Remembers a result.
    pub fn put<T: Stored>(&self, key: Key, value: &Arc<T>) {
        if let Some(memory) = &self.memory {
            memory.put(key, value);
        }
    }

    /// What is known under a key; else what `make` makes, which is remembered.
    pub fn get_or<T: Stored>(&self, key: Key, make: impl FnOnce() -> T) -> Arc<T> {
        self.get(key).unwrap_or_else(|| {
            let made = Arc::new(make());
            self.put(key, &made);
            made
        })
    }

    /// A build has ended: what was not used for some builds is forgotten.
    pub fn end_build(&self) {
        if let Some(memory) = &self.memory {
            memory.end_build();
        }
    }
}
