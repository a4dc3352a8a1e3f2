//! Storage providers: who may do what, and the money. The life of sectors comes as further modules.

mod beneficiary;
mod control;
mod creation;
mod cron;
mod fault;
mod money;
mod reads;

use fvm_shared::MethodNum;
use venus_core::actors::miner::{
    CHANGE_BENEFICIARY, CHANGE_MULTIADDRS, CHANGE_OWNER_ADDRESS, CHANGE_PEER_ID, CHANGE_WORKER_ADDRESS,
    CONFIRM_CHANGE_WORKER_ADDRESS, CONTROL_ADDRESSES, GET_BENEFICIARY, REPAY_DEBT, REPORT_CONSENSUS_FAULT,
    WITHDRAW_BALANCE,
};

use super::power::Bytes;
use super::{Method, row};
use crate::vm::gas::{OTHER_METHOD, READ};

pub(super) use creation::ConstructorParams;
pub(super) use cron::DeferredCronParams;
pub(super) use money::ApplyRewardsParams;

/// Called by the power actor when something is due that the miner asked for.
pub(super) const ON_DEFERRED_CRON_EVENT: MethodNum = 12;
/// Called by the reward actor with the reward of a block.
pub(super) const APPLY_REWARDS: MethodNum = 14;

pub(super) const METHODS: &[Method] = &[
    row(&[fvm_shared::METHOD_CONSTRUCTOR], OTHER_METHOD, creation::constructor),
    row(&[CONTROL_ADDRESSES], READ, reads::control_addresses),
    row(&[CHANGE_WORKER_ADDRESS, 3_302_309_124], OTHER_METHOD, control::change_worker),
    row(&[CHANGE_PEER_ID, 1_236_548_004], OTHER_METHOD, control::change_peer_id),
    row(&[ON_DEFERRED_CRON_EVENT], OTHER_METHOD, cron::on_deferred_event),
    row(&[APPLY_REWARDS], OTHER_METHOD, money::apply_rewards),
    row(&[REPORT_CONSENSUS_FAULT], OTHER_METHOD, fault::report),
    row(&[WITHDRAW_BALANCE, 2_280_458_852], OTHER_METHOD, money::withdraw),
    row(&[CHANGE_MULTIADDRS, 1_063_480_576], OTHER_METHOD, control::change_multiaddrs),
    row(&[CONFIRM_CHANGE_WORKER_ADDRESS, 2_354_970_453], OTHER_METHOD, control::confirm_worker),
    row(&[REPAY_DEBT, 3_665_352_697], OTHER_METHOD, money::repay_debt),
    row(&[CHANGE_OWNER_ADDRESS, 1_010_589_339], OTHER_METHOD, control::change_owner),
    row(&[CHANGE_BENEFICIARY, 1_570_634_796], OTHER_METHOD, beneficiary::change),
    row(&[GET_BENEFICIARY, 4_158_972_569], READ, beneficiary::get),
    row(&[348_244_887], READ, reads::is_controlling_address),
    row(&[1_332_909_407], READ, reads::multiaddrs),
    row(&[1_726_876_304], READ, reads::vesting_funds),
    row(&[2_812_875_329], READ, reads::peer_id),
    row(&[3_275_365_574], READ, reads::owner),
    row(&[3_858_292_296], READ, reads::sector_size),
    row(&[4_026_106_874], READ, reads::available_balance),
];
