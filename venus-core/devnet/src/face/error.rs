//! What went wrong, in the words of the node that a face looks like.
//!
//! Lotus has typed errors with codes of their own, Venus nothing but texts, Forest Lotus's texts under other codes.
//! Clients tell errors apart by these texts, so they are the nodes' own.

use fvm_shared::address::{Address, Network};
use serde_json::json;
use venus_core::api::{BlockReject, ChainError, PoolReject};
use venus_core::error::Classify;
use venus_core::rpc::{RpcError, codes};
use venus_core::types::address;

use super::FaceKind;

/// Lotus: the dry run ran out of gas.
const OUT_OF_GAS: i64 = 2;
/// Lotus: the message would fail. `data` is what the contract returned, hexadecimal.
const EXECUTION_REVERTED: i64 = 3;
/// Lotus: fast finality is there and does not run yet.
pub(super) const F3_NOT_READY: i64 = 10;
/// Lotus: no block was made at the epoch in `data`.
const NULL_ROUND: i64 = 12;
/// Lotus and Forest: a state upgrade lies at the epoch in `data`.
const EXPENSIVE_FORK: i64 = -32002;
/// Forest: whatever a method returns.
const FOREST_INTERNAL: i64 = -32603;
/// The exit code of a message that ran out of gas.
const EXIT_OUT_OF_GAS: u32 = 7;

/// Why a handler has no answer.
#[derive(Debug)]
pub(crate) enum FaceError {
    /// Something the chain says; the words depend on the face.
    Chain(ChainError),
    /// Words of the handler's own.
    Said(RpcError),
}

impl FaceError {
    /// A refusal in the handler's words, with the code of everything that a method returns.
    pub(crate) fn said(text: impl Into<String>) -> Self {
        Self::Said(RpcError::new(codes::METHOD, text))
    }
}

impl From<ChainError> for FaceError {
    fn from(error: ChainError) -> Self {
        Self::Chain(error)
    }
}

/// The error as a node of this kind puts it on the wire.
pub(super) fn wire_error(kind: FaceKind, error: &FaceError) -> RpcError {
    let said = match error {
        FaceError::Said(said) => said.clone(),
        FaceError::Chain(error) => of_chain(kind, error).with_kind(error.kind()),
    };
    match kind {
        // In the end Forest has one code for whatever its methods return.
        FaceKind::Forest if (codes::METHOD..=NULL_ROUND).contains(&said.code) => {
            RpcError { code: FOREST_INTERNAL, ..said }
        }
        FaceKind::Lotus | FaceKind::Venus | FaceKind::Forest => said,
    }
}

fn of_chain(kind: FaceKind, error: &ChainError) -> RpcError {
    let text = match kind {
        FaceKind::Venus => venus(error),
        FaceKind::Lotus | FaceKind::Forest => lotus(error),
    };
    match (kind, error) {
        (FaceKind::Venus, _) => RpcError::new(codes::METHOD, text),
        (_, ChainError::ExecutionFailed { exit_code: EXIT_OUT_OF_GAS, .. }) => {
            RpcError::new(OUT_OF_GAS, text)
        }
        (_, ChainError::ExecutionFailed { .. }) => RpcError::new(EXECUTION_REVERTED, text).with_data(&"0x"),
        (_, ChainError::NullRound(epoch)) => RpcError::new(NULL_ROUND, text).with_data(epoch),
        (_, ChainError::ExpensiveFork(epoch)) => RpcError::new(EXPENSIVE_FORK, text).with_data(&json!(epoch)),
        _ => RpcError::new(codes::METHOD, text),
    }
}

fn lotus(error: &ChainError) -> String {
    match error {
        ChainError::MessageNotFound(cid) => format!("ipld: could not find {cid}"),
        ChainError::HeightAhead { wanted, head } => {
            format!("looking for tipset with height greater than start point, req: {wanted}, head: {head}")
        }
        ChainError::ExecutionFailed { exit_code: EXIT_OUT_OF_GAS, .. } => "call ran out of gas".into(),
        ChainError::ExecutionFailed { exit_code, reason } => format!(
            "message execution failed (exit=[{}], vm error=[{reason} (RetCode={exit_code})])",
            exit_text(*exit_code)
        ),
        ChainError::Pool(PoolReject::Signature(why)) => {
            format!("signature verification failed: failed to validate signature: {why}")
        }
        other => shared(other),
    }
}

fn venus(error: &ChainError) -> String {
    match error {
        ChainError::MessageNotFound(cid) => {
            format!("failed to get secp message {cid}: ipld: could not find {cid}")
        }
        ChainError::HeightAhead { .. } => "looking for tipset with height greater than start point".into(),
        ChainError::ExecutionFailed { .. } => format!("estimating gas used: {}", failed_in_venus(error)),
        ChainError::ActorNotFound(who) => format!("address is :{}: actor not found", text_of(who)),
        ChainError::Pool(PoolReject::Signature(why)) => format!("failed to validate signature: {why}"),
        other => shared(other),
    }
}

/// What Venus says of a message that fails in a dry run, without what it was run for.
pub(super) fn failed_in_venus(error: &ChainError) -> String {
    match error {
        ChainError::ExecutionFailed { exit_code, reason } => format!(
            "message execution failed: exit {}, reason: {reason} (RetCode={exit_code})",
            exit_text(*exit_code)
        ),
        other => venus(other),
    }
}

