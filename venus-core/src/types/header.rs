//! Block headers and the proofs in them.

use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;

use super::{Signature, cid_of};
use crate::cbor::{Encode, Writer, cbor_tuple};
use crate::json::lotus_json;

/// The lottery ticket of a block: a VRF proof over randomness and the parents' smallest ticket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// 96 bytes of BLS signature; 32 arbitrary bytes in a genesis block.
    pub vrf_proof: Vec<u8>,
}

cbor_tuple!(Ticket { vrf_proof: "VRFProof" });
lotus_json!(Ticket { vrf_proof: "VRFProof" });

/// Proof of the right to make a block.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ElectionProof {
    /// How often the miner won this epoch: 1 to 15.
    pub win_count: i64,
    /// 96 bytes of BLS signature.
    pub vrf_proof: Vec<u8>,
}

cbor_tuple!(ElectionProof { win_count: "WinCount", vrf_proof: "VRFProof" });
lotus_json!(ElectionProof { win_count: "WinCount", vrf_proof: "VRFProof" });

/// One round of the randomness beacon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BeaconEntry {
    /// The beacon's round.
    pub round: u64,
    /// The beacon's signature of the round.
    pub data: Vec<u8>,
}

cbor_tuple!(BeaconEntry { round: "Round", data: "Data" });
lotus_json!(BeaconEntry { round: "Round", data: "Data" });

/// A proof of space-time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PostProof {
    /// Registered proof number: WinningPoSt 0 to 4, WindowPoSt 5 to 14.
    pub post_proof: i64,
    /// The proof; `valid proof` in test networks without real proofs.
    pub proof_bytes: Vec<u8>,
}

cbor_tuple!(PostProof { post_proof: "PoStProof", proof_bytes: "ProofBytes" });
lotus_json!(PostProof { post_proof: "PoStProof", proof_bytes: "ProofBytes" });

/// A block header, the 16-tuple of the Filecoin specification ("Block").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlockHeader {
    /// ID address of the miner.
    pub miner: Address,
    /// Lottery ticket; every block but a genesis has one made by VRF.
    pub ticket: Option<Ticket>,
    /// Proof of election.
    pub election_proof: Option<ElectionProof>,
    /// Beacon rounds since the parents', oldest first.
    pub beacon_entries: Vec<BeaconEntry>,
    /// WinningPoSt.
    pub win_post_proof: Vec<PostProof>,
    /// Blocks of the parent tipset in canonical order.
    pub parents: Vec<Cid>,
    /// Weight of the parent tipset.
    pub parent_weight: BigInt,
    /// Epoch of this block.
    pub height: ChainEpoch,
    /// State after executing the parents.
    pub parent_state_root: Cid,
    /// Receipts of the parents' messages.
    pub parent_message_receipts: Cid,
    /// Root of this block's messages.
    pub messages: Cid,
    /// Aggregate of the BLS messages' signatures.
    pub bls_aggregate: Option<Signature>,
    /// Unix seconds.
    pub timestamp: u64,
    /// The worker's signature over [`BlockHeader::signing_bytes`].
    pub block_sig: Option<Signature>,
    /// Free for the maker; 1 marks blocks of the Venus stack.
    pub fork_signaling: u64,
    /// Base fee of the messages in this block's parents' child epoch, in attoFIL.
    pub parent_base_fee: TokenAmount,
}

cbor_tuple!(BlockHeader {
    miner: "Miner",
    ticket: "Ticket",
    election_proof: "ElectionProof",
    beacon_entries: "BeaconEntries",
    win_post_proof: "WinPoStProof",
    parents: "Parents",
    parent_weight: "ParentWeight",
    height: "Height",
    parent_state_root: "ParentStateRoot",
    parent_message_receipts: "ParentMessageReceipts",
    messages: "Messages",
    bls_aggregate: "BLSAggregate",
    timestamp: "Timestamp",
    block_sig: "BlockSig",
    fork_signaling: "ForkSignaling",
    parent_base_fee: "ParentBaseFee",
});

lotus_json!(BlockHeader {
    miner: "Miner",
    ticket: "Ticket",
    election_proof: "ElectionProof",
    beacon_entries: "BeaconEntries" null,
    win_post_proof: "WinPoStProof" null,
    parents: "Parents",
    parent_weight: "ParentWeight",
    height: "Height",
    parent_state_root: "ParentStateRoot",
    parent_message_receipts: "ParentMessageReceipts",
    messages: "Messages",
    bls_aggregate: "BLSAggregate",
    timestamp: "Timestamp",
    block_sig: "BlockSig",
    fork_signaling: "ForkSignaling",
    parent_base_fee: "ParentBaseFee",
});

impl BlockHeader {
    /// The CID of the block, signature included.
    pub fn cid(&self) -> Cid {
        cid_of(self)
    }

    /// What the worker signs: the header's CBOR with a null signature. BLS keys sign these bytes, not a digest.
    pub fn signing_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(1024);
        let unsigned = Self { block_sig: None, ..self.clone() };
        unsigned.encode(&mut w);
        w.into_vec()
    }
}
