//! The lengths and limits of a network.

use fvm_shared::clock::ChainEpoch;
use venus_core::cbor::{Encode, Writer};
use venus_core::consensus::deadline::DeadlinePolicy;

use crate::config::{DEADLINES, DevnetConfig};

/// Epochs of a day by which lives of sectors and prices are counted, on every network.
pub(crate) const EPOCHS_IN_DAY: ChainEpoch = 2_880;

/// What holds from the genesis to the end and is no actor's state. The system actor commits to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) seed: u64,
    pub(crate) block_delay_secs: u64,
    /// How far back elections look.
    pub(crate) lookback: ChainEpoch,
    /// Least power of a miner that may mine, bytes.
    pub(crate) min_power: u64,
    pub(crate) network_version: u32,
    pub(crate) chain_id: u64,
    /// How proving periods are cut.
    pub(crate) deadlines: DeadlinePolicy,
    /// After how many epochs nothing is undone any more.
    pub(crate) finality: ChainEpoch,
    /// From a pre-commit to the randomness of its proof.
    pub(crate) precommit_challenge_delay: ChainEpoch,
    /// How long block rewards vest.
    pub(crate) vesting_period: ChainEpoch,
}

impl Rules {
    /// The rules of a configuration, under a network version and a chain ID.
    pub(crate) fn of(config: &DevnetConfig, network_version: u32, chain_id: u64) -> Self {
        let window = config.challenge_window;
        Self {
            seed: config.seed,
            block_delay_secs: config.block_delay_secs,
            lookback: config.lookback,
            min_power: config.min_power,
            network_version,
            chain_id,
            deadlines: DeadlinePolicy {
                period_deadlines: DEADLINES,
                proving_period: window * DEADLINES as ChainEpoch,
                challenge_window: window,
                challenge_lookback: config.challenge_lookback,
                fault_declaration_cutoff: config.fault_cutoff,
                dispute_window: 2 * config.finality,
            },
            finality: config.finality,
            precommit_challenge_delay: config.precommit_challenge_delay,
            vesting_period: config.vesting_period,
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::of(&DevnetConfig::default(), crate::genesis::NETWORK_VERSION, crate::genesis::CHAIN_ID)
    }
}

impl Encode for Rules {
    fn encode(&self, w: &mut Writer) {
        w.array(12);
        w.uint(self.seed);
        w.uint(self.block_delay_secs);
        w.int(self.lookback);
        w.uint(self.min_power);
        w.uint(u64::from(self.network_version));
        w.uint(self.chain_id);
        w.int(self.deadlines.challenge_window);
        w.int(self.deadlines.challenge_lookback);
        w.int(self.deadlines.fault_declaration_cutoff);
        w.int(self.finality);
        w.int(self.precommit_challenge_delay);
        w.int(self.vesting_period);
    }
}
