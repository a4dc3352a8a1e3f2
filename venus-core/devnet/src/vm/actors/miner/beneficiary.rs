//! Who gets what the miner earns (FIP-0029).

use fvm_shared::ActorID;
use fvm_shared::address::Address;
use venus_core::actors::miner::{ActiveBeneficiary, ChangeBeneficiaryParams, GetBeneficiaryReturn};
use venus_core::cbor::Encode;
use venus_core::types::{BeneficiaryTerm, TokenAmount};

use super::control;
use crate::state::{Info, PendingBeneficiary};
use crate::vm::abort::{Abort, Returned};
use crate::vm::runtime::{Runtime, nothing, read};

/// Proposes a beneficiary, called by the owner; approves, called by the present or the proposed one.
pub(super) fn change(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let params: ChangeBeneficiaryParams = read(params)?;
    let new = rt.resolve(&params.new_beneficiary)?;
    let (caller, info) = (rt.caller(), &rt.miner()?.info);
    let proposal = if caller == info.owner {
        check_terms(info, new, &params)?;
        PendingBeneficiary {
            beneficiary: new,
            quota: params.new_quota,
            expiration: params.new_expiration,
            // Who has nothing left to get is not asked.
            approved_by_beneficiary: info.quota_left(rt.epoch()).is_zero(),
            approved_by_nominee: false,
        }
    } else {
        same_proposal(info, new, &params)?
    };
    control::change(rt, |info| approve(info, proposal, caller))
}

pub(super) fn get(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    let info = &rt.miner()?.info;
    let active =
        ActiveBeneficiary { beneficiary: Address::new_id(info.beneficiary), term: info.term.clone() };
    let proposed = info.pending_beneficiary.as_ref().map(PendingBeneficiary::to_api);
    Ok(GetBeneficiaryReturn { active, proposed }.to_cbor())
}

/// The owner has no term; any other must get something.
fn check_terms(info: &Info, new: ActorID, params: &ChangeBeneficiaryParams) -> Result<(), Abort> {
    if new != info.owner {
        if !params.new_quota.is_positive() {
            return Err(Abort::argument("the quota must be positive"));
        }
    } else if params.new_expiration != 0 || !params.new_quota.is_zero() {
        return Err(Abort::argument("quota and expiration must be 0 for the owner"));
    }
    Ok(())
}

/// The proposal that is pending, if it is exactly what the caller approves.
fn same_proposal(
    info: &Info,
    new: ActorID,
    params: &ChangeBeneficiaryParams,
) -> Result<PendingBeneficiary, Abort> {
    let Some(pending) = &info.pending_beneficiary else {
        return Err(Abort::forbidden("no beneficiary is proposed"));
    };
    let named = (new, &params.new_quota, params.new_expiration);
    if named != (pending.beneficiary, &pending.quota, pending.expiration) {
        return Err(Abort::argument("another beneficiary, quota or expiration is proposed"));
    }
    Ok(pending.clone())
}

fn approve(info: &mut Info, mut pending: PendingBeneficiary, caller: ActorID) {
    pending.approved_by_beneficiary |= caller == info.beneficiary;
    pending.approved_by_nominee |= caller == pending.beneficiary;
    if !(pending.approved_by_beneficiary && pending.approved_by_nominee) {
        info.pending_beneficiary = Some(pending);
        return;
    }
    // A term that is prolonged keeps counting.
    let same = pending.beneficiary == info.beneficiary;
    let used_quota = if same { info.term.used_quota.clone() } else { TokenAmount::default() };
    info.beneficiary = pending.beneficiary;
    info.term = BeneficiaryTerm { quota: pending.quota, used_quota, expiration: pending.expiration };
    info.pending_beneficiary = None;
}
