//! One node among several.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use num_bigint::BigInt;

use super::super::FullNode;
use crate::api::ChainError;
use crate::error::Classify;
use crate::types::Tipset;

/// A node and what is known of it.
pub(super) struct Member {
    pub(super) index: usize,
    pub(super) node: Arc<dyn FullNode>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    up: bool,
    /// Of another network: never asked.
    foreign: bool,
    /// What it told last is not believed.
    doubted: bool,
    head: Option<Arc<Tipset>>,
}

/// What decides between heads: the weight of the parents, then the number of blocks on them.
pub(super) type Weight = (BigInt, usize);

pub(super) fn weight(tipset: &Tipset) -> Weight {
    (tipset.parent_weight().clone(), tipset.blocks().len())
}

impl Member {
    pub(super) fn new(index: usize, node: Arc<dyn FullNode>) -> Self {
        // Until it fails, a node is taken to work.
        Self { index, node, state: Mutex::new(State { up: true, ..State::default() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_up(&self) -> bool {
        let state = self.state();
        state.up && !state.foreign
    }

    pub(super) fn is_foreign(&self) -> bool {
        self.state().foreign
    }

    pub(super) fn set_up(&self, up: bool) {
        let before = std::mem::replace(&mut self.state().up, up);
        if before != up {
            tracing::info!(node = self.index, up, "node of several");
        }
    }

    pub(super) fn set_foreign(&self, foreign: bool) {
        self.state().foreign = foreign;
    }

    /// The head that it told of last. It stays when the node is lost.
    pub(super) fn head(&self) -> Option<Arc<Tipset>> {
        self.state().head.clone()
    }

    pub(super) fn set_head(&self, head: Arc<Tipset>) {
        {
            let mut state = self.state();
            (state.head, state.doubted) = (Some(head), false);
        }
        self.set_up(true);
    }

    /// What it tells is not believed until it tells something else. It answers, which is worth knowing.
    pub(super) fn doubt(&self) {
        self.state().doubted = true;
        self.set_up(true);
    }

    pub(super) fn is_doubted(&self) -> bool {
        self.state().doubted
    }

    /// More is better.
    pub(super) fn merit(&self) -> (bool, bool, Option<Weight>) {
        (self.is_up(), !self.is_doubted(), self.head().map(|head| weight(&head)))
    }

    /// Notes what a call says about the node; whether another one should be asked.
    pub(super) fn learn<T>(&self, result: &Result<T, ChainError>) -> bool {
        match result {
            Err(error) if is_outage(error) => {
                self.set_up(false);
                true
            }
            _ => {
                self.set_up(true);
                false
            }
        }
    }
}

/// Whether the node, not what it was asked, is at fault. A full or waiting mempool is an answer.
pub(super) fn is_outage(error: &ChainError) -> bool {
    match error {
        ChainError::Pool(_) | ChainError::Block(_) => false,
        other => other.kind().is_retryable(),
    }
}
