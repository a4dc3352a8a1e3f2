//! What a signature takes up.

use venus_core::crypto::hash::blake2b_256;
use venus_core::types::{Address, BlockHeader, Network, Payload, address};

use super::SlashingError;
use super::store::Reserved;
use crate::payload::{F3Vote, PayloadClass};
use crate::request::Review;

/// A block's two slots, (miner, height) and (miner, parents), and the block that takes them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockSlot {
    /// The miner's ID.
    pub miner: u64,
    /// The block's epoch, not negative.
    pub height: i64,
    /// blake2b-256 of the block's parents: their CIDs' bytes, sorted.
    pub parents: [u8; 32],
    /// blake2b-256 of the header without its signature.
    pub header: [u8; 32],
}

/// The slot of an F3 vote, and the vote that takes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VoteSlot {
    /// The worker key, printed with `f`.
    pub signer: String,
    /// The network's name in the vote.
    pub network: String,
    /// The instance, at most `i64::MAX`.
    pub instance: u64,
    /// The round, at most `i64::MAX`.
    pub round: u64,
    /// The phase.
    pub phase: u8,
    /// blake2b-256 of the signed bytes.
    pub payload: [u8; 32],
}

/// Something that may be signed once only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Slot {
    /// A block.
    Block(BlockSlot),
    /// An F3 vote.
    Vote(VoteSlot),
}

/// A line of a history. The order is that of exports: floors stand behind what is above them, so that a history which
/// is pruned while it is exported has either the block or the floor that covers it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Entry {
    /// A block that was or may have been signed.
    Block(BlockSlot),
    /// A vote that was or may have been signed.
    Vote(VoteSlot),
    /// Nothing new is signed for this miner at or below this height.
    MinerFloor {
        /// The miner's ID.
        miner: u64,
        /// The height.
        height: i64,
    },
    /// Nothing new is signed by this key in this network at or below this instance.
    VoterFloor {
        /// The worker key.
        signer: String,
        /// The network's name.
        network: String,
        /// The instance.
        instance: u64,
    },
}

impl Slot {
    /// The slot that a request would take; `None` if what it asks for cannot be slashed.
    ///
    /// # Errors
    /// [`SlashingError::Conflict`] for blocks and votes that no chain knows: a miner that is no ID, a negative height,
    /// numbers beyond 63 bits.
    pub fn of(review: &Review<'_>) -> Result<Option<Self>, SlashingError> {
        let payload = review.payload;
        if let Some(header) = payload.block() {
            return block(header).map(Some);
        }
        if payload.class() == PayloadClass::RawBlock {
            return refuse("the bytes look like a block header, and are none that can be read".into())
                .map(Some);
        }
        payload.f3_vote().map(|cast| vote(&review.request.signer, cast, &payload.signing_bytes())).transpose()
    }

    /// Why this slot cannot be had, and what to do.
    pub(super) fn refusal(&self, reserved: &Reserved) -> String {
        match (self, reserved) {
            (Self::Block(slot), Reserved::Other { height, .. }) => {
                let BlockSlot { miner, height: wanted, .. } = slot;
                let why = if height == wanted { "at this height" } else { "on the same parents" };
                format!(
                    "miner f0{miner} may have signed another block {why} (its height is {height}): a second one at \
                     height {wanted} could be slashed; send the first one again, or mine the next round"
                )
            }
            (Self::Block(slot), Reserved::Below { floor }) => format!(
                "miner f0{} is at height {}, at or below {floor}, up to where blocks are no longer known one by one; \
                 mine above it, or sign with the wallet that has the history",
                slot.miner, slot.height
            ),
            (Self::Vote(slot), Reserved::Below { floor }) => format!(
                "{} votes in instance {} of {}, at or below {floor}, up to where votes are no longer known one by \
                 one; vote in a later instance",
                slot.signer, slot.instance, slot.network
            ),
            (Self::Vote(slot), _) => format!(
                "{} may have signed another vote in instance {}, round {}, phase {} of {}: a second one is \
                 equivocation; send the first one again, or go on to the next step",
                slot.signer, slot.instance, slot.round, slot.phase, slot.network
            ),
            (Self::Block(_), _) => "the block may be signed".into(),
        }
    }
}

impl From<Slot> for Entry {
    fn from(slot: Slot) -> Self {
        match slot {
            Slot::Block(block) => Self::Block(block),
            Slot::Vote(vote) => Self::Vote(vote),
        }
    }
}

fn block(header: &BlockHeader) -> Result<Slot, SlashingError> {
    let Some(miner) = id(&header.miner) else {
        // The same miner under another name would have a history of its own.
        return refuse(format!("the block's miner {} is no ID address; use f0…", header.miner));
    };
    if header.height < 0 {
        return refuse(format!("the block's height {} is negative", header.height));
    }
    let mut parents: Vec<Vec<u8>> = header.parents.iter().map(|cid| cid.to_bytes()).collect();
    parents.sort();
    parents.dedup();
    Ok(Slot::Block(BlockSlot {
        miner,
        height: header.height,
        parents: blake2b_256(&parents.concat()),
        header: blake2b_256(&header.signing_bytes()),
    }))
}

fn vote(signer: &Address, vote: &F3Vote, signing_bytes: &[u8]) -> Result<Slot, SlashingError> {
    if [vote.instance, vote.round].iter().any(|number| i64::try_from(*number).is_err()) {
        let (instance, round) = (vote.instance, vote.round);
        return refuse(format!("a vote in instance {instance}, round {round} is beyond any chain"));
    }
    Ok(Slot::Vote(VoteSlot {
        signer: address::format(signer, Network::Mainnet),
        network: vote.network.clone(),
        instance: vote.instance,
        round: vote.round,
        phase: vote.phase,
        payload: blake2b_256(signing_bytes),
    }))
}

/// IDs beyond 63 bits are none on a chain, and no column holds them.
fn id(miner: &Address) -> Option<u64> {
    match miner.payload() {
        Payload::ID(id) if i64::try_from(*id).is_ok() => Some(*id),
        _ => None,
    }
}

fn refuse(reason: String) -> Result<Slot, SlashingError> {
    Err(SlashingError::Conflict(reason))
}
