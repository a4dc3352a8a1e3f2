//! Asking the node and the signer: with a deadline each, and what their errors mean for a message.

use std::time::Duration;

use fvm_shared::error::ExitCode;
use fvm_shared::message::Message;
use venus_core::api::{ChainError, SignerError};
use venus_core::crypto::{delegated, verify_message};
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{MessageExt, MsgMeta, Protocol, Receipt, SignedMessage};

use crate::messager::Inner;

/// Gas that including a message costs (FVM price list since network version 16: `on_chain_message`).
const ON_CHAIN_COMPUTE: u64 = 38_863;
const ON_CHAIN_STORAGE_BYTES: u64 = 36;
const ON_CHAIN_GAS_PER_BYTE: u64 = 1_300;

/// How far a failure before the signature reaches.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The message can never be sent.
    Fatal(String),
    /// This message cannot be sent now. Others can.
    Message(String),
    /// No message of the sender can be sent now.
    Sender(String),
}

/// Sorts a failure of the gas estimate.
pub(crate) fn estimate_trouble(e: &ChainError) -> Trouble {
    let text = format!("gas estimate: {e}");
    match e {
        ChainError::ExecutionFailed { exit_code, .. } if depends_on_state(*exit_code) => {
            Trouble::Message(text)
        }
        _ => match e.kind() {
            ErrorKind::Invalid => Trouble::Fatal(text),
            ErrorKind::NotFound | ErrorKind::Conflict => Trouble::Message(text),
            _ if matches!(e, ChainError::Pool(_)) => Trouble::Message(text),
            _ => Trouble::Sender(text),
        },
    }
}

/// Whether the same message may succeed on another state: funds arrive, actors are made, time passes. What a message
/// says about itself (a parameter that cannot be read, a method that does not exist) never heals.
fn depends_on_state(exit_code: u32) -> bool {
    let never =
        [ExitCode::USR_ILLEGAL_ARGUMENT, ExitCode::USR_SERIALIZATION, ExitCode::USR_UNHANDLED_MESSAGE];
    !never.contains(&ExitCode::new(exit_code))
}

/// Sorts a failure of the signer.
pub(crate) fn sign_trouble(e: &SignerError) -> Trouble {
    let text = format!("signature: {e}");
    match e {
        // Policy looks at the message, so the next one may pass.
        SignerError::Denied(_) => Trouble::Message(text),
        _ => match e.kind() {
            ErrorKind::Invalid | ErrorKind::Unsupported => Trouble::Fatal(text),
            _ => Trouble::Sender(text),
        },
    }
}

/// Gas that including `signed` in a block costs: the least gas limit.
pub(crate) fn inclusion_gas(signed: &SignedMessage) -> u64 {
    let bytes = signed.chain_bytes().len() as u64;
    ON_CHAIN_COMPUTE + (ON_CHAIN_STORAGE_BYTES + bytes) * ON_CHAIN_GAS_PER_BYTE
}

/// Whether two messages are the same call under one nonce: all fields but gas (Lotus `EqualCall`).
pub(crate) fn same_call(a: &Message, b: &Message) -> bool {
    a.sequence == b.sequence
        && a.version == b.version
        && a.from == b.from
        && a.to == b.to
        && a.value == b.value
        && a.method_num == b.method_num
        && a.params == b.params
}

/// Whether a receipt says that the message was applied. A message in a block whose sender state does not fit (another
/// one with its nonce went before it in the tipset) gets a receipt too, but uses up no nonce.
pub(crate) fn was_applied(receipt: &Receipt) -> bool {
    let refused = [ExitCode::SYS_SENDER_INVALID, ExitCode::SYS_SENDER_STATE_INVALID];
    let unpaid = receipt.exit_code == ExitCode::SYS_OUT_OF_GAS && receipt.gas_used == 0;
    !refused.contains(&receipt.exit_code) && !unpaid
}

/// Runs a call of the node within `limit`.
pub(crate) async fn within<T>(
    limit: Duration,
    method: &'static str,
    call: impl Future<Output = Result<T, ChainError>>,
) -> Result<T, ChainError> {
    tokio::time::timeout(limit, call).await.unwrap_or(Err(ChainError::Timeout { method, after: limit }))
}

