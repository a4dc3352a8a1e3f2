//! Executing one message.

use fvm_shared::ActorID;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use fvm_shared::message::Message;
use num_bigint::BigInt;
use venus_core::consensus::gas::GasOutputs;
use venus_core::types::{MessageExt, Receipt};

use super::Context;
use super::actors::{Abort, invoke, may_send, receiver};
use super::gas::{inclusion_gas, method_gas};
use crate::state::{Actor, ActorState, BURNT_FUNDS, REWARD, StateTree};

/// What became of a message.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) receipt: Receipt,
    /// Why the exit code is not 0, in words.
    pub(crate) reason: &'static str,
    /// What the block's miner earns, attoFIL; it lies in the reward actor.
    pub(crate) tip: TokenAmount,
    /// What the block's miner has to pay, attoFIL.
    pub(crate) penalty: TokenAmount,
}

/// Executes a message: takes the gas, calls the method, pays out the gas.
///
/// `chain_len` is the length of what the block holds of the message. A message that should not have been in a
/// block at all changes nothing, and the miner pays for it.
pub(crate) fn apply_message(
    state: &mut StateTree,
    context: &Context,
    message: &Message,
    chain_len: usize,
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
    let call = call(state, sender, message, inclusion);
    let gas = GasOutputs::compute(
        call.gas_used,
        message.gas_limit,
        &context.base_fee,
        &message.gas_fee_cap,
        &message.gas_premium,
    );
    credit(state, BURNT_FUNDS, &(&gas.base_fee_burn + &gas.over_estimation_burn));
    credit(state, REWARD, &gas.miner_tip);
    credit(state, sender, &gas.refund);
    let receipt = Receipt::new(call.code, call.returned, gas_number(call.gas_used));
    Applied { receipt, reason: call.reason, tip: gas.miner_tip, penalty: gas.miner_penalty }
}

/// Executes a message on a copy of the state as if it had gas enough and the right nonce, and nobody paid for it.
pub(crate) fn dry_run(state: &StateTree, sender: ActorID, message: &Message, chain_len: usize) -> Applied {
    let unbounded = Message { gas_limit: u64::MAX, ..message.clone() };
    let call = call(&mut state.clone(), sender, &unbounded, inclusion_gas(chain_len));
    Applied {
        receipt: Receipt::new(call.code, call.returned, gas_number(call.gas_used)),
        reason: call.reason,
        tip: TokenAmount::default(),
        penalty: TokenAmount::default(),
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

fn refused(abort: Abort, base_fee: &TokenAmount, inclusion: u64) -> Applied {
    Applied {
        receipt: Receipt::new(abort.code, Vec::new(), 0),
        reason: abort.reason,
        tip: TokenAmount::default(),
        penalty: TokenAmount::from_atto(base_fee.atto() * BigInt::from(inclusion)),
    }
}

struct Call {
    code: ExitCode,
    reason: &'static str,
    returned: Vec<u8>,
    gas_used: u64,
}

/// Calls the method. A failed call leaves nothing behind but the gas it used.
fn call(state: &mut StateTree, sender: ActorID, message: &Message, inclusion: u64) -> Call {
    let existing = state.find(&message.to).map(|(_, actor)| actor.state());
    let gas = inclusion.saturating_add(method_gas(existing, message.method_num));
    if gas > message.gas_limit {
        let (code, reason) = (ExitCode::SYS_OUT_OF_GAS, "out of gas");
        return Call { code, reason, returned: Vec::new(), gas_used: message.gas_limit };
    }
    let before = state.clone();
    match send(state, sender, message) {
        Ok(returned) => Call { code: ExitCode::OK, reason: "", returned, gas_used: gas },
        Err(Abort { code, reason }) => {
            *state = before;
            Call { code, reason, returned: Vec::new(), gas_used: gas }
        }
    }
}

fn send(state: &mut StateTree, sender: ActorID, message: &Message) -> Result<Vec<u8>, Abort> {
    let to = receiver(state, &message.to)?;
    if !state.transfer(sender, to, &message.value) {
        return Err(Abort::new(ExitCode::SYS_INSUFFICIENT_FUNDS, "sender cannot pay the value"));
    }
    invoke(state, to, message.method_num)
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

fn gas_number(gas: u64) -> i64 {
    i64::try_from(gas).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
