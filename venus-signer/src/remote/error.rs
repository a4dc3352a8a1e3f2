//! What the errors of other wallets mean.

use venus_core::api::SignerError;
use venus_core::error::{Classify, ErrorKind};
use venus_core::rpc::{CallError, classify};
use venus_core::types::{Address, MsgType};

/// What a request was about: error texts name neither.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    pub(super) signer: Address,
    pub(super) msg_type: MsgType,
}

pub(super) fn signer_error(error: CallError, about: About) -> SignerError {
    classify::signer_error(error, &about.signer, about.msg_type)
}

/// Whether the same call may be repeated: signing and looking are idempotent, but refusals stay refusals.
pub(super) fn is_worth_repeating(error: &CallError) -> bool {
    match error {
        CallError::Rpc(error) => error.kind.is_some_and(ErrorKind::is_retryable),
        other => other.kind().is_retryable() && !matches!(other, CallError::Closed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use venus_core::rpc::RpcError;

    #[test]
    fn refusals_are_not_repeated() {
        assert!(!is_worth_repeating(&CallError::Status { status: 401, body: String::new() }));
        assert!(is_worth_repeating(&CallError::Status { status: 502, body: String::new() }));
        assert!(is_worth_repeating(&CallError::Disconnected));
        assert!(!is_worth_repeating(&RpcError::new(1, "wallet locked").into()));
    }
}
