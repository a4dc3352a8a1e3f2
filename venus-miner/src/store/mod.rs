//! What must survive a crash: rounds that were begun, and every block that was ever going to be signed.

mod memory;
mod rules;
mod sqlite;
mod state;

use std::fmt;

use async_trait::async_trait;
use venus_core::cbor::Encode;
use venus_core::consensus::fault::ConsensusFault;
use venus_core::crypto::hash::blake2b_256;
use venus_core::error::{BoxError, Classify, ErrorKind};
use venus_core::types::{Address, BlockMsg, ChainEpoch, Cid, Tipset, TipsetKey, blake2b_cid};

pub use memory::MemoryReservations;
pub use sqlite::SqliteReservations;
pub use state::ReservationState;

/// A block that may not be made, because with an earlier one it would be a consensus fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The fault that both blocks together would prove.
    pub kind: ConsensusFault,
    /// Height of the earlier block.
    pub height: ChainEpoch,
    /// CID of the earlier block; of its unsigned header if no signature of it is stored.
    pub witness: Cid,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ConsensusFault::DoubleFork => "a second block of its height",
            ConsensusFault::ParentGrinding => "parent grinding",
            ConsensusFault::TimeOffset => "a second block on the same parents",
        };
        write!(f, "{kind}, with {} at height {}", self.witness, self.height)
    }
}

/// Why a store did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database cannot be opened. Mend the path or its permissions.
    #[error("cannot open database {path}: {source}")]
    Open {
        /// The path that was given.
        path: String,
        /// What went wrong.
        source: BoxError,
    },
    /// The database failed: busy, full, or gone. Nothing was changed; retry.
    #[error("database: {0}")]
    Database(#[source] BoxError),
    /// A stored value is none.
    #[error("stored {field} is corrupt: {reason}")]
    Corrupt {
        /// The column.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The block would be a consensus fault.
    #[error("refused: {0}")]
    Fault(Fault),
    /// The reservation is in a state from which this step does not exist.
    #[error("block of {miner} at height {height} is {found}, cannot become {wanted}")]
    State {
        /// The miner.
        miner: Address,
        /// The height.
        height: ChainEpoch,
        /// The state it is in; none if there is no such reservation.
        found: &'static str,
        /// The state it should get.
        wanted: ReservationState,
    },
    /// A later round was begun already.
    #[error("round {epoch} lies before round {last}, which was begun already")]
    StaleRound {
        /// The round asked for.
        epoch: ChainEpoch,
        /// The last round.
        last: ChainEpoch,
    },
    /// An argument is wrong.
    #[error("{0}")]
    Invalid(&'static str),
}

impl Classify for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Open { .. } | Self::Invalid(_) => ErrorKind::Invalid,
            Self::Database(_) => ErrorKind::Transient,
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::Fault(_) | Self::State { .. } | Self::StaleRound { .. } => ErrorKind::Conflict,
        }
    }
}

/// A block that wants to be reserved, and the tipset under it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The block; a signature in its header is ignored.
    pub block: BlockMsg,
    /// The key that will sign it.
    pub worker: Address,
    /// Height of the parents.
    pub base_height: ChainEpoch,
    /// The parents of the parents. Blocks that the miner made beside its parents are told by them.
    pub base_parents: TipsetKey,
}

impl Claim {
    /// The claim of a block on `base`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if the block has other parents, or is not above them.
    pub fn new(mut block: BlockMsg, worker: Address, base: &Tipset) -> Result<Self, StoreError> {
        if block.header.parents != base.cids() || block.header.height <= base.height() {
            return Err(StoreError::Invalid("block does not stand on its base"));
        }
        block.header.block_sig = None;
        Ok(Self { block, worker, base_height: base.height(), base_parents: base.parents() })
    }
}

/// A reserved block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The block without its signature.
    pub unsigned: BlockMsg,
    /// The key that signs it.
    pub worker: Address,
    /// The block with its signature, once it is stored.
    pub signed: Option<BlockMsg>,
    /// How far it has come.
    pub state: ReservationState,
    /// Why it was refused or abandoned.
    pub reason: Option<String>,
}

impl Reservation {
    /// The miner.
    pub fn miner(&self) -> Address {
        self.unsigned.header.miner
    }

