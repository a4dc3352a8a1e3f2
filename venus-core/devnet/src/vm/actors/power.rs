//! Claims of power, and the end of an epoch for miners.

use fvm_shared::ActorID;
use fvm_shared::MethodNum;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use venus_core::actors::ActorKind;
use venus_core::actors::init::{EXEC, ExecParams, ExecReturn};
use venus_core::actors::power::{
    CREATE_MINER, CREATE_MINER_EXPORTED, CURRENT_TOTAL_POWER, CreateMinerParams, CreateMinerReturn,
};
use venus_core::cbor::{Decode, Encode, Writer};
use venus_core::types::BigInt;

use super::miner::{self, ConstructorParams, DeferredCronParams};
use super::{Method, encode_estimate, params_tuple, row};
use crate::state::{CRON, Claim, INIT, Power, REWARD, StateView, code};
use crate::vm::abort::{Abort, Returned};
use crate::vm::gas::{OTHER_METHOD, READ};
use crate::vm::runtime::{Runtime, nothing, read};

const UPDATE_CLAIMED_POWER: MethodNum = 3;
pub(super) const ENROLL_CRON_EVENT: MethodNum = 4;
pub(super) const CRON_TICK: MethodNum = 5;
pub(super) const UPDATE_PLEDGE_TOTAL: MethodNum = 6;
const MINER_CONSENSUS_COUNT: MethodNum = 196_739_875;
const NETWORK_RAW_POWER: MethodNum = 931_722_534;
const MINER_COUNT: MethodNum = 1_987_646_258;
const MINER_RAW_POWER: MethodNum = 3_753_401_894;
const CREATE_MINER_GAS: u64 = 25_000_000;

pub(super) const METHODS: &[Method] = &[
    row(&[CREATE_MINER, CREATE_MINER_EXPORTED], CREATE_MINER_GAS, create_miner),
    row(&[UPDATE_CLAIMED_POWER], OTHER_METHOD, update_claimed_power),
    row(&[ENROLL_CRON_EVENT], OTHER_METHOD, enroll_cron_event),
    row(&[CRON_TICK], OTHER_METHOD, cron_tick),
    row(&[UPDATE_PLEDGE_TOTAL], OTHER_METHOD, update_pledge_total),
    row(&[CURRENT_TOTAL_POWER], READ, current_total_power),
    row(&[NETWORK_RAW_POWER], READ, network_raw_power),
    row(&[MINER_RAW_POWER], READ, miner_raw_power),
    row(&[MINER_COUNT], READ, miner_count),
    row(&[MINER_CONSENSUS_COUNT], READ, miner_consensus_count),
];

params_tuple! {
    /// By how much the power of the calling miner changes, bytes.
    pub(super) struct UpdateClaimedPowerParams { raw_delta: BigInt, quality_adjusted_delta: BigInt }
    /// When to call the calling miner, and with what.
    pub(super) struct EnrollCronEventParams { epoch: ChainEpoch, payload: Bytes }
}

/// Bytes, which CBOR tells from lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Encode for Bytes {
    fn encode(&self, w: &mut Writer) {
        w.bytes(&self.0);
    }
}

impl Decode for Bytes {
    fn decode(r: &mut venus_core::cbor::Reader<'_>) -> Result<Self, venus_core::cbor::CborError> {
        r.bytes().map(|bytes| Self(bytes.to_vec()))
    }
}

/// Makes a miner. What comes with the call is its deposit.
fn create_miner(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    rt.require_signable()?;
    let params: CreateMinerParams = read(params)?;
    let proof = params.window_post_proof_type;
    let constructor = ConstructorParams {
        owner: params.owner,
        worker: params.worker,
        control: Vec::new(),
        window_post_proof: proof,
        peer_id: Bytes(params.peer),
        multiaddrs: params.multiaddrs.into_iter().map(Bytes).collect(),
    };
    let exec =
        ExecParams { code_cid: code(ActorKind::Miner), constructor_params: constructor.to_cbor().into() };
    let value = rt.value().clone();
    let made = rt.send_to(INIT, EXEC, exec.to_cbor(), &value)?;
    let ExecReturn { id_address, robust_address } = read(&made)?;
    let id = rt.resolve(&id_address)?;
    let locked = rt.state().miner(id).map(|miner| miner.locked_funds.clone()).unwrap_or_default();
    rt.state_mut().update_power(|power| {
        let claim = Claim { window_post_proof: proof, ..Claim::default() };
        power.claims.to_mut().0.insert(id, claim);
        power.pledge += locked;
    });
    Ok(CreateMinerReturn { id_address, robust_address }.to_cbor())
}

fn update_claimed_power(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let miner = calling_miner(rt)?;
    let params: UpdateClaimedPowerParams = read(params)?;
    let delta = Power { raw: params.raw_delta, quality_adjusted: params.quality_adjusted_delta };
    let minimum = rt.state().rules().min_power;
    let done = rt.state_mut().update_power(|power| power.add_power(miner, &delta, minimum));
    if done == Some(true) { Ok(Vec::new()) } else { Err(Abort::state("power would fall below nothing")) }
}

