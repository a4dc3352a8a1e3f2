//! Reports of consensus faults.

use fvm_shared::clock::ChainEpoch;
use venus_core::actors::miner::ReportConsensusFaultParams;
use venus_core::consensus::election::EXPECTED_LEADERS_PER_EPOCH;
use venus_core::consensus::fault::{FaultBlock, consensus_fault};
use venus_core::crypto::verify;
use venus_core::types::{Address, BlockHeader};

use super::money::settle;
use crate::vm::abort::{Abort, Returned};
use crate::vm::gas::SIGNATURE;
use crate::vm::runtime::{Runtime, read};

/// A fault costs as many block rewards.
const FAULT_FACTOR: i64 = 5;
/// The reporter gets this part of a block reward.
const REPORTER_SHARE: i64 = 4;

/// Punishes a miner that two of its blocks prove a fault of: it pays, the reporter gets a part, and it may not mine
/// for a finality.
pub(super) fn report(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    rt.require_signable()?;
    let params: ReportConsensusFaultParams = read(params)?;
    let at = verify_fault(rt, &params)?;
    let info = &rt.miner()?.info;
    if at >= rt.epoch() {
        return Err(Abort::argument("the fault lies in the future"));
    }
    if at <= info.fault_until {
        return Err(Abort::forbidden("the fault lies in the time of an earlier punishment"));
    }
    punish(rt)?;
    Ok(Vec::new())
}

/// The epoch of a fault that the headers prove.
fn verify_fault(rt: &mut Runtime<'_, '_>, params: &ReportConsensusFaultParams) -> Result<ChainEpoch, Abort> {
    rt.charge(2 * SIGNATURE)?;
    let header = |bytes: &[u8]| -> Result<BlockHeader, Abort> {
        read(bytes).map_err(|e| Abort::argument(format!("block header: {}", e.reason)))
    };
    let (a, b) = (header(&params.header1)?, header(&params.header2)?);
    let extra = if params.header_extra.is_empty() { None } else { Some(header(&params.header_extra)?) };
    let witness = extra.as_ref().map(FaultBlock::from);
    let found = consensus_fault(&FaultBlock::from(&a), &FaultBlock::from(&b), witness.as_ref());
    if found.is_none() || a.miner != Address::new_id(rt.receiver()) {
        return Err(Abort::argument("the blocks prove no fault of this miner"));
    }
    check_signature(rt, &a)?;
    check_signature(rt, &b)?;
    Ok(a.height.max(b.height))
}

/// Simplified: the key is that of the present worker, not that of the worker when the block was made.
fn check_signature(rt: &Runtime<'_, '_>, header: &BlockHeader) -> Result<(), Abort> {
    let key = rt.state().account_key(rt.miner()?.info.worker);
    let signed = header.block_sig.as_ref().zip(key);
    match signed.map(|(signature, key)| verify(signature, &key, &header.signing_bytes())) {
        Some(Ok(())) => Ok(()),
        _ => Err(Abort::argument("a block is not signed by the worker of this miner")),
    }
}

fn punish(rt: &mut Runtime<'_, '_>) -> Result<(), Abort> {
    let reward = rt.state().reward().map(|reward| reward.epoch_reward.clone()).unwrap_or_default();
    let per_win = reward.div_floor(EXPECTED_LEADERS_PER_EPOCH);
    let (epoch, balance, reporter) = (rt.epoch(), rt.balance(), rt.caller());
    let until = epoch + rt.state().rules().finality;
    let (paid, released) = rt.with_miner(|miner| {
        miner.info.to_mut().fault_until = until;
        let vested = miner.unlock_vested(epoch);
        miner.fee_debt += &per_win * FAULT_FACTOR;
        let (paid, unlocked) = miner.repay(&balance, epoch);
        (paid, vested + unlocked)
    })?;
    let to_reporter = per_win.div_floor(REPORTER_SHARE).min(paid.clone());
    rt.pay(reporter, &to_reporter)?;
    settle(rt, &(paid - to_reporter), &-released)
}
