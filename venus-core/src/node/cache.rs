//! A bounded memory of what never changes.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Values by key; the least recently used one goes when there are too many.
pub(super) struct Cache<K, V> {
    slots: Mutex<Slots<K, V>>,
    capacity: usize,
}

struct Slots<K, V> {
    by_key: HashMap<K, (V, u64)>,
    by_use: BTreeMap<u64, K>,
    uses: u64,
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        let slots = Slots { by_key: HashMap::new(), by_use: BTreeMap::new(), uses: 0 };
        Self { slots: Mutex::new(slots), capacity }
    }

    fn slots(&self) -> MutexGuard<'_, Slots<K, V>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        let mut guard = self.slots();
        let slots = &mut *guard;
        slots.uses += 1;
        let now = slots.uses;
        let (value, used) = slots.by_key.get_mut(key)?;
        slots.by_use.remove(&std::mem::replace(used, now));
        slots.by_use.insert(now, key.clone());
        Some(value.clone())
    }

    /// Keeps a value instead of the one that is there.
    pub(super) fn replace(&self, key: K, value: V) {
        let mut guard = self.slots();
        let slots = &mut *guard;
        if let Some((_, used)) = slots.by_key.remove(&key) {
            slots.by_use.remove(&used);
        }
        drop(guard);
        self.put(key, value);
    }

    /// Keeps a value. What is there already stays: it is the same.
    pub(super) fn put(&self, key: K, value: V) {
        let mut slots = self.slots();
        if self.capacity == 0 || slots.by_key.contains_key(&key) {
            return;
        }
        if slots.by_key.len() >= self.capacity
            && let Some((_, oldest)) = slots.by_use.pop_first()
        {
            slots.by_key.remove(&oldest);
        }
        slots.uses += 1;
        let now = slots.uses;
        slots.by_use.insert(now, key.clone());
        slots.by_key.insert(key, (value, now));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_least_recently_used_goes() {
        let cache = Cache::new(2);
        cache.put(1, "a");
        cache.put(2, "b");
        assert_eq!(cache.get(&1), Some("a"));
        cache.put(3, "c");
        assert_eq!((cache.get(&1), cache.get(&2), cache.get(&3)), (Some("a"), None, Some("c")));
        cache.replace(3, "d");
        assert_eq!(cache.get(&3), Some("d"));
        let none = Cache::new(0);
        none.put(1, 1);
        assert_eq!(none.get(&1), None);
    }

    proptest! {
        #[test]
        fn it_never_grows_beyond_its_bound(keys in prop::collection::vec(0u8..20, 0..200)) {
            let cache = Cache::new(5);
            for key in keys {
                if key % 3 == 0 { cache.get(&key); } else { cache.put(key, key); }
                let slots = cache.slots();
                prop_assert!(slots.by_key.len() <= 5);
                prop_assert_eq!(slots.by_key.len(), slots.by_use.len());
            }
        }
    }
}
