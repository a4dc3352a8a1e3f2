//! Tipsets and their keys.

use std::fmt;
use std::sync::Arc;

use cid::Cid;
use fvm_shared::clock::ChainEpoch;
use num_bigint::BigInt;
use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{BlockHeader, cid_of, cids_of};
use crate::cbor::{
    CborError, CborErrorKind as Kind, Decode, Encode, FieldContext, MAX_BYTES, Reader, Writer,
};
use crate::consensus::ticket;
use crate::error::{Classify, ErrorKind};
use crate::json::{JsonRef, LotusJson, lotus_json};

/// The blocks of a tipset in canonical order. Cheap to clone. The empty key stands for "the head" in node calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TipsetKey(Arc<[Cid]>);

impl TipsetKey {
    /// A key of these blocks, which are taken to be in canonical order.
    pub fn new(cids: impl Into<Arc<[Cid]>>) -> Self {
        Self(cids.into())
    }

    /// The blocks.
    pub fn cids(&self) -> &[Cid] {
        &self.0
    }

    /// Whether no block is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The CID of the key itself (FIP-0030), one name for the whole tipset.
    pub fn cid(&self) -> Cid {
        cid_of(self)
    }

    /// The raw CIDs one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(Cid::to_bytes).collect()
    }
}

impl fmt::Display for TipsetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, cid) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{cid}")?;
        }
        f.write_str("}")
    }
}

impl From<Vec<Cid>> for TipsetKey {
    fn from(cids: Vec<Cid>) -> Self {
        Self(cids.into())
    }
}

impl Encode for TipsetKey {
    fn encode(&self, w: &mut Writer) {
        w.bytes(&self.to_bytes());
    }
}

impl Decode for TipsetKey {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        let start = r.offset();
        let bytes = r.bytes_up_to(MAX_BYTES).in_field("TipSetKey")?;
        let mut rest = bytes;
        let mut cids = Vec::new();
        while !rest.is_empty() {
            let cid = Cid::read_bytes(&mut rest);
            cids.push(
                cid.map_err(|_| CborError::new(start, Kind::Invalid("not a CID"))).in_field("TipSetKey")?,
            );
        }
        let key = Self::from(cids);
        if key.to_bytes() != bytes {
            return Err(CborError::new(start, Kind::NotCanonical("CID"))).in_field("TipSetKey");
        }
        Ok(key)
    }
}

impl LotusJson for TipsetKey {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(JsonRef))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Cid>::read(deserializer).map(Self::from)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl Serialize for TipsetKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer)
    }
}

impl<'de> Deserialize<'de> for TipsetKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer)
    }
}

/// Why blocks do not form a tipset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TipsetError {
    /// There is no block.
    #[error("tipset without blocks")]
    Empty,
    /// Blocks disagree on a field that all must share.
    #[error("blocks of a tipset differ in {0}")]
    Mismatch(&'static str),
    /// A block without a ticket cannot be ordered.
    #[error("block {0} has no ticket")]
    NoTicket(Cid),
    /// The same block twice.
    #[error("block {0} stands twice")]
    Duplicate(Cid),
}

impl Classify for TipsetError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Blocks of one height with the same parents, in canonical order: by the blake2b-256 digest of the ticket,
/// then by CID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tipset {
    key: TipsetKey,
    blocks: Vec<BlockHeader>,
    height: ChainEpoch,
}

impl Tipset {
    /// Orders the blocks and checks that they belong together.
    ///
    /// # Errors
    /// [`TipsetError`] if they do not.
    pub fn new(blocks: Vec<BlockHeader>) -> Result<Self, TipsetError> {
        let first = blocks.first().ok_or(TipsetError::Empty)?;
        let height = first.height;
        if blocks.iter().any(|b| b.height != height) {
            return Err(TipsetError::Mismatch("Height"));
        }
        if blocks.iter().any(|b| b.parents != first.parents) {
            return Err(TipsetError::Mismatch("Parents"));
        }
        let mut sorted = Vec::with_capacity(blocks.len());
        for (cid, block) in cids_of(&blocks).into_iter().zip(blocks) {
            let proof = &block.ticket.as_ref().ok_or(TipsetError::NoTicket(cid))?.vrf_proof;
            sorted.push((ticket::sort_key(proof), cid, block));
        }
        sorted.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.to_bytes().cmp(&b.1.to_bytes())));
        let cids: Vec<Cid> = sorted.iter().map(|(_, cid, _)| *cid).collect();
        if let Some(twice) = cids.iter().zip(cids.iter().skip(1)).find(|(a, b)| a == b) {
            return Err(TipsetError::Duplicate(*twice.0));
        }
        let blocks = sorted.into_iter().map(|(_, _, block)| block).collect();
        Ok(Self { key: cids.into(), blocks, height })
    }

    /// The key.
    pub fn key(&self) -> &TipsetKey {
        &self.key
    }

    /// The blocks in canonical order; never empty.
    pub fn blocks(&self) -> &[BlockHeader] {
        &self.blocks
    }

    /// The CIDs of [`Tipset::blocks`], in the same order.
    pub fn cids(&self) -> &[Cid] {
        self.key.cids()
    }

    /// The epoch.
    pub fn height(&self) -> ChainEpoch {
        self.height
    }

    /// The block with the smallest ticket, which is the first.
    pub fn min_ticket_block(&self) -> &BlockHeader {
        #[allow(clippy::indexing_slicing, reason = "`new` refuses a tipset without blocks")]
        &self.blocks[0]
    }

    /// The smallest VRF proof's bytes.
    pub fn min_ticket(&self) -> &[u8] {
        self.min_ticket_block().ticket.as_ref().map_or(&[], |t| &t.vrf_proof)
    }

    /// The key of the parent tipset.
    pub fn parents(&self) -> TipsetKey {
        self.min_ticket_block().parents.clone().into()
    }

    /// Weight of the parent tipset.
    pub fn parent_weight(&self) -> &BigInt {
        &self.min_ticket_block().parent_weight
    }

    /// State after executing the parents.
    pub fn parent_state(&self) -> &Cid {
        &self.min_ticket_block().parent_state_root
    }

    /// The earliest timestamp of the blocks, Unix seconds.
    pub fn min_timestamp(&self) -> u64 {
        self.blocks.iter().map(|b| b.timestamp).min().unwrap_or_default()
    }
}

impl Serialize for Tipset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("Cids", &self.key)?;
        map.serialize_entry("Blocks", &JsonRef(&self.blocks))?;
        map.serialize_entry("Height", &self.height)?;
        map.end()
    }
}

struct Wire {
    cids: TipsetKey,
    blocks: Vec<BlockHeader>,
}

lotus_json!(@read Wire { cids: "Cids", blocks: "Blocks" });

/// Rebuilds the tipset from its blocks, as Go does, and refuses `Cids` that name other ones.
impl<'de> Deserialize<'de> for Tipset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let tipset = Self::new(wire.blocks).map_err(|e| D::Error::custom(format_args!("Blocks: {e}")))?;
        if !wire.cids.is_empty() && wire.cids != *tipset.key() {
            return Err(D::Error::custom("Cids: do not match the blocks"));
        }
        Ok(tipset)
    }
}

lotus_json!(@delegate Tipset);
