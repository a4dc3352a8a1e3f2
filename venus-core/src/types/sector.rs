//! Sectors on chain.

use cid::Cid;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::cbor::{
    CborError, CborErrorKind as Kind, Decode, Encode, FieldContext, Reader, Writer, cbor_tuple,
};
use crate::json::{JsonRef, lotus_json};

/// What a miner promises in a pre-commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorPreCommitInfo {
    /// Registered seal proof number.
    pub seal_proof: i64,
    /// Sector number.
    pub sector_number: u64,
    /// CommR.
    pub sealed_cid: Cid,
    /// Epoch of the seal ticket.
    pub seal_rand_epoch: ChainEpoch,
    /// Deals of old; empty since deals are named when a sector is proven.
    pub deal_ids: Vec<u64>,
    /// When the sector's life ends.
    pub expiration: ChainEpoch,
    /// CommD; `None` for a sector of zeros.
    pub unsealed_cid: Option<Cid>,
}

cbor_tuple!(SectorPreCommitInfo {
    seal_proof: "SealProof",
    sector_number: "SectorNumber",
    sealed_cid: "SealedCID",
    seal_rand_epoch: "SealRandEpoch",
    deal_ids: "DealIDs",
    expiration: "Expiration",
    unsealed_cid: "UnsealedCid",
});
lotus_json!(SectorPreCommitInfo {
    seal_proof: "SealProof",
    sector_number: "SectorNumber",
    sealed_cid: "SealedCID",
    seal_rand_epoch: "SealRandEpoch",
    deal_ids: "DealIDs" null,
    expiration: "Expiration",
    unsealed_cid: "UnsealedCid",
});

/// A pre-commit that waits for its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorPreCommitOnChainInfo {
    /// What was promised.
    pub info: SectorPreCommitInfo,
    /// What the miner loses if the proof does not come in time, attoFIL.
    pub pre_commit_deposit: TokenAmount,
    /// When it was made.
    pub pre_commit_epoch: ChainEpoch,
}

cbor_tuple!(SectorPreCommitOnChainInfo {
    info: "Info",
    pre_commit_deposit: "PreCommitDeposit",
    pre_commit_epoch: "PreCommitEpoch",
});
lotus_json!(SectorPreCommitOnChainInfo {
    info: "Info",
    pre_commit_deposit: "PreCommitDeposit",
    pre_commit_epoch: "PreCommitEpoch",
});

/// A sector in the state of its miner.
///
/// CBOR is a tuple of 16; sectors from before FIP-0100 have no daily fee and are tuples of 15.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorOnChainInfo {
    /// Sector number.
    pub sector_number: u64,
    /// Registered seal proof number.
    pub seal_proof: i64,
    /// CommR.
    pub sealed_cid: Cid,
    /// Deals of old. Not in JSON.
    pub deprecated_deal_ids: Vec<u64>,
    /// When the sector was proven.
    pub activation: ChainEpoch,
    /// When its life ends.
    pub expiration: ChainEpoch,
    /// Bytes × epochs of unverified deals.
    pub deal_weight: BigInt,
    /// Bytes × epochs of verified deals.
    pub verified_deal_weight: BigInt,
    /// What the miner pledged for it, attoFIL.
    pub initial_pledge: TokenAmount,
    /// Expected reward of a day, attoFIL; unset in new sectors.
    pub expected_day_reward: Option<TokenAmount>,
    /// Expected reward over twenty days, attoFIL; unset in new sectors.
    pub expected_storage_pledge: Option<TokenAmount>,
    /// When its power last changed.
    pub power_base_epoch: ChainEpoch,
    /// Reward of the sector that it replaced, attoFIL; unset in new sectors.
    pub replaced_day_reward: Option<TokenAmount>,
    /// CommR before a replica update.
    pub sector_key_cid: Option<Cid>,
    /// Bit 0: power is of the simple kind (FIP-0045).
    pub flags: u64,
    /// Fee of a day, attoFIL.
    pub daily_fee: Option<TokenAmount>,
}

impl Encode for SectorOnChainInfo {
    fn encode(&self, w: &mut Writer) {
        w.array(if self.daily_fee.is_some() { 16 } else { 15 });
        w.uint(self.sector_number);
        w.int(self.seal_proof);
        self.sealed_cid.encode(w);
        self.deprecated_deal_ids.encode(w);
        w.int(self.activation);
        w.int(self.expiration);
        self.deal_weight.encode(w);
        self.verified_deal_weight.encode(w);
        self.initial_pledge.encode(w);
        self.expected_day_reward.encode(w);
        self.expected_storage_pledge.encode(w);
        w.int(self.power_base_epoch);
        self.replaced_day_reward.encode(w);
        self.sector_key_cid.encode(w);
        w.uint(self.flags);
        if let Some(fee) = &self.daily_fee {
            fee.encode(w);
        }
    }
}

impl Decode for SectorOnChainInfo {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        decode_sector(r).in_field("SectorOnChainInfo")
    }
}

