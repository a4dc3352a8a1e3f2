//! What an admin changes against the rules of the protocol, so that tests need not wait for it.

use fvm_shared::ActorID;
use fvm_shared::address::{Address, Payload};
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use venus_core::cbor::{CborError, CborErrorKind, Decode, Encode, FieldContext, Reader, Writer};
use venus_core::consensus::base_fee::MINIMUM_BASE_FEE;
use venus_core::types::BitField;

use crate::state::{ActorState, BURNT_FUNDS, Power, REMAINDER, REWARD, StateTree};

/// A change of the state that no message could make.
///
/// It is part of the chain: every node that has it computes the same state, it survives a restart, and all FIL stays
/// where there is FIL: what one gets comes from the remainder account `f090`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateChange {
    /// Sets the balance of an actor. A key address that has no actor gets one.
    SetBalance {
        /// Whose.
        address: Address,
        /// attoFIL.
        balance: TokenAmount,
    },
    /// Adds to the balance of an actor. A key address that has no actor gets one.
    AddBalance {
        /// Whose.
        address: Address,
        /// attoFIL; negative to take away.
        amount: TokenAmount,
    },
    /// Adds to the power of a miner, without sectors.
    GrantPower {
        /// Which.
        miner: Address,
        /// Bytes; negative to take away.
        raw: BigInt,
        /// Bytes, deals weighted; negative to take away.
        quality_adjusted: BigInt,
    },
    /// Makes active sectors faulty: their power is gone.
    FaultSectors {
        /// Whose.
        miner: Address,
        /// Their numbers. Sectors that are not active stay as they are.
        sectors: BitField,
    },
    /// Brings faulty sectors back with their power.
    RecoverSectors {
        /// Whose.
        miner: Address,
        /// Their numbers. Sectors that are not faulty stay as they are.
        sectors: BitField,
    },
    /// Sets the base fee of the next tipset. From there it goes its way.
    SetBaseFee {
        /// attoFIL, at least 100.
        base_fee: TokenAmount,
    },
}

/// Makes a change, or says why it cannot be made and makes none of it. Answers the base fee that it sets.
pub(crate) fn apply(state: &mut StateTree, change: &StateChange) -> Result<Option<TokenAmount>, String> {
    match change {
        StateChange::SetBalance { address, balance } => {
            if balance.is_negative() {
                return Err("a balance cannot be negative".into());
            }
            let present = state.find(address).map(|(_, actor)| actor.balance.clone()).unwrap_or_default();
            add_balance(state, address, &(balance - present))?;
        }
        StateChange::AddBalance { address, amount } => add_balance(state, address, amount)?,
        StateChange::GrantPower { miner, raw, quality_adjusted } => {
            let delta = Power { raw: raw.clone(), quality_adjusted: quality_adjusted.clone() };
            add_power(state, miner_of(state, miner)?, &delta)?;
        }
        StateChange::FaultSectors { miner, sectors } => set_faulty(state, miner, sectors, true)?,
        StateChange::RecoverSectors { miner, sectors } => set_faulty(state, miner, sectors, false)?,
        StateChange::SetBaseFee { base_fee } => {
            if *base_fee < TokenAmount::from_atto(MINIMUM_BASE_FEE) {
                return Err(format!("the base fee is at least {MINIMUM_BASE_FEE} attoFIL"));
            }
            return Ok(Some(base_fee.clone()));
        }
    }
    Ok(None)
}

fn add_balance(state: &mut StateTree, address: &Address, amount: &TokenAmount) -> Result<(), String> {
    let existing = state.resolve(address);
    if existing.is_some_and(|id| [REMAINDER, REWARD, BURNT_FUNDS].contains(&id)) {
        return Err(format!("the balance of {address} follows from those of others"));
    }
    let before = state.clone();
    let id = match existing {
        Some(id) => id,
        None => create(state, address)?,
    };
    let (from, to) = if amount.is_negative() { (id, REMAINDER) } else { (REMAINDER, id) };
    let moved = TokenAmount::from_atto(amount.atto().magnitude().clone());
    let solvent = |state: &StateTree| {
        let balance = state.get(id).map(|actor| &actor.balance);
        state.miner(id).zip(balance).is_none_or(|(miner, balance)| miner.is_solvent(balance))
    };
    if state.transfer(from, to, &moved) && solvent(state) {
        return Ok(());
    }
    *state = before;
    Err(format!("f0{from} does not have {moved} FIL to spare"))
}