impl Inner {
    /// [`within`] the configured time.
    pub(crate) async fn ask<T>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, ChainError>>,
    ) -> Result<T, ChainError> {
        within(self.config.node_timeout, method, call).await
    }

    /// Signs and checks the answer: a signature that does not verify would pin the nonce to a message that no node
    /// takes.
    pub(crate) async fn sign(&self, message: &Message) -> Result<SignedMessage, SignerError> {
        let chain_id = self.chain_id(message).await?;
        let to_sign = match chain_id {
            Some(id) => delegated::signing_bytes(message, id).map_err(|e| SignerError::BadPayload {
                msg_type: venus_core::types::MsgType::ChainMessage,
                reason: e.to_string(),
            })?,
            None => message.cid().to_bytes(),
        };
        let meta = MsgMeta::chain_message(message);
        let signing = self.deps.signer.sign(&message.from, &to_sign, &meta);
        let signature = tokio::time::timeout(self.config.sign_timeout, signing)
            .await
            .unwrap_or(Err(SignerError::Timeout))?;
        let signed = SignedMessage { message: message.clone(), signature };
        verify_message(&signed, &message.from, chain_id.unwrap_or_default())
            .map_err(|e| SignerError::BadSignature(e.to_string()))?;
        Ok(signed)
    }

    /// The chain ID that delegated keys sign; `None` for other keys.
    async fn chain_id(&self, message: &Message) -> Result<Option<u64>, SignerError> {
        if message.from.protocol() != Protocol::Delegated {
            return Ok(None);
        }
        let network = self.ask("network", self.deps.chain.network()).await;
        Ok(Some(network.map_err(|e| SignerError::Transport(e.into()))?.eip155_chain_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use venus_core::api::PoolReject;
    use venus_core::types::Address;

    #[test]
    fn failures_of_the_estimate_reach_as_far_as_they_should() {
        let failed = |exit_code| ChainError::ExecutionFailed { exit_code, reason: "x".into() };
        for exit_code in [6, 7, 17, 18, 19, 20] {
            assert!(matches!(estimate_trouble(&failed(exit_code)), Trouble::Message(_)), "{exit_code}");
        }
        for exit_code in [16, 21, 22] {
            assert!(matches!(estimate_trouble(&failed(exit_code)), Trouble::Fatal(_)), "{exit_code}");
        }
        let actor = ChainError::ActorNotFound(Address::new_id(1));
        assert!(matches!(estimate_trouble(&actor), Trouble::Message(_)));
        assert!(matches!(estimate_trouble(&ChainError::Invalid("x".into())), Trouble::Fatal(_)));
        assert!(matches!(estimate_trouble(&PoolReject::InsufficientFunds.into()), Trouble::Message(_)));
        assert!(matches!(estimate_trouble(&ChainError::Closed), Trouble::Sender(_)));
        let timeout = ChainError::Timeout { method: "x", after: Duration::ZERO };
        assert!(matches!(estimate_trouble(&timeout), Trouble::Sender(_)));
    }

    #[test]
    fn failures_of_the_signer_reach_as_far_as_they_should() {
        assert!(matches!(sign_trouble(&SignerError::Denied("x".into())), Trouble::Message(_)));
        assert!(matches!(sign_trouble(&SignerError::Timeout), Trouble::Sender(_)));
        assert!(matches!(sign_trouble(&SignerError::Locked), Trouble::Sender(_)));
        assert!(matches!(sign_trouble(&SignerError::KeyNotFound(Address::new_id(1))), Trouble::Sender(_)));
        let kind = venus_core::types::MsgType::ChainMessage;
        assert!(matches!(sign_trouble(&SignerError::Mismatch(kind)), Trouble::Fatal(_)));
    }

    #[test]
    fn a_receipt_of_an_unapplied_message_is_no_landing() {
        let receipt = |code, gas| Receipt::new(ExitCode::new(code), Vec::new(), gas);
        assert!(was_applied(&receipt(0, 0)));
        assert!(was_applied(&receipt(33, 5)));
        assert!(was_applied(&receipt(7, 5)));
        for (code, gas) in [(1, 0), (2, 0), (7, 0)] {
            assert!(!was_applied(&receipt(code, gas)));
        }
    }
}
