//! What a devnet is made of.

use std::collections::HashSet;

use fvm_shared::address::{Address, Payload};
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use venus_core::types::address;

use crate::error::DevnetError;

/// All FIL there can be.
pub const TOTAL_FIL: i64 = 2_000_000_000;
/// FIL that the reward actor holds at genesis, to be paid out to miners.
pub const REWARD_FIL: i64 = 1_100_000_000;
/// Deadlines of a proving period, on every network.
pub(crate) const DEADLINES: u64 = 48;
/// Most sectors that a miner has at genesis: each is an entry of its state. More power can be granted.
pub const MAX_GENESIS_SECTORS: u64 = 1 << 16;
/// Most epochs without a block in a row: a header's list of beacon entries cannot be longer.
pub const MAX_NULL_ROUNDS: ChainEpoch = 8192;

/// Longest of the lengths of a network, epochs; about twenty years of mainnet.
const MAX_LENGTH: ChainEpoch = 20_000_000;

/// An account that has FIL from the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisAccount {
    /// Key address (`f1` or `f3`).
    pub address: Address,
    /// Balance in attoFIL.
    pub balance: TokenAmount,
}

/// A miner that has power from the beginning. The first one is `f01000`, the next `f01001` and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisMiner {
    /// Key of the worker that makes VRF proofs and signs blocks; a BLS address (`f3`).
    pub worker: Address,
    /// Key of the owner (`f1` or `f3`).
    pub owner: Address,
    /// Number of sectors sealed beforehand, at least one and at most [`MAX_GENESIS_SECTORS`].
    pub sectors: u64,
    /// Sector size in bytes: 2 KiB, 8 MiB, 512 MiB, 32 GiB or 64 GiB.
    pub sector_size: u64,
}

impl Default for GenesisMiner {
    /// Eight sectors of 2 KiB; worker and owner have to be set.
    fn default() -> Self {
        let unset = Address::new_id(0);
        Self { worker: unset, owner: unset, sectors: 8, sector_size: 2 << 10 }
    }
}

/// What a devnet begins with. The same configuration always gives the same genesis block, and any change of it,
/// the order of accounts included, another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevnetConfig {
    /// What the genesis ticket and the sectors are derived from.
    pub seed: u64,
    /// Timestamp of the genesis block, Unix seconds.
    pub genesis_timestamp: u64,
    /// Seconds from one epoch to the next, at least 1.
    pub block_delay_secs: u64,
    /// How many epochs before its own an election takes power, sectors and worker key from.
    pub lookback: ChainEpoch,
    /// Accounts with FIL: `f0100`, `f0101` and so on in this order. Owners and workers of miners that are not
    /// among them follow, without FIL.
    pub accounts: Vec<GenesisAccount>,
    /// Miners with power; at least one.
    pub miners: Vec<GenesisMiner>,
    /// Base fee of the first tipset, attoFIL.
    pub base_fee: TokenAmount,
    /// What all miners together are paid for an epoch with five wins, attoFIL. Constant.
    pub epoch_reward: TokenAmount,
    /// Least power of a miner that may mine, bytes.
    pub min_power: u64,
    /// Epochs of a deadline; a proving period is 48 of them.
    pub challenge_window: ChainEpoch,
    /// Epochs from the challenge of a deadline to its opening.
    pub challenge_lookback: ChainEpoch,
    /// Epochs from the last chance to declare faults to the opening of their deadline.
    pub fault_cutoff: ChainEpoch,
    /// After how many epochs nothing is undone any more. A worker that is changed takes over after as many, and a
    /// miner that made a consensus fault may not mine for as many.
    pub finality: ChainEpoch,
    /// Epochs from a pre-commit to the randomness of its proof.
    pub precommit_challenge_delay: ChainEpoch,
    /// Epochs over which three quarters of a block reward vest, in 180 steps.
    pub vesting_period: ChainEpoch,
    /// How many tipsets keep their state in memory. Older states are computed again when they are asked for.
    /// Not part of the genesis.
    pub states_in_memory: usize,
}

impl Default for DevnetConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            genesis_timestamp: 1_700_000_000,
            block_delay_secs: 4,
            lookback: 10,
            accounts: Vec::new(),
            miners: Vec::new(),
            base_fee: TokenAmount::from_atto(100_000_000),
            epoch_reward: TokenAmount::from_whole(36),
            min_power: 2 << 10,
            challenge_window: 20,
            challenge_lookback: 5,
            fault_cutoff: 15,
            finality: 20,
            precommit_challenge_delay: 10,
            vesting_period: 180 * 2_880,
            states_in_memory: 128,
        }
    }
}

impl DevnetConfig {
    /// Refuses what no chain could begin with.
    ///
    /// # Errors
    /// [`DevnetError::Config`] naming the field.
    pub fn check(&self) -> Result<(), DevnetError> {
        let zero = TokenAmount::from_atto(0);
        if self.block_delay_secs == 0 {
            return invalid("block_delay_secs", "must be at least 1");
        }
        if !(1..=MAX_NULL_ROUNDS).contains(&self.lookback) {
            return invalid("lookback", "must be between 1 and 8192 epochs");
        }
        if self.base_fee < TokenAmount::from_atto(100) {
            return invalid("base_fee", "must be at least 100 attoFIL");
        }
        if self.epoch_reward < zero {
            return invalid("epoch_reward", "must not be negative");
        }
        self.check_lengths()?;
        self.check_accounts()?;
        self.check_miners()
    }

