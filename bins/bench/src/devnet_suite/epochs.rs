//! Single epochs.

use venus_core::api::MessagePool;
use venus_core::crypto::verify_message;

use super::chain::{BlsWork, Chain, timed};
use crate::measure::{BenchError, Effort, Measure, Names, measure_of};

const MESSAGES: u64 = 100;

/// Everything from the election to the new head, with nothing in the pool, against the epoch's BLS signatures and
/// their verification alone. The time beyond these is the difference of the two figures.
pub(super) fn empty(effort: &Effort) -> Result<Measure, BenchError> {
    let names = Names { measure: "epoch_empty", baseline: "its 3 BLS signs and verifies alone" };
    let (mut chain, work) = (Chain::new(names, None)?, BlsWork::new(names)?);
    chain.mine()?;
    let mut rounds = Vec::new();
    for round in 0..effort.rounds {
        // Each goes first in every second round, so that a busy moment of the machine hits both.
        let (ours, alone) = if round % 2 == 0 {
            let (_, ours) = timed(|| chain.mine())?;
            (ours, timed(|| work.epoch())?.1)
        } else {
            let ((), alone) = timed(|| work.epoch())?;
            (timed(|| chain.mine())?.1, alone)
        };
        rounds.push((ours, alone));
    }
    Ok(measure_of(names, &rounds))
}

/// Pushing a hundred secp256k1 messages and mining the epoch that has them, against the signatures alone: the ratio
/// is the share that checking signatures has.
pub(super) fn secp_messages(effort: &Effort) -> Result<Measure, BenchError> {
    let names =
        Names { measure: "epoch_100_secp256k1", baseline: "its signature checks, and 3 BLS signs, alone" };
    let (mut chain, work) = (Chain::new(names, None)?, BlsWork::new(names)?);
    let mut rounds = Vec::new();
    for round in 0..effort.rounds.min(61) {
        let messages = chain.transfers(u64::from(round) * MESSAGES, MESSAGES)?;
        let (block, ours) = timed(|| {
            for message in &messages {
                chain.block_on(chain.devnet.push(message)).map_err(|e| names.input(e))?;
            }
            chain.mine()
        })?;
        if block.secp_messages.len() as u64 != MESSAGES {
            return Err(names.input(format!("the block has {} messages", block.secp_messages.len())));
        }
        let ((), alone) = timed(|| {
            for message in &messages {
                verify_message(message, &chain.sender, 0).map_err(|e| names.failed(e))?;
            }
            work.epoch()
        })?;
        rounds.push((ours, alone));
    }
    Ok(measure_of(names, &rounds))
}
