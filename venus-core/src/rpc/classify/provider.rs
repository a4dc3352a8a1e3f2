//! What the errors of wallets, provers and sealers mean, and of the gateways before them.
//!
//! Go's have no codes, so that texts tell; they are wrapped freely, and matched anywhere in any case. Services of ours
//! say the kind besides.

use std::time::Duration;

use fvm_shared::address::Address;

use super::super::error::{CallError, RpcError};
use crate::{
    api::{ProverError, SignerError, UnsealError},
    error::ErrorKind,
    types::MsgType,
};

/// What a request to sign came to.
///
/// ```
/// use venus_core::{api::SignerError, rpc::{RpcError, classify::signer_error}, types::{Address, MsgType}};
///
/// let key = Address::new_id(1);
/// let error = RpcError::new(1, "send request must have channel");
/// let error = signer_error(error.into(), &key, MsgType::ChainMessage);
/// assert!(matches!(error, SignerError::KeyNotFound(address) if address == key));
/// ```
pub fn signer_error(error: CallError, signer: &Address, msg_type: MsgType) -> SignerError {
    let bad_payload = |reason| SignerError::BadPayload { msg_type, reason };
    match error {
        CallError::Rpc(error) => refused_to_sign(&error, *signer, msg_type),
        CallError::Timeout { .. } => SignerError::Timeout,
        CallError::Status { status: status @ (401 | 403), .. } => SignerError::Denied(token_refused(status)),
        CallError::Params { reason, .. } => bad_payload(bounded(&reason)),
        CallError::TooBig { .. } => bad_payload(error.to_string()),
        CallError::Decode { reason, .. } => SignerError::BadSignature(bounded(&reason)),
        other => SignerError::Transport(Box::new(other)),
    }
}

fn refused_to_sign(error: &RpcError, signer: Address, msg_type: MsgType) -> SignerError {
    use SigningMeaning as M;
    let text = signing_meaning(&error.message);
    let meaning = match (error.kind, text) {
        (Some(ErrorKind::NotFound), _) => Some(M::NoKey),
        (Some(ErrorKind::Denied | ErrorKind::Unauthenticated), Some(M::Locked)) => Some(M::Locked),
        (Some(ErrorKind::Denied | ErrorKind::Unauthenticated), _) => Some(M::Denied),
        (Some(ErrorKind::Invalid | ErrorKind::Conflict), Some(M::Mismatch)) => Some(M::Mismatch),
        (Some(ErrorKind::Invalid | ErrorKind::Conflict), _) => Some(M::BadPayload),
        (Some(ErrorKind::Unsupported), _) => Some(M::Unsupported),
        (Some(ErrorKind::Timeout), _) => Some(M::Late),
        (Some(ErrorKind::Corrupt), _) => Some(M::BadSignature),
        (Some(ErrorKind::Transient | ErrorKind::RateLimited), Some(M::Locked)) => Some(M::Locked),
        (Some(ErrorKind::Transient | ErrorKind::RateLimited), _) => Some(M::Lost),
        // Gateways of ours pass texts of wallets on without knowing what they mean.
        (Some(ErrorKind::Internal) | None, text) => text,
    };
    let reason = || bounded(&error.message);
    match meaning {
        Some(M::NoKey) => SignerError::KeyNotFound(signer),
        Some(M::Locked) => SignerError::Locked,
        Some(M::Denied) => SignerError::Denied(reason()),
        Some(M::Mismatch) => SignerError::Mismatch(msg_type),
        Some(M::BadPayload) => SignerError::BadPayload { msg_type, reason: reason() },
        Some(M::Unsupported) => {
            SignerError::Unsupported { msg_type, signer, reason: "the remote wallet does not sign it" }
        }
        Some(M::Late) => SignerError::Timeout,
        Some(M::BadSignature) => SignerError::BadSignature(reason()),
        Some(M::Lost) => SignerError::Transport(carried(error)),
        None => SignerError::Store(carried(error)),
    }
}

#[derive(Clone, Copy)]
enum SigningMeaning {
    NoKey,
    Locked,
    Denied,
    Mismatch,
    Unsupported,
    BadPayload,
    BadSignature,
    Late,
    Lost,
}