fn shared(error: &ChainError) -> String {
    match error {
        ChainError::TipsetNotFound(key) => {
            let first = key.split(',').next().unwrap_or_default().trim_matches(['{', '}']);
            format!("loading tipset {key}: get block {first}: ipld: could not find {first}")
        }
        ChainError::BlockNotFound(cid) => format!("ipld: could not find {cid}"),
        ChainError::ActorNotFound(_) => "actor not found".into(),
        ChainError::NullRound(epoch) => format!("requested epoch was a null round ({epoch})"),
        ChainError::Pool(reject) => pool(reject),
        ChainError::Block(reject) => block(reject),
        other => other.to_string(),
    }
}

fn pool(reject: &PoolReject) -> String {
    match reject {
        PoolReject::NonceTooLow { expected } => format!("minimum expected nonce is {expected}: {LOW_NONCE}"),
        PoolReject::ReplacePremiumTooLow { min_premium } => format!(
            "message already in mpool, increase GasPremium to {min_premium} to trigger replace by fee: \
             replace by fee has too low GasPremium"
        ),
        PoolReject::InsufficientFunds => {
            "mpool push: not enough funds including pending: not enough funds to execute transaction".into()
        }
        PoolReject::TooBig => "mpool message too large (max: 65536 bytes): message too big".into(),
        other => other.to_string(),
    }
}

const LOW_NONCE: &str = "message nonce too low";

pub(super) fn block(reject: &BlockReject) -> String {
    match reject {
        BlockReject::SlashFilter { witness } => {
            format!("<!!> SLASH FILTER DETECTED FAULT due to witness {witness}")
        }
        BlockReject::UnknownParents => "loading parent block: ipld: could not find it".into(),
        BlockReject::MissingMessage(cid) => {
            format!("failed to load bls messages: ipld: could not find {cid}")
        }
        other => format!("sync to submitted block failed: {other}"),
    }
}

/// Texts here are made without a face at hand; development networks have one prefix.
fn text_of(who: &Address) -> String {
    address::format(who, Network::Testnet)
}

/// An exit code as Go prints it.
pub(super) fn exit_text(code: u32) -> String {
    let name = match code {
        0 => "Ok",
        1 => "SysErrSenderInvalid",
        2 => "SysErrSenderStateInvalid",
        4 => "SysErrIllegalInstruction",
        5 => "SysErrInvalidReceiver",
        6 => "SysErrInsufficientFunds",
        7 => "SysErrOutOfGas",
        9 => "SysErrIllegalExitCode",
        10 => "SysErrFatal",
        11 => "SysErrMissingReturn",
        16 => "ErrIllegalArgument",
        17 => "ErrNotFound",
        18 => "ErrForbidden",
        19 => "ErrInsufficientFunds",
        20 => "ErrIllegalState",
        21 => "ErrSerialization",
        22 => "ErrUnhandledMessage",
        23 => "ErrUnspecified",
        24 => "ErrAssertionFailed",
        25 => "ErrReadOnly",
        26 => "ErrNotPayable",
        _ => return code.to_string(),
    };
    format!("{name}({code})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: FaceKind, error: ChainError) -> (i64, String) {
        let error = wire_error(kind, &FaceError::Chain(error));
        (error.code, error.message)
    }

    #[test]
    fn codes_depend_on_the_node() {
        let failed = || ChainError::ExecutionFailed { exit_code: 5, reason: "no such actor".into() };
        let lotus = "message execution failed (exit=[SysErrInvalidReceiver(5)], vm error=[no such actor (RetCode=5)])";
        assert_eq!(of(FaceKind::Lotus, failed()), (3, lotus.into()));
        assert_eq!(of(FaceKind::Forest, failed()), (-32603, lotus.into()));
        let venus = "estimating gas used: message execution failed: exit SysErrInvalidReceiver(5), \
                     reason: no such actor (RetCode=5)";
        assert_eq!(of(FaceKind::Venus, failed()), (1, venus.into()));
        let spent = || ChainError::ExecutionFailed { exit_code: 7, reason: String::new() };
        assert_eq!(of(FaceKind::Lotus, spent()), (2, "call ran out of gas".into()));
        assert_eq!(of(FaceKind::Lotus, ChainError::NullRound(9)).0, 12);
        assert_eq!(of(FaceKind::Lotus, ChainError::ExpensiveFork(Some(9))).0, -32002);
        assert_eq!(of(FaceKind::Forest, ChainError::ExpensiveFork(Some(9))).0, -32002);
    }

    #[test]
    fn words_depend_on_the_node() {
        let ahead = || ChainError::HeightAhead { wanted: 98, head: 93 };
        let text = "looking for tipset with height greater than start point";
        assert_eq!(of(FaceKind::Venus, ahead()).1, text);
        assert_eq!(of(FaceKind::Lotus, ahead()).1, format!("{text}, req: 98, head: 93"));
        let bad = || ChainError::Pool(PoolReject::Signature("x".into()));
        assert_eq!(of(FaceKind::Venus, bad()).1, "failed to validate signature: x");
        assert_eq!(
            of(FaceKind::Lotus, bad()).1,
            "signature verification failed: failed to validate signature: x"
        );
    }
}
