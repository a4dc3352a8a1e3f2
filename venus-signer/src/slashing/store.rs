//! What stores of slots have in common.

use std::fmt;

use async_trait::async_trait;
use venus_core::error::BoxError;

use super::{Entry, Slot};

/// Heights kept for a miner, and votes kept for a key. At one block a round these are 3.5 days, more than ten times
/// the 900 epochs after which the chain takes no report of a fault.
pub const KEEP: u32 = 10_080;

/// Slots beyond the bound before the oldest go, so that not every reservation has to look.
pub(super) const SLACK: u32 = 64;

/// What became of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reserved {
    /// It is taken now, durably.
    New,
    /// The same content has it already.
    Again,
    /// Other content has it.
    Other {
        /// The height of the block that has the slot; 0 for votes.
        height: i64,
    },
    /// It is not above the floor of its history.
    Below {
        /// The height or instance.
        floor: i64,
    },
}

/// What an import changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Slots and floors that were not known.
    pub added: u64,
    /// Slots that were known with the same content, and floors that were not higher.
    pub known: u64,
    /// Slots that are taken by other content here: two wallets signed for one key. What was here stays.
    pub conflicting: u64,
}

/// The history of a miner, or of an F3 key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// `f0…`, or the key's address and the network.
    pub name: String,
    /// At or below it nothing new is signed.
    pub floor: Option<i64>,
    /// The highest height or instance.
    pub highest: Option<i64>,
    /// Slots kept.
    pub kept: u64,
}

/// Keeps slots.
///
/// # Contract
/// * `take` decides and writes in one step: of several callers with different contents, in whatever process, at most
///   one gets [`Reserved::New`], and it is durable then.
/// * `merge` only ever adds: a slot never gets other content, a floor never sinks. Whatever height or instance it
///   brings raises the floor, for the other wallet may have signed there more than it tells.
/// * Histories are bounded; what is dropped raises the floor.
#[async_trait]
pub trait SlashingStore: fmt::Debug + Send + Sync {
    /// The network whose miners these are.
    fn network(&self) -> &str;

    /// Takes a slot.
    ///
    /// # Errors
    /// The store's own; nothing is taken then, or the same content can take it again.
    async fn take(&self, slot: &Slot) -> Result<Reserved, BoxError>;

    /// Takes over what another wallet knows, all or nothing.
    ///
    /// # Errors
    /// The store's own.
    async fn merge(&self, entries: &[Entry]) -> Result<Merged, BoxError>;

    /// At most `limit` entries behind `after`, in the order of [`Entry`].
    ///
    /// # Errors
    /// The store's own.
    async fn page(&self, after: Option<&Entry>, limit: u32) -> Result<Vec<Entry>, BoxError>;

    /// All histories, in short.
    ///
    /// # Errors
    /// The store's own.
    async fn summary(&self) -> Result<Vec<Summary>, BoxError>;
}