fn signing_meaning(message: &str) -> Option<SigningMeaning> {
    use SigningMeaning as M;
    // Refusals first: their reasons may quote anything.
    const TABLE: [(&str, M); 25] = [
        ("missing permission", M::Denied),
        ("denied by policy", M::Denied),
        ("wallet locked", M::Locked),
        ("wallet is locked", M::Locked),
        ("password not set", M::Locked),
        ("record not found", M::NoKey),
        ("key info not found", M::NoKey),
        ("key not found", M::NoKey),
        ("no key for", M::NoKey),
        ("none of the accounts", M::NoKey),
        ("send request must have channel", M::NoKey),
        ("sign data not match", M::Mismatch),
        ("bytes to sign differ", M::Mismatch),
        ("unsupported msgtype", M::Unsupported),
        ("unsupported method", M::Unsupported),
        ("parseobj failed", M::BadPayload),
        ("is not msg sender", M::BadPayload),
        ("unmarshaling params", M::BadPayload),
        ("does not verify", M::BadSignature),
        ("exceed wait time", M::Late),
        ("cancel by context", M::Late),
        ("no answer to", M::Late),
        ("channel closed", M::Lost),
        ("all request failed", M::Lost),
        ("overloaded", M::Lost),
    ];
    meant(message, &TABLE)
}

/// What a request for a proof came to. `after` is how long was waited at most.
pub fn prover_error(error: CallError, miner: &Address, after: Duration) -> ProverError {
    match error {
        CallError::Rpc(error) => refused_to_prove(&error, *miner, after),
        CallError::Timeout { .. } => ProverError::Timeout(after),
        CallError::Params { .. } | CallError::TooBig { .. } => ProverError::Invalid(error.to_string()),
        CallError::Status { status: 401 | 403, .. } | CallError::Decode { .. } => {
            ProverError::Failed(Box::new(error))
        }
        other => ProverError::Transport(Box::new(other)),
    }
}

fn refused_to_prove(error: &RpcError, miner: Address, after: Duration) -> ProverError {
    use ProvingMeaning as M;
    const TABLE: [(&str, M); 13] = [
        ("no connections for this miner", M::Nobody),
        ("cannot find any connection for miner", M::Nobody),
        ("no prover for", M::Nobody),
        ("must provide sectors", M::Invalid),
        ("no sectors to prove", M::Invalid),
        ("missing permission", M::Failed),
        ("no proof within", M::Late),
        ("no answer to", M::Late),
        ("exceed wait time", M::Late),
        ("cancel by context", M::Late),
        ("overloaded", M::Lost),
        ("channel closed", M::Lost),
        ("all request failed", M::Lost),
    ];
    let meaning = match error.kind {
        Some(ErrorKind::NotFound) => M::Nobody,
        Some(ErrorKind::Invalid) => M::Invalid,
        Some(ErrorKind::Timeout) => M::Late,
        Some(ErrorKind::Transient | ErrorKind::RateLimited) => M::Lost,
        Some(ErrorKind::Internal) | None => meant(&error.message, &TABLE).unwrap_or(M::Failed),
        Some(_) => M::Failed,
    };
    match (meaning, bad_sector(&error.message)) {
        (M::Nobody, _) => ProverError::NoProver(miner),
        (M::Invalid, _) => ProverError::Invalid(bounded(&error.message)),
        (M::Late, _) => ProverError::Timeout(after),
        (M::Lost, _) => ProverError::Transport(carried(error)),
        (M::Failed, Some((sector, reason))) => ProverError::Sector { sector, reason: bounded(reason) },
        (M::Failed, None) => ProverError::Failed(carried(error)),
    }
}

#[derive(Clone, Copy)]
enum ProvingMeaning {
    Nobody,
    Invalid,
    Late,
    Lost,
    Failed,
}

/// `sector 7: reason`, as [`ProverError::Sector`] is told.
fn bad_sector(message: &str) -> Option<(u64, &str)> {
    let (number, reason) = message.strip_prefix("sector ")?.split_once(": ")?;
    Some((number.parse().ok()?, reason))
}

/// What a question about unsealing came to. `after` is how long was waited at most.
pub fn unseal_error(error: CallError, miner: &Address, sector: u64, after: Duration) -> UnsealError {
    match error {
        CallError::Rpc(error) => refused_to_unseal(&error, *miner, sector, after),
        CallError::Timeout { .. } => UnsealError::Timeout(after),
        CallError::Status { status: 401 | 403, .. } => UnsealError::Denied(*miner),
        CallError::Params { .. } | CallError::TooBig { .. } => {
            UnsealError::Invalid("request: cannot be sent")
        }
        CallError::Decode { reason, .. } => UnsealError::Decode(bounded(&reason)),
        other => UnsealError::Transport(Box::new(other)),
    }
}

