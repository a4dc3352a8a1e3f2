//! The order of blocks in a tipset, and what a ticket is worth.

use std::cmp::Ordering;

use cid::Cid;
use num_bigint::BigUint;
use num_traits::ToPrimitive;

use crate::crypto::hash::blake2b_256;

/// What tickets are ordered by: the BLAKE2b-256 digest of the VRF proof, smaller first.
pub fn sort_key(vrf_proof: &[u8]) -> [u8; 32] {
    blake2b_256(vrf_proof)
}

/// Compares two tickets by their VRF proofs. `Less` is the better one.
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    sort_key(a).cmp(&sort_key(b))
}

/// The canonical order of two blocks `(VRF proof, CID)` of one tipset: by ticket, then by the bytes of the CID.
pub fn compare_blocks(a: (&[u8], &Cid), b: (&[u8], &Cid)) -> Ordering {
    compare(a.0, b.0).then_with(|| a.1.to_bytes().cmp(&b.1.to_bytes()))
}

/// The VRF proof of the smallest ticket, which the tickets of child blocks build on. `None` for no tickets.
pub fn min_ticket<'a>(vrf_proofs: impl IntoIterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    vrf_proofs.into_iter().min_by_key(|proof| sort_key(proof))
}

/// The quality of a ticket for message selection: the share of all tickets that are worse, 0 to 1.
///
/// A block of quality 1 is executed first in its tipset, so its messages are sure to pay.
pub fn quality(vrf_proof: &[u8]) -> f64 {
    let digest = BigUint::from_bytes_be(&sort_key(vrf_proof));
    // Scaling by a power of two is exact, so the ratio is rounded once, as Go rounds its rational.
    let ratio = digest.to_f64().unwrap_or_default() * 2f64.powi(-256);
    1.0 - ratio
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::blake2b_cid;

    #[test]
    fn golden_quality() {
        assert_eq!(quality(&[1; 96]), 0.399_355_427_996_949_56);
        assert!((quality(&[8; 96]) - 0.562_424).abs() < 1e-6);
    }

    #[test]
    fn order_is_by_digest_then_cid() {
        // The digests of these proofs begin with 232 and 238.
        assert_eq!(compare(&[3], &[1]), Ordering::Less);
        assert!(quality(&[3]) > quality(&[1]));
        assert_eq!(min_ticket([&[1][..], &[3], &[1]]), Some(&[3][..]));
        assert_eq!(min_ticket([]), None);

        let (a, b) = (blake2b_cid(b"a"), blake2b_cid(b"b"));
        let (low, high) = if a.to_bytes() < b.to_bytes() { (a, b) } else { (b, a) };
        assert_eq!(compare_blocks((&[3], &high), (&[1], &low)), Ordering::Less);
        assert_eq!(compare_blocks((&[3], &high), (&[3], &low)), Ordering::Greater);
        assert_eq!(compare_blocks((&[3], &low), (&[3], &low)), Ordering::Equal);
    }
}
