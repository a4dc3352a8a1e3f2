//! The end of an epoch.

use fvm_shared::MethodNum;
use fvm_shared::econ::TokenAmount;

use super::{Method, row};
use crate::state::{CRON, MARKET, POWER, SYSTEM};
use crate::vm::abort::Returned;
use crate::vm::gas::OTHER_METHOD;
use crate::vm::runtime::{Runtime, nothing};

/// Ends an epoch. Only the system calls it, once for every epoch, empty ones included.
pub(in crate::vm) const EPOCH_TICK: MethodNum = 2;
/// Whom to call, and how.
const ENTRIES: [(u64, MethodNum); 2] = [(POWER, super::power::CRON_TICK), (MARKET, MARKET_CRON_TICK)];
/// What the market does at the end of an epoch: nothing as long as there are no deals.
const MARKET_CRON_TICK: MethodNum = 9;

pub(super) const METHODS: &[Method] = &[row(&[EPOCH_TICK], OTHER_METHOD, epoch_tick)];
pub(super) const MARKET_METHODS: &[Method] = &[row(&[MARKET_CRON_TICK], OTHER_METHOD, market_tick)];

fn epoch_tick(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    rt.require_caller(&[SYSTEM])?;
    for (actor, method) in ENTRIES {
        // One that fails must not keep the others from their work.
        if let Err(abort) = rt.send_to(actor, method, Vec::new(), &TokenAmount::default()) {
            tracing::error!(actor, method, reason = %abort.reason, "a call of cron failed");
        }
    }
    Ok(Vec::new())
}

fn market_tick(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    rt.require_caller(&[CRON])?;
    Ok(Vec::new())
}
