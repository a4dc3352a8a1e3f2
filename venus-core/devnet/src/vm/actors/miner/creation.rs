//! The beginning of a miner.

use fvm_shared::ActorID;
use fvm_shared::address::{Address, Payload};
use venus_core::actors::account::PUBKEY_ADDRESS;
use venus_core::types::{BigInt, TokenAmount};

use super::Bytes;
use super::control::{MAX_CONTROL, check_multiaddrs, check_peer_id};
use crate::state::{ActorState, INIT, Info, MinerState, StateView, Vesting};
use crate::vm::abort::{Abort, Returned};
use crate::vm::actors::params_tuple;
use crate::vm::runtime::{Runtime, read};

/// The deposit of a miner is the pledge of this part of the power that mining takes (FIP-0077).
const DEPOSIT_SHARE: u64 = 10;

params_tuple! {
    /// What a miner begins with.
    pub(in crate::vm::actors) struct ConstructorParams {
        owner: Address,
        worker: Address,
        control: Vec<Address>,
        window_post_proof: i64,
        peer_id: Bytes,
        multiaddrs: Vec<Bytes>,
    }
}

pub(super) fn constructor(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    rt.require_caller(&[INIT])?;
    let params: ConstructorParams = read(params)?;
    let multiaddrs: Vec<Vec<u8>> = params.multiaddrs.into_iter().map(|address| address.0).collect();
    check_peer_id(&params.peer_id.0)?;
    check_multiaddrs(&multiaddrs)?;
    let size = sector_size(params.window_post_proof);
    let size = size.ok_or_else(|| Abort::argument("no WindowPoSt proof has this number"))?;
    let owner = control_address(rt, &params.owner)?;
    let worker = worker_address(rt, &params.worker)?;
    let control = control_addresses(rt, &params.control)?;
    let info = Info::new(owner, worker, size)
        .ok_or_else(|| Abort::argument(format!("sectors of {size} bytes are not supported")))?;
    let info = Info { control, peer_id: params.peer_id.0, multiaddrs, ..info };
    let (epoch, policy) = (rt.epoch(), rt.state().rules().deadlines);
    let mut state = MinerState::new(rt.receiver(), info, &policy, epoch);
    let deposit = deposit(rt);
    if *rt.value() < deposit {
        return Err(Abort::funds(format!("the deposit of a miner is {deposit} FIL")));
    }
    let vesting = Vesting::over(rt.state().rules().vesting_period, state.period_start);
    state.lock(&deposit, epoch, &vesting);
    rt.set_state(ActorState::Miner(state));
    Ok(Vec::new())
}

fn deposit(rt: &Runtime<'_, '_>) -> TokenAmount {
    let power = rt.state().rules().min_power / DEPOSIT_SHARE;
    StateView { tree: rt.state(), epoch: rt.epoch() }.initial_pledge(&BigInt::from(power))
}

fn sector_size(window_post_proof: i64) -> Option<u64> {
    match window_post_proof {
        10 => Some(2 << 10),
        11 => Some(8 << 20),
        12 => Some(512 << 20),
        13 => Some(32 << 30),
        14 => Some(64 << 30),
        _ => None,
    }
}

/// The ID of who may become owner or send messages for the miner: an account or a wallet.
pub(super) fn control_address(rt: &Runtime<'_, '_>, address: &Address) -> Result<ActorID, Abort> {
    let id = rt.resolve(address)?;
    if rt.is_signable(id) {
        return Ok(id);
    }
    Err(Abort::argument(format!("{address} is neither an account nor a wallet")))
}

pub(super) fn control_addresses(rt: &Runtime<'_, '_>, addresses: &[Address]) -> Result<Vec<ActorID>, Abort> {
    if addresses.len() > MAX_CONTROL {
        return Err(Abort::argument(format!("a miner has at most {MAX_CONTROL} control addresses")));
    }
    addresses.iter().map(|address| control_address(rt, address)).collect()
}

/// The ID of who may become worker: an account with a BLS key, as VRF proofs are BLS signatures.
pub(super) fn worker_address(rt: &mut Runtime<'_, '_>, address: &Address) -> Result<ActorID, Abort> {
    let id = rt.resolve(address)?;
    let asked = rt.send(&Address::new_id(id), PUBKEY_ADDRESS, Vec::new(), &TokenAmount::default())?;
    let key: Option<Address> = asked.ok().ok().and_then(|key| read(&key).ok());
    match key.as_ref().map(Address::payload) {
        Some(Payload::BLS(_)) => Ok(id),
        _ => Err(Abort::argument(format!("{address} is no account with a BLS key"))),
    }
}
