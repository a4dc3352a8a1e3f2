//! Reading the state of sectors.

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream, try_join};
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;

use super::fault::Fault;
use super::{Flavour, List, RpcNode, list};
use crate::api::{ChainError, PledgeSpec, SectorReader};
use crate::json::{Json, JsonRef};
use crate::types::{
    BitField, SectorExpiration, SectorOnChainInfo, SectorPreCommitInfo, SectorPreCommitOnChainInfo, TipsetKey,
};

const SECTORS: &str = "Filecoin.StateMinerSectors";
const PLEDGE: &str = "Filecoin.StateMinerInitialPledgeForSector";
/// Sectors that are asked for at once.
const AT_ONCE: usize = 8;
/// Above so many numbers one list of all sectors is less work than a question for each.
const SINGLE: u64 = 64;
/// Sizes that sectors have, padded bytes.
const SIZES: [u64; 5] = [2 << 10, 8 << 20, 512 << 20, 32 << 30, 64 << 30];

#[async_trait]
impl<F: Flavour> SectorReader for RpcNode<F> {
    async fn sectors(
        &self,
        miner: &Address,
        numbers: Option<&BitField>,
        at: &TipsetKey,
    ) -> Result<Vec<SectorOnChainInfo>, ChainError> {
        if numbers.is_some_and(BitField::is_empty) {
            return self.must_exist(miner, at).await.map(|()| Vec::new());
        }
        let answer = self.list_sectors(miner, numbers, at).await;
        let mut sectors = match (answer, numbers) {
            (Ok(sectors), _) => sectors,
            // Nodes refuse the whole list for the sake of one number without a sector.
            (Err(fault), Some(numbers)) if fault.says(&["can't find sector", "sector not found"]) => {
                self.those_that_are(miner, numbers, at).await?
            }
            (Err(fault), _) => return Err(fault.of_actor(miner, at)),
        };
        sectors.retain(|s| numbers.is_none_or(|numbers| numbers.get(s.sector_number)));
        sectors.sort_by_key(|s| s.sector_number);
        Ok(sectors)
    }

    async fn precommit(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorPreCommitOnChainInfo>, ChainError> {
        let params = (JsonRef(miner), sector, at);
        match self.get_at("Filecoin.StateSectorPreCommitInfo", &params, at).await {
            Ok(precommit) => Ok(precommit),
            Err(fault) if fault.says(&["precommit info does not exist", "precommit info is not exists"]) => {
                Ok(None)
            }
            Err(fault) => Err(fault.of_actor(miner, at)),
        }
    }

    async fn is_allocated(&self, miner: &Address, sector: u64, at: &TipsetKey) -> Result<bool, ChainError> {
        self.about("Filecoin.StateMinerSectorAllocated", miner, &(JsonRef(miner), sector, at), at).await
    }

    async fn sector_expiration(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorExpiration>, ChainError> {
        let params = (JsonRef(miner), sector, at);
        match self.get_at("Filecoin.StateSectorExpiration", &params, at).await {
            Ok(expiration) => Ok(Some(expiration)),
            Err(fault) if fault.says(&["failed to find sector", "not due at any deadline"]) => Ok(None),
            Err(fault) => Err(fault.of_actor(miner, at)),
        }
    }

    async fn precommit_deposit(
        &self,
        miner: &Address,
        sector: &SectorPreCommitInfo,
        at: &TipsetKey,
    ) -> Result<TokenAmount, ChainError> {
        let params = (JsonRef(miner), sector, at);
        let deposit = self.about("Filecoin.StateMinerPreCommitDepositForPower", miner, &params, at);
        // The deposit depends on network and sector alone, so nodes name one for a miner that does not exist.
        let (Json(deposit), ()) = try_join!(deposit, self.must_exist(miner, at))?;
        Ok(deposit)
    }

    async fn initial_pledge(&self, spec: &PledgeSpec, at: &TipsetKey) -> Result<TokenAmount, ChainError> {
        if !SIZES.contains(&spec.sector_size) {
            return Err(ChainError::Invalid(format!("sector_size {} is no sector's", spec.sector_size)));
        }
        if spec.verified_size > spec.sector_size {
            return Err(ChainError::Invalid("verified_size is more than the sector holds".into()));
        }
        let params = (spec.duration, spec.sector_size, spec.verified_size, at);
        let answer = self.get_at(PLEDGE, &params, at).await;
        answer.map(|Json(pledge)| pledge).map_err(|fault: Fault| fault.at(at))
    }

    async fn sector(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorOnChainInfo>, ChainError> {
        if BitField::try_from_bits([sector]).is_err() {
            return Err(ChainError::Invalid(format!("sector number {sector} is out of range")));
        }
        self.about("Filecoin.StateSectorGetInfo", miner, &(JsonRef(miner), sector, at), at).await
    }
}

impl<F: Flavour> RpcNode<F> {
    async fn list_sectors(
        &self,
        miner: &Address,
        numbers: Option<&BitField>,
        at: &TipsetKey,
    ) -> Result<Vec<SectorOnChainInfo>, Fault> {
        let params = (JsonRef(miner), numbers.map(JsonRef), at);
        self.get_at::<List<SectorOnChainInfo>>(SECTORS, &params, at).await.map(list)
    }

    async fn those_that_are(
        &self,
        miner: &Address,
        numbers: &BitField,
        at: &TipsetKey,
    ) -> Result<Vec<SectorOnChainInfo>, ChainError> {
        if numbers.len() > SINGLE {
            let all = self.list_sectors(miner, None, at).await;
            return all.map_err(|fault| fault.of_actor(miner, at));
        }
        let numbers: Vec<u64> = numbers.iter().collect();
        let ask = |number| self.sector(miner, number, at);
        let found: Vec<_> = stream::iter(numbers).map(ask).buffered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}
