//! Aggregates of blocks that were assembled here.

use std::collections::VecDeque;

use cid::Cid;
use venus_core::types::{BlockHeader, Signature};

/// How many are kept. A block is submitted soon after it was assembled, or not at all.
const CAPACITY: usize = 64;

/// The BLS aggregates of recent message lists by the root that commits to both lists of a block. Adding up takes a
/// subgroup check for each signature, which need not be done twice.
#[derive(Debug, Default)]
pub(crate) struct Aggregates(VecDeque<(Cid, Signature)>);

impl Aggregates {
    pub(crate) fn get(&self, messages: &Cid) -> Option<&Signature> {
        self.0.iter().find(|(root, _)| root == messages).map(|(_, aggregate)| aggregate)
    }

    /// Keeps that of a block that was just assembled.
    pub(crate) fn keep(&mut self, header: &BlockHeader) {
        let Some(aggregate) = header.bls_aggregate.clone() else { return };
        if self.get(&header.messages).is_some() {
            return;
        }
        if self.0.len() >= CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back((header.messages, aggregate));
    }
}
