//! What a directory's chain begins with: decided at the first start, kept, and never changed.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use venus_bins_common::dirlock::LOCK_FILE;
use venus_core::entropy::{Entropy, OsEntropy};
use venus_core::types::TokenAmount;
use venus_devnet::{REWARD_FIL, TOTAL_FIL};

use super::args::{ChainArgs, ClockArg, now};
use crate::error::CliError;
use crate::files;

/// Raised whenever the same plan would give another genesis.
const FORMAT: u32 = 1;
/// Genesis of chains with a manual clock, Unix seconds: fixed, so that the same seed gives the same chain.
const FIXED_GENESIS: u64 = 1_700_000_000;
/// The end of the year 9999, Unix seconds. Far from where times do not count any further.
const LATEST_GENESIS: u64 = 253_402_300_799;
/// How many epochs ago a chain in a rush begins.
const HEAD_START: u64 = 1_000;
/// What file systems put into the root of every disk.
const LOST_AND_FOUND: &str = "lost+found";

/// What a chain begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    format: u32,
    pub(crate) seed: u64,
    /// Unix seconds.
    pub(crate) genesis_time: u64,
    /// Seconds.
    pub(crate) epoch: u64,
    pub(crate) miners: u64,
    pub(crate) accounts: u64,
    /// Of each account, decimal attoFIL.
    balance: String,
}

impl Plan {
    /// The plan of a directory that is held by this process; made from the options and kept if there is none.
    ///
    /// # Errors
    /// [`CliError::OtherChain`] if an option differs from what is kept, [`CliError::Foreign`] if something else stands
    /// there, [`CliError::Damaged`], [`CliError::File`].
    pub(crate) fn open(dir: &Path, args: &ChainArgs, clock: ClockArg) -> Result<Self, CliError> {
        let path = dir.join(files::PLAN);
        if let Some(kept) = files::read_json::<Self>(&path)? {
            kept.agrees(dir, args)?;
            return Ok(kept);
        }
        refuse_foreign(dir)?;
        let plan = Self::new(args, clock)?;
        plan.check(dir)?;
        files::write_json(&path, &plan)?;
        Ok(plan)
    }

    /// Refuses a directory that holds something else, before anything is put there.
    ///
    /// # Errors
    /// [`CliError::Foreign`], [`CliError::File`].
    pub(crate) fn refuse_foreign(dir: &Path) -> Result<(), CliError> {
        if !dir.is_dir() || dir.join(files::PLAN).exists() { Ok(()) } else { refuse_foreign(dir) }
    }

    fn new(args: &ChainArgs, clock: ClockArg) -> Result<Self, CliError> {
        let epoch = args.epoch.unwrap_or(4);
        let genesis = || match clock {
            ClockArg::Real => now().as_secs(),
            ClockArg::Rush => now().as_secs().saturating_sub(HEAD_START * epoch),
            ClockArg::Manual => FIXED_GENESIS,
        };
        let balance = args.balance.clone().unwrap_or_else(|| TokenAmount::from_whole(100_000));
        Ok(Self {
            format: FORMAT,
            seed: args.seed.map_or_else(random, Ok)?,
            genesis_time: args.genesis_time.unwrap_or_else(genesis),
            epoch,
            miners: args.miners.unwrap_or(3),
            accounts: args.accounts.unwrap_or(10),
            balance: balance.atto().to_string(),
        })
    }

    /// FIL of each account.
    ///
    /// # Errors
    /// [`CliError::Damaged`].
    pub(crate) fn balance(&self, dir: &Path) -> Result<TokenAmount, CliError> {
        let atto = self.balance.parse::<venus_core::types::BigInt>().map(TokenAmount::from_atto);
        let reason = "the balance is no number";
        atto.map_err(|_| CliError::Damaged { path: dir.join(files::PLAN), reason: reason.into() })
    }

    /// Refuses what no chain can begin with before it is kept: afterwards the directory would take nothing else.
    fn check(&self, dir: &Path) -> Result<(), CliError> {
        // Owner and worker of each miner are accounts, too.
        let accounts = self.accounts.saturating_add(self.miners.saturating_mul(2));
        let (most, balance) = (TokenAmount::from_whole(TOTAL_FIL - REWARD_FIL), self.balance(dir)?);
        if &balance * accounts > most {
            let (balance, most) = (venus_core::types::fil(&balance), venus_core::types::fil(&most));
            let text =
                format!("--balance: {accounts} accounts with {balance} own more than the {most} there are");
            return Err(CliError::Usage(text));
        }
        if self.genesis_time > LATEST_GENESIS {
            return Err(CliError::Usage("--genesis-time lies beyond the year 9999".into()));
        }
        Ok(())
    }

