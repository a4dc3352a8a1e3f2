//! What the control of a devnet is asked for, and what it answers. The same types go over the wire: members in
//! snake case, all of a request optional, addresses and CIDs as nodes write them.

use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use serde::{Deserialize, Serialize};

use super::text;

/// Tipsets to mine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MineSpec {
    /// Who mines: ID addresses. All miners that the devnet has keys of, if absent.
    #[serde(with = "text::maybe_list", skip_serializing_if = "Option::is_none")]
    pub miners: Option<Vec<Address>>,
    /// Epochs that stay empty before each tipset, besides those that nobody wins.
    pub nulls: u64,
    /// How many tipsets, one if absent; at most [`MineSpec::MAX`].
    pub count: u64,
}

impl MineSpec {
    /// Most tipsets or epochs of one request.
    pub const MAX: u64 = 10_000;
}

impl Default for MineSpec {
    fn default() -> Self {
        Self { miners: None, nulls: 0, count: 1 }
    }
}

/// What was mined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MineReport {
    /// Tipsets that came on the chain.
    pub tipsets: u64,
    /// Blocks of them.
    pub blocks: u64,
    /// Epochs without a block.
    pub nulls: u64,
    /// The head now.
    pub head: HeadInfo,
}

/// A head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadInfo {
    /// Its epoch.
    pub height: ChainEpoch,
    /// Its blocks.
    #[serde(with = "text::list")]
    pub cids: Vec<Cid>,
    /// Unix seconds.
    pub timestamp: u64,
}

/// A reorganisation of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReorgSpec {
    /// How many tipsets the head loses, one if absent.
    pub depth: u64,
    /// How many tipsets the new branch has at least, one if absent. It has as many as it takes to be heavier.
    pub tipsets: u64,
    /// Whether the messages of lost tipsets are gone. Else they wait in the pool again.
    pub drop_messages: bool,
}

impl Default for ReorgSpec {
    fn default() -> Self {
        Self { depth: 1, tipsets: 1, drop_messages: false }
    }
}

/// The reorganisation that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReorgReport {
    /// The tipset that both branches have in common.
    pub ancestor: HeadInfo,
    /// The head that was left.
    pub old_head: HeadInfo,
    /// The head now.
    pub head: HeadInfo,
    /// Messages that were thrown away.
    pub dropped: u64,
}

/// Mines until a message is on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UntilSpec {
    /// CID of the message.
    #[serde(with = "text::one")]
    pub message: Cid,
    /// Tipsets on top of the one that executed it.
    #[serde(default)]
    pub confidence: u64,
    /// Epochs after which to give up, 20 if absent; at most [`MineSpec::MAX`].
    #[serde(default = "twenty")]
    pub epochs: u64,
}

fn twenty() -> u64 {
    20
}

/// When epochs are mined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "mode")]
pub enum AutoMine {
    /// Only when asked for.
    #[default]
    Off,
    /// Each at its time by the clock. What lies behind is mined without pause, as fast as it goes.
    Clock,
    /// One epoch after so many milliseconds of real time; the clock moves along. Never twice at once.
    Every {
        /// At least 1.
        ms: u64,
    },
}

/// Who makes blocks inside the devnet, whenever it mines by itself or is told to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Producers {
    /// All miners of the genesis.
    #[default]
    All,
    /// These miners; all others are left to producers outside.
    Listed(Vec<Address>),
    /// None: all blocks come from outside.
    Outside,
}

/// How a devnet is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ControlStatus {
    /// Name of the network.
    pub network: String,
    /// The genesis block.
    #[serde(with = "text::one")]
    pub genesis: Cid,
    /// The head.
    pub head: HeadInfo,
    /// The epoch that the clock says it is.
    pub epoch: ChainEpoch,
    /// The clock: Unix seconds.
    pub now: u64,
    /// Seconds of an epoch.
    pub block_delay: u64,
    /// Whether the clock stands still until it is moved.
    pub manual_clock: bool,
    /// When epochs are mined.
    pub auto_mine: AutoMine,
    /// Whether the head stands still.
    pub frozen: bool,
    /// ID addresses of the miners that the devnet mines for.
    #[serde(with = "text::list")]
    pub miners: Vec<Address>,
    /// ID addresses of the miners of the genesis that are left to others.
    #[serde(with = "text::list")]
    pub outside_miners: Vec<Address>,
    /// Blocks that were accepted.
    pub blocks: u64,
    /// Reorganisations.
    pub reorgs: u64,
    /// Messages that wait.
    pub pending: u64,
    /// Whether all balances sum up to two billion FIL. If not, the devnet has a defect.
    pub supply_conserved: bool,
}
