//! Reading the state of miners.

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use num_traits::Zero;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Flavour, List, RpcNode, list};
use crate::api::{ChainError, MinerReader};
use crate::json::{Json, JsonRef};
use crate::types::{
    BitField, Deadline, DeadlineInfo, MinerInfo, MinerPower, MinerSectors, Partition, SectorLocation,
    TipsetKey,
};

/// Deadlines that are asked for at once.
const AT_ONCE: usize = 8;
/// What nodes say of a sector that is in no partition.
const NOWHERE: [&str; 2] = ["not due at any deadline", "failed to find sector"];

#[async_trait]
impl<F: Flavour> MinerReader for RpcNode<F> {
    async fn info(&self, miner: &Address, at: &TipsetKey) -> Result<MinerInfo, ChainError> {
        self.of_miner("Filecoin.StateMinerInfo", miner, at).await
    }

    async fn power(&self, miner: &Address, at: &TipsetKey) -> Result<MinerPower, ChainError> {
        let power: MinerPower = self.of_miner("Filecoin.StateMinerPower", miner, at).await?;
        // Nodes answer zero for who does not exist.
        if power.miner_power.quality_adj_power.is_zero() {
            self.must_exist(miner, at).await?;
        }
        Ok(power)
    }

    async fn available_balance(&self, miner: &Address, at: &TipsetKey) -> Result<TokenAmount, ChainError> {
        let Json(balance): Json<TokenAmount> =
            self.of_miner("Filecoin.StateMinerAvailableBalance", miner, at).await?;
        // A miner in debt has less than nothing.
        Ok(balance.max(TokenAmount::default()))
    }

    async fn proving_deadline(&self, miner: &Address, at: &TipsetKey) -> Result<DeadlineInfo, ChainError> {
        self.of_miner("Filecoin.StateMinerProvingDeadline", miner, at).await
    }

    async fn deadlines(&self, miner: &Address, at: &TipsetKey) -> Result<Vec<Deadline>, ChainError> {
        let deadlines: List<Deadline> = self.of_miner("Filecoin.StateMinerDeadlines", miner, at).await?;
        Ok(list(deadlines))
    }

    async fn partitions(
        &self,
        miner: &Address,
        deadline: u64,
        at: &TipsetKey,
    ) -> Result<Vec<Partition>, ChainError> {
        let params = (JsonRef(miner), deadline, at);
        let answer = self.get_at("Filecoin.StateMinerPartitions", &params, at).await;
        match answer {
            Ok(partitions) => Ok(list(partitions)),
            Err(fault) if fault.says(&["invalid deadline", "deadline index", "no deadline"]) => {
                Err(ChainError::Invalid(format!("the period has no deadline {deadline}")))
            }
            Err(fault) => Err(fault.of_actor(miner, at)),
        }
    }

    async fn all_partitions(
        &self,
        miner: &Address,
        at: &TipsetKey,
    ) -> Result<Vec<(SectorLocation, Partition)>, ChainError> {
        let deadlines = self.proving_deadline(miner, at).await?.w_post_period_deadlines;
        let ask = |deadline| async move {
            let partitions = self.partitions(miner, deadline, at).await?;
            let placed = (0..).zip(partitions);
            let placed = placed.map(move |(partition, p)| (SectorLocation { deadline, partition }, p));
            Ok::<Vec<_>, ChainError>(placed.collect())
        };
        let all: Vec<Vec<_>> = stream::iter(0..deadlines).map(ask).buffered(AT_ONCE).try_collect().await?;
        Ok(all.into_iter().flatten().collect())
    }

    async fn faults(&self, miner: &Address, at: &TipsetKey) -> Result<BitField, ChainError> {
        let Json(faults) = self.of_miner("Filecoin.StateMinerFaults", miner, at).await?;
        Ok(faults)
    }

    async fn recoveries(&self, miner: &Address, at: &TipsetKey) -> Result<BitField, ChainError> {
        let Json(recoveries) = self.of_miner("Filecoin.StateMinerRecoveries", miner, at).await?;
        Ok(recoveries)
    }

    async fn sector_count(&self, miner: &Address, at: &TipsetKey) -> Result<MinerSectors, ChainError> {
        self.of_miner("Filecoin.StateMinerSectorCount", miner, at).await
    }

    async fn sector_location(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorLocation>, ChainError> {
        let params = (JsonRef(miner), sector, at);
        match self.get_at("Filecoin.StateSectorPartition", &params, at).await {
            Ok(location) => Ok(Some(location)),
            Err(fault) if fault.says(&NOWHERE) => Ok(None),
            Err(fault) => Err(fault.of_actor(miner, at)),
        }
    }
}

impl<F: Flavour> RpcNode<F> {
    /// A question about a miner, or anybody else, and nothing more.
    pub(super) async fn of_miner<R: DeserializeOwned>(
        &self,
        method: &'static str,
        actor: &Address,
        at: &TipsetKey,
    ) -> Result<R, ChainError> {
        self.about(method, actor, &(JsonRef(actor), at), at).await
    }

    /// A question whose faults are about `actor` at `at`.
    pub(super) async fn about<R: DeserializeOwned>(
        &self,
        method: &'static str,
        actor: &Address,
        params: &impl Serialize,
        at: &TipsetKey,
    ) -> Result<R, ChainError> {
        self.get_at(method, params, at).await.map_err(|fault| fault.of_actor(actor, at))
    }
}