fn refused_to_unseal(error: &RpcError, miner: Address, sector: u64, after: Duration) -> UnsealError {
    use UnsealingMeaning as M;
    const TABLE: [(&str, M); 9] = [
        ("no connections for this miner", M::Nobody),
        ("cannot find any connection for miner", M::Nobody),
        ("no sealer for", M::Nobody),
        ("missing permission", M::Denied),
        ("denied", M::Denied),
        ("no answer to", M::Late),
        ("exceed wait time", M::Late),
        ("cancel by context", M::Late),
        ("not the request of a piece", M::Invalid),
    ];
    let lower = error.message.to_ascii_lowercase();
    let no_sector = lower.contains("sector") && lower.contains("not found");
    let meaning = match error.kind {
        Some(ErrorKind::NotFound) | Some(ErrorKind::Internal) | None if no_sector => M::NoSector,
        Some(ErrorKind::NotFound) => M::Nobody,
        Some(ErrorKind::Invalid) => M::Invalid,
        Some(ErrorKind::Denied | ErrorKind::Unauthenticated) => M::Denied,
        Some(ErrorKind::Timeout) => M::Late,
        Some(ErrorKind::Internal) | None => meant(&error.message, &TABLE).unwrap_or(M::Lost),
        Some(_) => M::Lost,
    };
    match meaning {
        M::Nobody => UnsealError::NoSealer(miner),
        M::NoSector => UnsealError::SectorNotFound { miner, sector },
        M::Invalid => UnsealError::Invalid("request: the sealer does not take it"),
        M::Denied => UnsealError::Denied(miner),
        M::Late => UnsealError::Timeout(after),
        M::Lost => UnsealError::Transport(carried(error)),
    }
}

#[derive(Clone, Copy)]
enum UnsealingMeaning {
    Nobody,
    NoSector,
    Invalid,
    Denied,
    Late,
    Lost,
}

fn meant<M: Copy>(message: &str, table: &[(&str, M)]) -> Option<M> {
    let text = message.to_ascii_lowercase();
    table.iter().find(|(part, _)| text.contains(part)).map(|(_, meaning)| *meaning)
}

/// The status is the server's word on the token; asking again with the same one cannot help.
fn token_refused(status: u16) -> String {
    format!("the service refuses the token (http status {status})")
}

fn carried(error: &RpcError) -> crate::error::BoxError {
    RpcError { kind: error.kind, ..RpcError::new(error.code, bounded(&error.message)) }.into()
}

