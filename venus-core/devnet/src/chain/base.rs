//! What the next block has to build on: elections, weight, base fee.

use std::sync::Arc;

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use num_bigint::BigInt;
use venus_core::api::{ChainError, NullRound};
use venus_core::consensus::beacon::mock_entries_for_block;
use venus_core::consensus::post::challenged_sector;
use venus_core::consensus::vrf::winning_post_input;
use venus_core::consensus::weight::weight;
use venus_core::types::{BeaconEntry, MiningBaseInfo, Tipset};

use super::{Chain, Executed};
use crate::config::MAX_NULL_ROUNDS;

/// What the headers of all children of a tipset have in common.
#[derive(Debug)]
pub(crate) struct ChildFacts {
    pub(crate) executed: Arc<Executed>,
    pub(crate) weight: BigInt,
}

impl Chain {
    pub(crate) fn child_facts(&self, tipset: &Tipset) -> Result<ChildFacts, ChainError> {
        Ok(ChildFacts { executed: self.execute(tipset)?, weight: self.weight(tipset)? })
    }

    /// The weight of a tipset.
    pub(crate) fn weight(&self, tipset: &Tipset) -> Result<BigInt, ChainError> {
        let power = self.parent_state(tipset)?.state.total_power();
        let wins = tipset.blocks().iter().filter_map(|b| b.election_proof.as_ref()).map(|p| p.win_count);
        weight(tipset.parent_weight(), &power, wins).map_err(|e| ChainError::Corrupt(e.to_string()))
    }

    /// The timestamp of a block of `epoch` on `base`, Unix seconds.
    pub(crate) fn timestamp(&self, base: &Tipset, epoch: ChainEpoch) -> u64 {
        let epochs = u64::try_from(epoch - base.height()).unwrap_or_default();
        base.min_timestamp().saturating_add(epochs.saturating_mul(self.network.block_delay_secs))
    }

    /// What a miner needs for the election of `epoch` on `base`; `None` without power or sectors.
    pub(crate) fn base_info(
        &self,
        miner: &Address,
        epoch: ChainEpoch,
        base: &Arc<Tipset>,
    ) -> Result<Option<MiningBaseInfo>, ChainError> {
        check_epoch(base.height(), epoch)?;
        let Ok(id) = miner.id() else { return Ok(None) };
        let lookback = self.lookback_tipset(epoch, base)?;
        let past = self.execute(&lookback)?;
        let past = &past.state;
        let Some((state, claim)) = past.miner(id).zip(past.claim(id)) else { return Ok(None) };
        let beacon_entries: Vec<BeaconEntry> = mock_entries_for_block(base.height(), epoch).collect();
        let Some(rbase) = beacon_entries.last() else { return Ok(None) };
        let randomness = winning_post_input(epoch, miner).digest(&rbase.data);
        let drawn = challenged_sector(id, randomness, state.active_sectors());
        let Some(sector) = drawn.and_then(|index| state.sector(index)) else { return Ok(None) };
        let Some(worker_key) = past.account_key(state.info.worker) else { return Ok(None) };
        Ok(Some(MiningBaseInfo {
            miner_power: claim.quality_adjusted.clone(),
            network_power: past.total_power(),
            sectors: vec![sector],
            worker_key,
            sector_size: state.info.sector_size,
            prev_beacon_entry: last_entry(base),
            beacon_entries,
            eligible_for_mining: self.is_eligible(id, base, &lookback)?,
        }))
    }

    /// The tipset after whose messages the state stands that decides an election.
    ///
    /// While as many rounds stay empty as the lookback is long, that is the base itself: the rule of network
    /// version 3 and before. Later versions halt instead, which with a short lookback would end a devnet.
    fn lookback_tipset(&self, epoch: ChainEpoch, base: &Arc<Tipset>) -> Result<Arc<Tipset>, ChainError> {
        let height = (epoch - self.lookback).max(0);
        if height >= base.height() {
            return Ok(base.clone());
        }
        self.tipset_at(height, base, NullRound::Before)
    }

    /// Enough power at the lookback, and at the base no debt and no recent fault.
    fn is_eligible(&self, miner: u64, base: &Tipset, lookback: &Tipset) -> Result<bool, ChainError> {
        let past = self.parent_state(lookback)?;
        let now = self.parent_state(base)?;
        let Some((state, claim)) = now.state.miner(miner).zip(now.state.claim(miner)) else {
            return Ok(false);
        };
        Ok(past.state.has_min_power(miner)
            && claim.quality_adjusted > BigInt::ZERO
            && state.fee_debt.is_zero()
            && base.height() > state.info.fault_until)
    }
}

/// Refuses epochs that no block on a base of this height can have.
fn check_epoch(base: ChainEpoch, epoch: ChainEpoch) -> Result<(), ChainError> {
    if epoch <= base {
        return Err(ChainError::Invalid(format!("epoch {epoch} is not after its base's {base}")));
    }
    if epoch - base > MAX_NULL_ROUNDS {
        return Err(ChainError::Invalid(format!(
            "epoch {epoch} is more than {MAX_NULL_ROUNDS} after {base}"
        )));
    }
    Ok(())
}

fn last_entry(base: &Tipset) -> BeaconEntry {
    base.min_ticket_block().beacon_entries.last().cloned().unwrap_or_default()
}
