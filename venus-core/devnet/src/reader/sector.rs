//! Single sectors: what is on chain, what it costs to put them there.

use async_trait::async_trait;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use venus_core::api::{ChainError, PledgeSpec, SectorReader};
use venus_core::types::{
    BitField, SectorExpiration, SectorOnChainInfo, SectorPreCommitInfo, SectorPreCommitOnChainInfo, TipsetKey,
};

use super::{At, with_margin};
use crate::config::proof_number;
use crate::node::Devnet;

/// Power that a byte of a verified deal counts for.
const VERIFIED_FACTOR: u64 = 10;
/// Sizes of sectors by proof number modulo five: 2 KiB, 8 MiB, 512 MiB, 32 GiB and 64 GiB.
const SIZES: [u64; 5] = [2 << 10, 8 << 20, 512 << 20, 32 << 30, 64 << 30];
/// Seal proofs go from V1 of 2 KiB to the non-interactive one of 64 GiB.
const SEAL_PROOFS: i64 = 20;

#[async_trait]
impl SectorReader for Devnet {
    async fn sectors(
        &self,
        miner: &Address,
        numbers: Option<&BitField>,
        at: &TipsetKey,
    ) -> Result<Vec<SectorOnChainInfo>, ChainError> {
        self.of_miner(miner, at, |view, id| view.sectors(id, numbers))
    }

    async fn precommit(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorPreCommitOnChainInfo>, ChainError> {
        self.of_miner(miner, at, |view, id| view.miner_info(id).map(|_| view.precommit(id, sector)))
    }

    async fn is_allocated(&self, miner: &Address, sector: u64, at: &TipsetKey) -> Result<bool, ChainError> {
        self.of_miner(miner, at, |view, id| view.is_allocated(id, sector))
    }

    async fn sector_expiration(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorExpiration>, ChainError> {
        self.of_miner(miner, at, |view, id| view.miner_info(id).map(|_| view.sector_expiration(id, sector)))
    }

    async fn precommit_deposit(
        &self,
        miner: &Address,
        sector: &SectorPreCommitInfo,
        at: &TipsetKey,
    ) -> Result<TokenAmount, ChainError> {
        self.of_miner(miner, at, |view, id| view.miner_info(id).map(drop))?;
        self.at(at)?.precommit_deposit(sector)
    }

    async fn initial_pledge(&self, spec: &PledgeSpec, at: &TipsetKey) -> Result<TokenAmount, ChainError> {
        let power = power_of(spec)?;
        Ok(with_margin(&self.at(at)?.view().initial_pledge(&power)))
    }
}

impl At {
    /// What to send along with a pre-commit, attoFIL, margin included.
    pub(crate) fn precommit_deposit(&self, sector: &SectorPreCommitInfo) -> Result<TokenAmount, ChainError> {
        Ok(with_margin(&self.view().precommit_deposit(&most_power(sector.seal_proof)?)))
    }
}

/// Power that a sector of this seal proof can have at most, which is what its deposit is for: as if verified deals
/// filled it.
///
/// # Errors
/// [`ChainError::Invalid`] for a number that is no seal proof's.
fn most_power(seal_proof: i64) -> Result<BigInt, ChainError> {
    sector_size(seal_proof).map(|size| BigInt::from(size) * VERIFIED_FACTOR)
}

/// Padded bytes of a sector with this seal proof.
///
/// # Errors
/// [`ChainError::Invalid`] for a number that is no seal proof's.
pub(crate) fn sector_size(seal_proof: i64) -> Result<u64, ChainError> {
    let known =
        (0..SEAL_PROOFS).contains(&seal_proof).then_some(seal_proof.unsigned_abs() % SIZES.len() as u64);
    let size = known.and_then(|index| SIZES.get(usize::try_from(index).ok()?)).copied();
    size.ok_or_else(|| ChainError::Invalid(format!("unsupported proof type: {seal_proof}")))
}

/// Quality-adjusted power: bytes of verified deals count tenfold for as long as the sector lives.
fn power_of(spec: &PledgeSpec) -> Result<BigInt, ChainError> {
    if proof_number(spec.sector_size).is_none() {
        return Err(ChainError::Invalid(format!("sector_size {} is no sector's", spec.sector_size)));
    }
    if spec.verified_size > spec.sector_size {
        return Err(ChainError::Invalid("verified_size is more than the sector holds".into()));
    }
    if spec.duration <= 0 {
        return Err(ChainError::Invalid("duration must be at least an epoch".into()));
    }
    Ok(BigInt::from(spec.sector_size) + BigInt::from(spec.verified_size) * (VERIFIED_FACTOR - 1))
}
