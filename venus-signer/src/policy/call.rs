//! What a message does: its own call, and the calls that it proposes to a multisig.

use std::borrow::Cow;

use venus_core::actors::{ActorKind, init, multisig};
use venus_core::cbor::Decode;
use venus_core::types::{ActorID, Address, BigInt, Message, Network, TokenAmount, address, fil};

use super::kinds::{Kinds, may_be_aliases, possible, unmasked};
use super::methods;

/// How many proposals may be inside of each other.
pub(crate) const MAX_DEPTH: usize = 4;
/// `ProposeExported`.
const PROPOSE_EXPORTED: u64 = 1_696_838_335;

/// What a call is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The message itself.
    Message,
    /// Proposed to a multisig.
    Proposal,
    /// The constructor of an actor that the message makes.
    Constructor,
}

/// A call of an actor.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) role: Role,
    pub(crate) to: Address,
    /// attoFIL; a value above 2^128 counts as the greatest number, so that no cap lets it pass.
    pub(crate) value: u128,
    pub(crate) method: u64,
    pub(crate) params: Cow<'a, [u8]>,
    /// What the recipient may be.
    pub(crate) kinds: Kinds,
    pub(crate) version: Option<u32>,
    pub(crate) id: Option<ActorID>,
}

/// Whether a listed address is a call's recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Same {
    Yes,
    No,
    /// They may be two addresses of one actor.
    Maybe,
}

/// What is inside a call.
pub(crate) enum Inside<'a> {
    Nothing,
    Call(Call<'a>),
    /// Something that cannot be read.
    Unreadable(&'static str),
}

/// attoFIL as a number; `None` for less than nothing.
pub(crate) fn atto(amount: &TokenAmount) -> Option<u128> {
    let atto: &BigInt = amount.atto();
    if amount.is_negative() { None } else { Some(u128::try_from(atto).unwrap_or(u128::MAX)) }
}

/// An amount as people read it.
pub(crate) fn fil_text(atto: u128) -> String {
    fil(&TokenAmount::from_atto(atto))
}

pub(crate) fn text(to: &Address) -> String {
    address::format(to, Network::Mainnet)
}

impl<'a> Call<'a> {
    /// The call of a message; `None` if its value is negative.
    pub(crate) fn of(message: &'a Message) -> Option<Self> {
        let params = Cow::Borrowed(message.params.bytes());
        Some(Self::new(Role::Message, &message.to, atto(&message.value)?, message.method_num, params))
    }

    fn new(role: Role, to: &Address, value: u128, method: u64, params: Cow<'a, [u8]>) -> Self {
        let to = unmasked(to);
        Self { role, to, value, method, params, kinds: possible(&to), version: None, id: to.id().ok() }
    }

    pub(crate) fn same(&self, listed: &Address, listed_kinds: Kinds) -> Same {
        if *listed == self.to {
            return Same::Yes;
        }
        match (listed.id().ok(), self.id) {
            (Some(listed), Some(own)) => return if listed == own { Same::Yes } else { Same::No },
            _ if !self.kinds.meets(listed_kinds) => return Same::No,
            _ => {}
        }
        if may_be_aliases(listed, &self.to) { Same::Maybe } else { Same::No }
    }

    /// What it proposes or makes.
    pub(crate) fn inside(&self) -> Inside<'static> {
        let propose = matches!(self.method, multisig::PROPOSE | PROPOSE_EXPORTED);
        if propose && self.kinds.has(ActorKind::Multisig) {
            return self.proposal();
        }
        if self.method == init::EXEC && self.kinds.has(ActorKind::Init) {
            return self.constructor();
        }
        Inside::Nothing
    }

    fn proposal(&self) -> Inside<'static> {
        let Ok(proposed) = multisig::ProposeParams::from_cbor(&self.params) else {
            let other = self.kinds.only().is_none() && self.params.is_empty();
            return if other { Inside::Nothing } else { Inside::Unreadable("it may be a proposal") };
        };
        let Some(value) = atto(&proposed.value) else {
            return Inside::Unreadable("the proposed value is negative");
        };
        let params = Cow::Owned(proposed.params.to_vec());
        Inside::Call(Call::new(Role::Proposal, &proposed.to, value, proposed.method, params))
    }

    fn constructor(&self) -> Inside<'static> {
        let Ok(made) = init::ExecParams::from_cbor(&self.params) else {
            return Inside::Unreadable("the actor to be made");
        };
        let params = Cow::Owned(made.constructor_params.to_vec());
        let mut call = Call::new(Role::Constructor, &self.to, self.value, multisig::CONSTRUCTOR, params);
        // The init actor makes only these for anybody.
        call.kinds = Kinds::these(&[ActorKind::Multisig, ActorKind::Paych]);
        Inside::Call(call)
    }

    /// `miner.WithdrawBalance to f01000 with 1 FIL`.
    pub(crate) fn describe(&self) -> String {
        let method = methods::describe(self.kinds, self.method);
        let value = if self.value == 0 { String::new() } else { format!(" with {}", fil_text(self.value)) };
        let number = if self.method == 0 { String::new() } else { format!(" ({})", self.method) };
        let role = match self.role {
            Role::Message => "",
            Role::Proposal => "proposed ",
            Role::Constructor => "constructor: ",
        };
        format!("{role}{method}{number} to {}{value}", text(&self.to))
    }
}
