//! Executing one message.

use std::borrow::Cow;

use fvm_shared::ActorID;
use fvm_shared::address::Payload;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use fvm_shared::message::Message;
use num_bigint::BigInt;
use venus_core::consensus::gas::GasOutputs;
use venus_core::crypto::delegated::EAM_NAMESPACE;
use venus_core::types::{ExecutionTrace, MessageExt, Receipt};

use super::Context;
use super::abort::Abort;
use super::gas::{self, Gas, inclusion_gas};
use super::machine::{Call, Machine};
use crate::state::{Actor, ActorState, BURNT_FUNDS, REWARD, StateTree};

/// What became of a message.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) receipt: Receipt,
    /// Why the exit code is not 0, in words.
    pub(crate) reason: Cow<'static, str>,
    /// What the block's miner earns, attoFIL; it lies in the reward actor.
    pub(crate) tip: TokenAmount,
    /// What the block's miner has to pay, attoFIL.
    pub(crate) penalty: TokenAmount,
    /// Who got what of the gas; `None` if nobody paid.
    pub(crate) gas: Option<GasOutputs>,
    /// What happened inside, if it was asked for.
    pub(crate) trace: Option<ExecutionTrace>,
}

/// Executes a message: takes the gas, calls the method, pays out the gas.
///
/// `chain_len` is the length of what the block holds of the message. A message that should not have been in a
/// block at all changes nothing, and the miner pays for it.
pub(super) fn apply(
    state: &mut StateTree,
    context: &Context,
    message: &Message,
    chain_len: usize,
    tracing: bool,
) -> Applied {
    let inclusion = inclusion_gas(chain_len);
    let sender = match preflight(state, message, inclusion) {
        Ok(sender) => sender,
        Err(abort) => return refused(abort, &context.base_fee, inclusion),
    };
    let reserved = message.gas_cost();
    state.update(sender, |actor| {
        actor.balance -= &reserved;
        actor.nonce += 1;
        become_account(actor);
    });
    let applied = run(state, sender, message, inclusion, message.gas_limit, tracing);
    let gas = GasOutputs::compute(
        u64::try_from(applied.receipt.gas_used).unwrap_or_default(),
        message.gas_limit,
        &context.base_fee,
        &message.gas_fee_cap,
        &message.gas_premium,
    );
    credit(state, BURNT_FUNDS, &(&gas.base_fee_burn + &gas.over_estimation_burn));
    credit(state, REWARD, &gas.miner_tip);
    credit(state, sender, &gas.refund);
    Applied { tip: gas.miner_tip.clone(), penalty: gas.miner_penalty.clone(), gas: Some(gas), ..applied }
}

/// Executes a message of the system, or one whose gas does not count. Nobody pays.
pub(super) fn run(
    state: &mut StateTree,
    sender: ActorID,
    message: &Message,
    inclusion: u64,
    gas_limit: u64,
    tracing: bool,
) -> Applied {
    let mut gas = Gas::new(gas_limit);
    // Preflight has checked that there is as much.
    let _ = gas.charge(inclusion);
    let call = Call {
        from: sender,
        to: message.to,
        value: message.value.clone(),
        method: message.method_num,
        params: message.params.bytes().to_vec(),
    };
    let mut machine = Machine::new(state, gas, message.from, message.sequence, tracing);
    let (called, mut trace) = machine.call(&call, 0);
    let used = machine.gas.used();
    if let Some(trace) = trace.as_mut().filter(|_| inclusion > 0) {
        trace.gas_charges.insert(0, gas::charge("OnChainMessage", inclusion));
    }
    let receipt = Receipt::new(called.code, called.returned, i64::try_from(used).unwrap_or(i64::MAX));
    Applied {
        receipt,
        reason: called.reason,
        tip: TokenAmount::default(),
        penalty: TokenAmount::default(),
        gas: None,
        trace,
    }
}

/// What must hold before anybody is charged.
fn preflight(state: &StateTree, message: &Message, inclusion: u64) -> Result<ActorID, Abort> {
    if inclusion > message.gas_limit {
        return Err(Abort::new(ExitCode::SYS_OUT_OF_GAS, "gas limit does not cover inclusion"));
    }
    let sender = state.find(&message.from).filter(|(_, actor)| may_send(actor));
    let Some((id, actor)) = sender else {
        return Err(Abort::new(ExitCode::SYS_SENDER_INVALID, "sender is no account"));
    };
    if actor.nonce != message.sequence {
        return Err(Abort::new(ExitCode::SYS_SENDER_STATE_INVALID, "sender is at another nonce"));
    }
    if actor.balance < message.gas_cost() {
        return Err(Abort::new(ExitCode::SYS_SENDER_STATE_INVALID, "sender cannot pay for the gas"));
    }
    Ok(id)
}

/// Whether an actor may send messages. A placeholder may if an Ethereum key stands behind it, and becomes an
/// account by its first message.
pub(crate) fn may_send(actor: &Actor) -> bool {
    match actor.state() {
        ActorState::Account { .. } => actor.key_address().is_some(),
        ActorState::EthAccount { .. } => true,
        ActorState::Placeholder { address } => {
            actor.nonce == 0
                && matches!(address.payload(), Payload::Delegated(d) if d.namespace() == EAM_NAMESPACE)
        }
        _ => false,
    }
}

fn refused(abort: Abort, base_fee: &TokenAmount, inclusion: u64) -> Applied {
    Applied {
        receipt: Receipt::new(abort.code, Vec::new(), 0),
        reason: abort.reason,
        tip: TokenAmount::default(),
        penalty: TokenAmount::from_atto(base_fee.atto() * BigInt::from(inclusion)),
        gas: None,
        trace: None,
    }
}

fn become_account(actor: &mut Actor) {
    if let ActorState::Placeholder { address } = actor.state() {
        let address = *address;
        actor.set_state(ActorState::EthAccount { address });
    }
}

fn credit(state: &mut StateTree, id: ActorID, amount: &TokenAmount) {
    if !amount.is_zero() {
        state.update(id, |actor| actor.balance += amount);
    }
}

#[cfg(test)]
mod tests;
