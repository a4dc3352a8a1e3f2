//! States in Go's JSON.

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use serde_json::{Value, json};
use venus_core::cbor::Encode;
use venus_core::json::{Json, LotusJson};
use venus_core::types::{BitField, blake2b_cid};

use super::StateView;
use super::supply::BASELINE_POWER;
use crate::config::REWARD_FIL;
use crate::state::{
    ActorState, DATACAP, MARKET, MinerState, MultisigState, POWER, PowerState, RewardState, VERIFREG,
    manifest_data,
};

/// Fractional bits of smoothed estimates.
const PRECISION: usize = 128;
/// Method of the power actor and of the market that cron calls.
const POWER_TICK: u64 = 5;
const MARKET_TICK: u64 = 9;

pub(super) fn of(view: &StateView<'_>, state: &ActorState) -> Option<Value> {
    Some(match state {
        ActorState::System { .. } => {
            json!({ "BuiltinActors": link(&manifest_data(view.tree.rules().network_version)?) })
        }
        ActorState::Init { next_id } => json!({
            "AddressMap": link(&view.tree.address_map()),
            "NextID": next_id,
            "NetworkName": view.tree.network_name(),
        }),
        ActorState::Reward(reward) => of_reward(view, reward),
        ActorState::Cron => json!({ "Entries": [
            { "Receiver": id(POWER), "MethodNum": POWER_TICK },
            { "Receiver": id(MARKET), "MethodNum": MARKET_TICK },
        ]}),
        ActorState::Power(power) => of_power(view, power),
        ActorState::Market => of_market(view),
        ActorState::Verifreg { root_key } => of_verifreg(*root_key),
        ActorState::Datacap => of_datacap(),
        ActorState::Account { address } => json!({ "Address": plain(*address) }),
        ActorState::Multisig(multisig) => of_multisig(multisig),
        ActorState::Miner(miner) => of_miner(miner),
        // Go has no state for these.
        ActorState::Eam
        | ActorState::EthAccount { .. }
        | ActorState::Placeholder { .. }
        | ActorState::Blank(_) => Value::Null,
    })
}

fn of_reward(view: &StateView<'_>, reward: &RewardState) -> Value {
    // Simple minting gets 30 % of all rewards, baseline minting the rest. Here neither decides: rewards are constant.
    let simple = TokenAmount::from_whole(REWARD_FIL / 10 * 3);
    let realized = view.tree.power().map(|power| power.this_epoch.raw.clone()).unwrap_or_default();
    json!({
        "CumsumBaseline": BASELINE_POWER.to_string(),
        "CumsumRealized": plain(realized),
        "EffectiveNetworkTime": 1,
        "EffectiveBaselinePower": BASELINE_POWER.to_string(),
        "ThisEpochReward": plain(reward.epoch_reward.clone()),
        "ThisEpochRewardSmoothed": smoothed(reward.epoch_reward.atto()),
        "ThisEpochBaselinePower": BASELINE_POWER.to_string(),
        "Epoch": reward.epoch,
        "TotalStoragePowerReward": plain(reward.total.clone()),
        "SimpleTotal": plain(simple.clone()),
        "BaselineTotal": plain(TokenAmount::from_whole(REWARD_FIL) - simple),
    })
}

fn of_power(view: &StateView<'_>, power: &PowerState) -> Value {
    json!({
        "TotalRawBytePower": plain(power.total.raw.clone()),
        "TotalBytesCommitted": plain(power.committed.raw.clone()),
        "TotalQualityAdjPower": plain(power.total.quality_adjusted.clone()),
        "TotalQABytesCommitted": plain(power.committed.quality_adjusted.clone()),
        "TotalPledgeCollateral": plain(power.pledge.clone()),
        "ThisEpochRawBytePower": plain(power.this_epoch.raw.clone()),
        "ThisEpochQualityAdjPower": plain(power.this_epoch.quality_adjusted.clone()),
        "ThisEpochPledgeCollateral": plain(power.this_epoch_pledge.clone()),
        "ThisEpochQAPowerSmoothed": smoothed(&view.priced_power()),
        "MinerCount": power.claims.0.len(),
        "MinerAboveMinPowerCount": power.above_min,
        "RampStartEpoch": 0,
        "RampDurationEpochs": 0,
        "CronEventQueue": link(&power.cron.cid()),
        "FirstCronEpoch": power.first_cron_epoch,
        "Claims": link(&power.claims.cid()),
        "ProofValidationBatch": null,
    })
}

