//! State that tests change, with snapshots at tipsets.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use super::lock;
use crate::api::ChainError;
use crate::types::TipsetKey;

/// The state after the head, and what it was at some tipsets.
#[derive(Debug, Default)]
pub(super) struct Versions<S> {
    now: Mutex<S>,
    then: Mutex<HashMap<TipsetKey, S>>,
}

impl<S: Clone> Versions<S> {
    pub(super) fn now(&self) -> MutexGuard<'_, S> {
        lock(&self.now)
    }

    pub(super) fn keep_as(&self, key: TipsetKey) {
        let state = self.now().clone();
        lock(&self.then).insert(key, state);
    }

    pub(super) fn read<R>(
        &self,
        at: &TipsetKey,
        read: impl FnOnce(&S) -> Result<R, ChainError>,
    ) -> Result<R, ChainError> {
        if at.is_empty() {
            return read(&self.now());
        }
        let then = lock(&self.then);
        read(then.get(at).ok_or_else(|| ChainError::TipsetNotFound(format!("{at:?}")))?)
    }
}
