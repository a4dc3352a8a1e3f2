//! What the errors of other wallets mean.

use venus_core::api::SignerError;
use venus_core::error::{Classify, ErrorKind};
use venus_core::rpc::{CallError, RpcError};
use venus_core::types::{Address, MsgType};

/// What a request was about: error texts name neither.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    pub(super) signer: Address,
    pub(super) msg_type: MsgType,
}

/// Go wallets have no error codes, so that texts tell; they are wrapped freely, and matched anywhere.
const TEXTS: [(&str, Meaning); 14] = [
    ("record not found", Meaning::NoKey),
    ("key info not found", Meaning::NoKey),
    ("key not found", Meaning::NoKey),
    ("no key for", Meaning::NoKey),
    ("wallet locked", Meaning::Locked),
    ("wallet is locked", Meaning::Locked),
    ("password not set", Meaning::Locked),
    ("missing permission", Meaning::Denied),
    ("denied by policy", Meaning::Denied),
    ("sign data not match", Meaning::Mismatch),
    ("unsupported msgtype", Meaning::Unsupported),
    ("parseobj failed", Meaning::BadPayload),
    ("is not msg sender", Meaning::BadPayload),
    ("unmarshaling params", Meaning::BadPayload),
];

#[derive(Clone, Copy)]
enum Meaning {
    NoKey,
    Locked,
    Denied,
    Mismatch,
    Unsupported,
    BadPayload,
}

pub(super) fn signer_error(error: CallError, about: About) -> SignerError {
    match error {
        CallError::Rpc(error) => of_rpc(&error, about),
        CallError::Timeout { .. } => SignerError::Timeout,
        // The status is the server's word on the token; asking again with the same one cannot help.
        CallError::Status { status: status @ (401 | 403), .. } => {
            SignerError::Denied(format!("the wallet refuses the token (http status {status})"))
        }
        CallError::Params { reason, .. } => {
            SignerError::BadPayload { msg_type: about.msg_type, reason: bounded(&reason) }
        }
        CallError::TooBig { .. } => {
            SignerError::BadPayload { msg_type: about.msg_type, reason: error.to_string() }
        }
        CallError::Decode { reason, .. } => SignerError::BadSignature(bounded(&reason)),
        other => SignerError::Transport(Box::new(other)),
    }
}

fn of_rpc(error: &RpcError, about: About) -> SignerError {
    let text = error.message.to_ascii_lowercase();
    let by_text = TEXTS.iter().find(|(part, _)| text.contains(part)).map(|(_, meaning)| *meaning);
    let meaning = match error.kind {
        // Our own wallets say the kind; a text only tells more about it.
        Some(kind) => of_kind(kind, by_text),
        None => by_text,
    };
    let About { signer, msg_type } = about;
    match meaning {
        Some(Meaning::NoKey) => SignerError::KeyNotFound(signer),
        Some(Meaning::Locked) => SignerError::Locked,
        Some(Meaning::Denied) => SignerError::Denied(bounded(&error.message)),
        Some(Meaning::Mismatch) => SignerError::Mismatch(msg_type),
        Some(Meaning::BadPayload) => SignerError::BadPayload { msg_type, reason: bounded(&error.message) },
        Some(Meaning::Unsupported) => {
            SignerError::Unsupported { msg_type, signer, reason: "the remote wallet does not sign it" }
        }
        None if error.kind == Some(ErrorKind::Timeout) => SignerError::Timeout,
        None => SignerError::Store(RpcError::new(error.code, bounded(&error.message)).into()),
    }
}

fn of_kind(kind: ErrorKind, text: Option<Meaning>) -> Option<Meaning> {
    match (kind, text) {
        (ErrorKind::NotFound, _) => Some(Meaning::NoKey),
        (ErrorKind::Denied | ErrorKind::Unauthenticated, Some(Meaning::Locked)) => Some(Meaning::Locked),
        (ErrorKind::Denied | ErrorKind::Unauthenticated, _) => Some(Meaning::Denied),
        (ErrorKind::Invalid | ErrorKind::Conflict, Some(Meaning::Mismatch)) => Some(Meaning::Mismatch),
        (ErrorKind::Invalid | ErrorKind::Conflict, _) => Some(Meaning::BadPayload),
        (ErrorKind::Unsupported, _) => Some(Meaning::Unsupported),
        _ => None,
    }
}

/// As much of a foreign text as an error should carry.
fn bounded(text: &str) -> String {
    text.chars().take(300).collect()
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

    fn kind(message: &str, kind: Option<ErrorKind>) -> SignerError {
        let about = About { signer: Address::new_id(1), msg_type: MsgType::ChainMessage };
        signer_error(RpcError { kind, ..RpcError::new(1, message) }.into(), about)
    }

    #[test]
    fn go_texts_have_a_meaning() {
        use SignerError as E;
        type Is = fn(&E) -> bool;
        let cases: [(&str, Is); 12] = [
            ("record not found", |e| matches!(e, E::KeyNotFound(_))),
            ("signing using key 'f1x': key info not found", |e| matches!(e, E::KeyNotFound(_))),
            ("wallet locked", |e| matches!(e, E::Locked)),
            ("password not set", |e| matches!(e, E::Locked)),
            ("missing permission to invoke 'WalletSign'  (need 'sign')", |e| matches!(e, E::Denied(_))),
            ("get sign bytes: parseObj failed:sign data not match, actual [1], expected [2]", |e| {
                matches!(e, E::Mismatch(MsgType::ChainMessage))
            }),
            ("get sign bytes: parseObj failed:unmarshaling t.To: EOF", |e| matches!(e, E::BadPayload { .. })),
            ("signer(f1a) is not msg sender(f1b)", |e| matches!(e, E::BadPayload { .. })),
            ("get sign bytes: unsupported msgtype:nonsense", |e| matches!(e, E::Unsupported { .. })),
            ("(error code -32700) unmarshaling params for 'Filecoin.WalletSign'", |e| {
                matches!(e, E::BadPayload { .. })
            }),
            ("database is locked up", |e| matches!(e, E::Store(_))),
            ("", |e| matches!(e, E::Store(_))),
        ];
        for (text, is) in cases {
            assert!(is(&kind(text, None)), "{text}: {:?}", kind(text, None));
        }
    }

    #[test]
    fn kinds_of_ours_win_over_texts() {
        assert!(matches!(kind("wallet locked", Some(ErrorKind::Denied)), SignerError::Locked));
        assert!(matches!(kind("no", Some(ErrorKind::Denied)), SignerError::Denied(_)));
        assert!(matches!(kind("record not found", Some(ErrorKind::Denied)), SignerError::Denied(_)));
        assert!(matches!(kind("x", Some(ErrorKind::NotFound)), SignerError::KeyNotFound(_)));
        assert!(matches!(kind("x", Some(ErrorKind::Timeout)), SignerError::Timeout));
        assert!(matches!(kind("wallet locked", Some(ErrorKind::Transient)), SignerError::Store(_)));
    }

    #[test]
    fn tokens_that_are_refused_are_denials() {
        let about = About { signer: Address::new_id(1), msg_type: MsgType::Block };
        let error = signer_error(CallError::Status { status: 401, body: String::new() }, about);
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(!is_worth_repeating(&CallError::Status { status: 401, body: String::new() }));
        assert!(is_worth_repeating(&CallError::Status { status: 502, body: String::new() }));
        assert!(is_worth_repeating(&CallError::Disconnected));
        assert!(!is_worth_repeating(&RpcError::new(1, "wallet locked").into()));
    }
}