fn enroll_cron_event(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let miner = calling_miner(rt)?;
    let params: EnrollCronEventParams = read(params)?;
    if params.epoch < 0 {
        return Err(Abort::argument("no event before the genesis"));
    }
    rt.state_mut().update_power(|power| power.enroll(params.epoch, miner, params.payload.0));
    Ok(Vec::new())
}

/// Calls the miners whose events are due, takes the power of the network for the epoch, and begins the next one.
fn cron_tick(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    rt.require_caller(&[CRON])?;
    let epoch = rt.epoch();
    for (miner, payload) in take_due(rt, epoch) {
        call_miner(rt, miner, payload)?;
    }
    let raw = rt.state_mut().update_power(|power| {
        power.this_epoch = power.counted().clone();
        power.this_epoch_pledge = power.pledge.clone();
        power.this_epoch.raw.clone()
    });
    let raw = raw.unwrap_or_default();
    rt.send_to(REWARD, super::reward::UPDATE_NETWORK_KPI, raw.to_cbor(), &TokenAmount::default())
}

fn take_due(rt: &mut Runtime<'_, '_>, epoch: ChainEpoch) -> Vec<(ActorID, Vec<u8>)> {
    let due = rt.state_mut().update_power(|power| {
        power.first_cron_epoch = epoch + 1;
        if power.cron.0.first_key_value().is_none_or(|(first, _)| *first > epoch) {
            return Vec::new();
        }
        let queue = &mut power.cron.to_mut().0;
        let later = queue.split_off(&(epoch + 1));
        let due = std::mem::replace(queue, later);
        due.into_values()
            .flat_map(|events| events.0)
            .filter(|(m, _)| power.claims.0.contains_key(m))
            .collect()
    });
    due.unwrap_or_default()
}

/// A miner that fails loses its power: it cannot be told of its deadlines any more.
fn call_miner(rt: &mut Runtime<'_, '_>, miner: ActorID, payload: Vec<u8>) -> Result<(), Abort> {
    let params = DeferredCronParams { payload: Bytes(payload) }.to_cbor();
    let Err(abort) = rt.send_to(miner, miner::ON_DEFERRED_CRON_EVENT, params, &TokenAmount::default()) else {
        return Ok(());
    };
    tracing::error!(miner, reason = %abort.reason, "a miner failed at the end of its deadline");
    let minimum = rt.state().rules().min_power;
    rt.state_mut().update_power(|power| {
        let lost = power.claims.0.get(&miner).map(|claim| claim.power.clone()).unwrap_or_default();
        power.add_power(miner, &Power::default().minus(&lost), minimum);
        power.claims.to_mut().0.remove(&miner);
    });
    Ok(())
}

fn update_pledge_total(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    calling_miner(rt)?;
    let delta: TokenAmount = read(params)?;
    let sum = rt.state_mut().update_power(|power| {
        power.pledge += delta;
        power.pledge.clone()
    });
    if sum.is_none_or(|sum| sum.is_negative()) {
        return Err(Abort::state("the sum of all pledges would fall below nothing"));
    }
    Ok(Vec::new())
}

fn current_total_power(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    let Some(power) = rt.state().power() else { return Err(Abort::state("there is no power")) };
    let mut w = Writer::new();
    w.array(6);
    power.this_epoch.raw.encode(&mut w);
    power.this_epoch.quality_adjusted.encode(&mut w);
    power.this_epoch_pledge.encode(&mut w);
    let view = StateView { tree: rt.state(), epoch: rt.epoch() };
    encode_estimate(&view.priced_power(), &mut w);
    w.int(0);
    w.uint(0);
    Ok(w.into_vec())
}

fn network_raw_power(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    Ok(rt.state().power().map(|power| power.this_epoch.raw.to_cbor()).unwrap_or_default())
}

fn miner_raw_power(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let miner: ActorID = read(params)?;
    let claim = rt.state().claim(miner);
    let claim = claim.ok_or_else(|| Abort::not_found(format!("f0{miner} has no claim")))?;
    let mut w = Writer::new();
    w.array(2);
    claim.raw.encode(&mut w);
    w.bool(rt.state().has_min_power(miner));
    Ok(w.into_vec())
}

fn miner_count(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    Ok(rt.state().power().map(|power| (power.claims.0.len() as u64).to_cbor()).unwrap_or_default())
}

fn miner_consensus_count(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    Ok(rt.state().power().map(|power| power.above_min.to_cbor()).unwrap_or_default())
}

/// The calling miner, which must have a claim.
fn calling_miner(rt: &Runtime<'_, '_>) -> Result<ActorID, Abort> {
    rt.require_kind(&[ActorKind::Miner])?;
    match rt.state().claim(rt.caller()) {
        Some(_) => Ok(rt.caller()),
        None => Err(Abort::forbidden(format!("f0{} has no claim", rt.caller()))),
    }
}
