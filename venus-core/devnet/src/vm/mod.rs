//! Executing messages and tipsets.
//!
//! [`Vm`] is the seam: the chain knows nothing else of execution but who may send, and what inclusion costs. The native machine behind it has a module for each
//! actor with a table of its methods; whatever a method does it does through the [`runtime`].

mod abort;
mod actors;
mod change;
mod gas;
mod machine;
mod message;
mod native;
mod runtime;

use std::fmt::Debug;
use std::sync::Arc;

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use venus_core::types::Receipt;

use crate::message::Verified;
use crate::state::{StateTree, StateView};

pub use change::StateChange;
pub(crate) use change::apply as apply_change;
pub(crate) use gas::inclusion_gas;
pub(crate) use message::{Applied, may_send};
pub(crate) use native::NativeVm;

/// What messages are executed under. The epoch is that of the state.
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

/// A tipset as the machine sees it.
#[derive(Clone, Debug)]
pub(crate) struct TipsetExec<'a> {
    /// Its height. Every epoch since that of the parent ends, too.
    pub(crate) epoch: ChainEpoch,
    /// attoFIL.
    pub(crate) base_fee: TokenAmount,
    /// In the order of the tipset.
    pub(crate) blocks: &'a [ExecBlock],
    /// What the admin changes, by the epoch at whose end it does.
    pub(crate) changes: &'a [(ChainEpoch, StateChange)],
    /// Whether to keep what happened inside of calls.
    pub(crate) trace: bool,
}

/// What a tipset left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) state: StateTree,
    /// The messages that were executed, in order; those that another block of the tipset had already are not.
    pub(crate) messages: Vec<Arc<Verified>>,
    /// One for each message.
    pub(crate) receipts: Vec<Receipt>,
    /// Everything that was executed in order, implicit messages included; empty unless asked for.
    pub(crate) traces: Vec<(Message, Applied)>,
    /// The base fee that the admin wants next, attoFIL.
    pub(crate) next_base_fee: Option<TokenAmount>,
}

/// How to execute a single message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApplyMode {
    /// As if a block had it, with `chain_len` bytes: gas is paid, the nonce must be right.
    Explicit {
        /// Bytes of what the block holds of it.
        chain_len: usize,
    },
    /// To see what gas it takes: as in a block, but with gas enough, any nonce, and nobody pays.
    Estimate {
        /// Bytes of what a block would hold of it.
        chain_len: usize,
    },
    /// For the answer's sake: any sender, any nonce, no gas for inclusion, and nobody pays.
    Call,
}

/// Executes messages.
pub(crate) trait Vm: Debug + Send + Sync {
    /// Executes the blocks of a tipset on the state that they build on: first the ends of the null rounds before it,
    /// then the messages block by block with the reward of each, then the end of its own epoch.
    fn apply_tipset(&self, parent: &StateTree, exec: &TipsetExec<'_>) -> Outcome;

    /// Executes one message on a state. There is a trace of calls only.
    fn apply_one(
        &self,
        state: &mut StateTree,
        context: &Context,
        message: &Message,
        mode: ApplyMode,
    ) -> Applied;

    /// CID of a state.
    fn root(&self, state: &StateTree) -> Cid;

    /// What may be asked of a state, as seen at an epoch.
    fn view<'a>(&self, state: &'a StateTree, epoch: ChainEpoch) -> StateView<'a>;
}
