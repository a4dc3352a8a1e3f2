//! The texts of Go's wallet for requests that it does not sign.

use venus_core::api::SignerError;
use venus_core::types::MsgType;

/// The text with which venus-wallet v1.20 refuses a request. `claimed_type` is the kind as the caller wrote it, which
/// need not be a [`MsgType`].
///
/// Where Go would have signed or crashed, the text is ours in Go's frame.
pub fn go_text(error: &SignerError, claimed_type: &str) -> String {
    match error {
        SignerError::KeyNotFound(_) => "record not found".into(),
        SignerError::Locked => "wallet locked".into(),
        SignerError::Denied(reason) => reason.clone(),
        SignerError::Unsupported { msg_type: MsgType::Undefined, .. } => {
            let claimed: String = claimed_type.chars().take(64).collect();
            format!("get sign bytes: unsupported msgtype:{claimed}")
        }
        SignerError::BadPayload { msg_type, reason } => bad_payload(*msg_type, reason),
        SignerError::Mismatch(_) => format!("get sign bytes: parseObj failed:{error}"),
        other => other.to_string(),
    }
}

fn bad_payload(msg_type: MsgType, reason: &str) -> String {
    if let Some((from, signer)) =
        reason.strip_prefix("From: is ").and_then(|rest| rest.split_once(", not the signer "))
    {
        return format!("signer({signer}) is not msg sender({from})");
    }
    // Messages have a parser of their own, the rest goes through one that names itself.
    let frame = match msg_type {
        MsgType::ChainMessage => "",
        _ => "cbor unmarshal:",
    };
    match inner(reason) {
        Inner::Plain(text) => format!("get sign bytes: parseObj failed:{text}"),
        Inner::Cbor(text) => format!("get sign bytes: parseObj failed:{frame}{text}"),
    }
}

enum Inner {
    Plain(String),
    Cbor(String),
}

fn inner(reason: &str) -> Inner {
    if reason.starts_with("Extra: must be the CBOR") {
        return Inner::Plain("msg type must contain extra data".into());
    }
    if let Some(version) = reason.strip_prefix("Version: is ").and_then(|rest| rest.split(',').next()) {
        return Inner::Plain(format!("decoded message had incorrect version ({version})"));
    }
    match cbor(reason) {
        Some(text) => Inner::Cbor(text),
        None => Inner::Plain(reason.to_owned()),
    }
}

/// `CBOR Message.To at byte 2: input ends early` as Go's generated decoders say it.
fn cbor(reason: &str) -> Option<String> {
    let (path, rest) = reason.strip_prefix("CBOR ")?.split_once(" at byte ")?;
    let (_, kind) = rest.split_once(": ")?;
    let kind = if kind == "input ends early" { "EOF" } else { kind };
    Some(match path.rsplit_once('.') {
        Some((_, field)) => format!("unmarshaling t.{field}: {kind}"),
        None if kind.starts_with("expected a list") => "cbor input should be of type array".into(),
        None if kind.starts_with("expected a map") => "cbor input should be of type map".into(),
        None if kind.starts_with("expected length") => "cbor input had wrong number of fields".into(),
        None => kind.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use venus_core::types::Address;

    use super::*;

    #[test]
    fn errors_that_no_request_of_the_recordings_gives() {
        let bad = |msg_type, reason: &str| SignerError::BadPayload { msg_type, reason: reason.into() };
        let id = Address::new_id(7);
        let cases = [
            (SignerError::KeyNotFound(id), "record not found"),
            (SignerError::Locked, "wallet locked"),
            (
                SignerError::Denied("run customer sign check fail (no)".into()),
                "run customer sign check fail (no)",
            ),
            (
                bad(MsgType::StorageAsk, "CBOR StorageAsk at byte 0: expected a map, found major type 4"),
                "get sign bytes: parseObj failed:cbor unmarshal:cbor input should be of type map",
            ),
            (
                bad(MsgType::Block, "CBOR BlockHeader at byte 0: expected length 16, found 3"),
                "get sign bytes: parseObj failed:cbor unmarshal:cbor input had wrong number of fields",
            ),
            (
                bad(MsgType::F3, "is neither an F3 vote nor an F3 ticket"),
                "get sign bytes: parseObj failed:is neither an F3 vote nor an F3 ticket",
            ),
            (
                SignerError::Mismatch(MsgType::ChainMessage),
                "get sign bytes: parseObj failed:bytes to sign differ from those of the message",
            ),
            (SignerError::Timeout, "signer did not answer in time"),
        ];
        for (error, text) in cases {
            assert_eq!(go_text(&error, "message"), text);
        }
        let undefined =
            SignerError::Unsupported { msg_type: MsgType::Undefined, signer: id, reason: "no kind" };
        assert_eq!(go_text(&undefined, "nonsense"), "get sign bytes: unsupported msgtype:nonsense");
        assert!(go_text(&undefined, &"x".repeat(1 << 20)).len() < 200);
    }
}
