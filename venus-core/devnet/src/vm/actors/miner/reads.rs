//! What others ask a miner.

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use venus_core::actors::miner::ControlAddressesReturn;
use venus_core::cbor::{Encode, Writer};

use crate::state::VestingFunds;
use crate::vm::abort::Returned;
use crate::vm::runtime::{Runtime, nothing, read};

pub(super) fn control_addresses(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    let info = &rt.miner()?.info;
    let answer = ControlAddressesReturn {
        owner: Address::new_id(info.owner),
        worker: Address::new_id(info.worker),
        control_addresses: info.control.iter().map(|id| Address::new_id(*id)).collect(),
    };
    Ok(answer.to_cbor())
}

/// `[owner, proposed owner or null]`.
pub(super) fn owner(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    let info = &rt.miner()?.info;
    let mut w = Writer::new();
    w.array(2);
    Address::new_id(info.owner).encode(&mut w);
    info.pending_owner.map(Address::new_id).encode(&mut w);
    Ok(w.into_vec())
}

pub(super) fn is_controlling_address(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let address: Address = read(params)?;
    let id = rt.state().resolve(&address);
    let info = &rt.miner()?.info;
    let mut w = Writer::new();
    w.bool(id.is_some_and(|id| info.is_controlled_by(id)));
    Ok(w.into_vec())
}

pub(super) fn sector_size(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    Ok(rt.miner()?.info.sector_size.to_cbor())
}

/// Negative if debts exceed what is free.
pub(super) fn available_balance(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    let available: TokenAmount = rt.miner()?.available(&rt.balance());
    Ok(available.to_cbor())
}

/// `[[[epoch, attoFIL], …]]`.
pub(super) fn vesting_funds(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    let mut w = Writer::new();
    w.array(1);
    let table: &VestingFunds = &rt.miner()?.vesting;
    table.encode(&mut w);
    Ok(w.into_vec())
}

/// `[bytes]`.
pub(super) fn peer_id(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    let mut w = Writer::new();
    w.array(1);
    w.bytes(&rt.miner()?.info.peer_id);
    Ok(w.into_vec())
}

/// `[[bytes, …]]`.
pub(super) fn multiaddrs(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    let addresses = &rt.miner()?.info.multiaddrs;
    let mut w = Writer::new();
    w.array(1);
    w.array(addresses.len() as u64);
    addresses.iter().for_each(|address| w.bytes(address));
    Ok(w.into_vec())
}
