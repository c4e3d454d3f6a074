use std::{
    any::Any,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustc_hash::FxHashMap;

use super::{Key, Stored};

/// Builds after which a result that none of them used is forgotten.
const BUILDS_KEPT: u32 = 4;

/// Results of this process.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    build: u32,
    results: FxHashMap<Key, Remembered>,
}

#[derive(Debug)]
struct Remembered {
    value: Arc<dyn Any + Send + Sync>,
    /// The last build that used it.
    used: u32,
}

impl Memory {
    pub(super) fn get<T: Stored>(&self, key: Key) -> Option<Arc<T>> {
        let mut state = self.state();
        let build = state.build;
        let known = state.results.get_mut(&key)?;
        known.used = build;
        Arc::clone(&known.value).downcast().ok()
    }

    pub(super) fn put<T: Stored>(&self, key: Key, value: &Arc<T>) {
        let mut state = self.state();
        let value: Arc<dyn Any + Send + Sync> = Arc::clone(value) as _;
        let remembered = Remembered { value, used: state.build };
        state.results.insert(key, remembered);
    }

    pub(super) fn end_build(&self) {
        let mut state = self.state();
        state.build += 1;
        let build = state.build;
        state.results.retain(|_, result| build - result.used <= BUILDS_KEPT);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of it is a single insertion or a number: it is whole even if a holder panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{super::Keyed, BUILDS_KEPT, Memory};

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let memory = Memory::default();
        let (used, unused) = (Keyed::new("test").with("used").done(), Keyed::new("test").with("unused").done());
        memory.put(used, &Arc::new(1u32));
        memory.put(unused, &Arc::new(2u32));
        for _ in 0..=BUILDS_KEPT {
            assert_eq!(memory.get::<u32>(used).as_deref(), Some(&1));
            memory.end_build();
        }
        assert_eq!(memory.get::<u32>(used).as_deref(), Some(&1));
        assert_eq!(memory.get::<u32>(unused), None);
        assert_eq!(memory.get::<String>(used), None, "a result of another type is none");
    }
}
