//! Executing tipsets.

mod actors;
mod gas;
mod message;
mod reward;

use std::collections::HashMap;
use std::sync::Arc;

use fvm_shared::ActorID;
use fvm_shared::econ::TokenAmount;
use venus_core::types::Receipt;

use crate::message::Verified;
use crate::state::StateTree;

pub(crate) use actors::may_send;
pub(crate) use gas::inclusion_gas;
pub(crate) use message::{Applied, apply_message, dry_run};

/// What messages are executed under.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The base fee that its headers name, attoFIL.
    pub(crate) base_fee: TokenAmount,
}

/// A block as the machine sees it.
#[derive(Clone, Debug)]
pub(crate) struct ExecBlock {
    pub(crate) miner: ActorID,
    pub(crate) win_count: i64,
    /// BLS messages, then the others.
    pub(crate) messages: Vec<Arc<Verified>>,
}

/// What a tipset left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) state: StateTree,
    /// The messages that were executed, in order; those that another block of the tipset had already are not.
    pub(crate) messages: Vec<Arc<Verified>>,
    /// One for each message.
    pub(crate) receipts: Vec<Receipt>,
}

/// Executes the blocks of a tipset, in its order, on the state that they build on.
pub(crate) fn apply_tipset(parent: &StateTree, context: &Context, blocks: &[ExecBlock]) -> Outcome {
    let mut outcome = Outcome { state: parent.clone(), messages: Vec::new(), receipts: Vec::new() };
    let mut nonces = HashMap::new();
    for block in blocks {
        let (mut tips, mut penalty) = (TokenAmount::default(), TokenAmount::default());
        for message in &block.messages {
            if !is_next(parent, &mut nonces, message) {
                continue;
            }
            let applied =
                apply_message(&mut outcome.state, context, &message.signed.message, message.chain_len);
            tips += applied.tip;
            penalty += applied.penalty;
            outcome.receipts.push(applied.receipt);
            outcome.messages.push(message.clone());
        }
        reward::award(&mut outcome.state, block.miner, block.win_count, &tips, &penalty);
    }
    outcome
}

/// Whether a message has its sender's next nonce. Blocks of one tipset are made without knowledge of each other,
/// so they may hold the same message, or others with the same nonce: the first one counts (Lotus, `SelectMessages`).
fn is_next(parent: &StateTree, nonces: &mut HashMap<ActorID, u64>, message: &Verified) -> bool {
    let Some((sender, actor)) = parent.find(&message.signed.message.from) else { return false };
    let next = nonces.entry(sender).or_insert(actor.nonce);
    let found = *next == message.nonce();
    *next += u64::from(found);
    found
}