fn create(state: &mut StateTree, address: &Address) -> Result<ActorID, String> {
    match address.payload() {
        Payload::Secp256k1(_) | Payload::BLS(_) => {
            Ok(state.create(ActorState::Account { address: *address }))
        }
        Payload::Delegated(_) => Ok(state.create(ActorState::Placeholder { address: *address })),
        Payload::ID(_) | Payload::Actor(_) => Err(format!("no actor has the address {address}")),
    }
}

fn miner_of(state: &StateTree, address: &Address) -> Result<ActorID, String> {
    let id = state.resolve(address).filter(|id| state.miner(*id).is_some());
    id.ok_or_else(|| format!("{address} is no miner"))
}

fn add_power(state: &mut StateTree, miner: ActorID, delta: &Power) -> Result<(), String> {
    let minimum = state.rules().min_power;
    let done = state.update_power(|power| power.add_power(miner, delta, minimum));
    if done == Some(true) { Ok(()) } else { Err(format!("f0{miner} does not have that power")) }
}

fn set_faulty(
    state: &mut StateTree,
    miner: &Address,
    sectors: &BitField,
    faulty: bool,
) -> Result<(), String> {
    let id = miner_of(state, miner)?;
    let before = state.clone();
    let changed = state.update_miner(id, |miner| {
        let changed = miner.deadlines.to_mut().set_faulty(sectors, faulty);
        changed.len() * miner.info.sector_size
    });
    // All sectors so far are without deals, so each has the power of its size.
    let power = Power::of_bytes(u128::from(changed.unwrap_or_default()));
    let delta = if faulty { Power::default().minus(&power) } else { power };
    let done = add_power(state, id, &delta);
    if done.is_err() {
        *state = before;
    }
    done
}

/// `[kind, …fields]`.
impl Encode for StateChange {
    fn encode(&self, w: &mut Writer) {
        let (kind, fields) = match self {
            Self::SetBalance { .. } => (1, 2),
            Self::AddBalance { .. } => (2, 2),
            Self::GrantPower { .. } => (3, 3),
            Self::FaultSectors { .. } => (4, 2),
            Self::RecoverSectors { .. } => (5, 2),
            Self::SetBaseFee { .. } => (6, 1),
        };
        w.array(1 + fields);
        w.uint(kind);
        match self {
            Self::SetBalance { address, balance: amount } | Self::AddBalance { address, amount } => {
                address.encode(w);
                amount.encode(w);
            }
            Self::GrantPower { miner, raw, quality_adjusted } => {
                miner.encode(w);
                raw.encode(w);
                quality_adjusted.encode(w);
            }
            Self::FaultSectors { miner, sectors } | Self::RecoverSectors { miner, sectors } => {
                miner.encode(w);
                sectors.encode(w);
            }
            Self::SetBaseFee { base_fee } => base_fee.encode(w),
        }
    }
}

impl Decode for StateChange {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        decode_change(r).in_field("StateChange")
    }
}

fn decode_change(r: &mut Reader<'_>) -> Result<StateChange, CborError> {
    let start = r.offset();
    let len = r.array(4)?;
    let kind = r.uint().in_field("Kind")?;
    Ok(match (kind, len) {
        (1, 3) => StateChange::SetBalance { address: Decode::decode(r)?, balance: Decode::decode(r)? },
        (2, 3) => StateChange::AddBalance { address: Decode::decode(r)?, amount: Decode::decode(r)? },
        (3, 4) => StateChange::GrantPower {
            miner: Decode::decode(r)?,
            raw: Decode::decode(r)?,
            quality_adjusted: Decode::decode(r)?,
        },
        (4, 3) => StateChange::FaultSectors { miner: Decode::decode(r)?, sectors: Decode::decode(r)? },
        (5, 3) => StateChange::RecoverSectors { miner: Decode::decode(r)?, sectors: Decode::decode(r)? },
        (6, 2) => StateChange::SetBaseFee { base_fee: Decode::decode(r)? },
        _ => return Err(CborError::new(start, CborErrorKind::Invalid("no change that is known"))),
    })
}
