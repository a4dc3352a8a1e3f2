//! What an actor's method sees of the world.

use fvm_shared::address::{Address, Payload};
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use fvm_shared::{ActorID, METHOD_SEND, MethodNum};
use venus_core::actors::ActorKind;
use venus_core::cbor::Decode;
use venus_core::types::ExecutionTrace;

use super::abort::Abort;
use super::machine::{Call, Called, Machine};
use crate::state::{Actor, ActorState, BURNT_FUNDS, MinerState, MultisigState, StateTree};

/// Who may send messages of their own, or wallets that stand for such.
const SIGNABLE: [ActorKind; 3] = [ActorKind::Account, ActorKind::EthAccount, ActorKind::Multisig];

/// One call of a method. All that the method does ends with the call if it fails.
#[derive(Debug)]
pub(super) struct Runtime<'m, 'a> {
    machine: &'m mut Machine<'a>,
    caller: ActorID,
    receiver: ActorID,
    value: TokenAmount,
    depth: u32,
    subcalls: Vec<ExecutionTrace>,
}

impl<'m, 'a> Runtime<'m, 'a> {
    pub(super) fn new(machine: &'m mut Machine<'a>, call: &Call, receiver: ActorID, depth: u32) -> Self {
        Self { machine, caller: call.from, receiver, value: call.value.clone(), depth, subcalls: Vec::new() }
    }

    pub(super) fn into_subcalls(self) -> Vec<ExecutionTrace> {
        self.subcalls
    }
}

/// Facts of the call.
impl Runtime<'_, '_> {
    pub(super) fn caller(&self) -> ActorID {
        self.caller
    }

    pub(super) fn receiver(&self) -> ActorID {
        self.receiver
    }

    /// What came with the call, attoFIL; it is in the balance already.
    pub(super) fn value(&self) -> &TokenAmount {
        &self.value
    }

    pub(super) fn epoch(&self) -> ChainEpoch {
        self.state().next_epoch()
    }

    /// The receiver's own balance, attoFIL.
    pub(super) fn balance(&self) -> TokenAmount {
        self.state().get(self.receiver).map(|actor| actor.balance.clone()).unwrap_or_default()
    }

    /// Fails unless the caller is one of `allowed`.
    pub(super) fn require_caller(&self, allowed: &[ActorID]) -> Result<(), Abort> {
        if allowed.contains(&self.caller) {
            return Ok(());
        }
        Err(Abort::forbidden(format!("caller f0{} is not one of those who may", self.caller)))
    }

    /// Fails unless the caller is of a kind.
    pub(super) fn require_kind(&self, allowed: &[ActorKind]) -> Result<(), Abort> {
        let kind = self.kind_of(self.caller);
        if kind.is_some_and(|kind| allowed.contains(&kind)) {
            return Ok(());
        }
        let kind = kind.map_or("nobody", ActorKind::name);
        Err(Abort::forbidden(format!("caller f0{} is of the kind {kind}, which may not", self.caller)))
    }

    /// Fails unless the caller is an account or a wallet.
    pub(super) fn require_signable(&self) -> Result<(), Abort> {
        self.require_kind(&SIGNABLE)
    }

    /// Whether an actor is an account or a wallet.
    pub(super) fn is_signable(&self, id: ActorID) -> bool {
        self.kind_of(id).is_some_and(|kind| SIGNABLE.contains(&kind))
    }

    pub(super) fn kind_of(&self, id: ActorID) -> Option<ActorKind> {
        self.state().get(id).map(Actor::kind)
    }
}

/// The state. What a method changes of others it must have a right to: methods are part of the protocol.
impl Runtime<'_, '_> {
    pub(super) fn state(&self) -> &StateTree {
        self.machine.state
    }

    pub(super) fn state_mut(&mut self) -> &mut StateTree {
        self.machine.state
    }

    /// Replaces the receiver's own state.
    pub(super) fn set_state(&mut self, state: ActorState) {
        let receiver = self.receiver;
        self.state_mut().update(receiver, |actor| actor.set_state(state));
    }

    /// The receiver's own state as that of a miner.
    pub(super) fn miner(&self) -> Result<&MinerState, Abort> {
        self.state().miner(self.receiver).ok_or_else(|| Abort::state("the receiver is no miner"))
    }

