//! Drawing randomness from a beacon entry or a ticket.

use fvm_shared::clock::ChainEpoch;

use crate::crypto::hash::blake2b_256;

/// What randomness is drawn for. It goes into the hash, so that no two uses share a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i64)]
pub enum DomainSeparationTag {
    /// A block's ticket.
    TicketProduction = 1,
    /// The election of an epoch.
    ElectionProofProduction = 2,
    /// The sector of a WinningPoSt.
    WinningPoStChallengeSeed = 3,
    /// The challenges of a WindowPoSt.
    WindowedPoStChallengeSeed = 4,
    /// The ticket that a sector is sealed with.
    SealRandomness = 5,
    /// The interactive challenge of a sector's seal proof.
    InteractiveSealChallengeSeed = 6,
    /// The first proving deadline of a new miner.
    WindowPoStDeadlineAssignment = 7,
    /// The spreading of deal updates over epochs.
    MarketDealCronSeed = 8,
    /// The commitment to the chain in a WindowPoSt message.
    PoStChainCommit = 9,
    /// `block.prevrandao` of contracts.
    EvmPrevRandao = 10,
}

/// The 32 bytes for `tag` at `round` from `rbase`: the data of a beacon entry or the VRF proof of a ticket.
///
/// `entropy` usually begins with the CBOR of a miner's address, see [`crate::consensus::vrf`].
pub fn draw_randomness(
    rbase: &[u8],
    tag: DomainSeparationTag,
    round: ChainEpoch,
    entropy: &[u8],
) -> [u8; 32] {
    draw_randomness_raw(rbase, tag as i64, round, entropy)
}

/// As [`draw_randomness`] with the tag as a number, for tags that come from elsewhere.
pub fn draw_randomness_raw(rbase: &[u8], tag: i64, round: ChainEpoch, entropy: &[u8]) -> [u8; 32] {
    draw_from_digest(&blake2b_256(rbase), tag, round, entropy)
}

/// As [`draw_randomness_raw`] from the BLAKE2b-256 digest of `rbase`, which is all that the FVM hands out.
pub fn draw_from_digest(digest: &[u8; 32], tag: i64, round: ChainEpoch, entropy: &[u8]) -> [u8; 32] {
    let mut input = Vec::with_capacity(48 + entropy.len());
    input.extend_from_slice(&tag.to_be_bytes());
    input.extend_from_slice(digest);
    input.extend_from_slice(&round.to_be_bytes());
    input.extend_from_slice(entropy);
    blake2b_256(&input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn golden_draw() {
        let entropy = [0x43, 0, 0xe8, 7];
        let drawn =
            draw_randomness(&[0xab; 32], DomainSeparationTag::ElectionProofProduction, 1000, &entropy);
        assert_eq!(
            HEXLOWER.encode(&drawn),
            "e284f4f786440cf4751deddd49a6cb89711c901e83dd331295206ec0f722b781"
        );
        assert_eq!(draw_from_digest(&blake2b_256(&[0xab; 32]), 2, 1000, &entropy), drawn);
    }

    #[test]
    fn every_input_matters() {
        let base = draw_randomness_raw(b"b", 1, 1, b"e");
        assert_ne!(draw_randomness_raw(b"c", 1, 1, b"e"), base);
        assert_ne!(draw_randomness_raw(b"b", 2, 1, b"e"), base);
        assert_ne!(draw_randomness_raw(b"b", 1, -1, b"e"), base);
        assert_ne!(draw_randomness_raw(b"b", 1, 1, b""), base);
    }
}
