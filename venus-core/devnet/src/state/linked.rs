//! A part of a state that the state refers to by its CID.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use cid::Cid;
use venus_core::cbor::{Encode, Writer};
use venus_core::types::blake2b_cid;

/// A value that is shared by clones and hashed when it is asked for: large parts of a state change seldom, and a
/// state holds only their CID.
#[derive(Clone, Debug, Default)]
pub(crate) struct Linked<T> {
    value: Arc<T>,
    cid: OnceLock<Cid>,
}

impl<T> Linked<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Arc::new(value), cid: OnceLock::new() }
    }
}

impl<T: Clone> Linked<T> {
    /// The value, to be changed. Clones keep the old one.
    pub(crate) fn to_mut(&mut self) -> &mut T {
        self.cid = OnceLock::new();
        Arc::make_mut(&mut self.value)
    }
}

impl<T: Encode> Linked<T> {
    /// CID of the value's CBOR.
    pub(crate) fn cid(&self) -> Cid {
        *self.cid.get_or_init(|| blake2b_cid(&self.value.to_cbor()))
    }
}

impl<T> Deref for Linked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Linked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Linked<T> {}

/// A link.
impl<T: Encode> Encode for Linked<T> {
    fn encode(&self, w: &mut Writer) {
        w.cid(&self.cid());
    }
}

/// A map as a list of its entries, `[[key, value], …]` in the order of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table<K, V>(pub(crate) std::collections::BTreeMap<K, V>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(std::collections::BTreeMap::new())
    }
}

impl<K: Encode, V: Encode> Encode for Table<K, V> {
    fn encode(&self, w: &mut Writer) {
        w.array(self.0.len() as u64);
        for (key, value) in &self.0 {
            w.array(2);
            key.encode(w);
            value.encode(w);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_by_nobody_else_and_has_another_cid() {
        let before = Linked::new(7u64);
        let cid = before.cid();
        let mut after = before.clone();
        *after.to_mut() = 8;
        assert_eq!((*before, before.cid(), *after), (7, cid, 8));
        assert_ne!(after.cid(), cid);
        assert_eq!(Linked::new(8u64).cid(), after.cid());
    }
}
