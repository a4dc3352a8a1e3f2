//! Failed calls, and what they mean where they were made.
//!
//! [`classify`](crate::rpc::classify) reads what a text alone can say. A node says "could not find" of a tipset, a
//! block and a message alike, so the rest depends on what was asked.

use cid::Cid;
use fvm_shared::address::Address;

use crate::api::{ChainError, PoolReject};
use crate::error::{Classify, ErrorKind};
use crate::rpc::classify::chain_error;
use crate::rpc::{CallError, codes};
use crate::types::TipsetKey;

/// A call that failed.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) method: &'static str,
    pub(super) error: CallError,
}

/// What Lotus and Venus say of something that is not in their store.
const NOT_THERE: [&str; 4] =
    ["could not find", "loading tipset", "load tipset", "blockstore: block not found"];

impl Fault {
    /// Whether the node does not have the method.
    pub(super) fn is_missing(&self) -> bool {
        matches!(&self.error, CallError::Rpc(error) if error.code == codes::METHOD_NOT_FOUND)
            || matches!(&self.error, CallError::NeedsWebSocket(_))
    }

    /// Whether another try may help, or the effect is unknown.
    pub(super) fn is_retryable(&self) -> bool {
        self.error.kind().is_retryable()
    }

    /// Whether the node's text has one of `parts`, which are in lower case.
    pub(super) fn says(&self, parts: &[&str]) -> bool {
        let CallError::Rpc(error) = &self.error else { return false };
        let text = error.message.to_ascii_lowercase();
        parts.iter().any(|part| text.contains(part))
    }

    fn names(&self, cid: &Cid) -> bool {
        matches!(&self.error, CallError::Rpc(error) if error.message.contains(&cid.to_string()))
    }

    /// Whether the node has nothing of this CID; `None` for a text that names no CID of ours.
    pub(super) fn lacks(&self, cid: &Cid) -> bool {
        self.names(cid) && self.says(&NOT_THERE)
    }

    pub(super) fn not_there(&self) -> bool {
        self.says(&NOT_THERE) || matches!(self.error.kind(), ErrorKind::NotFound)
    }

    /// What the text alone says.
    pub(super) fn plain(self) -> ChainError {
        chain_error(self.method, self.error)
    }

    /// The fault of a call that names a tipset.
    pub(super) fn at(self, key: &TipsetKey) -> ChainError {
        if self.says(&NOT_THERE) && !key.is_empty() {
            return ChainError::TipsetNotFound(key.to_string());
        }
        self.plain()
    }

    /// The fault of a call that names an actor and a tipset.
    pub(super) fn of_actor(self, address: &Address, key: &TipsetKey) -> ChainError {
        if self.no_actor() {
            return ChainError::ActorNotFound(*address);
        }
        self.at(key)
    }

    pub(super) fn no_actor(&self) -> bool {
        self.says(&["actor not found", "failed to find actor", "actor code 0", "resolution lookup failed"])
            || matches!(&self.error, CallError::Rpc(error) if error.code == ACTOR_NOT_FOUND)
    }

    /// The fault of a call that names a block.
    pub(super) fn of_block(self, cid: &Cid) -> ChainError {
        if self.not_there() { ChainError::BlockNotFound(*cid) } else { self.plain() }
    }

    /// The fault of a call that names a message.
    pub(super) fn of_message(self, cid: &Cid) -> ChainError {
        if self.not_there() { ChainError::MessageNotFound(*cid) } else { self.plain() }
    }

    /// The fault of a push.
    pub(super) fn of_push(self) -> ChainError {
        let text = match &self.error {
            CallError::Rpc(error) => error.message.clone(),
            _ => return self.plain(),
        };
        if self.says(&["validate signature", "signature verification failed", "invalid signature"]) {
            return PoolReject::Signature(text).into();
        }
        // A sender that does not exist is one without funds.
        if self.no_actor() {
            return PoolReject::InsufficientFunds.into();
        }
        match self.says(&["not valid for block inclusion"]) {
            true => PoolReject::Invalid(text).into(),
            false => self.plain(),
        }
    }