    /// The same, to be changed.
    pub(super) fn with_miner<T>(&mut self, change: impl FnOnce(&mut MinerState) -> T) -> Result<T, Abort> {
        let receiver = self.receiver;
        let changed = self.state_mut().update_miner(receiver, change);
        changed.ok_or_else(|| Abort::state("the receiver is no miner"))
    }

    /// The receiver's own state as that of a wallet of several keys.
    pub(super) fn multisig(&self) -> Result<&MultisigState, Abort> {
        self.state().multisig(self.receiver).ok_or_else(|| Abort::state("the receiver is no multisig"))
    }

    /// The same, to be changed.
    pub(super) fn with_multisig<T>(
        &mut self,
        change: impl FnOnce(&mut MultisigState) -> T,
    ) -> Result<T, Abort> {
        let receiver = self.receiver;
        let changed = self.state_mut().update_multisig(receiver, change);
        changed.ok_or_else(|| Abort::state("the receiver is no multisig"))
    }

    /// The ID behind an address, or a refusal of the argument.
    pub(super) fn resolve(&self, address: &Address) -> Result<ActorID, Abort> {
        let id = self.state().resolve(address);
        id.ok_or_else(|| Abort::argument(format!("no actor has the address {address}")))
    }
}

/// Effects.
impl Runtime<'_, '_> {
    /// Takes gas for what depends on the parameters.
    pub(super) fn charge(&mut self, gas: u64) -> Result<(), Abort> {
        if self.machine.gas.charge(gas) { Ok(()) } else { Err(Abort::out_of_gas()) }
    }

    /// Calls another actor. That the call fails is not an error here: see [`Called::ok`].
    ///
    /// # Errors
    /// If the message is out of gas.
    pub(super) fn send(
        &mut self,
        to: &Address,
        method: MethodNum,
        params: Vec<u8>,
        value: &TokenAmount,
    ) -> Result<Called, Abort> {
        let call = Call { from: self.receiver, to: *to, value: value.clone(), method, params };
        let (called, trace) = self.machine.call(&call, self.depth + 1);
        self.subcalls.extend(trace);
        if called.code == ExitCode::SYS_OUT_OF_GAS && self.machine.gas.is_exhausted() {
            return Err(Abort::out_of_gas());
        }
        Ok(called)
    }

    /// Calls an actor by its ID and takes its failure for one's own.
    pub(super) fn send_to(
        &mut self,
        to: ActorID,
        method: MethodNum,
        params: Vec<u8>,
        value: &TokenAmount,
    ) -> Result<Vec<u8>, Abort> {
        self.send(&Address::new_id(to), method, params, value)?.ok()
    }

    /// Pays an actor from the receiver's balance.
    pub(super) fn pay(&mut self, to: ActorID, value: &TokenAmount) -> Result<(), Abort> {
        if value.is_zero() {
            return Ok(());
        }
        self.send_to(to, METHOD_SEND, Vec::new(), value).map(drop)
    }

    /// Destroys some of the receiver's balance.
    pub(super) fn burn(&mut self, value: &TokenAmount) -> Result<(), Abort> {
        self.pay(BURNT_FUNDS, value)
    }

    /// The ID behind an address. Keys that have no actor yet get one.
    pub(super) fn resolve_or_create(&mut self, address: &Address) -> Result<ActorID, Abort> {
        if let Some(id) = self.state().resolve(address) {
            return Ok(id);
        }
        if !matches!(address.payload(), Payload::ID(_) | Payload::Actor(_)) {
            self.send(address, METHOD_SEND, Vec::new(), &TokenAmount::default())?.ok()?;
        }
        self.resolve(address)
    }

    /// Makes an actor that has no state yet, and answers its ID and its `f2` address. Its constructor is next.
    pub(super) fn create(&mut self, kind: ActorKind) -> (ActorID, Address) {
        let robust = self.machine.next_robust_address();
        let id = self.state_mut().take_id();
        let mut actor = Actor::new(ActorState::Blank(kind));
        actor.robust = Some(robust);
        self.state_mut().put(id, actor);
        (id, robust)
    }
}

/// Reads parameters.
pub(super) fn read<T: Decode>(params: &[u8]) -> Result<T, Abort> {
    T::from_cbor(params).map_err(|e| Abort::new(ExitCode::USR_SERIALIZATION, format!("parameters: {e}")))
}

/// Refuses parameters.
pub(super) fn nothing(params: &[u8]) -> Result<(), Abort> {
    if params.is_empty() { Ok(()) } else { Err(Abort::argument("the method takes no parameters")) }
}
