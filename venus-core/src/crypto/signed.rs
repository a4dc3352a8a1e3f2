//! What a signature covers.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::cbor::{CborError, Decode};
use crate::error::{Classify, ErrorKind};
use crate::types::{AskResponse, BlockHeader, DrawRandomParams, MsgMeta, MsgType, SignedVoucher};

/// How the CID of a signed deal proposal begins in deal protocols: version 1, DAG-CBOR, SHA-256, 32 bytes.
const DEAL_CID: [u8; 4] = [1, 0x71, 0x12, 0x20];

/// Bytes to sign that are not what they are said to be, so that no signature can be over them.
#[derive(Debug, thiserror::Error)]
#[error("the bytes to sign are no {msg_type}: {source}")]
pub struct UnreadablePayload {
    /// What they are said to be.
    pub msg_type: MsgType,
    /// Why they are not.
    #[source]
    pub source: CborError,
}

impl Classify for UnreadablePayload {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// The bytes that a signature covers, given what the signer was asked for ([`ISigner::sign`](crate::api::ISigner::sign)).
///
/// | kind | signed |
/// |---|---|
/// | `drawrandomparam` | the 32 bytes of the draw's digest |
/// | `block`, `signedvoucher` | the object with a null signature |
/// | `clientdeal` | the 36 bytes of its CID over SHA-256 |
/// | `askresponse` | the ask as the list of protocol 1.0.1 |
/// | all others | `to_sign` as it is: the CID of a message, of an `f4` sender its Ethereum transaction |
///
/// It says nothing about whether `to_sign` and `meta.extra` agree: that is for whoever has the key to find out.
///
/// # Errors
/// [`UnreadablePayload`].
pub fn signed_bytes<'a>(to_sign: &'a [u8], meta: &MsgMeta) -> Result<Cow<'a, [u8]>, UnreadablePayload> {
    let msg_type = meta.msg_type;
    let signed = match msg_type {
        MsgType::DrawRandomParam => DrawRandomParams::from_cbor(to_sign).map(|draw| draw.digest().to_vec()),
        MsgType::Block => BlockHeader::from_cbor(to_sign).map(|header| header.signing_bytes()),
        MsgType::SignedVoucher => SignedVoucher::from_cbor(to_sign).map(|voucher| voucher.signing_bytes()),
        MsgType::AskResponse => AskResponse::from_cbor(to_sign).map(|response| response.ask.ask.to_tuple()),
        MsgType::ClientDeal => Ok([&DEAL_CID[..], &Sha256::digest(to_sign)].concat()),
        _ => return Ok(Cow::Borrowed(to_sign)),
    };
    signed.map(Cow::Owned).map_err(|source| UnreadablePayload { msg_type, source })
}
