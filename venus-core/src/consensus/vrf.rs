//! What miners prove with their worker key: tickets, elections, and the draw of a WinningPoSt.

use fvm_shared::address::{Address, Payload};
use fvm_shared::clock::ChainEpoch;

use super::draw::{DomainSeparationTag as Tag, draw_randomness};
use crate::cbor::{Encode, Writer};
use crate::crypto::{CryptoError, bls};
use crate::types::{DrawRandomParams, SignatureType};

/// How far the ticket's draw looks back behind the block's own round, epochs.
pub const TICKET_RANDOMNESS_LOOKBACK: ChainEpoch = 1;

/// A draw before its beacon entry is known: what for, when, and whose.
///
/// Only a ticket depends on the parents of the block. Election and WinningPoSt depend on the beacon entry of the
/// round, the round and the miner, so they can be prepared before the parents are fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VrfInput {
    /// What the randomness is for.
    pub tag: Tag,
    /// The epoch that is hashed; for a ticket the one before the block's.
    pub round: ChainEpoch,
    /// The CBOR of the miner's address and, for a ticket, the parents' smallest ticket.
    pub entropy: Vec<u8>,
}

impl VrfInput {
    /// The 32 bytes that the worker signs, or that seed a proof. `rbase` is the data of the block's last beacon
    /// entry, or of the previous one if the block carries none.
    pub fn digest(&self, rbase: &[u8]) -> [u8; 32] {
        draw_randomness(rbase, self.tag, self.round, &self.entropy)
    }

    /// The draw as parameters that a wallet recomputes and signs.
    pub fn params(&self, rbase: &[u8]) -> DrawRandomParams {
        DrawRandomParams {
            rbase: rbase.to_vec(),
            pers: self.tag as i64,
            round: self.round,
            entropy: self.entropy.clone(),
        }
    }
}

/// The draw of the ticket of a block at height `round`.
///
/// `base_ticket` is the VRF proof of the smallest ticket of the parents. It is left out up to the Smoke upgrade,
/// which no chain of today still has ahead.
pub fn ticket_input(round: ChainEpoch, miner: &Address, base_ticket: Option<&[u8]>) -> VrfInput {
    let mut entropy = miner_entropy(miner);
    entropy.extend_from_slice(base_ticket.unwrap_or_default());
    VrfInput { tag: Tag::TicketProduction, round: round.saturating_sub(TICKET_RANDOMNESS_LOOKBACK), entropy }
}

/// The draw of the election at height `round`.
pub fn election_input(round: ChainEpoch, miner: &Address) -> VrfInput {
    VrfInput { tag: Tag::ElectionProofProduction, round, entropy: miner_entropy(miner) }
}

/// The draw that seeds the WinningPoSt at height `round`. It is not signed; see
/// [`crate::consensus::post`] for what provers make of it.
pub fn winning_post_input(round: ChainEpoch, miner: &Address) -> VrfInput {
    VrfInput { tag: Tag::WinningPoStChallengeSeed, round, entropy: miner_entropy(miner) }
}

/// The CBOR of a miner's address, with which the entropy of every draw for a miner begins.
pub fn miner_entropy(miner: &Address) -> Vec<u8> {
    let mut w = Writer::with_capacity(128);
    miner.encode(&mut w);
    w.into_vec()
}

/// Checks a VRF proof: the worker's BLS signature over the digest. `worker` is an `f3` address.
///
/// # Errors
/// [`CryptoError::IdAddress`] or [`CryptoError::TypeMismatch`] when the worker is no BLS key, otherwise as
/// [`bls::verify`].
pub fn verify_vrf(worker: &Address, digest: &[u8; 32], proof: &[u8]) -> Result<(), CryptoError> {
    match worker.payload() {
        Payload::BLS(key) => bls::verify(key, digest, proof),
        Payload::ID(id) => Err(CryptoError::IdAddress { id: *id }),
        _ => Err(CryptoError::TypeMismatch { found: SignatureType::Bls, signer: *worker }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fvm_shared::address::Network;

    const ENTROPY: [u8; 4] = [0x43, 0, 0xe8, 7];

    #[test]
    fn inputs() {
        let miner = Address::new_id(1000);
        let ticket = ticket_input(100, &miner, Some(b"proof"));
        assert_eq!((ticket.tag, ticket.round), (Tag::TicketProduction, 99));
        assert_eq!(ticket.entropy, [&ENTROPY[..], b"proof"].concat());
        assert_eq!(ticket_input(100, &miner, None).entropy, ENTROPY);

        let election = election_input(100, &miner);
        assert_eq!((election.tag, election.round), (Tag::ElectionProofProduction, 100));
        let winning = winning_post_input(100, &miner);
        assert_eq!((winning.tag, winning.round), (Tag::WinningPoStChallengeSeed, 100));
        assert_ne!(election.digest(b"beacon"), winning.digest(b"beacon"));
        assert_eq!(election.params(b"beacon").digest(), election.digest(b"beacon"));
    }

    #[test]
    fn golden_election_proof() {
        let worker = "f3tho7tbdrw3xuy6ybz6p5tfc7nsqqa2ozhsrnmhwynrb3keeaeywe3felidbpgvy2wcxktmxcezlpz7pbu5pq";
        let worker = Network::Mainnet.parse_address(worker).unwrap();
        let digest = election_input(1000, &Address::new_id(1000)).digest(&[0xab; 32]);
        let proof = data_encoding::HEXLOWER
            .decode(b"98fa3bc8211da2ec3c6e00f042b50304f29f0d15c6c670416b09fedb98862d6ff6940f1825c055c99ea1d770ad611c861493e52deedffc47f4ecce8e099f8010dd71bf322463f64f42161dc2cd668160303349c4e10bd02340da785f2176e5f1")
            .unwrap();
        assert_eq!(verify_vrf(&worker, &digest, &proof), Ok(()));
        let other = election_input(1001, &Address::new_id(1000)).digest(&[0xab; 32]);
        assert!(verify_vrf(&worker, &other, &proof).is_err());
        assert_eq!(verify_vrf(&Address::new_id(7), &digest, &proof), Err(CryptoError::IdAddress { id: 7 }));
        let f1 = Address::new_secp256k1(&[4; 65]).unwrap();
        assert!(matches!(verify_vrf(&f1, &digest, &proof), Err(CryptoError::TypeMismatch { .. })));
    }
}
