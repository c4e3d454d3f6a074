//! What was computed once is not computed again: results by the hash of everything that they depend on.
//!
//! A result is asked for by its [`Key`] and nothing else, so that it can come from this process or from an earlier one
//! and is the same either way. What also depends on files that its key cannot name is kept as a [`Record`], with all that
//! was seen when it was made, and is looked at again before it is believed.
//!
//! The folder on disk is no input and no output: its files are touched here and not through the file layer, and whatever
//! is wrong with them, the build goes on without.

mod key;
mod memory;
mod pack;
mod packs;
mod records;

pub use key::{Key, Keyed};
pub use packs::Mode;
pub use records::Record;

use std::{path::PathBuf, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use crate::disk::Disk;
use memory::Memory;
use packs::Packs;

/// Remembers results. Can be used from several threads.
#[derive(Debug, Default)]
pub struct Cache {
    memory: Option<Memory>,
    packs: Option<Packs>,
}

/// What can be remembered: plain data.
pub trait Stored: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Stored for T {}

impl Cache {
    /// Remembers in memory, too, as long as it lives.
    #[must_use]
    pub fn in_memory(self) -> Self {
        Self { memory: Some(Memory::default()), ..self }
    }

    /// Remembers in a folder, too, for later processes.
    #[must_use]
    pub fn in_folder(self, folder: PathBuf, mode: Mode) -> Self {
        Self { packs: Some(Packs::new(folder, mode)), ..self }
    }

    /// Whether it remembers at all.
    pub fn remembers(&self) -> bool {
        self.memory.is_some() || self.packs.is_some()
    }

    /// What is known under a key.
    pub fn get<T: Stored>(&self, key: Key) -> Option<Arc<T>> {
        let near = self.memory.as_ref().and_then(|memory| memory.get(key));
        near.or_else(|| {
            let far = Arc::new(postcard::from_bytes(&self.packs.as_ref()?.get(key)?).ok()?);
            if let Some(memory) = &self.memory {
                memory.put(key, &far);
            }
            Some(far)
        })
    }

    /// Remembers a result.
    pub fn put<T: Stored>(&self, key: Key, value: &Arc<T>) {
        if let Some(memory) = &self.memory {
            memory.put(key, value);
        }
        if let Some(packs) = &self.packs
            && let Ok(bytes) = postcard::to_stdvec(&**value)
        {
            packs.put(key, &bytes);
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

    /// What earlier processes and this one know under a key, whether or not it is still so.
    pub(crate) fn records<T: Stored>(&self, key: Key) -> impl Iterator<Item = Arc<Record<T>>> {
        let near = self.memory.as_ref().and_then(|memory| memory.get::<Record<T>>(key));
        let far = move || records::read(self.packs.as_ref()?.folder(), key).map(Arc::new);
        near.into_iter().chain(std::iter::once_with(far).flatten())
    }

    /// Whether later processes will know what this one does.
    pub(crate) fn outlasts(&self) -> bool {
        self.packs.as_ref().is_some_and(Packs::is_written)
    }

    /// Remembers something for later processes only, in the place of what was known under the key.
    pub(crate) fn put_far<T: Stored>(&self, key: Key, value: &T) {
        if let Some(packs) = &self.packs {
            packs.write(|folder| records::write(folder, key, value));
        }
    }

    /// What was remembered like that.
    pub(crate) fn get_far<T: Stored>(&self, key: Key) -> Option<T> {
        records::read(self.packs.as_ref()?.folder(), key)
    }

    /// What is known under a key, if everything that was seen when it was made is still so.
    pub fn record<T: Stored>(&self, key: Key, disk: &dyn Disk) -> Option<Arc<Record<T>>> {
        let near = self.memory.as_ref().and_then(|memory| memory.get::<Record<T>>(key));
        if let Some(near) = near.filter(|near| near.holds(disk)) {
            return Some(near);
        }
        let far = records::read(self.packs.as_ref()?.folder(), key).filter(|far: &Record<T>| far.holds(disk))?;
        let far = Arc::new(far);
        if let Some(memory) = &self.memory {
            memory.put(key, &far);
        }
        Some(far)
    }

    /// Remembers a result in the place of what was known under the key.
    pub fn put_record<T: Stored>(&self, key: Key, record: Record<T>) -> Arc<Record<T>> {
        let record = Arc::new(record);
        if let Some(memory) = &self.memory {
            memory.put(key, &record);
        }
        if let Some(packs) = &self.packs {
            packs.write(|folder| records::write(folder, key, &*record));
        }
        record
    }

    /// A build has ended: what was not used for some builds leaves memory, and on disk no more than `limit_bytes` stay.
    pub fn end_build(&self, limit_bytes: u64) {
        if let Some(memory) = &self.memory {
            memory.end_build();
        }
        if let Some(packs) = &self.packs {
            packs.end_build(limit_bytes);
        }
    }
}
