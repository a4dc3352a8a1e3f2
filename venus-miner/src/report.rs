//! What a round came to, miner by miner.

use std::fmt;

use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{Address, ChainEpoch, Cid, TipsetKey};

use crate::store::Fault;

/// The step of a round at which a miner failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Asking for power, worker and beacon.
    BaseInfo,
    /// Drawing the election.
    Election,
    /// Drawing the ticket.
    Ticket,
    /// Computing the WinningPoSt.
    Proof,
    /// Having the block assembled.
    Create,
    /// Reserving it.
    Reserve,
    /// Having it signed.
    Sign,
    /// Publishing it.
    Submit,
    /// Reading or writing the store.
    Store,
    /// The task died.
    Task,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BaseInfo => "base info",
            Self::Election => "election",
            Self::Ticket => "ticket",
            Self::Proof => "proof",
            Self::Create => "create",
            Self::Reserve => "reserve",
            Self::Sign => "sign",
            Self::Submit => "submit",
            Self::Store => "store",
            Self::Task => "task",
        })
    }
}

impl Stage {
    pub(crate) fn failed(self, error: &(impl Classify + fmt::Display)) -> Failure {
        Failure { stage: self, kind: error.kind(), reason: error.to_string() }
    }

    pub(crate) fn failed_with(self, kind: ErrorKind, reason: impl Into<String>) -> Failure {
        Failure { stage: self, kind, reason: reason.into() }
    }
}

/// Why a miner made no block although it might have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where.
    pub stage: Stage,
    /// What can be done about it.
    pub kind: ErrorKind,
    /// What went wrong, in words.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stage, self.reason)
    }
}

/// What a round came to for one miner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The election gave no win.
    Lost,
    /// The miner may not take part: no power, no sectors, or not eligible.
    NotEligible(&'static str),
    /// A block would be a consensus fault with an earlier one of the miner.
    Skipped(Fault),
    /// A node took the block.
    Mined {
        /// The block.
        block: Cid,
        /// Its height. Below the round's epoch for a block that an earlier round left unfinished.
        height: ChainEpoch,
        /// How often the miner won.
        win_count: i64,
        /// Messages in the block.
        messages: usize,
    },
    /// The election could not be held, or was won in vain.
    Failed {
        /// Whether the election was won.
        won: bool,
        /// What went wrong.
        failure: Failure,
    },
}

/// A miner and what the round came to for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinerReport {
    /// The miner's ID address.
    pub miner: Address,
    /// What it came to.
    pub outcome: Outcome,
}

/// What a round came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundReport {
    /// The epoch.
    pub epoch: ChainEpoch,
    /// The tipset that was built on.
    pub base: TipsetKey,
    /// One entry for each configured miner, in the order of their IDs.
    pub miners: Vec<MinerReport>,
    /// Why blocks are empty: selecting messages failed. The blocks are worth making all the same.
    pub selection_error: Option<String>,
}

impl RoundReport {
    /// How many miners won the election.
    pub fn won(&self) -> u64 {
        let won =
            |r: &&MinerReport| matches!(r.outcome, Outcome::Mined { .. } | Outcome::Failed { won: true, .. });
        self.miners.iter().filter(won).count() as u64
    }

    /// The blocks that a node took, in the order of miner IDs.
    pub fn blocks(&self) -> impl Iterator<Item = Cid> {
        self.miners.iter().filter_map(|report| match report.outcome {
            Outcome::Mined { block, .. } => Some(block),
            _ => None,
        })
    }

    /// How many blocks a node took.
    pub fn mined(&self) -> u64 {
        self.blocks().count() as u64
    }

    /// What failed, for whom.
    pub fn failures(&self) -> impl Iterator<Item = (Address, &Failure)> {
        self.miners.iter().filter_map(|report| match &report.outcome {
            Outcome::Failed { failure, .. } => Some((report.miner, failure)),
            _ => None,
        })
    }
}