fn of_market(view: &StateView<'_>) -> Value {
    json!({
        "Proposals": empty(),
        "States": empty(),
        "PendingProposals": empty(),
        "EscrowTable": empty(),
        "LockedTable": empty(),
        "NextID": 0,
        "DealOpsByEpoch": empty(),
        "LastCron": view.tree.next_epoch() - 1,
        "TotalClientLockedCollateral": "0",
        "TotalProviderLockedCollateral": "0",
        "TotalClientStorageFee": "0",
        "PendingDealAllocationIds": empty(),
        "ProviderSectors": empty(),
    })
}

fn of_verifreg(root_key: ActorID) -> Value {
    json!({
        "RootKey": id(root_key),
        "Verifiers": empty(),
        "RemoveDataCapProposalIDs": empty(),
        "Allocations": empty(),
        "NextAllocationId": 1,
        "Claims": empty(),
    })
}

fn of_datacap() -> Value {
    debug_assert_ne!(DATACAP, VERIFREG, "the governor is another actor");
    json!({
        "Governor": id(VERIFREG),
        "Token": { "Supply": "0", "Balances": empty(), "Allowances": empty(), "HamtBitWidth": 3 },
    })
}

fn of_multisig(multisig: &MultisigState) -> Value {
    let signers: Vec<Value> = multisig.signers.iter().map(|signer| id(*signer)).collect();
    json!({
        "Signers": signers,
        "NumApprovalsThreshold": multisig.threshold,
        "NextTxnID": multisig.next_txn,
        "InitialBalance": plain(multisig.initial_balance.clone()),
        "StartEpoch": multisig.start_epoch,
        "UnlockDuration": multisig.unlock_duration,
        "PendingTxns": link(&multisig.pending.cid()),
    })
}

fn of_miner(miner: &MinerState) -> Value {
    let head = miner.vesting.0.first();
    let head = head.map(|(epoch, amount)| json!({ "Epoch": epoch, "Amount": plain(amount.clone()) }));
    json!({
        "Info": link(&miner.info.cid()),
        "PreCommitDeposits": plain(miner.precommit_deposits.clone()),
        "LockedFunds": plain(miner.locked_funds.clone()),
        "VestingFunds": head.map(|head| json!({ "Head": head, "Tail": link(&miner.vesting.cid()) })),
        "FeeDebt": plain(miner.fee_debt.clone()),
        "InitialPledge": plain(miner.initial_pledge.clone()),
        "PreCommittedSectors": link(&miner.precommits.cid()),
        "PreCommittedSectorsCleanUp": empty(),
        "AllocatedSectors": link(&miner.allocated.cid()),
        "Sectors": link(&miner.sectors.cid()),
        "ProvingPeriodStart": miner.period_start,
        "CurrentDeadline": miner.current_deadline,
        "Deadlines": link(&miner.deadlines.cid()),
        "EarlyTerminations": plain(BitField::new()),
        "DeadlineCronActive": miner.cron_active,
    })
}

/// An estimate that stands still.
fn smoothed(value: &BigInt) -> Value {
    json!({ "PositionEstimate": plain(value << PRECISION), "VelocityEstimate": "0" })
}

fn id(actor: ActorID) -> Value {
    plain(Address::new_id(actor))
}

fn link(cid: &Cid) -> Value {
    plain(*cid)
}

/// The CID of an empty table.
fn empty() -> Value {
    link(&blake2b_cid(&Vec::<u64>::new().to_cbor()))
}

fn plain<T: LotusJson>(value: T) -> Value {
    serde_json::to_value(Json(value)).unwrap_or_default()
}