/// As much of a foreign text as an error should carry.
fn bounded(text: &str) -> String {
    text.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Classify;

    fn signing(message: &str, kind: Option<ErrorKind>) -> SignerError {
        let error = RpcError { kind, ..RpcError::new(1, message) };
        signer_error(error.into(), &Address::new_id(1), MsgType::ChainMessage)
    }

    #[test]
    fn go_texts_about_signing_have_a_meaning() {
        use SignerError as E;
        type Is = fn(&E) -> bool;
        let cases: [(&str, Is); 18] = [
            ("record not found", |e| matches!(e, E::KeyNotFound(_))),
            ("signing using key 'f1x': key info not found", |e| matches!(e, E::KeyNotFound(_))),
            ("send request must have channel", |e| matches!(e, E::KeyNotFound(_))),
            ("wallet locked", |e| matches!(e, E::Locked)),
            ("password not set", |e| matches!(e, E::Locked)),
            ("missing permission to invoke 'WalletSign'  (need 'sign')", |e| matches!(e, E::Denied(_))),
            ("get sign bytes: parseObj failed:sign data not match, actual [1], expected [2]", |e| {
                matches!(e, E::Mismatch(MsgType::ChainMessage))
            }),
            ("get sign bytes: parseObj failed:bytes to sign differ from those of the block", |e| {
                matches!(e, E::Mismatch(MsgType::ChainMessage))
            }),
            ("get sign bytes: parseObj failed:unmarshaling t.To: EOF", |e| matches!(e, E::BadPayload { .. })),
            ("signer(f1a) is not msg sender(f1b)", |e| matches!(e, E::BadPayload { .. })),
            ("get sign bytes: unsupported msgtype:nonsense", |e| matches!(e, E::Unsupported { .. })),
            ("(error code -32700) unmarshaling params for 'Filecoin.WalletSign'", |e| {
                matches!(e, E::BadPayload { .. })
            }),
            ("send request cancel by context context deadline exceeded", |e| matches!(e, E::Timeout)),
            ("timer clean this request due to exceed wait time 2026-01-01 method WalletSign", |e| {
                matches!(e, E::Timeout)
            }),
            ("channel closed", |e| matches!(e, E::Transport(_))),
            ("all request failed: WalletSign channel closed", |e| matches!(e, E::Transport(_))),
            ("database is locked up", |e| matches!(e, E::Store(_))),
            ("", |e| matches!(e, E::Store(_))),
        ];
        for (text, is) in cases {
            for kind in [None, Some(ErrorKind::Internal)] {
                assert!(is(&signing(text, kind)), "{text}: {:?}", signing(text, kind));
            }
        }
    }

    #[test]
    fn kinds_of_ours_win_over_texts() {
        assert!(matches!(signing("wallet locked", Some(ErrorKind::Denied)), SignerError::Locked));
        assert!(matches!(signing("no", Some(ErrorKind::Denied)), SignerError::Denied(_)));
        assert!(matches!(signing("record not found", Some(ErrorKind::Denied)), SignerError::Denied(_)));
        assert!(matches!(signing("x", Some(ErrorKind::NotFound)), SignerError::KeyNotFound(_)));
        assert!(matches!(signing("x", Some(ErrorKind::Timeout)), SignerError::Timeout));
        assert!(matches!(signing("x", Some(ErrorKind::Corrupt)), SignerError::BadSignature(_)));
        assert!(matches!(signing("x", Some(ErrorKind::Transient)), SignerError::Transport(_)));
        assert!(matches!(signing("denied by policy: no key for it", None), SignerError::Denied(_)));
        let all = "all request failed: WalletSign wallet locked";
        assert!(matches!(signing(all, Some(ErrorKind::Transient)), SignerError::Locked));
    }

    #[test]
    fn tokens_that_are_refused_are_denials() {
        let refused = || CallError::Status { status: 401, body: String::new() };
        let (key, after) = (Address::new_id(1), Duration::from_secs(1));
        assert_eq!(signer_error(refused(), &key, MsgType::Block).kind(), ErrorKind::Denied);
        assert!(!prover_error(refused(), &key, after).kind().is_retryable());
        assert_eq!(unseal_error(refused(), &key, 1, after).kind(), ErrorKind::Denied);
    }

    #[test]
    fn texts_about_proofs_have_a_meaning() {
        use ProverError as E;
        type Is = fn(&E) -> bool;
        let cases: [(&str, Option<ErrorKind>, Is); 9] = [
            ("no connections for this miner f01000", None, |e| matches!(e, E::NoProver(_))),
            ("cannot find any connection for miner f01000", None, |e| matches!(e, E::NoProver(_))),
            ("must provide sectors for winning post", None, |e| matches!(e, E::Invalid(_))),
            ("x", Some(ErrorKind::NotFound), |e| matches!(e, E::NoProver(_))),
            ("x", Some(ErrorKind::RateLimited), |e| matches!(e, E::Transport(_))),
            ("no answer to ComputeProof within 3s", Some(ErrorKind::Timeout), |e| matches!(e, E::Timeout(_))),
            ("sector 7: sealed file is gone", None, |e| matches!(e, E::Sector { sector: 7, .. })),
            ("sector seven: sealed file is gone", None, |e| matches!(e, E::Failed(_))),
            ("boom", Some(ErrorKind::Internal), |e| matches!(e, E::Failed(_))),
        ];
        for (text, kind, is) in cases {
            let error = RpcError { kind, ..RpcError::new(1, text) };
            let error = prover_error(error.into(), &Address::new_id(1000), Duration::from_secs(3));
            assert!(is(&error), "{text}: {error:?}");
        }
    }

    #[test]
    fn texts_about_unsealing_have_a_meaning() {
        use UnsealError as E;
        type Is = fn(&E) -> bool;
        let cases: [(&str, Option<ErrorKind>, Is); 9] = [
            ("no connections for this miner f01000", None, |e| matches!(e, E::NoSealer(_))),
            ("no connections for this miner f01000", Some(ErrorKind::NotFound), |e| {
                matches!(e, E::NoSealer(_))
            }),
            ("sector 3 of f01000 not found", Some(ErrorKind::Internal), |e| {
                matches!(e, E::SectorNotFound { sector: 3, .. })
            }),
            ("sector 3 of f01000 not found", None, |e| matches!(e, E::SectorNotFound { .. })),
            ("missing permission to invoke 'SectorsUnsealPiece'  (need 'admin')", None, |e| {
                matches!(e, E::Denied(_))
            }),
            ("size: not the unpadded size of a piece", Some(ErrorKind::Invalid), |e| {
                matches!(e, E::Invalid(_))
            }),
            ("x", Some(ErrorKind::Timeout), |e| matches!(e, E::Timeout(_))),
            ("x", Some(ErrorKind::RateLimited), |e| matches!(e, E::Transport(_))),
            ("boom", None, |e| matches!(e, E::Transport(_))),
        ];
        for (text, kind, is) in cases {
            let error = RpcError { kind, ..RpcError::new(1, text) };
            let error = unseal_error(error.into(), &Address::new_id(1000), 3, Duration::from_secs(3));
            assert!(is(&error), "{text}: {error:?}");
        }
    }
}