    fn agrees(&self, dir: &Path, args: &ChainArgs) -> Result<(), CliError> {
        let mut differences = Vec::new();
        if self.format != FORMAT {
            differences.push(format!("its format is {}, this program writes {FORMAT}", self.format));
        }
        let numbers = [
            ("--seed", self.seed, args.seed),
            ("--genesis-time", self.genesis_time, args.genesis_time),
            ("--epoch", self.epoch, args.epoch),
            ("--miners", self.miners, args.miners),
            ("--accounts", self.accounts, args.accounts),
        ];
        for (name, is, asked) in numbers {
            if let Some(asked) = asked.filter(|asked| *asked != is) {
                differences.push(format!("{name} is {is} there and {asked} here"));
            }
        }
        let balance = self.balance(dir)?;
        if let Some(asked) = args.balance.as_ref().filter(|asked| **asked != balance) {
            let (is, asked) = (venus_core::types::fil(&balance), venus_core::types::fil(asked));
            differences.push(format!("--balance is {is} there and {asked} here"));
        }
        if differences.is_empty() {
            return Ok(());
        }
        Err(CliError::OtherChain { dir: dir.into(), differences: differences.join(", ") })
    }
}

/// A directory without a plan is new, or was left by a start that was killed: then nothing but our files is there.
fn refuse_foreign(dir: &Path) -> Result<(), CliError> {
    let failed = |source| CliError::File { path: dir.into(), source };
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        let ours = name.strip_suffix(".tmp").unwrap_or(&name) == files::PLAN;
        if !ours && name != LOCK_FILE && name != LOST_AND_FOUND {
            return Err(CliError::Foreign { dir: dir.into(), found: name });
        }
    }
    Ok(())
}

fn random() -> Result<u64, CliError> {
    let mut bytes = [0; 8];
    OsEntropy.fill(&mut bytes).map_err(|e| CliError::System(std::io::Error::other(e)))?;
    Ok(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_kept_and_others_refused() {
        let tmp = tempfile::tempdir().unwrap();
        let open = |args: &ChainArgs| Plan::open(tmp.path(), args, ClockArg::Manual);
        let first = ChainArgs { seed: Some(9), miners: Some(2), ..ChainArgs::default() };
        let plan = open(&first).unwrap();
        assert_eq!((plan.seed, plan.miners, plan.epoch, plan.genesis_time), (9, 2, 4, FIXED_GENESIS));
        assert_eq!(open(&ChainArgs::default()).unwrap(), plan);
        assert_eq!(open(&first).unwrap(), plan);
        let other = ChainArgs { miners: Some(5), balance: Some(TokenAmount::from_whole(1)), ..first };
        let error = open(&other).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("--miners is 2 there and 5 here"), "{text}");
        assert!(text.contains("--balance is 100000 FIL there and 1 FIL here"), "{text}");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn seeds_are_random_and_rushes_begin_in_the_past() {
        let plan = |clock| {
            let tmp = tempfile::tempdir().unwrap();
            Plan::open(tmp.path(), &ChainArgs::default(), clock).unwrap()
        };
        let (real, rush) = (plan(ClockArg::Real), plan(ClockArg::Rush));
        assert_ne!(real.seed, rush.seed);
        assert!(real.genesis_time - rush.genesis_time >= HEAD_START * 4 - 60);
    }

    #[test]
    fn what_no_chain_begins_with_is_not_kept() {
        let tmp = tempfile::tempdir().unwrap();
        let open = |args: &ChainArgs| Plan::open(tmp.path(), args, ClockArg::Manual);
        let rich = ChainArgs { balance: Some(TokenAmount::from_whole(100_000_000)), ..ChainArgs::default() };
        let error = open(&rich).unwrap_err().to_string();
        assert!(error.contains("16 accounts"), "{error}");
        open(&ChainArgs { genesis_time: Some(u64::MAX), ..ChainArgs::default() }).unwrap_err();
        open(&ChainArgs { balance: Some(TokenAmount::from_whole(5)), ..ChainArgs::default() }).unwrap();
    }

    #[test]
    fn directories_of_others_are_left_alone() {
        let tmp = tempfile::tempdir().unwrap();
        fs::write(tmp.path().join("photo.jpg"), "").unwrap();
        let error = Plan::open(tmp.path(), &ChainArgs::default(), ClockArg::Real).unwrap_err();
        assert!(matches!(&error, CliError::Foreign { found, .. } if found == "photo.jpg"), "{error}");
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
    }
}
