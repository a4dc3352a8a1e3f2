//! The actors: a module for each, with a table of its methods.
//!
//! Parameters, return values, caller checks and exit codes are those of the actors of network version 28. A new
//! method is a row in its actor's table; a new actor is a module, a table and a row in [`table`].

mod account;
mod cron;
mod init;
mod miner;
mod multisig;
mod power;
mod reward;
#[cfg(test)]
mod tests;

use fvm_shared::MethodNum;
use venus_core::actors::ActorKind;
use venus_core::actors::methods::FIRST_EXPORTED;
use venus_core::cbor::{Encode, Writer};
use venus_core::types::BigInt;

use super::abort::Returned;
use super::runtime::Runtime;

pub(super) use cron::EPOCH_TICK;

/// Parameters that travel between actors: tuples of their fields in order.
macro_rules! params_tuple {
    ($($(#[$doc:meta])* $vis:vis struct $name:ident { $($field:ident: $type:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $vis struct $name {
            $(pub(in crate::vm::actors) $field: $type,)+
        }

        impl venus_core::cbor::Encode for $name {
            fn encode(&self, w: &mut venus_core::cbor::Writer) {
                w.array([$(stringify!($field)),+].len() as u64);
                $(self.$field.encode(w);)+
            }
        }

        impl venus_core::cbor::Decode for $name {
            fn decode(r: &mut venus_core::cbor::Reader<'_>) -> Result<Self, venus_core::cbor::CborError> {
                use venus_core::cbor::FieldContext;
                r.tuple([$(stringify!($field)),+].len() as u64)?;
                Ok(Self { $($field: venus_core::cbor::Decode::decode(r).in_field(stringify!($field))?,)+ })
            }
        }
    )+};
}
use params_tuple;

/// A method of an actor.
#[derive(Debug)]
pub(super) struct Method {
    /// Its number, and that under which contracts may call it, if there is one.
    numbers: &'static [MethodNum],
    /// What a call costs; methods charge more for what depends on the parameters.
    pub(super) gas: u64,
    pub(super) run: fn(&mut Runtime<'_, '_>, &[u8]) -> Returned,
}

/// A row of a table.
const fn row(
    numbers: &'static [MethodNum],
    gas: u64,
    run: fn(&mut Runtime<'_, '_>, &[u8]) -> Returned,
) -> Method {
    Method { numbers, gas, run }
}

/// A method by its number.
pub(super) fn method(kind: ActorKind, number: MethodNum) -> Option<&'static Method> {
    table(kind).iter().find(|method| method.numbers.contains(&number))
}

fn table(kind: ActorKind) -> &'static [Method] {
    match kind {
        ActorKind::Account => account::METHODS,
        ActorKind::Cron => cron::METHODS,
        ActorKind::Init => init::METHODS,
        ActorKind::Market => cron::MARKET_METHODS,
        ActorKind::Miner => miner::METHODS,
        ActorKind::Multisig => multisig::METHODS,
        ActorKind::Power => power::METHODS,
        ActorKind::Reward => reward::METHODS,
        _ => &[],
    }
}

/// Whether an actor lets a call pass that it knows nothing of: accounts and wallets do so for all methods whose
/// numbers are hashes (FRC-0042), so that contracts can notify anybody, and placeholders for all.
pub(super) fn takes_anything(kind: ActorKind, number: MethodNum) -> bool {
    let receives = matches!(kind, ActorKind::Account | ActorKind::EthAccount | ActorKind::Multisig);
    kind == ActorKind::Placeholder || (receives && number >= FIRST_EXPORTED && method(kind, number).is_none())
}

/// The estimate of a value that stands still, `[position, velocity]`, with 128 fractional bits.
fn encode_estimate(value: &BigInt, w: &mut Writer) {
    w.array(2);
    (value << 128usize).encode(w);
    BigInt::ZERO.encode(w);
}
