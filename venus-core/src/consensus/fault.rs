//! Consensus faults: pairs of blocks that prove a miner's misbehaviour.
//!
//! Whoever reports one takes a reward, and the miner pays and may not mine for 900 epochs. A pool checks with
//! the same predicates before it signs.

use std::collections::HashSet;

use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;

use crate::types::BlockHeader;

/// The kinds of fault, with the numbers that the miner actor knows them by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ConsensusFault {
    /// Two blocks of one height.
    DoubleFork = 1,
    /// A block that leaves out the miner's own block where it should be a parent.
    ParentGrinding = 2,
    /// Two blocks of different heights on the same parents.
    TimeOffset = 3,
}

/// What the predicates look at in a block.
#[derive(Clone, Copy, Debug)]
pub struct FaultBlock<'a> {
    /// The miner of the block, an `f0` address.
    pub miner: Address,
    /// The block's height.
    pub height: ChainEpoch,
    /// The block's parents, in any order.
    pub parents: &'a [Cid],
    /// The block's CID.
    pub cid: Cid,
}

impl<'a> From<&'a BlockHeader> for FaultBlock<'a> {
    fn from(header: &'a BlockHeader) -> Self {
        Self { miner: header.miner, height: header.height, parents: &header.parents, cid: header.cid() }
    }
}

/// Whether one miner made two blocks of the same height.
pub fn is_double_fork(a: &FaultBlock<'_>, b: &FaultBlock<'_>) -> bool {
    by_one_miner(a, b) && a.height == b.height
}

/// Whether one miner made two blocks of different heights on the same parents.
pub fn is_time_offset(a: &FaultBlock<'_>, b: &FaultBlock<'_>) -> bool {
    by_one_miner(a, b) && a.height != b.height && same_parents(a.parents, b.parents)
}

/// Whether a miner who had made `a` left it out of the parents of its `b`, though `witness`, a block that `a`
/// could have stood beside, is among them.
///
/// The witness must have `a`'s height and exactly its parents. If the parents differ in a single block, leaving
/// `a` out is no fault: the two could not be in one tipset.
pub fn is_parent_grinding(a: &FaultBlock<'_>, b: &FaultBlock<'_>, witness: &FaultBlock<'_>) -> bool {
    by_one_miner(a, b)
        && a.height <= b.height
        && witness.height == a.height
        && same_parents(witness.parents, a.parents)
        && b.parents.contains(&witness.cid)
        && !b.parents.contains(&a.cid)
}

/// The fault that two blocks, in either order, and perhaps a witness prove. `None` if they prove nothing.
///
/// When several apply, the answer is that of the chain: parent grinding before time offset before double fork.
pub fn consensus_fault(
    a: &FaultBlock<'_>,
    b: &FaultBlock<'_>,
    witness: Option<&FaultBlock<'_>>,
) -> Option<ConsensusFault> {
    let (a, b) = if a.height <= b.height { (a, b) } else { (b, a) };
    if witness.is_some_and(|witness| is_parent_grinding(a, b, witness)) {
        Some(ConsensusFault::ParentGrinding)
    } else if is_time_offset(a, b) {
        Some(ConsensusFault::TimeOffset)
    } else if is_double_fork(a, b) {
        Some(ConsensusFault::DoubleFork)
    } else {
        None
    }
}

/// A block is no fault with itself.
fn by_one_miner(a: &FaultBlock<'_>, b: &FaultBlock<'_>) -> bool {
    a.miner == b.miner && a.cid != b.cid
}

/// The chain compares parents as sets.
fn same_parents(a: &[Cid], b: &[Cid]) -> bool {
    let set: HashSet<&Cid> = a.iter().collect();
    a.len() == b.len() && b.iter().all(|cid| set.contains(cid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::blake2b_cid;

    fn cid(name: &str) -> Cid {
        blake2b_cid(name.as_bytes())
    }

    fn block<'a>(name: &str, miner: u64, height: i64, parents: &'a [Cid]) -> FaultBlock<'a> {
        FaultBlock { miner: Address::new_id(miner), height, parents, cid: cid(name) }
    }

    #[test]
    fn double_fork() {
        let parents = [cid("p")];
        let (a, b) = (block("a", 1, 5, &parents), block("b", 1, 5, &parents));
        assert_eq!(consensus_fault(&a, &b, None), Some(ConsensusFault::DoubleFork));
        assert_eq!(consensus_fault(&a, &a, None), None, "the same block twice");
        assert_eq!(consensus_fault(&a, &block("b", 2, 5, &parents), None), None, "two miners");
    }

    #[test]
    fn time_offset() {
        let (pq, qp, p) = ([cid("p"), cid("q")], [cid("q"), cid("p")], [cid("p")]);
        let (a, b) = (block("a", 1, 5, &pq), block("b", 1, 6, &qp));
        assert_eq!(consensus_fault(&a, &b, None), Some(ConsensusFault::TimeOffset));
        assert_eq!(consensus_fault(&b, &a, None), Some(ConsensusFault::TimeOffset));
        assert_eq!(consensus_fault(&a, &block("b", 1, 6, &p), None), None);
        let twice = [cid("p"), cid("p")];
        assert!(!is_time_offset(&a, &block("b", 1, 6, &p)) && !same_parents(&pq, &twice[..1]));
    }

    #[test]
    fn parent_grinding() {
        let (p, pq) = ([cid("p")], [cid("p"), cid("q")]);
        let a = block("a", 1, 5, &p);
        let witness = block("w", 2, 5, &p);
        let (without, with) = ([witness.cid], [witness.cid, a.cid]);
        let b = block("b", 1, 6, &without);
        let grinding = Some(ConsensusFault::ParentGrinding);
        assert_eq!(consensus_fault(&a, &b, Some(&witness)), grinding);
        assert_eq!(consensus_fault(&b, &a, Some(&witness)), grinding);
        assert_eq!(consensus_fault(&a, &block("b", 1, 6, &with), Some(&witness)), None, "a is a parent");
        assert_eq!(consensus_fault(&a, &b, None), None, "no witness");
        let orphaned = block("w", 2, 5, &pq);
        assert_eq!(consensus_fault(&a, &b, Some(&orphaned)), None, "a could not stand beside the witness");
        assert_eq!(consensus_fault(&a, &b, Some(&block("w", 2, 4, &p))), None);
        assert_eq!(consensus_fault(&a, &b, Some(&block("x", 2, 5, &p))), None, "the witness is no parent");
    }
}
