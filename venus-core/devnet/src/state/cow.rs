//! A map whose clones share what they have in common.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::Address;

/// A change copies one shard, so the number balances the cost of a change against that of a clone.
const SHARDS: usize = 128;

/// Which shard a key belongs to; any number.
pub(super) trait ShardKey: Ord + Clone {
    fn shard(&self) -> usize;
}

impl ShardKey for ActorID {
    fn shard(&self) -> usize {
        *self as usize
    }
}

impl ShardKey for Address {
    fn shard(&self) -> usize {
        // Keys and hashes are evenly spread in any of their bytes.
        usize::from(self.payload_bytes().last().copied().unwrap_or_default())
    }
}

#[derive(Clone, Debug)]
struct Shard<K, V> {
    entries: BTreeMap<K, V>,
    /// Computed when it is asked for, forgotten when an entry changes.
    digest: OnceLock<Cid>,
}

#[derive(Clone, Debug)]
pub(super) struct CowMap<K, V> {
    shards: Arc<Vec<Arc<Shard<K, V>>>>,
}

impl<K, V> Default for CowMap<K, V> {
    fn default() -> Self {
        let empty = Arc::new(Shard { entries: BTreeMap::new(), digest: OnceLock::new() });
        Self { shards: Arc::new(vec![empty; SHARDS]) }
    }
}

impl<K: ShardKey, V: Clone> CowMap<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.shards.get(key.shard() % SHARDS)?.entries.get(key)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if let Some(shard) = self.shard_mut(&key) {
            shard.entries.insert(key, value);
        }
    }

    pub(super) fn update<T>(&mut self, key: &K, change: impl FnOnce(&mut V) -> T) -> Option<T> {
        self.get(key)?;
        self.shard_mut(key)?.entries.get_mut(key).map(change)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.shards.iter().flat_map(|shard| &shard.entries)
    }

    /// The shards that clones no longer share: what `before` has in them, and what this one has.
    pub(super) fn differing<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = [&'a BTreeMap<K, V>; 2]> {
        let pairs = before.shards.iter().zip(self.shards.iter());
        pairs.filter(|(then, now)| !Arc::ptr_eq(then, now)).map(|(then, now)| [&then.entries, &now.entries])
    }

    /// One digest for each shard, in order; `None` for an empty one. `digest` is called only for shards that
    /// changed since they were last asked for theirs.
    pub(super) fn digests(
        &self,
        digest: impl Fn(&BTreeMap<K, V>) -> Cid,
    ) -> impl Iterator<Item = Option<Cid>> {
        self.shards.iter().map(move |shard| {
            let filled = !shard.entries.is_empty();
            filled.then(|| *shard.digest.get_or_init(|| digest(&shard.entries)))
        })
    }

    fn shard_mut(&mut self, key: &K) -> Option<&mut Shard<K, V>> {
        let shard = Arc::make_mut(&mut self.shards).get_mut(key.shard() % SHARDS)?;
        let shard = Arc::make_mut(shard);
        shard.digest = OnceLock::new();
        Some(shard)
    }
}
