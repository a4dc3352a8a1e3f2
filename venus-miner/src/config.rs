//! Settings.

use std::path::PathBuf;
use std::time::Duration;

use venus_core::types::{Address, Protocol};

use crate::error::MinerError;

/// What a database path must be to have no database at all.
pub(crate) const IN_MEMORY: &str = ":memory:";

/// Settings of a [`crate::Miner`]. Block delay, genesis time and network version come from the node.
#[derive(Clone, Debug, PartialEq)]
pub struct MinerConfig {
    /// The SQLite file, or `:memory:` for a store that forgets (only for chains whose blocks are worth nothing).
    pub database: PathBuf,
    /// ID addresses of the miners to mine for. Each stands once, in any order.
    pub miners: Vec<Address>,
    /// How long the loop waits after the beginning of an epoch for its blocks to arrive, before it takes the head as
    /// base. Upstream nodes use 10 s of 30.
    pub propagation_delay: Duration,
    /// How much longer the loop waits, while proofs are computed, before it looks whether the head has changed
    /// (FRC-0051: time for both blocks of an equivocator to arrive).
    pub equivocation_delay: Duration,
    /// How long a proof may take. A later one is dropped. Half the block delay if `None`.
    pub proof_timeout: Option<Duration>,
    /// How long any other single call may take, signatures included.
    pub call_timeout: Duration,
    /// How many miners are worked for at a time.
    pub concurrency: usize,
    /// What [`venus_core::types::BlockHeader::fork_signaling`] says if the node leaves it at 0. 1 marks the Venus stack.
    pub fork_signaling: u64,
}

impl Default for MinerConfig {
    fn default() -> Self {
        Self {
            database: PathBuf::from(IN_MEMORY),
            miners: Vec::new(),
            propagation_delay: Duration::from_secs(10),
            equivocation_delay: Duration::from_secs(2),
            proof_timeout: None,
            call_timeout: Duration::from_secs(5),
            concurrency: 64,
            fork_signaling: 1,
        }
    }
}

impl MinerConfig {
    /// Settings for these miners and this database, all else at its default.
    pub fn new(database: impl Into<PathBuf>, miners: Vec<Address>) -> Self {
        Self { database: database.into(), miners, ..Self::default() }
    }

    /// Checks the settings and brings the miners into canonical order.
    pub(crate) fn checked(mut self) -> Result<Self, MinerError> {
        let invalid = |field, reason: String| Err(MinerError::Config { field, reason });
        if self.miners.is_empty() {
            return invalid("miners", "names nobody".into());
        }
        if let Some(other) = self.miners.iter().find(|miner| actor_id(miner).is_none()) {
            return invalid("miners", format!("{other} is no ID address"));
        }
        self.miners.sort_by_key(actor_id);
        let before = self.miners.len();
        self.miners.dedup();
        if self.miners.len() < before {
            return invalid("miners", "names a miner twice".into());
        }
        if self.concurrency == 0 {
            return invalid("concurrency", "must be at least 1".into());
        }
        if self.call_timeout.is_zero() || self.proof_timeout.is_some_and(|timeout| timeout.is_zero()) {
            return invalid("call_timeout and proof_timeout", "must not be zero".into());
        }
        Ok(self)
    }
}

fn actor_id(miner: &Address) -> Option<i64> {
    let id = (miner.protocol() == Protocol::ID).then(|| miner.id().ok()).flatten()?;
    i64::try_from(id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn miners_are_ids_each_once() {
        let id = Address::new_id;
        let checked = MinerConfig::new(IN_MEMORY, vec![id(1002), id(1000)]).checked().unwrap();
        assert_eq!(checked.miners, [id(1000), id(1002)]);
        let bls = Address::new_bls(&[1; 48]).unwrap();
        for miners in [vec![], vec![bls], vec![id(1000), id(1000)], vec![id(u64::MAX)]] {
            let error = MinerConfig::new(IN_MEMORY, miners).checked().unwrap_err();
            assert!(error.to_string().contains("miners"), "{error}");
        }
        let none = MinerConfig { concurrency: 0, ..MinerConfig::new(IN_MEMORY, vec![id(1)]) };
        assert!(none.checked().unwrap_err().to_string().contains("concurrency"));
        let zero = MinerConfig { call_timeout: Duration::ZERO, ..MinerConfig::new(IN_MEMORY, vec![id(1)]) };
        assert!(zero.checked().unwrap_err().to_string().contains("call_timeout"));
    }
}
