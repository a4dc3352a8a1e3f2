//! Miners as a whole.

use async_trait::async_trait;
use fvm_shared::ActorID;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use venus_core::api::{ChainError, MinerReader};
use venus_core::types::{
    Deadline, DeadlineInfo, MinerInfo, MinerPower, Partition, SectorLocation, TipsetKey,
};

use crate::node::Devnet;
use crate::state::StateView;

#[async_trait]
impl MinerReader for Devnet {
    async fn info(&self, miner: &Address, at: &TipsetKey) -> Result<MinerInfo, ChainError> {
        self.of_miner(miner, at, |view, id| view.miner_info(id))
    }

    async fn power(&self, miner: &Address, at: &TipsetKey) -> Result<MinerPower, ChainError> {
        self.of_miner(miner, at, |view, id| view.miner_info(id).map(|_| view.power(Some(id))))
    }

    async fn available_balance(&self, miner: &Address, at: &TipsetKey) -> Result<TokenAmount, ChainError> {
        let balance = self.of_miner(miner, at, |view, id| view.available_balance(id))?;
        // A miner in debt has less than nothing.
        Ok(balance.max(TokenAmount::default()))
    }

    async fn proving_deadline(&self, miner: &Address, at: &TipsetKey) -> Result<DeadlineInfo, ChainError> {
        let deadline = self.of_miner(miner, at, |view, id| view.proving_deadline(id))?;
        Ok(deadline.next_not_elapsed())
    }

    async fn deadlines(&self, miner: &Address, at: &TipsetKey) -> Result<Vec<Deadline>, ChainError> {
        self.of_miner(miner, at, |view, id| view.deadlines(id))
    }

    async fn partitions(
        &self,
        miner: &Address,
        deadline: u64,
        at: &TipsetKey,
    ) -> Result<Vec<Partition>, ChainError> {
        let found =
            self.of_miner(miner, at, |view, id| view.miner_info(id).map(|_| view.partitions(id, deadline)))?;
        found.ok_or_else(|| ChainError::Invalid(format!("the period has no deadline {deadline}")))
    }

    async fn all_partitions(
        &self,
        miner: &Address,
        at: &TipsetKey,
    ) -> Result<Vec<(SectorLocation, Partition)>, ChainError> {
        self.of_miner(miner, at, all_partitions)
    }
}

fn all_partitions(view: &StateView<'_>, miner: ActorID) -> Option<Vec<(SectorLocation, Partition)>> {
    let deadlines = view.deadlines(miner)?.len() as u64;
    let of_deadline = |deadline| {
        let partitions = view.partitions(miner, deadline).unwrap_or_default();
        let numbered = (0..).zip(partitions);
        numbered.map(move |(partition, p)| (SectorLocation { deadline, partition }, p))
    };
    Some((0..deadlines).flat_map(of_deadline).collect())
}

impl Devnet {
    /// Asks the state at `at` about a miner.
    pub(super) fn of_miner<T>(
        &self,
        miner: &Address,
        at: &TipsetKey,
        ask: impl FnOnce(&StateView<'_>, ActorID) -> Option<T>,
    ) -> Result<T, ChainError> {
        let at = self.at(at)?;
        ask(&at.view(), at.id_of(miner)?).ok_or(ChainError::ActorNotFound(*miner))
    }
}