    /// The fault of a dry run of a message from `sender`.
    pub(super) fn of_execution(self, sender: &Address) -> ChainError {
        let text = match &self.error {
            CallError::Rpc(error) => error.message.clone(),
            _ => return self.plain(),
        };
        if self.says(&["message execution failed", "call ran out of gas"]) {
            return match exit_code(&text) {
                Some(exit_code) => ChainError::ExecutionFailed { exit_code, reason: text },
                None => self.plain(),
            };
        }
        if self.no_actor() { ChainError::ActorNotFound(*sender) } else { self.plain() }
    }
}

/// Lotus's code of a missing actor.
const ACTOR_NOT_FOUND: i64 = 11;

/// `exit SysErrInvalidReceiver(5)`, `exit=[SysErrInvalidReceiver(5)]`.
fn exit_code(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("exit")?;
    let (_, rest) = rest.split_once('(')?;
    rest.split_once(')')?.0.parse().ok()
}

/// A second error that says the same, for a second caller.
pub(super) fn copy_call(error: &CallError) -> CallError {
    match error {
        CallError::Rpc(error) => CallError::Rpc(error.clone()),
        CallError::Timeout { method, after } => CallError::Timeout { method: method.clone(), after: *after },
        CallError::Disconnected => CallError::Disconnected,
        CallError::Unreachable { url, source } => {
            CallError::Unreachable { url: url.clone(), source: source.to_string().into() }
        }
        CallError::Status { status, body } => CallError::Status { status: *status, body: body.clone() },
        CallError::Decode { method, reason } => {
            CallError::Decode { method: method.clone(), reason: reason.clone() }
        }
        CallError::Params { method, reason } => {
            CallError::Params { method: method.clone(), reason: reason.clone() }
        }
        CallError::NeedsWebSocket(what) => CallError::NeedsWebSocket(what.clone()),
        CallError::TooBig { what, size, limit } => CallError::TooBig { what, size: *size, limit: *limit },
        CallError::TooMany(calls) => CallError::TooMany(*calls),
        CallError::Closed => CallError::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::RpcError;

    fn fault(text: &str) -> Fault {
        Fault { method: "Filecoin.X", error: RpcError::new(1, text).into() }
    }

    #[test]
    fn exit_codes_of_both_nodes() {
        let sender = Address::new_id(100);
        for (text, code) in [
            ("message execution failed (exit=[SysErrInvalidReceiver(5)], vm error=[x (RetCode=5)])", 5),
            ("estimating gas used: message execution failed: exit SysErrInsufficientFunds(6), reason: y", 6),
        ] {
            match fault(text).of_execution(&sender) {
                ChainError::ExecutionFailed { exit_code, .. } => assert_eq!(exit_code, code),
                other => panic!("{other:?}"),
            }
        }
        for text in
            ["getting key address: resolution lookup failed: actor not found", "failed to find actor: t0100"]
        {
            assert!(matches!(fault(text).of_execution(&sender), ChainError::ActorNotFound(a) if a == sender));
        }
    }

    #[test]
    fn what_is_not_there_depends_on_the_question() {
        let cid = crate::types::blake2b_cid(b"x");
        let key = TipsetKey::from(vec![cid]);
        let text = format!("ipld: could not find {cid}");
        assert!(matches!(fault(&text).at(&key), ChainError::TipsetNotFound(_)));
        assert!(matches!(fault(&text).of_block(&cid), ChainError::BlockNotFound(c) if c == cid));
        assert!(matches!(fault(&text).of_message(&cid), ChainError::MessageNotFound(c) if c == cid));
        assert!(fault(&text).lacks(&cid) && !fault(&text).lacks(&crate::types::blake2b_cid(b"y")));
    }

    #[test]
    fn pushes_are_refused_by_class() {
        let reject = |text| match fault(text).of_push() {
            ChainError::Pool(reject) => reject,
            other => panic!("{other:?}"),
        };
        assert!(matches!(reject("failed to validate signature: x"), PoolReject::Signature(_)));
        assert!(matches!(reject("message not valid for block inclusion: 'Version'"), PoolReject::Invalid(_)));
        assert!(matches!(reject("unfulfilled nonce gap"), PoolReject::NonceGap));
    }
}
