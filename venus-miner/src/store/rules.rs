//! Which blocks may be reserved beside earlier ones (the miner actor's consensus faults, exactly).

use venus_core::consensus::fault::ConsensusFault;
use venus_core::types::{ChainEpoch, Cid};

use super::{Claim, Fault, ReservationState, StoreError, parents_hash, unsigned_cid};

/// What the rules look at in an earlier block of the same miner.
#[derive(Clone, Debug)]
pub(super) struct Earlier {
    pub(super) height: ChainEpoch,
    pub(super) parents: [u8; 32],
    pub(super) base_height: ChainEpoch,
    pub(super) base_parents: [u8; 32],
    pub(super) unsigned_cid: Cid,
    pub(super) signed_cid: Option<Cid>,
    pub(super) state: ReservationState,
}

/// What becomes of a claim.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This very block is reserved already.
    Existing,
    /// It may be reserved, once the unsigned blocks at these heights are abandoned.
    Free { abandon: Vec<ChainEpoch> },
}

/// Judges a claim by the miner's earlier blocks. Those that matter are [`matters`]; others may be left out.
pub(super) fn judge(claim: &Claim, earlier: &[Earlier]) -> Result<Verdict, StoreError> {
    let header = &claim.block.header;
    let parents = parents_hash(&header.parents);
    if let Some(same) = earlier.iter().find(|e| e.height == header.height) {
        let existing = same.unsigned_cid == unsigned_cid(&claim.block);
        return if existing { Ok(Verdict::Existing) } else { fault(ConsensusFault::DoubleFork, same) };
    }
    if let Some(other) = earlier.iter().find(|e| e.parents == parents) {
        return fault(ConsensusFault::TimeOffset, other);
    }
    let base_parents = parents_hash(claim.base_parents.cids());
    let mut abandon = Vec::new();
    for own in earlier.iter().filter(|e| e.state != ReservationState::Abandoned) {
        // A block of ours that could have stood in the base, and does not.
        let beside_base = own.height == claim.base_height && own.parents == base_parents;
        if beside_base && own.signed_cid.is_none() {
            // Never published: it is enough that it never will be.
            abandon.push(own.height);
        } else if beside_base && own.signed_cid.is_some_and(|cid| !header.parents.contains(&cid)) {
            return fault(ConsensusFault::ParentGrinding, own);
        }
        // The same in reverse: a later block of ours stands on a base that this one should be in.
        if own.base_height == header.height && own.base_parents == parents {
            return fault(ConsensusFault::ParentGrinding, own);
        }
    }
    Ok(Verdict::Free { abandon })
}

/// Whether an earlier block has a say in the verdict.
pub(super) fn matters(claim: &Claim, earlier: &Earlier) -> bool {
    let header = &claim.block.header;
    earlier.height == header.height
        || earlier.height == claim.base_height
        || earlier.base_height == header.height
        || earlier.parents == parents_hash(&header.parents)
}

fn fault<T>(kind: ConsensusFault, earlier: &Earlier) -> Result<T, StoreError> {
    let witness = earlier.signed_cid.unwrap_or(earlier.unsigned_cid);
    Err(StoreError::Fault(Fault { kind, height: earlier.height, witness }))
}
