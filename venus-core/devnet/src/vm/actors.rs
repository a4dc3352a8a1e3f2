//! The methods of actors.

use fvm_shared::address::{Address, Payload};
use fvm_shared::error::ExitCode;
use fvm_shared::{ActorID, METHOD_CONSTRUCTOR, METHOD_SEND, MethodNum};
use venus_core::cbor::Encode;
use venus_core::crypto::delegated::EAM_NAMESPACE;

use crate::state::{Actor, ActorState, StateTree};

/// Method of an account that answers its key address.
pub(super) const PUBKEY_ADDRESS: MethodNum = 2;
/// From here on method numbers are hashes of names (FRC-0042). Accounts accept them all, so that contracts can
/// notify anybody.
const FIRST_EXPORTED: MethodNum = 1 << 24;

/// Why a call failed.
#[derive(Debug)]
pub(super) struct Abort {
    pub(super) code: ExitCode,
    pub(super) reason: &'static str,
}

impl Abort {
    pub(super) fn new(code: ExitCode, reason: &'static str) -> Self {
        Self { code, reason }
    }
}

/// Finds the receiver of a call, or creates the account that its address stands for.
pub(super) fn receiver(state: &mut StateTree, to: &Address) -> Result<ActorID, Abort> {
    if let Some(id) = state.resolve(to) {
        return Ok(id);
    }
    match to.payload() {
        Payload::Secp256k1(_) | Payload::BLS(_) => Ok(state.create(ActorState::Account { address: *to })),
        Payload::Delegated(_) => Ok(state.create(ActorState::Placeholder { address: *to })),
        Payload::ID(_) | Payload::Actor(_) => {
            Err(Abort::new(ExitCode::SYS_INVALID_RECEIVER, "no actor has the recipient's address"))
        }
    }
}

/// Runs a method after its value has arrived, and answers what it returns.
pub(super) fn invoke(state: &StateTree, id: ActorID, method: MethodNum) -> Result<Vec<u8>, Abort> {
    let Some(actor) = state.get(id) else {
        return Err(Abort::new(ExitCode::SYS_INVALID_RECEIVER, "no such actor"));
    };
    match (actor.state(), method) {
        (_, METHOD_SEND) | (ActorState::Placeholder { .. }, _) => Ok(Vec::new()),
        (_, METHOD_CONSTRUCTOR) => {
            Err(Abort::new(ExitCode::USR_FORBIDDEN, "the constructor was called before"))
        }
        (ActorState::Account { address }, PUBKEY_ADDRESS) => Ok(address.to_cbor()),
        (ActorState::Account { .. } | ActorState::EthAccount { .. }, FIRST_EXPORTED..) => Ok(Vec::new()),
        _ => Err(Abort::new(ExitCode::USR_UNHANDLED_MESSAGE, "the actor does not have this method")),
    }
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