fn decode_sector(r: &mut Reader<'_>) -> Result<SectorOnChainInfo, CborError> {
    let start = r.offset();
    let len = r.array(16)?;
    if len < 15 {
        return Err(CborError::new(start, Kind::WrongLength { expected: 16, found: len }));
    }
    Ok(SectorOnChainInfo {
        sector_number: r.uint().in_field("SectorNumber")?,
        seal_proof: r.int().in_field("SealProof")?,
        sealed_cid: r.cid().in_field("SealedCID")?,
        deprecated_deal_ids: Decode::decode(r).in_field("DeprecatedDealIDs")?,
        activation: r.int().in_field("Activation")?,
        expiration: r.int().in_field("Expiration")?,
        deal_weight: Decode::decode(r).in_field("DealWeight")?,
        verified_deal_weight: Decode::decode(r).in_field("VerifiedDealWeight")?,
        initial_pledge: Decode::decode(r).in_field("InitialPledge")?,
        expected_day_reward: Decode::decode(r).in_field("ExpectedDayReward")?,
        expected_storage_pledge: Decode::decode(r).in_field("ExpectedStoragePledge")?,
        power_base_epoch: r.int().in_field("PowerBaseEpoch")?,
        replaced_day_reward: Decode::decode(r).in_field("ReplacedDayReward")?,
        sector_key_cid: Decode::decode(r).in_field("SectorKeyCID")?,
        flags: r.uint().in_field("Flags")?,
        daily_fee: if len == 16 { Some(Decode::decode(r).in_field("DailyFee")?) } else { None },
    })
}

impl Serialize for SectorOnChainInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(15))?;
        map.serialize_entry("SectorNumber", &self.sector_number)?;
        map.serialize_entry("SealProof", &self.seal_proof)?;
        map.serialize_entry("SealedCID", &JsonRef(&self.sealed_cid))?;
        map.serialize_entry("Activation", &self.activation)?;
        map.serialize_entry("Expiration", &self.expiration)?;
        map.serialize_entry("DealWeight", &JsonRef(&self.deal_weight))?;
        map.serialize_entry("VerifiedDealWeight", &JsonRef(&self.verified_deal_weight))?;
        map.serialize_entry("InitialPledge", &JsonRef(&self.initial_pledge))?;
        map.serialize_entry("ExpectedDayReward", &JsonRef(&self.expected_day_reward))?;
        map.serialize_entry("ExpectedStoragePledge", &JsonRef(&self.expected_storage_pledge))?;
        map.serialize_entry("PowerBaseEpoch", &self.power_base_epoch)?;
        map.serialize_entry("ReplacedDayReward", &JsonRef(&self.replaced_day_reward))?;
        map.serialize_entry("SectorKeyCID", &JsonRef(&self.sector_key_cid))?;
        map.serialize_entry("Flags", &self.flags)?;
        map.serialize_entry("DailyFee", &JsonRef(&self.daily_fee.clone().unwrap_or_default()))?;
        map.end()
    }
}

// Deals are read if a service names them, and never written.
lotus_json!(@read SectorOnChainInfo {
    sector_number: "SectorNumber",
    seal_proof: "SealProof",
    sealed_cid: "SealedCID",
    deprecated_deal_ids: "DealIDs",
    activation: "Activation",
    expiration: "Expiration",
    deal_weight: "DealWeight",
    verified_deal_weight: "VerifiedDealWeight",
    initial_pledge: "InitialPledge",
    expected_day_reward: "ExpectedDayReward",
    expected_storage_pledge: "ExpectedStoragePledge",
    power_base_epoch: "PowerBaseEpoch",
    replaced_day_reward: "ReplacedDayReward",
    sector_key_cid: "SectorKeyCID",
    flags: "Flags",
    daily_fee: "DailyFee",
});
lotus_json!(@delegate SectorOnChainInfo);

/// A sector, enough to prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorInfo {
    /// Registered seal proof number.
    pub seal_proof: i64,
    /// Sector number.
    pub sector_number: u64,
    /// CommR.
    pub sealed_cid: Cid,
}

cbor_tuple!(SectorInfo { seal_proof: "SealProof", sector_number: "SectorNumber", sealed_cid: "SealedCID" });
lotus_json!(SectorInfo { seal_proof: "SealProof", sector_number: "SectorNumber", sealed_cid: "SealedCID" });

/// Where a sector is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SectorLocation {
    /// Deadline index, 0 to 47.
    pub deadline: u64,
    /// Partition index in the deadline.
    pub partition: u64,
}

lotus_json!(SectorLocation { deadline: "Deadline", partition: "Partition" });

/// When a sector leaves its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectorExpiration {
    /// At the end of its life.
    pub on_time: ChainEpoch,
    /// Earlier for a fault that lasts; 0 if it has none.
    pub early: ChainEpoch,
}

lotus_json!(SectorExpiration { on_time: "OnTime", early: "Early" });
