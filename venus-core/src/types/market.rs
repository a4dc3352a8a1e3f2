//! Deals, balances, allocations and claims.

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use serde::{Deserialize, Deserializer, Serializer};

use super::{Signature, cid_of};
use crate::cbor::{CborError, Decode, Encode, MAX_ARRAY, Reader, Writer, cbor_tuple};
use crate::json::{LotusJson, lotus_json};

/// The client's note on a deal: text or bytes (FIP-0027). JSON has room for text only and writes bytes as `""`,
/// as Go does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DealLabel {
    /// Text, usually the CID of the data.
    Text(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

impl Default for DealLabel {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl From<&str> for DealLabel {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Encode for DealLabel {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Text(text) => w.text(text),
            Self::Bytes(bytes) => w.bytes(bytes),
        }
    }
}

impl Decode for DealLabel {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        if r.at_bytes() {
            return r.bytes_up_to(MAX_ARRAY).map(|bytes| Self::Bytes(bytes.to_vec()));
        }
        r.text(MAX_ARRAY).map(|text| Self::Text(text.to_owned()))
    }
}

impl LotusJson for DealLabel {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Text(text) => text,
            Self::Bytes(_) => "",
        })
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::Text)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// What client and provider agree on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DealProposal {
    /// CommP of the data.
    pub piece_cid: Cid,
    /// Padded size in bytes, a power of two.
    pub piece_size: u64,
    /// Whether the client pays with datacap.
    pub verified_deal: bool,
    /// Who pays.
    pub client: Address,
    /// The miner.
    pub provider: Address,
    /// The client's note.
    pub label: DealLabel,
    /// The latest epoch at which the sector must be proven.
    pub start_epoch: ChainEpoch,
    /// When the deal ends.
    pub end_epoch: ChainEpoch,
    /// attoFIL an epoch for the whole piece.
    pub storage_price_per_epoch: TokenAmount,
    /// What the provider loses if the deal fails, attoFIL.
    pub provider_collateral: TokenAmount,
    /// What the client locks besides the price, attoFIL.
    pub client_collateral: TokenAmount,
}

cbor_tuple!(DealProposal {
    piece_cid: "PieceCID",
    piece_size: "PieceSize",
    verified_deal: "VerifiedDeal",
    client: "Client",
    provider: "Provider",
    label: "Label",
    start_epoch: "StartEpoch",
    end_epoch: "EndEpoch",
    storage_price_per_epoch: "StoragePricePerEpoch",
    provider_collateral: "ProviderCollateral",
    client_collateral: "ClientCollateral",
});
lotus_json!(DealProposal {
    piece_cid: "PieceCID",
    piece_size: "PieceSize",
    verified_deal: "VerifiedDeal",
    client: "Client",
    provider: "Provider",
    label: "Label",
    start_epoch: "StartEpoch",
    end_epoch: "EndEpoch",
    storage_price_per_epoch: "StoragePricePerEpoch",
    provider_collateral: "ProviderCollateral",
    client_collateral: "ClientCollateral",
});

impl DealProposal {
    /// CID of the proposal without a signature.
    pub fn cid(&self) -> Cid {
        cid_of(self)
    }
}

/// A proposal and the client's signature over its CBOR.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientDealProposal {
    /// What was agreed.
    pub proposal: DealProposal,
    /// The client's signature.
    pub client_signature: Signature,
}

cbor_tuple!(ClientDealProposal { proposal: "Proposal", client_signature: "ClientSignature" });
lotus_json!(ClientDealProposal { proposal: "Proposal", client_signature: "ClientSignature" });

impl ClientDealProposal {
    /// CID of the proposal with its signature, by which deal protocols know the deal.
    pub fn cid(&self) -> Cid {
        cid_of(self)
    }
}

/// Where a published deal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DealState {
    /// The sector that holds it; 0 before it is proven.
    pub sector_number: u64,
    /// When it was proven; -1 if it was not.
    pub sector_start_epoch: ChainEpoch,
    /// When it was last paid for; -1 if it was not.
    pub last_updated_epoch: ChainEpoch,
    /// When it failed; -1 if it did not.
    pub slash_epoch: ChainEpoch,
}

cbor_tuple!(DealState {
    sector_number: "SectorNumber",
    sector_start_epoch: "SectorStartEpoch",
    last_updated_epoch: "LastUpdatedEpoch",
    slash_epoch: "SlashEpoch",
});
lotus_json!(DealState {
    sector_number: "SectorNumber",
    sector_start_epoch: "SectorStartEpoch",
    last_updated_epoch: "LastUpdatedEpoch",
    slash_epoch: "SlashEpoch",
});

/// A published deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketDeal {
    /// What was agreed.
    pub proposal: DealProposal,
    /// Where it stands.
    pub state: DealState,
}

lotus_json!(MarketDeal { proposal: "Proposal", state: "State" });

/// What an address has at the market actor, attoFIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarketBalance {
    /// In all.
    pub escrow: TokenAmount,
    /// Of that, bound by deals.
    pub locked: TokenAmount,
}

cbor_tuple!(MarketBalance { escrow: "Escrow", locked: "Locked" });
lotus_json!(MarketBalance { escrow: "Escrow", locked: "Locked" });

/// Between what a provider's collateral must be, attoFIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DealCollateralBounds {
    /// At least.
    pub min: TokenAmount,
    /// At most.
    pub max: TokenAmount,
}

lotus_json!(DealCollateralBounds { min: "Min", max: "Max" });

/// Datacap that a client set aside for a piece at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The client's ID.
    pub client: ActorID,
    /// The provider's ID.
    pub provider: ActorID,
    /// CommP of the data.
    pub data: Cid,
    /// Padded size in bytes.
    pub size: u64,
    /// Shortest term that satisfies the client, epochs.
    pub term_min: ChainEpoch,
    /// Longest term, epochs.
    pub term_max: ChainEpoch,
    /// Until when the provider must claim it.
    pub expiration: ChainEpoch,
}

cbor_tuple!(Allocation {
    client: "Client",
    provider: "Provider",
    data: "Data",
    size: "Size",
    term_min: "TermMin",
    term_max: "TermMax",
    expiration: "Expiration",
});
lotus_json!(Allocation {
    client: "Client",
    provider: "Provider",
    data: "Data",
    size: "Size",
    term_min: "TermMin",
    term_max: "TermMax",
    expiration: "Expiration",
});

/// An allocation that a provider holds in a sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The provider's ID.
    pub provider: ActorID,
    /// The client's ID.
    pub client: ActorID,
    /// CommP of the data.
    pub data: Cid,
    /// Padded size in bytes.
    pub size: u64,
    /// Shortest term that satisfies the client, epochs.
    pub term_min: ChainEpoch,
    /// Longest term, epochs.
    pub term_max: ChainEpoch,
    /// When the term began.
    pub term_start: ChainEpoch,
    /// The sector.
    pub sector: u64,
}

cbor_tuple!(Claim {
    provider: "Provider",
    client: "Client",
    data: "Data",
    size: "Size",
    term_min: "TermMin",
    term_max: "TermMax",
    term_start: "TermStart",
    sector: "Sector",
});
lotus_json!(Claim {
    provider: "Provider",
    client: "Client",
    data: "Data",
    size: "Size",
    term_min: "TermMin",
    term_max: "TermMax",
    term_start: "TermStart",
    sector: "Sector",
});
