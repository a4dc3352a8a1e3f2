//! Sectors of the genesis.

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use multihash::Multihash;
use num_bigint::BigInt;
use venus_core::crypto::hash::blake2b_256;
use venus_core::types::SectorOnChainInfo;

use super::EPOCHS_IN_DAY;
use crate::config::proof_number;

/// Multicodec of a sealed sector's commitment, and of its hash function.
const SEALED: u64 = 0xf102;
const POSEIDON: u64 = 0xb401;
/// Sectors live as long as any may.
const LIFE: ChainEpoch = 1_278 * EPOCHS_IN_DAY;
/// Sectors whose power is of the simple kind (FIP-0045).
const SIMPLE_POWER: u64 = 1;

/// Sectors `0..count` of a miner that were never sealed. They hold no deals, and pledge an attoFIL each, as those of a
/// Lotus genesis do.
pub(crate) fn preseals(seed: u64, miner: ActorID, count: u64, sector_size: u64) -> Vec<SectorOnChainInfo> {
    let seal_proof = proof_number(sector_size).unwrap_or_default() + 5;
    let sector = |sector_number| SectorOnChainInfo {
        sector_number,
        seal_proof,
        sealed_cid: preseal_cid(seed, miner, sector_number),
        deprecated_deal_ids: Vec::new(),
        activation: 0,
        expiration: LIFE,
        deal_weight: BigInt::ZERO,
        verified_deal_weight: BigInt::ZERO,
        initial_pledge: TokenAmount::from_atto(1),
        expected_day_reward: None,
        expected_storage_pledge: None,
        power_base_epoch: 0,
        replaced_day_reward: None,
        sector_key_cid: None,
        flags: SIMPLE_POWER,
        daily_fee: Some(TokenAmount::default()),
    };
    (0..count).map(sector).collect()
}

/// The sealed CID of a sector that was never sealed: looks like one and commits to nothing.
fn preseal_cid(seed: u64, miner: ActorID, sector: u64) -> Cid {
    let input = [
        b"venus devnet preseal".as_slice(),
        &seed.to_be_bytes(),
        &miner.to_be_bytes(),
        &sector.to_be_bytes(),
    ]
    .concat();
    let mut digest = blake2b_256(&input);
    // Commitments are field elements, so the two highest bits of the last byte are clear.
    if let Some(last) = digest.last_mut() {
        *last &= 0x3f;
    }
    Cid::new_v1(SEALED, Multihash::wrap(POSEIDON, &digest).unwrap_or_default())
}

/// A libp2p peer ID that nobody has the key of: the identity hash of a public key of the ed25519 kind.
pub(crate) fn peer_id(seed: u64, miner: ActorID) -> Vec<u8> {
    let input = [b"venus devnet peer".as_slice(), &seed.to_be_bytes(), &miner.to_be_bytes()].concat();
    [&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20], blake2b_256(&input).as_slice()].concat()
}
