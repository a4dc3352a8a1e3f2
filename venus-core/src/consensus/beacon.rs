//! Which rounds of the randomness beacon a block must carry.

use fvm_shared::clock::ChainEpoch;

use crate::crypto::hash::blake2b_256;
use crate::types::BeaconEntry;

/// When a drand network emits its rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrandSchedule {
    /// Unix time of round 1, seconds.
    pub genesis: u64,
    /// Seconds between rounds.
    pub period: u64,
}

/// drand's quicknet, the beacon of mainnet since the Phoenix upgrade.
pub const QUICKNET: DrandSchedule = DrandSchedule { genesis: 1_692_803_367, period: 3 };

/// When a chain has its epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainSchedule {
    /// Unix time of epoch 0, seconds.
    pub genesis: u64,
    /// Seconds between epochs.
    pub block_delay: u64,
}

impl ChainSchedule {
    /// Unix time of an epoch, seconds. Epochs before genesis count as genesis.
    pub fn time_of(&self, epoch: ChainEpoch) -> u64 {
        let epochs = u64::try_from(epoch).unwrap_or_default();
        self.genesis.saturating_add(epochs.saturating_mul(self.block_delay))
    }
}

impl DrandSchedule {
    /// The round that blocks of `epoch` use (network version 16 and later): the last one that is out when the
    /// epoch before begins. Round 1 if the beacon is younger than that.
    pub fn round_for_epoch(&self, chain: &ChainSchedule, epoch: ChainEpoch) -> u64 {
        let latest = chain.time_of(epoch).saturating_sub(chain.block_delay);
        match latest.checked_sub(self.genesis) {
            Some(elapsed) => elapsed / self.period.max(1) + 1,
            None => 1,
        }
    }

    /// The rounds that a block at `epoch` carries on an unchained beacon, one for every epoch since its parents,
    /// null rounds included. The last is the one that the block draws from.
    pub fn rounds_for_block(
        self,
        chain: ChainSchedule,
        parent_epoch: ChainEpoch,
        epoch: ChainEpoch,
    ) -> impl Iterator<Item = u64> {
        epochs_since(parent_epoch, epoch).map(move |epoch| self.round_for_epoch(&chain, epoch))
    }
}

/// How far the rounds of the test beacon are ahead of its epochs.
const MOCK_OFFSET: u64 = 100;

/// The entry of `epoch` from the beacon of test networks, which anybody can compute: the round is the epoch plus
/// 100, the data its hash.
pub fn mock_entry(epoch: ChainEpoch) -> BeaconEntry {
    let round = u64::try_from(epoch).unwrap_or_default().saturating_add(MOCK_OFFSET);
    BeaconEntry { round, data: blake2b_256(&round.to_be_bytes()).to_vec() }
}

/// The entry in the genesis block of a test network.
pub fn mock_genesis_entry() -> BeaconEntry {
    BeaconEntry { round: 0, data: vec![0; 32] }
}

/// The entries that a block at `epoch` carries on a test network: one for every epoch since its parents, null
/// rounds included, oldest first. There are `epoch - parent_epoch`, so bound a claimed epoch before collecting.
pub fn mock_entries_for_block(
    parent_epoch: ChainEpoch,
    epoch: ChainEpoch,
) -> impl Iterator<Item = BeaconEntry> {
    epochs_since(parent_epoch, epoch).map(mock_entry)
}

fn epochs_since(parent_epoch: ChainEpoch, epoch: ChainEpoch) -> impl Iterator<Item = ChainEpoch> {
    (parent_epoch.saturating_add(1)..=epoch).filter(move |e| *e > parent_epoch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64;

    const MAINNET: ChainSchedule = ChainSchedule { genesis: 1_598_306_400, block_delay: 30 };

    #[test]
    fn golden_quicknet_rounds() {
        assert_eq!(QUICKNET.round_for_epoch(&MAINNET, 4_000_000), 8_501_002);
        assert_eq!(QUICKNET.round_for_epoch(&MAINNET, 6_052_800), 29_029_002);
        assert_eq!(QUICKNET.round_for_epoch(&MAINNET, 0), 1, "the beacon is younger than the chain");
    }

    #[test]
    fn null_rounds_carry_their_entries() {
        let rounds: Vec<_> = QUICKNET.rounds_for_block(MAINNET, 3_999_997, 4_000_000).collect();
        assert_eq!(rounds, [8_500_982, 8_500_992, 8_501_002]);
        let rounds: Vec<_> = mock_entries_for_block(5, 8).map(|e| e.round).collect();
        assert_eq!(rounds, [106, 107, 108]);
        assert_eq!(mock_entries_for_block(8, 8).count(), 0);
        assert_eq!(mock_entries_for_block(9, 8).count(), 0);
        assert_eq!(mock_entries_for_block(i64::MAX, i64::MAX).count(), 0);
    }

    #[test]
    fn golden_mock_entry() {
        let entry = mock_entry(6);
        assert_eq!(entry.round, 106);
        assert_eq!(BASE64.encode(&entry.data), "J3KjK75D/0t0D50nI90DiPxdJAgF5qmV4Sh4Nal1YZg=");
        assert_eq!(mock_genesis_entry(), BeaconEntry { round: 0, data: vec![0; 32] });
    }
}
