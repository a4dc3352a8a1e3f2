//! Claims of power.

use fvm_shared::MethodNum;
use fvm_shared::address::Address;

use crate::cbor::cbor_tuple;

/// Makes a miner. The value pays the deposit (FIP-0077).
pub const CREATE_MINER: MethodNum = 2;
/// The same for callers that are contracts.
pub const CREATE_MINER_EXPORTED: MethodNum = 1_173_380_165;
/// Answers the network's power.
pub const CURRENT_TOTAL_POWER: MethodNum = 9;

/// Parameters of [`CREATE_MINER`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateMinerParams {
    /// The owner.
    pub owner: Address,
    /// The worker, a BLS key.
    pub worker: Address,
    /// Registered WindowPoSt proof number, which fixes the sector size.
    pub window_post_proof_type: i64,
    /// Binary libp2p peer ID; may be empty.
    pub peer: Vec<u8>,
    /// Binary multiaddresses; may be none.
    pub multiaddrs: Vec<Vec<u8>>,
}

cbor_tuple!(CreateMinerParams {
    owner: "Owner",
    worker: "Worker",
    window_post_proof_type: "WindowPoStProofType",
    peer: "Peer",
    multiaddrs: "Multiaddrs",
});

/// What [`CREATE_MINER`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateMinerReturn {
    /// The miner's ID address.
    pub id_address: Address,
    /// Its `f2` address, which survives a reorg.
    pub robust_address: Address,
}

cbor_tuple!(CreateMinerReturn { id_address: "IDAddress", robust_address: "RobustAddress" });
