//! Typed questions to a state.

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::{Address, Payload};
use fvm_shared::econ::TokenAmount;
use multihash::Multihash;
use num_bigint::BigInt;
use venus_core::crypto::hash::blake2b_256;
use venus_core::types::ExtendedSectorInfo;

use super::{Actor, ActorState, Claim, MinerState, POWER, PowerState, StateTree};
use crate::config::proof_number;

/// Multicodec of a sealed sector's commitment, and of its hash function.
const SEALED: u64 = 0xf102;
const POSEIDON: u64 = 0xb401;
/// Fewer miners than this above the minimum power, and any power will do.
const MIN_MINERS: usize = 4;

impl StateTree {
    /// A miner's state.
    pub(crate) fn miner(&self, id: ActorID) -> Option<&MinerState> {
        match self.get(id)?.state() {
            ActorState::Miner(miner) => Some(miner),
            _ => None,
        }
    }

    /// A miner's power, if it ever had any.
    pub(crate) fn claim(&self, miner: ActorID) -> Option<&Claim> {
        self.power()?.claims.get(&miner)
    }

    /// Quality-adjusted power of the network, bytes.
    pub(crate) fn total_power(&self) -> BigInt {
        let claims = self.power().into_iter().flat_map(|power| power.claims.values());
        claims.map(|claim| BigInt::from(claim.quality_adjusted)).sum()
    }

    /// Whether a miner has the power that mining takes: the minimum, or any while hardly anybody has that.
    pub(crate) fn has_min_power(&self, miner: ActorID, minimum: u64) -> bool {
        let Some(claim) = self.claim(miner) else { return false };
        let minimum = u128::from(minimum);
        let above = || self.power().map_or(0, |p| p.claims.values().filter(|c| c.raw >= minimum).count());
        claim.raw >= minimum || (claim.quality_adjusted > 0 && above() < MIN_MINERS)
    }

    /// The key address of an account, by its ID.
    pub(crate) fn account_key(&self, id: ActorID) -> Option<Address> {
        self.get(id).and_then(Actor::key_address)
    }

    /// The key address behind the sender of a message; the address itself if it is one.
    pub(crate) fn sender_key(&self, from: &Address) -> Option<Address> {
        match from.payload() {
            Payload::ID(id) => self.account_key(*id),
            Payload::Actor(_) => None,
            _ => Some(*from),
        }
    }

    /// The sum of all balances, attoFIL.
    pub(crate) fn supply(&self) -> TokenAmount {
        self.iter().map(|(_, actor)| &actor.balance).sum()
    }

    fn power(&self) -> Option<&PowerState> {
        match self.get(POWER)?.state() {
            ActorState::Power(power) => Some(power),
            _ => None,
        }
    }
}

impl MinerState {
    /// How many sectors can be proven.
    pub(crate) fn active_sectors(&self) -> u64 {
        self.preseals
    }

    /// The `index`-th of the active sectors in ascending order of their numbers.
    pub(crate) fn sector(&self, miner: ActorID, index: u64) -> Option<ExtendedSectorInfo> {
        let seal_proof = proof_number(self.sector_size)? + 5;
        (index < self.preseals).then(|| ExtendedSectorInfo {
            seal_proof,
            sector_number: index,
            sector_key: None,
            sealed_cid: preseal_cid(self.seed, miner, index),
        })
    }
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
