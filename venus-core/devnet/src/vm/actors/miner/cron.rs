//! The ends of deadlines.

use fvm_shared::econ::TokenAmount;
use venus_core::cbor::Encode;
use venus_core::types::BitField;

use super::Bytes;
use super::money::repay_what_can_be;
use crate::state::{DEADLINE_END, POWER};
use crate::vm::abort::{Abort, Returned};
use crate::vm::actors::{params_tuple, power};
use crate::vm::runtime::{Runtime, read};

params_tuple! {
    /// What the miner asked to be told.
    pub(in crate::vm::actors) struct DeferredCronParams { payload: Bytes }
}

/// Ends a deadline: releases what has vested, pays debts, and turns to the next deadline.
///
/// Sectors of the genesis count as proven for ever: nobody has to post proofs for them.
pub(super) fn on_deferred_event(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    rt.require_caller(&[POWER])?;
    let params: DeferredCronParams = read(params)?;
    if params.payload.0 != DEADLINE_END {
        return Err(Abort::argument("no event that is known"));
    }
    repay_what_can_be(rt)?;
    let (policy, next) = (rt.state().rules().deadlines, rt.epoch() + 1);
    let last = rt.with_miner(|miner| {
        let ended = usize::try_from(miner.current_deadline).unwrap_or_default();
        let posted = miner.deadlines.0.get(ended).is_some_and(|deadline| !deadline.posted.is_empty());
        // Asked for first, because a change makes a copy of all deadlines.
        if posted && let Some(deadline) = miner.deadlines.to_mut().0.get_mut(ended) {
            deadline.posted = BitField::new();
        }
        let now = miner.deadline(&policy, next);
        (miner.period_start, miner.current_deadline) = (now.period_start, now.index);
        miner.cron_active.then(|| now.last())
    })?;
    if let Some(epoch) = last {
        let event = power::EnrollCronEventParams { epoch, payload: Bytes(DEADLINE_END.to_vec()) };
        rt.send_to(POWER, power::ENROLL_CRON_EVENT, event.to_cbor(), &TokenAmount::default())?;
    }
    Ok(Vec::new())
}
