//! From a typed payload to the bytes that are signed.
//!
//! | kind | read from | bytes that are signed | who signs |
//! |---|---|---|---|
//! | `message` | `extra`: CBOR of the message | the 38 bytes of its CID; `to_sign` must be the same | the sender, BLS or secp256k1 |
//! | `block` | `to_sign`: CBOR of the header | CBOR of the header with a null signature | a BLS worker |
//! | `drawrandomparam` | `to_sign`: CBOR map of the draw | the 32-byte digest of the draw | a BLS worker |
//!
//! No caller's bytes pass through. A header that carries a signature is read too, as Go wallets do, and its
//! signature does not enter the signed bytes. The keys of a draw's map may stand in any order.

use sha2::{Digest, Sha256};

use crate::request::SignRequest;
use venus_core::api::SignerError;
use venus_core::cbor::{CborError, Decode};
use venus_core::types::{
    Address, BlockHeader, DrawRandomParams, Message, MessageExt, MsgMeta, MsgType, Protocol,
};

/// The network that signatures are made for, where that enters the signed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningNetwork {
    /// The chain ID in transactions of `f4` senders: 314 on mainnet.
    pub chain_id: u64,
    /// The network's name in F3 payloads, as `filecoin`; `None` accepts any.
    pub f3_name: Option<String>,
}

impl Default for SigningNetwork {
    fn default() -> Self {
        Self { chain_id: 314, f3_name: None }
    }
}

/// Something that may be signed, read and checked.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Payload {
    /// A chain message.
    Message(Box<Message>),
    /// A block header; its own signature is ignored.
    Block(Box<BlockHeader>),
    /// A VRF draw.
    Draw(DrawRandomParams),
    /// The digest by which a gateway finds out that the wallet owns the key.
    Challenge([u8; 32]),
}

impl Payload {
    /// Reads the payload of a request by `signer` and checks that it is consistent.
    ///
    /// # Errors
    /// [`SignerError::Unsupported`] for other kinds and for keys that do not sign this one,
    /// [`SignerError::BadPayload`] for bytes that are not what they should be, [`SignerError::Mismatch`] when
    /// `to_sign` is not what the message demands.
    pub fn read(request: &SignRequest<'_>, _network: &SigningNetwork) -> Result<Self, SignerError> {
        let (signer, to_sign, meta) = (&request.signer, request.to_sign, request.meta);
        match meta.msg_type {
            MsgType::ChainMessage => read_message(signer, to_sign, &meta.extra),
            MsgType::Block => {
                worker_only(signer, meta)?;
                read_block(to_sign)
            }
            MsgType::DrawRandomParam => {
                worker_only(signer, meta)?;
                read_draw(to_sign)
            }
            MsgType::VerifyAddress => read_challenge(request),
            msg_type => Err(SignerError::Unsupported {
                msg_type,
                signer: *signer,
                reason: "this wallet signs messages, blocks and draws only",
            }),
        }
    }

    /// The bytes that the key signs, computed from the payload alone.
    pub fn signing_bytes(&self) -> Vec<u8> {
        match self {
            Self::Message(message) => message.cid().to_bytes(),
            Self::Block(header) => header.signing_bytes(),
            Self::Draw(params) => params.digest().to_vec(),
            Self::Challenge(digest) => digest.to_vec(),
        }
    }
}

fn read_message(signer: &Address, to_sign: &[u8], extra: &[u8]) -> Result<Payload, SignerError> {
    const KIND: MsgType = MsgType::ChainMessage;
    if !matches!(signer.protocol(), Protocol::BLS | Protocol::Secp256k1) {
        return Err(SignerError::KeyNotFound(*signer));
    }
    if extra.is_empty() {
        return bad(KIND, "Extra: must be the CBOR of the message");
    }
    let message = Message::from_cbor(extra).map_err(|e| cbor(KIND, &e))?;
    if message.version != 0 {
        return bad(KIND, format!("Version: is {}, must be 0", message.version));
    }
    if message.from != *signer {
        return bad(KIND, format!("From: is {}, not the signer {signer}", message.from));
    }
    let payload = Payload::Message(Box::new(message));
    if payload.signing_bytes() != to_sign {
        return Err(SignerError::Mismatch(KIND));
    }
    Ok(payload)
}

/// Either the gateway's side checked the challenge, or it is a Go gateway's: `sha256(its bytes ‖ our bytes)`.
fn read_challenge(request: &SignRequest<'_>) -> Result<Payload, SignerError> {
    const KIND: MsgType = MsgType::VerifyAddress;
    let caller = request.caller;
    let legacy =
        caller.session_random.map(|random| Sha256::digest([&request.meta.extra[..], &random].concat()));
    let expected = caller.approved_challenge.or(legacy.map(Into::into));
    match expected {
        Some(digest) if digest == request.to_sign => Ok(Payload::Challenge(digest)),
        Some(_) => Err(SignerError::Mismatch(KIND)),
        None => Err(SignerError::Denied("no gateway that this wallet is registered at asks".into())),
    }
}

fn read_block(to_sign: &[u8]) -> Result<Payload, SignerError> {
    let header = BlockHeader::from_cbor(to_sign).map_err(|e| cbor(MsgType::Block, &e))?;
    Ok(Payload::Block(Box::new(header)))
}

fn read_draw(to_sign: &[u8]) -> Result<Payload, SignerError> {
    let params = DrawRandomParams::from_cbor(to_sign).map_err(|e| cbor(MsgType::DrawRandomParam, &e))?;
    Ok(Payload::Draw(params))
}

/// Blocks and draws are made by workers, which are BLS keys, and nothing else belongs to the request.
fn worker_only(signer: &Address, meta: &MsgMeta) -> Result<(), SignerError> {
    let msg_type = meta.msg_type;
    if signer.protocol() != Protocol::BLS {
        let reason = "only a BLS worker key signs it";
        return Err(SignerError::Unsupported { msg_type, signer: *signer, reason });
    }
    if meta.extra.is_empty() { Ok(()) } else { bad(msg_type, "Extra: must be empty").map(|_| ()) }
}

fn bad(msg_type: MsgType, reason: impl Into<String>) -> Result<Payload, SignerError> {
    Err(SignerError::BadPayload { msg_type, reason: reason.into() })
}

fn cbor(msg_type: MsgType, error: &CborError) -> SignerError {
    SignerError::BadPayload { msg_type, reason: error.to_string() }
}
