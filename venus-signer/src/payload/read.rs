//! Reading requests, kind by kind.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use venus_core::api::SignerError;
use venus_core::cbor::{CborError, Decode};
use venus_core::types::{Message, MessageExt, MsgType, Protocol};

use super::message::MessageToSign;
use super::raw::{self, RawClass};
use super::{Payload, SigningNetwork};
use crate::request::SignRequest;

/// Lengths of what callers sign as deal proposals without it being one: a UUID, a digest.
const LEGACY_DEAL_LENGTHS: [usize; 2] = [16, 32];

/// The claimed kind decides how the bytes are read. Go ignores `Extra` where a kind has no use for it, and so do we.
pub(super) fn read(request: &SignRequest<'_>, network: &SigningNetwork) -> Result<Payload, SignerError> {
    let (bytes, msg_type) = (request.to_sign, request.meta.msg_type);
    match msg_type {
        MsgType::ChainMessage => read_message(request, network),
        MsgType::Block => typed(msg_type, bytes, Payload::Block),
        MsgType::DrawRandomParam => typed(msg_type, bytes, |draw: Box<_>| Payload::Draw(*draw)),
        MsgType::DealProposal if network.legacy_deal_bytes && LEGACY_DEAL_LENGTHS.contains(&bytes.len()) => {
            Ok(Payload::Raw { msg_type, class: RawClass::LegacyDealBytes, bytes: bytes.to_vec() })
        }
        MsgType::DealProposal => typed(msg_type, bytes, Payload::Deal),
        MsgType::ClientDeal => typed(msg_type, bytes, Payload::ClientDeal),
        MsgType::SignedVoucher => typed(msg_type, bytes, Payload::Voucher),
        MsgType::StorageAsk => typed(msg_type, bytes, Payload::StorageAsk),
        MsgType::AskResponse => typed(msg_type, bytes, Payload::AskResponse),
        MsgType::NetworkResponse => typed(msg_type, bytes, Payload::NetworkResponse),
        MsgType::ProviderDealState => typed(msg_type, bytes, Payload::DealState),
        MsgType::VerifyAddress => read_challenge(request),
        MsgType::Unknown | MsgType::F3 => read_raw(request, network),
        _ => {
            let reason = "requests have to say what is to be signed";
            Err(SignerError::Unsupported { msg_type, signer: request.signer, reason })
        }
    }
}

fn typed<T: Decode>(
    msg_type: MsgType,
    bytes: &[u8],
    payload: impl FnOnce(Box<T>) -> Payload,
) -> Result<Payload, SignerError> {
    T::from_cbor(bytes).map(Box::new).map(payload).map_err(|error| cbor(msg_type, &error))
}

fn read_message(request: &SignRequest<'_>, network: &SigningNetwork) -> Result<Payload, SignerError> {
    const KIND: MsgType = MsgType::ChainMessage;
    let (signer, extra) = (request.signer, &request.meta.extra);
    if extra.is_empty() {
        return bad(KIND, "Extra: must be the CBOR of the message");
    }
    let message = Message::from_cbor(extra).map_err(|error| cbor(KIND, &error))?;
    if message.version != 0 {
        return bad(KIND, format!("Version: is {}, must be 0", message.version));
    }
    if message.from != signer {
        return bad(KIND, format!("From: is {}, not the signer {signer}", message.from));
    }
    let message = signed_form(message, request, network)?;
    if message.signing_bytes() != request.to_sign {
        return Err(SignerError::Mismatch(KIND));
    }
    Ok(Payload::Message(Box::new(message)))
}

/// Where the compatibility switch is on, what the caller sent picks among the two forms; both are computed here.
fn signed_form(
    message: Message,
    request: &SignRequest<'_>,
    network: &SigningNetwork,
) -> Result<MessageToSign, SignerError> {
    let delegated = message.from.protocol() == Protocol::Delegated;
    if delegated && network.cid_for_delegated && message.cid().to_bytes() == request.to_sign {
        return Ok(MessageToSign::by_cid(message));
    }
    MessageToSign::read(message, &request.meta.extra, network)
}

/// A challenge is answered in the session that it belongs to, and nowhere else.
fn read_challenge(request: &SignRequest<'_>) -> Result<Payload, SignerError> {
    let actual = request.to_sign;
    if let Some(approved) = request.caller.approved_challenge.filter(|approved| approved == actual) {
        return Ok(Payload::Challenge(approved));
    }
    let Some(session) = request.caller.session_random else {
        let reason = format!(
            "sign data not match, actual {}, expected the challenge of a gateway session, and there is none",
            Decimal(actual)
        );
        return bad(MsgType::VerifyAddress, reason);
    };
    let expected: [u8; 32] =
        Sha256::new().chain_update(&request.meta.extra).chain_update(session).finalize().into();
    if bool::from(actual.ct_eq(&expected)) {
        return Ok(Payload::Challenge(expected));
    }
    let reason = format!("sign data not match, actual {}, expected {}", Decimal(actual), Decimal(&expected));
    bad(MsgType::VerifyAddress, reason)
}

fn read_raw(request: &SignRequest<'_>, network: &SigningNetwork) -> Result<Payload, SignerError> {
    let (msg_type, bytes) = (request.meta.msg_type, request.to_sign);
    let class = raw::classify(bytes, msg_type, request.signer.protocol());
    let named = match &class {
        RawClass::F3Vote(vote) => Some(&vote.network),
        RawClass::F3Ticket(ticket) => Some(&ticket.network),
        _ => None,
    };
    match (&network.f3_name, named) {
        (Some(ours), Some(theirs)) if ours != theirs => {
            let theirs: String = theirs.chars().take(64).collect();
            bad(msg_type, format!("F3 network: is {theirs:?}, this wallet signs for {ours:?}"))
        }
        (Some(_), None) if msg_type == MsgType::F3 => bad(msg_type, "is neither an F3 vote nor an F3 ticket"),
        _ => Ok(Payload::Raw { msg_type, class, bytes: bytes.to_vec() }),
    }
}

/// Bytes as Go prints them, at most as many as a digest has: an error does not repeat its input.
struct Decimal<'a>(&'a [u8]);

impl std::fmt::Display for Decimal<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[")?;
        for (i, byte) in self.0.iter().take(32).enumerate() {
            write!(f, "{}{byte}", if i == 0 { "" } else { " " })?;
        }
        f.write_str(if self.0.len() > 32 { " …]" } else { "]" })
    }
}

fn bad<T>(msg_type: MsgType, reason: impl Into<String>) -> Result<T, SignerError> {
    Err(SignerError::BadPayload { msg_type, reason: reason.into() })
}

fn cbor(msg_type: MsgType, error: &CborError) -> SignerError {
    SignerError::BadPayload { msg_type, reason: error.to_string() }
}
