//! The sector that a WinningPoSt has to prove.

use fvm_shared::ActorID;

use crate::crypto::hash::sha256;

/// The randomness as proofs use it: the top two bits of the last byte cleared, so that it is a scalar of the
/// proof's field. RPC carries it unmasked, every prover and verifier masks it itself.
pub fn mask_randomness(mut randomness: [u8; 32]) -> [u8; 32] {
    if let Some(last) = randomness.last_mut() {
        *last &= 0x3f;
    }
    randomness
}

/// The index, among the miner's active sectors in ascending order, of the one that must be proven.
///
/// `randomness` is the draw of [`winning_post_input`](super::vrf::winning_post_input), masked or not. `None`
/// without sectors: such a miner cannot mine.
pub fn challenged_sector(miner: ActorID, randomness: [u8; 32], sectors: u64) -> Option<u64> {
    let mut input = prover_id(miner).to_vec();
    input.extend_from_slice(&mask_randomness(randomness));
    // One sector is drawn, and its place in the draw is hashed too.
    input.extend_from_slice(&0u64.to_le_bytes());
    let [a, b, c, d, e, f, g, h, ..] = sha256(&input);
    u64::from_le_bytes([a, b, c, d, e, f, g, h]).checked_rem(sectors)
}

/// A miner's actor ID as proofs hash it: unsigned LEB128, padded with zeros to 32 bytes.
pub fn prover_id(miner: ActorID) -> [u8; 32] {
    let mut id = [0; 32];
    let mut rest = miner;
    for byte in &mut id {
        *byte = (rest & 0x7f) as u8;
        rest >>= 7;
        if rest == 0 {
            break;
        }
        *byte |= 0x80;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prover_ids() {
        assert_eq!(prover_id(0), [0; 32]);
        assert_eq!(prover_id(127)[..2], [127, 0]);
        assert_eq!(prover_id(1000)[..3], [0xe8, 7, 0]);
        assert_eq!(prover_id(u64::MAX)[..11], [255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0]);
    }

    #[test]
    fn golden_draw() {
        // sha256(e807 00… ‖ 00… ‖ 00…) begins with these eight bytes, read little-endian.
        let mut input = [0; 72];
        (input[0], input[1]) = (0xe8, 7);
        let first = u64::from_le_bytes(sha256(&input)[..8].try_into().unwrap());
        assert_eq!(challenged_sector(1000, [0; 32], u64::MAX), Some(first % u64::MAX));
        assert_eq!(challenged_sector(1000, [0; 32], 1), Some(0));
        assert_eq!(challenged_sector(1000, [0; 32], 0), None);
    }

    proptest! {
        #[test]
        fn the_masked_bits_do_not_matter(miner: u64, randomness: [u8; 32], sectors in 1u64..) {
            let index = challenged_sector(miner, randomness, sectors);
            prop_assert!(index.unwrap() < sectors);
            prop_assert_eq!(challenged_sector(miner, mask_randomness(randomness), sectors), index);
        }
    }
}
