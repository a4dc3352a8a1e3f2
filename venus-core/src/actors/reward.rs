//! The block reward.

use fvm_shared::MethodNum;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;

use crate::cbor::cbor_tuple;

/// Pays a block's miner. Only the system calls it, once for every block.
pub const AWARD_BLOCK_REWARD: MethodNum = 2;

/// Parameters of [`AWARD_BLOCK_REWARD`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwardBlockRewardParams {
    /// ID address of the miner.
    pub miner: Address,
    /// What the miner pays for bad messages, attoFIL.
    pub penalty: TokenAmount,
    /// What the messages' senders pay it, attoFIL.
    pub gas_reward: TokenAmount,
    /// Wins of the block.
    pub win_count: i64,
}

cbor_tuple!(AwardBlockRewardParams {
    miner: "Miner",
    penalty: "Penalty",
    gas_reward: "GasReward",
    win_count: "WinCount",
});
