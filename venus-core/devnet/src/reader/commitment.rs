//! The commitment to a sector's data (CommD): the root of a binary tree of SHA-256 over 32-byte leaves, whose two
//! highest bits are cut off so that every node is a field element.

use cid::Cid;
use multihash::Multihash;
use sha2::{Digest, Sha256};
use venus_core::api::ChainError;

use super::sector_size;

/// Multicodec of an unsealed sector's commitment, and of the hash.
const UNSEALED: u64 = 0xf101;
const SHA2_256_TRUNC254: u64 = 0x1012;
/// Bytes of a node of the tree.
const NODE: u64 = 32;
/// The smallest piece, padded bytes.
const LEAST_PIECE: u64 = 128;

type Node = [u8; 32];

/// CommD of a sector with this seal proof that holds `pieces`, padded bytes and CommP of each, each at the next
/// multiple of its own size, and zeros elsewhere. A sector without any is all zeros.
///
/// # Errors
/// [`ChainError::Invalid`] for a number that is no seal proof's, a piece that is none, and more than fits.
pub(crate) fn data_commitment(seal_proof: i64, pieces: &[(u64, Cid)]) -> Result<Cid, ChainError> {
    let size = sector_size(seal_proof)?;
    let mut tree = Tree::default();
    for (piece_size, piece) in pieces {
        if !(LEAST_PIECE..=size).contains(piece_size) || !piece_size.is_power_of_two() {
            return Err(ChainError::Invalid(format!(
                "piece size {piece_size} is none of a sector of {size} bytes"
            )));
        }
        let digest = Node::try_from(piece.hash().digest());
        let digest = digest.map_err(|_| ChainError::Invalid(format!("{piece} is no piece commitment")))?;
        tree.pad_to(*piece_size);
        tree.push(*piece_size, digest);
        if tree.filled > size {
            return Err(ChainError::Invalid(format!("pieces do not fit into a sector of {size} bytes")));
        }
    }
    tree.pad_to(size);
    let root = tree.peaks.pop().map_or_else(|| zeros(size), |(_, root)| root);
    let hash = Multihash::wrap(SHA2_256_TRUNC254, &root).map_err(|e| ChainError::Corrupt(e.to_string()))?;
    Ok(Cid::new_v1(UNSEALED, hash))
}

/// What was put in so far, as full subtrees of falling sizes.
#[derive(Default)]
struct Tree {
    peaks: Vec<(u64, Node)>,
    filled: u64,
}

impl Tree {
    /// Puts a full subtree in and joins it with its left neighbours as far as they are as large.
    fn push(&mut self, size: u64, node: Node) {
        self.filled += size;
        let mut top = (size, node);
        while let Some((_, left)) = self.peaks.pop_if(|(left, _)| *left == top.0) {
            top = (top.0 * 2, join(&left, &top.1));
        }
        self.peaks.push(top);
    }

    /// Puts in zeros up to a multiple of `size`.
    fn pad_to(&mut self, size: u64) {
        while !self.filled.is_multiple_of(size) {
            let step = 1 << self.filled.trailing_zeros();
            self.push(step, zeros(step));
        }
    }
}

fn join(left: &Node, right: &Node) -> Node {
    let mut node = Node::from(Sha256::new().chain_update(left).chain_update(right).finalize());
    node[31] &= 0x3f;
    node
}

/// The root over so many bytes of zeros.
fn zeros(size: u64) -> Node {
    let levels = (size / NODE).checked_ilog2().unwrap_or(0);
    (0..levels).fold(Node::default(), |node, _| join(&node, &node))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_sectors_have_the_commitments_that_everybody_knows() {
        for (proof, cid) in [
            (5, "baga6ea4seaqpy7usqklokfx2vxuynmupslkeutzexe2uqurdg5vhtebhxqmpqmy"),
            (8, "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"),
        ] {
            assert_eq!(data_commitment(proof, &[]).unwrap().to_string(), cid);
        }
    }

    #[test]
    fn pieces_of_zeros_are_zeros_wherever_they_lie() {
        let empty = data_commitment(5, &[]).unwrap();
        let zero =
            |size| (size, Cid::new_v1(UNSEALED, Multihash::wrap(SHA2_256_TRUNC254, &zeros(size)).unwrap()));
        for pieces in [
            vec![zero(128)],
            vec![zero(128), zero(1024)],
            vec![zero(1024), zero(512), zero(128)],
            vec![zero(2048)],
        ] {
            assert_eq!(data_commitment(5, &pieces).unwrap(), empty);
        }
        for pieces in [vec![zero(2048), zero(128)], vec![zero(4096)], vec![(100, empty)]] {
            assert!(data_commitment(5, &pieces).is_err());
        }
        let odd = (128, Cid::new_v1(UNSEALED, Multihash::wrap(SHA2_256_TRUNC254, &[1; 32]).unwrap()));
        assert_ne!(data_commitment(5, &[zero(128), odd]).unwrap(), data_commitment(5, &[odd]).unwrap());
        assert!(data_commitment(20, &[]).is_err() && data_commitment(-1, &[]).is_err());
    }
}