    fn check_lengths(&self) -> Result<(), DevnetError> {
        let lengths = [
            ("challenge_window", self.challenge_window, 1),
            ("challenge_lookback", self.challenge_lookback, 0),
            ("fault_cutoff", self.fault_cutoff, 0),
            ("finality", self.finality, 1),
            ("precommit_challenge_delay", self.precommit_challenge_delay, 0),
            ("vesting_period", self.vesting_period, 0),
        ];
        for (field, epochs, least) in lengths {
            if !(least..=MAX_LENGTH).contains(&epochs) {
                return invalid(field, format!("must be between {least} and {MAX_LENGTH} epochs"));
            }
        }
        Ok(())
    }

    fn check_accounts(&self) -> Result<(), DevnetError> {
        let mut sum = TokenAmount::from_atto(0);
        let mut seen = HashSet::new();
        for account in &self.accounts {
            if !is_key(&account.address) {
                return invalid("accounts", format!("{} is neither f1 nor f3", text(&account.address)));
            }
            if !seen.insert(account.address) {
                return invalid("accounts", format!("{} stands twice", text(&account.address)));
            }
            if account.balance.is_negative() {
                return invalid("accounts", format!("{} has a negative balance", text(&account.address)));
            }
            sum += &account.balance;
        }
        if sum > TokenAmount::from_whole(TOTAL_FIL - REWARD_FIL) {
            return invalid(
                "accounts",
                "own more than the 900 million FIL that there are outside of rewards",
            );
        }
        Ok(())
    }

    fn check_miners(&self) -> Result<(), DevnetError> {
        if self.miners.is_empty() {
            return invalid("miners", "a chain needs at least one");
        }
        for miner in &self.miners {
            if !matches!(miner.worker.payload(), Payload::BLS(_)) {
                return invalid("miners", format!("worker {} is no f3 address", text(&miner.worker)));
            }
            if !is_key(&miner.owner) {
                return invalid("miners", format!("owner {} is neither f1 nor f3", text(&miner.owner)));
            }
            if !(1..=MAX_GENESIS_SECTORS).contains(&miner.sectors) {
                return invalid("miners", format!("sectors must be between 1 and {MAX_GENESIS_SECTORS}"));
            }
            if proof_number(miner.sector_size).is_none() {
                return invalid("miners", format!("{} bytes is no sector size", miner.sector_size));
            }
        }
        Ok(())
    }
}

/// The place of a sector size among the five that exist, from which all proof numbers follow: WinningPoSt is the
/// number itself, seal proofs V1.1 are 5 higher.
pub(crate) fn proof_number(sector_size: u64) -> Option<i64> {
    match sector_size {
        0x800 => Some(0),
        0x80_0000 => Some(1),
        0x2000_0000 => Some(2),
        0x8_0000_0000 => Some(3),
        0x10_0000_0000 => Some(4),
        _ => None,
    }
}

/// Bytes of a sector, by its place among the five sizes.
pub(crate) fn sector_size(number: i64) -> Option<u64> {
    [0x800, 0x80_0000, 0x2000_0000, 0x8_0000_0000, 0x10_0000_0000]
        .into_iter()
        .find(|size| proof_number(*size) == Some(number))
}

fn is_key(address: &Address) -> bool {
    matches!(address.payload(), Payload::BLS(_) | Payload::Secp256k1(_)) && !address.is_bls_zero_address()
}

fn text(a: &Address) -> String {
    address::format(a, fvm_shared::address::Network::Testnet)
}

fn invalid(field: &'static str, reason: impl Into<String>) -> Result<(), DevnetError> {
    Err(DevnetError::Config { field, reason: reason.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field_of(config: DevnetConfig) -> &'static str {
        match config.check() {
            Err(DevnetError::Config { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let worker = Address::new_bls(&[7; 48]).unwrap();
        let miner = GenesisMiner { worker, owner: worker, ..GenesisMiner::default() };
        let good = DevnetConfig { miners: vec![miner.clone()], ..DevnetConfig::default() };
        good.check().unwrap();
        let account = |address, fil| GenesisAccount { address, balance: TokenAmount::from_whole(fil) };
        let key = Address::new_secp256k1(&[4; 65]).unwrap();
        assert_eq!(field_of(DevnetConfig { block_delay_secs: 0, ..good.clone() }), "block_delay_secs");
        assert_eq!(field_of(DevnetConfig { lookback: 0, ..good.clone() }), "lookback");
        assert_eq!(field_of(DevnetConfig { miners: vec![], ..good.clone() }), "miners");
        assert_eq!(
            field_of(DevnetConfig { base_fee: TokenAmount::from_atto(99), ..good.clone() }),
            "base_fee"
        );
        let bad_miners = [
            GenesisMiner::default(),
            GenesisMiner { sectors: 0, ..miner.clone() },
            GenesisMiner { sector_size: 2000, ..miner.clone() },
            GenesisMiner { owner: Address::new_id(7), ..miner },
        ];
        for bad in bad_miners {
            assert_eq!(field_of(DevnetConfig { miners: vec![bad], ..good.clone() }), "miners");
        }
        for bad in [
            vec![account(Address::new_id(5), 1)],
            vec![account(key, 1), account(key, 1)],
            vec![account(key, -1)],
            vec![account(key, 900_000_001)],
        ] {
            assert_eq!(field_of(DevnetConfig { accounts: bad, ..good.clone() }), "accounts");
        }
    }
}
