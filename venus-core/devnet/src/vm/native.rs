//! The native machine: actors in Rust.

use std::collections::HashMap;

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use venus_core::actors::reward::{AWARD_BLOCK_REWARD, AwardBlockRewardParams};
use venus_core::cbor::Encode;

use super::actors::EPOCH_TICK;
use super::gas::inclusion_gas;
use super::message::{self, run};
use super::{Applied, ApplyMode, Context, ExecBlock, Outcome, TipsetExec, Vm, change};
use crate::message::Verified;
use crate::state::{CRON, REWARD, SYSTEM, StateTree, StateView};

/// Gas limit of implicit messages, as nodes write it.
const IMPLICIT_GAS: u64 = (i64::MAX / 2) as u64;

/// Executes with the actors of this crate.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NativeVm;

impl Vm for NativeVm {
    fn apply_tipset(&self, parent: &StateTree, exec: &TipsetExec<'_>) -> Outcome {
        let mut run = Run::new(parent, exec);
        for epoch in parent.next_epoch()..exec.epoch {
            run.end_epoch(epoch);
        }
        let mut nonces = HashMap::new();
        for block in exec.blocks {
            run.block(block, &mut nonces);
        }
        run.end_epoch(exec.epoch);
        run.outcome
    }

    fn apply_one(
        &self,
        state: &mut StateTree,
        context: &Context,
        message: &Message,
        mode: ApplyMode,
    ) -> Applied {
        let sender = state.resolve(&message.from).unwrap_or(SYSTEM);
        match mode {
            ApplyMode::Explicit { chain_len } => message::apply(state, context, message, chain_len, false),
            ApplyMode::Estimate { chain_len } => {
                run(state, sender, message, inclusion_gas(chain_len), u64::MAX, false)
            }
            ApplyMode::Call => run(state, sender, message, 0, u64::MAX, true),
        }
    }

    fn root(&self, state: &StateTree) -> Cid {
        state.root()
    }

    fn view<'a>(&self, state: &'a StateTree, epoch: ChainEpoch) -> StateView<'a> {
        StateView { tree: state, epoch }
    }
}

/// The execution of a tipset.
struct Run<'e> {
    exec: &'e TipsetExec<'e>,
    context: Context,
    outcome: Outcome,
}

impl<'e> Run<'e> {
    fn new(parent: &StateTree, exec: &'e TipsetExec<'e>) -> Self {
        let outcome = Outcome {
            state: parent.clone(),
            messages: Vec::new(),
            receipts: Vec::new(),
            traces: Vec::new(),
            next_base_fee: None,
        };
        Self { exec, context: Context { base_fee: exec.base_fee.clone() }, outcome }
    }

    fn block(&mut self, block: &ExecBlock, nonces: &mut HashMap<ActorID, u64>) {
        let (mut tips, mut penalty) = (TokenAmount::default(), TokenAmount::default());
        for message in &block.messages {
            if !is_next(&self.outcome.state, nonces, message) {
                continue;
            }
            let content = &message.signed.message;
            let state = &mut self.outcome.state;
            let applied = message::apply(state, &self.context, content, message.chain_len, self.exec.trace);
            tips += &applied.tip;
            penalty += &applied.penalty;
            self.outcome.receipts.push(applied.receipt.clone());
            self.outcome.messages.push(message.clone());
            self.keep(content.clone(), applied);
        }
        let params = AwardBlockRewardParams {
            miner: Address::new_id(block.miner),
            penalty,
            gas_reward: tips,
            win_count: block.win_count,
        };
        self.implicit(REWARD, AWARD_BLOCK_REWARD, params.to_cbor());
    }

    /// Cron, and what the admin wants to be done at the end of the epoch.
    fn end_epoch(&mut self, epoch: ChainEpoch) {
        self.implicit(CRON, EPOCH_TICK, Vec::new());
        for (_, wanted) in self.exec.changes.iter().filter(|(at, _)| *at == epoch) {
            // What has become impossible since it was asked for is left undone.
            if let Ok(Some(base_fee)) = change::apply(&mut self.outcome.state, wanted) {
                self.outcome.next_base_fee = Some(base_fee);
            }
        }
    }

    /// A message of the system. None of them fails as a whole.
    fn implicit(&mut self, to: ActorID, method_num: u64, params: Vec<u8>) {
        let message = Message {
            version: 0,
            from: Address::new_id(SYSTEM),
            to: Address::new_id(to),
            sequence: self.exec.epoch.unsigned_abs(),
            value: TokenAmount::default(),
            method_num,
            params: params.into(),
            gas_limit: IMPLICIT_GAS,
            gas_fee_cap: TokenAmount::default(),
            gas_premium: TokenAmount::default(),
        };
        let applied = run(&mut self.outcome.state, SYSTEM, &message, 0, u64::MAX, self.exec.trace);
        if !applied.receipt.exit_code.is_success() {
            tracing::error!(to, method_num, reason = %applied.reason, "an implicit message failed");
        }
        self.keep(message, applied);
    }

    fn keep(&mut self, message: Message, applied: Applied) {
        if self.exec.trace {
            self.outcome.traces.push((message, applied));
        }
    }
}

/// Whether a message has its sender's next nonce. Blocks of one tipset are made without knowledge of each other,
/// so they may hold the same message, or others with the same nonce: the first one counts (Lotus, `SelectMessages`).
fn is_next(state: &StateTree, nonces: &mut HashMap<ActorID, u64>, message: &Verified) -> bool {
    let Some((sender, actor)) = state.find(&message.signed.message.from) else { return false };
    let next = nonces.entry(sender).or_insert(actor.nonce);
    let found = *next == message.nonce();
    *next += u64::from(found);
    found
}