    /// The height of the block.
    pub fn height(&self) -> ChainEpoch {
        self.unsigned.header.height
    }

    /// The CID of the block, or of its unsigned header as long as no signature is stored.
    pub fn cid(&self) -> Cid {
        self.signed.as_ref().map_or_else(|| unsigned_cid(&self.unsigned), BlockMsg::cid)
    }
}

/// A round that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// The epoch of its blocks.
    pub epoch: ChainEpoch,
    /// The tipset that its blocks build on.
    pub base: TipsetKey,
    /// Whether it came to its end. If not, mining it again completes it.
    pub done: bool,
}

/// Counts over all finished rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MinerStats {
    /// Rounds that came to their end.
    pub rounds: u64,
    /// Elections that were won in them: a round counts once for each miner that won it.
    pub rounds_won: u64,
    /// Blocks that a node took.
    pub blocks_mined: u64,
    /// Blocks that a node refused for good.
    pub blocks_refused: u64,
}

/// Where a submission led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submission {
    /// A node took the block.
    Accepted,
    /// A node refused it for good, and why.
    Refused(String),
}

/// Keeps rounds and reservations. Several pools may share one store: what is reserved by one binds all.
///
/// # Contract
/// * What a method has done is durable when it returns. A method that fails, or whose future is dropped, has
///   done all of it or nothing.
/// * A reservation is never removed.
#[async_trait]
pub trait ReservationStore: fmt::Debug + Send + Sync {
    /// Notes that a round is begun, or begun again, perhaps on another base.
    ///
    /// # Errors
    /// [`StoreError::StaleRound`] below the last round.
    async fn begin_round(&self, epoch: ChainEpoch, base: &TipsetKey) -> Result<(), StoreError>;

    /// Notes that a round came to its end, how many miners won, and how many blocks were taken.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if it was not begun.
    async fn finish_round(&self, epoch: ChainEpoch, won: u64, mined: u64) -> Result<(), StoreError>;

    /// The last round that was begun.
    async fn last_round(&self) -> Result<Option<Round>, StoreError>;

    /// Reserves a block, atomically with the check that it is no fault with any earlier one:
    /// one height, one set of parents, and no own block left out where it should be a parent. Unsigned blocks that
    /// this one leaves out are abandoned. The same block again gives its reservation, whatever its state.
    ///
    /// # Errors
    /// [`StoreError::Fault`]; nothing is reserved then.
    async fn reserve(&self, claim: &Claim) -> Result<Reservation, StoreError>;

    /// The block of a miner at a height.
    async fn at_height(&self, miner: &Address, height: ChainEpoch)
    -> Result<Option<Reservation>, StoreError>;

    /// The block of a miner on these parents, in any order.
    async fn on_parents(&self, miner: &Address, parents: &[Cid]) -> Result<Option<Reservation>, StoreError>;

    /// Stores the signed block. The same block again is success.
    ///
    /// # Errors
    /// [`StoreError::State`] if it may not be signed any more, [`StoreError::Invalid`] if another block is reserved.
    async fn record_signature(&self, signed: &BlockMsg) -> Result<Reservation, StoreError>;

    /// Stores how a submission ended. The same end again is success. What one node took stays submitted, whatever
    /// others say before or after.
    ///
    /// # Errors
    /// [`StoreError::State`] if the block is not signed.
    async fn record_submission(
        &self,
        miner: &Address,
        height: ChainEpoch,
        submission: &Submission,
    ) -> Result<(), StoreError>;

    /// Counts.
    async fn stats(&self) -> Result<MinerStats, StoreError>;

    /// Writes out what is held back and lets go of files. Nothing may be called after it.
    async fn close(&self) {}
}

/// The CID of a block's header without signature: what a reservation is compared by.
pub(crate) fn unsigned_cid(block: &BlockMsg) -> Cid {
    blake2b_cid(&block.header.signing_bytes())
}

/// One value for a set of blocks, whatever their order.
pub(crate) fn parents_hash(parents: &[Cid]) -> [u8; 32] {
    let mut sorted = parents.to_vec();
    sorted.sort_by_key(Cid::to_bytes);
    sorted.dedup();
    blake2b_256(&TipsetKey::from(sorted).to_cbor())
}
